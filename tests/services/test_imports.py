"""Importing CSV files: all or nothing, twice is once, and the same database as single writes give."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from pathlib import Path

import pytest

from electis_cli.db import ledger, organizations, stores, trail
from electis_cli.domain.access import Role
from electis_cli.domain.bulk.problems import MOST_PROBLEMS
from electis_cli.domain.errors import ElectisError, ImportRejected, PermissionRefused, StoreNotFound
from electis_cli.services import conferences, labels, people, spaces
from electis_cli.services.showing.showing import show_label
from tests.world import importing as imports

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = [
    (imports.import_spaces, "spaces.csv", 220),
    (imports.import_people, "people.csv", 214),
    (imports.import_rooms, "conference-rooms.csv", 6),
]


def written(rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def counts(view):
    return view.created, view.updated, view.unchanged


def ledger_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return ledger.all_rows(uow, stores.list_stores(uow)[0].id)


def everything(scope):
    """Return all facts, bumps and audit rows of an organization."""
    with scope.runtime.database.read(scope.org_id) as uow:
        audit = trail.list_audit(uow)
    facts = (spaces.list_spaces(scope), people.list_people(scope), conferences.list_rooms(scope))
    return facts, ledger_of(scope), audit


@pytest.fixture
def seated(scope):
    """The scope with spaces 4-1 to 4-3, A in 4-1 and B in 4-2."""
    imports.import_spaces(scope, b"external_id\n4-1\n4-2\n4-3\n", source="spaces.csv")
    imports.import_people(scope, b"external_id,space\nA,4-1\nB,4-2\n", source="people.csv")
    return scope


def test_the_example_files_are_imported_and_the_second_time_nothing_changes(scope):
    for load, name, size in FILES:
        content = (EXAMPLES / name).read_bytes()
        assert counts(load(scope, content, source=name)) == (size, 0, 0)
    before = everything(scope)

    for load, name, size in FILES:
        assert counts(load(scope, (EXAMPLES / name).read_bytes(), source=name)) == (0, 0, size)

    assert everything(scope) == before
    assert sum(1 for person in people.list_people(scope) if person.space) == 190
    assert spaces.show_space(scope, "4-117").person == "00007"
    assert people.show_person(scope, "00063").data["ITEM_NAME"] == 'O\'Neill, Mary "May"'
    assert conferences.show_room(scope, "C5").room_name == "Conference 5"
    assert conferences.show_room(scope, "4").participants == ("Dana Levi", "ג'ורג' חדד", "Sean O'Brien")


def test_an_import_leaves_one_audit_row_and_one_event_without_names(scope):
    content = (EXAMPLES / "spaces.csv").read_bytes()
    imports.import_spaces(scope, content, source="spaces.csv")

    with scope.runtime.database.read(scope.org_id) as uow:
        (audit,), (event,) = trail.list_audit(uow), trail.list_events(uow)
    sizes = {"created": 220, "updated": 0, "unchanged": 0, "deleted": 0}
    digest = hashlib.sha256(content).hexdigest()
    assert audit["action"] == event["name"] == "space:imported"
    rows = audit["after"].pop("digest")
    assert len(rows) == 16
    assert audit["after"] == {"file": "spaces.csv", "sha256": digest, **sizes}
    assert event["payload"] == {"id": audit["entity_id"], "entity": "space", **sizes}
    assert "Free desk" not in json.dumps(audit["after"])


def test_two_people_exchange_their_spaces_in_one_file(seated):
    before = ledger_of(seated)

    view = imports.import_people(seated, b"external_id,space\nA,4-2\nB,4-1\n", source="swap.csv")

    assert counts(view) == (0, 2, 0)
    assert [(one.external_id, one.space, one.version) for one in people.list_people(seated)] == [
        ("A", "4-2", 2),
        ("B", "4-1", 2),
    ]
    after = ledger_of(seated)
    bumps = {name: row.desired_version - before[name].desired_version for name, row in after.items()}
    assert bumps == {"4-1": 1, "4-2": 1, "4-3": 0}


def test_any_permutation_of_seats_is_one_import(seated):
    """Rings, chains, and people who stand up for others; each from where the one before left them."""
    imports.import_people(seated, b"external_id,space\nD,4-3\nE,\n")
    for seats in itertools.permutations(["4-1", "4-2", "4-3", ""]):
        rows = [["external_id", "space"], *zip("ABDE", seats, strict=True)]
        before = {one.external_id: one.space for one in people.list_people(seated)}

        view = imports.import_people(seated, written(rows))

        after = {one.external_id: one.space or "" for one in people.list_people(seated)}
        assert after == dict(zip("ABDE", seats, strict=True))
        assert view.updated == sum((before[key] or "") != seat for key, seat in after.items())


def test_a_missing_column_leaves_people_where_they_sit_and_an_empty_cell_unassigns(seated):
    imports.import_people(seated, b"external_id,TITLE\nA,x\n")
    assert (people.show_person(seated, "A").space, people.show_person(seated, "A").data) == (
        "4-1",
        {"TITLE": "x"},
    )

    imports.import_people(seated, b"external_id,space\nA,\n")
    assert (people.show_person(seated, "A").space, people.show_person(seated, "A").data) == (
        None,
        {"TITLE": "x"},
    )


def test_an_empty_cell_clears_a_field_and_a_missing_column_leaves_it(scope):
    imports.import_spaces(scope, b"external_id,TITLE,PHONE\n1,a,03\n2,b,04\n")

    view = imports.import_spaces(scope, b"external_id,TITLE\n1,\n2,b\n")

    assert counts(view) == (0, 1, 1)
    assert spaces.show_space(scope, "1").data == {"PHONE": "03"}


def test_data_of_somebody_without_a_space_touches_no_article(scope):
    view = imports.import_people(scope, b"external_id,TITLE\nA,y\nB,z\n")

    assert (counts(view), ledger_of(scope)) == ((2, 0, 0), {})


def test_what_ends_up_free_is_pushed_first_then_what_is_filled_as_the_file_goes(seated):
    imports.import_spaces(seated, b"external_id\n4-4\n")
    imports.import_people(seated, b"external_id,space\nD,4-4\nA,4-3\nB,4-1\n")

    rows = ledger_of(seated)
    assert sorted(rows, key=lambda key: rows[key].desired_seq) == ["4-2", "4-4", "4-1", "4-3"]


def test_without_a_format_any_plain_name_is_a_column_and_others_are_told(bench):
    scope = bench.organization()
    with scope.runtime.database.write(scope.org_id) as uow:
        organizations.update_organization(uow, scope.org_id, {"article_format": None})
        uow.commit()

    imports.import_spaces(scope, "external_id,COLOR,שם\n1,red,x\n".encode())

    assert spaces.show_space(scope, "1").data == {"COLOR": "red", "שם": "x"}
    with pytest.raises(ImportRejected) as caught:
        imports.import_spaces(scope, b"external_id,TWO WORDS\n1,x\n")
    assert [(one.where, one.code) for one in caught.value.problems] == [("file.csv:1:2", "E-COLUMN-UNKNOWN")]


def test_every_problem_is_found_up_to_a_limit(scope):
    for rows, told in ((5, 5), (MOST_PROBLEMS + 5, MOST_PROBLEMS)):
        with pytest.raises(ImportRejected) as caught:
            imports.import_spaces(scope, b"external_id,TITLE\n" + b",a\n" * rows)
        assert len(caught.value.problems) == told


def test_somebody_new_takes_the_space_of_somebody_who_leaves_and_clears_come_first(seated):
    imports.import_people(seated, b"external_id,space\nD,4-1\nA,4-3\nB,\n", source="people.csv")

    assert {one.external_id: one.space for one in people.list_people(seated)} == {
        "A": "4-3",
        "B": None,
        "D": "4-1",
    }
    rows = ledger_of(seated)
    assert rows["4-2"].desired_seq < min(rows["4-1"].desired_seq, rows["4-3"].desired_seq)


@pytest.mark.parametrize(
    "content",
    [
        b"external_id,space\nD,\nE,4-1\n",
        b"external_id,space\nD,\nE,9-9\n",
        b"external_id,space\nD,4-3\nE,4-3\n",
        b"external_id,TITLE\nD,x\nD,y\n",
        b"external_id,TITLE\nD,x\nE,abc\0\n",
        b"external_id,COLOR\nD,red\n",
        b"TITLE\nx\n",
        b"",
    ],
)
def test_a_file_with_an_error_changes_nothing(seated, content):
    before = everything(seated)

    with pytest.raises(ImportRejected) as caught:
        imports.import_people(seated, content, source="people.csv")

    assert caught.value.details["source"] == "people.csv"
    assert caught.value.problems
    assert everything(seated) == before


def test_a_dry_run_counts_and_changes_nothing(seated):
    before = everything(seated)
    content = b"external_id,space\nA,4-2\nB,4-1\nD,4-3\n"

    view = imports.import_people(seated, content, source="people.csv", dry_run=True)

    assert (counts(view), view.dry_run, view.deleted, view.rejected) == ((1, 2, 0), True, 0, 0)
    assert everything(seated) == before
    assert counts(imports.import_people(seated, content, source="people.csv")) == (1, 2, 0)


def test_a_meeting_from_a_file_turns_the_page_of_the_rooms_labels(scope):
    imports.import_rooms(scope, b"external_id\n3\n4\n", source="rooms.csv")
    labels.link_label(scope, "0848A6EBE2B0", "C3")

    content = b"external_id,meeting_name,start_time,end_time\nC3,Planning,9:00,10:00\n"
    view = imports.import_rooms(scope, content, source="rooms.csv")

    assert counts(view) == (0, 1, 0)
    assert show_label(scope, "0848A6EBE2B0").page == 2
    assert (conferences.show_room(scope, "3").version, conferences.show_room(scope, "4").version) == (2, 1)
    assert {name: row.desired_version for name, row in ledger_of(scope).items()} == {"C3": 2, "C4": 1}


def test_ids_of_rooms_and_spaces_do_not_collide(scope):
    imports.import_rooms(scope, b"external_id\n3\n", source="rooms.csv")
    imports.import_spaces(scope, b"external_id\nC5\n", source="spaces.csv")

    with pytest.raises(ImportRejected):
        imports.import_spaces(scope, b"external_id\nC3\n", source="spaces.csv")
    with pytest.raises(ImportRejected):
        imports.import_rooms(scope, b"external_id\n5\n", source="rooms.csv")


def test_progress_is_told_up_to_the_last_row(scope):
    told = []
    content = b"external_id\n" + b"".join(b"S%d\n" % number for number in range(4500))

    imports.import_spaces(scope, content, source="spaces.csv", progress=lambda *step: told.append(step))

    assert [(step, done) for step, done, _ in told] == [
        ("reading", 1000),
        ("reading", 2000),
        ("reading", 3000),
        ("reading", 4000),
        ("reading", 4500),
        ("comparing", 4500),
        ("writing", 0),
        ("writing", 4500),
    ]


def test_who_may_not_change_facts_imports_nothing(bench, scope):
    with pytest.raises(PermissionRefused):
        imports.import_spaces(bench.as_role(scope, Role.VIEWER), b"external_id\n1\n", source="spaces.csv")
    with pytest.raises(StoreNotFound):
        imports.import_spaces(scope, b"external_id\n1\n", source="spaces.csv", store="009")

    assert spaces.list_spaces(scope) == []


def test_an_import_stays_within_its_organization_and_store(bench):
    acme = bench.organization(store_codes=("001", "002"))
    other = bench.organization("OTHER")
    for scope, store in ((acme, "001"), (acme, "002"), (other, "001")):
        imports.import_spaces(scope, b"external_id,TITLE\n4-1,x\n", source="spaces.csv", store=store)
        imports.import_people(scope, b"external_id,space\nA,4-1\n", source="people.csv", store=store)
    imports.import_people(acme, b"external_id,space\nA,\n", source="people.csv", store="002")

    assert [(one.store, one.space) for one in people.list_people(acme)] == [("001", "4-1"), ("002", None)]
    assert people.show_person(other, "A").space == "4-1"


@pytest.mark.parametrize(
    ("key", "space", "title"),
    [
        ("", "", "x"),
        ("a,b", "", ""),
        ("x" * 51, "", ""),
        ("D", "4-1", ""),
        ("D", "9-9", ""),
        ("D", "", "a\x07"),
    ],
)
def test_a_row_is_refused_for_the_same_reason_as_a_single_write(seated, key, space, title):
    with pytest.raises(ElectisError) as single:
        # A made-up id stands in for no id at all, so that an empty one is given as blanks.
        people.create_person(seated, key or " ", data={"TITLE": title}, space=space or None)
    content = written([["external_id", "space", "TITLE"], [key, space, title], ["E", "", ""]])
    with pytest.raises(ImportRejected) as bulk:
        imports.import_people(seated, content, source="people.csv")

    (problem,) = bulk.value.problems
    assert problem.code == single.value.code
