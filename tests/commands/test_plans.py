"""`--plan FILE`, `apply`, `history` and `undo` as people type them: exactly that plan, or nothing."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.world.planted import HEBREW_PERSON

COUNTS = ("created", "updated", "unchanged", "deleted", "rejected", "label_redraws")


@pytest.fixture
def plan(office):
    """A plan that swaps A and B, seats D and makes E."""
    file, plan = office.home / "people.csv", office.home / "people.plan"
    file.write_text(
        f"external_id,space,TITLE\nA,4-2,x\nB,4-1,\nD,4-3,\nE,,{HEBREW_PERSON}\n", encoding="utf-8"
    )
    told = office("people", "import", str(file), "--plan", str(plan))
    assert told.err == f"The plan is in {plan}: electis apply {plan}\n"
    return plan


def facts(office):
    return [office(noun, "list", "-o", "json").json for noun in ("space", "people", "conference", "label")]


def people(office):
    return {
        one["external_id"]: (one["space"], one["data"]) for one in office("people", "list", "-o", "json").json
    }


def test_a_plan_that_is_applied_does_what_the_import_would_have_done(office, plan):
    before, file = facts(office), office.home / "people.csv"
    as_import = office("people", "import", str(file), "-o", "json").json
    after = people(office)
    office("undo", as_import["changeset"], "--yes")
    assert people(office) != after

    tried = office("apply", str(plan), "--dry-run", "-o", "json").json
    done = office("apply", str(plan), "-o", "json").json

    assert people(office) == after
    assert [done[name] for name in COUNTS] == [as_import[name] for name in COUNTS] == [1, 3, 0, 0, 0, 1]
    assert [tried[name] for name in COUNTS] == [done[name] for name in COUNTS]
    assert (tried["changeset"], done["differences"]) == (None, as_import["differences"])
    (newest, *_) = office("history", "list", "-o", "json").json
    assert (newest["action"], newest["file"]) == ("person:applied", "people.csv")
    office("undo", done["changeset"], "--yes")
    assert facts(office)[0] == before[0]


def test_writing_a_plan_changes_nothing(office):
    before = facts(office)
    history = office("history", "list", "-o", "json").out
    plan = office.home / "x.plan"

    view = office("space", "import", "-", "--plan", str(plan), "-o", "json", stdin="external_id\n9-1\n").json

    assert (view["created"], view["dry_run"], view["changeset"]) == (1, True, None)
    assert facts(office) == before
    assert office("history", "list", "-o", "json").out == history
    first, *rows, last = [json.loads(line) for line in plan.read_text(encoding="utf-8").splitlines()]
    assert (first["organization"], first["store"], first["made_by"]) == ("ACME", "001", "admin@acme.example")
    assert [(row["key"], row["before"], row["after"]) for row in rows] == [("9-1", None, {})]
    assert list(last) == ["digest"]


def test_a_plan_whose_rows_changed_since_is_refused_as_a_whole(office, plan):
    office("people", "update", "B", "--set", "TITLE=mine")
    office("people", "create", "E")
    before = facts(office)

    refused = office("apply", str(plan), "-o", "json", check=7).error

    assert refused["code"] == "E-CHANGED-MEANWHILE"
    assert refused["message"] == ("3 rows are no longer what the plan was made from; nothing was written.")
    assert refused["why"] == (
        "person B: somebody changed it since; person E: somebody changed it since; person A: person B sits there by now"
    )
    assert facts(office) == before
    office("apply", str(plan), check=7)


def test_a_plan_is_applied_once(office, plan):
    change = office("apply", str(plan), "-o", "json").json["changeset"]

    refused = office("apply", str(plan), "-o", "json", check=7).error

    assert (refused["code"], refused["message"]) == (
        "E-CONFLICT",
        "The plan people.plan was applied already.",
    )
    assert refused["fix"] == f"electis history show {change}"


def lines_of(plan):
    return plan.read_bytes().splitlines(keepends=True)


EDITS = {
    "a value": lambda lines: [line.replace(b'"x"', b'"y"') for line in lines],
    "a row less": lambda lines: [lines[0], *lines[2:]],
    "a row twice": lambda lines: [*lines[:2], lines[1], *lines[2:]],
    "the store": lambda lines: [lines[0].replace(b'"001"', b'"002"'), *lines[1:]],
    "no end": lambda lines: lines[:-1],
    "half a line": lambda lines: [*lines[:-1], lines[-1][:20]],
    "nothing": lambda _: [],
    "a csv": lambda _: [b"external_id,TITLE\n", b"4-1,x\n"],
    "another version": lambda lines: [lines[0].replace(b'"electis_plan":1', b'"electis_plan":2'), *lines[1:]],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_plan_that_was_edited_is_refused(office, plan, edit):
    plan.write_bytes(b"".join(edit(lines_of(plan))))
    before = facts(office)

    refused = office("apply", str(plan), "-o", "json", check=8).error

    assert refused["code"] == "E-INPUT"
    assert "people.plan" in refused["message"]
    assert facts(office) == before


def sealed(lines):
    """Return an edited plan with the digest that fits: whoever can write a digest can write anything."""
    return [
        *lines[:-1],
        json.dumps({"digest": hashlib.sha256(b"".join(lines[:-1])).hexdigest()}).encode() + b"\n",
    ]


FORGED = {
    "a value that no command sets": lambda lines: [
        line.replace(b'"TITLE":"x"', b'"TITLE":" x "') for line in lines
    ],
    "a column that is not there": lambda lines: [
        line.replace(b'"TITLE":"x"', b'"COLOR":"x"') for line in lines
    ],
    "an id that is none": lambda lines: [line.replace(b'"key":"E"', b'"key":"a,b"') for line in lines],
    "a noun that is none": lambda lines: [
        line.replace(b'"noun":"person"', b'"noun":"planet"') for line in lines
    ],
    "a row without a key": lambda lines: [line.replace(b'"key":"E",', b"") for line in lines],
    "a row that is no object": lambda lines: [lines[0], b"[]\n", *lines[1:]],
    "data that is a list": lambda lines: [line.replace(b'"after":{', b'"after":[{', 1) for line in lines],
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_plan_sets_nothing_that_no_command_would(office, plan, forge):
    lines = sealed(forge(lines_of(plan)))
    assert lines != lines_of(plan)
    plan.write_bytes(b"".join(lines))
    before = facts(office)

    office("apply", str(plan), "-o", "json", check=8)

    assert facts(office) == before


def test_a_plan_of_another_organization_or_of_no_file_is_refused(office, plan):
    office("apply", "nowhere.plan", check=2)
    lines = lines_of(plan)
    lines[0] = lines[0].replace(b'"ACME"', b'"OTHER"')
    plan.write_bytes(b"".join(sealed(lines)))

    refused = office("apply", str(plan), "-o", "json", check=7).error

    assert refused["message"] == "The plan is for organization OTHER, this is ACME."


def test_a_plan_that_deletes_asks_and_is_read_from_standard_input_too(office):
    plan = office.home / "spaces.plan"
    options = ("--mode", "replace", "--plan", str(plan))
    office("space", "import", "-", *options, stdin="external_id\n4-1\n4-2\n4-3\n")

    refused = office("apply", str(plan), "-o", "json", check=2).error

    assert refused["message"] == "The plan deletes 2 rows. Carry it out? There is no terminal to ask."
    assert refused["fix"] == "add --yes"
    done = office("apply", "-", "--yes", "-o", "json", stdin=plan.read_text(encoding="utf-8")).json
    assert (done["deleted"], done["file"]) == (2, "<stdin>")


# --- history and undo -----------------------------------------------------------------------------------------------


def test_history_is_listed_newest_first_and_says_what_was_taken_back(office):
    change = office("people", "import", "-", "-o", "json", stdin="external_id,space\nA,4-5\n").json[
        "changeset"
    ]
    undone = office("undo", change, "--yes", "-o", "json").json

    listed = office("history", "list", "-o", "json").json

    assert [one["id"] for one in listed[:2]] == [undone["changeset"], change]
    assert {"id", "noun", "counts", "actor", "at", "undone"} <= set(listed[0])
    assert [(one["undone"], one["action"]) for one in listed[:2]] == [
        (False, "person:undone"),
        (True, "person:imported"),
    ]
    assert [one["id"] for one in office("history", "list", "--limit", "1", "-o", "json").json] == [
        undone["changeset"]
    ]
    assert {one["noun"] for one in office("history", "list", "--noun", "label", "-o", "json").json} == {
        "label"
    }
    shown = office("history", "show", change, "-o", "json").json
    assert [(row["key"], row["fields"]) for row in shown["rows"]] == [
        ("A", {"space": {"before": "4-1", "after": "4-5"}})
    ]
    assert "update person A  space: 4-1 -> 4-5" in office("history", "show", change).out
    assert change in office("history", "list").out
    office("history", "show", "nothing", check=6)


def test_undo_asks_shows_and_ends_with_3_when_something_is_kept(office):
    change = office("people", "import", "-", "-o", "json", stdin="external_id,TITLE\nA,x\nB,x\n").json[
        "changeset"
    ]
    office("people", "update", "A", "--set", "TITLE=mine")

    assert office("undo", change, "-o", "json", check=2).error["fix"] == "add --yes"
    tried = office("undo", change, "--dry-run", "-o", "json", check=3).json
    assert (tried["dry_run"], tried["kept"], tried["updated"]) == (True, 1, 1)
    told = office("undo", change, "--yes", check=3)

    assert "left as it is: person A: somebody changed it since" in told.err
    titles = {key: data.get("TITLE") for key, (_, data) in people(office).items()}
    assert titles == {"A": "mine", "B": None, "D": None}
    again = office("undo", change, "--yes", "-o", "json", check=7).error
    assert again["message"] == f"Change {change} was taken back already."
    office("undo", "nothing", "--yes", check=6)
