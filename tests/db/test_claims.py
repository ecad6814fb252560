"""Claims and acknowledgements on PostgreSQL: how much of a store they look at, and in which order they lock."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from electis_cli.db import acknowledging, claims, labels, leases, ledger
from tests.world.ledger import rows_of, store_of

PATIENCE = 20.0
MANY = 30_000

pytestmark = pytest.mark.slow


@pytest.fixture(params=["postgresql"])
def engine_kind(request):
    """The embedded database has one writer at a time, and always looks rows up by their key."""
    return request.param


@pytest.fixture
def store_id(scope):
    return store_of(scope).id


def bump(uow, store_id, ids, clock):
    ledger.bump(uow, store_id, dict.fromkeys(ids, False), clock())


def intents(ids):
    return [
        {
            "article_id": article_id,
            "version": 1,
            "hash": "h",
            "content": {"TITLE": "x"},
            "known": "h:1796070396",
        }
        for article_id in ids
    ]


def looked_at(uow):
    """Return how many rows of the ledger this transaction has fetched so far."""
    statement = (
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
        " WHERE relname = 'articles'"
    )
    return uow.execute(sa.text(statement)).scalar_one()


def test_without_statistics_a_claim_looks_at_its_own_rows_only(database, scope, store_id, clock):
    """A server that was just filled has none for a minute; reading the store for every batch would be quadratic."""
    everything = [f"{number:05}" for number in range(MANY)]
    with database.write(scope.org_id) as uow:
        bump(uow, store_id, everything, clock)
        uow.commit()
    batch = everything[5000:5500]
    with database.write(scope.org_id) as uow:
        rows = claims.due_rows(uow, store_id, clock(), tombstones=False, ids=batch)
        claimed = looked_at(uow)
        claims.note_intents(uow, store_id, intents(batch), epoch=1, now=clock())
        noted = looked_at(uow)
    assert [row.article_id for row in rows] == batch
    assert claimed <= 3 * len(batch)
    assert noted - claimed <= 3 * len(batch)


# --- the order of locks -----------------------------------------------------------------------------------------------


LABEL = "04A1B2C3D4"

LOCKED_FIRST = {
    "article": "SELECT 1 FROM articles FOR UPDATE",
    "label": "SELECT 1 FROM label_links FOR UPDATE",
}


@pytest.fixture
def sent(database, scope, store_id, clock):
    """Return how to acknowledge an article that is in flight and that a label shows."""
    with database.write(scope.org_id) as uow:
        bump(uow, store_id, ["4-1"], clock)
        labels.save_wish(uow, label_code=LABEL, store_id=store_id, article_id="4-1", page=None, now=clock())
        labels.update_wish(uow, LABEL, {"acked_article": "4-1"})
        lease = leases.take_lease(uow, leases.push_resource(store_id), "me", seconds=600)
        claims.note_intents(uow, store_id, intents(["4-1"]), epoch=lease.epoch, now=clock())
        uow.commit()

    def acknowledge():
        with database.write(scope.org_id) as uow:
            number = acknowledging.acknowledge(
                uow,
                store_id,
                lease,
                ["4-1"],
                are_deleted=False,
                now=clock(),
                verify_after=clock() + timedelta(seconds=120),
            )
            uow.commit()
        return number

    return acknowledge


def connect(database):
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url)


def wait_until_somebody_waits(database):
    """Return when a transaction of this database waits for a lock of another."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    until = time.monotonic() + PATIENCE
    with connect(database) as watcher:
        watcher.autocommit = True
        while not watcher.execute(waiting).fetchall():
            assert time.monotonic() < until, "nobody waits"


@pytest.mark.parametrize("first", LOCKED_FIRST)
def test_an_acknowledgement_takes_the_store_last(database, scope, sent, first):
    """As a full sync does; in another order the two can each hold what the other waits for."""
    with ThreadPoolExecutor(1) as thread, connect(database) as other:
        other.execute(LOCKED_FIRST[first])
        acknowledged = thread.submit(sent)
        wait_until_somebody_waits(database)
        other.execute("SET LOCAL lock_timeout = '5s'")
        other.execute("UPDATE stores SET listed_at = now()")
        other.commit()
        assert acknowledged.result(PATIENCE) is not None
    assert not rows_of(scope)["4-1"].is_dirty
