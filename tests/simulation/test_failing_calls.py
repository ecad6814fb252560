"""The n-th SQL statement, the n-th commit, the n-th call to AIMS fails, for every n of one full sync and its push.

Whatever fails, the end is the same as if nothing had: three quiet rounds later both sides hold what they hold after a
run without a fault. AIMS is the simulator's core behind a transport without a socket, and time is a number.
"""

from __future__ import annotations

import copy
import functools
import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import sqlalchemy as sa

from electis_cli.adapters.sealing import Sealer
from electis_cli.db import ledger, people, spaces, stores
from electis_cli.db.engine import Database
from electis_cli.db.tables import leases
from electis_cli.domain.errors import ElectisError
from electis_cli.services import labels as label_service
from electis_cli.services import people as people_service
from electis_cli.services import spaces as space_service
from electis_cli.services.change import Scope
from electis_cli.services.full_sync import Choice
from electis_cli.services.runtime import Runtime, Tuning
from electis_cli.services.syncing import sync_stores
from electis_cli.simulator import Settings, Simulator
from electis_cli.simulator.clock import Clock
from electis_cli.simulator.messages import Request
from tests.world.databases import FakeClock
from tests.world.ledger import edit, label_codes, put, remove
from tests.world.organizations import Bench, make_connector

ARTICLES = 60
LATER = 900.0
ROUNDS = 3
SEALER = Sealer(bytes(range(32)))
FILE = "tests/simulation/test_failing_calls.py"

pytestmark = pytest.mark.slow


@dataclass
class Faults:
    """Counts what is done, and lets the wanted one of a kind fail; 0 is none."""

    kind: str = ""
    number: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    happened: bool = False

    def plan(self, kind: str, number: int) -> None:
        """Begin to count anew, and let one fail."""
        self.kind, self.number, self.counts, self.happened = kind, number, {}, False

    def meets(self, kind: str) -> bool:
        """Count one more of a kind, and tell whether it is to fail."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        is_it = (self.kind, self.number) == (kind, self.counts[kind])
        self.happened = self.happened or is_it
        return is_it


class World:
    """One organization with one store: a database, an AIMS, and what fails between them."""

    def __init__(self, database: Database, clock: FakeClock, faults: Faults) -> None:
        self.database, self.clock, self.faults = database, clock, faults
        self.cloud = Simulator(
            Settings(labels_per_store=6, gateways_per_store=0, floating_gateways=0, stores=("001",)),
            clock=Clock(lambda: clock().timestamp()),
        )
        numbers = itertools.count(1)
        connect = make_connector(SEALER, clock, transport=_Transport(self.cloud, faults))
        self.runtime = Runtime(
            database=database,
            clock=clock,
            new_id=lambda: f"{clock.now:%m%d%H%M%S}-{next(numbers):021d}",
            new_token=lambda prefix: f"{prefix}{next(numbers)}",
            new_password=lambda: "a temporary one",
            draw=lambda: 0.5,
            sealer=SEALER,
            connect=connect,
            tuning=Tuning(batch_size=25),
            holder="worker",
        )

    def run(self, scope: Scope, **choice: Any) -> None:
        """Do what `electis sync full` does; time passes where it waits."""
        sync_stores(scope, choice=Choice(**choice), wait=self.clock.advance)

    def settle(self, scope: Scope, expected: dict[str, Any] | None = None) -> dict[str, Any]:
        """Nothing fails any more, and time passes: three full syncs with their pushes, fewer when all is as expected.

        Returns what both sides hold then.
        """
        self.faults.kind = ""
        for _ in range(ROUNDS):
            self.clock.advance(LATER)
            self.run(scope)
            if expected is not None and self.look(scope) == expected:
                break
        return self.look(scope)

    def look(self, scope: Scope) -> dict[str, Any]:
        """Return what both sides hold, and how the ledger stands."""
        with self.database.read(scope.org_id) as uow:
            (store,) = stores.list_stores(uow)
            rows = ledger.all_rows(uow, store.id)
            wishes = uow.execute(
                sa.text("SELECT label_code, acked_article, inflight_version FROM label_links")
            )
            # One that ran out is nobody's, and stays until somebody has something to push.
            held = uow.execute(
                sa.select(leases.c.resource).where(
                    leases.c.holder.is_not(None), leases.c.expires_at > self.clock()
                )
            )
            dead = uow.execute(sa.text("SELECT subject FROM dead_letters"))
            audited = uow.execute(
                sa.text("SELECT action, entity_id FROM audit_log WHERE entity <> 'sync_run'")
            )
            kept = uow.execute(sa.text("SELECT article_id, choice FROM sync_conflicts"))
            found = {
                "spaces": {
                    one.external_id: (one.version, dict(one.data))
                    for one in spaces.list_spaces(uow, [store.id])
                },
                "people": {
                    one.external_id: (one.version, one.assigned_space, dict(one.data))
                    for one in people.list_people(uow, [store.id])
                },
                "ledger": {
                    key: (
                        row.state.value,
                        row.is_dirty,
                        row.inflight_version,
                        row.desired_deleted,
                        row.base_hash,
                    )
                    for key, row in rows.items()
                },
                "links": sorted(tuple(row) for row in wishes),
                "leases": sorted(row[0] for row in held),
                "dead": sorted(row[0] for row in dead),
                "audited": sorted(tuple(row) for row in audited),
                "conflicts": sorted(tuple(row) for row in kept),
            }
        shelf = self.cloud.store("ACME", "001")
        found["AIMS"] = {key: (one.name, dict(one.data)) for key, one in shelf.articles.items()}
        found["labels"] = {code: list(one.articles) for code, one in shelf.labels.items()}
        return found


class _Transport(httpx.BaseTransport):
    """Brings requests to the simulator without a socket; one of them gets lost, or its answer does."""

    def __init__(self, cloud: Simulator, faults: Faults) -> None:
        self.cloud, self.faults = cloud, faults

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if self.faults.meets("call"):
            raise httpx.ConnectError("nobody is there")
        answer = self.cloud.handle(
            Request(
                method=request.method,
                path=request.url.path,
                query=parse_qs(request.url.query.decode(), keep_blank_values=True),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.content,
            )
        )
        if self.faults.meets("answer"):
            raise httpx.ReadTimeout("no answer came")
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def open_failing(url: str, clock: FakeClock, faults: Faults) -> Database:
    """Return a database whose statements and commits fail as its own driver says they do."""
    database = Database(url, clock=clock)
    engine, dialect = database.engine, database.engine.dialect

    def execute(cursor: Any, *_: Any) -> None:
        if faults.meets("statement"):
            _break(cursor.connection)

    for name in ("do_execute", "do_executemany", "do_execute_no_params"):
        sa.event.listen(engine, name, execute)
    commit = dialect.do_commit

    def do_commit(pooled: Any) -> None:
        connection = pooled.dbapi_connection
        if faults.meets("commit"):
            _break(connection)
        commit(pooled)
        if faults.meets("commit-answer"):
            _break(connection)
            connection.execute("SELECT 1")  # it is committed, and nobody hears of it

    dialect.do_commit = do_commit  # type: ignore[method-assign]
    if database.is_sqlite:
        sa.event.listen(engine, "connect", _never_flush)
    return database


def _break(connection: Any) -> None:
    """The disk of the embedded database fails once; a server's connection is gone, which its driver finds out."""
    if isinstance(connection, sqlite3.Connection):
        raise sqlite3.OperationalError("disk I/O error")
    connection.close()


