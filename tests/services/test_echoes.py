"""Echoes: AIMS itself puts what it stores into another form, and the database never hears of it (design 5.3)."""

from __future__ import annotations

import pytest

from electis_cli.domain.queue import Status
from electis_cli.services import labels, people, spaces
from electis_cli.services.showing.showing import show_label
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.ledger import (
    SETTLED,
    article,
    article_writes,
    conflicts_of,
    edit,
    label_codes,
    open_alerts,
    push,
    rows_of,
    statuses,
    steps,
    sync,
    sync_twice,
)

LONG = "Quarterly planning with all the guests from the other sites"
ALTERED = [
    pytest.param("numbers", "PHONE", "17", "17.00", id="numbers"),
    pytest.param("blanks", "TITLE", "Window  east", "Window east", id="blanks"),
    pytest.param("cut", "TITLE", LONG, LONG[:40], id="cut"),
    pytest.param("blanks", "ITEM_NAME", "Dana  Levi", "Dana Levi", id="name"),
    pytest.param("numbers", "ITEM_NAME", "117", "117.00", id="name-beside-its-field"),
]


@pytest.fixture
def make_altering(bench):
    """Return how to make an organization whose AIMS stores values in a form of its own."""
    servers = []

    def make(form):
        server = SimulatorServer(Simulator(Settings(stored_form=form))).start()
        servers.append(server)
        return bench.organization(base_url=server.base_url), server.simulator

    yield make
    for server in servers:
        server.stop()


@pytest.mark.parametrize(("form", "column", "ours", "theirs"), ALTERED)
def test_what_aims_makes_of_a_value_counts_as_equal_and_stays_out_of_the_database(
    make_altering, clock, form, column, ours, theirs
):
    scope, cloud = make_altering(form)
    spaces.create_space(scope, "A", data={column: ours})
    push(scope)
    assert article(cloud, "A").data[column] == theirs
    assert steps(sync_twice(scope, clock)) == {"A": "echo"}
    assert spaces.show_space(scope, "A").data == {column: ours}
    row = rows_of(scope)["A"]
    assert (row.base[column], row.echo[column]) == (ours, theirs)
    writes = article_writes(cloud)
    for _ in range(3):
        view = sync_twice(scope, clock)
        assert (view.writes, dict(view.counts)) == (0, {"in_sync": 1})
        push(scope)
    assert (article_writes(cloud), statuses(scope), conflicts_of(scope)) == (writes, {"A": Status.SYNCED}, [])


@pytest.mark.parametrize(("form", "column", "ours", "theirs"), ALTERED)
def test_an_edit_at_aims_of_another_column_is_still_taken_in(
    make_altering, clock, form, column, ours, theirs
):
    scope, cloud = make_altering(form)
    spaces.create_space(scope, "A", data={column: ours})
    push(scope)
    sync_twice(scope, clock)
    edit(cloud, "A", DEPARTMENT="theirs")
    assert steps(sync_twice(scope, clock)) == {"A": "adopt"}
    assert spaces.show_space(scope, "A").data == {column: ours, "DEPARTMENT": "theirs"}


def test_an_edit_at_aims_of_the_altered_column_itself_is_an_edit(make_altering, clock):
    scope, cloud = make_altering("numbers")
    spaces.create_space(scope, "A", data={"PHONE": "17"})
    push(scope)
    sync_twice(scope, clock)
    edit(cloud, "A", PHONE="18")
    assert steps(sync_twice(scope, clock)) == {"A": "adopt"}
    assert spaces.show_space(scope, "A").data == {"PHONE": "18"}


def test_an_edit_here_of_an_altered_article_is_pushed_at_once_and_altered_again(make_altering, clock):
    scope, cloud = make_altering("numbers")
    spaces.create_space(scope, "A", data={"PHONE": "17"})
    people.create_person(scope, "P1", data={"ITEM_NAME": "Dana"}, space="A")
    push(scope)
    sync_twice(scope, clock)
    people.update_person(scope, "P1", data={"TITLE": "18"})
    assert push(scope).updated == 1, "the form of ours is nobody's edit"
    assert article(cloud, "A").data["TITLE"] == "18.00"
    assert steps(sync_twice(scope, clock)) == {"A": "echo"}
    assert people.show_person(scope, "P1").data == {"ITEM_NAME": "Dana", "TITLE": "18"}
    assert sync_twice(scope, clock).writes == 0


def test_an_edit_before_the_form_was_ever_looked_at_is_pushed_at_once_too(make_altering, clock):
    scope, cloud = make_altering("numbers")
    spaces.create_space(scope, "A", data={"PHONE": "17"})
    push(scope)
    clock.advance(SETTLED)
    spaces.update_space(scope, "A", data={"PHONE": "19"})
    push(scope)
    assert article(cloud, "A").data["PHONE"] == "19.00"
    assert conflicts_of(scope) == []


def test_a_form_that_changes_again_and_again_is_held_and_names_its_column(make_altering, clock):
    scope, cloud = make_altering("numbers")
    spaces.create_space(scope, "A", data={"PHONE": "17", "TITLE": "Window"})
    push(scope)
    assert steps(sync_twice(scope, clock)) == {"A": "echo"}
    for form in ("17.0", "17.000"):
        edit(cloud, "A", PHONE=form)
        assert steps(sync_twice(scope, clock)) == {"A": "echo"}
    edit(cloud, "A", PHONE="17.0000")
    assert steps(sync_twice(scope, clock)) == {"A": "hold"}
    assert statuses(scope) == {"A": Status.HELD}
    assert "PHONE" in rows_of(scope)["A"].error_text
    (alert,) = open_alerts(scope)
    assert ("PHONE" in alert["text"], "TITLE" in alert["text"], "article A" in alert["text"]) == (
        True, False, True,
    )  # fmt: skip
    (kept,) = conflicts_of(scope)
    assert (kept["choice"], kept["local"]["PHONE"], kept["remote"]["PHONE"]) == ("undecided", "17", "17.0000")
    assert spaces.show_space(scope, "A").data == {"PHONE": "17", "TITLE": "Window"}
    writes = article_writes(cloud)
    for _ in range(3):
        sync_twice(scope, clock)
        push(scope)
    assert (article_writes(cloud), len(open_alerts(scope)), len(conflicts_of(scope))) == (writes, 1, 1)


def test_a_value_that_was_read_back_as_it_was_sent_is_no_echo_later(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"PHONE": "17"})
    push(connected)
    sync_twice(connected, clock)
    edit(cloud, "A", PHONE="17.00")
    assert steps(sync_twice(connected, clock)) == {"A": "adopt"}, (
        "AIMS can keep it as it is: somebody wrote this"
    )


def test_a_label_of_an_altered_article_shows_no_difference(make_altering, clock):
    scope, cloud = make_altering("numbers")
    (code,) = label_codes(cloud, 1)
    spaces.create_space(scope, "A", data={"PHONE": "17", "TITLE": "Window"})
    labels.link_label(scope, code, "A")
    push(scope)
    sync_twice(scope, clock)
    edit(cloud, "A", TITLE="Door")
    (shown,) = show_label(scope, code).articles
    fields = {field.field: (field.ours, field.aims, field.equal) for field in shown.fields}
    assert fields["PHONE"] == ("17", "17.00", True)
    assert fields["TITLE"] == ("Window", "Door", False)
    assert sync(scope).writes == 0
