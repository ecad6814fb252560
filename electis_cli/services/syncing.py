"""Full syncs as people see them: over several stores, with the push afterwards, and their history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import accounts, label_displays, leases, runs
from electis_cli.domain.access import Action
from electis_cli.domain.errors import (
    AimsNotConfigured,
    BrakeTripped,
    ElectisError,
    NotFound,
    PartialFailure,
    UnreliableListing,
)
from electis_cli.domain.labels import Display
from electis_cli.domain.reconcile import digest_of_plans
from electis_cli.services.change import Scope, reading
from electis_cli.services.draining import DrainView, drain
from electis_cli.services.full_sync import Choice, SyncView, approve_run, full_sync


@dataclass(frozen=True, slots=True, kw_only=True)
class FullSyncView:
    """What a full sync of one or several stores found and did, and the push after it.

    `actions` and `brakes` are those of all stores, each with its store.
    """

    state: str
    counts: Mapping[str, int]
    writes: int
    stores: Sequence[SyncView]
    push: DrainView | None
    dry_run: bool
    actions: Sequence[Mapping[str, Any]]
    brakes: Sequence[Mapping[str, Any]]
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView(SyncView):
    """What a held run did once it was approved, and the push after it."""

    push: DrainView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """How one store's syncs stand."""

    store: str
    state: str
    last_sync_at: datetime | None
    next_sync_at: datetime | None
    last_run: str | None
    last_run_state: str | None
    counts: Mapping[str, int]
    labels_accepted: int
    labels_displayed: int
    labels_timed_out: int
    last_solum_ping: datetime | None
    breaker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One full sync run."""

    id: str
    store: str
    state: str
    source: str
    started_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, int]
    brakes: Sequence[Mapping[str, Any]]
    digest: str | None
    error_code: str | None
    error: str | None
    actions: Sequence[Mapping[str, Any]] = ()


def sync_stores(
    scope: Scope,
    *,
    store: str | None = None,
    dry_run: bool = False,
    push: bool = True,
    choice: Choice | None = None,
    timeout: timedelta = timedelta(seconds=60),
    wait: Callable[[float], None] = lambda _: None,
) -> FullSyncView:
    """Run a full sync of a store, or of all, then push what became dirty and do one housekeeping step.

    One store's failure does not stop the others. Raises what the only store met, else the worst: BrakeTripped,
    Unreachable; PartialFailure when some stores failed in several ways.
    """
    with reading(scope, Action.SYNC) as read:
        places = [place for place in read.stores(store) if place.sync_enabled or store is not None]
        if read.organization().aims_base_url is None:
            raise AimsNotConfigured
    views: list[SyncView] = []
    failures: list[ElectisError] = []
    for place in places:
        try:
            views.append(full_sync(scope, place.id, dry_run=dry_run, choice=choice))
        except ElectisError as error:
            failures.append(error)
    pushed = None
    # What a brake or a doubtful listing stops is the comparing; a site without a daemon is pushed here or nowhere.
    stopped = [failure for failure in failures if not isinstance(failure, (BrakeTripped, UnreliableListing))]
    if push and not dry_run and len(stopped) < max(1, len(places)):
        pushed = drain(scope, store=store, timeout=timeout, wait=wait)
    if failures:
        raise _worst(failures, len(places))
    counts: dict[str, int] = {}
    for view in views:
        for name, count in view.counts.items():
            counts[name] = counts.get(name, 0) + count
    return FullSyncView(
        state="planned" if dry_run else "completed",
        counts=counts,
        writes=sum(view.writes for view in views),
        stores=views,
        push=pushed,
        dry_run=dry_run,
        actions=[{"store": view.store, **action} for view in views for action in view.actions],
        brakes=[{"store": view.store, **brake} for view in views for brake in view.brakes],
        digest=digest_of_plans({view.store: view.digest for view in views}),
    )


def approve_and_push(
    scope: Scope,
    run_id: str,
    *,
    dry_run: bool = False,
    push: bool = True,
    timeout: timedelta = timedelta(seconds=60),
    wait: Callable[[float], None] = lambda _: None,
) -> ApprovalView:
    """Let a held run go on with exactly the plan that was held, then push what became dirty, as a full sync does.

    Raises NotFound, and BrakeTripped when the plan is another by now; the queue is pushed all the same.
    """
    with reading(scope, Action.SYNC) as read:
        run = runs.find_run(read.uow, run_id)
        places = {place.id: place.code for place in read.stores(None)}
    code = places.get(run["store_id"]) if run else None
    push = push and not dry_run
    try:
        view = approve_run(scope, run_id, dry_run=dry_run)
    except (BrakeTripped, UnreliableListing):
        if push:
            drain(scope, store=code, timeout=timeout, wait=wait)
        raise
    pushed = drain(scope, store=code, timeout=timeout, wait=wait) if push else None
    return ApprovalView(**{name: getattr(view, name) for name in SyncView.__dataclass_fields__}, push=pushed)


def _worst(failures: Sequence[ElectisError], places: int) -> ElectisError:
    if len({type(failure) for failure in failures}) == 1 and (places == 1 or len(failures) == places):
        return failures[0]
    for failure in failures:
        if isinstance(failure, BrakeTripped):
            return failure
    told = "; ".join(failure.why or failure.message for failure in failures)
    return PartialFailure(
        f"The full sync of {len(failures)} of {places} stores failed.", why=told, fix="electis sync history"
    )


def sync_status(scope: Scope, *, store: str | None = None) -> list[SyncStatus]:
    """Return how each store's syncs stand: idle, syncing, synced, held or error, from run lease and last run."""
    with reading(scope) as read:
        places = read.stores(store)
        account = accounts.find_account(read.uow)
        displays = label_displays.count_displays(read.uow, [place.id for place in places])
        found = []
        for place in places:
            last = next(iter(runs.list_runs(read.uow, [place.id], limit=1)), None)
            busy = leases.current_holder(read.uow, f"sync:{place.id}") is not None
            found.append(
                SyncStatus(
                    store=place.code,
                    state="syncing" if busy else _state(last),
                    last_sync_at=place.last_sync_at,
                    next_sync_at=place.next_sync_at,
                    last_run=last["id"] if last else None,
                    last_run_state=last["state"] if last else None,
                    counts=last["counts"] if last else {},
                    labels_accepted=sum(displays[place.id].values()),
                    labels_displayed=displays[place.id].get(Display.DISPLAYED.value, 0),
                    labels_timed_out=displays[place.id].get(Display.TIMED_OUT.value, 0),
                    last_solum_ping=account.last_solum_ping,
                    breaker=account.breaker,
                )
            )
        return found