def _never_flush(connection: sqlite3.Connection, _record: object) -> None:
    # Nothing here survives a power cut: hundreds of runs must be cheap.
    connection.execute("PRAGMA journal_mode=MEMORY")
    connection.execute("PRAGMA synchronous=OFF")


# --- the world before -----------------------------------------------------------------------------------------------


def prepare(world: World) -> Scope:
    """Bring sixty spaces to AIMS, then change both sides in every way that a full sync and a push meet."""
    office = Bench(world.runtime, world.clock).organization(base_url="http://aims.example")
    ids = [f"S{number:02}" for number in range(ARTICLES)]
    for key in ids:
        space_service.create_space(office, key, data={"TITLE": f"Desk {key}"})
    people_service.create_person(office, "dana", data={"ITEM_NAME": "Dana"}, space="S20")
    codes = label_codes(world.cloud, 3)
    for code, key in zip(codes[:2], ids[40:42], strict=True):
        label_service.link_label(office, code, key)
    world.run(office)
    world.settle(office)

    for key in ids[:10]:  # changed here
        space_service.update_space(office, key, data={"TITLE": f"Changed {key}"})
    for key in ids[10:16]:  # deleted here
        space_service.delete_space(office, key, unassign_person=True)
    for key in ("N0", "N1", "N2", "N3", "N4", "N5"):  # new here
        space_service.create_space(office, key, data={"TITLE": f"New {key}"})
    for key in ids[20:22]:  # changed there, one of them a person's
        edit(world.cloud, key, PHONE=f"55-{key}")
    for key in ids[28:29]:  # changed on both sides
        space_service.update_space(office, key, data={"TITLE": f"Here {key}"})
        edit(world.cloud, key, PHONE=f"66-{key}")
    for key in ids[31:32]:  # changed on both sides in the same column
        space_service.update_space(office, key, data={"TITLE": f"Here {key}"})
        edit(world.cloud, key, TITLE=f"There {key}")
    for key in ids[33:35]:  # deleted there
        remove(world.cloud, key)
    put(world.cloud, "F0", name="Somebody else's")
    label_service.link_label(office, codes[0], ids[42])  # linked anew, linked, and linked no more
    label_service.link_label(office, codes[2], ids[43])
    label_service.unlink_label(office, codes[1])
    return office


