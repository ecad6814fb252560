"""Claiming and acknowledging on PostgreSQL, against bare statements and against other queues on the same server."""

from __future__ import annotations

import contextlib
import cProfile
import os
import pstats
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from unittest.mock import patch

import sqlalchemy as sa

from bench.drain import BATCH, BareLoop, add_store, edit, prepare
from bench.ratio import amount, line, timed
from electis_cli.adapters.sealing import Sealer
from electis_cli.db import gates, leases, organizations
from electis_cli.db.engine import NOT_YET, Database
from electis_cli.domain.queue import Push
from electis_cli.services.push import claim, delivery
from electis_cli.services.push import store as push
from electis_cli.services.push.report import PushReport
from electis_cli.services.push.session import PushSession
from electis_cli.services.rendering import Rendered, render_articles
from electis_cli.services.runtime import Tuning
from electis_cli.settings import load_settings
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from electis_cli.wiring import make_runtime
from tests.servers.postgres import EmbeddedPostgres

ARTICLES, ROUNDS, RACES = 10_000, 5, 3

SIDE_BY_SIDE = Tuning().push_threads
"""How many stores one process pushes side by side when it is raced: as many as a daemon that nobody told otherwise. The
rivals use as many connections as they like, so that nobody waits for the disk with nothing else to do."""

RIVALS = Path(".cache/bench/bin/python")
"""The interpreter that has the rivals (`requirements/install-bench`), so that ours has no package of theirs."""


@dataclass(frozen=True)
class Rival:
    """Another queue: how many jobs it gets, in which batches it may show its best, and how far ahead we must be."""

    name: str
    jobs: int
    batches: tuple[int, ...]
    at_least: float


KNOWN_RIVALS = (
    Rival("pgqueuer", 10_000, (100, 500, 1000, 2000), 1.5),
    Rival("procrastinate", 1_000, (1, 10, 50), 40.0),
)


def run() -> Iterator[str]:
    """Yield the ratios of claim and acknowledge to bare statements, and of rivals' seconds per job to ours."""
    with contextlib.closing(EmbeddedPostgres(durable=True)) as server:
        with Queue(server.create_database()) as queue:
            for name, work, limit in (
                ("without rendering", queue.work_rendered, 2.5),
                ("with rendering", queue.work, 5.0),
            ):
                pairs = [queue.pair(work) for _ in range(ROUNDS + 1)][1:]
                yield line(f"claim and acknowledge, {name}", pairs, limit=limit)
            if os.environ.get("ELECTIS_BENCH_PROFILE"):
                queue.profile()
        with Queue(server.create_database(), stores=SIDE_BY_SIDE) as queue:
            seconds = statistics.median(queue.race() for _ in range(ROUNDS + 1))
        for rival in KNOWN_RIVALS:
            yield _race(rival, server, seconds / (SIDE_BY_SIDE * ARTICLES))


def _race(rival: Rival, server: EmbeddedPostgres, ours: float) -> str:
    """Return a line with how much of a rival's time per job we take, the best batch size of it and the limit."""
    what = f"{rival.at_least:g} x ours / {rival.name}, seconds per job"
    if not RIVALS.exists():
        return f"{what:<47} skipped: {rival.name} is not installed (make bench installs it)"
    # Of each batch size what it does mostly, as of ours: a best of many runs would be the machine's best moment.
    best = min(
        statistics.median(_seconds_per_job(rival, server, batch) for _ in range(RACES))
        for batch in rival.batches
    )
    return (
        amount(what, rival.at_least * ours / best, limit=1.0)
        + f"   {rival.name} {1 / best:,.0f}/s, ours {1 / ours:,.0f}/s"
    )


def _seconds_per_job(rival: Rival, server: EmbeddedPostgres, batch: int) -> float:
    url = server.create_database()
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(RIVALS), "bench/rivals.py", rival.name, plain, str(rival.jobs), str(batch)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    server.drop_database(url)
    return float(done.stdout) / rival.jobs