def _state(last: Mapping[str, Any] | None) -> str:
    if last is None:
        return "idle"
    if last["state"] == "held":
        return "held"
    return "synced" if last["state"] in {"completed", "approved"} else "error"


def sync_history(scope: Scope, *, store: str | None = None, limit: int | None = None) -> list[RunView]:
    """Return the full sync runs, newest first."""
    with reading(scope) as read:
        places = {place.id: place.code for place in read.stores(store)}
        return [_view(run, places) for run in runs.list_runs(read.uow, list(places), limit=limit)]


def show_run(scope: Scope, run_id: str) -> RunView:
    """Return one run with what it planned. Raises NotFound."""
    with reading(scope) as read:
        places = {place.id: place.code for place in read.stores(None)}
        run = runs.find_run(read.uow, run_id)
        if run is None or run["store_id"] not in places:
            raise NotFound(f"There is no sync run {run_id}.", fix="electis sync history")
        return _view(run, places, actions=run["actions"])


def _view(
    run: Mapping[str, Any], places: Mapping[str, str], actions: Sequence[Mapping[str, Any]] = ()
) -> RunView:
    return RunView(
        id=run["id"],
        store=places[run["store_id"]],
        state=run["state"],
        source=run["source"],
        started_at=run["started_at"],
        ended_at=run["ended_at"],
        counts=run["counts"],
        brakes=run["brakes"],
        digest=run["digest"],
        error_code=run["error_code"],
        error=run["error_text"],
        actions=actions,
    )
