"""`electis people` as a process."""

from __future__ import annotations

import pytest

VIEW = ["external_id", "store", "space", "status", "data", "version"]


@pytest.fixture
def office(shop):
    """The shop with three spaces, Dana in 4-1 and Noa in none."""
    for space in ("4-1", "4-2", "4-3"):
        shop("space", "create", space)
    shop("people", "create", "P1", "--set", "ITEM_NAME=Dana Levi", "--space", "4-1")
    shop("people", "create", "P2", "--set", "ITEM_NAME=נועה כהן")
    return shop


@pytest.mark.slow
def test_a_person_from_create_to_delete(office):
    shown = office("people", "show", "P1", "-o", "json").json
    assert list(shown) == VIEW
    assert (shown["space"], shown["status"], shown["data"]) == ("4-1", "pending", {"ITEM_NAME": "Dana Levi"})

    assert office("people", "assign", "P2", "4-2", "-o", "json").json["space"] == "4-2"
    assert office("people", "move", "P2", "4-3", "-o", "json").json["space"] == "4-3"
    assert office("people", "unassign", "P2", "-o", "json").json["space"] is None
    assert office("people", "update", "P2", "--set", "TITLE=x", "-o", "json").json["data"]["TITLE"] == "x"
    assert office("people", "list", "-o", "csv", "--fields", "external_id,space").out == (
        "external_id,space\nP1,4-1\nP2,\n"
    )
    assert "נועה כהן" in office("people", "list").out

    assert "--yes" in office("people", "delete", "P1", check=2).err
    assert office("people", "delete", "P1", "--yes", "-o", "name").out == "P1\n"
    assert office("space", "show", "4-1", "-o", "json").json["person"] is None
    made_up = office("people", "create", "-o", "name").out.strip()
    assert office("people", "list", "-o", "name").out.split() == sorted(["P2", made_up])


@pytest.mark.slow
def test_errors_have_their_exit_codes_and_change_nothing(office):
    before = office("people", "list", "-o", "json").out
    for code, word, *arguments in (
        (7, "E-SPACE-TAKEN", "assign", "P2", "4-1"),
        (6, "E-SPACE-NOT-FOUND", "assign", "P2", "9-9"),
        (6, "E-PERSON-NOT-FOUND", "assign", "P9", "4-2"),
        (7, "E-PERSON-UNASSIGNED", "move", "P2", "4-2"),
        (7, "E-EXISTS", "create", "P1"),
        (7, "E-SPACE-TAKEN", "create", "P3", "--space", "4-1"),
        (8, "E-COLUMN-UNKNOWN", "update", "P1", "--set", "COLOR=red"),
    ):
        finished = office("people", *arguments, "-o", "json", check=code)
        assert (finished.error["code"], finished.out) == (word, "")
    office("people", "move", "P1", "4-2", "--dry-run")
    office("people", "unassign", "P1", "-n")
    office("people", "delete", "P1", "-n")

    assert office("people", "list", "-o", "json").out == before
