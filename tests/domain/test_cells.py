"""From a record of a file to a staged row: the fast path and the careful one say the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from electis_cli.domain.articles import LONGEST_ID, LONGEST_NFC_URL
from electis_cli.domain.bulk.cells import RowReader, Selection, read_cells
from electis_cli.domain.bulk.header import match_header
from electis_cli.domain.bulk.nouns import SPACE, Noun, fields_of
from electis_cli.domain.bulk.problems import Findings
from electis_cli.domain.errors import ImportRejected
from electis_cli.domain.organizations import ColumnMapping
from tests.world.organizations import FORMAT
from tests.world.planted import HEBREW_PERSON, PERSON

COLUMNS = ("external_id", "space", "TITLE", "NFC_URL", "_note")
NOUNS = (Noun.SPACE, Noun.PERSON)


def layout_of(noun, columns):
    fields = fields_of(noun, FORMAT, ColumnMapping())
    layout = match_header(columns, fields, renames={}, key=None)
    assert layout.problems == ()
    return layout, fields


class Read:
    """What one record becomes, on the path that the reader takes or on the careful one."""

    def __init__(self, noun, columns, record, *, constants=None, carefully=False):
        layout, fields = layout_of(noun, columns)
        self.findings = Findings("file.csv")
        reader = RowReader(
            layout, fields, article_format=FORMAT, constants=constants or {}, findings=self.findings
        )
        self.row = (reader._read_carefully if carefully else reader.read)(2, record)

    @property
    def wrong(self):
        return [(one.line, one.column, one.code, one.field) for one in self.findings.problems]

    @property
    def said(self):
        """The row with its patch read, and what is wrong."""
        if self.row is None:
            return None, self.wrong
        return (self.row.line, self.row.key, json.loads(self.row.patch), self.row.space), self.wrong


# Blanks of all sorts, composed and decomposed letters, control characters, Hebrew with its marks, emoji, quotes.
texts = st.text(
    st.sampled_from(
        "aZ07 \t\n\r\x00\x07\x1f\x7f\x85\xa0\u200b\u200f\u2028\ufeff\u0301e\u00e9שָ\u05b8\u212b,;'\"-_=+@😀\\"
    ),
    max_size=8,
)
cells = texts | st.sampled_from(
    ["x" * LONGEST_ID, "x" * (LONGEST_ID + 1), "u" * (LONGEST_NFC_URL + 1), " ", ""]
)
records = st.lists(cells | st.text(max_size=5), min_size=len(COLUMNS), max_size=len(COLUMNS))


@given(st.sampled_from(NOUNS), records, st.booleans())
@example(Noun.PERSON, ["1", "", "e\u0301", "", ""], False)
@example(Noun.PERSON, ["1", " 4-1\x0b", "", "u" * 255, ""], False)
@example(Noun.SPACE, ["\u00a01", "", "", "", "\u2028"], False)
def test_the_fast_and_the_careful_path_say_the_same_of_any_record(noun, record, with_constants):
    columns = COLUMNS if noun is Noun.PERSON else tuple(name for name in COLUMNS if name != SPACE)
    record = record[: len(columns)]
    constants = {"TITLE": "set"} if with_constants else {}
    if with_constants and noun is Noun.PERSON:
        constants[SPACE] = ""
    fast = Read(noun, columns, record, constants=constants)
    careful = Read(noun, columns, record, constants=constants, carefully=True)

    assert fast.said == careful.said
    assert (fast.row is None) == bool(fast.wrong)


@given(st.sampled_from(NOUNS), records)
def test_a_record_without_a_key_column_is_read_alike(noun, record):
    columns = ("TITLE", "NFC_URL")

    assert Read(noun, columns, record[:2]).said == Read(noun, columns, record[:2], carefully=True).said


@pytest.mark.parametrize(
    ("record", "row"),
    [
        (["1", "4-1", PERSON, "", ""], ("1", {"TITLE": PERSON, "NFC_URL": None, "_note": None}, "4-1")),
        (
            [" 1 ", " ", HEBREW_PERSON, "u", "n"],
            ("1", {"TITLE": HEBREW_PERSON, "NFC_URL": "u", "_note": "n"}, ""),
        ),
        (["1", "4-1", " e\u0301\n", "", ""], ("1", {"TITLE": "é", "NFC_URL": None, "_note": None}, "4-1")),
        (["1", None, None, "", None], ("1", {"NFC_URL": None}, None)),
    ],
    ids=["plain", "blanks around", "composed", "keys that JSON does not have"],
)
def test_what_a_record_becomes(record, row):
    assert Read(Noun.PERSON, COLUMNS, record).said == ((2, *row), [])


@pytest.mark.parametrize(
    ("record", "wrong"),
    [
        (["", "", "", "", ""], [(2, 1, "E-INPUT", "external_id")]),
        (["1,2", "", "", "", ""], [(2, 1, "E-INPUT", "external_id")]),
        (["x" * 51, "", "", "", ""], [(2, 1, "E-INPUT", "external_id")]),
        (["1", "", "a\x07b", "", "b\x00"], [(2, 3, "E-INPUT", "TITLE"), (2, 5, "E-INPUT", "_note")]),
        (["1", "", "", "u" * 255, ""], [(2, 4, "E-INPUT", "NFC_URL")]),
        (["", "", "a\x07b", "", ""], [(2, 1, "E-INPUT", "external_id"), (2, 3, "E-INPUT", "TITLE")]),
        (["1", "", "x"], [(2, 4, "E-CELLS", None)]),
        (["1", "", "x", "", "", "", "more"], [(2, 7, "E-CELLS", None)]),
    ],
)
def test_every_wrong_cell_of_a_record_is_named(record, wrong):
    read = Read(Noun.PERSON, COLUMNS, record)

    assert (read.row, read.wrong) == (None, wrong)


def test_constants_win_over_the_file_and_empty_ones_clear():
    read = Read(Noun.PERSON, COLUMNS, ["1", "4-1", "file", "", ""], constants={"TITLE": "", SPACE: "4-2"})

    assert read.said == ((2, "1", {"TITLE": None, "NFC_URL": None, "_note": None}, "4-2"), [])


def test_a_selection_takes_records_with_all_wanted_values_as_they_are_stored():
    selection = Selection({0: "é", 2: ""})

    assert selection.takes([" e\u0301 ", "x", " "])
    assert selection.takes(["é", "x", None])
    assert not selection.takes(["é", "x", "y"])
    assert not selection.takes(["é", "x"])


def test_rows_that_are_planned_in_memory_keep_absent_cells_absent():
    layout, fields = layout_of(Noun.ROOM, ("external_id", "room_name", "meeting_name", ""))
    findings = Findings("file.csv")

    row = read_cells(layout, fields, {"room_name": "set"}, findings, 2, ["3", "file", None, ""])

    assert (row.line, row.key, row.cells) == (2, "3", {"room_name": "set"})
    assert read_cells(layout, fields, {}, findings, 3, ["3", "file", None, "x"]) is None
    assert [(one.line, one.column, one.code) for one in findings.problems] == [(3, 4, "E-CELLS")]


def read_all(reader, findings, records):
    for line, record in enumerate(records, start=2):
        reader.read(line, record)
    findings.check()


def test_findings_give_up_at_their_limit_unless_they_have_none():
    layout, fields = layout_of(Noun.SPACE, ("external_id",))
    for most, told in ((3, 3), (None, 5)):
        findings = Findings("file.csv", most=most)
        reader = RowReader(layout, fields, article_format=FORMAT, constants={}, findings=findings)
        with pytest.raises(ImportRejected) as caught:
            read_all(reader, findings, [[""]] * 5)
        assert len(caught.value.problems) == told
        assert ("or more" in caught.value.message) == (most is not None)
