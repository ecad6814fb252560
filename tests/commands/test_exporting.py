"""`export` and `import template` as processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from electis_cli.adapters.tables.opening import open_table
from tests.commands.conftest import add_store


@pytest.fixture
def office(shop):
    """The shop with a space, Dana in it, a room with a meeting and two labels."""
    shop("space", "create", "4-1", "--set", "TITLE==1+1")
    shop("people", "create", "007", "--set", "ITEM_NAME=דנה", "--set", "_COST='07", "--space", "4-1")
    shop("conference", "create", "3", "--name", "Board room")
    shop("conference", "toggle", "3", "--meeting-name", "Planning", "--participants", "A; B")
    shop("label", "link", "0848A6EBE2B0", "4-1")
    shop("label", "link", "0848A6EBE2B1", "C3")
    return shop


def unchanged(finished):
    view = finished.json
    return [view[name] for name in ("created", "updated", "deleted", "unchanged")]


@pytest.mark.slow
def test_every_noun_is_exported_and_imported_to_no_change(office):
    for noun, rows in (("space", 1), ("people", 1), ("conference", 1), ("label", 2), ("user", 1)):
        for ending, options in (("csv", ("--excel",)), ("xlsx", ())):
            path = office.home / f"{noun}.{ending}"
            finished = office(noun, "export", "--out", str(path), *options)
            assert (finished.out, str(path) in finished.err) == ("", True)
            with open_table(path, None, name=path.name) as table:
                assert table.kind == ending
            done = office(noun, "import", str(path), "-o", "json", "--dry-run")
            assert unchanged(done) == [0, 0, 0, rows], (noun, ending)
        piped = office(noun, "export", "--format", "tsv")
        assert piped.err == ""
        assert unchanged(office(noun, "import", "-", "-o", "json", stdin=piped.out)) == [0, 0, 0, rows]


@pytest.mark.slow
def test_standard_output_holds_rows_alone_and_files_are_told(office):
    assert office("space", "export", "--fields", "external_id,TITLE").out == "external_id,TITLE\n4-1,=1+1\n"
    # In text mode Python takes CRLF for LF; the mark and the apostrophes stay.
    excel = office("people", "export", "--excel", "--fields", "external_id,_COST").out
    assert excel == "\ufeffexternal_id,_COST\n'007,''07\n"
    assert office("label", "export", "--format", "jsonl", "--fields", "label").out.splitlines()[0] == (
        '{"label":"0848A6EBE2B0"}'
    )

    path = office.home / "people.xlsx"
    assert office("people", "export", "--out", str(path), "--quiet").err == ""
    assert path.read_bytes()[:2] == b"PK"
    piped = subprocess.run(
        [sys.executable, "-m", "electis_cli", "people", "export", "--format", "xlsx", "--out", "-"],
        capture_output=True,
        env=office.environment,
        cwd=office.home,
        check=True,
    )
    assert piped.stdout[:2] == b"PK"


@pytest.mark.slow
def test_what_can_not_be_exported_is_told_and_no_file_is_left(office):
    path = office.home / "out.csv"
    for code, word, *arguments in (
        (2, "E-USAGE", "space", "export", "--out", "spaces.json"),
        (2, "E-USAGE", "space", "export", "--format", "jsonl", "--excel"),
        (2, "E-USAGE", "space", "export", "--out", str(path), "--fields", "COLOR"),
        (2, "E-USAGE", "space", "export", "--out", str(path), "--fields", ","),
        (6, "E-STORE-NOT-FOUND", "people", "export", "--out", str(path), "--store", "009"),
        (8, "E-INPUT", "people", "export", "--out", str(office.home / "no" / "x.csv")),
    ):
        finished = office(*arguments, check=code)
        assert f"error[{word}]" in finished.err, arguments
        assert finished.out == ""
    add_store(office, "002")
    assert "fix: add --store CODE" in office("people", "export", "--out", str(path), check=2).err
    assert not path.exists()
    assert office("user", "export", "--fields", "email,role").out == "email,role\nadmin@acme.example,admin\n"


@pytest.mark.slow
def test_templates_are_headers_that_an_import_takes(shop):
    for noun, start in (
        ("people", "external_id,space,ITEM_NAME,"),
        ("space", "external_id,ITEM_NAME,"),
        ("conference", "external_id,room_name,has_meeting,"),
        ("label", "label,article\n"),
        ("user", "email,role,first_name,last_name,store\n"),
    ):
        assert shop("import", "template", noun, "-o", "csv").out.startswith(start)
        path = shop.home / f"{noun}.xlsx"
        told = shop("import", "template", noun, "-o", "xlsx", "--out", str(path))
        assert f"electis {noun} import" in told.err
        with open_table(path, None, name=path.name) as table:
            assert ",".join(table.header).startswith(start.strip().rstrip(","))
            assert list(table.records()) == []
