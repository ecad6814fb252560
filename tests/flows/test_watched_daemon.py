"""One daemon and the people who watch over it: whether it is alive, and that alerts reach them."""

from __future__ import annotations

import time

import pytest

from tests.world.command_line import until

pytestmark = pytest.mark.slow


def states(site, check):
    return [view["state"] for view in site.electis("daemon", "status", "-o", "json", check=check).json]


def test_the_daemon_of_an_embedded_database_is_seen_while_it_lives(site):
    """Started, stopped as told, killed: `daemon status` and its exit code."""
    assert states(site, check=3) == []
    quick = {"ELECTIS_LEASE_SECONDS": "0.5"}
    first = site.start_daemon(**quick)
    (view,) = site.electis("daemon", "status", "-o", "json").json
    assert (view["process_id"], view["state"]) == (first.pid, "alive")
    heard = view["heard_at"]
    assert first.stop() == 0
    assert states(site, check=3) == []

    second = site.start_daemon(**quick)
    until(
        lambda: site.electis("daemon", "status", "-o", "json").json[0]["heard_at"] > heard,
        "a later heartbeat",
    )
    second.kill()
    assert states(site, check=3) == ["silent"], "its lock is free, so it is known at once"
    site.start_daemon(**quick)
    assert states(site, check=0) == ["alive"], "who takes over clears up after the dead"


def test_a_daemon_whose_receiver_can_not_be_read_does_not_start(site):
    """Told at the start, when somebody is there to read it."""
    daemon = site.electis.start("daemon", "run", ELECTIS_ON_ALERT="'page the night shift")
    assert daemon.wait() == 16
    assert daemon.log.startswith("error[E-CONFIG] The command of ELECTIS_ON_ALERT")


def test_a_receiver_that_hangs_blocks_nothing_and_is_told_later(make_site, smtp_server, receiver):
    """The call is given up after ten seconds; meanwhile mails go out and articles are pushed."""
    site = make_site(ELECTIS_SMTP_URL=smtp_server.url, ELECTIS_ON_ALERT=f"{receiver.url}/alerts")
    receiver.is_silent = True
    site.server.simulator.faults.add("reject-article", articles=["bad"], message="TOO_LONG_FOR_US")
    daemon = site.start_daemon()
    site.electis("space", "create", "bad", "--set", "ITEM_NAME=Planted Name")
    receiver.wait_for(1)
    began = time.monotonic()

    assert "TOO_LONG_FOR_US" in smtp_server.wait_for(1)[0].text
    site.electis("space", "create", "good", "--set", "ITEM_NAME=Good")
    until(lambda: site.names() == {"good": "Good"}, "the article that AIMS takes")
    assert time.monotonic() - began < 9, "while the receiver hangs"
    assert len(receiver.received) == 1
    receiver.is_silent = False
    daemon.wait_for("alerts:turn")
    assert "outcome=E-ON-ALERT failed=1" in daemon.log
    assert "Planted Name" not in daemon.log

    first, again = receiver.wait_for(2)
    assert first == again
    assert list(again) == ["cause", "text", "organization", "store", "first", "last", "count", "fix"]
    assert (again["organization"], again["store"]) == ("ACME", "001")
    assert "Planted Name" not in str(again)
    daemon.wait_for("told=1")
    health = site.electis("health", "-o", "json").json
    assert health["components"]["on_alert"] == "ok"
    assert [alert["cause"] for alert in health["alerts"]] == [again["cause"]]
    told = site.electis("health")
    assert "Begin with: electis queue dead list --store 001" in told.err


def test_an_idle_daemon_on_postgresql_is_woken_by_an_edit_and_misses_none_while_it_can_not_listen(make_site):
    """It would look by itself in an hour. The second edit falls between two of its connections."""
    site = make_site("postgresql")
    daemon = site.start_daemon(ELECTIS_POLL_SECONDS="3600")
    site.electis("space", "create", "1", "--set", "ITEM_NAME=First")
    try:
        until(lambda: site.names() == {"1": "First"}, "the first space at AIMS", seconds=30)
    except AssertionError:
        # On a busy machine the first ping of a daemon may take too long, and so the push that the edit began: with an
        # hour between two looks it is the next edit that begins the next one.
        site.electis("space", "update", "1", "--set", "TITLE=again")
        until(lambda: site.names() == {"1": "First"}, "the first space at AIMS")

    site.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    daemon.wait_for("wake-ups:failed code=E-DATABASE-UNAVAILABLE")
    site.electis("space", "create", "2", "--set", "ITEM_NAME=Second")
    until(lambda: site.names() == {"1": "First", "2": "Second"}, "the second space at AIMS")
    site.electis("space", "create", "3", "--set", "ITEM_NAME=Third")
    until(lambda: len(site.names()) == 3, "the third space at AIMS")
    assert daemon.stop() == 0
