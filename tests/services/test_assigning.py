"""Flow 2.2: assigning a person to a space."""

from __future__ import annotations

import pytest

from electis_cli.db import ledger, stores, trail
from electis_cli.domain.errors import SpaceNotFound, SpaceTaken
from electis_cli.services import people, spaces


def ledger_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return ledger.all_rows(uow, stores.list_stores(uow)[0].id)


def test_assigning_clears_the_old_space_and_fills_the_new_one_in_that_order(scope):
    for space in ("4-1", "4-2"):
        spaces.create_space(scope, space, data={})
    people.create_person(scope, "P1", data={"ITEM_NAME": "דנה לוי"}, space="4-1")
    before = ledger_of(scope)

    moved = people.assign_person(scope, "P1", "4-2")

    after = ledger_of(scope)
    assert moved.space == "4-2"
    assert after["4-1"].desired_version == before["4-1"].desired_version + 1
    assert after["4-2"].desired_version == before["4-2"].desired_version + 1
    assert after["4-1"].desired_seq < after["4-2"].desired_seq
    with scope.runtime.database.read(scope.org_id) as uow:
        event = trail.list_events(uow, name="person:assigned")[-1]
    assert event["payload"] == {"id": "P1", "space": "4-2", "previous_space": "4-1"}


def test_a_taken_space_is_a_conflict_and_nothing_changes(scope):
    spaces.create_space(scope, "4-1", data={})
    people.create_person(scope, "P1", data={}, space="4-1")
    people.create_person(scope, "P2", data={})
    before = ledger_of(scope)

    with pytest.raises(SpaceTaken) as caught:
        people.assign_person(scope, "P2", "4-1")

    assert "P1" in caught.value.why
    assert ledger_of(scope) == before
    assert people.show_person(scope, "P2").space is None


def test_a_missing_space_is_not_found(scope):
    people.create_person(scope, "P1", data={})

    with pytest.raises(SpaceNotFound):
        people.assign_person(scope, "P1", "4-9")
