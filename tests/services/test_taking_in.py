"""`sync full --import`, and what becomes of articles that were deleted at AIMS, under each strategy (design 5.3)."""

from __future__ import annotations

import pytest

from electis_cli.domain.errors import NotFound
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import Status
from electis_cli.services import conferences, labels, people, spaces
from tests.world.ledger import (
    SETTLED,
    article,
    article_writes,
    articles_at,
    conflicts_of,
    label_codes,
    push,
    put,
    remove,
    rows_of,
    statuses,
    steps,
    sync,
    sync_twice,
    wish_of,
)

# --- taking in ------------------------------------------------------------------------------------------------------


def test_what_others_made_becomes_a_space_and_both_sides_agree_at_once(connected, cloud):
    put(cloud, "4-9", name="Dana", TITLE="Window", THEIRS="kept")
    view = sync(connected, take_in=True)
    assert (steps(view), view.writes) == ({"4-9": "import"}, 1)
    assert spaces.show_space(connected, "4-9").data == {"ITEM_NAME": "Dana", "TITLE": "Window"}
    assert push(connected).article_calls == 0, "AIMS shows it already"
    assert article(cloud, "4-9").data["THEIRS"] == "kept"
    assert statuses(connected) == {"4-9": Status.SYNCED}
    assert sync(connected, take_in=True).writes == 0


@pytest.mark.parametrize(("name", "room_name"), [("Blue room", "Blue room"), ("", "Conference 7")])
def test_the_room_prefix_and_a_number_become_a_room(connected, cloud, clock, name, room_name):
    put(cloud, "C7", name=name)
    sync(connected, take_in=True)
    assert conferences.show_room(connected, "7").room_name == room_name
    assert spaces.list_spaces(connected) == []
    push(connected)
    clock.advance(SETTLED)
    push(connected)  # a name that we made up is told after the settle window, like any change over theirs
    assert article(cloud, "C7").name == room_name
    assert statuses(connected) == {"C7": Status.SYNCED}


def test_the_room_prefix_alone_makes_no_room(connected, cloud):
    put(cloud, "Cafe", TITLE="self-service")
    sync(connected, take_in=True)
    assert spaces.show_space(connected, "Cafe").data == {"TITLE": "self-service"}


@pytest.mark.parametrize(
    ("article_id", "values"),
    [
        ("4,5", {}),
        ("x" * 51, {}),
        ("4-8", {"TITLE": "bell\x07"}),
        ("4-8", {"NFC_URL": "https://example.com/" + "x" * 250}),
    ],
    ids=["comma", "long", "control", "address"],
)
def test_what_the_database_refuses_is_reported_at_each_run_and_never_planned(
    connected, cloud, clock, article_id, values
):
    put(cloud, article_id, **values)
    article(cloud, article_id).nfc_url = values.get("NFC_URL", "")
    put(cloud, "4-9", TITLE="fine")
    first = sync(connected, take_in=True)
    assert (steps(first), first.writes) == ({article_id: "report", "4-9": "import"}, 1)
    push(connected)
    clock.advance(SETTLED)
    second = sync(connected, take_in=True)
    assert (steps(second), second.writes) == ({article_id: "report"}, 0)
    assert [space.external_id for space in spaces.list_spaces(connected)] == ["4-9"]
    assert article_id in articles_at(cloud)


def test_without_being_told_to_nothing_is_taken_in(connected, cloud):
    put(cloud, "4-9", TITLE="Window")
    assert steps(sync(connected)) == {"4-9": "report"}
    dry = sync(connected, dry_run=True, take_in=True)
    assert (steps(dry), dry.writes) == ({"4-9": "import"}, 1)
    assert (spaces.list_spaces(connected), rows_of(connected)) == ([], {})


def test_a_deleted_id_that_others_use_anew_is_taken_in_as_theirs(connected, cloud, clock):
    spaces.create_space(connected, "B", data={"TITLE": "ours"})
    push(connected)
    spaces.delete_space(connected, "B")
    push(connected)
    put(cloud, "B", TITLE="theirs")
    assert steps(sync_twice(connected, clock, take_in=True)) == {"B": "import"}
    push(connected)
    assert spaces.show_space(connected, "B").data == {"TITLE": "theirs"}
    assert article(cloud, "B").data["TITLE"] == "theirs"
    assert statuses(connected) == {"B": Status.SYNCED}


# --- deleted at AIMS ------------------------------------------------------------------------------------------------


