"""The figures of the proof for long outages, poison and quiet systems (docs/sync.md), with a clock that is moved."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from electis_cli.domain.queue import State, Status
from electis_cli.services import queue, working
from electis_cli.services.draining import drain
from electis_cli.services.ping import ping
from tests.world.importing import import_spaces
from tests.world.ledger import (
    account_of,
    article,
    article_writes,
    articles_at,
    conflicts_of,
    events_of,
    letters_of,
    open_alerts,
    push,
    rows_of,
    statuses,
    store_of,
    sync_twice,
)

pytestmark = pytest.mark.slow

ARTICLES = 500
EDITS = 10_000
HOUR = 3600
HOURS = 72


@pytest.fixture
def names():
    return [f"S{number:03}" for number in range(ARTICLES)]


@pytest.fixture
def full(connected, names, clock):
    """Five hundred spaces at AIMS, synced and settled."""
    say(connected, dict.fromkeys(names, "first"))
    push(connected)
    sync_twice(connected, clock)
    return connected


def say(scope, titles):
    """Say what each of these spaces shows, as an export from elsewhere does."""
    lines = ["external_id,TITLE", *(f"{name},{title}" for name, title in titles.items())]
    view = import_spaces(scope, "\n".join(lines).encode(), source="spaces.csv")
    assert (view.created + view.updated, view.rejected) == (len(titles), 0)


def daemon_turn(scope):
    """Do what a daemon's loops do in one turn: ping, push what is due."""
    working.ping_turn(scope.runtime, scope.org_id)
    for place in working.due_pushes(scope.runtime):
        working.push_turn(scope.runtime, place, lambda: False)


def test_an_outage_of_72_hours_with_10_000_edits_of_500_articles(full, cloud, clock, names):
    chance, said = random.Random(4), dict.fromkeys(names, "first")
    cloud.faults.add("status", code=503)
    cloud.journal.clear()
    calls, count = Counter(), 0
    for hour in range(HOURS):
        edits = EDITS // HOURS + (hour < EDITS % HOURS)
        edited = dict.fromkeys(chance.sample(names, edits), f"hour {hour}")
        say(full, edited)
        said |= edited
        count += edits
        daemon_turn(full)
        clock.advance(HOUR)
        calls.update(entry.path.rpartition("/")[2] for entry in cloud.journal.after())
        cloud.journal.clear()
    assert (count, set(rows_of(full))) == (EDITS, set(names))
    assert {row.attempts for row in rows_of(full).values()} == {0}
    assert {row.state for row in rows_of(full).values()} == {State.ACTIVE}
    assert letters_of(full) == []
    assert len(open_alerts(full)) == 1, "the outage itself, once"
    assert calls["articles"] <= 1, "a stopped queue writes nothing"
    assert sum(calls.values()) <= HOURS * 4 + 10, f"pings only: {calls}"

    cloud.faults.clear()
    cloud.journal.clear()
    daemon_turn(full)
    assert article_writes(cloud) <= 2, "a trial of one, then all the others in one batch"
    assert {name: article(cloud, name).data["TITLE"] for name in names} == said
    assert set(statuses(full).values()) == {Status.SYNCED}
    assert (account_of(full).breaker, letters_of(full), open_alerts(full), conflicts_of(full)) == (
        "closed", [], [], [],
    )  # fmt: skip
    cloud.journal.clear()
    assert sync_twice(full, clock).writes == 0
    assert article_writes(cloud) == 0


def test_one_bad_article_in_500(connected, cloud, names, clock):
    say(connected, dict.fromkeys(names, "fine"))
    cloud.faults.add("reject-article", articles=("S123",), message="FIELD_IS_MISSING")
    report = push(connected)
    assert (report.created, report.failed) == (ARTICLES - 1, 1)
    assert article_writes(cloud) == report.article_calls <= 19
    assert articles_at(cloud) == [name for name in names if name != "S123"]
    assert Counter(statuses(connected).values()) == {Status.SYNCED: ARTICLES - 1, Status.FAILED: 1}
    (letter,) = letters_of(connected)
    (alert,) = open_alerts(connected)
    assert (letter["subject"], letter["alert_id"], alert["count"]) == ("S123", alert["id"], 1)
    assert len(events_of(connected, "queue:dead_letter")) == 1
    for _ in range(3):
        clock.advance(HOUR)
        push(connected)
    assert article_writes(cloud) == report.article_calls, "a dead letter costs no more calls"
    assert (len(letters_of(connected)), len(open_alerts(connected))) == (1, 1)


def test_a_quiet_system_is_not_written_to(full, cloud, clock):
    before, listed = rows_of(full), store_of(full).bound_to
    cloud.journal.clear()
    for _ in range(2):
        view = sync_twice(full, clock)
        assert (view.writes, dict(view.counts), view.actions) == (0, {"in_sync": ARTICLES}, ())
        assert push(full).article_calls == 0
        daemon_turn(full)
    assert article_writes(cloud) == 0
    assert rows_of(full) == before, "not one row of the ledger"
    assert store_of(full).bound_to == listed
    assert queue.queue_status(full)[0].is_empty
    assert drain(full).empty
    assert ping(full).ok
