"""`electis space` as a process."""

from __future__ import annotations

import pytest

VIEW = ["external_id", "store", "person", "status", "labels", "data", "version"]


@pytest.mark.slow
def test_a_space_from_create_to_delete(shop):
    created = shop("space", "create", "4-117", "--set", "TITLE=Desk", "--set", "PHONE=03", "-o", "json")
    assert list(created.json) == VIEW
    assert created.json["data"] == {"TITLE": "Desk", "PHONE": "03"}
    assert created.json["status"] == "pending"

    updated = shop("space", "update", "4-117", "--set", "TITLE=Door", "--unset", "PHONE", "-o", "json")
    assert updated.json["data"] == {"TITLE": "Door"}

    assert shop("space", "list", "-o", "name").out == "4-117\n"
    assert (
        shop("space", "list", "-o", "csv", "--fields", "external_id,version").out
        == "external_id,version\n4-117,2\n"
    )
    assert shop("space", "show", "4-117", "-o", "jsonl", "--fields", "person").json == {"person": None}

    refused = shop("space", "delete", "4-117", check=2)
    assert "--yes" in refused.err
    shop("space", "delete", "4-117", "--yes")
    assert shop("space", "list", "-o", "json").json == []
    assert shop("space", "list").out == ""


@pytest.mark.slow
def test_errors_have_their_exit_codes_and_leave_standard_output_empty(shop):
    shop("space", "create", "4-1")
    shop("people", "create", "P1", "--space", "4-1")
    shop("conference", "create", "3")
    for code, word, *arguments in (
        (8, "E-INPUT", "space", "create", "a,b"),
        (8, "E-COLUMN-UNKNOWN", "space", "create", "4-2", "--set", "COLOR=red"),
        (2, "E-USAGE", "space", "create", "4-2", "--set", "COLOR"),
        (7, "E-EXISTS", "space", "create", "4-1"),
        (7, "E-ARTICLE-ID-TAKEN", "space", "create", "C3"),
        (6, "E-SPACE-NOT-FOUND", "space", "show", "4-9"),
        (6, "E-STORE-NOT-FOUND", "space", "create", "4-2", "--store", "009"),
        (7, "E-SPACE-OCCUPIED", "space", "delete", "4-1", "--yes"),
    ):
        finished = shop(*arguments, "-o", "json", check=code)
        assert (finished.error["code"], finished.error["exit_code"], finished.out) == (word, code, "")

    said = shop("space", "delete", "4-1", "--yes", check=7).err
    assert said.startswith("error[E-SPACE-OCCUPIED] ")
    assert "fix: electis space delete 4-1 --unassign" in said


@pytest.mark.slow
def test_dry_runs_change_nothing_and_ask_nothing(shop):
    shop("space", "create", "4-1")
    before = shop("space", "list", "-o", "json").out

    assert shop("space", "create", "4-2", "-n", "-o", "name").out == "4-2\n"
    shop("space", "update", "4-1", "--set", "TITLE=x", "--dry-run")
    shop("space", "delete", "4-1", "--dry-run")

    assert shop("space", "list", "-o", "json").out == before
