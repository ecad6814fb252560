"""Draining 10,000 dirty articles, against a bare loop that claims, posts the same bodies and acknowledges."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg

from bench.cloud import bare_client, latency, running_simulator
from bench.ratio import line, timed
from electis_cli.adapters.sealing import Sealer
from electis_cli.aims.wire import encode_article
from electis_cli.db import ledger, organizations, spaces, stores
from electis_cli.db.engine import NOT_YET, Database
from electis_cli.domain.access import system_actor
from electis_cli.domain.spaces import Space
from electis_cli.services.change import Change, Scope
from electis_cli.services.configuring import configure
from electis_cli.services.push.store import push_store
from electis_cli.services.rendering import render_store
from electis_cli.services.runtime import Runtime
from electis_cli.services.setup import initialize
from electis_cli.settings import load_settings
from electis_cli.wiring import make_runtime
from tests.servers.postgres import EmbeddedPostgres

ARTICLES, BATCH = 10_000, 500


LATENCY = 0.05
"""Seconds that each call takes longer in a second run; what they cost together must hardly grow by what we add."""


def run() -> Iterator[str]:
    """Yield the ratio of draining to a bare loop that claims, posts the same bodies and acknowledges, per database.

    And how much longer it takes when each call takes longer, in sums of what the calls take longer.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield from _drain(f"sqlite:///{Path(folder) / 'electis.db'}", "SQLite")
    with contextlib.closing(EmbeddedPostgres(durable=True)) as server:
        yield from _drain(server.create_database(), "PostgreSQL")


