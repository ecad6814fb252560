"""Files of rows that we write: what is in them, what a spreadsheet makes of it, and that it is read as it was."""
# ruff: noqa: RUF001 (Hebrew letters and full-width signs are the point)

from __future__ import annotations

import csv
import io
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from electis_cli.adapters.tables.opening import open_table
from electis_cli.adapters.tables.rejects import TOO_FEW, open_rejects
from electis_cli.adapters.tables.signatures import Kind
from electis_cli.adapters.tables.writing import open_writer
from electis_cli.domain.bulk.header import REJECT_COLUMNS, check_width, match_header
from electis_cli.domain.bulk.neutral import FORMULA_STARTS
from electis_cli.domain.bulk.nouns import Noun, fields_of
from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.organizations import ColumnMapping
from tests.world.organizations import FORMAT

HEADER = ("external_id", "ITEM_NAME", "TITLE")
PEOPLE = fields_of(Noun.PERSON, FORMAT, ColumnMapping())
ODD = [
    ["007", "=1+1", "'=1"],
    ["4-12", "a,b;c\td|e", 'say "x"'],
    ["1E5", "two\nlines", "two\r\nlines"],
    ["-5", "a\rb", "'Dana"],
    ["8", "", "＝1"],
    ["9", "דנה", "\u2028x\x85y\x0c"],
]
WAYS = [(Kind.CSV, False), (Kind.CSV, True), (Kind.TSV, False), (Kind.TSV, True), (Kind.XLSX, False)]


def written(kind, rows, *, header=HEADER, excel=False):
    out = io.BytesIO()
    with open_writer(out, kind, header, excel=excel) as writer:
        for row in rows[:1]:
            writer.write(row)
        writer.write_many(rows[1:])
    return out.getvalue()


def read(content):
    with open_table(None, io.BytesIO(content), name="file") as table:
        return table.kind, table.header, [record for _, record in table.records()]


def fill(path, rows, *, kind=Kind.CSV, error=None):
    with open_writer(path, kind, HEADER) as writer:
        writer.write_many(rows)
        if error is not None:
            raise error


# --- text -------------------------------------------------------------------------------------------------------------


def test_csv_is_utf_8_with_lf_and_no_more_quotes_than_it_takes():
    rows = [["1", "דנה", "a,b"], ["2", None, ""]]
    assert written(Kind.CSV, rows).decode() == 'external_id,ITEM_NAME,TITLE\n1,דנה,"a,b"\n2,,\n'
    assert written(Kind.TSV, rows).decode() == "external_id\tITEM_NAME\tTITLE\n1\tדנה\ta,b\n2\t\t\n"


def test_csv_for_excel_has_a_byte_order_mark_crlf_and_neutral_cells():
    rows = [["007", "=1+1", "'=1"], ["4-12", "two\nlines", "Dana"]]
    assert written(Kind.CSV, rows, excel=True) == (
        b"\xef\xbb\xbfexternal_id,ITEM_NAME,TITLE\r\n'007,'=1+1,''=1\r\n'4-12,\"two\nlines\",Dana\r\n"
    )


def test_csv_for_others_is_left_as_it_is_but_for_what_reading_would_take_off():
    rows = [["007", "=1+1", "'=1"], ["'8", "'Dana", "O'Brien"]]
    assert written(Kind.CSV, rows) == (b"external_id,ITEM_NAME,TITLE\n007,=1+1,''=1\n'8,'Dana,O'Brien\n")


@pytest.mark.parametrize(("kind", "excel"), WAYS)
def test_odd_cells_are_read_as_they_were_written(kind, excel):
    content = written(kind, ODD, excel=excel)
    assert read(content) == (kind, HEADER, ODD)


CELLS = st.text(alphabet="'=+-@＝0123456789.,;:/eE\t\r\n \"|אa", max_size=6) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"), max_size=20
)
ROWS = st.lists(st.tuples(CELLS.map("k{}".format), CELLS, CELLS).map(list), max_size=5)


@pytest.mark.parametrize(("kind", "excel"), WAYS[:-1])
@settings(deadline=None)
@given(rows=ROWS)
def test_any_cells_are_read_from_text_as_they_were_written(kind, excel, rows):
    assert read(written(kind, rows, excel=excel)) == (kind, HEADER, rows)


@settings(max_examples=30, deadline=None)  # a spreadsheet takes a while on a busy machine
@given(rows=ROWS)
def test_any_cells_are_read_from_a_sheet_as_they_were_written(rows):
    assert read(written(Kind.XLSX, rows)) == (Kind.XLSX, HEADER, rows)


def test_no_cell_of_ten_thousand_starts_a_formula_in_a_spreadsheet():
    signs = sorted(FORMULA_STARTS)
    rows = [
        [f"k{number}", signs[number % len(signs)] + f"cmd|{number}", "'" * (number % 3) + "=1"]
        for number in range(5_000)
    ]

    text = written(Kind.CSV, rows, excel=True).decode("utf-8-sig")
    cells = [cell for record in csv.reader(io.StringIO(text, newline="")) for cell in record]
    assert not [cell for cell in cells if cell[:1] in FORMULA_STARTS]
    assert read(text.encode())[2] == rows

    book = CalamineWorkbook.from_filelike(io.BytesIO(written(Kind.XLSX, rows)))
    assert all(isinstance(cell, str) for row in book.get_sheet_by_index(0).iter_rows() for cell in row)


# --- the other kinds --------------------------------------------------------------------------------------------------