@pytest.fixture
def make_site(bench, simulator_server, clock):
    """Return how to make an organization of a strategy whose space B and room C1 are at AIMS, synced and settled."""

    def make(strategy):
        scope = bench.organization(base_url=simulator_server.base_url, strategy=strategy)
        spaces.create_space(scope, "B", data={"TITLE": "both"})
        conferences.create_room(scope, "1")
        push(scope)
        sync(scope)
        clock.advance(SETTLED)
        sync(scope)
        return scope

    return make


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.DATABASE_WINS])
def test_where_the_database_has_a_say_what_was_deleted_at_aims_is_pushed_again(
    make_site, cloud, clock, strategy
):
    scope = make_site(strategy)
    remove(cloud, "B")
    assert steps(sync_twice(scope, clock)) == {"B": "push_again"}
    push(scope)
    assert article(cloud, "B").data["TITLE"] == "both"
    assert statuses(scope) == {"B": Status.SYNCED, "C1": Status.SYNCED}


def test_where_aims_wins_what_was_deleted_there_is_removed_here(make_site, cloud, clock):
    scope = make_site(Strategy.AIMS_WINS)
    remove(cloud, "B")
    first = sync(scope)
    assert (steps(first), first.writes) == ({"B": "missing"}, 0)
    clock.advance(SETTLED)
    assert steps(sync(scope)) == {"B": "remove"}
    with pytest.raises(NotFound):
        spaces.show_space(scope, "B")
    (kept,) = conflicts_of(scope)
    assert (kept["choice"], kept["local"]["TITLE"], kept["remote"]) == ("aims", "both", None)
    writes = article_writes(cloud)
    push(scope)
    assert (article_writes(cloud), articles_at(cloud)) == (writes, ["C1"]), "it is gone there already"
    clock.advance(SETTLED)
    assert sync(scope).writes == 0


def test_nothing_shortens_the_wait_for_a_removal(make_site, cloud):
    scope = make_site(Strategy.AIMS_WINS)
    remove(cloud, "B")
    for _ in range(3):
        assert steps(sync(scope, believe_at_once=True)) == {"B": "missing"}
    assert spaces.show_space(scope, "B")


def test_an_edit_here_beats_the_deletion_there(make_site, cloud, clock):
    scope = make_site(Strategy.AIMS_WINS)
    remove(cloud, "B")
    sync(scope)
    spaces.update_space(scope, "B", data={"TITLE": "still wanted"})
    clock.advance(SETTLED)
    sync(scope)
    push(scope)
    assert article(cloud, "B").data["TITLE"] == "still wanted"


def test_nobody_loses_their_seat_because_an_article_is_gone(make_site, cloud, clock):
    scope = make_site(Strategy.AIMS_WINS)
    people.create_person(scope, "P1", data={"ITEM_NAME": "Dana"}, space="B")
    push(scope)
    sync_twice(scope, clock)
    remove(cloud, "B")
    sync_twice(scope, clock)
    assert people.show_person(scope, "P1").space == "B"
    assert statuses(scope)["B"] is Status.CONFLICT
    assert conflicts_of(scope)[0]["choice"] == "undecided"


def test_a_room_that_aims_lost_waits_for_a_person_even_where_aims_wins(make_site, cloud, clock):
    scope = make_site(Strategy.AIMS_WINS)
    remove(cloud, "C1")
    sync_twice(scope, clock)
    assert conferences.show_room(scope, "1")
    assert statuses(scope)["C1"] is Status.CONFLICT


def test_by_hand_a_deletion_at_aims_is_a_conflict_that_is_not_pushed(make_site, cloud, clock):
    scope = make_site(Strategy.MANUAL)
    remove(cloud, "B")
    assert steps(sync_twice(scope, clock)) == {"B": "conflict"}
    push(scope)
    assert articles_at(cloud) == ["C1"]
    assert spaces.show_space(scope, "B")
    assert statuses(scope)["B"] is Status.CONFLICT
    assert sync_twice(scope, clock).writes == 0
    assert len(conflicts_of(scope)) == 1


def test_the_label_of_an_article_that_is_pushed_again_is_linked_again(make_site, cloud, clock):
    scope = make_site(Strategy.MERGE)
    (code,) = label_codes(cloud, 1)
    labels.link_label(scope, code, "B")
    push(scope)
    sync_twice(scope, clock)
    remove(cloud, "B")
    sync_twice(scope, clock)
    push(scope)
    assert wish_of(scope, code).acked_article == "B"
    assert cloud.store("ACME", "001").labels[code].articles == ["B"]
