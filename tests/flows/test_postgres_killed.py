"""PostgreSQL dies in the middle of commits, again and again: what was acknowledged is there, and the sync goes on."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from electis_cli.db import leases
from electis_cli.domain.access import Actor, Role
from electis_cli.domain.errors import DatabaseProblem
from electis_cli.services import spaces as space_service
from electis_cli.services.change import Scope
from electis_cli.services.push.report import Ending
from electis_cli.services.push.store import push_store
from electis_cli.settings import Settings as ElectisSettings
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from electis_cli.wiring import make_runtime
from tests.flows.in_process import InProcess
from tests.flows.sites import Site
from tests.world.command_line import until
from tests.world.planted import AIMS_PASSWORD

KILLS = 20
WRITERS = 3
EACH = 4
SEED = int(os.environ.get("ELECTIS_TEST_KILL_SEED", "1"))
FILE = "tests/flows/test_postgres_killed.py"
QUICK = {"ELECTIS_LEASE_SECONDS": "2", "ELECTIS_CALL_SECONDS": "1.5"}

pytestmark = [pytest.mark.slow, pytest.mark.long]


@dataclass
class Writer:
    """Somebody who edits spaces of their own, one after another, and remembers what was said to be done."""

    name: str
    scope: Scope
    done: dict[str, int] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    edits: int = 0
    refused: int = 0
    bug: BaseException | None = None

    @property
    def keys(self) -> list[str]:
        return [f"{self.name}-{number}" for number in range(EACH)]

    def work(self, stop: threading.Event) -> None:
        """Edit until told to stop; a database that is away is met again and again, as in a script that retries."""
        number = max(self.tried.values(), default=0)
        while not stop.is_set():
            number += 1
            key = self.keys[number % EACH]
            self.tried[key] = number
            try:
                space_service.update_space(self.scope, key, data={"ITEM_NAME": f"Name {number}"})
            except DatabaseProblem:
                self.refused += 1
                stop.wait(0.01)
            except BaseException as error:  # noqa: BLE001 - a thread's bug is the test's to tell
                self.bug = error
                return
            else:
                self.done[key] = number
                self.edits += 1


@contextmanager
def at_work(writers: list[Writer]) -> Iterator[None]:
    """Let everybody edit while the block runs."""
    stop = threading.Event()
    threads = [threading.Thread(target=writer.work, args=(stop,), name=writer.name) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for writer in writers:
        if writer.bug is not None:
            raise writer.bug


@pytest.fixture
def site(crash_postgres, tmp_path) -> Iterator[Site]:
    """A site on a server that is killed: durable, as in production."""
    server = SimulatorServer(
        Simulator(Settings(stores=("001",), labels_per_store=2, update_seconds=0.0))
    ).start()
    home = tmp_path / "home"
    home.mkdir()
    url = crash_postgres.create_database()
    electis = InProcess(home, {"ELECTIS_DATABASE_URL": url, "ELECTIS_AIMS_HOSTS": server.base_url, **QUICK})
    found = Site(electis, server, url)
    electis.initialize()
    electis(
        "aims", "configure", "--base-url", server.base_url, "--company", "ACME", "--username", "tester",
        "--password-stdin", stdin=AIMS_PASSWORD + "\n",
    )  # fmt: skip
    electis("store", "create", "001", "--name", "Main")
    yield found
    found.close()


@pytest.fixture
def writers(site) -> Iterator[list[Writer]]:
    """Three admins with processes of their own, as far as the database is concerned."""
    settings = ElectisSettings(
        database_url=site.url,
        secret_key_file=site.electis.home / "secret.key",
        aims_hosts=site.server.base_url,
    )
    (row,) = site.rows("SELECT id FROM organizations")
    actor = Actor(user_id=None, email="admin@acme.example", role=Role.ADMIN, org_id=row["id"], source="test")
    found = [
        Writer(f"W{number}", Scope(runtime=make_runtime(settings), actor=actor, org_id=row["id"]))
        for number in range(WRITERS)
    ]
    site.import_spaces({key: "Name 0" for writer in found for key in writer.keys})
    yield found
    for writer in found:
        writer.scope.runtime.database.close()


def check(site: Site, writers: list[Writer], offsets: dict[str, int]) -> None:
    """Everything that was acknowledged is there, whole: the value, its version, its audit row, its ledger bump."""
    rows = site.rows(
        "SELECT s.external_id, s.data, s.version, a.desired_version,"
        " (SELECT count(*) FROM audit_log l WHERE l.entity = 'space' AND l.action = 'space:updated'"
        "  AND l.entity_id = s.external_id) AS audited"
        " FROM spaces s JOIN articles a ON a.store_id = s.store_id AND a.article_id = s.external_id"
    )
    found = {row["external_id"]: row for row in rows}
    for writer in writers:
        for key in writer.keys:
            row = found[key]
            shown = int(row["data"]["ITEM_NAME"].removeprefix("Name "))
            # What got no answer may have been committed all the same; nothing older, and nothing else.
            # Of edits in doubt any may be the last that was committed; an acknowledged one is never undone.
            assert writer.done.get(key, 0) <= shown <= writer.tried.get(key, 0), (key, shown, writer)
            assert row["desired_version"] - row["version"] == offsets.setdefault(
                key, row["desired_version"] - row["version"]
            ), f"{key}: the ledger's bump and the edit it is for are not together"
            assert row["audited"] == row["version"] - 1, f"{key}: the edit and its audit row are not together"
            writer.done[key] = writer.tried[key] = shown


def test_an_acknowledgement_that_a_crash_takes_back_is_made_again_without_another_write(
    site, writers, crash_postgres
):
    """What AIMS took is written down without waiting for the disk; what is about to be sent is not."""
    scope, key = writers[0].scope, writers[0].keys[0]
    runtime = scope.runtime  # with a long lease: renewing it would take the acknowledgement to the disk
    (store,) = site.rows("SELECT id FROM stores")
    assert push_store(runtime, scope.org_id, store["id"]).ending is Ending.DONE
    space_service.update_space(scope, key, data={"ITEM_NAME": "Name 1"})
    before = len(site.article_writes())

    def crash(point: str) -> None:
        if point == "push:acknowledging":
            crash_postgres.freeze_wal_writer()
        elif point == "push:acknowledged":
            crash_postgres.kill()

    with pytest.raises(DatabaseProblem):
        push_store(replace(runtime, reached=crash), scope.org_id, store["id"])
    crash_postgres.restart()
    assert site.count("articles", "inflight_version IS NOT NULL AND synced_version < desired_version") == 1
    assert site.count("leases", "holder IS NOT NULL AND resource LIKE 'push:%'") == 1, "it sent in its name"
    with runtime.database.write(scope.org_id) as uow:
        leases.free_leases(uow, [runtime.holder])
        uow.commit()
    assert push_store(runtime, scope.org_id, store["id"]).ending is Ending.DONE
    assert site.count("articles", "inflight_version IS NOT NULL OR synced_version <> desired_version") == 0
    assert site.names()[key] == "Name 1"
    assert len(site.article_writes()) == before + 1


def test_no_acknowledged_edit_is_lost_when_postgresql_is_killed(site, writers, crash_postgres):
    """Twenty kills of the server under three writers and a daemon; afterwards AIMS shows what the database says."""
    chance = random.Random(SEED)
    daemon = site.start_daemon(**QUICK)
    offsets: dict[str, int] = {}
    check(site, writers, offsets)
    try:
        for _ in range(KILLS):
            with at_work(writers):
                enough = [writer.edits + 1 for writer in writers]
                until(
                    lambda enough=enough: all(
                        writer.bug or writer.edits >= least
                        for writer, least in zip(writers, enough, strict=True)
                    ),
                    "an edit of everybody",
                )
                threading.Event().wait(chance.random() * 0.2)  # the kill falls anywhere in a commit
                crash_postgres.kill()
                refused = [writer.refused + 1 for writer in writers]
                until(
                    lambda refused=refused: all(
                        writer.bug or writer.refused >= least
                        for writer, least in zip(writers, refused, strict=True)
                    ),
                    "everybody to notice",
                )
            crash_postgres.restart()
            check(site, writers, offsets)
        assert daemon.exit_code is None, daemon.log
        assert "Traceback" not in daemon.log
        status = site.wait_until_empty()
        wanted = {key: f"Name {number}" for writer in writers for key, number in writer.done.items()}
        assert site.names() == wanted
        assert (status["failed"], status["held"], status["conflict"]) == (0, 0, 0)
        assert (
            site.count("articles", "inflight_version IS NOT NULL OR synced_version <> desired_version") == 0
        )
        assert daemon.stop() == 0
        done = site.electis("sync", "full", "--no-push", "-o", "json")
        assert done.json["writes"] == 0
    except BaseException:
        print(f"RED: ELECTIS_TEST_KILL_SEED={SEED} .venv/bin/pytest -n0 {FILE}")  # noqa: T201
        raise
