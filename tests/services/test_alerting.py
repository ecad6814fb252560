"""Alerts for the operator's receiver: at most once per cause and hour, tried again, and never lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from electis_cli.adapters.on_alert import hand_over
from electis_cli.db import alerts
from electis_cli.domain.errors import Misconfigured, ReceiverFailed
from electis_cli.services.alerting import CLAIM, MOST_AT_ONCE, MOST_TRIES, Telling, tell_alerts
from electis_cli.services.change import Scope
from electis_cli.services.health import check_health
from electis_cli.services.mail import mail_alerts
from tests.world.ledger import store_of

HOUR = 3600


class Told:
    """A receiver in memory that can be told to fail, or to do something in the middle."""

    def __init__(self) -> None:
        self.documents: list[dict] = []
        self.error: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, document) -> None:
        self.documents.append(dict(document))
        self.meanwhile()
        if self.error is not None:
            raise self.error

    @property
    def causes(self) -> list[str]:
        return [document["cause"] for document in self.documents]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def telling(scope, told) -> Scope:
    """The admin's scope with a receiver."""
    return replace(scope, runtime=replace(scope.runtime, tell_alert=told))


def raise_alert(scope, cause="down", text="AIMS does not answer.", store_id=None):
    with scope.runtime.database.write(scope.org_id) as uow:
        alert_id = alerts.raise_alert(
            uow,
            alert_id=scope.runtime.new_id(),
            cause=cause,
            text=text,
            store_id=store_id,
            now=scope.runtime.clock(),
        )
        uow.commit()
    return alert_id


def close_alert(scope, cause="down"):
    with scope.runtime.database.write(scope.org_id) as uow:
        alerts.close_alert(uow, cause, scope.runtime.clock())
        uow.commit()


def tell(scope):
    return tell_alerts(scope.runtime, scope.org_id)


def test_a_receiver_is_told_what_happened_where_how_often_and_what_to_do(telling, told, clock):
    store = store_of(telling)
    raise_alert(telling, "dead-letter:001:TOO_LONG", "Store 001: refused.", store.id)
    clock.advance(90)
    raise_alert(telling, "dead-letter:001:TOO_LONG", "Store 001: refused again.", store.id)

    assert tell(telling) == Telling(told=1)

    assert told.documents == [
        {
            "cause": "dead-letter:001:TOO_LONG",
            "text": "Store 001: refused again.",
            "organization": "ACME",
            "store": "001",
            "first": "2026-11-23T06:00:00Z",
            "last": "2026-11-23T06:01:30Z",
            "count": 2,
            "fix": "electis queue dead list --store 001",
        }
    ]


def test_without_a_receiver_alerts_wait_for_one(scope, telling, told):
    raise_alert(scope)
    assert tell(scope) == Telling()
    assert tell(telling).told == 1


def test_a_cause_is_told_once_an_hour_and_only_when_it_happened_again(telling, told, clock):
    raise_alert(telling)
    assert tell(telling).told == 1
    assert tell(telling).told == 0
    clock.advance(HOUR / 2)
    raise_alert(telling)
    assert tell(telling).told == 0, "the hour is not over"
    clock.advance(HOUR / 2)
    assert tell(telling).told == 1
    clock.advance(2 * HOUR)
    assert tell(telling).told == 0, "it did not happen again"
    raise_alert(telling)
    raise_alert(telling, "another")
    assert tell(telling).told == 2
    assert [document["count"] for document in told.documents] == [1, 2, 3, 1]


def test_an_alert_that_opens_again_within_the_hour_waits_too(telling, clock):
    raise_alert(telling)
    assert tell(telling).told == 1
    clock.advance(60)
    close_alert(telling)
    raise_alert(telling)
    assert tell(telling).told == 0
    clock.advance(HOUR)
    assert tell(telling).told == 1


def test_what_is_over_before_anybody_was_told_is_not_told(telling):
    raise_alert(telling)
    close_alert(telling)
    assert tell(telling) == Telling()


def test_mails_and_the_receiver_do_not_take_each_others_alerts(telling, told):
    raise_alert(telling)
    assert mail_alerts(telling.runtime, telling.org_id) == 1
    assert tell(telling).told == 1
    raise_alert(telling, "another")
    assert tell(telling).told == 1
    assert mail_alerts(telling.runtime, telling.org_id) == 1


def test_what_fails_is_tried_again_the_next_time_and_then_counts_from_there(telling, told, clock):
    raise_alert(telling)
    told.error = ReceiverFailed(why="It ended with the exit code 1.")
    done = tell(telling)
    assert (done.told, done.failed, done.error.code) == (0, 1, "E-ON-ALERT")
    clock.advance(60)
    raise_alert(telling)
    told.error = None

    assert tell(telling) == Telling(told=1)

    assert told.documents[-1]["count"] == 2, "what is told is what holds now"
    clock.advance(HOUR - 1)
    raise_alert(telling)
    assert tell(telling) == Telling()
    clock.advance(1)
    assert tell(telling) == Telling(told=1)


def test_a_receiver_that_never_takes_it_is_tried_five_times_and_again_when_it_happens_again(
    telling, told, clock
):
    raise_alert(telling)
    told.error = ReceiverFailed(why="No.")
    for _ in range(MOST_TRIES + 3):
        tell(telling)
        clock.advance(60)
    assert len(told.documents) == MOST_TRIES
    raise_alert(telling)
    assert tell(telling) == Telling(), "the hour since the last try is not over"
    clock.advance(HOUR)
    told.error = None
    assert tell(telling) == Telling(told=1)


