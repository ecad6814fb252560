"""Whatever a database and a file hold: twice is once, undo gives what was before, undo of undo what was after."""

from __future__ import annotations

import csv
import io
import itertools
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.errors import ImportRejected
from electis_cli.services.bulk.undoing import undo
from tests.world.facts import bumped, every_row, facts_of, ledger_of
from tests.world.importing import import_content
from tests.world.planted import HEBREW_PERSON, PERSON

pytestmark = pytest.mark.slow

SPACES = tuple(f"4-{number}" for number in range(1, 7))
PEOPLE = tuple(f"P{number}" for number in range(1, 7))
ROOMS = ("1", "2", "3")
LABELS = tuple(f"0848A6EBE2B{number}" for number in range(5))
TITLES = ("", "a", "b", "ראש צוות")
names = st.sampled_from((None, PERSON, HEBREW_PERSON))
titles = st.sampled_from(TITLES)
numbers = itertools.count(1)

steps = settings(
    max_examples=int(os.environ.get("ELECTIS_TEST_UNDOS", "25")),
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def csv_of(columns, rows):
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue().encode()


@st.composite
def worlds(draw):
    """A store: some spaces, people with and without a seat, rooms with and without a meeting, labels that show them."""
    there = draw(st.lists(st.sampled_from(SPACES), min_size=1, unique=True))
    everybody = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    seats = draw(st.permutations([*there, *[""] * len(everybody)]))[: len(everybody)]
    rooms = draw(st.lists(st.sampled_from(ROOMS), unique=True))
    shown = [*there, *(f"C{room}" for room in rooms)]
    labels = draw(st.lists(st.sampled_from(LABELS), unique=True))
    return (
        (Noun.SPACE, csv_of(("external_id", "TITLE"), [(one, draw(titles)) for one in there])),
        (
            Noun.PERSON,
            csv_of(
                ("external_id", "space", "ITEM_NAME"),
                [(one, seat, draw(names) or "") for one, seat in zip(everybody, seats, strict=True)],
            ),
        ),
        (Noun.ROOM, csv_of(("external_id", "meeting_name"), [(one, draw(titles)) for one in rooms])),
        (Noun.LABEL, csv_of(("label", "article"), [(one, draw(st.sampled_from(shown))) for one in labels])),
    )


@st.composite
def files(draw):
    """A file of one noun: rows that may be right or wrong, changing, creating, swapping, clearing."""
    noun = draw(st.sampled_from([Noun.SPACE, Noun.PERSON, Noun.PERSON, Noun.ROOM, Noun.LABEL]))
    if noun is Noun.SPACE:
        keys, cells, columns = st.sampled_from(SPACES), (titles, titles), ("external_id", "TITLE", "PHONE")
    elif noun is Noun.PERSON:
        seats = st.sampled_from((*SPACES, *SPACES, "", "9-9"))
        keys, cells, columns = st.sampled_from(PEOPLE), (seats, titles), ("external_id", "space", "TITLE")
    elif noun is Noun.ROOM:
        keys, cells = st.sampled_from(ROOMS), (titles, st.sampled_from(("yes", "no", "yes", "?")))
        columns = ("external_id", "room_name", "has_meeting")
    else:
        shown = st.sampled_from((*SPACES, "C1", "C2", "", "9-9"))
        keys, cells, columns = st.sampled_from(LABELS), (shown,), ("label", "article")
    width = draw(st.integers(1, len(cells)))
    rows = draw(st.lists(st.tuples(keys, *cells[:width]), max_size=8))
    if draw(st.booleans()):  # mostly files without a key twice, else little is left of them
        rows = list({row[0]: row for row in rows}.values())
    return noun, csv_of(columns[: width + 1], rows)


def new_store(bench, world):
    scope = bench.organization(f"ORG{next(numbers)}")
    for noun, content in world:
        import_content(noun, scope, content)
    return scope


def options_of(noun, mode):
    options = {"mode": mode, "skip_errors": mode is not Mode.REPLACE, "max_deletes": 1000}
    return {**options, "unassign": True} if noun is Noun.SPACE else options


def check_ledger(scope):
    """Every space and room has an article that is wanted, and nothing else has."""
    facts = facts_of(scope)
    wanted = {key for _, key in facts["spaces"]} | {f"C{key}" for _, key in facts["rooms"]}
    assert {key for key, row in ledger_of(scope).items() if not row.desired_deleted} == wanted


@steps
@given(worlds(), files(), st.sampled_from(list(Mode)))
def test_undo_after_any_import_gives_the_facts_before_it_and_undo_of_undo_those_after(
    bench, world, file, mode
):
    scope, (noun, content) = new_store(bench, world), file
    before, rows_before = facts_of(scope), ledger_of(scope)
    untouched = every_row(scope)
    try:
        view = import_content(noun, scope, content, **options_of(noun, mode))
    except ImportRejected:
        assert every_row(scope) == untouched
        return
    if view.changeset is None:
        assert every_row(scope) == untouched
        assert (view.created, view.updated, view.deleted) == (0, 0, 0)
        return
    after, rows_after = facts_of(scope), ledger_of(scope)
    assert after != before
    check_ledger(scope)

    undone = undo(scope, view.changeset)

    assert facts_of(scope) == before
    assert (undone.kept, undone.kept_rows) == (0, [])
    assert (undone.created, undone.deleted) == (view.deleted, view.created)
    touched = bumped(rows_before, rows_after)
    assert set(touched.values()) <= {1}, "each article once"
    assert bumped(rows_after, ledger_of(scope)) == touched, "what was pushed is pushed again"
    check_ledger(scope)

    redone = undo(scope, undone.changeset)

    assert facts_of(scope) == after
    assert redone.kept == 0
    check_ledger(scope)


@steps
@given(worlds(), files(), st.sampled_from([Mode.UPSERT, Mode.UPDATE, Mode.REPLACE]))
def test_any_file_that_was_imported_changes_nothing_the_second_time(bench, world, file, mode):
    scope, (noun, content) = new_store(bench, world), file
    options = options_of(noun, mode) | {"skip_errors": False}
    try:
        import_content(noun, scope, content, **options)
    except ImportRejected:
        return
    before = every_row(scope)

    again = import_content(noun, scope, content, **options)

    assert (again.created, again.updated, again.deleted, again.changeset) == (0, 0, 0, None)
    assert again.unchanged == content.count(b"\n") - 1
    assert every_row(scope) == before
