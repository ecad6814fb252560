"""Several daemons on one PostgreSQL: they share the stores, and what one leaves undone another takes over."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.flows.in_process import InProcess
from tests.flows.sites import Site
from tests.world.command_line import Background, until

STORES = ("001", "002", "003", "004", "005", "006")
LEASE = 2.0
TAKEN_OVER = LEASE + 5.0
"""Seconds within which the stores of a daemon that froze or died are pushed by another."""

FROZEN_FOR = 1.5 * LEASE

# A call may last longer than its lease here, so that what comes back late comes back at all.
QUICK = {
    "ELECTIS_LEASE_SECONDS": str(LEASE),
    "ELECTIS_CALL_SECONDS": "60",
    "ELECTIS_PUSH_THREADS": "2",
}

pytestmark = pytest.mark.slow


@dataclass
class Daemon:
    """A daemon on a machine of its own, as far as the home goes; AIMS knows it by its tokens."""

    name: str
    process: Background
    tokens: set[str] = field(default_factory=set)

    @property
    def log(self) -> str:
        return self.process.log


@dataclass
class Plant:
    """An organization with six stores on PostgreSQL, and the daemons that push them."""

    site: Site
    daemons: list[Daemon] = field(default_factory=list)
    epochs: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.site, name)

    @property
    def journal(self) -> Any:
        return self.site.server.simulator.journal

    def start(self, name: str, **extra: str) -> Daemon:
        """Start a daemon with a home and a login at AIMS of its own, and learn its tokens."""
        home = self.site.electis.home.parent / name
        home.mkdir()
        key = {"ELECTIS_SECRET_KEY_FILE": str(self.site.electis.home / "secret.key")}
        electis = replace(self.site.electis, home=home, extra={**self.site.electis.extra, **key})
        known = {entry.token for entry in self.journal.after()}
        daemon = Daemon(name, electis.start_daemon(**{**QUICK, **extra}))
        self.site.daemons.append(daemon.process)
        self.daemons.append(daemon)
        # Its first ping comes at once; nobody else logs in meanwhile.
        until(lambda: {entry.token for entry in self.journal.after()} - known, f"a call of {name}")
        daemon.tokens = {entry.token for entry in self.journal.after()} - known
        return daemon

    def import_spaces(self, store: str, count: int) -> list[str]:
        """Make spaces in a store and return their ids."""
        ids = [f"{store}-{number}" for number in range(count)]
        lines = [f"{one},Desk {one}" for one in ids]
        file = self.site.write_csv(f"spaces-{store}.csv", ["external_id,ITEM_NAME", *lines])
        self.site.electis("space", "import", file, "--store", store)
        return ids

    def writes(self, store: str = "", after: int = 0) -> list[Any]:
        """Return the article writes of a store, or of all, in AIMS's journal."""
        return [
            entry for entry in self.site.article_writes(after) if not store or entry.query["store"] == [store]
        ]

    def who(self, entry: Any) -> Daemon:
        """Return which daemon made a call."""
        (found,) = [daemon for daemon in self.daemons if entry.token in daemon.tokens]
        return found

    def other(self, daemon: Daemon) -> Daemon:
        """Return the other of two daemons."""
        (found,) = [one for one in self.daemons if one is not daemon]
        return found

    def names(self, store: str) -> dict[str, str]:
        """Return the article ids AIMS holds in a store with the names it shows."""
        simulator = self.site.server.simulator
        with simulator.lock:
            articles = simulator.store("ACME", store).articles
            return {article_id: str(article.data["ITEM_NAME"]) for article_id, article in articles.items()}

    def ledger(self, store: str) -> dict[str, dict[str, Any]]:
        """Return what the ledger says of each article's synchronization."""
        rows = self.site.rows(
            "SELECT a.article_id, a.desired_version, a.synced_version, a.base_hash, a.acked_at, a.attempts, a.state,"
            " a.inflight_version, a.inflight_epoch FROM articles a JOIN stores s ON s.id = a.store_id"
            " WHERE s.code = :code",
            code=store,
        )
        return {row["article_id"]: row for row in rows}

    def status(self) -> dict[str, dict[str, Any]]:
        """Return `electis daemon status` by the daemons' process ids."""
        done = self.site.electis("daemon", "status", "-o", "json", check=None)
        return {view["process_id"]: view for view in done.json}

    def watch(self) -> None:
        """Look at the leases: an epoch only grows."""
        for row in self.site.rows("SELECT resource, epoch FROM leases"):
            assert row["epoch"] >= self.epochs.get(row["resource"], 0), row
            self.epochs[row["resource"]] = row["epoch"]

    def is_empty(self) -> bool:
        """Tell whether nothing waits in any store; the epochs are looked at on the way."""
        self.watch()
        rows = self.site.electis("queue", "status", "-o", "json").json
        return all(row["pending"] + row["syncing"] == 0 for row in rows)

    def wait_until_empty(self) -> None:
        """Wait until nothing is pending in any store."""
        until(self.is_empty, "six empty queues")


