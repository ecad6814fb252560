"""One life of a store in one thread: workers, people, other tools, faults and crashes, drawn from one seed.

The engine is the real one, on a real database; AIMS is the simulator's core behind a transport without a socket, and
time is a number. Whatever happens inside a call (another worker, a late request, somebody at AIMS) happens there. The
same seed lives the same life; its log says what happened.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import sqlalchemy as sa

from electis_cli.adapters.sealing import Sealer
from electis_cli.db import ledger, people, runs, spaces, stores
from electis_cli.db.engine import Database
from electis_cli.domain.errors import BrakeTripped, ElectisError
from electis_cli.domain.queue import State
from electis_cli.services import housekeeping, ping
from electis_cli.services import people as people_service
from electis_cli.services import spaces as space_service
from electis_cli.services.change import Scope
from electis_cli.services.full_sync import Choice, approve_run, full_sync
from electis_cli.services.push.store import push_store
from electis_cli.services.runtime import Runtime, Tuning
from electis_cli.simulator import Settings, Simulator
from electis_cli.simulator.clock import Clock
from electis_cli.simulator.messages import Request
from electis_cli.simulator.model import Article
from tests.world.databases import FakeClock
from tests.world.ledger import remove
from tests.world.organizations import Bench, make_connector

KEYS = ("K0", "K1", "K2", "K3")
COLUMNS = ("TITLE", "PHONE")
LEASE, WINDOW = 60.0, 120.0
SETTLED = WINDOW + 1
REST = 8 * 86400.0
"""Longer than contents are known as ours."""
STALE = ((0.0, 1.0, 5.0, 60.0), (30, 30, 5, 1))
"""For so many seconds a hostile AIMS shows old values after each write, and how often it is that kind of AIMS."""
BETWEEN = 0.02
"""How often, when something happens inside a write, it may be somebody at AIMS: between our read and our write."""
LATE = 0.3
"""How often a hostile network brings a request that got no answer after all, later."""
MOST_INSIDE = 2
"""So many things happen inside one call at most."""


_SEALER = Sealer(bytes(range(32)))


class Died(BaseException):
    """The process is gone: nothing after this line runs, nothing is cleaned up."""


@dataclass(frozen=True, slots=True)
class RemoteEdit:
    """What somebody wrote at AIMS, and what AIMS showed in that column before."""

    key: str
    column: str
    value: str
    seen: str


class Machines:
    """Connections to one database file for many lives: preparing statements anew would take most of the time."""

    def __init__(self, url: str, clock: FakeClock) -> None:
        self.url, self.clock = url, clock
        self.databases: dict[str, Database] = {}
        self.users: dict[str, Worker] = {}

    def database(self, name: str) -> Database:
        """Return the connections of a process; a dead one's are refused until another takes its place."""
        if name not in self.databases:
            database = self.databases[name] = Database(self.url, clock=lambda: self.clock())  # noqa: PLW0108
            if database.is_sqlite:
                sa.event.listen(database.engine, "connect", _never_flush)
            sa.event.listen(database.engine, "begin", lambda _: self._refuse_the_dead(name))
            sa.event.listen(database.engine, "commit", lambda _: self._refuse_the_dead(name))
        return self.databases[name]

    def _refuse_the_dead(self, name: str) -> None:
        if name in self.users and not self.users[name].alive:
            raise Died

    def close(self) -> None:
        """Close all connections: the next life begins with another file."""
        self.users.clear()
        for database in self.databases.values():
            database.close()


@dataclass
class Worker:
    """One process; when it died, its database refuses everything."""

    name: str
    scope: Scope
    alive: bool = True


@dataclass
class Toll:
    """What a life cost: all of it must be nothing, but for what a hostile AIMS makes impossible."""

    diverged: list[str] = field(default_factory=list)
    resurrected: list[str] = field(default_factory=list)
    lost_local: list[str] = field(default_factory=list)
    lost_remote: list[str] = field(default_factory=list)
    restless: list[str] = field(default_factory=list)
    remote_edits: int = 0


