"""A file that was damaged on its way is imported as what it says, or refused; it never does half of anything."""

from __future__ import annotations

import io
import itertools
import json
import random

import pytest
import xlsxwriter
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from electis_cli.domain.articles import LONGEST_ID, clean_text
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.errors import ImportRejected, InvalidInput
from electis_cli.services.bulk.undoing import undo
from tests.world.facts import every_row, facts_of
from tests.world.importing import import_content, import_people, import_rooms, import_spaces
from tests.world.organizations import FORMAT
from tests.world.planted import HEBREW_PERSON, PERSON

pytestmark = pytest.mark.slow

ROWS = [
    ("external_id", "space", "ITEM_NAME", "TITLE"),
    ("A", "4-2", PERSON, "Head, R&D"),
    ("B", "4-1", HEBREW_PERSON, 'says "no"'),
    ("007", "", "Zoë", "two\nlines"),
    ("E", "4-3", "Jan", "=1+1"),
]


def as_csv(encoding="utf-8", delimiter=","):
    def quoted(cell):
        return '"' + cell.replace('"', '""') + '"' if set(cell) & {delimiter, '"', "\n"} else cell

    return "".join(delimiter.join(map(quoted, row)) + "\r\n" for row in ROWS).encode(encoding)


def as_xlsx():
    content = io.BytesIO()
    # Without compression a damaged byte is also a damaged cell, not only a damaged archive.
    with xlsxwriter.Workbook(content, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(ROWS):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    return content.getvalue()


def as_json_lines():
    objects = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()


FILES = {
    "csv": as_csv(),
    "csv with a mark": as_csv("utf-8-sig"),
    "tsv": as_csv(delimiter="\t"),
    "utf-16": as_csv("utf-16"),
    "cp1255": "\r\n".join(",".join(row) for row in (ROWS[0], ("A", "4-2", HEBREW_PERSON, "x"))).encode(
        "cp1255"
    ),
    "xlsx": as_xlsx(),
    "jsonl": as_json_lines(),
    "json": b"[" + as_json_lines().strip().replace(b"\n", b",") + b"]",
}
numbers = itertools.count(1)


@st.composite
def damages(draw):
    """Return what is done to a file: bytes changed, put in, taken out, doubled, or all behind a place lost."""
    kind = draw(st.sampled_from(["change", "insert", "delete", "double", "cut", "swap"]))
    place, length = draw(st.floats(0, 1, exclude_max=True)), draw(st.integers(1, 12))
    return kind, place, length, draw(st.binary(min_size=1, max_size=6))


def damaged(content, kind, place, length, new):
    at = int(place * len(content))
    piece = content[at : at + length]
    return {
        "change": content[:at] + new + content[at + len(new) :],
        "insert": content[:at] + new + content[at:],
        "delete": content[:at] + content[at + length :],
        "double": content[:at] + piece + content[at:],
        "cut": content[:at],
        "swap": content[:at] + content[at + length : at + 2 * length] + piece + content[at + 2 * length :],
    }[kind]


def assert_valid(facts):
    """Whatever is stored obeys the rules of single writes: no empty value, no blank id, nobody in one space twice."""
    known = set(FORMAT.columns)
    for (_, key), data in [
        *facts["spaces"].items(),
        *((key, data) for key, (data, _) in facts["people"].items()),
    ]:
        assert 0 < len(key) <= LONGEST_ID
        assert key == clean_text(key)
        assert "," not in key
        assert all(name in known or name.startswith("_") for name in data), data
        assert all(value and value == clean_text(value) for value in data.values()), data
    seats = [seat for _, seat in facts["people"].values() if seat]
    assert len(seats) == len(set(seats))
    assert {("001", seat) for seat in seats} <= set(facts["spaces"])


def new_store(bench):
    scope = bench.organization(f"ORG{next(numbers)}")
    import_spaces(scope, b"external_id,TITLE\n4-1,corner\n4-2,\n4-3,\n")
    import_people(scope, b"external_id,space,TITLE\nA,4-1,x\nB,4-2,y\n")
    import_rooms(scope, b"external_id\n3\n")
    return scope


def attempt(scope, content):
    """Return what an import of people did, or None and what was wrong with the file."""
    try:
        return import_people(scope, content, source="people"), ()
    except ImportRejected as error:
        return None, error.problems


@settings(
    max_examples=60,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(sorted(FILES)), st.lists(damages(), min_size=1, max_size=3))
@example("csv", [("cut", 0.5, 1, b"x")])
@example("jsonl", [("cut", 0.7, 1, b"x")])
def test_a_damaged_file_is_imported_as_what_it_says_or_refused_and_changes_nothing(bench, name, harm):
    content = FILES[name]
    for one in harm:
        content = damaged(content, *one)
    scope = new_store(bench)
    before, rows = facts_of(scope), every_row(scope)

    view, problems = attempt(scope, content)

    if view is None:
        assert problems
        # What is wrong with the file as a whole, or with the keys of JSON, has no place.
        assert all(problem.message and (problem.where or not problem.line) for problem in problems)
        assert every_row(scope) == rows
        return

    after = facts_of(scope)
    assert_valid(after)
    assert (view.rejected, view.problems) == (0, [])
    assert set(before["people"]) <= set(after["people"]), "an import deletes nobody"
    assert len(set(after["people"]) - set(before["people"])) == view.created
    if view.changeset is not None:
        assert undo(scope, view.changeset).kept == 0
    assert facts_of(scope) == before


@pytest.mark.parametrize("noun", [Noun.SPACE, Noun.PERSON, Noun.ROOM, Noun.LABEL])
def test_random_bytes_are_never_imported_as_something_invalid(bench, noun):
    """Bytes and texts that are nearly a file of rows: read or refused, and nothing else."""
    chance = random.Random(noun.value)
    scope = new_store(bench)
    letters = 'ab1,;"\n\r\t \x00é,\n'
    header = {Noun.LABEL: "label,article", Noun.ROOM: "external_id,room_name"}.get(noun, "external_id,TITLE")
    for _ in range(60):
        if chance.random() < 0.5:
            text = "".join(chance.choice(letters) for _ in range(chance.randrange(60))).encode()
            content = f"{header}\n".encode() + text
        else:
            content = chance.randbytes(chance.randrange(1, 200))
        rows = every_row(scope)
        try:
            import_content(noun, scope, content)
        except InvalidInput:
            assert every_row(scope) == rows
        assert_valid(facts_of(scope))