@pytest.fixture
def make_plant(make_home: Callable[..., InProcess]) -> Iterator[Callable[..., Plant]]:
    plants: list[Plant] = []

    def make(**extra: str) -> Plant:
        server = SimulatorServer(Simulator(Settings(stores=STORES, labels_per_store=2))).start()
        electis = make_home("postgresql", ELECTIS_AIMS_HOSTS=server.base_url, **extra)
        plant = Plant(Site(electis, server, electis.extra["ELECTIS_DATABASE_URL"]))
        plants.append(plant)
        electis.initialize()
        electis(
            "aims", "configure", "--base-url", server.base_url, "--company", "ACME", "--username", "tester",
            "--password-stdin", stdin="aims-secret\n",
        )  # fmt: skip
        for store in STORES:
            electis("store", "create", store, "--name", f"Site {store}")
        return plant

    yield make
    for plant in plants:
        for daemon in plant.daemons:
            print(f"--- {daemon.name}\n{daemon.log}")  # noqa: T201 - pytest shows it when the test fails
        plant.site.close()


def until_write(plant: Plant, store: str, after: int) -> Any:
    """Wait for the first article write of a store, and return it."""
    return until(lambda: next(iter(plant.writes(store, after)), None), f"a write to store {store}")


# --- sharing --------------------------------------------------------------------------------------------------------


def test_two_daemons_share_the_stores_and_push_each_one_at_a_time(make_plant):
    """Work spreads; no two writes of one store overlap; epochs only grow; nothing is sent twice."""
    latency = 0.3
    plant = make_plant(ELECTIS_BATCH_SIZE="5")
    wanted = {store: plant.import_spaces(store, 30) for store in STORES}
    for method in ("POST", "PUT"):
        plant.server.simulator.faults.add("latency", method=method, path="/articles", seconds=latency)
    first, second = plant.start("first"), plant.start("second")
    shared: list[tuple[set[str], set[str]]] = []

    def done() -> bool:
        views = plant.status()
        assert {view["state"] for view in views.values()} == {"alive"}
        shared.append(tuple(set(views[daemon.process.pid]["pushing"]) for daemon in (first, second)))
        return plant.is_empty()

    until(done, "six empty queues")
    assert {store: sorted(plant.names(store)) for store in STORES} == {
        store: sorted(ids) for store, ids in wanted.items()
    }
    writes = plant.writes()
    assert {plant.who(entry).name for entry in writes} == {"first", "second"}
    assert sum(entry.records for entry in writes) == 30 * len(STORES), "nothing is sent twice"
    for store in STORES:
        # By turns is fine: a push ends early when a full sync holds the rows that it was about to claim.
        moments = sorted(entry.time for entry in plant.writes(store))
        assert len(moments) >= 6
        assert all(later - earlier >= latency for earlier, later in pairwise(moments)), store
    # What people are told at the same time.
    assert any(ours and theirs for ours, theirs in shared), "both were pushing at once"
    assert [pair for pair in shared if pair[0] & pair[1]] == []
    assert {store for pair in shared for store in pair[0] | pair[1]} <= {f"ACME/{store}" for store in STORES}
    # Each store was compared by one of them, not by both.
    until(lambda: plant.count("sync_runs", "state = 'completed'") >= len(STORES), "a full sync of each store")
    assert plant.count("sync_runs") == len(STORES)
    for daemon in (first, second):
        assert daemon.process.stop() == 0
        assert "E-" not in daemon.log
    assert plant.status() == {}, "who stops as told leaves nothing behind"


