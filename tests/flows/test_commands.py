"""One-shot commands with real processes: the daemon sends what waits, and nothing is sent twice when one is killed."""

from __future__ import annotations

import pytest

from tests.world.command_line import until
from tests.world.orders import LED, led_calls, leds

KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))

QUICK = {"ELECTIS_LEASE_SECONDS": "8", "ELECTIS_CALL_SECONDS": "6"}
"""A killed worker's lease runs out by itself: a minute in production, a moment here."""


def queue_paused(site, code):
    """Queue a blink in the paused store, let the store go on, and return the command's id."""
    site.electis("queue", "pause")
    waits = site.electis("label", "blink", code, "--queue", "-o", "json", check=14).json
    site.electis("queue", "resume")
    return waits["id"]


def status_of(site, command_id):
    return site.electis("queue", "show", command_id, "-o", "json").json["status"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_daemon_sends_a_command_that_waits(make_site, kind):
    """Design 5.1: a command waits up to 5 minutes for whatever keeps it, then the queue's worker sends it once."""
    site = make_site(kind)
    (code,) = site.label_codes()[:1]
    waits = queue_paused(site, code)
    daemon = site.start_daemon()
    until(lambda: status_of(site, waits) == "done", "the blink")
    assert list(leds(site.server.simulator)) == [code]
    assert daemon.stop() == 0
    assert len(led_calls(site.server.simulator)) == 1
    assert "commands_sent=1" in daemon.log


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_killed_daemon_was_sending_is_not_sent_again(make_site, kind):
    """Non-repeatable orders are never repeated blindly: killed with `kill -9` in the middle, it is in doubt."""
    site = make_site(kind)
    simulator = site.server.simulator
    (code,) = site.label_codes()[:1]
    waits = queue_paused(site, code)
    simulator.faults.add("hang", method="PUT", path=LED, applied=True)
    daemon = site.start_daemon(**QUICK)
    until(lambda: led_calls(simulator), "the call")
    assert status_of(site, waits) == "syncing"
    refused = site.electis("queue", "cancel", waits, "-o", "json", check=7).error
    assert "being sent right now" in refused["message"]
    daemon.kill()
    simulator.faults.clear()
    site.start_daemon(**QUICK)
    until(lambda: status_of(site, waits) == "unknown", "the verdict")
    site.electis("queue", "drain")
    assert len(led_calls(simulator)) == 1