def test_jsonl_has_an_object_in_each_line_without_what_is_not_there():
    rows = [["007", "=1", None], ["8", "", "דנה"]]
    content = written(Kind.JSONL, rows)
    assert (
        content.decode()
        == '{"external_id":"007","ITEM_NAME":"=1"}\n{"external_id":"8","ITEM_NAME":"","TITLE":"דנה"}\n'
    )
    assert read(content) == ("jsonl", HEADER, rows)


def test_a_sheet_holds_text_alone_and_empty_cells_are_not_there():
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(written(Kind.XLSX, [["007", "=1", None], ["8", "", "http://x"]]))
    )
    assert book.get_sheet_by_index(0).to_python() == [list(HEADER), ["007", "=1", ""], ["8", "", "http://x"]]


def test_a_template_is_a_header_without_rows():
    for kind, excel in WAYS:
        assert read(written(kind, [], excel=excel))[1:] == (HEADER, [])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("x" * 32_768, "A cell of a sheet has at most 32,767 characters; one has 32,768."),
        ("🙂" * 16_384, "A cell of a sheet has at most 32,767 characters; one has 16,384."),
        ("a\uffff", "The value 'a\\uffff' has a character that no sheet can hold."),
    ],
    ids=["long", "long in UTF-16", "no XML"],
)
def test_what_a_sheet_can_not_hold_is_refused_and_nothing_is_left(cell, message, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(InvalidInput) as caught:
        fill(tmp_path / "people.xlsx", [["1", cell, ""]], kind=Kind.XLSX)
    assert (caught.value.message, caught.value.fix) == (message, "write CSV instead")
    assert list(tmp_path.iterdir()) == []


# --- whole or not at all ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.CSV, Kind.JSONL, Kind.XLSX])
def test_a_file_is_written_whole_or_not_at_all(kind, tmp_path):
    path = tmp_path / "people"
    rows = [[str(number), "a", "b"] for number in range(2_500)]
    with pytest.raises(RuntimeError, match="the database went away"):
        fill(path, rows, kind=kind, error=RuntimeError("the database went away"))
    assert list(tmp_path.iterdir()) == []

    fill(path, rows, kind=kind)
    assert read(path.read_bytes()) == (kind, HEADER, rows)
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        fill(path, [["1", "a", "b"]], error=KeyboardInterrupt())
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_a_place_that_can_not_be_written_is_told(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        fill(tmp_path / "no" / "people.csv", [])
    assert caught.value.message == f"The file {tmp_path / 'no' / 'people.csv'} can not be written."


# --- reject files -----------------------------------------------------------------------------------------------------


def rejected(content, path, **options):
    """Reject all rows of a file for their width, or for nothing, and return the reject file's bytes."""
    with open_table(None, io.BytesIO(content), name="file", **options) as table:
        layout = match_header(table.header, PEOPLE, renames={}, key=None)
        with open_rejects(path, table) as rejects:
            for line, record in table.records():
                wrong = check_width(layout, record)
                code, column = (wrong.code, wrong.column) if wrong else ("E-SPACE", None)
                rejects.write(line, column, code, "What is wrong.", "what to do", record)
    return path.read_bytes()


def test_a_reject_file_has_the_rows_as_they_were_and_what_is_wrong_with_them(tmp_path):
    content = "external_id;TITLE\r\n'007;דנה\r\n".encode("cp1255")
    assert rejected(content, tmp_path / "rejects.csv").decode("utf-8-sig") == (
        "external_id;TITLE;_line;_column;_code;_message;_hint\r\n"
        "'007;דנה;2;;E-SPACE;What is wrong.;what to do\r\n"
    )


@pytest.mark.parametrize("kind", [Kind.CSV, Kind.TSV, Kind.XLSX, Kind.JSONL])
def test_a_reject_file_is_read_as_the_rows_it_came_from(kind, tmp_path):
    content = rejected(written(kind, ODD), tmp_path / "rejects")
    again = rejected(content, tmp_path / "again")

    _, header, rows = read(content)
    layout = match_header(header, PEOPLE, renames={}, key=None)
    assert layout.targets == (*HEADER, None, None, None, None, None)
    assert header == (*HEADER, *REJECT_COLUMNS)
    assert [row[:3] for row in rows] == ODD
    assert [row[:3] for row in read(again)[2]] == ODD
    assert read(again)[1] == header


def test_rows_with_too_few_or_too_many_cells_are_as_wrong_in_the_reject_file(tmp_path):
    content = rejected(b"external_id,TITLE\n1\n2,a,b\n3,a\n", tmp_path / "rejects.csv")
    assert content.decode("utf-8-sig").splitlines()[1:] == [
        f'1,,2,2,E-CELLS,What is wrong.,what to do,"{TOO_FEW}"',
        "2,a,3,3,E-CELLS,What is wrong.,what to do,b",
        "3,a,4,,E-SPACE,What is wrong.,what to do",
    ]

    codes = [row[4] for row in read(rejected(content, tmp_path / "again.csv"))[2]]
    assert codes == ["E-CELLS", "E-CELLS", "E-SPACE"]


def test_what_is_not_there_in_json_is_not_there_in_its_reject_file(tmp_path):
    content = b'[{"external_id":"1","TITLE":null},{"external_id":"2","ITEM_NAME":{"a":[]}}]'
    lines = rejected(content, tmp_path / "rejects").decode().splitlines()
    wrong = '"_column":"","_code":"E-SPACE","_message":"What is wrong.","_hint":"what to do"}'
    assert lines == [
        '{"external_id":"1","TITLE":"","_line":"1",' + wrong,
        '{"external_id":"2","ITEM_NAME":{"a": []},"_line":"2",' + wrong,
    ]