# --- frozen, killed -------------------------------------------------------------------------------------------------


def test_the_stores_of_a_frozen_daemon_are_taken_over_and_it_acknowledges_nothing_afterwards(make_plant):
    """SIGSTOP in the middle of a call for one and a half leases, then SIGCONT."""
    plant = make_plant()
    plant.start("first")
    plant.start("second")
    until(lambda: plant.count("sync_runs", "state = 'completed'") >= len(STORES), "the first full syncs")
    # AIMS takes the batch at once and answers while the daemon is frozen: it will read "done" when it wakes.
    plant.server.simulator.faults.add(
        "latency", method="POST", path="/articles", store="001", seconds=2.5, count=1
    )
    before = plant.journal.last
    ids = plant.import_spaces("001", 8)
    call = until_write(plant, "001", before)
    frozen = plant.who(call)
    healthy = plant.other(frozen)
    frozen.process.send(signal.SIGSTOP)
    stopped_at = time.time()
    assert plant.status()[frozen.process.pid]["pushing"] == ["ACME/001"]

    # Everything else goes on meanwhile, by the other one.
    plant.electis("space", "update", ids[0], "--set", "ITEM_NAME=Changed meanwhile", "--store", "001")
    plant.import_spaces("002", 3)
    changed_at = time.time()
    elsewhere = until_write(plant, "002", call.seq)
    assert plant.who(elsewhere) is healthy
    assert elsewhere.time - changed_at < LEASE, "another store waits for nobody's lease"
    taken_over = until_write(plant, "001", call.seq)
    assert plant.who(taken_over) is healthy
    assert taken_over.time - stopped_at <= TAKEN_OVER
    # The frozen one's batch is recognized: only what changed since is sent.
    assert (taken_over.method, taken_over.articles) == ("PUT", [ids[0]])
    plant.wait_until_empty()
    until(lambda: plant.status()[frozen.process.pid]["state"] == "silent", "a silent daemon")
    assert plant.status()[frozen.process.pid]["pushing"] == []
    assert plant.status()[healthy.process.pid]["state"] == "alive"
    assert time.time() - stopped_at >= FROZEN_FOR
    ledger, epochs = plant.ledger("001"), dict(plant.epochs)

    frozen.process.send(signal.SIGCONT)
    frozen.process.wait_for("queue:turn subject=001 outcome=busy")
    until(lambda: plant.status()[frozen.process.pid]["state"] == "alive", "a daemon that is heard of again")
    assert plant.ledger("001") == ledger, "nothing is acknowledged with the old epoch"
    assert plant.names("001")[ids[0]] == "Changed meanwhile"
    plant.watch()
    (push,) = [name for name in epochs if name.startswith("push:") and _store(plant, name) == "001"]
    assert plant.epochs[push] >= epochs[push] >= 2

    # It goes on working: it is the only one now.
    assert healthy.process.stop() == 0
    before = plant.journal.last
    plant.import_spaces("003", 3)
    assert plant.who(until_write(plant, "003", before)) is frozen
    plant.electis("space", "update", ids[1], "--set", "ITEM_NAME=Changed afterwards", "--store", "001")
    plant.wait_until_empty()
    assert plant.names("001")[ids[1]] == "Changed afterwards"
    assert plant.count("dead_letters") == 0
    assert plant.count("articles", "attempts > 0") == 0
    assert frozen.process.stop() == 0


