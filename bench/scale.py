"""For scale, not as ratios of one run: the figures that a known server of this kind has on two such cores."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from bench.cloud import running_simulator
from bench.drain import edit, prepare
from bench.ratio import amount, line, peak_of, timed
from electis_cli.adapters.sealing import Sealer
from electis_cli.db import ledger, spaces
from electis_cli.db.engine import Database
from electis_cli.services.change import Scope
from electis_cli.services.full_sync import full_sync
from electis_cli.services.push.store import push_store
from electis_cli.services.runtime import Runtime
from electis_cli.settings import load_settings
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from electis_cli.wiring import make_runtime

DRAINED, DRAIN_SECONDS, DRAIN_CALLS = 1_000, 45.0, 1_001
COMPARED, COMPARE_SECONDS, STALL_SECONDS = 10_000, 5.8, 4.0
MEMORY = 700e6
AHEAD = 0.01
"""A hundred times ahead of it in draining; in the others no worse is enough."""
RUNS, KEY = 3, bytes(32)


def run() -> Iterator[str]:
    """Yield what draining, comparing and a daemon cost, as shares of what they cost that server."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _drained(f"sqlite:///{Path(folder) / 'electis.db'}")
    with tempfile.TemporaryDirectory() as folder, running_simulator() as base_url:
        yield from _compared(f"sqlite:///{Path(folder) / 'electis.db'}", base_url)
    with tempfile.TemporaryDirectory() as folder, running_simulator() as base_url:
        peak = _daemon(f"sqlite:///{Path(folder) / 'electis.db'}", base_url, Path(folder))
        yield amount("a daemon's peak memory / its 700 MB", peak / MEMORY, limit=1.0)


def _runtime(url: str, base_url: str) -> tuple[Database, Runtime]:
    database = Database(url)
    settings = load_settings().model_copy(update={"aims_hosts": base_url})
    return database, make_runtime(settings, database=database, sealer=Sealer(KEY))


def _drained(url: str) -> Iterator[str]:
    with SimulatorServer(Simulator(Settings(labels_per_store=0))) as server:
        database, runtime = _runtime(url, server.base_url)
        scope, store_id = prepare(runtime, server.base_url, DRAINED)
        journal, pairs, calls = server.simulator.journal, [], []
        for number in range(RUNS):
            before = journal.last
            pairs.append((DRAIN_SECONDS, timed(lambda: push_store(runtime, scope.org_id, store_id))))
            calls.append(journal.last - before)
            edit(database, scope, store_id, f"Seat {number}")
        database.close()
    yield line(f"draining {DRAINED:,} articles / its 45 s", pairs, limit=AHEAD)
    yield amount(f"calls for them / its {DRAIN_CALLS:,}", max(calls) / DRAIN_CALLS, limit=AHEAD)


def _compared(url: str, base_url: str) -> Iterator[str]:
    database, runtime = _runtime(url, base_url)
    scope, store_id = prepare(runtime, base_url, COMPARED)
    push_store(runtime, scope.org_id, store_id)
    full_sync(scope, store_id)
    pairs, stalls = [], []
    for _ in range(RUNS):
        with _Editor(url, scope, store_id) as editor:
            pairs.append((COMPARE_SECONDS, timed(lambda: full_sync(scope, store_id))))
        stalls.append((STALL_SECONDS, editor.longest))
        push_store(runtime, scope.org_id, store_id)
    database.close()
    yield line(f"comparing {COMPARED:,} articles / its 5.8 s", pairs, limit=1.0)
    yield line("longest wait of an edit meanwhile / its 4 s", stalls, limit=1.0)


class _Editor:
    """Somebody who edits one space again and again in a thread, and how long the longest of the edits took."""

    def __init__(self, url: str, scope: Scope, store_id: str) -> None:
        self.longest = 0.0
        self._database, self._scope, self._store_id = Database(url), scope, store_id
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._edit)

    def _edit(self) -> None:
        number = 0
        while not self._is_over.wait(0.02):
            began, number = time.perf_counter(), number + 1
            with self._database.write(self._scope.org_id) as uow:
                now = datetime.now(UTC)
                space = spaces.find_space(uow, self._store_id, "0000000")
                assert space is not None
                spaces.save_space(uow, replace(space, data={"TITLE": f"Edit {number}"}), now)
                ledger.bump(uow, self._store_id, {space.external_id: False}, now)
                uow.commit()
            self.longest = max(self.longest, time.perf_counter() - began)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._database.close()


def _daemon(url: str, base_url: str, home: Path) -> int:
    """Return the most memory that a daemon has which pushes and compares 10,000 articles, in bytes."""
    database, runtime = _runtime(url, base_url)
    prepare(runtime, base_url, COMPARED)
    daemon = subprocess.Popen(
        [sys.executable, "-m", "daemon.main", "--quiet"],
        env={
            **os.environ,
            "ELECTIS_HOME": str(home),
            "ELECTIS_DATABASE_URL": url,
            "ELECTIS_SECRET_KEY": KEY.hex(),
            "ELECTIS_AIMS_HOSTS": base_url,
        },
    )
    with contextlib.ExitStack() as stack:
        stack.callback(database.close)
        stack.callback(daemon.wait)
        stack.callback(daemon.terminate)
        busy = sa.text(
            "SELECT (SELECT count(*) FROM articles WHERE desired_version > synced_version)"
            " + (SELECT count(*) = 0 FROM sync_runs WHERE state = 'completed')"
        )
        while True:
            assert daemon.poll() is None, "the daemon ended by itself"
            with database.read() as uow:
                if not uow.execute(busy).scalar_one():
                    return peak_of(daemon.pid)
            time.sleep(0.1)
