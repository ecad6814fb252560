"""What rows of conference rooms and label links change: planned in memory, by the rules of single writes."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from electis_cli.domain.bulk.cells import CellRow
from electis_cli.domain.bulk.changes import image_of_room, label_change, room_of_image
from electis_cli.domain.bulk.nouns import KEY, LABEL_COLUMNS, LABEL_KEY, ROOM_COLUMNS, Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.bulk.planning import Ground, Notes, plan_labels, plan_rooms
from electis_cli.domain.bulk.problems import Findings
from electis_cli.domain.conference import Room

ROOM = Room(id="r", store_id="st", external_id="3", room_name="Galileo")
BUSY = replace(
    ROOM,
    has_meeting=True,
    meeting_name="Planning",
    start_time="09:00",
    end_time="10:00",
    participants=("A", "B"),
)
LABEL, OTHER_LABEL, THIRD_LABEL = "0848A6EBE2B0", "0848A6EBE2B1", "0848A6EBE2B2"


def rows_of(noun, rows):
    """Return rows as a file gives them: the first cell is the key, and what follows is by field."""
    key = LABEL_KEY if noun is Noun.LABEL else KEY
    columns = (key, *(LABEL_COLUMNS if noun is Noun.LABEL else ROOM_COLUMNS))
    notes = Notes(
        noun=noun,
        key=key,
        places={name: at for at, name in enumerate(columns, start=1)},
        findings=Findings("file.csv"),
    )
    return [CellRow(line, given, cells) for line, (given, cells) in enumerate(rows, start=2)], notes


def ground(mode=Mode.UPSERT):
    numbers = itertools.count(1)
    return Ground(store_id="st", room_prefix="C", new_id=lambda: f"new-{next(numbers)}", mode=mode)


def rooms(*rows, current=(), spaces=(), mode=Mode.UPSERT):
    """Return what rows of rooms change (None where they change nothing), and what is wrong: line, column, code."""
    read, notes = rows_of(Noun.ROOM, rows)
    made = list(plan_rooms(read, {one.external_id: one for one in current}, spaces, ground(mode), notes))
    return made, [(one.line, one.column, one.code) for one in notes.findings.in_order()]


def links(*rows, current=(), elsewhere=(), mode=Mode.UPSERT):
    """The same of label links, in a store with space 4-1 and room 3."""
    read, notes = rows_of(Noun.LABEL, rows)
    made = list(plan_labels(read, dict(current), dict(elsewhere), {"4-1", "C3"}, ground(mode), notes))
    return made, [(one.line, one.column, one.code) for one in notes.findings.in_order()]


# --- rooms ----------------------------------------------------------------------------------------------------------


def after(made):
    """Return the rooms as they are after their changes."""
    return [
        room_of_image(change.after, row_id=change.row_id, store_id="st", key=change.key) for change in made
    ]


def test_a_room_is_created_with_its_default_name():
    made, wrong = rooms(("C7", {}), ("8", {"room_name": "  "}))

    assert wrong == []
    assert [(room.id, room.external_id, room.room_name) for room in after(made)] == [
        ("new-1", "7", "Conference 7"),
        ("new-2", "8", "Conference 8"),
    ]
    assert [change.before for change in made] == [None, None]


@pytest.mark.parametrize(
    "cells",
    [
        {"meeting_name": "Planning", "start_time": "9:00", "end_time": "10:00", "participants": "A; B;"},
        *(
            {
                "has_meeting": word,
                "meeting_name": "Planning",
                "start_time": "09:00",
                "end_time": "10:00",
                "participants": "A;B",
            }
            for word in ("Yes", "y", "TRUE", "1", "on", "כן")
        ),
    ],
)
def test_a_meeting_is_turned_on(cells):
    made, wrong = rooms(("3", cells), current=[ROOM])

    assert (after(made), wrong) == ([BUSY], [])


@pytest.mark.parametrize("word", ["no", "N", "FALSE", "0", "off", "", "לא"])
def test_a_meeting_is_turned_off_and_cleared(word):
    made, wrong = rooms(("C3", {"has_meeting": word}), current=[BUSY])

    assert (after(made), wrong) == ([ROOM], [])
    assert made[0].before == image_of_room(BUSY)


def test_empty_cells_clear_fields_of_a_running_meeting():
    made, _ = rooms(("3", {"meeting_name": "", "participants": ""}), current=[BUSY])

    assert after(made) == [replace(BUSY, meeting_name=None, participants=())]


def test_a_room_that_is_as_the_file_says_is_unchanged():
    same = {"room_name": "Galileo", "has_meeting": "no", "meeting_name": "", "start_time": "", "end_time": ""}

    assert rooms(("3", same), current=[ROOM]) == ([None], [])
    assert rooms(("3", {}), current=[BUSY]) == ([None], []), "a missing column leaves the field"


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([("3", {"start_time": "25:99", "end_time": "26:00"})], [(2, 5, "E-TIME"), (2, 6, "E-TIME")]),
        ([("3", {"start_time": "10:00", "end_time": "09:00"})], [(2, 6, "E-TIME")]),
        ([("3", {"start_time": "10:00"})], [(2, 6, "E-TIME")]),
        ([("3", {"has_meeting": "perhaps"})], [(2, 3, "E-INPUT")]),
        ([("3", {"has_meeting": "no", "meeting_name": "Planning"})], [(2, 4, "E-INPUT")]),
        ([("3", {"meeting_name": "a\x07"})], [(2, 4, "E-INPUT")]),
        ([("", {}), ("1,2", {}), ("x" * 51, {})], [(2, 1, "E-INPUT"), (3, 1, "E-INPUT"), (4, 1, "E-INPUT")]),
        ([("3", {}), ("C3", {})], [(3, 1, "E-KEY-TWICE")]),
        ([("5", {})], [(2, 1, "E-ARTICLE-ID-TAKEN")]),
    ],
)
def test_rows_of_rooms_that_are_wrong(rows, wrong):
    made, told = rooms(*rows, current=[ROOM], spaces=["C5"])

    assert told == wrong
    assert [change for change in made if change is not None] == []


@pytest.mark.parametrize(
    ("mode", "changed", "wrong"),
    [
        (Mode.UPSERT, ["3", "8"], []),
        (Mode.CREATE, ["8"], [(2, 1, "E-EXISTS")]),
        (Mode.UPDATE, ["3"], [(3, 1, "E-UNKNOWN")]),
        (Mode.REPLACE, ["3", "8", "4"], []),
    ],
)
def test_a_mode_says_what_rows_of_rooms_may_do(mode, changed, wrong):
    current = [ROOM, replace(ROOM, id="r4", external_id="4")]

    made, told = rooms(("3", {"room_name": "Curie"}), ("8", {}), current=current, mode=mode)

    assert ([change.key for change in made if change], told) == (changed, wrong)
    assert [change.key for change in made if change and change.after is None] == (
        ["4"] if mode is Mode.REPLACE else []
    )


# --- label links ----------------------------------------------------------------------------------------------------


def test_labels_are_linked_moved_unlinked_and_left():
    made, wrong = links(
        (LABEL.lower(), {"article": "4-1"}),
        (OTHER_LABEL, {"article": ""}),
        (THIRD_LABEL, {}),
        current={OTHER_LABEL: "C3", THIRD_LABEL: "C3"},
    )

    assert made == [label_change(LABEL, None, "4-1"), label_change(OTHER_LABEL, "C3", None), None]
    assert wrong == []


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([("XYZ", {"article": "4-1"})], [(2, 1, "E-INPUT")]),
        ([(LABEL, {"article": "9-9"})], [(2, 2, "E-ARTICLE-NOT-FOUND")]),
        ([(LABEL, {"article": "3"})], [(2, 2, "E-ARTICLE-NOT-FOUND")]),
        ([(LABEL, {"article": "4-1"}), (LABEL.lower(), {"article": "C3"})], [(3, 1, "E-KEY-TWICE")]),
        ([(THIRD_LABEL, {"article": "4-1"})], [(2, 1, "E-CONFLICT")]),
    ],
)
def test_rows_of_links_that_are_wrong(rows, wrong):
    _, told = links(*rows, elsewhere={THIRD_LABEL: "002"})

    assert told == wrong


@pytest.mark.parametrize(
    ("mode", "changed", "wrong"),
    [
        (Mode.UPSERT, [LABEL, OTHER_LABEL], []),
        (Mode.CREATE, [LABEL], [(3, 1, "E-EXISTS")]),
        (Mode.UPDATE, [OTHER_LABEL], [(2, 1, "E-UNKNOWN")]),
        (Mode.REPLACE, [LABEL, OTHER_LABEL, THIRD_LABEL], []),
    ],
)
def test_a_mode_says_what_rows_of_links_may_do(mode, changed, wrong):
    current = {OTHER_LABEL: "C3", THIRD_LABEL: "C3"}

    made, told = links(
        (LABEL, {"article": "4-1"}), (OTHER_LABEL, {"article": "4-1"}), current=current, mode=mode
    )

    assert ([change.key for change in made if change], told) == (changed, wrong)
