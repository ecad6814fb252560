"""How soon an idle daemon begins to push an edit, and what waking it costs those who edit."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import psycopg
import sqlalchemy as sa

from bench.drain import prepare
from bench.ratio import amount, line
from electis_cli.adapters.sealing import Sealer
from electis_cli.db import ledger, spaces
from electis_cli.db.engine import Database
from electis_cli.db.wake_ups import CHANNEL
from electis_cli.settings import load_settings
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from electis_cli.wiring import make_runtime
from tests.servers.postgres import EmbeddedPostgres

POLL = 1.0
WARMING, EDITS, EDITS_POLLED, ARTICLES = 30, 40, 24, 50
WRITERS, ROUNDS, ROUND_SECONDS = 8, 5, 2.0
KEY = bytes(32)

WITHOUT, AFTER, INSIDE = "without", "after", "inside"
"""How a writer wakes daemons: not at all, as the product does, or with NOTIFY in the transaction of its edit."""


def run() -> Iterator[str]:
    """Yield the way from an edit to AIMS on both databases, and the rate of edits with and without NOTIFY."""
    with contextlib.closing(EmbeddedPostgres(durable=True)) as server:
        with Plant(server.create_database()) as plant, Bell(plant.database) as bell:
            bare, alike, ways = [], [], []
            for _ in range(WARMING):  # a daemon has run for hours, and the server knows its statements
                plant.edit(pause=0.1)
            for _ in range(EDITS):
                ways.append(plant.edit(pause=random.uniform(0.3, 0.9)))
                # As idle as the daemon was.
                time.sleep(random.uniform(0.3, 0.9))
                alike.append(bell.ring(with_edit=True))
                time.sleep(random.uniform(0.3, 0.9))
                bare.append(bell.ring())
            way = statistics.median(ways)
            yield line("edit to AIMS / bare NOTIFY wake-up", [(statistics.median(bare), way)], limit=10.0)
            yield line(
                "edit to AIMS / bare edit with NOTIFY, to heard",
                [(statistics.median(alike), way)],
                limit=None,
            )
        yield from _rates(server.create_database())
    with tempfile.TemporaryDirectory() as folder, Plant(f"sqlite:///{Path(folder) / 'electis.db'}") as plant:
        ways = [plant.edit(pause=random.uniform(0.3, 1.3)) for _ in range(EDITS_POLLED)]
        yield line("edit to AIMS / poll interval, SQLite", [(POLL, statistics.median(ways))], limit=1.2)


class Plant:
    """A store that is in step, an AIMS in this process, and an idle daemon in one of its own."""

    def __init__(self, url: str) -> None:
        """Make the store and start the daemon; nothing is left to push afterwards."""
        self._stack = ExitStack()
        try:
            self._make(url)
        except BaseException:
            self._stack.close()
            raise

    def _make(self, url: str) -> None:
        server = self._stack.enter_context(SimulatorServer(Simulator(Settings(labels_per_store=0))))
        self._simulator = server.simulator
        self.database = Database(url)
        self._stack.callback(self.database.close)
        settings = load_settings().model_copy(update={"aims_hosts": server.base_url})
        runtime = make_runtime(settings, database=self.database, sealer=Sealer(KEY))
        self._scope, self._store_id = prepare(runtime, server.base_url, ARTICLES)
        home = self._stack.enter_context(tempfile.TemporaryDirectory())
        daemon = subprocess.Popen(
            [sys.executable, "-m", "daemon.main", "--quiet"],
            env={
                **os.environ,
                "ELECTIS_HOME": home,
                "ELECTIS_DATABASE_URL": url,
                "ELECTIS_SECRET_KEY": KEY.hex(),
                "ELECTIS_AIMS_HOSTS": server.base_url,
                "ELECTIS_POLL_SECONDS": str(POLL),
            },
        )
        self._stack.callback(daemon.wait)
        self._stack.callback(daemon.terminate)
        self._wait_until_idle()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the daemon and AIMS."""
        self._stack.close()

    def edit(self, *, pause: float) -> float:
        """Change a space, and return the seconds from the beginning of the commit to the first request at AIMS."""
        self._wait_until_idle()
        time.sleep(pause)  # somewhere between two looks of the daemon
        clock = self._simulator.clock
        known = max((entry.seq for entry in self._arrived(0)), default=0)
        with self.database.write(self._scope.org_id) as uow:
            now = datetime.now(UTC)
            space = spaces.list_spaces(uow, [self._store_id])[0]
            spaces.save_spaces(uow, [replace(space, data={"TITLE": f"Edited {now}"})], now)
            ledger.bump(uow, self._store_id, {space.external_id: False}, now)
            uow.commit()
            began = clock.now()
        while not (arrived := self._arrived(known)):
            time.sleep(0.001)
        return float(arrived[0].time - began)

    def _arrived(self, known: int) -> list[Any]:
        with self._simulator.lock:
            return self._simulator.journal.after(known)

    def _wait_until_idle(self) -> None:
        busy = sa.text(
            "SELECT (SELECT count(*) FROM articles WHERE desired_version > synced_version)"
            " + (SELECT count(*) FROM leases WHERE holder IS NOT NULL)"
        )
        while True:
            with self.database.read() as uow:
                if not uow.execute(busy).scalar_one():
                    return
            time.sleep(0.02)


