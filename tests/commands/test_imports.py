"""`import` of spaces, people and conference rooms as a process."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
VIEW = [
    *("file", "store", "created", "updated", "unchanged", "deleted", "rejected", "label_redraws", "dry_run"),
    *("changeset", "brake", "differences", "problems"),
]


def result(finished):
    return {name: finished.json[name] for name in ("created", "updated", "unchanged", "dry_run")}


@pytest.mark.slow
def test_the_examples_are_imported_tried_and_imported_again(shop):
    for noun, name, size in (
        ("space", "spaces.csv", 220),
        ("people", "people.csv", 214),
        ("conference", "conference-rooms.csv", 6),
    ):
        command = (noun, "import", str(EXAMPLES / name), "-o", "json")
        tried = shop(*command, "--dry-run")
        assert result(tried) == {"created": size, "updated": 0, "unchanged": 0, "dry_run": True}
        assert shop(noun, "list", "-o", "json").json == []
        done = shop(*command)
        assert list(done.json) == VIEW
        assert result(done) == {"created": size, "updated": 0, "unchanged": 0, "dry_run": False}
        assert (done.json["file"], done.json["store"], done.err) == (name, "001", "")
        assert result(shop(*command)) == {"created": 0, "updated": 0, "unchanged": size, "dry_run": False}
    assert shop("space", "show", "4-117", "-o", "json").json["person"] == "00007"


def test_standard_input_csv_names_and_fields(shop):
    content = "external_id,TITLE\n1,שולחן\n"

    first = shop("space", "import", "-", "-o", "csv", "--fields", "created,unchanged", stdin=content)
    second = shop("space", "import", "-", "-o", "name", stdin=content)
    third = shop("space", "import", "-", "-o", "name", stdin=content.replace("1,", "2,"))

    assert first.out == "created,unchanged\n1,0\n"
    assert second.out == "", "what changed nothing has no name"
    assert shop("undo", third.out.strip(), "--yes", "-o", "json").json["deleted"] == 1
    assert shop("space", "show", "1", "-o", "json").json["data"] == {"TITLE": "שולחן"}


def test_errors_point_at_the_files_lines_and_nothing_is_written(shop):
    file = shop.home / "people.csv"
    file.write_text('external_id,space,TITLE\nA,,"x\ny"\nB,9-9,x\nA,,z\nD,,x,y\n', encoding="utf-8")

    said = shop("people", "import", str(file), check=8)

    assert said.out == ""
    assert said.err.splitlines()[0] == "error[E-IMPORT] people.csv has 3 errors; nothing was written."
    assert [line.strip() for line in said.err.splitlines()[1:]] == [
        "people.csv:4:2: There is no space 9-9 in this store.",
        "electis space list",
        "people.csv:5:1: Lines 2 and 5 are both about person A; keep one of them.",
        "people.csv:6:4: The row has 4 cells, the header has 3.",
        "give every row a cell for each column; quote a cell that holds the separator",
        "fix: correct what is named above and import the file again",
    ]
    error = shop("people", "import", str(file), "-o", "json", check=8).error
    assert [
        (item["where"], item["line"], item["column"], item["code"], item["field"])
        for item in error["problems"]
    ] == [
        ("people.csv:4:2", 4, 2, "E-SPACE-NOT-FOUND", "space"),
        ("people.csv:5:1", 5, 1, "E-KEY-TWICE", "external_id"),
        ("people.csv:6:4", 6, 4, "E-CELLS", None),
    ]
    assert shop("people", "list", "-o", "json").json == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", "x.csv: The file is empty."),
        (b"TITLE\na\n", "x.csv:1:1: The header has no column external_id (or ARTICLE_ID, id)."),
        (b"external_id,COLOR\n1,red\n", "x.csv:1:2: A space has no column 'COLOR'."),
        ("external_id,TITLE\n1,é\n2,é\n3,".encode() + b"\xe9\n", "x.csv:4:2: Byte 0xE9, character 3 of the line"),
        (b"external_id,TITLE\n1,x\n1,y\n", "x.csv:3:1: Lines 2 and 3 are both about space 1; keep one of them."),
    ],
    ids=["empty", "missing column", "unknown column", "encoding", "duplicate"],
)  # fmt: skip
def test_bad_files_exit_8_with_their_place(shop, content, place):
    file = shop.home / "x.csv"
    file.write_bytes(content)

    assert place in shop("space", "import", str(file), check=8).err
    assert shop("space", "list", "-o", "json").json == []


def test_on_a_terminal_a_progress_bar_is_drawn_beside_the_data(shop):
    terminal, end = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "electis_cli", "space", "import", str(EXAMPLES / "spaces.csv"), "-o", "json"],
        env={**shop.environment, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end,
        check=True,
        timeout=60,
    )
    os.close(end)
    drawn = os.read(terminal, 100_000).decode()
    os.close(terminal)

    assert json.loads(done.stdout)["created"] == 220
    assert "220/220" in drawn


def test_a_file_that_can_not_be_read_is_a_usage_problem(shop):
    assert shop("space", "import", "nowhere.csv", "-o", "json", check=2).error["code"] == "E-USAGE"
    assert shop("space", "import", str(shop.home), "-o", "json", check=2).error["code"] == "E-USAGE"
