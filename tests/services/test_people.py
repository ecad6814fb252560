"""People: what their changes do to the articles of the spaces they sit in."""

from __future__ import annotations

import pytest

from electis_cli.db import ledger, stores, trail
from electis_cli.domain.access import Role
from electis_cli.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    PermissionRefused,
    PersonNotAssigned,
    PersonNotFound,
    SpaceNotFound,
    SpaceTaken,
)
from electis_cli.services import people, spaces


@pytest.fixture
def seated(scope):
    """The scope with spaces 4-1 and 4-2, and P1 in 4-1."""
    for space in ("4-1", "4-2"):
        spaces.create_space(scope, space, data={})
    people.create_person(scope, "P1", data={"ITEM_NAME": "Dana"}, space="4-1")
    return scope


def versions(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        rows = ledger.all_rows(uow, stores.list_stores(uow)[0].id)
    return {name: row.desired_version for name, row in rows.items()}


def test_an_id_is_made_up_when_none_is_given(scope):
    one, other = people.create_person(scope, None, data={}), people.create_person(scope, None, data={})

    assert one.external_id != other.external_id
    assert people.show_person(scope, one.external_id) == one


def test_somebody_without_a_space_touches_no_article(scope):
    view = people.create_person(scope, "P1", data={"ITEM_NAME": "Dana"})
    people.update_person(scope, "P1", data={"ITEM_NAME": "Noa"})
    people.delete_person(scope, "P1")

    assert (view.space, view.status) == (None, None)
    assert versions(scope) == {}


def test_changes_of_a_seated_person_bump_their_space_alone(seated):
    people.update_person(seated, "P1", data={"ITEM_NAME": "Noa"})
    assert versions(seated) == {"4-1": 3, "4-2": 1}

    people.update_person(seated, "P1", data={"ITEM_NAME": "Noa"})
    assert versions(seated) == {"4-1": 3, "4-2": 1}

    people.delete_person(seated, "P1")
    assert versions(seated) == {"4-1": 4, "4-2": 1}
    assert spaces.show_space(seated, "4-1").person is None


def test_somebody_who_can_not_be_seated_is_not_created(seated):
    with pytest.raises(SpaceTaken):
        people.create_person(seated, "P2", data={}, space="4-1")
    with pytest.raises(SpaceNotFound):
        people.create_person(seated, "P2", data={}, space="9-9")

    assert [person.external_id for person in people.list_people(seated)] == ["P1"]


def test_assigning_twice_changes_nothing_the_second_time(seated):
    before = versions(seated)

    assert people.assign_person(seated, "P1", "4-1").version == 2
    assert versions(seated) == before


def test_unassigning_clears_the_space_once(seated):
    assert people.unassign_person(seated, "P1").space is None
    assert versions(seated) == {"4-1": 3, "4-2": 1}
    people.unassign_person(seated, "P1")
    assert versions(seated) == {"4-1": 3, "4-2": 1}
    with seated.runtime.database.read(seated.org_id) as uow:
        (event,) = trail.list_events(uow, name="person:unassigned")
    assert event["payload"] == {"id": "P1", "space": None, "previous_space": "4-1"}


def test_moving_demands_a_space_to_move_from(seated):
    people.create_person(seated, "P2", data={})
    with pytest.raises(PersonNotAssigned):
        people.assign_person(seated, "P2", "4-2", moving=True)

    assert people.assign_person(seated, "P1", "4-2", moving=True).space == "4-2"


def test_nobody_is_seated_in_another_store(bench):
    scope = bench.organization(store_codes=("001", "002"))
    people.create_person(scope, "P1", data={}, store="001")
    spaces.create_space(scope, "4-1", data={}, store="002")

    with pytest.raises(Conflict):
        people.assign_person(scope, "P1", "4-1")
    with pytest.raises(SpaceNotFound):
        people.assign_person(scope, "P1", "4-1", store="001")


@pytest.mark.parametrize(
    "attempt",
    [
        lambda scope: people.show_person(scope, "P9"),
        lambda scope: people.update_person(scope, "P9", data={}),
        lambda scope: people.delete_person(scope, "P9"),
        lambda scope: people.assign_person(scope, "P9", "4-2"),
        lambda scope: people.unassign_person(scope, "P9"),
    ],
    ids=["show", "update", "delete", "assign", "unassign"],
)
def test_who_does_not_exist_is_not_found(seated, attempt):
    with pytest.raises(PersonNotFound):
        attempt(seated)


def test_a_person_is_created_once_and_with_valid_data(seated):
    with pytest.raises(AlreadyExists):
        people.create_person(seated, "P1", data={})
    with pytest.raises(InvalidInput):
        people.create_person(seated, "P2", data={"COLOR": "red"})


def test_dry_runs_change_nothing(seated):
    before = (people.list_people(seated), versions(seated))

    assert people.assign_person(seated, "P1", "4-2", dry_run=True).space == "4-2"
    assert people.delete_person(seated, "P1", dry_run=True).external_id == "P1"
    assert people.unassign_person(seated, "P1", dry_run=True).space is None
    assert people.create_person(seated, "P2", data={}, space="4-2", dry_run=True).space == "4-2"

    assert (people.list_people(seated), versions(seated)) == before


def test_viewers_and_other_organizations_change_nobody(bench, seated):
    viewer, other = bench.as_role(seated, Role.VIEWER), bench.organization("OTHER")

    assert people.list_people(other) == []
    with pytest.raises(PersonNotFound):
        people.update_person(other, "P1", data={})
    with pytest.raises(PermissionRefused):
        people.assign_person(viewer, "P1", "4-2")
    assert people.show_person(viewer, "P1").space == "4-1"