def _store(plant: Plant, resource: str) -> str:
    """Return the code of the store that a lease is about."""
    (row,) = plant.rows("SELECT code FROM stores WHERE id = :id", id=resource.partition(":")[2])
    return row["code"]


@pytest.mark.parametrize("applied", [False, True], ids=["not-taken", "taken"])
def test_the_stores_of_a_killed_daemon_are_taken_over(make_plant, applied):
    """`kill -9` in the middle of a call that AIMS took, or did not take; the other one has what it was pushing."""
    plant = make_plant()
    plant.start("first")
    plant.start("second")
    until(lambda: plant.count("sync_runs", "state = 'completed'") >= len(STORES), "the first full syncs")
    plant.server.simulator.faults.add(
        "hang", method="POST", path="/articles", store="001", applied=applied, count=1
    )
    before = plant.journal.last
    ids = plant.import_spaces("001", 8)
    call = until_write(plant, "001", before)
    victim = plant.who(call)
    victim.process.kill()
    killed_at = time.time()
    plant.electis("space", "update", ids[0], "--set", "ITEM_NAME=Changed meanwhile", "--store", "001")

    taken_over = until_write(plant, "001", call.seq)
    assert plant.who(taken_over) is plant.other(victim)
    assert taken_over.time - killed_at <= TAKEN_OVER
    assert taken_over.records == (1 if applied else len(ids))
    plant.wait_until_empty()
    assert plant.names("001") == {**{one: f"Desk {one}" for one in ids}, ids[0]: "Changed meanwhile"}
    until(lambda: plant.status()[victim.process.pid]["state"] == "silent", "a silent daemon")
    assert plant.status()[plant.other(victim).process.pid]["state"] == "alive"
    assert plant.count("articles", "attempts > 0 OR inflight_version IS NOT NULL") == 0


# --- alerts ---------------------------------------------------------------------------------------------------------


def test_two_daemons_mail_and_tell_every_alert_once(make_plant, smtp_server, receiver):
    """Both keep house every moment, for many rounds: one mail and one call for each cause."""
    plant = make_plant(ELECTIS_SMTP_URL=smtp_server.url, ELECTIS_ON_ALERT=f"{receiver.url}/alerts")
    plant.server.simulator.faults.add("reject-article", every=1, message="TOO_LONG_FOR_US")
    quick = {"ELECTIS_HOUSEKEEPING_SECONDS": "0.1"}
    for name in ("first", "second"):
        plant.start(name, **quick)
    for store in STORES:
        plant.import_spaces(store, 2)

    def rounds() -> int:
        (row,) = plant.rows("SELECT epoch FROM leases WHERE resource LIKE 'housekeeping:%'")
        return int(row["epoch"])

    until(lambda: plant.count("dead_letters") == 2 * len(STORES), "all dead letters")
    until(lambda: plant.count("alerts", "mailed_at IS NULL OR told_at IS NULL") == 0, "nothing left to tell")
    until(lambda: plant.count("outgoing_mail", "state = 'waiting'") == 0, "an empty outbox")
    enough = rounds() + 30
    until(lambda: rounds() >= enough, "many more rounds of housekeeping")

    causes = sorted(row["cause"] for row in plant.rows("SELECT cause FROM alerts"))
    assert len(causes) == len(STORES)
    assert sorted(document["cause"] for document in receiver.documents) == causes
    text = "\n".join(mail.text for mail in smtp_server.mails)
    for store in STORES:
        assert text.count(f"- Store {store}: ") == 1, text
    assert plant.electis("health", "-o", "json").json["components"]["on_alert"] == "ok"
