"""The daemon dies, or is told to stop, in the middle of a push: nothing is lost, or done twice for nothing."""

from __future__ import annotations

import random
import signal
import threading
from datetime import UTC, datetime

import pytest

from tests.flows.sites import Site
from tests.world.command_line import Background, Finished, until

MANY = 220
BATCH = 20
# A killed worker's lease runs out by itself: a minute in production, a moment here.
QUICK = {"ELECTIS_LEASE_SECONDS": "1.5", "ELECTIS_CALL_SECONDS": "1.2"}
PATIENT = {"ELECTIS_LEASE_SECONDS": "2", "ELECTIS_CALL_SECONDS": "60"}
"""A call that outlives everything else, so that the kill certainly comes before the daemon gives it up."""

pytestmark = pytest.mark.slow


def fill(site: Site, count: int = MANY) -> dict[str, str]:
    """Import spaces and people who sit in half of them; returns what each article's name must be."""
    wanted = {f"{number:04}": f'Desk {number}, "east"' for number in range(1, count + 1)}
    quoted = {space: '"' + name.replace('"', '""') + '"' for space, name in wanted.items()}
    site.import_spaces(quoted)
    people = {f"p{space}": space for space in list(wanted)[::2]}
    lines = [f"{person},{space},דנה {space}" for person, space in people.items()]
    file = site.write_csv("people.csv", ["external_id,space,ITEM_NAME", *lines])
    site.electis("people", "import", file, "--store", "001")
    return {**wanted, **{space: f"דנה {space}" for space in people.values()}}


def until_write(site: Site, daemon: Background, count: int = 1) -> None:
    """Wait until AIMS has received so many article writes."""
    until(
        lambda: len(site.article_writes()) >= count or daemon.exit_code is not None,
        f"{count} article writes at AIMS",
    )
    assert daemon.exit_code is None, daemon.log


def assert_everything_arrived(site: Site, wanted: dict[str, str]) -> None:
    """Compare AIMS, the ledger and the database: everything is there, and nobody gave anything up."""
    status = site.wait_until_empty()
    assert site.names() == wanted
    assert status["synced"] == len(wanted) == site.count("spaces")
    assert (status["failed"], status["held"], status["conflict"], status["dead_letters"]) == (0, 0, 0, 0)
    assert site.count("dead_letters") == 0
    assert (
        site.count(
            "articles", "attempts > 0 OR inflight_version IS NOT NULL OR synced_version <> desired_version"
        )
        == 0
    )
    before = site.server.simulator.journal.last

    def full_sync() -> Finished | None:
        # A full sync that died with the daemon holds its lease until that runs out.
        done = site.electis("sync", "full", "--no-push", "-o", "json", check=None)
        return None if done.code == 11 else done

    done = until(full_sync, "a full sync that is not refused")
    assert (done.code, done.json["writes"]) == (0, 0), done.err
    assert site.article_writes(before) == []


@pytest.mark.parametrize(
    ("kind", "applied"), [("sqlite", False), ("sqlite", True), ("postgresql", True)], ids=str
)
def test_a_daemon_killed_while_aims_is_silent_is_taken_over(make_site, kind, applied):
    """`kill -9` of the daemon in the middle of the push, then a restart: everything arrives, nothing is lost.

    The kill lands before AIMS worked the call, or after it but before the answer: then what arrived is read
    back and not sent again.
    """
    site = make_site(kind)
    wanted = fill(site)
    hang = site.server.simulator.faults.add("hang", method="POST", path="/articles", applied=applied, count=1)
    first = site.start_daemon(**PATIENT)
    until_write(site, first)
    until(lambda: site.count("sync_runs", "state = 'completed'"), "the first full sync")
    first.kill()
    assert first.exit_code == -signal.SIGKILL
    assert len(site.names()) == (MANY if applied else 0)
    assert site.count("articles", "inflight_version IS NOT NULL") == MANY
    site.server.simulator.faults.remove(hang)

    site.start_daemon(**QUICK)
    assert_everything_arrived(site, wanted)
    assert [entry.records for entry in site.article_writes()] == ([MANY] if applied else [MANY, MANY])


def test_an_embedded_database_is_taken_over_at_once(make_site):
    """With the usual lease of a minute: whoever gets the lock knows that the one before is gone."""
    site = make_site("sqlite")
    wanted = fill(site, 30)
    hang = site.server.simulator.faults.add("hang", method="POST", path="/articles", count=1)
    first = site.start_daemon(ELECTIS_CALL_SECONDS="60")
    until_write(site, first)
    first.kill()
    site.server.simulator.faults.remove(hang)
    dead = site.electis("daemon", "status", "-o", "json", check=3).json
    assert [one["state"] for one in dead] == ["silent"], (
        "its lock is free, whatever its last heartbeat promised"
    )
    (lease,) = site.rows("SELECT expires_at FROM leases WHERE resource LIKE 'push:%' AND holder IS NOT NULL")

    site.start_daemon()
    assert_everything_arrived(site, wanted)
    assert datetime.now(UTC) < datetime.fromisoformat(lease["expires_at"]), (
        "before the lease of the dead one ran out"
    )
    alive = site.electis("daemon", "status", "-o", "json").json
    assert [one["state"] for one in alive] == ["alive"]


