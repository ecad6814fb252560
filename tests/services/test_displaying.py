"""Displayed, not just accepted: labels are followed until they answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from electis_cli.db import alerts
from electis_cli.domain.labels import Display
from electis_cli.services import labels, spaces
from electis_cli.services.displaying import follow_displays
from electis_cli.services.syncing import sync_status
from electis_cli.services.waiting import Goal, wait_for
from tests.world.ledger import push, wish_of


@pytest.fixture
def code(connected, cloud):
    """A label that is linked and pushed, and has not answered yet."""
    found = min(cloud.store("ACME", "001").labels)
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, found, "A")
    return found


def outcome(cloud, code, word):
    with cloud.lock:
        cloud.store("ACME", "001").labels[code].outcome = word


def follow(scope):
    return follow_displays(scope.runtime, scope.org_id)


def open_alerts(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [alert["cause"] for alert in alerts.list_alerts(uow)]


def test_a_label_is_displayed_once_it_answered(connected, cloud, code):
    push(connected)
    before = wish_of(connected, code).display

    cloud.clock.advance(10)
    follow(connected)

    assert (before, wish_of(connected, code).display) == (Display.PROCESSING, Display.DISPLAYED)
    assert sync_status(connected)[0].labels_displayed == 1


def test_a_new_content_makes_its_labels_draw_again(connected, cloud, code):
    push(connected)
    cloud.clock.advance(10)
    follow(connected)

    spaces.update_space(connected, "A", data={"TITLE": "new"})
    push(connected)

    assert wish_of(connected, code).display is Display.PROCESSING


def test_a_label_that_timed_out_is_sent_once_more_and_then_alerted_once(connected, cloud, code):
    outcome(cloud, code, "TIMEOUT")
    push(connected)
    for _ in range(4):
        cloud.clock.advance(10)
        follow(connected)

    resends = cloud.world.counters.calls.get("PUT /labels/resend/timeout", 0)
    assert resends == 1
    assert wish_of(connected, code).display is Display.TIMED_OUT
    assert open_alerts(connected) == ["labels-timed-out:001"]
    assert sync_status(connected)[0].labels_timed_out == 1


def test_a_resend_that_works_ends_the_story(connected, cloud, code):
    outcome(cloud, code, "TIMEOUT")
    push(connected)
    cloud.clock.advance(10)
    follow(connected)

    outcome(cloud, code, "SUCCESS")
    spaces.update_space(connected, "A", data={"TITLE": "again"})
    push(connected)
    cloud.clock.advance(10)
    follow(connected)

    assert wish_of(connected, code).display is Display.DISPLAYED
    assert open_alerts(connected) == []


def test_an_aims_that_is_away_leaves_labels_waiting(connected, simulator_server, code):
    push(connected)
    simulator_server.stop()

    assert follow(connected).displayed == 0
    assert wish_of(connected, code).display is Display.PROCESSING


def test_waiting_for_displayed_asks_until_the_labels_answered(connected, cloud, clock, code):
    push(connected)

    def pause(seconds):
        clock.advance(seconds)
        cloud.clock.advance(seconds)

    view = wait_for(connected, Goal.DISPLAYED, timeout=timedelta(seconds=30), pause=pause)

    assert (view.reached, view.drawing) == (True, 0)


def test_waiting_ends_when_the_time_is_up(connected, clock, code):
    view = wait_for(connected, Goal.QUEUE_EMPTY, timeout=timedelta(seconds=5), pause=clock.advance)

    assert (view.reached, view.waiting > 0) == (False, True)
