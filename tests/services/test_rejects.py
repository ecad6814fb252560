"""Rows that are wrong are left out and written down, so that they can be put right and imported as they are."""

from __future__ import annotations

import csv
import io
import itertools
import json

import pytest
import xlsxwriter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from electis_cli.adapters.tables.rejects import TOO_FEW
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import Tolerance
from electis_cli.domain.errors import ImportRejected
from electis_cli.services import people
from electis_cli.services.bulk.seating import seat_people
from tests.world.facts import every_row, facts_of
from tests.world.importing import import_content, import_people, import_spaces
from tests.world.planted import HEBREW_PERSON, PERSON

pytestmark = pytest.mark.slow

HEADER = ("external_id", "space", "ITEM_NAME", "TITLE")
REASONS = ("_line", "_column", "_code", "_message", "_hint")
numbers = itertools.count(1)


def fill(scope):
    import_spaces(scope, b"external_id\n4-1\n4-2\n4-3\n4-4\n4-5\n")
    import_people(scope, b"external_id,space\nA,4-1\nB,4-2\nD,4-3\n")
    return scope


def skipping(scope, content, rejects, noun=Noun.PERSON, **options):
    return import_content(noun, scope, content, skip_errors=True, job={"rejects": rejects}, **options)


def read(path, delimiter=","):
    """Return the rows of a reject file by their columns; what is beyond the header is under None."""
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def seats(scope):
    return {one.external_id: one.space for one in people.list_people(scope)}


def test_wrong_rows_are_left_out_written_down_and_the_others_imported(scope, tmp_path):
    fill(scope)
    rejects = tmp_path / "rejects.csv"
    content = f"external_id,space,TITLE\nE,9-9,{PERSON}\nF,4-4,x\n,4-5,y\nG,4-1,\x07\nA,,z\nF,,again\n"

    view = skipping(scope, content.encode(), rejects)

    assert (view.created, view.updated, view.rejected) == (1, 1, 4)
    assert seats(scope) == {"A": None, "B": "4-2", "D": "4-3", "F": "4-4"}
    rows = read(rejects)
    assert list(rows[0]) == ["external_id", "space", "TITLE", *REASONS]
    assert [
        (row["_line"], row["_column"], row["_code"], row["external_id"], row["TITLE"]) for row in rows
    ] == [
        ("2", "2", "E-SPACE-NOT-FOUND", "E", PERSON),
        ("4", "1", "E-INPUT", "", "y"),
        ("5", "3", "E-INPUT", "G", "\x07"),
        ("7", "1", "E-KEY-TWICE", "F", "again"),
    ]
    assert rows[0]["_message"] == "There is no space 9-9 in this store."
    assert rows[3]["_message"] == "Lines 3 and 7 are both about person F; keep one of them."
    assert [problem.where for problem in view.problems] == [
        "file.csv:2:2", "file.csv:4:1", "file.csv:5:3", "file.csv:7:1",
    ]  # fmt: skip


def test_rejects_that_are_put_right_are_imported_as_they_are(scope, tmp_path):
    fill(scope)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    skipping(scope, b"external_id,space,TITLE\nE,9-9,=1+1\nF,4-1,007\n", first)
    put_right = first.read_bytes().replace(b"'9-9", b"4-5").replace(b"F,'4-1", b"F,'4-4")

    view = skipping(scope, put_right, second)

    assert (view.created, view.rejected, read(second)) == (2, 0, []), "only the header is left"
    assert {key: seat for key, seat in seats(scope).items() if key in "EF"} == {"E": "4-5", "F": "4-4"}
    assert [people.show_person(scope, key).data["TITLE"] for key in "EF"] == ["=1+1", "007"]


@pytest.mark.parametrize("stops", [True, False])
def test_a_file_that_is_refused_as_a_whole_leaves_its_rejects_too(scope, tmp_path, stops):
    fill(scope)
    before, rejects = every_row(scope), tmp_path / "rejects.csv"
    options = {} if stops else {"skip_errors": True, "tolerance": Tolerance(count=1)}

    with pytest.raises(ImportRejected) as caught:
        import_content(
            Noun.PERSON,
            scope,
            b"external_id,space\nE,9-9\nF,4-4\nG,9-8\n",
            job={"rejects": rejects},
            **options,
        )

    assert [row["external_id"] for row in read(rejects)] == ["E", "G"]
    assert every_row(scope) == before
    if not stops:
        assert caught.value.message == "file.csv has 2 wrong rows of 3; nothing was written."
        assert caught.value.why == "At most 1 may be left out (--max-errors)."


@pytest.mark.parametrize(
    ("tolerance", "allowed"), [("count", 1), ("count", 2), ("share", 0.5), ("share", 0.7)]
)
def test_so_many_rows_may_be_wrong_and_no_more(scope, tolerance, allowed):
    fill(scope)
    content = b"external_id,space\nE,9-9\nF,4-4\nG,9-8\n"
    options = {"skip_errors": True, "tolerance": Tolerance(**{tolerance: allowed})}

    if allowed in {2, 0.7}:
        assert import_people(scope, content, **options).created == 1
    else:
        with pytest.raises(ImportRejected):
            import_people(scope, content, **options)
        assert set(seats(scope)) == {"A", "B", "D"}