class Life:
    """A store, everybody who works on it, and what they did."""

    def __init__(self, seed: int, machines: Machines, *, hostile: bool) -> None:
        self.random = random.Random(seed)
        self.hostile, self.machines = hostile, machines
        self.clock = machines.clock = FakeClock()
        self.cloud = Simulator(
            Settings(
                labels_per_store=0,
                gateways_per_store=0,
                floating_gateways=0,
                stores=("001",),
                # A hostile AIMS shows old values for a while after each write.
                visibility_seconds=self.random.choices(*STALE)[0] if hostile else 0.0,
            ),
            clock=Clock(lambda: self.clock.now.timestamp()),  # noqa: PLW0108 - `now` moves
        )
        self.log: list[str] = []
        self.late: list[Request] = []
        self.numbers = itertools.count(1)
        self.inside = 0
        self.pushing = 0
        self.calm = False
        self.at_work: list[Worker] = []
        self.local: dict[tuple[str, str], str] = {}
        self.local_before: dict[str, set[str]] = {}
        self.deleted: set[str] = set()
        self.remote_edits: list[RemoteEdit] = []
        self.adopted: set[str] = set()
        self.undone_there: set[str] = set()  # what people at AIMS wrote and deleted again themselves
        self.made_there = 0
        self.office = Bench(self._runtime("desk"), self.clock).organization(base_url="http://aims.example")
        self.org_id = self.office.org_id
        with self.desk.read(self.org_id) as uow:
            self.store_id = stores.list_stores(uow)[0].id
        self.workers = [self._start_worker(name) for name in ("A", "B")]

    @property
    def desk(self) -> Database:
        """The connections of the people at their desks, who do not die."""
        return self.machines.database("desk")

    # --- processes --------------------------------------------------------------------------------------------------

    def _runtime(self, name: str) -> Runtime:
        transport = _Transport(self, name)
        return Runtime(
            database=self.machines.database(name),
            clock=self.clock,
            new_id=lambda: f"{next(self.numbers):032d}",
            new_token=lambda prefix: f"{prefix}{next(self.numbers)}",
            new_password=lambda: "a temporary one",
            draw=self.random.random,
            sealer=_SEALER,
            connect=make_connector(_SEALER, self.clock, transport=transport),
            tuning=Tuning(lease_seconds=LEASE, settle_seconds=WINDOW),
            holder=f"{name}:{next(self.numbers)}",
        )

    def _start_worker(self, name: str) -> Worker:
        worker = Worker(name, replace(self.office, runtime=self._runtime(name)))
        self.machines.users[name] = worker
        return worker

    def _work(self, worker: Worker, name: str, work: Callable[[Worker], object]) -> None:
        """Let a worker do something; when it dies of it, another process takes its place."""
        self.at_work.append(worker)
        try:
            result = work(worker)
            self.log.append(f"{worker.name} {name}: {_short(result)}")
        except ElectisError as error:
            self.log.append(f"{worker.name} {name}: {error.code}")
        except Died:
            self.log.append(f"{worker.name} {name}: died")
        finally:
            self.at_work.pop()
            if not worker.alive:
                self.workers[self.workers.index(worker)] = self._start_worker(worker.name)

    def kill(self, worker: Worker) -> None:
        """End a worker's process, wherever it is."""
        worker.alive = False

    # --- steps ------------------------------------------------------------------------------------------------------

    def live(self, steps: int) -> Toll:
        """Take some steps, then let everything calm down, and return what it cost."""
        for _ in range(steps):
            self.step()
        self.settle()
        return self.judge()

    def step(self) -> None:
        """Let one thing happen."""
        happen = self.random.choices(
            (
                self.edit_here, self.delete_here, self.create_here, self.seat_somebody, self.edit_there,
                self.delete_there, self.push, self.sync, self.keep_house, self.ping, self.wait, self.deliver_late,
                self.break_something, self.rest,
            ),
            weights=(9, 2, 4, 2, 5, 1, 12, 6, 3, 3, 6, 1 if self.hostile else 0, 3, 1),
        )[0]  # fmt: skip
        happen()
        self.clock.advance(self.random.choice((1, 3, 7, 30)))
        self._watch()

    def _free_worker(self) -> Worker:
        return self.random.choice([worker for worker in self.workers if worker not in self.at_work])

    def _new_value(self, side: str) -> str:
        return f"{side}{next(self.numbers)}"

    def _rows(self) -> dict[str, dict[str, str]]:
        """Return what the database says of each space, as its label shows it."""
        with self.desk.read(self.org_id) as uow:
            found = spaces.list_spaces(uow, [self.store_id])
            seated = people.occupants(uow, self.store_id, [space.external_id for space in found])
            return {
                space.external_id: {
                    **space.data,
                    **(seated[space.external_id].data if space.external_id in seated else {}),
                }
                for space in found
            }

    def edit_here(self) -> None:
        """Somebody changes a space."""
        existing = sorted(self._rows())
        if not existing:
            return
        key, column = self.random.choice(existing), self.random.choice(COLUMNS)
        value = self._new_value("L")
        with self.desk.read(self.org_id) as uow:
            seated = people.occupants(uow, self.store_id, [key]).get(key)
        if seated is not None:
            people_service.update_person(self.office, seated.external_id, data={column: value})
        else:
            space_service.update_space(self.office, key, data={column: value})
        self._said_here(key, column, value)
        self.log.append(f"here: {key} {column} = {value}")

    def _said_here(self, key: str, column: str, value: str) -> None:
        self.local[key, column] = value

    def create_here(self) -> None:
        """Somebody makes a space that is not there."""
        missing = sorted(set(KEYS) - set(self._rows()))
        if not missing:
            return
        key, value = self.random.choice(missing), self._new_value("L")
        space_service.create_space(self.office, key, data={"TITLE": value})
        self._forget(key)
        self._said_here(key, "TITLE", value)
        self.deleted.discard(key)
        self.log.append(f"here: made {key} with {value}")

    def delete_here(self) -> None:
        """Somebody deletes a space."""
        existing = sorted(self._rows())
        if not existing:
            return
        key = self.random.choice(existing)
        space_service.delete_space(self.office, key, unassign_person=True)
        self._forget(key)
        self.deleted.add(key)
        self.log.append(f"here: deleted {key}")

    def seat_somebody(self) -> None:
        """Somebody gets a seat, or leaves it: what the label shows changes with them."""
        existing = sorted(self._rows())
        if not existing:
            return
        key = self.random.choice(existing)
        with self.desk.read(self.org_id) as uow:
            seated = people.occupants(uow, self.store_id, [key]).get(key)
        if seated is not None:
            people_service.unassign_person(self.office, seated.external_id)
            self._forget(key)
            self.log.append(f"here: nobody on {key}")
            return
        name, value = f"P{next(self.numbers)}", self._new_value("L")
        people_service.create_person(self.office, name, data={"TITLE": value}, space=key)
        self._forget(key)
        self._said_here(key, "TITLE", value)
        self.log.append(f"here: {name} on {key} with {value}")

    def _forget(self, key: str) -> None:
        """A row came or went: what was said before of this key counts no more."""
        for column in COLUMNS:
            self.local.pop((key, column), None)
        # What somebody wrote at AIMS meant the row that was there then.
        self.remote_edits = [edit for edit in self.remote_edits if edit.key != key]

    @property
    def _shelf(self) -> dict[str, Article]:
        return self.cloud.store("ACME", "001").articles

    def edit_there(self) -> None:
        """Somebody changes an article with AIMS's own tools."""
        existing = sorted(self._shelf)
        if not existing:
            return
        key, column = self.random.choice(existing), self.random.choice(COLUMNS)
        value, article = self._new_value("R"), self._shelf[key]
        seen = str(article.data.get(column) or "")
        self.remote_edits.append(RemoteEdit(key, column, value, seen))
        self.made_there += 1
        article.data = {**article.data, column: value}
        article.updated = self.clock.now.timestamp()
        self.log.append(f"there: {key} {column} = {value} over {seen}")

    def delete_there(self) -> None:
        """Somebody deletes an article with AIMS's own tools."""
        existing = sorted(self._shelf)
        if not existing:
            return
        key = self.random.choice(existing)
        remove(self.cloud, key)
        self.undone_there.update(edit.value for edit in self.remote_edits if edit.key == key)
        self.log.append(f"there: deleted {key}")

    def push(self) -> None:
        """A worker pushes the store."""
        self.pushing += 1
        self._work(
            self._free_worker(),
            "push",
            lambda worker: push_store(worker.scope.runtime, self.org_id, self.store_id),
        )
        self.pushing -= 1

    def sync(self) -> None:
        """A worker runs a full sync; whoever is asked approves what a brake holds."""
        choice = Choice(believe_at_once=self.random.random() < 0.1 and not self.hostile)
        self._work(self._free_worker(), "sync", lambda worker: self._sync(worker, choice))

    def _sync(self, worker: Worker, choice: Choice) -> object:
        try:
            return dict(full_sync(worker.scope, self.store_id, choice=choice).counts)
        except BrakeTripped as brake:
            return dict(approve_run(worker.scope, str(brake.details["run"])).counts)

    def keep_house(self) -> None:
        """A worker keeps house."""
        self._work(
            self._free_worker(),
            "housekeeping",
            lambda worker: housekeeping.keep_house(worker.scope.runtime, self.org_id),
        )

    def ping(self) -> None:
        """A worker pings AIMS, as the daemon does every minute."""
        self._work(self._free_worker(), "ping", lambda worker: ping.ping(worker.scope).ok)

    def wait(self) -> None:
        """Time passes."""
        seconds = self.random.choice((1, 10, LEASE + 5, SETTLED, SETTLED, 900))
        self.clock.advance(seconds)
        self.log.append(f"{seconds:g} s pass")

    def rest(self) -> None:
        """Nothing happens for longer than anything is remembered, and what is too old is forgotten."""
        self.keep_house()
        self.clock.advance(REST)
        self.late.clear()  # no network brings a request after so long
        self.log.append(f"{REST:g} s pass")
        self.keep_house()

    def deliver_late(self) -> None:
        """A request that was given up long ago arrives."""
        if self.late:
            request = self.late.pop(self.random.randrange(len(self.late)))
            self.cloud.handle(request)
            self.log.append(f"late: {request.method} {request.path}")

    def break_something(self) -> None:
        """AIMS answers the next calls with trouble."""
        kind, options = self.random.choice(
            (
                ("status", {"code": 500}), ("status", {"code": 503}), ("status", {"code": 429}), ("html", {}),
                ("cut", {}), ("status", {"code": 401}), ("empty-200", {}),
            )
        )  # fmt: skip
        self.cloud.faults.add(kind, count=self.random.choice((1, 2, 4)), **options)
        self.log.append(f"trouble: {kind} {options}")

    # --- inside a call ----------------------------------------------------------------------------------------------

    def call(self, name: str, request: Request) -> Any:
        """Bring a worker's request to AIMS, and let happen what happens meanwhile; raises what the worker meets."""
        worker = self.machines.users[name]
        is_write = request.method != "GET" and "/token" not in request.path
        chance = self.random.random() if not self.calm else 1.0
        self.log.append(f"  {worker.name} {request.method} {request.path.rpartition('/')[2]}")
        if chance < 0.02:
            self.kill(worker)
            raise Died
        if is_write and chance < 0.06:
            return self._lose(request)
        self._meanwhile()
        response = self.cloud.handle(request)
        if chance > 0.98 and not self.calm:
            self.kill(worker)  # AIMS did it, and nobody hears of it
            raise Died
        if is_write and 0.06 <= chance < 0.10:
            raise httpx.ReadTimeout("no answer came")
        return response

    def _lose(self, request: Request) -> Any:
        """A write gets no answer; a hostile network brings it later."""
        if self.hostile and self.random.random() < LATE:
            self.late.append(request)
        raise httpx.ReadTimeout("no answer came")

    def _meanwhile(self) -> None:
        if self.calm or self.inside >= MOST_INSIDE or self.random.random() > 0.15:
            return
        self.inside += 1
        try:
            acts: list[Callable[[], None]] = [self.edit_here, self.wait_inside]
            if len(self.at_work) < len(self.workers):
                acts += [self.push, self.sync]
            if self.hostile:
                acts.append(self.deliver_late)
            # Between a read and the write that relies on it nobody is safe: that is for the hostile.
            if not self.pushing or (self.hostile and self.random.random() < BETWEEN):
                acts.append(self.edit_there)
            self.log.append("  meanwhile")
            self.random.choice(acts)()
        finally:
            self.inside -= 1

    def wait_inside(self) -> None:
        """The worker is frozen in its call, now and then for longer than its lease."""
        seconds = self.random.choice((1, 5, LEASE * 1.5))
        self.clock.advance(seconds)
        self.log.append(f"  {seconds:g} s pass")

    # --- the end ----------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Remember which of AIMS's values reached the database, and that the ledger is in order."""
        with self.desk.read(self.org_id) as uow:
            for space in spaces.list_spaces(uow, [self.store_id]):
                self.adopted.update(space.data.values())
            for person in people.list_people(uow, [self.store_id]):
                self.adopted.update(person.data.values())
            for article_id, row in ledger.all_rows(uow, self.store_id).items():
                assert row.synced_version <= row.desired_version, article_id
                if row.inflight_version is not None:
                    assert row.inflight_version <= row.desired_version, article_id
                assert row.attempts <= 8, article_id

    def settle(self) -> None:
        """No more faults, edits or deaths: three full syncs more than a settle window apart, each with its push."""
        self.calm = True
        self.cloud.faults.clear()
        while self.late:
            self.cloud.handle(self.late.pop())
        self.log.append("calm")
        for _ in range(3):
            self.clock.advance(max(SETTLED, 900))
            self.round()

    def round(self) -> None:
        """Ping, run a full sync and push until nothing moves, as a daemon does."""
        worker = self.workers[0]
        self._work(worker, "ping", lambda one: ping.ping(one.scope).ok)
        self._work(worker, "sync", lambda one: self._sync(one, Choice()))
        for _ in range(6):
            self._work(worker, "push", lambda one: push_store(one.scope.runtime, self.org_id, self.store_id))
            if self.log[-1].endswith("push: done {}"):
                break
            self.clock.advance(5)
        self._work(
            worker, "housekeeping", lambda one: housekeeping.keep_house(one.scope.runtime, self.org_id)
        )

    def judge(self) -> Toll:
        """Return what is wrong now that everything is calm."""
        self._watch()
        toll = Toll(remote_edits=self.made_there)
        rows = self._rows()
        with self.desk.read(self.org_id) as uow:
            states = {
                article_id: row.state for article_id, row in ledger.all_rows(uow, self.store_id).items()
            }
            kept = {
                str(value)
                for conflict in runs.list_conflicts(uow, [self.store_id])
                for value in (conflict["remote"] or {}).values()
            }
        exempt = {article_id for article_id, state in states.items() if state is not State.ACTIVE}
        for key in sorted({*rows, *self._shelf} - exempt):
            shown = self._shelf.get(key)
            there = {column: str(shown.data.get(column) or "") for column in COLUMNS} if shown else None
            here = {column: rows[key].get(column, "") for column in COLUMNS} if key in rows else None
            if here != there:
                toll.diverged.append(f"{key}: here {here}, there {there}")
        for key in sorted(self.deleted):
            if key in rows or (key in self._shelf and key not in exempt):
                toll.resurrected.append(key)
        for (key, column), said in sorted(self.local.items()):
            final = rows.get(key, {}).get(column, "")
            if final != said and not self._replaced(key, column, final, said):
                toll.lost_local.append(f"{key} {column}: said {said}, is {final!r}")
        toll.lost_remote.extend(
            f"{edit.key} {edit.column}: {edit.value}"
            for edit in self.remote_edits
            if edit.value not in self.adopted | kept | self.undone_there
            and not any(
                later.seen == edit.value and later.key == edit.key and later.column == edit.column
                for later in self.remote_edits
            )
            and edit.key not in exempt
        )
        before = _writes(self)
        self.clock.advance(SETTLED)
        self.round()
        if _writes(self) != before:
            toll.restless.append(f"{_writes(self) - before} writes after everything was calm")
        return toll

    def _replaced(self, key: str, column: str, final: str, said: str) -> bool:
        """Tell whether what was said here was replaced at AIMS by somebody who saw it there."""
        edits = {edit.value: edit for edit in self.remote_edits if edit.key == key and edit.column == column}
        value = final
        while value in edits:
            value = edits[value].seen
            if value == said:
                return True
        return False


def _writes(life: Life) -> int:
    return sum(
        1 for line in life.log if line.startswith("  ") and line.endswith(" articles") and " GET " not in line
    )


class _Transport(httpx.BaseTransport):
    """Brings requests to the simulator without a socket."""

    def __init__(self, life: Life, name: str) -> None:
        self.life, self.name = life, name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        asked = Request(
            method=request.method,
            path=request.url.path,
            query=parse_qs(request.url.query.decode(), keep_blank_values=True),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.content,
        )
        answer = self.life.call(self.name, asked)
        if answer.delivery.how in {"reset", "cut", "hang", "stall"}:
            raise httpx.ReadError("the connection broke")
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def _short(result: object) -> str:
    ending = getattr(result, "ending", None)
    if ending is None:
        return str(result)
    counts = {
        name: getattr(result, name)
        for name in ("created", "updated", "deleted", "agreed", "failed", "waiting")
        if getattr(result, name)
    }
    return f"{ending.value} {counts}"


def _never_flush(connection: sqlite3.Connection, _record: object) -> None:
    """Nothing here survives a power cut: thousands of lives must be cheap."""
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=MEMORY")
