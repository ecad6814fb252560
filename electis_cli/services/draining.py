"""Working the queue in the foreground: ping, push until it is empty or the time is up, then keep house once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import claims, commands, label_queue, stores
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.errors import AimsNotConfigured
from electis_cli.services.alerting import tell_alerts
from electis_cli.services.change import Scope, changing, reading
from electis_cli.services.housekeeping import keep_house
from electis_cli.services.ping import PingView, ping
from electis_cli.services.push.report import Ending, PushReport
from electis_cli.services.push.store import push_store
from electis_cli.services.queue import QueueStatus, queue_status


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainView:
    """What a drain did, and what is left."""

    empty: bool
    pushed: Mapping[str, int]
    stores: Sequence[Mapping[str, Any]]
    left: Mapping[str, int]


def drain(
    scope: Scope,
    *,
    store: str | None = None,
    timeout: timedelta = timedelta(seconds=60),
    wait: Callable[[float], None] = lambda _: None,
) -> DrainView:
    """Ping AIMS, then push everything that is due, or wait for the worker that does, until empty or out of time.

    Stores that back off are tried at once when AIMS answers. `wait` is called with the seconds to wait while another
    worker holds a store. Raises AimsNotConfigured.
    """
    with reading(scope, Action.SYNC) as read:
        places = [place for place in read.stores(store) if place.sync_enabled]
        configured = read.organization().aims_base_url is not None
    if not configured:
        raise AimsNotConfigured
    clock, deadline = scope.runtime.clock, scope.runtime.clock() + timeout
    reports: dict[str, list[PushReport]] = {place.code: [] for place in places}
    asked = ping(scope)
    if asked.ok:
        _end_back_offs(scope, places)
        open_places = list(places)
        while open_places and clock() < deadline:
            for place, report in zip(open_places, push_all(scope, open_places, until=deadline), strict=True):
                reports[place.code].append(report)
            open_places = [
                place for place in open_places if _goes_on(reports[place.code][-1], deadline, scope, place)
            ]
            if open_places:
                wait(0.2)
    # A site without a daemon gets its mails, verifications and alerts this way.
    house = keep_house(scope.runtime, scope.org_id)
    if asked.ok and house.drifted + house.pages_flipped and clock() < deadline:
        # What AIMS does not show any more is due once more, and nobody else may be there to send it.
        for place, report in zip(places, push_all(scope, places, until=deadline), strict=True):
            reports[place.code].append(report)
    tell_alerts(scope.runtime, scope.org_id)
    left = {status.store: status for status in queue_status(scope, store=store) if status.enabled}
    return DrainView(
        empty=all(status.is_empty and not status.failed for status in left.values()),
        pushed=_sum(reports),
        stores=[_last(code, listed, left[code], asked) for code, listed in reports.items()],
        left={
            name: sum(getattr(status, name) for status in left.values())
            for name in (
                "pending",
                "syncing",
                "held",
                "conflict",
                "failed",
                "labels_pending",
                "labels_failed",
                "commands",
            )
        },
    )


def _end_back_offs(scope: Scope, places: Sequence[Store]) -> None:
    """Let stores that back off try again at once: AIMS answers, and somebody asks for it now.

    How often they failed in a row is kept: whose trouble is not over waits the longer for its next try. What AIMS
    itself told the account to wait is not touched.
    """
    waiting = [place for place in places if place.backoff_until is not None]
    if not waiting:
        return
    with changing(scope, Action.SYNC) as change:
        for place in waiting:
            stores.update_store(change.uow, place.id, {"backoff_until": None})


def push_all(scope: Scope, places: Sequence[Store], *, until: datetime) -> list[PushReport]:
    """Push several stores side by side, so that one that hangs delays no other.

    Who interrupts this waits for the calls that are on their way, and for no more; so does one whose time is up.
    """
    runtime, interrupted = scope.runtime, threading.Event()

    def should_stop() -> bool:
        return interrupted.is_set() or runtime.clock() >= until

    with ThreadPoolExecutor(max_workers=min(len(places), runtime.tuning.push_threads) or 1) as pool:
        try:
            return list(
                pool.map(
                    lambda place: push_store(runtime, scope.org_id, place.id, should_stop=should_stop),
                    places,
                )
            )
        except BaseException:
            interrupted.set()
            raise


def _goes_on(report: PushReport, deadline: datetime, scope: Scope, place: Store) -> bool:
    """Tell whether a drain should look at this store once more."""
    if report.ending is Ending.BUSY:
        return True
    if report.ending in {Ending.BACKOFF, Ending.TROUBLE}:
        return report.until is not None and report.until < deadline
    return report.ending is Ending.DONE and _has_due(scope, place, deadline)


def _has_due(scope: Scope, place: Store, deadline: datetime) -> bool:
    """Tell whether anything is due now, or will be before the time is up."""
    with scope.runtime.database.read(scope.org_id) as uow:
        now = scope.runtime.clock()
        if claims.count_due(uow, place.id, now) + label_queue.count_due(uow, place.id, now) > 0:
            return True
        later = (
            claims.next_due_at(uow, place.id),
            label_queue.next_due_at(uow, place.id),
            commands.next_due_at(uow, place.id, uow.now()),
        )
        return any(moment is not None and moment < deadline for moment in later)


def _sum(reports: Mapping[str, Sequence[PushReport]]) -> dict[str, int]:
    names = ("created", "updated", "deleted", "agreed", "linked", "unlinked", "flipped", "failed")
    orders = ("commands_sent", "commands_failed")
    calls = ("article_calls", "label_calls")
    return {
        name: sum(getattr(report, name) for listed in reports.values() for report in listed)
        for name in (*names, *orders, *calls)
    }


def _last(code: str, listed: Sequence[PushReport], left: QueueStatus, asked: PingView) -> dict[str, Any]:
    """Return how the last push of a store ended; where there was none, what the ping met.

    A push that came too early for a store's back-off met nothing itself: what an earlier one met says why.
    """
    ending: dict[str, Any] = {
        "store": code,
        "ending": Ending.BACKOFF.value if asked.until is not None else None,
        "error_code": asked.error_code,
        "error": asked.error,
        "until": asked.until,
    }
    if listed:
        ending |= {name: value for name, value in asdict(listed[-1]).items() if name in ending}
        met = next((report for report in reversed(listed) if report.error_code is not None), None)
        if met is not None and listed[-1].ending is Ending.BACKOFF:
            ending |= {"error_code": met.error_code, "error": met.error}
    return {**ending, "breaker": left.breaker, "breaker_reason": left.breaker_reason}
