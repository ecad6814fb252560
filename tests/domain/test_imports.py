"""Import files: what is read, what is refused and where, and the plans made of it."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.articles import clean_text
from electis_cli.domain.conference import Room
from electis_cli.domain.errors import ImportRejected
from electis_cli.domain.imports import MOST_PROBLEMS, Findings, Noun, read_table
from electis_cli.domain.people import Person
from electis_cli.domain.planning import Ground, plan_people, plan_rooms, plan_spaces
from electis_cli.domain.spaces import Space
from tests.world.organizations import FORMAT

SETTABLE = [column for column in FORMAT.content_columns if column != FORMAT.id_column]
SPACES = {name: Space(id=name, store_id="st", external_id=name) for name in ("4-1", "4-2", "4-3")}


def ground(article_format=FORMAT):
    numbers = itertools.count(1)
    return Ground(
        store_id="st", article_format=article_format, room_prefix="C", new_id=lambda: f"new-{next(numbers)}"
    )


def written(rows):
    """Return rows as the bytes of a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def plan(noun, content, current=(), *, article_format=FORMAT, others=()):
    """Read a file and plan it; `others` are the rooms of a file of spaces and the spaces of a file of rooms."""
    findings = Findings("file.csv")
    table = read_table(content, noun, article_format, findings)
    by_id = {row.external_id: row for row in current}
    if noun is Noun.SPACE:
        made = plan_spaces(table, by_id, set(others), ground(article_format), findings)
    elif noun is Noun.PERSON:
        made = plan_people(table, by_id, SPACES, ground(article_format), findings)
    else:
        made = plan_rooms(table, by_id, set(others), ground(article_format), findings)
    findings.check()
    return made


def refused(noun, content, current=(), **options):
    """Return what is wrong with a file, as (line, column, code)."""
    with pytest.raises(ImportRejected) as caught:
        plan(noun, content, current, **options)
    return [(item.line, item.column, item.code) for item in caught.value.problems]


