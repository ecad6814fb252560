"""The same thousand rows give the same database one by one and in bulk; and history tells how it came about."""

from __future__ import annotations

import csv
import io
import random

import pytest

from electis_cli.db import changesets, trail
from electis_cli.domain.bulk.changes import RowChange
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.conference import Meeting
from electis_cli.services import conferences, labels, people, spaces
from electis_cli.services.bulk.history import list_history
from tests.world.facts import facts_of, ledger_of
from tests.world.importing import import_labels, import_people, import_rooms, import_spaces
from tests.world.planted import HEBREW_PERSON, PERSON

pytestmark = pytest.mark.slow

ROWS = 1000
TITLES = (
    "",
    "",
    "מנהלת",
    'Engineer, "R&D"',
    "e\u0301",
    "  blanks  ",
    "two\nlines",
    "=1+1",
    "0",
    "false",
    "\u00a0",
)
NAMES = ("", PERSON, HEBREW_PERSON)
SPACES = [f"S{number}" for number in range(60)]
PEOPLE = [f"P{number}" for number in range(60)]
ROOMS = [str(number) for number in range(15)]
LABELS = [f"0848A6EBE2{number:02X}" for number in range(20)]


def written(columns, rows):
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue().encode()


# --- rows: drawn, and what the two ways make of them ----------------------------------------------------------------


def draw_spaces(chance, _facts):
    keys = chance.sample(SPACES, 40)
    return ("external_id", "TITLE", "PHONE"), [
        (key, chance.choice(TITLES), chance.choice(("", "03"))) for key in keys
    ]


def draw_people(chance, facts):
    keys = chance.sample(PEOPLE, 40)
    there = [key for _, key in facts["spaces"]]
    staying = {seat for (_, key), (_, seat) in facts["people"].items() if key not in keys}
    free = [space for space in there if space not in staying]
    chance.shuffle(free)
    seats = [*free, *[""] * len(keys)][: len(keys)]
    chance.shuffle(seats)
    return ("external_id", "space", "TITLE", "ITEM_NAME"), [
        (key, seat, chance.choice(TITLES), chance.choice(NAMES))
        for key, seat in zip(keys, seats, strict=True)
    ]


def draw_rooms(chance, _facts):
    rows = []
    for key in chance.sample(ROOMS, 10):
        name = chance.choice(("", "Board", "חדר ישיבות"))
        if chance.random() < 0.5:
            rows.append((f"C{key}" if chance.random() < 0.5 else key, name, "no", "", "", "", ""))
        else:
            rows.append((key, name, "yes", chance.choice(("", "Planning")), "9:00", "10:30", "A; B"))
    return (
        "external_id", "room_name", "has_meeting", "meeting_name", "start_time", "end_time", "participants",
    ), rows  # fmt: skip


def draw_labels(chance, facts):
    shown = [key for _, key in facts["spaces"]] + [f"C{key}" for _, key in facts["rooms"]]
    return ("label", "article"), [(key, chance.choice([*shown, ""])) for key in chance.sample(LABELS, 10)]


def write_spaces(scope, rows):
    known = {one.external_id for one in spaces.list_spaces(scope)}
    for key, title, phone in rows:
        (spaces.update_space if key in known else spaces.create_space)(
            scope, key, data={"TITLE": title, "PHONE": phone}
        )


def write_people(scope, rows):
    known = {one.external_id: one.space for one in people.list_people(scope)}
    # Single writes can not exchange spaces: whoever changes places stands up first.
    for key, seat, *_ in rows:
        if known.get(key) not in {None, seat}:
            people.unassign_person(scope, key)
    for key, seat, title, name in rows:
        data = {"TITLE": title, "ITEM_NAME": name}
        if key in known:
            people.update_person(scope, key, data=data)
            if seat:
                people.assign_person(scope, key, seat)
        else:
            people.create_person(scope, key, data=data, space=seat or None)