class Stage:
    """One prepared world, and a copy of it for every fault."""

    def __init__(
        self, url: str, copy_database: Callable[[FakeClock, Faults], AbstractContextManager[Database]]
    ) -> None:
        self.clock, self.faults, self._copy = FakeClock(), Faults(), copy_database
        database = open_failing(url, self.clock, self.faults)
        before = World(database, self.clock, self.faults)
        self._scope = prepare(before)
        database.close()
        self._shelf, self._now = before.cloud.store("ACME", "001"), self.clock.now
        self.expected = self.live("", 0)
        self.counts = self.counted

    def live(self, kind: str, number: int, expected: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run one full sync and its push with a fault, then quiet rounds; return what both sides hold."""
        self.clock.now = self._now
        with self._copy(self.clock, self.faults) as database:
            world = World(database, self.clock, self.faults)
            shelf = world.cloud.store("ACME", "001")
            shelf.articles.update(copy.deepcopy(self._shelf.articles))
            shelf.articles_changed()
            for code, label in self._shelf.labels.items():
                shelf.labels[code].articles = list(label.articles)
            shelf.links_changed()
            scope = replace(self._scope, runtime=world.runtime)
            self.faults.plan(kind, number)
            # What is told to the caller is not the matter here, but what is left behind.
            with suppress(ElectisError):
                world.run(scope, believe_at_once=True)
            self.counted = dict(self.faults.counts)
            return world.settle(scope, expected)


@pytest.fixture(scope="module")
def make_stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Stage]]:
    """Return how to get the stage of a kind of database; each is built once."""
    folder, opened = tmp_path_factory.mktemp("failing"), ExitStack()

    def on_sqlite() -> Stage:
        origin, path = folder / "before.db", folder / "now.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), origin)
        databases: list[Database] = []

        @contextmanager
        def copy_file(clock: FakeClock, faults: Faults) -> Iterator[Database]:
            shutil.copy(origin, path)
            if not databases:  # one for all, as it remembers how statements are compiled
                databases.append(open_failing(f"sqlite:///{path}", clock, faults))
            yield databases[0]
            databases[0].close()

        return Stage(f"sqlite:///{origin}", copy_file)

    def on_postgresql() -> Stage:
        server = request.getfixturevalue("postgres_server")
        origin = server.create_database(template=request.getfixturevalue("postgres_template"))
        opened.callback(server.drop_database, origin)

        @contextmanager
        def copy_database(clock: FakeClock, faults: Faults) -> Iterator[Database]:
            url = server.create_database(template=origin)
            database = open_failing(url, clock, faults)
            yield database
            database.close()
            server.drop_database(url)

        return Stage(origin, copy_database)

    yield functools.cache(lambda kind: on_sqlite() if kind == "sqlite" else on_postgresql())
    opened.close()


@pytest.fixture
def stage(engine_kind: str, make_stage: Callable[[str], Stage]) -> Stage:
    return make_stage(engine_kind)


EVERY = {"sqlite": 1, "postgresql": 5}
SHARES = 3
KINDS = (
    *(("statement", share) for share in range(SHARES)),
    ("commit", 0),
    ("commit-answer", 0),
    ("call", 0),
    ("answer", 0),
)


@pytest.mark.parametrize(("kind", "share"), KINDS)
def test_whichever_one_fails_the_end_is_the_same(stage, engine_kind, kind, share):
    """Every one on SQLite, every fifth on PostgreSQL; statements are many, so several tests share them."""
    expected = stage.expected
    assert_all_sorts_of_work_were_done(expected)
    total = stage.counts[kind]
    shares = SHARES if kind == "statement" else 1
    failed = []
    for number in range(1, total + 1, EVERY[engine_kind])[share::shares]:
        found = stage.live(kind, number, expected)
        assert stage.faults.happened, f"{kind} {number} of {total} was never reached"
        if found != expected:
            failed.append(number)
            print(f"RED {kind} {number} of {total} on {engine_kind}: {tell(expected, found)}")  # noqa: T201
    assert not failed, f"{kind} {failed}: .venv/bin/pytest -n0 {FILE} -k '{engine_kind}-{kind}-{share}'"


def tell(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return the parts that differ, each with the keys that do."""
    return {
        part: {
            key: (one.get(key), other.get(key)) for key in {*one, *other} if one.get(key) != other.get(key)
        }
        if isinstance(one, dict)
        else (one, other)
        for part, one in expected.items()
        if one != (other := found[part])
    }


def assert_all_sorts_of_work_were_done(expected: dict[str, Any]) -> None:
    """A run without a fault does something of every kind, so that every kind can fail."""
    shown, here = expected["AIMS"], expected["spaces"]
    assert shown["S00"][1]["TITLE"] == "Changed S00"
    assert "S10" not in shown
    assert shown["N0"][1]["TITLE"] == "New N0"
    assert here["S21"][1]["PHONE"] == "55-S21"
    assert here["S28"][1] == {"TITLE": "Here S28", "PHONE": "66-S28"}
    assert ("space:updated_by_aims", "S21") in expected["audited"]
    assert {key for key, _ in expected["conflicts"]} >= {"S28", "S31"}
    assert "F0" in shown
    assert "F0" not in here
    assert expected["leases"] == expected["dead"] == []
    assert {row[1:4] for row in expected["ledger"].values()} <= {(False, None, False), (False, None, True)}
