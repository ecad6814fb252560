"""Flow 6.1: conference rooms, their meetings and the page of their labels."""

from __future__ import annotations

import pytest

from electis_cli.db import ledger, stores, trail
from electis_cli.domain.access import Role
from electis_cli.domain.conference import Meeting
from electis_cli.domain.errors import (
    AlreadyExists,
    ArticleIdTaken,
    InvalidInput,
    InvalidTime,
    PermissionRefused,
    RoomNotFound,
    UsageProblem,
)
from electis_cli.services import conferences, labels, spaces
from electis_cli.services.showing.showing import show_label

LABEL = "0848A6EBE2B0"
PLANNING = Meeting(name="Planning", start_time="9:00", end_time="10:00", participants=("Dana", " Noa "))


@pytest.fixture
def room(scope):
    """The scope with room 3, which has a label."""
    conferences.create_room(scope, "3", name="Galileo")
    labels.link_label(scope, LABEL, "C3")
    return scope


def row_of(scope, article_id="C3"):
    with scope.runtime.database.read(scope.org_id) as uow:
        return ledger.all_rows(uow, stores.list_stores(uow)[0].id)[article_id]


def events_of(scope, name):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [event["payload"] for event in trail.list_events(uow, name=name)]


def test_a_room_is_created_free_under_its_prefixed_article_id(scope):
    view = conferences.create_room(scope, "C7")

    assert (view.external_id, view.article_id, view.room_name, view.has_meeting) == (
        "7",
        "C7",
        "Conference 7",
        False,
    )
    assert (view.status, view.version, row_of(scope, "C7").is_dirty) == ("pending", 1, True)
    assert conferences.show_room(scope, "7") == conferences.show_room(scope, "C7") == view


def test_ids_of_rooms_and_spaces_do_not_collide(scope):
    spaces.create_space(scope, "C1", data={})
    conferences.create_room(scope, "3")

    with pytest.raises(ArticleIdTaken):
        conferences.create_room(scope, "1")
    with pytest.raises(AlreadyExists):
        conferences.create_room(scope, "C3")
    with pytest.raises(InvalidInput):
        conferences.create_room(scope, "x" * 50)
    assert [view.external_id for view in conferences.list_rooms(scope)] == ["3"]


def test_a_meeting_turns_the_page_and_back(room):
    busy = conferences.toggle_meeting(room, "3", meeting=PLANNING)

    assert (busy.has_meeting, busy.meeting_name, busy.start_time, busy.end_time, busy.participants) == (
        True,
        "Planning",
        "09:00",
        "10:00",
        ("Dana", "Noa"),
    )
    assert (busy.version, row_of(room).desired_version, show_label(room, LABEL).page) == (2, 2, 2)

    free = conferences.toggle_meeting(room, "C3")

    assert (free.has_meeting, free.meeting_name, free.start_time, free.end_time, free.participants) == (
        False,
        None,
        None,
        None,
        (),
    )
    assert (free.version, row_of(room).desired_version, show_label(room, LABEL).page) == (3, 3, 1)
    assert events_of(room, "conference:toggled") == [
        {"id": "3", "article_id": "C3", "has_meeting": True},
        {"id": "3", "article_id": "C3", "has_meeting": False},
    ]


def test_on_and_off_are_idempotent(room):
    assert conferences.toggle_meeting(room, "3", turn_on=True).version == 2
    assert conferences.toggle_meeting(room, "3", turn_on=True).version == 2
    assert conferences.toggle_meeting(room, "3", turn_on=False).version == 3
    assert conferences.toggle_meeting(room, "3", turn_on=False).version == 3
    assert row_of(room).desired_version == 3


def test_options_change_a_running_meeting(room):
    conferences.toggle_meeting(room, "3", meeting=PLANNING)

    longer = conferences.toggle_meeting(room, "3", meeting=Meeting(end_time="11:00"))

    assert (longer.has_meeting, longer.meeting_name, longer.end_time) == (True, "Planning", "11:00")
    assert events_of(room, "conference:updated") == [{"id": "3", "article_id": "C3", "has_meeting": True}]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"meeting": Meeting(start_time="25:99", end_time="26:00")}, InvalidTime),
        ({"meeting": Meeting(start_time="09:00")}, InvalidTime),
        ({"meeting": Meeting(start_time="10:00", end_time="09:00")}, InvalidTime),
        ({"meeting": Meeting(name="a\x07")}, InvalidInput),
        ({"turn_on": False, "meeting": PLANNING}, UsageProblem),
    ],
)
def test_a_bad_meeting_changes_nothing(room, options, error):
    before = (conferences.show_room(room, "3"), row_of(room), show_label(room, LABEL))

    with pytest.raises(error):
        conferences.toggle_meeting(room, "3", **options)

    assert (conferences.show_room(room, "3"), row_of(room), show_label(room, LABEL)) == before


def test_renaming_bumps_the_article_and_an_empty_name_is_the_default(room):
    assert conferences.update_room(room, "3", name=" Newton ").room_name == "Newton"
    assert conferences.update_room(room, "3", name="").room_name == "Conference 3"
    assert conferences.update_room(room, "3").version == 3
    assert row_of(room).desired_version == 3


def test_a_deleted_room_becomes_a_tombstone(room):
    view = conferences.delete_room(room, "C3")

    assert (view.room_name, view.labels) == ("Galileo", 1)
    assert row_of(room).desired_deleted
    for attempt in (conferences.show_room, conferences.delete_room, conferences.toggle_meeting):
        with pytest.raises(RoomNotFound):
            attempt(room, "3")


def test_a_room_that_comes_back_finds_its_labels_on_the_free_page(room):
    conferences.toggle_meeting(room, "3", meeting=PLANNING)
    conferences.delete_room(room, "3")
    conferences.create_room(room, "3")

    assert show_label(room, LABEL).page == 1
    assert not row_of(room).desired_deleted


def test_dry_runs_change_nothing(room):
    before = (conferences.list_rooms(room), row_of(room), show_label(room, LABEL))

    assert conferences.toggle_meeting(room, "3", dry_run=True).has_meeting
    assert conferences.update_room(room, "3", name="x", dry_run=True).room_name == "x"
    assert conferences.create_room(room, "4", dry_run=True).external_id == "4"
    assert conferences.delete_room(room, "3", dry_run=True).external_id == "3"

    assert (conferences.list_rooms(room), row_of(room), show_label(room, LABEL)) == before


def test_viewers_and_other_organizations_change_no_room(bench, room):
    viewer, other = bench.as_role(room, Role.VIEWER), bench.organization("OTHER")

    assert conferences.list_rooms(other) == []
    with pytest.raises(RoomNotFound):
        conferences.toggle_meeting(other, "3")
    with pytest.raises(PermissionRefused):
        conferences.toggle_meeting(viewer, "3")
    assert not conferences.show_room(viewer, "3").has_meeting