def write_rooms(scope, rows):
    known = {one.external_id for one in conferences.list_rooms(scope)}
    for given, name, has_meeting, *meeting in rows:
        key = given.removeprefix("C")
        if key not in known:
            conferences.create_room(scope, given)
        conferences.update_room(scope, key, name=name)
        about = Meeting(
            name=meeting[0], start_time=meeting[1], end_time=meeting[2], participants=meeting[3].split(";")
        )
        conferences.toggle_meeting(
            scope, key, turn_on=has_meeting == "yes", meeting=about if has_meeting == "yes" else None
        )


def write_labels(scope, rows):
    known = {one.label_code for one in labels.list_labels(scope)}
    for key, article in rows:
        if article:
            labels.link_label(scope, key, article)
        elif key in known:
            labels.unlink_label(scope, key)


KINDS = (
    (draw_spaces, write_spaces, import_spaces),
    (draw_people, write_people, import_people),
    (draw_rooms, write_rooms, import_rooms),
    (draw_labels, write_labels, import_labels),
)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_thousand_rows_give_the_same_database_one_by_one_and_in_bulk(bench):
    single, bulk = bench.organization("SINGLE"), bench.organization("BULK")
    chance, count, files = random.Random(7), 0, 0
    while count < ROWS:
        for draw, write, load in KINDS:
            columns, rows = draw(chance, facts_of(bulk))
            view = load(bulk, written(columns, rows))
            assert view.created + view.updated + view.unchanged == len(rows)
            files += view.changeset is not None
            write(single, rows)
            count += len(rows)
            assert facts_of(single) == facts_of(bulk), f"after {count} rows"
            assert wanted(single) == wanted(bulk), f"after {count} rows"

    assert told(bulk) == files, "an import is one audit row, one event and one changeset"
    assert told(single) > files
    assert replayed(single) == replayed(bulk) == flat(facts_of(bulk))


# --- how it came about ----------------------------------------------------------------------------------------------


def wanted(scope):
    """Return what is to be at AIMS."""
    return {key: row.desired_deleted for key, row in ledger_of(scope).items()}


def told(scope):
    """Return how many changesets there are, once audit log and events were seen to tell of nothing else."""
    with scope.runtime.database.read(scope.org_id) as uow:
        audit, events = trail.list_audit(uow), trail.list_events(uow)
    found = list_history(scope)
    assert len(events) >= len(found)
    assert {row["entity_id"] for row in audit if row["entity"] == "changeset"} == {
        one.id for one in found if one.action.endswith(":imported")
    }
    return len(found)


def replayed(scope):
    """Return the facts that all changesets together lead to, oldest first; each has to begin where the last ended."""
    there: dict[tuple[Noun, str], tuple[object, object]] = {}
    with scope.runtime.database.read(scope.org_id) as uow:
        for one in reversed(changesets.list_changesets(uow)):
            rows = list(changesets.rows_of(uow, one.id))
            sizes = {
                "created": sum(row.before is None for row in rows),
                "updated": sum(row.before is not None and row.after is not None for row in rows),
                "deleted": sum(row.after is None for row in rows),
            }
            assert {name: one.counts[name] for name in sizes} == sizes
            assert one.digest
            for row in rows:
                assert there.get((row.noun, row.key), (None, None)) == (row.before, row.space_before), row
                there[row.noun, row.key] = (row.after, row.space_after)
    return {key: value for key, value in there.items() if value[0] is not None}


def flat(facts):
    """Return the facts as changesets keep them."""
    return {
        **{(Noun.SPACE, key): (data, None) for (_, key), data in facts["spaces"].items()},
        **{(Noun.PERSON, key): row for (_, key), row in facts["people"].items()},
        **{(Noun.ROOM, key): (room, None) for (_, key), room in facts["rooms"].items()},
        **{
            (Noun.LABEL, key): ({"article": article}, None)
            for key, (_, article, _) in facts["labels"].items()
        },
    }


def test_a_change_and_its_inverse_cancel_out():
    change = RowChange(Noun.PERSON, "A", "1", {"TITLE": "a"}, None, "4-1", None)

    assert change.inverse() == RowChange(Noun.PERSON, "A", "1", None, {"TITLE": "a"}, None, "4-1")
    assert change.inverse().inverse() == change
