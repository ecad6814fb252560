"""Verbs that take many at once: lists in files and on standard input, swaps, everybody, saved arrangements."""

from __future__ import annotations

import json

import pytest


def seats(office):
    return {one["external_id"]: one["space"] for one in office("people", "list", "-o", "json").json}


def spaces(office):
    return [one["external_id"] for one in office("space", "list", "-o", "json").json]


def last_action(office):
    return office("history", "list", "--limit", "1", "-o", "json").json[0]["action"]


@pytest.fixture
def listed(office):
    """Return how to write a list into a file."""

    def write(content):
        file = office.home / "list.csv"
        file.write_text(content, encoding="utf-8")
        return str(file)

    return write


def test_people_are_assigned_by_a_file_at_once_also_in_a_ring(office, listed):
    file = listed("person,space,phone\nA,4-2,1\nB,4-1,2\nD,4-3,3\n")

    tried = office("people", "assign", "--file", file, "--dry-run", "-o", "json").json
    done = office("people", "assign", "--file", file, "-o", "json").json

    assert (tried["updated"], done["updated"], done["created"]) == (3, 3, 0)
    assert seats(office) == {"A": "4-2", "B": "4-1", "D": "4-3"}
    assert last_action(office) == "person:assigned"
    assert office("undo", done["changeset"], "--yes", "-o", "json").json["updated"] == 3
    assert seats(office) == {"A": "4-1", "B": "4-2", "D": None}


def test_a_list_makes_nobody_and_sets_nothing_but_seats(office, listed):
    refused = office(
        "people", "assign", "--file", listed("person,space\nE,4-3\n"), "-o", "json", check=8
    ).error
    assert [(one["where"], one["code"]) for one in refused["problems"]] == [("list.csv:2:1", "E-UNKNOWN")]

    office("people", "assign", "--file", listed("person,space,TITLE\nD,4-3,ignored\n"))
    assert office("people", "show", "D", "-o", "json").json["data"] == {}


def test_moving_by_a_file_is_for_those_who_have_a_space(office, listed):
    file = listed("person,space\nA,4-4\nD,4-3\n")
    refused = office("people", "move", "--file", file, "-o", "json", check=8).error
    assert [(one["where"], one["code"]) for one in refused["problems"]] == [
        ("list.csv:3:1", "E-PERSON-UNASSIGNED")
    ]
    assert seats(office)["A"] == "4-1"

    rejects = office.home / "rejects.csv"
    skipped = office(
        "people", "move", "--file", file, "--on-error", "skip", "--rejects", str(rejects), check=3
    )

    assert "left out: list.csv:3:1:" in skipped.err
    assert (seats(office)["A"], "D," in rejects.read_text(encoding="utf-8-sig")) == ("4-4", True)
    assert last_action(office) == "person:moved"


def test_people_are_taken_out_of_their_spaces_by_a_file_by_names_and_all_at_once(office, listed):
    done = office("people", "unassign", "--file", listed("person\nA\nD\n"), "-o", "json").json
    assert (done["updated"], done["unchanged"], seats(office)["A"]) == (1, 1, None)
    office("undo", done["changeset"], "--yes")

    names = office("people", "list", "-o", "name").out
    done = office("people", "unassign", "-", "-o", "json", stdin=names).json
    assert (names.split(), done["updated"], set(seats(office).values())) == (["A", "B", "D"], 2, {None})
    assert done["file"] == "<stdin>"
    office("undo", done["changeset"], "--yes")

    assert office("people", "unassign", "--all", "-o", "json", check=2).error["fix"] == "add --yes"
    assert office("people", "unassign", "--all", "--dry-run", "-o", "json").json["updated"] == 2
    done = office("people", "unassign", "--all", "--yes", "-o", "json").json
    assert (done["updated"], set(seats(office).values())) == (2, {None})
    office("undo", done["changeset"], "--yes")
    assert seats(office) == {"A": "4-1", "B": "4-2", "D": None}


def test_ids_on_standard_input_are_taken_as_they_are(office):
    odd = ['say "no"', "=1+1", "a b", "דנה"]
    for name in odd:
        office("people", "create", name)

    names = office("people", "list", "-o", "name").out
    assert set(odd) <= set(names.splitlines())
    done = office("people", "delete", "-", "--yes", "-o", "json", stdin="\n".join(odd) + "\n\n").json

    assert (done["deleted"], set(seats(office))) == (4, {"A", "B", "D"})


@pytest.mark.parametrize(
    ("line", "stdin", "message"),
    [
        ("people unassign -", "", "Standard input holds no ids."),
        ("people unassign", "", "Say who or what is meant."),
        ("people unassign A --file x.csv", "", "An id and --file can not go together."),
        ("people unassign A --all --yes", "", "Everybody is meant, or somebody."),
        ("people assign A", "", "Say who is to sit where."),
        ("people assign --file nowhere.csv", "", "The file nowhere.csv can not be read."),
        ("people swap A A", "", "One person can not swap with themselves."),
        ("space delete --yes", "", "Say who or what is meant."),
    ],
)
def test_who_is_not_said_rightly_is_a_usage_problem(office, line, stdin, message):
    assert office(*line.split(), "-o", "json", stdin=stdin, check=2).error["message"] == message