def _drain(url: str, name: str) -> Iterator[str]:
    with running_simulator() as base_url:
        database = Database(url)
        settings = load_settings().model_copy(update={"aims_hosts": base_url})
        runtime = make_runtime(settings, database=database, sealer=Sealer(bytes(32)))
        scope, store_id = prepare(runtime, base_url, ARTICLES)
        with database.read(scope.org_id) as uow:
            rendered = render_store(uow, organizations.own_organization(uow), store_id)
        records = [encode_article(item.article) for item in rendered.values()]
        bodies = [orjson.dumps(records[start : start + BATCH]) for start in range(0, ARTICLES, BATCH)]
        with bare_client(base_url) as http:

            def post(body: bytes) -> None:
                orjson.loads(http.put("/common/articles", content=body).content)

            def push(title: str) -> float:
                edit(database, scope, store_id, title)
                _tidy(database)
                began = time.perf_counter()
                report = push_store(runtime, scope.org_id, store_id)
                seconds = time.perf_counter() - began
                assert report.updated + report.created == ARTICLES, report
                assert report.article_calls <= ARTICLES // BATCH + 1, report
                return seconds

            pairs, delayed = [], []
            for _ in range(9):
                edit(database, scope, store_id, "Desk")
                _tidy(database)
                bare = timed(lambda: BareLoop(database, scope.org_id, store_id).run(bodies, post))
                # AIMS shows what the bare loop posted, of which the ledger knows nothing: first put that right.
                push("Bench")
                mine = push("Seat")
                pairs.append((bare, mine))
                with latency(base_url, LATENCY):
                    later = push("Place")
                # An article call for every batch, a page of the listing for as many, and their count.
                delayed.append(((2 * ARTICLES // BATCH + 1) * LATENCY, later - mine))
        database.close()
        yield line(f"draining {ARTICLES:,} articles, {name}", pairs[1:], limit=3.0)
        yield line(f"what 50 ms a call add / their sum, {name}", delayed[1:], limit=1.1)


def _tidy(database: Database) -> None:
    """Do what the server does by itself within a minute; not in the middle of what is measured."""
    if not database.is_sqlite:
        with database.engine.connect().execution_options(electis_begin=NOT_YET) as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


class BareLoop:
    """The least that keeps a queue: claims and acknowledges with two statements each, and posts in between."""

    def __init__(self, database: Database, org_id: str, store_id: str) -> None:
        """Open a connection of its own."""
        self.mark = "?" if database.is_sqlite else "%s"
        if database.is_sqlite:
            self.connection: Any = sqlite3.connect(str(database.path), isolation_level=None)
        else:
            url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
            self.connection = psycopg.connect(url, autocommit=True)
        self.is_sqlite, self.place = database.is_sqlite, (org_id, store_id)

    def run(self, bodies: list[bytes], post: Callable[[bytes], None]) -> None:
        """Claim, post and acknowledge until nothing is due."""
        for body in bodies:
            ids = self._claim()
            post(body)
            self._acknowledge(ids)
        assert not self._claim()
        self.connection.close()

    def _claim(self) -> list[str]:
        query = (
            "SELECT article_id FROM articles WHERE org_id = ? AND store_id = ? AND state = 'active'"
            " AND desired_version > synced_version AND desired_deleted = false ORDER BY desired_seq LIMIT ?"
        )
        if not self.is_sqlite:
            query += " FOR UPDATE SKIP LOCKED"
        self._begin()
        found = self.connection.execute(query.replace("?", self.mark), (*self.place, BATCH)).fetchall()
        ids = [row[0] for row in found]
        self._update("UPDATE articles SET inflight_version = desired_version", ids)
        self.connection.execute("COMMIT")
        return ids

    def _acknowledge(self, ids: list[str]) -> None:
        self._begin()
        self._update("UPDATE articles SET synced_version = inflight_version, inflight_version = NULL", ids)
        self.connection.execute("COMMIT")

    def _begin(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        if not self.is_sqlite:
            self.connection.execute("SELECT set_config('electis.org_id', %s, true)", self.place[:1])

    def _update(self, start: str, ids: list[str]) -> None:
        where = " WHERE org_id = ? AND store_id = ? AND article_id".replace("?", self.mark)
        if self.is_sqlite:
            marks = ",".join("?" * len(ids))
            self.connection.execute(f"{start}{where} IN ({marks})", (*self.place, *ids))
        else:
            self.connection.execute(f"{start}{where} = ANY(%s)", (*self.place, ids))


def edit(database: Database, scope: Scope, store_id: str, title: str) -> None:
    """Change every space, so that every article must be sent."""
    with database.write(scope.org_id) as uow:
        now = datetime.now(UTC)
        found = spaces.list_spaces(uow, [store_id])
        spaces.save_spaces(uow, [replace(space, data={"TITLE": title}) for space in found], now)
        ledger.bump(uow, store_id, {space.external_id: False for space in found}, now)
        uow.commit()


def prepare(runtime: Runtime, base_url: str, count: int) -> tuple[Scope, str]:
    """Make an organization with one store of so many spaces, all of them to be pushed."""
    initialize(
        runtime,
        org_code="ACME",
        org_name="Acme",
        admin_email="a@acme.example",
        admin_password="correct horse 9",
    )
    with runtime.database.read() as uow:
        organization = organizations.find_organization(uow, code="ACME")
    assert organization is not None
    scope = Scope(runtime=runtime, actor=system_actor("bench"), org_id=organization.id)
    configure(scope, base_url=base_url, company="ACME", username="bench", password="bench")
    return scope, add_store(scope, "001", count)


def add_store(scope: Scope, code: str, count: int) -> str:
    """Make a store of so many spaces, all of them to be pushed, and return its id."""
    runtime = scope.runtime
    now, store_id = datetime.now(UTC), runtime.new_id()
    with runtime.database.write(scope.org_id) as uow:
        stores.insert_store(
            uow,
            {
                "id": store_id, "code": code, "name": "Main", "timezone": "UTC", "sync_enabled": True,
                "full_sync_minutes": 15, "created_at": now,
            },
        )  # fmt: skip
        made = [
            Space(id=runtime.new_id(), store_id=store_id, external_id=f"{number:07}", data={"TITLE": "Desk"})
            for number in range(count)
        ]
        spaces.insert_spaces(uow, made, now)
        Change(uow=uow, scope=scope, now=now).bump(store_id, [space.external_id for space in made])
        uow.commit()
    return store_id
