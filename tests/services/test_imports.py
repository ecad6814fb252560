"""Importing CSV files: all or nothing, twice is once, and people who exchange spaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from electis_cli.services import conferences, imports, people, spaces

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def counts(view):
    return view.created, view.updated, view.unchanged


def test_the_example_files_are_imported_and_the_second_time_nothing_changes(scope):
    files = [
        (imports.import_spaces, "spaces.csv", 220),
        (imports.import_people, "people.csv", 214),
        (imports.import_rooms, "conference-rooms.csv", 6),
    ]
    for load, name, size in files:
        content = (EXAMPLES / name).read_bytes()
        assert counts(load(scope, content, source=name)) == (size, 0, 0)
        assert counts(load(scope, content, source=name)) == (0, 0, size)

    assert sum(1 for person in people.list_people(scope) if person.space) == 190
    assert spaces.show_space(scope, "4-117").person == "00007"
    assert people.show_person(scope, "00063").data["ITEM_NAME"] == 'O\'Neill, Mary "May"'
    assert conferences.show_room(scope, "C5").room_name == "Conference 5"
    assert conferences.show_room(scope, "4").participants == ("Dana Levi", "ג'ורג' חדד", "Sean O'Brien")