def carried_out(made, current=()):
    """Return the rows as they are after a plan."""
    rows = {row.external_id: row for row in current}
    for change in made.changes:
        rows[change.after.external_id] = replace(change.after, version=change.after.version + 1)
    return list(rows.values())


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"external_id,TITLE\n1,a\n2,b\n",
        b"\xef\xbb\xbfexternal_id,TITLE\r\n1,a\r\n2,b",
        b"external_id,TITLE\r1,a\r2,b\r",
        b'\n"external_id", TITLE\n\n1,a\n,\n2,b\n\n',
        b"ARTICLE_ID,TITLE,_line,_message\n1,a,7,wrong\n2,b,8,\n",
        b"TITLE,external_id\na,1\nb,2\n",
    ],
)
def test_these_files_say_the_same(content):
    made = plan(Noun.SPACE, content)

    assert [(space.external_id, space.data) for space in made.created] == [
        ("1", {"TITLE": "a"}),
        ("2", {"TITLE": "b"}),
    ]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", (1, 1, "E-FILE-EMPTY")),
        (b"\xef\xbb\xbf", (1, 1, "E-FILE-EMPTY")),
        (b"\n\n  \n", (1, 1, "E-FILE-EMPTY")),
        (b"TITLE\nx\n", (1, 1, "E-COLUMN-MISSING")),
        (b"external_id;TITLE\n1;x\n", (1, 1, "E-COLUMN-MISSING")),
        (b"external_id\tTITLE\n1\tx\n", (1, 1, "E-COLUMN-MISSING")),
        (b"external_id,COLOR\n1,red\n", (1, 2, "E-COLUMN-UNKNOWN")),
        (b"external_id,STORE_ID\n1,001\n", (1, 2, "E-COLUMN-UNKNOWN")),
        (b"external_id,room_name\n1,x\n", (1, 2, "E-COLUMN-UNKNOWN")),
        (b"external_id,TITLE,\n1,x,\n", (1, 3, "E-INPUT")),
        (b"external_id,TITLE,TITLE\n1,x,y\n", (1, 3, "E-COLUMN-TWICE")),
        (b"external_id,ARTICLE_ID\n1,1\n", (1, 2, "E-COLUMN-TWICE")),
        (b"external_id,TITLE\n1,x\n2\n", (3, 2, "E-CELLS")),
        (b"external_id,TITLE\n1,x,y\n", (2, 3, "E-CELLS")),
        (b"external_id,TITLE\n,x\n", (2, 1, "E-INPUT")),
        (b'external_id,TITLE\n"1,2",x\n', (2, 1, "E-INPUT")),
        (b"external_id,TITLE\n" + b"1" * 51 + b",x\n", (2, 1, "E-INPUT")),
        (b"external_id,TITLE\n1,a\x07b\n", (2, 2, "E-INPUT")),
        (b"external_id,NFC_URL\n1," + b"u" * 255 + b"\n", (2, 2, "E-INPUT")),
        (b"external_id,TITLE\n1,x\n2,y\n1,z\n", (4, 1, "E-KEY-TWICE")),
        (b'external_id,TITLE\n1,"a\nb"\n2,y\n1,z\n', (5, 1, "E-KEY-TWICE")),
        (b'external_id,TITLE\n1,x\n2,"y\n3,z\n', (3, None, "E-NOT-CSV")),
        (b'external_id,TITLE\n1,"x"y\n', (2, None, "E-NOT-CSV")),
        (b"external_id,TITLE\n1," + b"x" * 140_000 + b"\n", (2, None, "E-NOT-CSV")),
        (b"external_id,TITLE\n1,abc\xe9\n", (2, 2, "E-ENCODING")),
        (b'\xef\xbb\xbfexternal_id,TITLE\r\n1,"a,b\r\nc",\r\n2\xff,x\r\n', (4, 1, "E-ENCODING")),
        ("external_id,TITLE\n1,דנה\n".encode("cp1255"), (2, 2, "E-ENCODING")),
        (b"external_id,TITLE\n1,a\x00b\n", (2, 2, "E-NOT-CSV")),
        ("external_id,TITLE\n".encode("utf-16"), (1, 1, "E-NOT-CSV")),
        (b"PK\x03\x04\x14\x00", (1, 1, "E-NOT-CSV")),
        (b"%PDF-1.7\n", (1, 1, "E-NOT-CSV")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_points_at_its_place(content, place):
    assert refused(Noun.SPACE, content) == [place]


def test_the_later_of_two_rows_for_one_key_is_the_error_and_names_both_lines():
    with pytest.raises(ImportRejected) as caught:
        plan(Noun.SPACE, b"external_id\n1\n2\n 1 \n")

    assert "Lines 2 and 4" in caught.value.problems[0].message


def test_every_problem_is_found_and_none_beyond_the_limit():
    content = b"external_id,TITLE\n" + b"".join(b"%d,a\x07\n" % number for number in range(1, 6))
    assert len(refused(Noun.SPACE, content)) == 5

    content = b"external_id,TITLE\n" + b",a\n" * (MOST_PROBLEMS + 5)
    assert len(refused(Noun.SPACE, content)) == MOST_PROBLEMS


def test_without_a_format_any_plain_name_is_a_column():
    made = plan(Noun.SPACE, "external_id,COLOR,שם\n1,red,x\n".encode(), article_format=None)

    assert made.created[0].data == {"COLOR": "red", "שם": "x"}
    place = refused(Noun.SPACE, b"external_id,TWO WORDS\n1,x\n", article_format=None)
    assert place == [(1, 2, "E-COLUMN-UNKNOWN")]


def problems(noun, content):
    """Return what is wrong with a file, or nothing."""
    try:
        plan(noun, content)
    except ImportRejected as error:
        return error.problems
    return None


@given(st.binary(max_size=200), st.sampled_from(list(Noun)))
def test_random_bytes_are_read_or_refused_and_nothing_else(content, noun):
    for data in (content, b"external_id,TITLE\n" + content, b"external_id,space\n1," + content):
        found = problems(noun, data)
        assert found is None or all(problem.line for problem in found)
        assert found != ()


@given(st.text(st.sampled_from('ab1,;"\n\r\t \x00é'), max_size=60), st.sampled_from(list(Noun)))
def test_texts_that_are_nearly_csv_are_read_or_refused(text, noun):
    assert problems(noun, f"external_id,TITLE\n{text}".encode()) != ()


# --- spaces ---------------------------------------------------------------------------------------------------------

keys = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=","), min_size=1, max_size=12
).filter(str.strip)
cells = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12) | st.just("a\nb\t\"c\", 'd'")


