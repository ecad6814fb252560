"""Finding: every noun, any column, whatever the case and the accents; on both databases, within one tenant."""

from __future__ import annotations

import pytest

from electis_cli.domain.access import Role
from electis_cli.domain.conference import Meeting
from electis_cli.domain.errors import InvalidInput, StoreNotFound
from electis_cli.services import conferences, finding, labels, people, spaces, stores
from electis_cli.services.finding import find, fold

LABEL = "0848A6EBE2BA"


@pytest.fixture
def stocked(scope):
    """Something of every noun, in two stores."""
    stores.create_store(scope, "002", name="Zürich")
    spaces.create_space(scope, "4-117", data={"ITEM_NAME": "Reading corner"}, store="001")
    spaces.create_space(scope, "4 118", data={"TITLE": "Crème brûlée"}, store="002")
    people.create_person(
        scope, "P-1", data={"ITEM_NAME": "דָּנָה לוי", "EMAIL": "dana@acme.example"}, space="4-117", store="001"
    )
    people.create_person(scope, "P-2", data={"ITEM_NAME": "JOSÉ Peña"}, store="002")
    conferences.create_room(scope, "3", name="Straße", store="001")
    meeting = Meeting(name="Budget", start_time="09:00", end_time="10:00", participants=["Dana Levi", "Noa"])
    conferences.toggle_meeting(scope, "3", meeting=meeting, store="001")
    labels.link_label(scope, LABEL, "4-117", store="001")
    return scope


def found(scope, text, **options):
    return [
        (match.noun, match.id, match.store, match.field, match.value)
        for match in find(scope, text, **options)
    ]


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("corner", [("space", "4-117", "001", "ITEM_NAME", "Reading corner")]),
        ("CORNER", [("space", "4-117", "001", "ITEM_NAME", "Reading corner")]),
        ("creme brulee", [("space", "4 118", "002", "TITLE", "Crème brûlée")]),
        ("CRÈME", [("space", "4 118", "002", "TITLE", "Crème brûlée")]),
        ("דנה", [("people", "P-1", "001", "ITEM_NAME", "דָּנָה לוי")]),
        ("דָּנָה", [("people", "P-1", "001", "ITEM_NAME", "דָּנָה לוי")]),
        ("jose pena", [("people", "P-2", "002", "ITEM_NAME", "JOSÉ Peña")]),
        ("strasse", [("conference", "3", "001", "room_name", "Straße")]),
        ("c3", [("conference", "3", "001", "article_id", "C3")]),
        ("noa", [("conference", "3", "001", "participants", "Dana Levi, Noa")]),
        ("09:00", [("conference", "3", "001", "start_time", "09:00")]),
        ("budget", [("conference", "3", "001", "meeting_name", "Budget")]),
        ("ebe2ba", [("label", LABEL, "001", "label_code", LABEL)]),
        ("08:48:a6:eb", [("label", LABEL, "001", "label_code", LABEL)]),
        ("08-48-A6-EB-E2-BA", [("label", LABEL, "001", "label_code", LABEL)]),
        ("zurich", [("store", "002", "002", "name", "Zürich")]),
        ("admin@", [("user", "admin@acme.example", None, "email", "admin@acme.example")]),
        ("nobody", []),
    ],
)  # fmt: skip
def test_a_piece_of_anything_finds_it(stocked, text, matches):
    assert found(stocked, text) == matches


def test_everything_about_one_thing(stocked):
    assert found(stocked, "4-117") == [
        ("space", "4-117", "001", "external_id", "4-117"),
        ("people", "P-1", "001", "space", "4-117"),
        ("label", LABEL, "001", "article", "4-117"),
    ]
    assert found(stocked, "4-117", limit=2) == found(stocked, "4-117")[:2]


def test_the_command_that_shows_a_match_names_the_store_and_quotes(stocked, bench):
    shown = {match.noun: match.show for match in find(stocked, "4")}
    assert shown["space"] == "electis space show '4 118' --store 002"
    assert shown["label"] == f"electis label show {LABEL} --store 001"
    assert next(find(stocked, "zurich")).show == "electis store show 002"
    single = bench.organization("SINGLE")
    spaces.create_space(single, "7-1", data={})
    assert next(find(single, "7-1")).show == "electis space show 7-1"


def test_one_store_only(stocked, bench):
    assert {match[2] for match in found(stocked, "p-", store="002")} == {"002"}
    with pytest.raises(StoreNotFound):
        list(find(stocked, "x", store="009"))
    scoped = bench.as_role(stocked, Role.MANAGER, store="002")
    assert found(scoped, "dana") == []
    assert found(scoped, "acme") == [], "users are for those who may see all of them"
    assert [match[:2] for match in found(scoped, "jose")] == [("people", "P-2")]
    with pytest.raises(StoreNotFound):
        list(find(scoped, "dana", store="001"))


def test_users_are_for_admins(stocked, bench):
    assert [match[0] for match in found(bench.as_role(stocked, Role.SUPPORT), "admin@")] == ["user"]
    for role in (Role.MANAGER, Role.VIEWER):
        assert found(bench.as_role(stocked, role), "admin@") == []


def test_another_organization_is_never_found(stocked, bench):
    other = bench.organization("OTHER")
    spaces.create_space(other, "4-117", data={"ITEM_NAME": "their corner"})
    assert [match[4] for match in found(other, "corner")] == ["their corner"]
    assert [match[4] for match in found(stocked, "corner")] == ["Reading corner"]
    assert found(other, "dana") == []
    assert found(other, "acme") == []


@pytest.mark.parametrize("text", ["", "  ", "--", "\u05b0", "."])
def test_nothing_to_look_for(stocked, text):
    with pytest.raises(InvalidInput):
        list(find(stocked, text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("É", "e"),
        ("ẞ", "ss"),
        ("שלוֹם", "שלום"),
        ("ﬁn", "fin"),
        ("\u200fאב", "אב"),
        ("İ", "i"),
        ("\uff21", "a"),
        ("Ω", "ω"),
    ],
    ids=["accent", "sharp s", "points", "ligature", "direction", "dotted i", "wide", "greek"],
)
def test_what_counts_as_the_same(one, other):
    assert fold(one) == fold(other)


def test_a_large_store_is_streamed(scope, monkeypatch):
    """Rows come in pieces, each once: the first match is there before the store is read to its end."""
    from electis_cli.db import spaces as rows
    from electis_cli.domain.spaces import Space
    from tests.world.ledger import store_of

    store_id = store_of(scope).id
    with scope.runtime.database.write(scope.org_id) as uow:
        new = [
            Space(
                id=scope.runtime.new_id(), store_id=store_id, external_id=f"S-{place:05}", data={"TITLE": "x"}
            )
            for place in range(3000)
        ]
        rows.insert_spaces(uow, new, scope.runtime.clock())
        uow.commit()
    folded = []
    monkeypatch.setattr(finding, "fold", lambda text: folded.append(1) or fold(text))
    matches = find(scope, "S-00000")
    assert next(matches).id == "S-00000"
    assert len(folded) < 10
    assert list(matches) == []
    assert len(folded) < 3010, "every row once"
