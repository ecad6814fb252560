"""Files of rows as they come in real life: what is read, and what is refused in which words."""
# ruff: noqa: RUF001 (Hebrew letters are the point)

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
import os
import threading
from pathlib import Path

import pytest
import xlsxwriter

from electis_cli.adapters.tables.opening import open_table
from electis_cli.domain.bulk.header import check_width, find_header, match_header
from electis_cli.domain.bulk.nouns import Noun, fields_of
from electis_cli.domain.errors import ImportRejected, InvalidInput, UsageProblem
from electis_cli.domain.organizations import ColumnMapping
from tests.world.organizations import FORMAT

IMPORTS = Path(__file__).parent.parent / "data" / "imports"
PEOPLE = fields_of(Noun.PERSON, FORMAT, ColumnMapping())
HEADER = ("external_id", "ITEM_NAME", "TITLE", "space")


def read(content, *, name="file.csv", **options):
    """Return the header and the rows of a file's bytes."""
    with open_table(None, io.BytesIO(content), name=name, **options) as table:
        return table.header, list(table.records())


def refused(content, *, name="file.csv", **options):
    """Return the problems of a file that can not be read, as (code, where, message)."""
    with pytest.raises(ImportRejected) as caught:
        read(content, name=name, **options)
    return [(item.code, item.where, item.message) for item in caught.value.problems]


