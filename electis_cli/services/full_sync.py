"""The full sync of one store: list, plan, brakes, apply, mark dirty (flow 3.1). It never pushes by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import known_contents, ledger, organizations, runs, stores
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action, system_actor
from electis_cli.domain.errors import (
    BrakeTripped,
    ElectisError,
    NotFound,
    StoreNotFound,
    Unreachable,
)
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import KNOWN_FOR
from electis_cli.domain.reconcile import Plan, Subject, Terms, make_plan
from electis_cli.services.applying import Run, Sides, apply_plan
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.formats import refuse_changed_format
from electis_cli.services.leasing import keep_lease
from electis_cli.services.observing import observe_links
from electis_cli.services.remote import RemoteView, Shown, unquoted
from electis_cli.services.rendering import render_store, require_format

RETRY_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncView:
    """What one full sync of one store found and did."""

    run: str | None
    store: str
    state: str
    counts: Mapping[str, int]
    actions: tuple[Mapping[str, Any], ...] = ()
    brakes: tuple[Mapping[str, Any], ...] = ()
    digest: str | None = None
    writes: int = 0
    dry_run: bool = False
    error_code: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What was true before the first page was read."""

    organization: Organization
    store: Store
    versions: Mapping[str, int] = field(default_factory=dict)
    began_at: datetime


def full_sync(
    scope: Scope,
    store_id: str,
    *,
    dry_run: bool = False,
    believe_at_once: bool = False,
    strategy: Strategy | None = None,
    approved_digest: str | None = None,
) -> SyncView:
    """Compare one store with AIMS, settle what differs, and make dirty what must be pushed.

    `believe_at_once` skips the settle window. Raises LockHeld while another run is at it, Unreachable (the run is
    queued for retry), UnreliableListing, FormatMissing, and BrakeTripped when the plan is held.
    """
    start = _start(scope, store_id)
    require_format(start.organization)
    if dry_run:
        listed = _list(scope, start, dry_run=True)
        with scope.runtime.database.read(scope.org_id) as uow:
            change = Change(uow=uow, scope=_system(scope), now=scope.runtime.clock())
            plan = make_plan(
                _gather(change, start, listed).subjects, _terms(change, start, strategy, believe_at_once)
            )
        return _view(None, start.store, "planned", plan, dry_run=True)
    run_id = scope.runtime.new_id()
    with keep_lease(
        scope.runtime,
        scope.org_id,
        f"sync:{store_id}",
        busy="A full sync of this store is running.",
        fix="electis sync status",
    ) as kept:
        _open_run(scope, start, run_id)
        try:
            listed = _list(scope, start)
            with scope.runtime.database.write(scope.org_id) as uow:
                kept.require(uow)
                change = Change(uow=uow, scope=_system(scope), now=scope.runtime.clock())
                facts = _gather(change, start, listed)
                plan = make_plan(facts.subjects, _terms(change, start, strategy, believe_at_once))
                is_held = bool(plan.brakes) and plan.digest != approved_digest
                if not is_held:
                    run = Run(
                        id=run_id, organization=start.organization, store=start.store, sides=facts.sides
                    )
                    apply_plan(change, run, plan)
                    observe_links(change, start.organization, start.store.id, listed)
                _close_run(change, start, run_id, plan, is_held=is_held)
                uow.commit()
        except ElectisError as error:
            _fail_run(scope, start, run_id, error)
            raise
    if is_held:
        names = ", ".join(f"{brake.name} {brake.count} of at most {brake.limit}" for brake in plan.brakes)
        raise BrakeTripped(
            why=f"Run {run_id} of store {start.store.code} is held: {names}.",
            fix=f"electis sync approve {run_id}",
            run=run_id,
        )
    return _view(run_id, start.store, "completed", plan)


def _list(scope: Scope, start: _Start, *, dry_run: bool = False) -> Mapping[str, Shown]:
    """Return what AIMS lists, after a look whether it still works with our article format."""
    article_format = require_format(start.organization)
    client = scope.runtime.connect(start.organization)
    try:
        refuse_changed_format(scope, start.organization, client, stop_pushes=not dry_run)
        view = RemoteView(
            client=client,
            store=start.store.code,
            article_format=article_format,
            fresh=timedelta(seconds=scope.runtime.tuning.listing_fresh_seconds),
        )
        return view.list_all(start.began_at, moving=lambda: _count_moving(scope, start))
    finally:
        client.close()


def _count_moving(scope: Scope, start: _Start) -> int:
    with scope.runtime.database.read(scope.org_id) as uow:
        return ledger.count_moving(uow, start.store.id, start.began_at)


def _terms(change: Change, start: _Start, strategy: Strategy | None, believe_at_once: bool) -> Terms:  # noqa: FBT001
    return Terms(
        now=change.now,
        settle=change.scope.runtime.tuning.settle,
        strategy=strategy or start.organization.strategy,
        first_contact=start.store.listed_at is None,
        believe_at_once=believe_at_once,
    )


def approve_run(scope: Scope, run_id: str) -> SyncView:
    """Run a held full sync again with exactly the plan that was held; any other plan is held anew.

    Raises NotFound, BrakeTripped.
    """
    with reading(scope, Action.SYNC) as read:
        run = runs.find_run(read.uow, run_id)
    if run is None:
        raise NotFound(f"There is no sync run {run_id}.", fix="electis sync history")
    if run["state"] != "held":
        raise NotFound(f"The sync run {run_id} is not held.", fix="electis sync history")
    view = full_sync(scope, run["store_id"], approved_digest=run["digest"])
    with changing(scope, Action.SYNC) as change:
        runs.update_run(change.uow, run_id, {"state": "approved"})
        change.record(
            "sync:approved", "sync_run", run_id, after={"digest": run["digest"]}, store_id=run["store_id"]
        )
    return view


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    subjects: list[Subject]
    sides: Mapping[str, Sides]