@st.composite
def files_of_spaces(draw):
    columns = draw(st.lists(st.sampled_from(SETTABLE), unique=True))
    width = len(columns)
    rows = draw(st.lists(st.tuples(keys, st.lists(cells, min_size=width, max_size=width)), max_size=8))
    seen, kept = set(), []
    for key, values in rows:
        if clean_text(key) not in seen:
            seen.add(clean_text(key))
            kept.append([key, *values])
    return written([["external_id", *columns], *kept]), len(kept)


@given(files_of_spaces())
def test_a_file_that_was_imported_changes_nothing_the_second_time(file):
    content, size = file
    first = plan(Noun.SPACE, content)
    second = plan(Noun.SPACE, content, carried_out(first))

    assert len(first.created) == len(first.articles) == size
    assert (second.changes, second.articles, second.unchanged) == ((), (), size)
    assert all(value for space in first.created for value in space.data.values())


def test_a_missing_column_leaves_the_field_and_an_empty_cell_clears_it():
    before = Space(id="s", store_id="st", external_id="1", data={"TITLE": "a", "PHONE": "03"}, version=4)

    made = plan(Noun.SPACE, b"external_id,TITLE\n1,\n", [before])

    assert made.updated == [replace(before, data={"PHONE": "03"})]
    assert made.articles == ("1",)


def test_a_space_can_not_take_a_rooms_article_id():
    assert refused(Noun.SPACE, b"external_id\nC3\n", others=["3"]) == [(2, 1, "E-ARTICLE-ID-TAKEN")]
    assert plan(Noun.SPACE, b"external_id\nC4\n", others=["3"]).articles == ("C4",)


# --- people ---------------------------------------------------------------------------------------------------------


def somebody(external_id, space=None, **data):
    return Person(id=external_id, store_id="st", external_id=external_id, data=data, assigned_space=space)


def test_two_people_exchange_their_spaces():
    current = [somebody("A", "4-1"), somebody("B", "4-2")]

    made = plan(Noun.PERSON, b"external_id,space\nA,4-2\nB,4-1\n", current)

    assert [(person.external_id, person.assigned_space) for person in made.updated] == [
        ("A", "4-2"),
        ("B", "4-1"),
    ]
    assert made.moved_people == current
    assert sorted(made.articles) == ["4-1", "4-2"]


def test_spaces_that_end_up_free_are_pushed_first_and_each_once():
    current = [somebody("A", "4-1"), somebody("B", "4-2"), somebody("D", None)]

    made = plan(Noun.PERSON, b"external_id,space\nD,4-3\nA,4-2\nB,\n", current)

    assert made.articles == ("4-1", "4-3", "4-2")


def test_an_empty_cell_unassigns_and_a_missing_column_leaves_people_where_they_sit():
    current = [somebody("A", "4-1", TITLE="x")]

    assert plan(Noun.PERSON, b"external_id,space\nA,\n", current).updated[0].assigned_space is None
    made = plan(Noun.PERSON, b"external_id,TITLE\nA,y\n", current)
    assert made.updated[0].assigned_space == "4-1"
    assert made.articles == ("4-1",)


def test_data_of_somebody_without_a_space_touch_no_article():
    made = plan(Noun.PERSON, b"external_id,TITLE\nA,y\nB,z\n", [somebody("A")])

    assert (len(made.created), len(made.updated), made.articles) == (1, 1, ())


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"external_id,space\nB,4-1\n", (2, 2, "E-SPACE-TAKEN")),
        (b"external_id,space\nB,9-9\n", (2, 2, "E-SPACE-NOT-FOUND")),
        (b"external_id,space\nB,4-2\nD,4-2\n", (3, 2, "E-SPACE-TWICE")),
        (b"external_id,space\nB,4-1\nA,4-1\n", (3, 2, "E-SPACE-TWICE")),
        (b"external_id,space\nA,4-1\nB,4-1\n", (3, 2, "E-SPACE-TWICE")),
    ],
)
def test_a_space_is_given_once_and_not_taken_from_people_outside_the_file(content, place):
    assert refused(Noun.PERSON, content, [somebody("A", "4-1")]) == [place]