class Bell:
    """The least that wakes somebody: NOTIFY on one connection, a thread that listens on another."""

    def __init__(self, database: Database) -> None:
        """Connect both."""
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._ringer = psycopg.connect(url, autocommit=True)
        self._listener = psycopg.connect(url, autocommit=True)
        self._ringer.execute("CREATE TABLE IF NOT EXISTS bell AS SELECT 0 AS rung")
        self._listener.execute("LISTEN bell")
        self._heard_at = 0.0
        self._heard = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._is_over:
            for _ in self._listener.notifies(timeout=0.2, stop_after=1):
                self._heard_at = time.perf_counter()
                self._heard.set()

    def ring(self, *, with_edit: bool = False) -> float:
        """Return the seconds from NOTIFY to the moment it was heard; with an edit, from the beginning of its commit."""
        self._heard.clear()
        if with_edit:
            self._ringer.execute("BEGIN")
            self._ringer.execute("UPDATE bell SET rung = rung + 1")
            self._ringer.execute("NOTIFY bell")
        began = time.perf_counter()
        self._ringer.execute("COMMIT" if with_edit else "NOTIFY bell")
        self._heard.wait()
        return self._heard_at - began

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._is_over = True
        self._thread.join()
        self._ringer.close()
        self._listener.close()


def _rates(url: str) -> Iterator[str]:
    """Yield what waking costs 8 writers of single edits: how many times the edits they make without it."""
    database = Database(url)
    with SimulatorServer(Simulator(Settings(labels_per_store=0))) as server:
        settings = load_settings().model_copy(update={"aims_hosts": server.base_url})
        runtime = make_runtime(settings, database=database, sealer=Sealer(KEY))
        scope, store_id = prepare(runtime, server.base_url, WRITERS)
    context = multiprocessing.get_context("spawn")
    writers = []
    with Bell(database), database.wake_ups():  # somebody must listen, or NOTIFY has nothing to do
        for number in range(WRITERS):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=write, args=(theirs, Writer(url, scope.org_id, store_id, number))
            )
            process.start()
            writers.append((process, ours))
        rates: dict[str, list[int]] = {WITHOUT: [], AFTER: [], INSIDE: []}
        for _ in range(ROUNDS + 1):
            for mode, measured in rates.items():
                for _, pipe in writers:
                    pipe.send(mode)
                measured.append(sum(pipe.recv() for _, pipe in writers))
        for process, pipe in writers:
            pipe.send(None)
            process.join()
    database.close()
    for mode, what in ((AFTER, "after"), (INSIDE, "inside, for comparison")):
        ratio = statistics.median(a / b for a, b in zip(rates[WITHOUT][1:], rates[mode][1:], strict=True))
        limit = 2.0 if mode == AFTER else None
        yield amount(f"edits without NOTIFY / with, {what}", ratio, limit=limit)


@dataclass(frozen=True)
class Writer:
    """Who edits one space again and again."""

    url: str
    org_id: str
    store_id: str
    number: int


def write(pipe: Connection[int, str | None], writer: Writer) -> None:
    """Edit for a while each time a way of waking is told, and tell how many edits that was."""
    database = Database(writer.url)
    with database.read(writer.org_id) as uow:
        space = spaces.list_spaces(uow, [writer.store_id])[writer.number]
    while (mode := pipe.recv()) is not None:
        count, end = 0, time.monotonic() + ROUND_SECONDS
        while time.monotonic() < end:
            with database.write(writer.org_id) as uow:
                now = datetime.now(UTC)
                space = replace(space, data={"TITLE": f"Edit {count}"})
                spaces.save_spaces(uow, [space], now)
                space = replace(space, version=space.version + 1)
                ledger.bump(uow, writer.store_id, {space.external_id: False}, now)
                uow.commit()
                if mode != AFTER:
                    uow.new_work.clear()
                if mode == INSIDE:
                    uow.execute(sa.text(f"NOTIFY {CHANNEL}"))
            count += 1
        pipe.send(count)
    database.close()