def _start(scope: Scope, store_id: str) -> _Start:
    with reading(scope, Action.SYNC) as read:
        store = stores.find_store(read.uow, store_id=store_id)
        if store is None:
            raise StoreNotFound
        # Noted before the first page: a key that moves while we list is left for the next run.
        rows = ledger.all_rows(read.uow, store_id)
        return _Start(
            organization=read.organization(),
            store=store,
            versions={article_id: row.desired_version for article_id, row in rows.items()},
            began_at=scope.runtime.clock(),
        )


def _gather(change: Change, start: _Start, listed: Mapping[str, Shown]) -> _Facts:
    store_id = start.store.id
    organization = organizations.own_organization(change.uow)
    rows = ledger.all_rows(change.uow, store_id)
    rendered = render_store(change.uow, organization, store_id)
    known = known_contents.known_by_id(change.uow, store_id, None, change.now - KNOWN_FOR)
    subjects, sides = [], {}
    for article_id in {*rows, *rendered, *listed}:
        row, wanted, remote = rows.get(article_id), rendered.get(article_id), listed.get(article_id)
        if remote is not None:
            remote = unquoted(remote, wanted.content if wanted else None, row.base if row else None)
        sides[article_id] = Sides(row=row, remote=remote, wanted=wanted)
        was_moving = row is not None and start.versions.get(article_id) != row.desired_version
        was_moving = was_moving or (
            row is not None and row.acked_at is not None and row.acked_at > start.began_at
        )
        subjects.append(
            Subject(
                article_id=article_id,
                row=row,
                local=wanted.content if wanted else None,
                remote=remote.content if remote else None,
                known=known.get(article_id, frozenset()),
                is_room=bool(wanted and wanted.is_room),
                was_moving=was_moving,
            )
        )
    return _Facts(subjects=subjects, sides=sides)


def _system(scope: Scope) -> Scope:
    """Return the scope a run acts in: the trail names the system, the audit row of the run who started it."""
    return Scope(runtime=scope.runtime, actor=system_actor(scope.actor.source), org_id=scope.org_id)


def _open_run(scope: Scope, start: _Start, run_id: str) -> None:
    with changing(scope, Action.SYNC) as change:
        runs.insert_run(
            change.uow,
            {
                "id": run_id,
                "store_id": start.store.id,
                "state": "running",
                "source": scope.actor.source,
                "started_at": start.began_at,
                "counts": {},
                "actions": [],
                "brakes": [],
            },
        )
        change.audit("sync:started", "sync_run", run_id, store_id=start.store.id)
        change.emit("sync:started", {"run": run_id}, store_id=start.store.id)


def _close_run(change: Change, start: _Start, run_id: str, plan: Plan, *, is_held: bool) -> None:
    state = "held" if is_held else "completed"
    runs.update_run(
        change.uow,
        run_id,
        {
            "state": state,
            "listed_at": start.began_at,
            "ended_at": change.now,
            "counts": dict(plan.counts),
            "actions": [dict(action) for action in _actions(plan)],
            "brakes": [dict(brake) for brake in _brakes(plan)],
            "digest": plan.digest,
        },
    )
    stores.update_store(change.uow, start.store.id, {"last_sync_at": change.now, "next_sync_at": None})
    name = "sync:held" if is_held else "sync:completed"
    change.emit(name, {"run": run_id, "counts": dict(plan.counts)}, store_id=start.store.id)


def _fail_run(scope: Scope, start: _Start, run_id: str, error: ElectisError) -> None:
    with changing(_system(scope), Action.SYNC) as change:
        unreachable = isinstance(error, Unreachable)
        runs.update_run(
            change.uow,
            run_id,
            {
                "state": "queued" if unreachable else "error",
                "ended_at": change.now,
                "error_code": error.code,
                "error_text": error.why or error.message,
            },
        )
        # An unreachable AIMS queues the run for a retry soon; anything else is tried again at the usual interval.
        wait = RETRY_AFTER if unreachable else timedelta(minutes=start.store.full_sync_minutes)
        stores.update_store(change.uow, start.store.id, {"next_sync_at": change.now + wait})
        change.emit("sync:error", {"run": run_id, "code": error.code}, store_id=start.store.id)


def _actions(plan: Plan) -> tuple[Mapping[str, Any], ...]:
    quiet = {"in_sync", "pending"}
    return tuple(
        {"article_id": action.article_id, "step": action.step.value, "columns": list(action.columns)}
        for action in plan.actions
        if action.step.value not in quiet
    )


def _brakes(plan: Plan) -> tuple[Mapping[str, Any], ...]:
    return tuple({"name": brake.name, "count": brake.count, "limit": brake.limit} for brake in plan.brakes)


def _view(run_id: str | None, store: Store, state: str, plan: Plan, *, dry_run: bool = False) -> SyncView:
    return SyncView(
        run=run_id,
        store=store.code,
        state=state,
        counts=plan.counts,
        actions=_actions(plan),
        brakes=_brakes(plan),
        digest=plan.digest,
        writes=plan.writes,
        dry_run=dry_run,
    )
