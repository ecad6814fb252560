"""Exporting: the file holds every row, importing it again changes nothing, and both ways of writing it are equal."""

from __future__ import annotations

import io
import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from electis_cli.adapters.tables.opening import open_table
from electis_cli.adapters.tables.signatures import Kind
from electis_cli.adapters.tables.writing import open_writer
from electis_cli.db import conferences, exporting, labels, organizations, people, spaces, stores, trail, users
from electis_cli.domain.access import Role
from electis_cli.domain.articles import clean_text
from electis_cli.domain.bulk.exports import data_columns
from electis_cli.domain.bulk.nouns import Noun, fields_of
from electis_cli.domain.conference import Meeting, Room
from electis_cli.domain.errors import (
    DatabaseUnavailable,
    InvalidInput,
    PermissionRefused,
    StoreNotFound,
    UsageProblem,
)
from electis_cli.domain.organizations import ColumnMapping, format_to_stored, mapping_to_stored
from electis_cli.domain.people import Person
from electis_cli.domain.spaces import Space
from electis_cli.services import conferences as rooms
from electis_cli.services.bulk import exporting as service
from electis_cli.services.bulk.exporting import Export, export_rows, template_of, write_template
from electis_cli.services.bulk.importing import Import
from electis_cli.services.bulk.user_import import import_users
from tests.world import importing as imports
from tests.world.organizations import FORMAT

WAYS = [
    (Kind.CSV, False),
    (Kind.CSV, True),
    (Kind.TSV, False),
    (Kind.TSV, True),
    (Kind.JSONL, False),
    (Kind.XLSX, False),
]
ODD = "'=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH COMMERCIAL AT}0123456789.:/eE\t\n \";|\\_x\N{HEBREW LETTER ALEF}"
# What a label can show; the last two are what no spreadsheet can hold.
PLAIN = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
VALUES = st.one_of(
    st.text(ODD, max_size=8),
    st.text(PLAIN | st.sampled_from("\t\n"), max_size=20),
    st.sampled_from(["007", "=1+1", "'=1", "''0", "'Dana", "\u202eדנה", "_x0041_", "x" * 1000, "\\.", "1e5"]),
).map(clean_text)
IDS = (
    (st.text(ODD.replace("\t", "").replace("\n", ""), min_size=1, max_size=6) | st.text(PLAIN, max_size=50))
    .map(clean_text)
    .filter(lambda text: 0 < len(text) <= 50 and "," not in text)
)
PRIVATE = st.sampled_from(["_COST", "_", "_עלות", '_a "b"', "_=1", "_%s", "_a b", "_line", "_A  B", "_0"])
GONE = st.sampled_from(["COLOR", "external_id", "space", "ID", "person", "article id", "a b", "'=x"])
# The one column whose length AIMS limits is left out, and the id.
COLUMNS = st.sampled_from([name for name in FORMAT.content_columns if name not in {"ARTICLE_ID", "NFC_URL"}])
NUMBERS = itertools.count(1)
WHY = "a semicolon, which stands between names"


@st.composite
def datasets(draw):
    """Spaces and people of a store as they can be in a database that lives for long."""
    data = st.dictionaries(COLUMNS | PRIVATE | GONE, VALUES.filter(bool), max_size=4)
    seats = draw(st.dictionaries(IDS, data, max_size=6))
    persons = draw(st.dictionaries(IDS, data, max_size=6))
    taken = draw(st.permutations([*seats, *[None] * len(persons)]))
    return seats, {key: (each, taken[at]) for at, (key, each) in enumerate(persons.items())}


def fill(scope, seats, persons):
    """Put rows into the database as they are, around all rules."""
    new_id, now = scope.runtime.new_id, scope.runtime.clock()
    with scope.runtime.database.write(scope.org_id) as uow:
        place = stores.list_stores(uow)[0].id
        made = [Space(id=new_id(), store_id=place, external_id=key, data=data) for key, data in seats.items()]
        spaces.insert_spaces(uow, made, now)
        seated = [
            Person(id=new_id(), store_id=place, external_id=key, data=data, assigned_space=space)
            for key, (data, space) in persons.items()
        ]
        people.insert_people(uow, seated, now)
        uow.commit()


def exported(scope, noun, kind=Kind.CSV, **more):
    out = io.BytesIO()
    view = export_rows(scope, Export(noun=noun, kind=kind, **more), out)
    return out.getvalue(), view


