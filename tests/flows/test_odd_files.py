"""The odd files of real life (tests/data/imports), imported by a process: its exact words, and what is there after."""
# ruff: noqa: RUF001 (Hebrew letters are the point)

from __future__ import annotations

import shutil

import pytest

from tests.flows.in_process import InProcess
from tests.world.command_line import ROOT, CommandLine

IMPORTS = ROOT / "tests" / "data" / "imports"
FIX = "fix: correct what is named above and import the file again"
WIDE = "x" * (1 << 20)

READ = {
    "excel-hebrew.csv": (
        (),
        {
            "0101": ("4-101", {"ITEM_NAME": "דנה לוי", "TITLE": "מנהלת, פיתוח"}),
            "0102": ("4-102", {"ITEM_NAME": "יוסי כהן", "TITLE": "מהנדס"}),
            "0103": (None, {"ITEM_NAME": "Tom Adler", "TITLE": "מתכנת\nבכיר"}),
        },
    ),
    "semicolons.csv": (
        (),
        {
            "0101": ("4-101", {"ITEM_NAME": "Zoë Müller", "TITLE": "Lead; R&D, Europe"}),
            "0102": ("4-102", {"ITEM_NAME": "Jan Novák", "TITLE": "Engineer, 0,5 FTE"}),
        },
    ),
    "utf16.csv": (
        (),
        {
            "0101": ("4-101", {"ITEM_NAME": "דנה לוי", "TITLE": "Head of R&D"}),
            "0102": (None, {"ITEM_NAME": "Tom Adler"}),
        },
    ),
    "two-header-rows.csv": (
        ("--skip-rows", "1"),
        {"0101": ("4-101", {"ITEM_NAME": "Dana Levi", "TITLE": "Engineer"})},
    ),
}
REFUSED = {
    "trailing-commas.csv": [
        "error[E-IMPORT] trailing-commas.csv has one error; nothing was written.",
        "  trailing-commas.csv:6:6: The row has 6 cells, the header has 3.",
        "    give every row a cell for each column; quote a cell that holds the separator",
        FIX,
    ],
    "merged-header.xlsx": [
        "error[E-IMPORT] merged-header.xlsx has one error; nothing was written.",
        "  Staff!B1: The header's cells B1:C1 are merged over 2 columns.",
        "    unmerge them, or add --skip-rows 1 when the real header is below",
        FIX,
    ],
    "two-header-rows.csv": [
        "error[E-IMPORT] two-header-rows.csv has one error; nothing was written.",
        "  two-header-rows.csv:2: The header seems to be in line 2.",
        "    add --skip-rows 1",
        FIX,
    ],
    "empty-columns.csv": [
        "error[E-IMPORT] empty-columns.csv has one error; nothing was written.",
        "  empty-columns.csv:3:4: Column 4 has no name, but here it has a value.",
        "    give the column a name, or empty it",
        FIX,
    ],
    "nul-bytes.csv": [
        "error[E-IMPORT] nul-bytes.csv has one error; nothing was written.",
        "  nul-bytes.csv:3:2: Byte 0x00, character 9 of the line, is not text; this is not a CSV file.",
        "    save the file as CSV UTF-8 in the program it comes from",
        FIX,
    ],
    "pdf-renamed.csv": [
        "error[E-IMPORT] pdf-renamed.csv has one error; nothing was written.",
        "  pdf-renamed.csv: The file is a PDF document, not a table.",
        "    open it in the program it comes from and save it as CSV or XLSX",
        FIX,
    ],
    "wide-cell.csv": None,
}


@pytest.fixture(scope="module")
def desk_template(tmp_path_factory):
    """A home with spaces and an article format, made once."""
    home = tmp_path_factory.mktemp("odd") / "home"
    home.mkdir()
    electis = InProcess(home)
    electis.initialize()
    electis("store", "create", "001")
    electis("space", "import", "-", stdin="external_id\n4-101\n4-102\n")
    return home


@pytest.fixture
def electis(desk_template, tmp_path):
    shutil.copytree(desk_template, tmp_path / "home")
    return CommandLine(tmp_path / "home")


def people(electis):
    found = InProcess(electis.home)("people", "list", "-o", "json").json
    return {one["external_id"]: (one["space"], one["data"]) for one in found}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "wanted"), [(name, *case) for name, case in READ.items()], ids=READ
)
def test_an_odd_file_is_imported_as_what_it_says(electis, name, options, wanted):
    done = electis("people", "import", str(IMPORTS / name), *options, "-o", "json")

    assert (done.json["created"], done.json["rejected"], done.err) == (len(wanted), 0, "")
    assert people(electis) == wanted


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_an_odd_file_is_refused_in_these_words_and_nothing_is_written(electis, tmp_path, name):
    file = IMPORTS / name
    if name == "wide-cell.csv":
        file = tmp_path / name
        file.write_text(f'external_id,TITLE\n0101,{WIDE}\n0102,"{WIDE}\x07"\n', encoding="utf-8")
    before = people(electis)

    told = electis("people", "import", str(file), check=8)

    assert told.out == ""
    assert people(electis) == before == {}
    if REFUSED[name] is not None:
        assert told.err.splitlines() == REFUSED[name]
    else:  # a value of a megabyte is one; what is wrong with it is told without it
        assert "wide-cell.csv:3:2: " in told.err
        assert len(told.err) < 1000
