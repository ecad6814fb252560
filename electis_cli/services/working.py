"""What the daemon does in one turn of each loop; the same functions the commands call once in the foreground."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from electis_cli.db import leases, scheduling
from electis_cli.db.scheduling import Place as Place  # noqa: PLC0414 - the daemon knows services only
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.access import system_actor
from electis_cli.domain.errors import ElectisError, LockHeld, StoreNotFound
from electis_cli.services.alerting import tell_alerts
from electis_cli.services.change import Scope
from electis_cli.services.full_sync import full_sync
from electis_cli.services.housekeeping import keep_house
from electis_cli.services.ping import is_ping_due, ping
from electis_cli.services.push.report import Ending
from electis_cli.services.push.store import push_store
from electis_cli.services.runtime import Runtime

_ATTENTION_SECONDS = 0.25
"""How long one who listens for work may take to notice that it was told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn on one store or organization came to, for the daemon's log: no names, no contents."""

    subject: str
    outcome: str
    counts: dict[str, int]
    is_news: bool = True


_NO_NEWS = frozenset(Ending) - {Ending.STOPPED, Ending.TROUBLE}
"""How a push ends that found nothing to do, or was not let in: one that is woken does not ask before it tries."""


def due_pushes(runtime: Runtime) -> list[Place]:
    """Return the stores with due work that no other worker pushes right now."""
    with runtime.database.read() as uow:
        due = scheduling.stores_to_push(uow, runtime.clock())
        return _without_those_of_others(runtime, uow, due, leases.push_resource)


def can_be_woken(runtime: Runtime) -> bool:
    """Tell whether this database says when there is new work; the embedded one has to be asked."""
    return not runtime.database.is_sqlite


def listen_for_work(
    runtime: Runtime, heard: Callable[[Place | None], None], should_stop: Callable[[], bool]
) -> None:
    """Call `heard` whenever anybody has committed new work, until told to stop; None when it may be anywhere.

    Raises DatabaseUnavailable.
    """
    with runtime.database.wake_ups() as wake_ups:
        # What was committed while nobody listened.
        heard(None)
        while not should_stop():
            for told in wake_ups.wait(_ATTENTION_SECONDS):
                # Nobody knows its code before it is pushed.
                heard(Place(org_id=told[0], store_id=told[1], code=told[1]) if told else None)


def push_turn(runtime: Runtime, place: Place, should_stop: Callable[[], bool]) -> Turn:
    """Push one store."""
    try:
        report = push_store(runtime, place.org_id, place.store_id, should_stop=should_stop)
    except StoreNotFound:
        # Deleted since somebody told of it.
        return Turn(subject=place.code, outcome="gone", counts={}, is_news=False)
    names = (
        *("created", "updated", "deleted", "agreed", "linked", "unlinked", "flipped"),
        *("commands_sent", "commands_failed", "failed", "waiting"),
    )
    counts = {name: getattr(report, name) for name in names if getattr(report, name)}
    return Turn(
        subject=report.store,
        outcome=report.error_code or report.ending.value,
        counts=counts,
        is_news=bool(counts or report.error_code) or report.was_overtaken or report.ending not in _NO_NEWS,
    )


def due_syncs(runtime: Runtime) -> list[Place]:
    """Return the stores whose full sync is due and that no other worker compares right now."""
    with runtime.database.read() as uow:
        due = scheduling.stores_to_sync(uow, runtime.clock())
        return _without_those_of_others(runtime, uow, due, leases.sync_resource)


def sync_turn(runtime: Runtime, place: Place) -> Turn:
    """Run one store's full sync; a run that fails has written down why."""
    scope = Scope(runtime=runtime, actor=system_actor(), org_id=place.org_id)
    try:
        view = full_sync(scope, place.store_id)
    except LockHeld:
        # Another daemon was quicker between our question and our grip; nothing is wrong.
        return Turn(subject=place.code, outcome="busy", counts={})
    except ElectisError as error:
        return Turn(subject=place.code, outcome=error.code, counts={})
    return Turn(subject=place.code, outcome=view.state, counts=dict(view.counts))


def _without_those_of_others(
    runtime: Runtime, uow: UnitOfWork, due: Sequence[Place], resource: Callable[[str], str]
) -> list[Place]:
    """Leave out what would be refused anyway; with several daemons that is most of it, each second anew."""
    taken = leases.held_by_others(uow, [resource(place.store_id) for place in due], runtime.holder)
    return [place for place in due if resource(place.store_id) not in taken]


def organizations_to_serve(runtime: Runtime) -> list[str]:
    """Return the ids of all organizations."""
    with runtime.database.read() as uow:
        return scheduling.organization_ids(uow)


def ping_turn(runtime: Runtime, org_id: str) -> Turn | None:
    """Ask one organization's AIMS whether it is there; None when there is nothing to ask yet."""
    if not is_ping_due(runtime, org_id):
        return None
    scope = Scope(runtime=runtime, actor=system_actor(), org_id=org_id)
    try:
        view = ping(scope)
    except ElectisError as error:
        return Turn(subject=org_id, outcome=error.code, counts={})
    counts = {"milliseconds": view.milliseconds} if view.milliseconds is not None else {}
    return Turn(subject=org_id, outcome="ok" if view.ok else view.error_code or "error", counts=counts)


def housekeeping_turn(runtime: Runtime, org_id: str) -> Turn:
    """Do one organization's housekeeping."""
    done = keep_house(runtime, org_id)
    names = (
        "refused",
        "verified",
        "drifted",
        "displayed",
        "resent",
        "timed_out",
        "mails_sent",
        "alerts_mailed",
        "commands_ended",
        "forgotten",
    )
    counts = {name: getattr(done, name) for name in names if getattr(done, name)}
    return Turn(subject=org_id, outcome="done", counts=counts)


def alerts_turn(runtime: Runtime, org_id: str) -> Turn:
    """Hand one organization's alerts to the operator's receiver, when there is one."""
    done = tell_alerts(runtime, org_id)
    counts = {name: count for name, count in (("told", done.told), ("failed", done.failed)) if count}
    return Turn(subject=org_id, outcome=done.error.code if done.error else "done", counts=counts)
