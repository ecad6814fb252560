"""AIMS goes away and comes back: the queue pauses, then drains, and nothing is given up."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.flows.sites import Site
from tests.world.command_line import until

# As many pings in a few seconds as in an outage of many minutes; the outage itself ends when enough of them failed.
QUICK = {
    "ELECTIS_PING_SECONDS": "0.3",
    "ELECTIS_LEASE_SECONDS": "5",
    "ELECTIS_CALL_SECONDS": "2",
    "ELECTIS_CONNECT_SECONDS": "1",
}
MISSED = 8

pytestmark = pytest.mark.slow


def health_events(site: Site) -> list[str]:
    return [
        row["name"]
        for row in site.rows("SELECT name FROM events WHERE name LIKE 'health:solum:%' ORDER BY at, id")
    ]


def last_ping(site: Site) -> str | None:
    return site.electis("sync", "status", "-o", "json").json[0]["last_solum_ping"]


def until_paused(site: Site) -> None:
    """Wait until the queue stands still and enough pings have failed."""
    until(lambda: site.queue()["breaker"] == "open", "an open breaker")
    until(lambda: health_events(site).count("health:solum:error") >= MISSED, f"{MISSED} failed pings")


def assert_paused(site: Site, waiting: int) -> None:
    status = site.queue()
    assert (status["breaker"], status["breaker_reason"]) == ("open", "health")
    assert status["pending"] + status["syncing"] == waiting
    assert (status["failed"], status["dead_letters"]) == (0, 0)
    drained = site.electis("queue", "drain", "--timeout", "5", "-o", "json", check=12)
    assert drained.json["empty"] is False
    assert site.count("alerts", "cause = 'aims:breaker' AND closed_at IS NULL") == 1


def assert_drained(site: Site, wanted: dict[str, str]) -> None:
    status = site.wait_until_empty()
    until(lambda: site.queue()["breaker"] == "closed", "a closed breaker")
    assert site.names() == wanted
    assert (status["failed"], status["held"], status["conflict"], status["dead_letters"]) == (0, 0, 0, 0)
    assert site.count("dead_letters") == 0
    assert site.count("articles", "attempts <> 0 OR state <> 'active'") == 0
    assert site.count("alerts", "closed_at IS NULL") == 0
    site.electis("queue", "drain")
    full = site.electis("sync", "full", "-o", "json").json
    assert full["writes"] == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_outage_pauses_the_queue_and_then_it_drains(make_site, kind):
    """The simulator is stopped and started again: the queue pauses, then drains; no dead letters.

    Flow 4.2: no answer -> `health:solum:error` and the queue stops; an answer -> `last_solum_ping`,
    `health:solum:ok`, and a queue that was stopped for health goes on.
    """
    site = make_site(kind)
    wanted = {f"{number:03}": f"Desk {number}" for number in range(60)}
    site.import_spaces(wanted)
    site.start_daemon(**QUICK)
    site.wait_until_empty()
    until(lambda: health_events(site)[:1] == ["health:solum:ok"], "a first ping")

    site.server.stop()
    # Edits go on as if nothing had happened: changes, a newcomer, a deletion.
    for space in ("001", "002", "003"):
        site.electis("space", "update", space, "--set", f"ITEM_NAME=Changed {space}")
        wanted[space] = f"Changed {space}"
    site.electis("space", "create", "new", "--set", "ITEM_NAME=New")
    site.electis("space", "delete", "004", "--yes")
    wanted["new"] = "New"
    del wanted["004"]
    until_paused(site)
    assert_paused(site, waiting=5)
    stale = last_ping(site)

    site.electis("space", "update", "001", "--set", "ITEM_NAME=Changed twice")
    wanted["001"] = "Changed twice"
    before = site.server.simulator.journal.last
    site.server.start()
    assert_drained(site, wanted)
    names = health_events(site)
    assert names[-1] == "health:solum:ok"
    assert names.index("health:solum:error") < len(names) - 1
    assert last_ping(site) > stale
    # Half-open after an outage: one batch of one proves that AIMS is back, then everything goes.
    writes = site.article_writes(before)
    assert writes[0].records == 1
    assert sum(entry.records for entry in writes) == 5


def test_an_outage_in_the_middle_of_a_push_loses_nothing(make_site):
    """The same while batches are under way: what was in doubt is read back, the rest follows."""
    site = make_site(ELECTIS_BATCH_SIZE="20")
    site.server.simulator.faults.add("latency", path="/articles", seconds=0.05)
    wanted = {f"{number:03}": f"Desk {number}" for number in range(220)}
    site.import_spaces(wanted)
    site.start_daemon(**QUICK)
    until(lambda: len(site.article_writes()) >= 4, "the fourth batch")
    site.server.stop()
    until_paused(site)
    status = site.queue()
    assert 0 < status["pending"] + status["syncing"] <= 160
    assert status["dead_letters"] == 0
    site.server.start()
    assert_drained(site, wanted)


def test_a_simulator_that_is_stopped_and_started_with_its_state_file_is_found_as_it_was(site, tmp_path):
    """The same with `electis aims simulate --state FILE` as a process, ended and started again on its port."""
    site.server.stop()
    port, state = site.server.port, tmp_path / "aims.json"
    arguments = ("aims", "simulate", "--port", str(port), "--state", str(state), "--update-seconds", "0")
    wanted = {f"{number:03}": f"Desk {number}" for number in range(40)}
    site.import_spaces(wanted)

    simulator = site.electis.start(*arguments, log="aims.log")
    site.daemons.append(simulator)
    simulator.wait_for("ready at")
    site.start_daemon(**QUICK)
    site.wait_until_empty()
    assert simulator.stop() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    site.electis("space", "update", "001", "--set", "ITEM_NAME=Changed")
    wanted["001"] = "Changed"
    until_paused(site)
    assert_paused(site, waiting=1)

    again = site.electis.start(*arguments, log="aims.log")
    site.daemons.append(again)
    again.wait_for("ready at")
    site.wait_until_empty()
    site.electis("queue", "drain")
    assert site.electis("sync", "full", "-o", "json").json["writes"] == 0
    again.send(signal.SIGTERM)
    assert again.wait() == 0
    site.server = SimulatorServer(_remembered(state))
    assert site.names() == wanted
    assert site.count("dead_letters") == 0
    assert site.count("articles", "attempts <> 0") == 0


def _remembered(state) -> Simulator:
    """Return a simulator with the world of a state file, to look into."""
    from electis_cli.simulator.state_file import read

    return Simulator(Settings(), world=read(state))


def test_a_drain_without_a_daemon_tells_an_outage_apart_from_an_empty_queue(site):
    """Exit 12 while AIMS does not answer and something waits; 0 when nothing does; 0 once it is back."""
    site.electis("queue", "drain")
    site.electis("space", "create", "1-1", "--set", "ITEM_NAME=One")
    site.server.stop()
    site.electis("queue", "drain", check=12)
    site.electis("aims", "ping", check=12)
    assert site.electis("health", "-o", "json", check=12).json["components"]["solum"] == "error"
    site.server.start()
    site.electis("queue", "drain")
    assert site.names() == {"1-1": "One"}
    assert site.queue()["breaker"] == "closed"


def test_a_drain_waits_within_its_time_for_what_backs_off(site):
    """`queue drain` works up to `--timeout`; 18 means that the time is up, not that a row waits for two seconds."""
    site.import_spaces({f"{number}": "One" for number in range(10)})
    site.electis("queue", "drain")
    # Ten times, because the delays of row and store are drawn.
    for number in range(10):
        site.server.simulator.faults.add("status", code=503, method="PUT", path="/articles", count=1)
        site.electis("space", "update", f"{number}", "--set", "ITEM_NAME=Two")
        began = time.monotonic()
        done = site.electis("queue", "drain", "--timeout", "20", "-o", "json", check=None)
        seconds = time.monotonic() - began
        assert done.code == 0 or seconds > 19, f"exit {done.code} after {seconds:.1f} s: {done.json['left']}"
    assert set(site.names().values()) == {"Two"}


def test_a_lone_edit_while_no_write_succeeds_is_not_the_rows_own_failure(site):
    """A row's attempts count only when it was alone while *another* write to the store succeeded since its last try."""
    site.import_spaces({"1-1": "One"})
    site.electis("queue", "drain")
    site.server.simulator.faults.add("status", code=503, method="PUT", path="/articles")
    site.electis("space", "update", "1-1", "--set", "ITEM_NAME=Two")
    site.electis("queue", "drain", "--timeout", "1", check=None)
    (row,) = site.electis("queue", "list", "-o", "json").json
    assert (row["id"], row["attempts"]) == ("1-1", 0)