CHAINS = {
    # Who was to leave stays, so that who was to follow is wrong too, and so on.
    "one follows one": ("A,9-9\nB,4-1\n", {2, 3}, {}),
    "a chain of three": ("A,9-9\nB,4-1\nD,4-2\n", {2, 3, 4}, {}),
    "a chain that ends at somebody right": (
        "A,4-4\nB,4-1\nD,4-2\n",
        set(),
        {"A": "4-4", "B": "4-1", "D": "4-2"},
    ),
    "a ring with one that is wrong": ("A,4-2,\x07\nB,4-3,\nD,4-1,\n", {2, 3, 4}, {}),
    "a ring beside somebody who is wrong": ("A,4-2\nB,4-1\nE,9-9\n", {4}, {"A": "4-2", "B": "4-1"}),
    "two who want one free space": ("E,4-4\nF,4-4\nA,4-5\n", {3}, {"E": "4-4", "A": "4-5"}),
    "somebody stays who has a key twice": ("A,4-4\nA,4-5\nB,4-1\n", {3}, {"A": "4-4", "B": "4-1"}),
    "the file turned around": ("D,4-2\nB,4-1\nA,9-9\n", {2, 3, 4}, {}),
}


@pytest.mark.parametrize(("rows", "wrong", "moved"), CHAINS.values(), ids=CHAINS)
def test_whoever_depends_on_a_wrong_row_is_wrong_too(scope, tmp_path, rows, wrong, moved):
    fill(scope)
    columns = "external_id,space,TITLE" if rows.split("\n")[0].count(",") == 2 else "external_id,space"
    rejects = tmp_path / "rejects.csv"

    view = skipping(scope, f"{columns}\n{rows}".encode(), rejects)

    assert seats(scope) == {"A": "4-1", "B": "4-2", "D": "4-3", **moved}
    assert ({problem.line for problem in view.problems}, view.rejected) == (wrong, len(wrong))
    assert ({int(row["_line"]) for row in read(rejects)} if wrong else set()) == wrong


def test_seats_that_can_not_be_given_are_left_out_when_asked_to(scope):
    fill(scope)

    view = seat_people(
        scope,
        lambda _read, _place: [("A", "4-2"), ("B", "4-1"), ("Z", "4-4"), ("D", "9-9")],
        verb="restored",
        source="x",
        others_stand_up=True,
        skip_errors=True,
    )

    assert view.rejected == 2
    assert seats(scope) == {"A": "4-2", "B": "4-1", "D": None}


# --- whatever is wrong, in every kind of file -----------------------------------------------------------------------


def as_csv(rows, delimiter=",", encoding="utf-8"):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(rows):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    return content.getvalue()


def as_json_lines(rows):
    header, *others = rows
    objects = [dict(zip(header, row, strict=False)) for row in others]
    return "".join(json.dumps(one) + "\n" for one in objects).encode()


KINDS = {
    "csv": as_csv,
    "tsv": lambda rows: as_csv(rows, "\t", "utf-16"),
    "semicolons": lambda rows: as_csv(rows, ";", "utf-8-sig"),
    "xlsx": as_xlsx,
    "jsonl": as_json_lines,
}
rows = st.lists(
    st.tuples(
        st.sampled_from(("A", "B", "D", "E", "F", "", "a,b", "x" * 51, "=1+1", "007")),
        st.sampled_from(("4-1", "4-2", "4-3", "4-4", "4-5", "", "9-9", "+4")),
        st.sampled_from(("", PERSON, HEBREW_PERSON, "=cmd()", "'quoted", "-1", "a\nb", "@x", 'say "no"')),
        st.sampled_from(("", "x", "\u200f@", "'=x")),
        st.sampled_from((4, 4, 4, 4, 4, 3, 5)),  # how many cells the row has
    ),
    min_size=1,
    max_size=8,
    # Of two rows for one key or one space the later is written down alone, and is right without the earlier one.
    unique_by=(lambda row: row[0].strip() or object(), lambda row: row[1] or object()),
)


def comparable(path, kind):
    """Return the rejects of a file without where they stood, because that is another line the next time."""
    if kind == "jsonl":
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            {key: value for key, value in one.items() if key not in {"_line", "_message"}} for one in found
        ]
    delimiter = {"tsv": "\t", "semicolons": ";"}.get(kind, ",")
    return [
        {
            key: value
            for key, value in row.items()
            # Which cell is too much is another place too, behind the columns that tell what is wrong.
            if key not in {"_line", "_message"} and (key, row["_code"]) != ("_column", "E-CELLS")
        }
        for row in read(path, delimiter)
    ]


@settings(
    max_examples=25,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(sorted(KINDS)), rows)
def test_rejects_that_nobody_put_right_say_the_same_when_imported_again(bench, tmp_path, kind, rows):
    number = next(numbers)
    scope = fill(bench.organization(f"ORG{number}"))
    cells = [[*row[:4], "beyond"][: row[4] if kind != "jsonl" else min(row[4], 4)] for row in rows]
    content = KINDS[kind]([HEADER, *cells])
    first, second, third = (tmp_path / f"{number}-{name}" for name in ("first", "second", "third"))
    view = skipping(scope, content, first)
    if not view.rejected:
        return
    before = facts_of(scope)

    again = skipping(scope, first.read_bytes(), second)

    assert (again.changeset, again.rejected, again.unchanged) == (None, view.rejected, 0)
    assert facts_of(scope) == before
    assert comparable(second, kind) == comparable(first, kind)
    skipping(scope, second.read_bytes(), third)
    assert third.read_bytes() == second.read_bytes(), "now the lines are the same too"


def test_a_row_with_too_few_cells_stays_incomplete_until_somebody_completes_it(scope, tmp_path):
    fill(scope)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    skipping(scope, b"external_id,space,TITLE\nA,4-4\n", first)
    assert TOO_FEW in first.read_text(encoding="utf-8-sig")

    assert skipping(scope, first.read_bytes(), second).rejected == 1
    assert seats(scope)["A"] == "4-1"
    assert skipping(scope, first.read_bytes().replace(TOO_FEW.encode(), b""), second).updated == 1
    assert seats(scope)["A"] == "4-4"