def test_a_failed_telling_is_made_good_although_the_alert_is_over(telling, told):
    """Else a failure that came and went while the receiver was away would never be told."""
    raise_alert(telling)
    told.error = ReceiverFailed(why="No.")
    tell(telling)
    close_alert(telling)
    told.error = None
    assert tell(telling) == Telling(told=1)
    assert tell(telling) == Telling()


def test_a_setting_that_can_not_be_read_uses_up_no_tries(telling, told, clock):
    raise_alert(telling)
    told.error = Misconfigured("The command of ELECTIS_ON_ALERT can not be read.")
    for _ in range(MOST_TRIES + 2):
        tell(telling)
        clock.advance(60)
    told.error = None
    assert tell(telling) == Telling(told=1)


def test_after_a_failure_the_others_wait_but_none_of_them_for_good(telling, told, clock):
    for cause in ("a", "b", "c"):
        raise_alert(telling, cause)
        clock.advance(1)
    told.error = ReceiverFailed(why="No.")
    for _ in range(3):
        assert tell(telling).failed == 1
        clock.advance(60)
    assert told.causes == ["a", "b", "c"], "those that failed least come first"
    told.error = None
    assert tell(telling) == Telling(told=3)
    assert sorted(told.causes[3:]) == ["a", "b", "c"]


def test_a_flood_is_told_in_parts(telling, told):
    for number in range(MOST_AT_ONCE + 3):
        raise_alert(telling, f"cause-{number}")
    assert (tell(telling).told, tell(telling).told) == (MOST_AT_ONCE, 3)
    assert len(set(told.causes)) == MOST_AT_ONCE + 3


def test_a_worker_that_dies_while_it_tells_leaves_the_alert_to_the_next(telling, told, clock):
    raise_alert(telling)
    told.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        tell(telling)
    told.error = None
    assert tell(telling) == Telling(), "it may still be at it"
    clock.advance(CLAIM.total_seconds())
    assert tell(telling) == Telling(told=1)


def test_one_that_was_frozen_while_it_told_does_not_undo_what_the_next_one_did(telling, told, clock):
    """It comes back, fails, and must not make an alert due again that was told meanwhile."""
    raise_alert(telling)

    def freeze():
        told.meanwhile = lambda: None
        clock.advance(CLAIM.total_seconds())
        assert tell(telling) == Telling(told=1)
        told.error = ReceiverFailed(why="No.")

    told.meanwhile = freeze
    assert tell(telling).failed == 1
    told.error = None
    assert tell(telling) == Telling()
    assert check_health(telling.runtime).components["on_alert"] == "ok"


def test_two_workers_at_once_tell_nothing_twice(telling, make_runtime, open_database):
    """Two daemons' housekeeping at the same moment, again and again."""
    told, lock = [], threading.Lock()

    def receive(document):
        with lock:
            told.append(document["cause"])

    workers = [make_runtime(open_database(), tell_alert=receive) for _ in range(3)]
    start = threading.Barrier(len(workers))
    for number in range(12):
        raise_alert(telling, f"cause-{number}")

    def work(runtime):
        start.wait(20)
        return tell_alerts(runtime, telling.org_id).told

    with ThreadPoolExecutor(len(workers)) as pool:
        counts = list(pool.map(work, workers))

    assert sorted(told) == sorted(f"cause-{number}" for number in range(12))
    assert sum(counts) == 12


def test_alerts_of_one_organization_are_told_as_its_own(telling, told, bench):
    stranger = bench.organization("OTHER")
    raise_alert(telling)
    other = replace(stranger, runtime=telling.runtime)
    assert tell(other) == Telling()
    assert tell(telling) == Telling(told=1)
    assert told.documents[0]["organization"] == "ACME"


def test_a_real_address_is_told(telling, receiver):
    raise_alert(telling, text="שלום")
    reached = replace(telling, runtime=replace(telling.runtime, tell_alert=partial(hand_over, receiver.url)))
    assert tell(reached) == Telling(told=1)
    assert receiver.documents[0]["text"] == "שלום"


# --- health ---------------------------------------------------------------------------------------------------------


def test_health_says_that_the_receiver_did_not_take_one_until_it_takes_the_next(telling, told, clock):
    assert "on_alert" not in check_health(replace(telling.runtime, tell_alert=None)).components
    assert check_health(telling.runtime).components["on_alert"] == "ok"
    raise_alert(telling)
    told.error = ReceiverFailed(why="It ended with the exit code 1.")
    tell(telling)

    # Whoever looks may not have the daemon's settings.
    view = check_health(replace(telling.runtime, tell_alert=None))

    assert (view.status, view.components["on_alert"]) == ("degraded", "error")
    assert view.problems["on_alert"] == (
        "ACME: an alert was not taken (06:00 UTC, down). It ended with the exit code 1."
    )
    clock.advance(1)
    told.error = None
    tell(telling)
    assert check_health(telling.runtime).status == "ok"


def test_a_failure_of_last_week_is_no_news(telling, told, clock):
    raise_alert(telling)
    told.error = ReceiverFailed(why="No.")
    tell(telling)
    clock.advance(86_400)
    assert "on_alert" not in check_health(replace(telling.runtime, tell_alert=None)).components


def test_health_lists_the_open_alerts_of_all_organizations(telling, bench):
    stranger = bench.organization("OTHER")
    raise_alert(telling, "store-rejected:001", "Store 001: no.", store_of(telling).id)
    raise_alert(stranger)
    raise_alert(telling, "over")
    close_alert(telling, "over")

    view = check_health(telling.runtime)

    assert [(one.organization, one.cause, one.fix) for one in view.alerts] == [
        ("ACME", "store-rejected:001", "electis aims doctor --store 001"),
        ("OTHER", "down", "electis queue status"),
    ]
    assert view.status == "ok"
