"""Conflicts: what waits for a person, the person's choice, and how long what lost is kept (design 5.3)."""

from __future__ import annotations

import pytest

from electis_cli.domain.access import Role
from electis_cli.domain.errors import CannotTakeIn, NotFound, PermissionRefused
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import State, Status
from electis_cli.services import conferences, people, spaces
from electis_cli.services.conflicts import Field, list_conflicts, resolve_conflict
from electis_cli.services.housekeeping import keep_house
from tests.world.ledger import (
    SETTLED,
    article,
    article_writes,
    articles_at,
    conflicts_of,
    edit,
    events_of,
    push,
    put,
    remove,
    rows_of,
    statuses,
    steps,
    store_of,
    sync,
    sync_twice,
)

DAY = 86_400


@pytest.fixture
def agreed(bench, simulator_server, clock):
    """An organization that decides by hand, whose spaces A and B are at AIMS, synced and settled."""
    scope = bench.organization(base_url=simulator_server.base_url, strategy=Strategy.MANUAL)
    for name in ("A", "B"):
        spaces.create_space(scope, name, data={"TITLE": "both"})
    push(scope)
    sync(scope)
    clock.advance(SETTLED)
    sync(scope)
    return scope


@pytest.fixture
def torn(agreed, cloud, clock):
    """Space B says "ours" here and "theirs" at AIMS."""
    edit(cloud, "B", TITLE="theirs")
    spaces.update_space(agreed, "B", data={"TITLE": "ours"})
    assert steps(sync_twice(agreed, clock)) == {"B": "conflict"}
    return agreed


def settled(scope, clock):
    """Push, wait, compare and push until everything came to rest; returns the last full sync."""
    push(scope)
    clock.advance(SETTLED)
    sync(scope)
    push(scope)
    clock.advance(SETTLED)
    return sync(scope)


# --- seeing ---------------------------------------------------------------------------------------------------------


def test_a_conflict_is_shown_with_all_three_sides(torn, clock):
    (view,) = list_conflicts(torn)
    assert (view.article_id, view.store, view.open, view.choice) == ("B", "001", True, "undecided")
    assert (view.at, view.decided_at, view.decided_by) == (clock(), None, None)
    assert view.fields == [Field(column="TITLE", base="both", ours="ours", aims="theirs")]
    assert (view.deleted_here, view.deleted_at_aims) == (False, False)
    assert view.why == "AIMS and the database both changed this article."


def test_what_the_strategy_decided_waits_for_nobody_and_is_listed_when_it_is_asked_for(agreed, cloud, clock):
    edit(cloud, "A", TITLE="theirs")
    spaces.update_space(agreed, "A", data={"TITLE": "ours"})
    sync_twice(agreed, clock, strategy=Strategy.DATABASE_WINS)
    assert list_conflicts(agreed) == []
    (view,) = list_conflicts(agreed, decided=True)
    assert (view.article_id, view.open, view.choice) == ("A", False, "database")


def test_of_two_conflicts_of_an_article_the_newer_one_is_open(torn, clock, cloud):
    resolve_conflict(torn, "B", take_ours=True)
    settled(torn, clock)
    edit(cloud, "B", TITLE="again")
    spaces.update_space(torn, "B", data={"TITLE": "ours again"})
    sync_twice(torn, clock)
    assert [view.fields[0].aims for view in list_conflicts(torn)] == ["again"]
    both = list_conflicts(torn, decided=True)
    assert [(view.open, view.choice) for view in both] == [(True, "undecided"), (False, "database")]
    assert len(list_conflicts(torn, decided=True, limit=1)) == 1


def test_nobody_sees_or_decides_another_organizations_conflicts(torn, bench):
    other = bench.organization("OTHER")
    assert list_conflicts(other, decided=True) == []
    with pytest.raises(NotFound):
        resolve_conflict(other, "B", take_ours=True)


def test_a_viewer_sees_conflicts_and_decides_none(torn, bench):
    viewer = bench.as_role(torn, Role.VIEWER)
    assert len(list_conflicts(viewer)) == 1
    with pytest.raises(PermissionRefused):
        resolve_conflict(viewer, "B", take_ours=False)


# --- both changed ---------------------------------------------------------------------------------------------------


def test_ours_is_pushed_over_theirs_and_what_lost_is_kept(torn, cloud, clock):
    view = resolve_conflict(torn, "B", take_ours=True)
    assert (view.open, view.choice, view.decided_at, view.decided_by) == (
        False, "database", clock(), torn.actor.email,
    )  # fmt: skip
    assert push(torn).updated == 1
    assert article(cloud, "B").data["TITLE"] == "ours"
    assert spaces.show_space(torn, "B").data == {"TITLE": "ours"}
    (kept,) = conflicts_of(torn)
    assert (kept["choice"], kept["remote"]["TITLE"]) == ("database", "theirs")
    assert list_conflicts(torn) == []
    assert settled(torn, clock).writes == 0
    assert events_of(torn, "sync:resolved")[-1]["payload"] == {"entity": "article", "id": "B"}


def test_theirs_is_taken_over_and_aims_is_not_written_to(torn, cloud, clock):
    writes = article_writes(cloud)
    assert resolve_conflict(torn, "B", take_ours=False).choice == "aims"
    assert spaces.show_space(torn, "B").data == {"TITLE": "theirs"}
    push(torn)
    assert article_writes(cloud) == writes
    assert statuses(torn)["B"] is Status.SYNCED
    assert settled(torn, clock).writes == 0