def rows_of(content):
    with open_table(None, io.BytesIO(content), name="file") as table:
        return table.header, [record for _, record in table.records()]


def everything(scope):
    """Return all facts, and how many audit rows there are."""
    with scope.runtime.database.read(scope.org_id) as uow:
        ids = [store.id for store in stores.list_stores(uow)]
        return (
            spaces.list_spaces(uow, ids),
            people.list_people(uow, ids),
            conferences.list_rooms(uow, ids),
            labels.list_wishes(uow, ids),
            users.list_users(uow),
            len(trail.list_audit(uow)),
        )


def import_nothing(scope, noun, content, **options):
    """Import what was exported, and expect that nothing changes; return how many rows were unchanged."""
    before = everything(scope)
    if noun is Noun.USER:
        with open_table(None, io.BytesIO(content), name="file") as table:
            view = import_users(scope, Import(noun=noun, table=table))
    else:
        view = imports.import_content(noun, scope, content, **options)
    assert (view.created, view.updated, view.deleted) == (0, 0, 0)
    assert everything(scope) == before
    return view.unchanged


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(rows=datasets(), way=st.sampled_from(WAYS), noun=st.sampled_from([Noun.SPACE, Noun.PERSON]))
def test_exports_of_any_rows_are_imported_to_no_change(bench, rows, way, noun):
    scope = bench.organization(f"ORG{next(NUMBERS)}")
    fill(scope, *rows)

    content, view = exported(scope, noun, way[0], excel=way[1])

    assert view.rows == len(rows[0] if noun is Noun.SPACE else rows[1])
    # A file without rows may be one that holds nothing at all.
    if view.rows:
        assert import_nothing(scope, noun, content) == view.rows


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=datasets(), kind=st.sampled_from([Kind.CSV, Kind.TSV]), excel=st.booleans())
def test_the_database_writes_the_bytes_that_the_writer_writes(bench, rows, kind, excel):
    scope = bench.organization(f"ORG{next(NUMBERS)}")
    fill(scope, *rows)
    content, view = exported(scope, Noun.PERSON, kind, excel=excel)

    expected = io.BytesIO()
    with open_writer(expected, kind, view.columns, excel=excel) as writer:
        for key, (data, space) in rows[1].items():
            cells = {**data, "external_id": key, "space": space}
            writer.write([cells.get(name) for name in view.columns])

    assert sorted(content.split(b"\n")) == sorted(expected.getvalue().split(b"\n"))


def test_twenty_thousand_odd_cells_are_protected_alike_by_the_database(bench):
    scope = bench.organization()
    chance = random.Random(4711)
    signs = "'=+-@＝＋－＠0123456789.,:/eE+ -\t\nאx\"\\;"  # noqa: RUF001
    cells = ["".join(chance.choices(signs, k=chance.randrange(1, 15))).strip() for _ in range(20_000)]
    found = {f"{number:06}": ({"TITLE": cell}, None) for number, cell in enumerate(cells) if cell}
    fill(scope, {}, found)

    for excel in (False, True):
        content, view = exported(scope, Noun.PERSON, excel=excel)
        expected = io.BytesIO()
        with open_writer(expected, Kind.CSV, view.columns, excel=excel) as writer:
            writer.write_many(
                [key, None, None, None, data["TITLE"], *[None] * 6][: len(view.columns)]
                for key, (data, _) in found.items()
            )
        assert content == expected.getvalue()


def test_the_header_names_what_an_import_knows_and_empty_is_empty(scope):
    fill(scope, {"4-1": {"TITLE": "Corner"}}, {"007": ({"_COST": "x", "ITEM_NAME": 'say "x", ok'}, "4-1")})

    content, view = exported(scope, Noun.PERSON)

    columns = data_columns(fields_of(Noun.PERSON, FORMAT, ColumnMapping()))
    assert view.columns == ("external_id", "space", *columns, "_COST")
    header, row = content.decode().splitlines()
    assert header == "external_id,space," + ",".join(columns) + ",_COST"
    assert row == '007,4-1,"say ""x"", ok",' + "," * (len(columns) - 1) + "x"
    assert (view.store, view.rows, view.notes) == ("001", 1, ())
    assert (
        exported(scope, Noun.SPACE, fields=("TITLE", "external_id"))[0] == b"TITLE,external_id\nCorner,4-1\n"
    )
    assert exported(scope, Noun.SPACE, fields=("external_id",))[0] == b"external_id\n4-1\n"


