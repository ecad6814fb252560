"""Displayed, not just accepted: labels are followed until they answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from electis_cli.db import alerts
from electis_cli.domain.labels import Display
from electis_cli.services import draining, label_actions, label_orders, labels, queue, spaces
from electis_cli.services.displaying import follow_displays
from electis_cli.services.explain.explaining import explain
from electis_cli.services.housekeeping import keep_house
from electis_cli.services.syncing import sync_status
from electis_cli.services.waiting import Goal, wait_for
from electis_cli.simulator import display
from tests.world.ledger import SETTLED, calls, label, push, wish_of


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


# --- the alert about labels that timed out --------------------------------------------------------------------------


@pytest.fixture
def silent(connected, cloud, code):
    """A label that did not draw what AIMS sent twice, and the alert about it."""
    outcome(cloud, code, "TIMEOUT")
    push(connected)
    for _ in range(3):
        cloud.clock.advance(10)
        keep_house(connected.runtime, connected.org_id)
    assert open_alerts(connected) == ["labels-timed-out:001"]
    return connected


def test_the_alert_speaks_of_one_label_as_one(silent, code):
    with silent.runtime.database.read(silent.org_id) as uow:
        text = alerts.list_alerts(uow)[0]["text"]
    assert text == f"Store 001: 1 label did not draw what AIMS sent twice, first {code}."


def resend(scope, code):
    label_orders.resend_labels(scope, [code])


def unlink(scope, code):
    labels.unlink_label(scope, code)
    push(scope)


def change_its_article(scope, _):
    spaces.update_space(scope, "A", data={"TITLE": "again"})
    push(scope)


@pytest.mark.parametrize("deed", [resend, unlink, change_its_article])
def test_the_alert_closes_when_no_label_of_the_store_is_timed_out(silent, cloud, code, deed):
    keep_house(silent.runtime, silent.org_id)
    assert open_alerts(silent) == ["labels-timed-out:001"], "it is still so"

    deed(silent, code)
    outcome(cloud, code, "SUCCESS")
    keep_house(silent.runtime, silent.org_id)

    assert open_alerts(silent) == []


def test_a_label_that_draws_late_all_the_same_ends_the_alert(silent, cloud, code):
    outcome(cloud, code, "SUCCESS")

    keep_house(silent.runtime, silent.org_id)

    assert wish_of(silent, code).display is Display.DISPLAYED
    assert open_alerts(silent) == []


def test_a_label_that_stays_silent_is_alerted_once(silent):
    for _ in range(3):
        keep_house(silent.runtime, silent.org_id)

    with silent.runtime.database.read(silent.org_id) as uow:
        assert [alert["count"] for alert in alerts.list_alerts(uow)] == [1]


def test_waiting_for_displayed_is_not_reached_while_labels_timed_out(silent):
    view = wait_for(silent, Goal.DISPLAYED, timeout=timedelta(seconds=30))

    assert (view.reached, view.timed_out) == (False, 1)


# --- pages ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def flipped(connected, cloud, code):
    """A label that drew the page it was flipped to."""
    push(connected)
    label_actions.flip_label(connected, code, 2)
    push(connected)
    cloud.clock.advance(10)
    assert keep_house(connected.runtime, connected.org_id).pages_checked == 0, (
        "not before the settle window is over"
    )
    return connected


def flip_back(cloud, code):
    with cloud.lock:
        display.flip(label(cloud, code), 1, cloud.clock.now(), 0.1)


def settle(scope, cloud, clock):
    clock.advance(SETTLED)
    cloud.clock.advance(10)
    return keep_house(scope.runtime, scope.org_id)


def test_a_page_is_verified_once_after_the_settle_window(flipped, cloud, clock, code):
    assert settle(flipped, cloud, clock).pages_checked == 1
    assert settle(flipped, cloud, clock).pages_checked == 0
    assert len(calls(cloud, "GET", "/labels/detail")) == 1
    assert wish_of(flipped, code).acked_page == 2


def test_a_page_that_the_label_does_not_show_is_flipped_again(flipped, cloud, clock, code):
    flip_back(cloud, code)

    house = settle(flipped, cloud, clock)

    assert (house.pages_checked, house.pages_flipped) == (0, 1)
    assert push(flipped).flipped == 1
    assert settle(flipped, cloud, clock).pages_checked == 1
    assert label(cloud, code).page == 2
    assert open_alerts(flipped) == []


def test_a_drain_sends_what_its_own_verification_found(flipped, cloud, clock, code):
    flip_back(cloud, code)
    clock.advance(SETTLED)
    cloud.clock.advance(10)

    view = draining.drain(flipped)

    assert (view.empty, view.pushed["flipped"]) == (True, 1)


def test_a_page_that_somebody_flips_back_three_times_is_held_with_an_alert(flipped, cloud, clock, code):
    for _ in range(3):
        flip_back(cloud, code)
        settle(flipped, cloud, clock)
        push(flipped)

    wish = wish_of(flipped, code)
    assert (wish.state, wish.error_text) == (
        "held",
        "Somebody else flips it to page 1 after each of our flips to page 2.",
    )
    assert len(calls(cloud, "POST", "/labels/page")) == 3
    assert open_alerts(flipped) == ["page-flips:001"]
    view = explain(flipped, "space", "A")
    assert view.verdict.startswith(f"Label {code} waits for a decision: Somebody else flips it")
    assert view.fix == f"electis queue retry {code} --store 001"

    assert queue.retry(flipped, [code]) == 1
    push(flipped)
    settle(flipped, cloud, clock)
    assert (label(cloud, code).page, open_alerts(flipped)) == (2, [])


def test_a_page_that_this_installation_does_not_tell_is_believed(flipped, cloud, clock, code):
    cloud.faults.add("status", code=404, message="Not Found", path="/labels/detail")

    assert settle(flipped, cloud, clock).pages_checked == 1
    assert wish_of(flipped, code).acked_page == 2


def test_an_aims_that_is_away_leaves_pages_to_be_verified(flipped, cloud, clock, simulator_server):
    fault = cloud.faults.add("status", code=503, path="/labels/detail")
    assert settle(flipped, cloud, clock).pages_checked == 0
    cloud.faults.remove(fault)
    assert settle(flipped, cloud, clock).pages_checked == 1


def test_a_page_is_not_verified_before_the_label_has_drawn_it(connected, cloud, clock, code):
    outcome(cloud, code, "STUCK")
    push(connected)
    label_actions.flip_label(connected, code, 2)
    push(connected)

    assert settle(connected, cloud, clock).pages_checked == 0
    outcome(cloud, code, "SUCCESS")
    assert settle(connected, cloud, clock).pages_checked == 1