@given(st.permutations(["4-1", "4-2", "4-3", ""]))
def test_any_permutation_of_seats_is_one_import(seats):
    current = [somebody("A", "4-1"), somebody("B", "4-2"), somebody("D", "4-3"), somebody("E")]
    content = written(
        [["external_id", "space"], *([name, seat] for name, seat in zip("ABDE", seats, strict=True))]
    )

    after = {
        person.external_id: person.assigned_space
        for person in carried_out(plan(Noun.PERSON, content, current), current)
    }

    assert [after[name] or "" for name in "ABDE"] == seats


# --- conference rooms -----------------------------------------------------------------------------------------------

ROOM = Room(id="r", store_id="st", external_id="3", room_name="Galileo")
BUSY = replace(
    ROOM,
    has_meeting=True,
    meeting_name="Planning",
    start_time="09:00",
    end_time="10:00",
    participants=("A", "B"),
)


def test_a_room_is_created_with_its_default_name_and_page():
    made = plan(Noun.ROOM, b"external_id\nC7\n8\n")

    assert [(room.external_id, room.room_name) for room in made.created] == [
        ("7", "Conference 7"),
        ("8", "Conference 8"),
    ]
    assert made.articles == ("C7", "C8")
    assert made.pages == {"C7": 1, "C8": 1}


@pytest.mark.parametrize(
    "content",
    [
        b"external_id,meeting_name,start_time,end_time,participants\n3,Planning,9:00,10:00,A; B;\n",
        b"external_id,has_meeting,meeting_name,start_time,end_time,participants\nC3,Yes,Planning,09:00,10:00,A;B\n",
        "external_id,has_meeting,meeting_name,start_time,end_time,participants\n3,כן,Planning,09:00,10:00,A;B\n".encode(),
    ],
)
def test_a_meeting_is_turned_on(content):
    made = plan(Noun.ROOM, content, [ROOM])

    assert made.updated == [BUSY]
    assert made.pages == {"C3": 2}


@pytest.mark.parametrize("word", ["no", "FALSE", "0", "off", ""])
def test_a_meeting_is_turned_off_and_cleared(word):
    made = plan(Noun.ROOM, f"external_id,has_meeting\n3,{word}\n".encode(), [BUSY])

    assert made.updated == [ROOM]
    assert made.pages == {"C3": 1}


def test_empty_cells_clear_fields_of_a_running_meeting():
    made = plan(Noun.ROOM, b"external_id,meeting_name,participants\n3,,\n", [BUSY])

    assert made.updated == [replace(BUSY, meeting_name=None, participants=())]


def test_a_room_that_is_as_the_file_says_is_unchanged():
    content = (
        b"external_id,room_name,has_meeting,meeting_name,start_time,end_time,participants\n3,Galileo,no,,,,\n"
    )

    assert plan(Noun.ROOM, content, [ROOM]).unchanged == 1


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (b"external_id,start_time,end_time\n3,25:99,26:00\n", [(2, 2, "E-TIME"), (2, 3, "E-TIME")]),
        (b"external_id,start_time,end_time\n3,10:00,09:00\n", [(2, 3, "E-TIME")]),
        (b"external_id,start_time\n3,10:00\n", [(2, 2, "E-TIME")]),
        (b"external_id,has_meeting\n3,perhaps\n", [(2, 2, "E-INPUT")]),
        (b"external_id,has_meeting,meeting_name\n3,no,Planning\n", [(2, 3, "E-INPUT")]),
        (b"external_id,meeting_name\n3,a\x07\n", [(2, 2, "E-INPUT")]),
        (b"external_id,TITLE\n3,x\n", [(1, 2, "E-COLUMN-UNKNOWN")]),
        (b"external_id\n3\nC3\n", [(3, 1, "E-KEY-TWICE")]),
        (b"external_id\n5\n", [(2, 1, "E-ARTICLE-ID-TAKEN")]),
    ],
)
def test_rows_of_rooms_that_are_wrong(content, places):
    assert refused(Noun.ROOM, content, [ROOM], others=["C5"]) == places