def sheet(cells, *, more=(), protect=False, title="Sheet1"):
    """Return a spreadsheet's bytes; `cells` maps places to values, formulas start with `=`."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        page = book.add_worksheet(title)
        for place, value in cells.items():
            if ":" in place:
                page.merge_range(place, value)
            elif str(value).startswith("="):
                page.write_formula(place, value, value="#N/A")
            elif isinstance(value, dt.time):
                page.write_datetime(place, value, book.add_format({"num_format": "hh:mm"}))
            elif isinstance(value, dt.date):
                page.write_datetime(place, value)
            elif isinstance(value, str):
                page.write_string(place, value)
            else:
                page.write(place, value)
        for other in more:
            book.add_worksheet(other).write_string("A1", "external_id")
    return content.getvalue()


# --- ten odd files of real life ---------------------------------------------------------------------------------------


def open_odd(name, **options):
    return open_table(IMPORTS / name, None, name=name, **options)


def test_excels_hebrew_csv_is_read_in_its_code_page():
    with open_odd("excel-hebrew.csv") as table:
        assert (table.kind, table.header, table.header_line) == ("csv", HEADER, 1)
        assert list(table.records()) == [
            (2, ["0101", "דנה לוי", "מנהלת, פיתוח", "4-101"]),
            (3, ["0102", "יוסי כהן", "מהנדס", "4-102"]),
            (4, ["0103", "Tom Adler", "מתכנת\nבכיר", ""]),
        ]


def test_semicolons_are_seen_also_where_cells_hold_commas():
    with open_odd("semicolons.csv") as table:
        assert (table.delimiter, table.header) == (";", HEADER)
        assert list(table.records()) == [
            (2, ["0101", "Zoë Müller", "Lead; R&D, Europe", "4-101"]),
            (3, ["0102", "Jan Novák", "Engineer, 0,5 FTE", "4-102"]),
        ]


def test_excels_unicode_text_is_utf_16_with_tabs():
    with open_odd("utf16.csv") as table:
        assert (table.kind, table.delimiter, table.header) == ("tsv", "\t", HEADER)
        assert list(table.records()) == [
            (2, ["0101", "דנה לוי", "Head of R&D", "4-101"]),
            (3, ["0102", "Tom Adler", "", ""]),
        ]


def test_trailing_commas_are_no_columns_but_a_value_among_them_is_too_much():
    with open_odd("trailing-commas.csv") as table:
        layout = match_header(table.header, PEOPLE, renames={}, key=None)
        problems = {line: check_width(layout, record) for line, record in table.records()}
        assert table.header == HEADER[:3]
        assert {line: problem and problem.message for line, problem in problems.items()} == {
            2: None,
            3: None,
            6: "The row has 6 cells, the header has 3.",
        }
        assert table.where(6, problems[6].column) == "trailing-commas.csv:6:6"


def test_a_merged_header_is_refused_with_its_cells():
    with pytest.raises(ImportRejected) as caught, open_odd("merged-header.xlsx"):
        pass
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("E-MERGED", "Staff!B1")
    assert problem.message == "The header's cells B1:C1 are merged over 2 columns."
    assert problem.hint == "unmerge them, or add --skip-rows 1 when the real header is below"


def test_two_header_rows_are_told_and_the_first_can_be_skipped():
    with open_odd("two-header-rows.csv") as table:
        problem = find_header(table.header, itertools.islice(table.records(), 5), PEOPLE)
        assert problem is not None
        assert (problem.message, problem.hint) == ("The header seems to be in line 2.", "add --skip-rows 1")
    with open_odd("two-header-rows.csv", skip_rows=1) as table:
        assert (table.header_line, table.header) == (2, HEADER)
        assert list(table.records()) == [(3, ["0101", "Dana Levi", "Engineer", "4-101"])]


def test_empty_columns_may_stand_between_others_as_long_as_they_are_empty():
    with open_odd("empty-columns.csv") as table:
        layout = match_header(table.header, PEOPLE, renames={}, key=None)
        problems = [check_width(layout, record) for _, record in table.records()]
        assert layout.targets == ("external_id", None, "ITEM_NAME", None, "TITLE")
        assert [problem and problem.message for problem in problems] == [
            None,
            "Column 4 has no name, but here it has a value.",
        ]


def test_zeros_in_a_text_are_refused_at_their_place():
    with pytest.raises(ImportRejected) as caught, open_odd("nul-bytes.csv"):
        pass
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("E-NOT-CSV", "nul-bytes.csv:3:2")
    assert problem.message == "Byte 0x00, character 9 of the line, is not text; this is not a CSV file."


def test_a_pdf_is_known_whatever_its_name():
    with pytest.raises(ImportRejected) as caught, open_odd("pdf-renamed.csv"):
        pass
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("E-NOT-TABLE", "pdf-renamed.csv")
    assert problem.message == "The file is a PDF document, not a table."
    assert problem.hint == "open it in the program it comes from and save it as CSV or XLSX"
    assert caught.value.message == "pdf-renamed.csv has one error; nothing was written."


def test_a_cell_of_a_megabyte_is_read_and_the_limit_is_as_before():
    before, long = csv.field_size_limit(), "x" * 1_000_000
    _, rows = read(f'external_id,TITLE\n1,"{long}"\n2,b\n'.encode())
    assert rows == [(2, ["1", long]), (3, ["2", "b"])]
    assert csv.field_size_limit() == before


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"external_id,TITLE\n1,a\n2,b\n",
        b"\xef\xbb\xbfexternal_id,TITLE\r\n1,a\r\n2,b",
        b"external_id,TITLE\r1,a\r2,b\r",
        b"external_id\tTITLE\n1\ta\n2\tb\n",
        b"external_id|TITLE\n1|a\n2|b\n",
        "external_id;TITLE\n1;a\n2;b\n".encode("utf-16"),
        "external_id;TITLE\n1;a\n2;b\n".encode("utf-16-be"),
    ],
)
def test_line_ends_delimiters_and_byte_order_marks_do_not_matter(content):
    assert read(content) == (("external_id", "TITLE"), [(2, ["1", "a"]), (3, ["2", "b"])])


def test_lines_are_those_of_the_file_and_rows_without_a_value_are_left_out():
    header, rows = read(b'\n"external_id", TITLE\n\n1,"a\nb"\n,\n \n2,c\n\n')
    assert header == ("external_id", " TITLE")
    assert rows == [(4, ["1", "a\nb"]), (8, ["2", "c"])]


def test_rows_are_handed_over_as_wide_as_they_are():
    assert read(b"external_id,TITLE\n1\n2,a,b\n")[1] == [(2, ["1"]), (3, ["2", "a", "b"])]


def test_a_delimiter_is_what_splits_all_rows_alike_and_can_be_said():
    content = b"external_id,Note (a;b;c;d)\n1,x\n2,y\n"
    assert read(content)[0] == ("external_id", "Note (a;b;c;d)")
    assert read(content, delimiter=";")[0] == ("external_id,Note (a", "b", "c", "d)")
    assert read(b"external_id\n1;a\n")[1] == [(2, ["1;a"])]
    assert read(b"Staff list\nexternal_id;TITLE\n1;a\n2;b\n")[1] == [
        (2, ["external_id", "TITLE"]),
        (3, ["1", "a"]),
        (4, ["2", "b"]),
    ]
    assert read(b"a\tb\n1\t2\n", delimiter="tab")[1] == [(2, ["1", "2"])]


def test_an_encoding_can_be_said_and_is_held_to():
    content = "external_id,TITLE\n1,é\n".encode("cp437")
    assert read(content, encoding="cp437")[1] == [(2, ["1", "é"])]
    assert refused("external_id,TITLE\n1,é\n".encode("cp1252"), encoding="utf8") == [
        ("E-ENCODING", "file.csv:2:2", "Byte 0xE9, character 3 of the line, is not UTF-8.")
    ]


def test_damaged_utf_8_is_refused_at_its_place():
    content = "external_id,TITLE\n1,שלום\n2,".encode() + b"\xe9" + "ולא\n".encode()
    assert refused(content) == [
        ("E-ENCODING", "file.csv:3:2", "Byte 0xE9, character 3 of the line, is not UTF-8.")
    ]


def test_apostrophes_that_keep_a_cell_from_being_a_formula_are_taken_off():
    content = b"external_id,TITLE\n'007,'=1\n'8a,O'Brien\n\"'+1\",''-5\n"
    assert read(content)[1] == [(2, ["007", "=1"]), (3, ["'8a", "O'Brien"]), (4, ["+1", "'-5"])]
    assert read(content.decode().encode("utf-16"))[1] == read(content)[1]


def test_rows_can_be_read_again_and_by_two_at_once():
    content = b"external_id,TITLE\n" + b"".join(b"%d,a\n" % number for number in range(50_000))
    with open_table(None, io.BytesIO(content), name="-") as table:
        once = list(table.records())
        assert once == list(table.records())
        assert all(left == right for left, right in zip(table.records(), table.records(), strict=True))
        assert len(once) == 50_000


def test_how_far_it_is_can_be_asked():
    content = b"external_id,TITLE\n" + b"".join(b"%d,a\n" % number for number in range(50_000))
    with open_table(None, io.BytesIO(content), name="-") as table:
        positions = [table.position() for _ in table.records()]
    assert positions == sorted(positions)
    assert (positions[0] < 0.5, positions[-1]) == (True, 1.0)


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        (b'external_id,TITLE\n1,a\n2,"b\n3,c\n', "file.csv:3", "A quote is opened here and never closed."),
        (
            b'external_id,TITLE\n1,"a\nb","c ""d"" e\n3,c\n',
            "file.csv:3",
            "A quote is opened here and never closed.",
        ),
        (
            b'external_id,TITLE\n1,"a\n2,"b"\n',
            "file.csv:2",
            "The record that starts here is not CSV: in line 3, text follows a closing quote.",
        ),
        (
            b'external_id,TITLE\n1,"' + b"x" * 10_000_001 + b'"\n',
            "file.csv:2",
            (
                "The record that starts here has a cell of more than 10,000,000 characters;"
                " perhaps a quote is opened and not closed."
            ),
        ),
    ],
    ids=["open", "open later", "text after", "too long"],
)
def test_a_quote_that_is_not_closed_is_named_by_its_line(content, where, message):
    assert refused(content) == [("E-NOT-CSV", where, message)]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b" , \n"])
def test_an_empty_file_is_told(content):
    assert refused(content)[0][::2] == ("E-FILE-EMPTY", "The file is empty.")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x1f\x8b\x08\0\0\0", "a gzip archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG picture"),
        (b"\xff\xd8\xff\xe0\0", "a JPEG picture"),
        (b"PK\x03\x04 and then nothing", "a damaged spreadsheet or ZIP archive"),
        (b"\r\n<!DOCTYPE html><table><tr>", "a web page (HTML)"),
        (b"<?xml version='1.0'?><Workbook/>", "an XML document"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(content, what):
    assert refused(content) == [("E-NOT-TABLE", "file.csv", f"The file is {what}, not a table.")]


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInput, match=r"--sheet does not fit file\.csv, which is CSV\."):
        read(b"external_id\n1\n", sheet="Staff")
    with pytest.raises(InvalidInput, match=r"--delimiter does not fit file\.csv, which is a spreadsheet\."):
        read(sheet({"A1": "external_id"}), delimiter=";")
    with pytest.raises(InvalidInput, match="'ab' can not separate cells"):
        read(b"external_id\n1\n", delimiter="ab")
    with pytest.raises(InvalidInput, match="'klingon' is not an encoding"):
        read(b"external_id\n1\n", encoding="klingon")
    with pytest.raises(InvalidInput, match="'hex' is not an encoding"):
        read(b"external_id\n1\n", encoding="hex")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageProblem) as caught, open_table(tmp_path / "none.csv", None, name="none.csv"):
        pass
    assert caught.value.message == f"The file {tmp_path / 'none.csv'} can not be read."
    assert caught.value.why == "No such file or directory."


def test_a_pipe_is_put_aside_and_a_file_is_known_by_its_bytes(tmp_path):
    content = b"external_id,TITLE\n1,a\n"
    pipe, file = tmp_path / "pipe", tmp_path / "file.csv"
    os.mkfifo(pipe)
    file.write_bytes(content)
    feeder = threading.Thread(target=pipe.write_bytes, args=(content,))
    feeder.start()
    with (
        open_table(pipe, None, name="pipe") as first,
        open_table(file, None, name="file.csv") as second,
    ):
        assert list(first.records()) == list(second.records()) == [(2, ["1", "a"])]
        assert (first.sha256, first.size) == (second.sha256, len(content))
    feeder.join()


# --- spreadsheets -----------------------------------------------------------------------------------------------------


def test_a_sheets_values_are_read_as_people_see_them():
    cells = {
        "A1": "external_id", "B1": "TITLE", "C1": "x",
        "A2": "007", "B2": 7, "C2": 0.1,
        "A3": "'=1", "B3": True, "C3": dt.date(2026, 5, 1),
        "A5": 12345678901, "B5": dt.time(9, 30), "C5": dt.datetime(2026, 5, 1, 9, 30),  # noqa: DTZ001
    }  # fmt: skip
    with open_table(None, io.BytesIO(sheet(cells)), name="people.xlsx") as table:
        assert (table.kind, table.header, table.header_line) == ("xlsx", ("external_id", "TITLE", "x"), 1)
        assert list(table.records()) == [
            (2, ["007", "7", "0.1"]),
            (3, ["=1", "true", "2026-05-01"]),
            (5, ["12345678901", "09:30", "2026-05-01T09:30"]),
        ]
        assert list(table.records()) == list(table.records())
        assert (table.where(17, 3), table.where(17), table.position()) == ("Sheet1!C17", "Sheet1!17", 1.0)


def test_a_sheet_may_begin_anywhere_and_cells_beyond_its_header_must_be_empty():
    cells = {"C3": "external_id", "D3": "TITLE", "C4": "1", "D4": "a", "C5": "2", "F5": "x", "F9": " "}
    with open_table(None, io.BytesIO(sheet(cells, title="My staff")), name="people.xlsx") as table:
        assert (table.header, table.header_line) == (("external_id", "TITLE"), 3)
        assert list(table.records()) == [(4, ["1", "a"]), (5, ["2", "", "", "x"])]
        assert table.where(5, 4) == "'My staff'!F5"


def test_a_sheet_is_picked_by_its_name_or_number():
    content = sheet({"A1": "TITLE"}, more=["Staff", "2030"])
    assert read(content)[0] == ("TITLE",)
    assert read(content, sheet="Staff")[0] == ("external_id",)
    assert read(content, sheet="1")[0] == ("TITLE",)
    with pytest.raises(InvalidInput) as caught:
        read(content, sheet="Boss")
    assert (caught.value.message, caught.value.why) == (
        "file.csv has no sheet 'Boss'.",
        "Its sheets are Sheet1, Staff, 2030.",
    )
    assert refused(sheet({}, more=["Staff"])) == [
        ("E-FILE-EMPTY", "file.csv", "The sheet Sheet1 is empty."),
    ]


def test_rows_above_the_header_of_a_sheet_are_skipped():
    cells = {"A1:B1": "Staff list", "A2": "external_id", "B2": "TITLE", "A3": "1", "B3": "a"}
    assert refused(sheet(cells)) == [
        ("E-MERGED", "Sheet1!A1", "The header's cells A1:B1 are merged over 2 columns.")
    ]
    assert read(sheet(cells), skip_rows=1) == (("external_id", "TITLE"), [(3, ["1", "a"])])


def test_merged_cells_among_the_rows_are_refused_because_all_but_the_first_would_clear():
    cells = {"A1": "external_id", "B1": "TITLE", "A2": "1", "A3": "2", "B2:B3": "Engineer", "D2:E2": "note"}
    assert refused(sheet(cells)) == [
        ("E-MERGED", "Sheet1!B2", "The cells B2:B3 are merged: only the first one has a value.")
    ]


def test_cells_whose_formula_failed_are_refused_because_they_would_clear():
    cells = {"A1": "external_id", "B1": "TITLE", "A2": "1", "B2": "=NA()", "D2": "=NA()"}
    assert refused(sheet(cells)) == [("E-CELL-ERROR", "Sheet1!B2", "The formula of this cell failed: #N/A.")]


def test_an_office_document_that_is_no_spreadsheet_is_told():
    ((code, _, message),) = refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    assert code == "E-NOT-TABLE"
    assert message.startswith("The file is an old Office document without sheets, or can not be read: ")


# --- JSON -------------------------------------------------------------------------------------------------------------


ITEMS = [
    {"external_id": "007", "TITLE": "שלום"},
    {"external_id": 8, "space": None, "TITLE": ""},
    {"external_id": 1.5, "PARTICIPANTS": ["Dana", 2, True], "TITLE": False},
    {},
]
CELLS = [
    ["007", "שלום", None, None],
    ["8", "", "", None],
    ["1.5", "false", None, "Dana;2;true"],
]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_of_objects_is_a_table_with_all_their_keys(indent, encoding):
    content = json.dumps(ITEMS, ensure_ascii=False, indent=indent).encode(encoding)
    with open_table(None, io.BytesIO(content), name="file.json") as table:
        assert (table.kind, table.header) == ("json", ("external_id", "TITLE", "space", "PARTICIPANTS"))
        assert list(table.records()) == list(zip((1, 2, 3), CELLS, strict=True))
        assert table.where(17, 3) == "file.json[17]"


def test_an_object_in_each_line_is_a_table_too():
    content = "\n\n".join(json.dumps(item) for item in ITEMS).encode()
    with open_table(None, io.BytesIO(content), name="file.jsonl") as table:
        assert table.kind == "jsonl"
        assert list(table.records()) == list(zip((1, 3, 5), CELLS, strict=True))
        assert table.where(17, 3) == "file.jsonl:17"


def test_objects_are_read_across_the_chunks_of_a_large_file():
    items = [{"external_id": str(number), "TITLE": 'a]},{\\"' * (number % 50)} for number in range(20_000)]
    items.append({"external_id": "x", "TITLE": "y" * 3_000_000})
    header, rows = read(json.dumps(items).encode())
    assert header == ("external_id", "TITLE")
    assert [record for _, record in rows] == [[item["external_id"], item["TITLE"]] for item in items]


def test_a_value_that_is_an_object_is_a_problem_of_its_row():
    content = b'[{"external_id":"1","TITLE":{"a":[1]}},{"external_id":"2","TITLE":"x"}]'
    with open_table(None, io.BytesIO(content), name="file.json") as table:
        assert list(table.records()) == [(1, ["1", '{"a": [1]}']), (2, ["2", "x"])]
        (problem,) = table.problems
        assert (problem.code, problem.where, problem.message) == (
            "E-CELL-NESTED",
            "file.json[1]",
            "The value of TITLE holds objects or lists of lists.",
        )


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        (b'[{"a":1},2]', "file.json[2]", "This is not an object with a name for each value."),
        (
            b'[{"a":1} {"a":2}]',
            "file.json[1]",
            "This is not JSON: a comma or the end of the list is missing after it.",
        ),
        (
            b'[{"a":1},{"a":2}',
            "file.json[2]",
            "This is not JSON: a comma or the end of the list is missing after it.",
        ),
        (b'[{"a":1},{"a":', "file.json[2]", "This is not JSON: Expecting value."),
        (b'[{"a":1},{"a":"x', "file.json[2]", "This is not JSON: Unterminated string starting at."),
        (b'[{"a":NaN}]', "file.json[1]", "This is not JSON: NaN is not a value of JSON."),
        (b'[{"a":1}] x', "file.json[1]", "This is not JSON: more follows after the list's end."),
        (b'{"a":1}\n{"a":\n', "file.json:2", "This is not JSON: Expecting value."),
        (b'[{"a":' + b"[" * 100_000, "file.json[1]", "This is not JSON: it is nested too deeply."),
    ],
)
def test_what_is_not_json_is_named_by_its_object_or_line(content, where, message):
    assert refused(content, name="file.json") == [("E-NOT-JSON", where, message)]


def test_an_empty_list_has_neither_header_nor_rows():
    assert read(b"[]") == ((), [])
