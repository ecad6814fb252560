"""Conference rooms and their meetings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.conference import Meeting, Room, desired_page, end_meeting, toggle
from electis_cli.domain.errors import InvalidInput, InvalidTime
from electis_cli.domain.rooms import check_room_id, hold_meeting, name_room

FREE = Room(id="r", store_id="st", external_id="3", room_name="Galileo")
PLANNING = Meeting(name="Planning", start_time="9:00", end_time="10:00", participants=("Dana", " Noa "))
BUSY = toggle(FREE, turn_on=None, meeting=PLANNING)


def test_a_meeting_is_described_and_shows_on_page_two():
    assert (BUSY.has_meeting, BUSY.meeting_name, BUSY.start_time, BUSY.end_time, BUSY.participants) == (
        True,
        "Planning",
        "09:00",
        "10:00",
        ("Dana", "Noa"),
    )
    assert (desired_page(FREE), desired_page(BUSY)) == (1, 2)


def test_turning_off_clears_name_times_and_participants():
    assert toggle(BUSY, turn_on=None, meeting=Meeting()) == FREE == end_meeting(BUSY)


@given(st.sampled_from([FREE, BUSY]))
def test_flipping_twice_leaves_a_room_without_a_description(room):
    once = toggle(room, turn_on=None, meeting=Meeting())
    twice = toggle(once, turn_on=None, meeting=Meeting())

    assert once.has_meeting is not room.has_meeting
    assert twice.has_meeting is room.has_meeting


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("room", [FREE, BUSY])
def test_on_and_off_are_idempotent(room, on):
    once = toggle(room, turn_on=on, meeting=Meeting())

    assert once.has_meeting is on
    assert toggle(once, turn_on=on, meeting=Meeting()) == once


def test_options_update_a_running_meeting_and_leave_the_rest():
    updated = toggle(BUSY, turn_on=None, meeting=Meeting(end_time="11:30"))

    assert (updated.meeting_name, updated.start_time, updated.end_time) == ("Planning", "09:00", "11:30")
    assert toggle(BUSY, turn_on=None, meeting=Meeting(participants=())).participants == ()
    assert toggle(BUSY, turn_on=None, meeting=Meeting(name="")).meeting_name is None


@pytest.mark.parametrize(
    "meeting",
    [
        Meeting(start_time="25:99", end_time="26:00"),
        Meeting(start_time="09:00"),
        Meeting(start_time="10:00", end_time="09:00"),
    ],
)
def test_bad_times_are_refused(meeting):
    with pytest.raises(InvalidTime):
        toggle(FREE, turn_on=None, meeting=meeting)


def test_the_texts_of_a_meeting_are_checked_like_any_value():
    for meeting in (Meeting(name="a\x07"), Meeting(participants=("a\x07",))):
        with pytest.raises(InvalidInput):
            hold_meeting(FREE, turn_on=None, meeting=meeting)
    assert hold_meeting(FREE, turn_on=None, meeting=Meeting(name=" e\u0301 ")).meeting_name == "é"


def test_an_empty_name_is_the_default_name():
    assert name_room(FREE, "  ").room_name == "Conference 3"
    assert name_room(FREE, " Lab ").room_name == "Lab"


@pytest.mark.parametrize(("given_id", "stored"), [("C3", "3"), (" 3 ", "3"), ("C", "C"), ("007", "007")])
def test_room_ids_are_stored_without_the_prefix(given_id, stored):
    assert check_room_id(given_id, "C") == stored


@pytest.mark.parametrize("given_id", ["", " ", "a,b", "x" * 50, "a\x00"])
def test_room_ids_that_make_no_article_id_are_refused(given_id):
    with pytest.raises(InvalidInput):
        check_room_id(given_id, "C")
