"""Where a simulated day happens: a database put back for each day, AIMS without a socket, processes that die."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import sqlalchemy as sa

from electis_cli.adapters.sealing import Sealer
from electis_cli.db import stores, tables
from electis_cli.db.engine import Database
from electis_cli.services.change import Scope
from electis_cli.services.runtime import Runtime, Tuning
from electis_cli.simulator.messages import Request, Response
from tests.simulation.life import LEASE, WINDOW, Died
from tests.world.databases import FakeClock
from tests.world.organizations import Bench, make_connector

COMPANIES = ("ACME", "OTHER")
PROCESSES = ("desk", "A", "B")
"""Who works on the database: an admin's desk, and two workers."""

Contents = bytes | Mapping[str, Sequence[Mapping[str, Any]]]
"""All a database holds: the file of an SQLite, the rows of a PostgreSQL."""


@dataclass
class Process:
    """One process with its own connections; when it died, its database refuses everything."""

    name: str
    is_alive: bool = True
    scopes: Mapping[str, Scope] = field(default_factory=dict)


class Stage:
    """A database that outlives the days, so that each statement is compiled once and not once a day."""

    def __init__(self, database_url: str) -> None:
        self.clock = FakeClock()
        self._beginning_at = self.clock.now
        self._numbers = itertools.count(1)
        self._sealer = Sealer(bytes(range(32)))
        self._owners = {name: Process(name) for name in PROCESSES}
        self.databases = {name: self._open(name, database_url) for name in PROCESSES}
        self.database = self.databases["desk"]
        runtime = self._runtime(self._owners["desk"], answer=_nobody, reached=lambda _: None)
        bench = Bench(runtime, self.clock)
        self.offices = {code: bench.organization(code, base_url="http://aims.example") for code in COMPANIES}
        self.store_ids = {code: self._store_of(office) for code, office in self.offices.items()}
        self._beginning = self.save()

    def _open(self, name: str, url: str) -> Database:
        database = Database(url, clock=self.clock)
        if database.is_sqlite:
            # Nothing here survives a power cut: thousands of days must be cheap.
            sa.event.listen(database.engine, "connect", _never_flush)
        for moment in ("begin", "commit"):
            sa.event.listen(database.engine, moment, lambda _: self._refuse_the_dead(name))
        return database

    def _store_of(self, office: Scope) -> str:
        with self.database.read(office.org_id) as uow:
            return stores.list_stores(uow)[0].id

    def _refuse_the_dead(self, name: str) -> None:
        if not self._owners[name].is_alive:
            raise Died

    # --- days -------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a day: the database, the time and the numbers are as they were."""
        self.clock.now = self._beginning_at
        self._numbers = itertools.count(1)
        self.put_back(self._beginning)

    def start_process(
        self, name: str, answer: Callable[[Process, Request], Response], reached: Callable[[Process], None]
    ) -> Process:
        """Start a process in place of the one that had this name; `answer` is how it reaches AIMS."""
        process = Process(name)
        self._owners[name] = process
        self.databases[name].close()
        runtime = self._runtime(process, answer=answer, reached=lambda _: reached(process))
        process.scopes = {code: replace(office, runtime=runtime) for code, office in self.offices.items()}
        return process

    def _runtime(
        self,
        process: Process,
        *,
        answer: Callable[[Process, Request], Response],
        reached: Callable[[str], None],
    ) -> Runtime:
        return Runtime(
            database=self.databases[process.name],
            clock=self.clock,
            new_id=lambda: f"{self.number():032d}",
            new_token=lambda prefix: f"{prefix}{self.number()}",
            new_password=lambda: "a temporary one",
            draw=lambda: 0.5,
            sealer=self._sealer,
            connect=make_connector(self._sealer, self.clock, transport=_Transport(process, answer)),
            # Of four keys all can be dirty: then the next load is claimed before AIMS has seen the one before.
            tuning=Tuning(lease_seconds=LEASE, settle_seconds=WINDOW, batch_size=3),
            beside=lambda work: work,
            holder=f"{process.name}:{self.number()}",
            reached=reached,
        )

    def number(self) -> int:
        """Return the next number of this day."""
        return next(self._numbers)

    # --- the database as a whole ------------------------------------------------------------------------------------

    def save(self) -> Contents:
        """Return all that the database holds."""
        path = self.database.path
        if path is not None:
            return path.read_bytes()
        with self.database.engine.begin() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
                for table in tables.metadata.sorted_tables
            }

    def put_back(self, contents: Contents) -> None:
        """Make the database hold this and nothing else; every connection is closed first."""
        for database in self.databases.values():
            database.close()
        path = self.database.path
        if isinstance(contents, bytes) and path is not None:
            path.write_bytes(contents)
            return
        assert not isinstance(contents, bytes)
        names = ", ".join(table.name for table in tables.metadata.sorted_tables)
        with self.database.engine.begin() as connection:
            connection.execute(sa.text(f"TRUNCATE {names}"))
            for table in tables.metadata.sorted_tables:
                if contents[table.name]:
                    connection.execute(table.insert(), contents[table.name])

    def version(self) -> bytes | None:
        """Return what differs after every commit: the change counter of an SQLite file; a PostgreSQL has none."""
        path = self.database.path
        if path is None:
            return None
        with path.open("rb") as file:
            file.seek(24)
            return file.read(4)

    def close(self) -> None:
        """Close all connections."""
        for database in self.databases.values():
            database.close()


def _nobody(_process: Process, _request: Request) -> Response:
    raise AssertionError("nothing is asked of AIMS before the day begins")


class _Transport(httpx.BaseTransport):
    """Brings the requests of a process to AIMS without a socket."""

    def __init__(self, process: Process, answer: Callable[[Process, Request], Response]) -> None:
        self._process, self._answer = process, answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        asked = Request(
            method=request.method,
            path=request.url.path,
            query=parse_qs(request.url.query.decode(), keep_blank_values=True),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.content,
        )
        answer = self._answer(self._process, asked)
        if answer.delivery.how in {"reset", "cut", "hang", "stall"}:
            raise httpx.ReadError("the connection broke")
        if answer.delivery.how == "refuse":
            raise httpx.ConnectError("nobody listens")
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def _never_flush(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=MEMORY")