def test_columns_that_the_format_no_longer_has_are_left_out_and_named(scope):
    fill(scope, {}, {"1": ({"COLOR": "red", "id": "x", "_line": "7", "_ok": "y", "space": "z"}, None)})

    content, view = exported(scope, Noun.PERSON)

    assert b"red" not in content
    assert view.columns[-1] == "_ok"
    assert view.notes == (
        "The column COLOR is left out: the article format does not have it, so that an import would refuse it.",
        "The column _line is left out: an import passes over columns of that name, which its files of rejects have.",
        "The column id is left out: an import would take it for external_id.",
        "The column space is left out: an import would take it for space.",
    )
    assert import_nothing(scope, Noun.PERSON, content) == 1


def test_without_a_format_the_columns_in_use_are_exported(scope):
    with scope.runtime.database.write(scope.org_id) as uow:
        organizations.update_organization(uow, scope.org_id, {"article_format": None})
        uow.commit()
    fill(scope, {"4-1": {"TITLE": "x", "full name": "y", "_p": "z"}}, {})

    content, view = exported(scope, Noun.SPACE)

    assert view.columns == ("external_id", "TITLE", "_p")
    assert view.notes == ("The column full name is left out: that is no name of a column.",)
    assert import_nothing(scope, Noun.SPACE, content) == 1


@pytest.mark.parametrize(("kind", "excel"), WAYS)
def test_rooms_come_back_as_they_were(scope, kind, excel):
    for room in ("3", "04", "CC7", "x"):
        rooms.create_room(scope, room, name="=Board; 'room" if room == "x" else None)
    meeting = Meeting(
        name="'=1", start_time="9:00", end_time="10:30", participants=["דנה", " Noa Cohen", '"x"', "a,b"]
    )
    rooms.toggle_meeting(scope, "04", meeting=meeting)
    rooms.toggle_meeting(scope, "x", turn_on=True)

    content, view = exported(scope, Noun.ROOM, kind, excel=excel)

    assert (view.rows, view.notes) == (4, ())
    assert import_nothing(scope, Noun.ROOM, content) == 4


def test_a_room_whose_id_starts_with_the_prefix_is_written_with_one_more(scope):
    fill_rooms(scope, Room(id="r", store_id="", external_id="C7", room_name="x"))
    content, _ = exported(scope, Noun.ROOM, fields=("external_id", "has_meeting"))
    assert content == b"external_id,has_meeting\nCC7,no\n"
    assert import_nothing(scope, Noun.ROOM, content) == 1


def test_participants_are_left_out_when_a_name_holds_what_stands_between_them(scope):
    fill_rooms(
        scope,
        Room(
            id="r", store_id="", external_id="3", room_name="x", has_meeting=True, participants=("a; b", "c")
        ),
    )
    content, view = exported(scope, Noun.ROOM)
    assert view.notes == (f"The column participants is left out: a name in conference room 3 holds {WHY}.",)
    assert import_nothing(scope, Noun.ROOM, content) == 1


def fill_rooms(scope, *found):
    with scope.runtime.database.write(scope.org_id) as uow:
        place = stores.list_stores(uow)[0].id
        conferences.insert_rooms(
            uow, [replace(room, store_id=place) for room in found], scope.runtime.clock()
        )
        uow.commit()


@pytest.mark.parametrize("kind", [Kind.CSV, Kind.JSONL, Kind.XLSX])
def test_labels_are_exported_with_what_is_there_to_be_shown(scope, kind):
    fill(scope, {"4-1": {}, "4-2": {}}, {})
    rooms.create_room(scope, "3")
    now = scope.runtime.clock()
    with scope.runtime.database.write(scope.org_id) as uow:
        place = stores.list_stores(uow)[0].id
        for code, article in (
            ("0848A6EBE2B0", "4-1"),
            ("0848A6EBE2B1", "C3"),
            ("0848A6EBE2B2", None),
            ("0848A6EBE2B3", "9-9"),
        ):
            labels.save_wish(uow, label_code=code, store_id=place, article_id=article, page=None, now=now)
        uow.commit()

    content, view = exported(scope, Noun.LABEL, kind)

    assert rows_of(content) == (("label", "article"), [["0848A6EBE2B0", "4-1"], ["0848A6EBE2B1", "C3"]])
    assert view.notes == (
        "Label 0848A6EBE2B3 is left out: what is linked there is no space and no conference room of this store.",
    )
    assert import_nothing(scope, Noun.LABEL, content) == 2