def test_a_dry_choice_changes_nothing(torn):
    before = rows_of(torn), conflicts_of(torn), spaces.show_space(torn, "B")
    for take_ours in (True, False):
        assert resolve_conflict(torn, "B", take_ours=take_ours, dry_run=True).article_id == "B"
    assert (rows_of(torn), conflicts_of(torn), spaces.show_space(torn, "B")) == before


def test_only_what_waits_for_a_decision_can_be_decided(torn):
    for name in ("A", "nothing"):
        with pytest.raises(NotFound, match=name):
            resolve_conflict(torn, name, take_ours=True)
    resolve_conflict(torn, "B", take_ours=True)
    with pytest.raises(NotFound):
        resolve_conflict(torn, "B", take_ours=True)


@pytest.mark.parametrize("take_ours", [True, False])
def test_a_choice_is_about_what_was_seen_and_not_about_what_came_later(torn, cloud, clock, take_ours):
    edit(cloud, "B", TITLE="third")
    resolve_conflict(torn, "B", take_ours=take_ours)
    push(torn)
    assert article(cloud, "B").data["TITLE"] == "third", "somebody wrote it after the choice was made"


def test_a_room_takes_nothing_from_aims(agreed, cloud, clock):
    conferences.create_room(agreed, "1")
    push(agreed)
    sync_twice(agreed, clock)
    edit(cloud, "C1", name="Their room")
    assert steps(sync_twice(agreed, clock)) == {"C1": "conflict"}
    with pytest.raises(CannotTakeIn) as caught:
        resolve_conflict(agreed, "C1", take_ours=False)
    assert caught.value.fix == "electis sync resolve C1 --ours"
    assert statuses(agreed)["C1"] is Status.CONFLICT
    resolve_conflict(agreed, "C1", take_ours=True)
    push(agreed)
    assert article(cloud, "C1").name == "Conference 1"


# --- deleted on one side --------------------------------------------------------------------------------------------


def test_what_was_deleted_at_aims_is_made_again_or_removed_here(agreed, cloud, clock):
    spaces.create_space(agreed, "KEPT", data={})
    settled(agreed, clock)
    for name in ("A", "B"):
        remove(cloud, name)
    sync_twice(agreed, clock)
    assert {view.article_id: view.deleted_at_aims for view in list_conflicts(agreed)} == {
        "A": True,
        "B": True,
    }
    resolve_conflict(agreed, "A", take_ours=True)
    resolve_conflict(agreed, "B", take_ours=False)
    settled(agreed, clock)
    assert articles_at(cloud) == ["A", "KEPT"]
    assert [space.external_id for space in spaces.list_spaces(agreed)] == ["A", "KEPT"]
    assert settled(agreed, clock).writes == 0


def test_an_occupied_space_is_not_removed(agreed, cloud, clock):
    people.create_person(agreed, "P1", data={"ITEM_NAME": "Dana"}, space="B")
    push(agreed)
    sync_twice(agreed, clock)
    remove(cloud, "B")
    sync_twice(agreed, clock)
    with pytest.raises(CannotTakeIn):
        resolve_conflict(agreed, "B", take_ours=False)
    assert people.show_person(agreed, "P1").space == "B"
    assert [view.article_id for view in list_conflicts(agreed)] == ["B"]


def test_what_was_deleted_here_and_made_anew_at_aims_is_deleted_or_taken_in(agreed, cloud, clock):
    for name in ("A", "B"):
        spaces.delete_space(agreed, name)
    push(agreed)
    for name in ("A", "B"):
        put(cloud, name, TITLE="theirs")
    sync_twice(agreed, clock)
    assert {view.article_id: view.deleted_here for view in list_conflicts(agreed)} == {"A": True, "B": True}
    resolve_conflict(agreed, "A", take_ours=True)
    resolve_conflict(agreed, "B", take_ours=False)
    settled(agreed, clock)
    assert articles_at(cloud) == ["B"]
    assert {space.external_id: space.data for space in spaces.list_spaces(agreed)} == {
        "B": {"TITLE": "theirs"}
    }


# --- how long -------------------------------------------------------------------------------------------------------


def test_what_was_decided_is_kept_for_ninety_days(torn, clock):
    resolve_conflict(torn, "B", take_ours=True)
    settled(torn, clock)
    clock.advance(89 * DAY)
    keep_house(torn.runtime, torn.org_id)
    assert len(list_conflicts(torn, decided=True)) == 1
    clock.advance(DAY)
    assert keep_house(torn.runtime, torn.org_id).forgotten >= 1
    assert list_conflicts(torn, decided=True) == []


def test_what_waits_for_a_person_is_never_forgotten(torn, clock):
    clock.advance(400 * DAY)
    keep_house(torn.runtime, torn.org_id)
    assert [view.article_id for view in list_conflicts(torn)] == ["B"]
    assert rows_of(torn)["B"].state is State.CONFLICT
    resolve_conflict(torn, "B", take_ours=False)
    assert spaces.show_space(torn, "B").data == {"TITLE": "theirs"}
    assert store_of(torn).code == "001"