class Queue:
    """Stores of many articles that AIMS has, and one push session on each that never calls AIMS."""

    def __init__(self, url: str, *, stores: int = 1) -> None:
        """Make the stores and push everything once, so that what comes after is an update with a base."""
        codes = tuple(f"{number:03}" for number in range(1, stores + 1))
        with SimulatorServer(Simulator(Settings(stores=codes, labels_per_store=0))) as server:
            self.database = Database(url)
            settings = load_settings().model_copy(update={"aims_hosts": server.base_url})
            self._runtime = make_runtime(settings, database=self.database, sealer=Sealer(bytes(32)))
            self._scope, first = prepare(self._runtime, server.base_url, ARTICLES)
            others = [add_store(self._scope, code, ARTICLES) for code in codes[1:]]
            self._sessions = [self._prepare(store_id) for store_id in (first, *others)]
        self._number = 0

    def _prepare(self, store_id: str) -> PushSession:
        push.push_store(self._runtime, self._scope.org_id, store_id)
        session = self._open(store_id)
        session.view.list_all(self._runtime.clock())
        session.client.close()
        return session

    def _open(self, store_id: str) -> PushSession:
        runtime, org_id = self._runtime, self._scope.org_id
        with self.database.write(org_id) as uow:
            ground = gates.find_ground(uow, store_id, runtime.clock())
            lease = leases.take_lease(uow, push.lease_name(store_id), runtime.holder, seconds=3600)
            uow.commit()
        assert ground is not None
        assert lease is not None
        return push._session(  # noqa: SLF001 - the session that the pusher makes
            runtime=runtime,
            ground=ground,
            lease=lease,
            taken_at=runtime.clock(),
            client=runtime.connect(ground.organization),
            report=PushReport(store=ground.store.code),
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        self.database.close()

    def pair(self, work: Callable[[], float]) -> tuple[float, float]:
        """Return the seconds that bare statements and `work` take for one edit of every article each."""
        self._edit()
        store_id = self._sessions[0].store.id
        bare = timed(lambda: BareLoop(self.database, self._scope.org_id, store_id).run(_BODIES, _nowhere))
        self._edit()
        return bare, work()

    def race(self) -> float:
        """Return the seconds that claiming and acknowledging one edit of every article takes, rendered before."""
        self._edit()
        return self.work_rendered()

    def work(self) -> float:
        """Return the seconds that claiming and acknowledging everything takes, all stores side by side."""
        if len(self._sessions) == 1:
            return timed(lambda: _claim_and_acknowledge(self._sessions[0]))
        with ThreadPoolExecutor(len(self._sessions)) as pool:
            return timed(lambda: list(pool.map(_claim_and_acknowledge, self._sessions)))

    def work_rendered(self) -> float:
        """Return the same with contents that were rendered before."""
        ids = [f"{number:07}" for number in range(ARTICLES)]
        with self.database.read(self._scope.org_id) as uow:
            organization = organizations.own_organization(uow)
            rendered = {
                session.store.id: render_articles(uow, organization, session.store.id, ids)
                for session in self._sessions
            }

        def take(_uow: object, _organization: object, store: str, ids: list[str]) -> Mapping[str, Rendered]:
            return {article_id: rendered[store][article_id] for article_id in ids}

        with patch.object(claim, "render_articles", take):
            return self.work()

    def profile(self) -> None:
        """Print where the time goes, to standard error."""
        for name, work in (("without rendering", self.work_rendered), ("with rendering", self.work)):
            self._edit()
            profile = cProfile.Profile()
            profile.runcall(work)
            print(f"--- {name}", file=sys.stderr)
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)

    def _edit(self) -> None:
        self._number += 1
        for session in self._sessions:
            edit(self.database, self._scope, session.store.id, f"Desk {self._number}")
        # As the server's own housekeeping does between two imports; not in the middle of what is measured.
        with self.database.engine.connect().execution_options(electis_begin=NOT_YET) as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def _claim_and_acknowledge(session: PushSession) -> None:
    left = ARTICLES
    while due := claim.due_articles(session):
        batch = claim.claim(session, list(due), tombstones=False)[Push.UPDATE]
        assert len(batch) == BATCH, len(batch)
        delivery.acknowledge(session, Push.UPDATE, batch)
        left -= len(batch)
    assert not left, left


_BODIES = [b""] * (ARTICLES // BATCH)


def _nowhere(_body: bytes) -> None:
    """Send nothing."""
