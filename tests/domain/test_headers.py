"""Headers: which column is for what, however it is spelled."""

from __future__ import annotations

import pytest

from electis_cli.domain.bulk.header import (
    REJECT_COLUMNS,
    check_width,
    find_header,
    looks_like_header,
    match_header,
)
from electis_cli.domain.bulk.nouns import Fields, Noun, fields_of
from electis_cli.domain.organizations import ColumnMapping
from tests.world.organizations import FORMAT

MAPPING = ColumnMapping(friendly_names={"ITEM_NAME": {"en": "Full name", "he": "שם מלא"}})
PEOPLE = fields_of(Noun.PERSON, FORMAT, MAPPING)
OPEN = fields_of(Noun.PERSON, None, ColumnMapping())


def match(header, fields=PEOPLE, *, renames=None, key=None):
    return match_header(header, fields, renames=renames or {}, key=key, line=3)


def wrong(*args, **options):
    """Return what is wrong with a header, as (code, place, message, hint)."""
    return [(item.code, item.column, item.message, item.hint) for item in match(*args, **options).problems]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("external_id", "external_id"),
        ("ARTICLE_ID", "external_id"),
        ("article id", "external_id"),
        ("External-ID", "external_id"),
        ("\ufeffexternal_id", "external_id"),
        ("ITEM_NAME", "ITEM_NAME"),
        ("item name", "ITEM_NAME"),
        ("\u200fשם מלא\u200e", "ITEM_NAME"),
        ("שם\xa0מלא", "ITEM_NAME"),
        ("FULL NAME", "ITEM_NAME"),
        ("Space", "space"),
        ("_badge", "_badge"),
    ],
)
def test_a_column_is_known_by_any_of_its_names(name, field):
    layout = match([name])
    assert (layout.targets, layout.problems) == ((field,), ())
    assert layout.has_key is (field == "external_id")


def test_what_a_reject_file_adds_and_what_has_no_name_is_not_read():
    layout = match(["external_id", "", "TITLE", *REJECT_COLUMNS])
    assert layout.targets == ("external_id", None, "TITLE", None, None, None, None, None)
    assert (layout.width, layout.unnamed, layout.problems) == (8, {1}, ())


def test_names_are_said_by_hand():
    renames = {"emp no.": "article id", "Whole Name": "ITEM_NAME", "notes": ""}
    layout = match(["Emp No.", "whole name", "Notes"], renames=renames)
    assert (layout.targets, layout.problems) == (("external_id", "ITEM_NAME", None), ())


def test_the_key_is_said_by_hand():
    assert match(["Emp No.", "TITLE"], key="emp no.").targets == ("external_id", "TITLE")
    assert match(["ARTICLE_ID", "TITLE"], key="external_id").targets == ("external_id", "TITLE")
    assert wrong(["ARTICLE_ID", "TITLE"], key="Badge") == [
        (
            "E-COLUMN-MISSING",
            None,
            "The file has no column 'Badge' to take the key from.",
            "its columns are ARTICLE_ID, TITLE",
        )
    ]


def test_a_file_without_a_key_is_for_the_caller_to_judge():
    layout = match(["TITLE"])
    assert (layout.has_key, layout.problems) == (False, ())


def test_a_column_that_nobody_knows_is_named_with_the_nearest_one():
    assert wrong(["external_id", "TITLES"]) == [
        (
            "E-COLUMN-UNKNOWN",
            2,
            "A person has no column 'TITLES'.",
            "perhaps --map 'TITLES=TITLE', or leave it out with --map 'TITLES='",
        )
    ]
    (unknown,) = wrong(["external_id", "Shoe size"])
    assert unknown[3] == (
        "its columns are external_id, space, ITEM_NAME, NFC_URL, TITLE, DEPARTMENT, PHONE, EMAIL, MEETING_NAME,"
        " MEETING_TIME, PARTICIPANTS; say which with --map 'Shoe size=COLUMN',"
        " or leave it out with --map 'Shoe size='"
    )
    assert match(["external_id", "TITLES"]).problems[0].line == 3


def test_a_column_that_comes_twice_names_both():
    assert wrong(["external_id", "Full name", "ITEM_NAME"]) == [
        (
            "E-COLUMN-TWICE",
            3,
            "Column 3 (ITEM_NAME) repeats column 2 (Full name).",
            "leave one of them out, such as with --map 'ITEM_NAME='",
        )
    ]


def test_a_name_that_can_be_two_columns_names_both():
    fields = Fields(noun=Noun.SPACE, key="external_id", known=("external_id", "ROOM_NO", "RoomNo"))
    assert match(["ROOM_NO", "RoomNo"], fields).targets == ("ROOM_NO", "RoomNo")
    assert wrong(["room no"], fields) == [
        (
            "E-COLUMN-AMBIGUOUS",
            1,
            "'room no' can be ROOM_NO or RoomNo.",
            "say which with --map 'room no=ROOM_NO'",
        )
    ]


def test_a_name_said_by_hand_must_be_in_the_file_and_mean_a_column():
    assert wrong(["external_id"], renames={"Name": "ITEM_NAME"}) == [
        ("E-MAP", None, "The file has no column 'Name'.", "its columns are external_id")
    ]
    ((code, _, message, _),) = wrong(["external_id", "TITLE"], renames={"TITLE": "NOPE"})
    assert (code, message) == ("E-MAP", "A person has no column 'NOPE'.")


def test_before_the_format_is_known_any_plain_name_will_do():
    assert match(["id", "SPACE", "ANY_NAME", "_x"], OPEN).targets == (
        "external_id",
        "space",
        "ANY_NAME",
        "_x",
    )
    assert wrong(["id", "any name"], OPEN) == [
        (
            "E-COLUMN-UNKNOWN",
            2,
            "'any name' is not a column name: it is made of letters, digits and _.",
            "give it a name with --map 'any name=COLUMN'",
        )
    ]


def test_rooms_have_no_private_columns():
    rooms = fields_of(Noun.ROOM, FORMAT, MAPPING)
    assert [item[0] for item in wrong(["external_id", "_badge"], rooms)] == ["E-COLUMN-UNKNOWN"]


def test_a_header_further_down_is_found():
    following = [(2, ["external_id", "ITEM_NAME", "TITLE"]), (3, ["0101", "Dana Levi", "Engineer"])]

    problem = find_header(["Employee", "", "Title"], following, PEOPLE)

    assert problem is not None
    assert (problem.code, problem.line, problem.message, problem.hint) == (
        "E-HEADER-LINE",
        2,
        "The header seems to be in line 2.",
        "add --skip-rows 1",
    )
    assert find_header(["external_id", "TITLES"], following[1:], PEOPLE) is None
    assert looks_like_header(["0101", "Dana", None, ""], OPEN) == 0


@pytest.mark.parametrize(
    ("record", "message", "column"),
    [
        (["1", "", "x"], None, None),
        (["1", "", "x", "", " "], None, None),
        (["1", ""], "The row has 2 cells, the header has 3.", 3),
        (["1"], "The row has one cell, the header has 3.", 2),
        (["1", "", "x", "", "y", ""], "The row has 5 cells, the header has 3.", 5),
        (["1", "z", "x"], "Column 2 has no name, but here it has a value.", 2),
    ],
)
def test_rows_with_too_few_or_too_many_cells_are_told(record, message, column):
    problem = check_width(match(["external_id", "", "TITLE"]), record)
    assert (problem and problem.message, problem and problem.column) == (message, column)
    assert problem is None or problem.code == "E-CELLS"