def test_a_daemon_killed_right_after_a_connection_broke_is_taken_over(make_site):
    """The same with a reset connection: AIMS took the batch, the answer never came."""
    site = make_site()
    wanted = fill(site)
    site.server.simulator.faults.add("reset", method="POST", path="/articles", applied=True, count=1)
    first = site.start_daemon(**QUICK)
    until_write(site, first)
    first.kill()
    site.start_daemon(**QUICK)
    assert_everything_arrived(site, wanted)
    assert [entry.records for entry in site.article_writes()] == [MANY]


@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 1), ("sqlite", 2), ("postgresql", 3)], ids=str)
def test_a_daemon_killed_again_and_again_brings_everything_in_the_end(make_site, kind, seed):
    """`kill -9` at random moments while the demo's number of articles goes through in small batches."""
    chance = random.Random(seed)
    site = make_site(kind, ELECTIS_BATCH_SIZE=str(BATCH))
    wanted = fill(site)
    site.server.simulator.faults.add("latency", path="/articles", seconds=0.03)
    batches = MANY // BATCH
    for death in range(3):
        daemon = site.start_daemon(**QUICK)
        until_write(site, daemon, min(batches - 2, 1 + death * 3 + chance.randrange(3)))
        threading.Event().wait(chance.random() * 0.08)  # the kill falls anywhere between two calls
        daemon.kill()
        # Edits made between two deaths are not lost either.
        edited = f"{chance.randrange(2, MANY, 2):04}"
        site.electis("space", "update", edited, "--set", f"ITEM_NAME=Edited {death}")
        wanted[edited] = f"Edited {death}"
    site.start_daemon(**QUICK)
    assert_everything_arrived(site, wanted)


def test_a_daemon_killed_in_the_middle_of_a_full_sync_does_not_stop_syncs_for_good(make_site):
    """`kill -9` while AIMS is being listed: the run's lease runs out, and the next daemon completes a run."""
    site = make_site()
    wanted = fill(site, 30)
    site.electis("queue", "drain")
    site.server.simulator.faults.add("hang", path="/config/article/info", count=1)
    lease = {"ELECTIS_LEASE_SECONDS": "0.5", "ELECTIS_CALL_SECONDS": "60"}
    first = site.start_daemon(**lease)
    journal = site.server.simulator.journal
    until(lambda: any(entry.fault == "hang" for entry in journal.after()), "a listing under way")
    assert site.electis("sync", "status", "-o", "json").json[0]["state"] == "syncing"
    first.kill()
    site.start_daemon(**lease)
    until(lambda: site.count("sync_runs", "state = 'completed'"), "a completed full sync")
    # The run is completed before its lease is given back, and the status says "syncing" until that is done.
    until(
        lambda: site.electis("sync", "status", "-o", "json").json[0]["state"] == "synced",
        "a store that is not being synced any more",
    )
    assert_everything_arrived(site, wanted)


def test_sigterm_lets_the_batch_in_flight_finish(make_site):
    """The daemon stops on SIGTERM after the batch in flight: exit 0, within a bound, and nothing is in doubt."""
    site = make_site(ELECTIS_BATCH_SIZE=str(BATCH))
    wanted = fill(site)
    latency = site.server.simulator.faults.add("latency", method="POST", path="/articles", seconds=1.0)
    daemon = site.start_daemon()
    until_write(site, daemon)
    assert site.queue()["synced"] == 0
    daemon.send(signal.SIGTERM)
    assert daemon.wait(15) == 0
    assert "daemon:stopped" in daemon.log
    writes = site.article_writes()
    assert [entry.records for entry in writes] == [BATCH]
    status = site.queue()
    assert (status["synced"], status["syncing"], status["worker"]) == (BATCH, 0, None)
    assert sorted(site.names()) == sorted(writes[0].articles)

    site.server.simulator.faults.remove(latency)
    site.start_daemon()  # with the usual lease: it was given back
    assert_everything_arrived(site, wanted)
    assert sum(entry.records for entry in site.article_writes()) == MANY


def test_sigint_stops_a_quiet_daemon_the_same_way(site):
    """SIGTERM's way out holds for Ctrl-C too."""
    daemon = site.start_daemon()
    daemon.send(signal.SIGINT)
    assert daemon.wait(10) == 0
    assert "Traceback" not in daemon.log


def test_ctrl_c_in_a_drain_waits_for_the_call_on_its_way_and_no_more(site):
    wanted = fill(site)
    latency = site.server.simulator.faults.add("latency", seconds=1, path="/articles")
    drain = site.electis.start("queue", "drain", ELECTIS_BATCH_SIZE=str(BATCH))
    until_write(site, drain)
    drain.send(signal.SIGINT)
    assert drain.wait() == 130
    assert "Traceback" not in drain.log
    sent = sum(entry.records for entry in site.article_writes())
    assert sent <= 2 * BATCH < MANY, "another may have begun in the moment of the signal"
    status = site.queue()
    assert (status["synced"], status["syncing"], status["worker"]) == (sent, 0, None)

    site.server.simulator.faults.remove(latency)
    site.electis("queue", "drain")
    assert_everything_arrived(site, wanted)


def test_a_second_daemon_on_the_same_embedded_database_is_refused(site):
    """SQLite has one daemon (design section 8): exit 11, and the message names who holds it."""
    first = site.start_daemon()
    second = site.electis.start("daemon", "run", log="second.log")
    assert second.wait() == 11
    assert second.log.startswith("error[E-LOCK-HELD]")
    assert str(first.pid) in second.log
    assert "\nfix: " in second.log
    assert "Traceback" not in second.log
    assert first.exit_code is None
    first.kill()
    # The kernel frees the lock however the holder dies.
    site.start_daemon()