@pytest.mark.parametrize(("kind", "excel"), WAYS)
def test_users_are_exported_without_anything_that_lets_them_in(bench, scope, kind, excel):
    other = bench.organization("OTHER")
    with scope.runtime.database.write(scope.org_id) as uow:
        (store,) = stores.list_stores(uow)
        values = {
            "password_hash": "planted-hash",
            "must_change_password": True,
            "created_at": scope.runtime.clock(),
            "org_id": scope.org_id,
        }
        for email, more in (
            (
                "=dana@acme.example",
                {"role": "manager", "store_id": store.id, "first_name": "דנה", "is_active": True},
            ),
            ("noa@acme.example", {"role": "viewer", "last_name": "'=1 O'Neill", "is_active": False}),
        ):
            users.insert_user(uow, {"id": scope.runtime.new_id(), "email": email, **more, **values})
        uow.commit()

    content, view = exported(scope, Noun.USER, kind, excel=excel)

    header, rows = rows_of(content)
    assert (view.store, view.columns) == (None, ("email", "role", "first_name", "last_name", "store"))
    assert set(header) == set(view.columns)
    assert [row[0] for row in rows] == ["=dana@acme.example", "admin@acme.example", "noa@acme.example"]
    assert b"planted-hash" not in content
    assert import_nothing(scope, Noun.USER, content) == 3
    assert len(rows_of(exported(other, Noun.USER)[0])[1]) == 1


def test_who_may_export_what(bench):
    scope = bench.organization(store_codes=("001", "002"))
    viewer, guest = bench.as_role(scope, Role.VIEWER), bench.as_role(scope, Role.VIEWER, store="002")
    with scope.runtime.database.write(scope.org_id) as uow:
        first, second = stores.list_stores(uow)
        for place in (first, second):
            space = Space(id=scope.runtime.new_id(), store_id=place.id, external_id=place.code, data={})
            spaces.insert_spaces(uow, [space], scope.runtime.clock())
        uow.commit()

    with pytest.raises(UsageProblem) as caught:
        exported(viewer, Noun.SPACE)
    assert caught.value.fix == "add --store CODE"
    fields = ("external_id", "TITLE")
    assert exported(viewer, Noun.SPACE, store="001", fields=fields)[0] == b"external_id,TITLE\n001,\n"
    assert exported(guest, Noun.SPACE, fields=fields)[0] == b"external_id,TITLE\n002,\n"
    for refused, error in (
        (Export(noun=Noun.SPACE, store="001"), StoreNotFound),
        (Export(noun=Noun.USER), PermissionRefused),
    ):
        with pytest.raises(error):
            export_rows(guest, refused, io.BytesIO())
    with pytest.raises(PermissionRefused):
        exported(viewer, Noun.USER)
    with pytest.raises(UsageProblem) as caught:
        exported(viewer, Noun.LABEL, store="001", fields=("label", "TITLE"))
    assert caught.value.why == "The fields are: label, article."


def test_a_file_is_written_whole_or_not_at_all(scope, tmp_path, monkeypatch):
    fill(scope, {}, {"1": ({"TITLE": "x" * 40_000}, None)})
    path = tmp_path / "people"
    path.write_text("old")

    with pytest.raises(InvalidInput):
        export_rows(scope, Export(noun=Noun.PERSON, kind=Kind.XLSX), path)
    assert (path.read_text(), [each.name for each in tmp_path.iterdir() if "people" in each.name]) == (
        "old",
        ["people"],
    )

    monkeypatch.setattr(exporting, "_SAMPLE", 1)
    export_rows(scope, Export(noun=Noun.PERSON), path)
    assert import_nothing(scope, Noun.PERSON, path.read_bytes()) == 1