def test_two_people_swap_in_one_change_that_redraws_each_space_once(office):
    done = office("people", "swap", "A", "B", "-o", "json").json

    assert (done["updated"], done["label_redraws"], done["file"]) == (2, 1, None)
    assert seats(office) == {"A": "4-2", "B": "4-1", "D": None}
    assert last_action(office) == "person:swapped"
    assert office("people", "swap", "A", "D", "-o", "json", check=7).error["code"] == "E-PERSON-UNASSIGNED"
    assert office("people", "swap", "A", "Z", "-o", "json", check=6).error["code"] == "E-PERSON-NOT-FOUND"
    office("people", "swap", "B", "A", "--dry-run")
    assert seats(office)["A"] == "4-2"


def test_spaces_are_deleted_by_a_list_and_occupied_ones_only_with_unassign(office, listed):
    file = listed("external_id\n4-1\n4-3\n")
    assert office("space", "delete", "--file", file, check=2).err.endswith("fix: add --yes\n")
    refused = office("space", "delete", "--file", file, "--yes", "-o", "json", check=8).error
    (problem,) = refused["problems"]
    assert (problem["code"], problem["line"], problem["field"]) == ("E-SPACE-OCCUPIED", 2, "4-1")
    assert "add --unassign" in problem["hint"]

    done = office("space", "delete", "--file", file, "--unassign", "--yes", "-o", "json").json

    assert (done["deleted"], done["updated"], spaces(office)) == (2, 1, ["4-2", "4-4", "4-5"])
    assert seats(office) == {"A": None, "B": "4-2", "D": None}
    office("undo", done["changeset"], "--yes")
    assert (spaces(office), seats(office)["A"]) == (["4-1", "4-2", "4-3", "4-4", "4-5"], "4-1")
    unknown = office("space", "delete", "-", "--yes", "-o", "json", stdin="4-9\n4-3\n", check=8).error
    assert [(one["line"], one["code"]) for one in unknown["problems"]] == [(1, "E-UNKNOWN")]
    assert len(spaces(office)) == 5


def test_people_are_deleted_by_a_list_and_come_back_where_they_sat(office, listed):
    done = office("people", "delete", "--file", listed("person\nA\nD\n"), "--yes", "-o", "json").json

    assert (done["deleted"], list(seats(office))) == (2, ["B"])
    office("undo", done["changeset"], "--yes")
    assert seats(office) == {"A": "4-1", "B": "4-2", "D": None}


# --- saved arrangements ---------------------------------------------------------------------------------------------


def test_an_arrangement_is_saved_compared_and_restored(office):
    saved = office("snapshot", "save", "morning", "-o", "json").json
    assert {key: saved[key] for key in ("name", "store", "seats")} == {
        "name": "morning",
        "store": "001",
        "seats": 2,
    }
    assert office("snapshot", "diff", "morning").err == "Everybody sits as in the snapshot.\n"
    office("people", "swap", "A", "B")
    office("people", "assign", "D", "4-3")

    differing = office("snapshot", "diff", "morning", "-o", "json", check=10).json
    assert differing == [
        {"person": "A", "snapshot": "4-1", "now": "4-2"},
        {"person": "B", "snapshot": "4-2", "now": "4-1"},
        {"person": "D", "snapshot": None, "now": "4-3"},
    ]
    assert office("snapshot", "restore", "morning", "-o", "json", check=2).error["fix"] == "add --yes"
    assert office("snapshot", "restore", "morning", "--dry-run", "-o", "json").json["updated"] == 3
    restored = office("snapshot", "restore", "morning", "--yes", "-o", "json").json

    assert (restored["updated"], restored["file"], last_action(office)) == (3, "morning", "person:restored")
    assert seats(office) == {"A": "4-1", "B": "4-2", "D": None}
    office("snapshot", "diff", "morning")
    office("undo", restored["changeset"], "--yes")
    assert seats(office) == {"A": "4-2", "B": "4-1", "D": "4-3"}


def test_what_is_gone_since_is_left_out_and_told_when_an_arrangement_is_restored(office):
    office("snapshot", "save", "morning")
    office("people", "delete", "A", "--yes")
    office("people", "assign", "B", "4-4")
    office("space", "delete", "4-2", "--yes")
    office("people", "assign", "D", "4-3")

    done = office("snapshot", "restore", "morning", "--yes", "-o", "json", check=3).json

    assert sorted(one["code"] for one in done["problems"]) == ["E-SPACE-NOT-FOUND", "E-UNKNOWN"]
    # Who can not be seated as in the snapshot stays where they are; D was not in it.
    assert seats(office)["D"] is None
    assert json.dumps(done["problems"]).count("4-2") >= 1


def test_a_name_is_taken_until_it_is_replaced(office):
    office("snapshot", "save", "morning")
    assert office("snapshot", "save", "morning", "-o", "json", check=7).error["fix"] == "add --replace"
    office("people", "unassign", "A")

    assert office("snapshot", "save", "morning", "--replace", "-o", "json").json["seats"] == 1
    office("snapshot", "save", "evening", "--dry-run")

    assert [one["name"] for one in office("snapshot", "list", "-o", "json").json] == ["morning"]
    for verb in ("diff", "restore"):
        options = ("--yes",) if verb == "restore" else ()
        refused = office("snapshot", verb, "noon", *options, "-o", "json", check=6).error
        assert refused["code"] == "E-SNAPSHOT-NOT-FOUND"
    for name in ("", "   ", "x" * 101, "a\x07"):
        office("snapshot", "save", name, check=8)