def test_many_pages_are_every_row_once(scope, monkeypatch):
    monkeypatch.setattr(exporting, "PAGE", 7)
    monkeypatch.setattr(exporting, "_SAMPLE", 2)
    data = {f"{number:03}": ({"TITLE": str(number), f"_p{number % 5}": "x"}, None) for number in range(50)}
    fill(scope, {}, data)

    for kind in (Kind.CSV, Kind.JSONL):
        content, view = exported(scope, Noun.PERSON, kind)
        assert [row[0] for row in rows_of(content)[1]] == sorted(data)
        assert (view.rows, view.columns[-5:]) == (50, ("_p0", "_p1", "_p2", "_p3", "_p4"))


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_others_commit_while_sqlite_is_exported_and_it_is_said(scope, monkeypatch):
    monkeypatch.setattr(exporting, "PAGE", 2)
    fill(scope, {str(number): {} for number in range(6)}, {})
    pages = exporting.page_of_rows
    seen = []

    def page_and_change(uow, *arguments, **more):
        if len(seen) == 4:  # in the second pass, between two pages
            fill(scope, {"9": {}}, {})
        seen.append(1)
        return pages(uow, *arguments, **more)

    monkeypatch.setattr(service.exporting, "page_of_rows", page_and_change)
    _, view = exported(scope, Noun.SPACE)

    assert view.rows == 7
    assert view.notes == (service._CHANGED,)


@pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)
def test_a_stream_that_breaks_leaves_the_database_usable(scope):
    fill(scope, {}, {f"{number:05}": ({"TITLE": "x" * 100}, None) for number in range(5000)})

    class Broken(io.BytesIO):
        def write(self, data):
            if self.tell() > 10_000:
                raise BrokenPipeError
            return super().write(data)

    for kind in (Kind.CSV, Kind.JSONL):
        with pytest.raises(BrokenPipeError):
            export_rows(scope, Export(noun=Noun.PERSON, kind=kind), Broken())
    assert exported(scope, Noun.PERSON)[1].rows == 5000


@pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("end", ["pg_terminate_backend", "pg_cancel_backend"])
def test_a_database_that_ends_in_the_middle_is_told_as_unavailable(scope, open_database, end, tmp_path):
    fill(scope, {}, {f"{number:05}": ({"TITLE": "x" * 1000}, None) for number in range(10_000)})
    mine = "FROM pg_stat_activity WHERE left(query, 4) = 'COPY' AND datname = current_database()"

    class Ending(io.BytesIO):
        def write(self, data):
            if len(data) > 10_000 and self.tell() < 1000:
                with open_database().read() as uow:
                    uow.connection.exec_driver_sql(f"SELECT {end}(pid) {mine}").all()
            return super().write(data)

    with pytest.raises(DatabaseUnavailable) as caught:
        export_rows(scope, Export(noun=Noun.PERSON), Ending())
    assert caught.value.why
    assert exported(scope, Noun.PERSON)[1].rows == 10_000


# --- templates --------------------------------------------------------------------------------------------------------


def named(scope):
    with scope.runtime.database.write(scope.org_id) as uow:
        mapping = ColumnMapping(friendly_names={"ITEM_NAME": {"he": "שם", "en": "Full name"}})
        values = {"mapping": mapping_to_stored(mapping), "article_format": format_to_stored(FORMAT)}
        organizations.update_organization(uow, scope.org_id, values)
        uow.commit()
    return scope


@pytest.mark.parametrize("noun", list(Noun))
def test_a_template_is_the_header_that_an_import_knows(scope, noun):
    out = io.BytesIO()
    columns = template_of(scope, noun)
    write_template(columns, Kind.CSV, out)

    names = [column.column for column in columns]
    assert out.getvalue().decode() == ",".join(names) + "\n"
    assert names == list(exported(scope, noun)[1].columns)
    assert all(column.meaning for column in columns)


def test_a_spreadsheet_template_says_what_its_columns_are_for(scope, tmp_path):
    path = tmp_path / "people.xlsx"
    columns = template_of(named(scope), Noun.PERSON)
    write_template(columns, Kind.XLSX, path)

    book = CalamineWorkbook.from_path(str(path))
    header, about = (book.get_sheet_by_index(place).to_python() for place in range(2))
    assert book.sheet_names[1] == "about"
    assert header == [[column.column for column in columns]]
    assert about[0] == ["column", "also called", "what it is for"]
    by_name = {row[0]: row for row in about[1:]}
    assert list(by_name) == header[0]
    assert set(by_name["ITEM_NAME"][1].split(", ")) == {"שם", "Full name"}
    assert "ARTICLE_ID" in by_name["external_id"][1]
    with open_table(path, None, name="people.xlsx") as table:
        assert (table.header, list(table.records())) == (tuple(header[0]), [])
