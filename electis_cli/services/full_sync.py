"""The full sync of one store: list, plan, brakes, apply, mark dirty (flow 3.1). It never pushes by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import alerts, comparing, ledger, organizations, runs, stores
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action, system_actor
from electis_cli.domain.alerts import held_cause, held_text
from electis_cli.domain.articles import can_take_in
from electis_cli.domain.errors import (
    BrakeTripped,
    ElectisError,
    NotFound,
    StoreNotFound,
    Unreachable,
    UnreliableListing,
)
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import LedgerRow, known_hashes
from electis_cli.domain.reconcile import Plan, Subject, Terms, Totals, make_plan
from electis_cli.domain.redaction import without_values
from electis_cli.services.applying import Run, Sides, apply_plan, note_observations
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.formats import refuse_changed_format
from electis_cli.services.leasing import keep_lease
from electis_cli.services.observing import observe_links
from electis_cli.services.remote import LISTING_TRIES, Shown, as_agreed
from electis_cli.services.rendering import render_articles, require_format
from electis_cli.services.restoring import accept_restore, is_set_back, watch_for_restore
from electis_cli.services.sifting import Sifted, sift

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
class Choice:
    """What a person chose for one run; a held run is approved under the same choices.

    `believe_at_once` skips the settle window, `take_in` imports what others made at AIMS, `most_deletions` replaces the
    tenth of a store that may be deleted without approval, `strategy` the organization's.
    """

    strategy: Strategy | None = None
    believe_at_once: bool = False
    take_in: bool = False
    most_deletions: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the choices as a run keeps them."""
        return {**asdict(self), "strategy": self.strategy.value if self.strategy else None}


def choice_of(kept: Mapping[str, Any] | None) -> Choice:
    """Return the choices that a run kept."""
    values = dict(kept or {})
    strategy = values.pop("strategy", None)
    return Choice(strategy=Strategy(strategy) if strategy else None, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A held run that a person lets go on, and the digest of its plan."""

    run: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What was true before the first page was read."""

    organization: Organization
    store: Store
    moved_before: int  # the ledger's last number: whatever has a higher one moved since
    began_at: datetime
    choice: Choice
    is_set_back: bool

    @property
    def binding(self) -> str:
        """The account, company and store that is listed."""
        company = self.organization.aims_company or self.organization.code
        return f"{self.organization.aims_base_url} {company} {self.store.code}"


def full_sync(
    scope: Scope,
    store_id: str,
    *,
    dry_run: bool = False,
    choice: Choice | None = None,
    approved: Approved | None = None,
) -> SyncView:
    """Compare one store with AIMS, settle what differs, and make dirty what must be pushed.

    Raises LockHeld while another run is at it, Unreachable (the run is queued for retry), UnreliableListing,
    FormatMissing, and BrakeTripped when the plan is held.
    """
    if not dry_run:
        watch_for_restore(scope.runtime, scope.org_id)
    start = _start(scope, store_id, choice or Choice())
    require_format(start.organization)
    if dry_run:
        return _view(None, start.store, "planned", _look(scope, start).plan, dry_run=True)
    run_id = scope.runtime.new_id()
    with keep_lease(
        scope.runtime,
        scope.org_id,
        f"sync:{store_id}",
        busy="A full sync of this store is running.",
        fix="electis sync status",
    ) as kept:
        _open_run(scope, start, run_id)
        scope.runtime.reached("sync:opened")
        try:
            sifted = _list(scope, start)
            scope.runtime.reached("sync:listed")
            with scope.runtime.database.write(scope.org_id) as uow:
                kept.require(uow)
                change = Change(uow=uow, scope=_system(scope), now=scope.runtime.clock())
                planned = _plan(change, start, sifted, lock=True)
                plan = planned.plan
                scope.runtime.reached("sync:planned")
                is_held = bool(plan.brakes) and plan.digest != (approved.digest if approved else None)
                run = Run(
                    id=run_id,
                    organization=planned.organization,
                    store=start.store,
                    sides=planned.sides,
                    listed_at=start.began_at,
                )
                if not (is_held and _is_about_another_place(plan)):
                    # What was seen is seen, whatever becomes of the plan: the settle windows run from now.
                    (note_observations if is_held else apply_plan)(change, run, plan)
                    comparing.note_equal(
                        uow, store_id, sifted.equal, change.now, untouched_since=start.moved_before
                    )
                    observe_links(change, planned.organization, store_id, sifted)
                if not is_held:
                    stores.update_store(uow, store_id, {"bound_to": start.binding})
                    accept_restore(change, start.store)
                if not is_held:
                    runs.end_held_runs(uow, store_id, but=approved.run if approved else None)
                _close_run(change, start, run_id, plan, is_held=is_held)
                scope.runtime.reached("sync:committing")
                uow.commit()
            scope.runtime.reached("sync:committed")
        except ElectisError as error:
            # Cron mails what is raised. AIMS was only read, so nobody knows whom its free text may quote.
            told = without_values(error, None)
            _fail_run(scope, start, run_id, told)
            raise told from error
    if is_held:
        raise BrakeTripped(
            why=f"Run {run_id} of store {start.store.code} is held: {tell_brakes(_brakes(plan))}.",
            fix=f"electis sync approve {run_id}",
            run=run_id,
        )
    return _view(run_id, start.store, "completed", plan)


def _is_about_another_place(plan: Plan) -> bool:
    """Tell whether nobody knows yet that this listing and this database belong together."""
    return any(brake.name in {"changed_binding", "restored_database"} for brake in plan.brakes)


def plan_store(scope: Scope, store_id: str, choice: Choice | None = None) -> Planned:
    """Return what a full sync of one store would do now, and all sides of it; nothing is written."""
    start = _start(scope, store_id, choice or Choice(), Action.READ)
    require_format(start.organization)
    return _look(scope, start)


def _look(scope: Scope, start: _Start) -> Planned:
    sifted = _list(scope, start, dry_run=True)
    with scope.runtime.database.read(scope.org_id) as uow:
        change = Change(uow=uow, scope=_system(scope), now=scope.runtime.clock())
        return _plan(change, start, sifted, lock=False)


def _list(scope: Scope, start: _Start, *, dry_run: bool = False) -> Sifted:
    """Return what in AIMS's listing needs a look, after a look whether it still works with our article format.

    Raises UnreliableListing when listing and count disagree three times: a contradiction is never a deletion (Q10).
    """
    client = scope.runtime.connect(start.organization)
    try:
        refuse_changed_format(scope, start.organization, client, stop_pushes=not dry_run)
        reason = ""
        for _ in range(LISTING_TRIES):
            try:
                with contextlib.closing(client.articles(start.store.code)) as listed:
                    sifted = sift(
                        scope,
                        start.organization,
                        start.store.id,
                        listed,
                        keep_foreign=start.choice.take_in,
                    )
            except UnreliableListing as error:
                reason = error.why
                continue
            count = client.count_articles(start.store.code)
            if abs(count - sifted.listed) <= _count_moving(scope, start):
                return sifted
            reason = f"AIMS counts {count} articles and lists {sifted.listed}."
        raise UnreliableListing(why=reason, fix="run the command again in a minute")
    finally:
        client.close()


def _count_moving(scope: Scope, start: _Start) -> int:
    with scope.runtime.database.read(scope.org_id) as uow:
        return comparing.count_moving(uow, start.store.id, start.moved_before)


def _terms(change: Change, start: _Start, organization: Organization, store: Store) -> Terms:
    choice = start.choice
    return Terms(
        now=change.now,
        settle=change.scope.runtime.tuning.settle,
        strategy=choice.strategy or organization.strategy,
        first_contact=store.listed_at is None,
        believe_at_once=choice.believe_at_once,
        take_in=choice.take_in,
        rebound=store.bound_to is not None and store.bound_to != start.binding,
        restored=store.restored_at is not None or start.is_set_back,
        most_deletions=choice.most_deletions,
    )


def approve_run(scope: Scope, run_id: str, *, dry_run: bool = False) -> SyncView:
    """Run a held full sync again with exactly the plan that was held; any other plan is held anew.

    Raises NotFound, BrakeTripped: a dry run also, when the plan is another by now.
    """
    with reading(scope, Action.SYNC) as read:
        run = runs.find_run(read.uow, run_id)
    if run is None:
        raise NotFound(f"There is no sync run {run_id}.", fix="electis sync history")
    if run["state"] != "held":
        raise NotFound(f"The sync run {run_id} is not held.", fix="electis sync history")
    choice = choice_of(run["terms"])
    if dry_run:
        view = full_sync(scope, run["store_id"], dry_run=True, choice=choice)
        if view.brakes and view.digest != run["digest"]:
            raise BrakeTripped(
                why=f"The plan of run {run_id} is another by now, and would be held: {tell_brakes(view.brakes)}.",
                fix="electis sync full --dry-run",
                run=run_id,
            )
        return replace(view, run=run_id)
    view = full_sync(
        scope,
        run["store_id"],
        choice=choice,
        approved=Approved(run=run_id, digest=run["digest"]),
    )
    with changing(scope, Action.SYNC) as change:
        runs.update_run(change.uow, run_id, {"state": "approved"})
        change.record(
            "sync:approved", "sync_run", run_id, after={"digest": run["digest"]}, store_id=run["store_id"]
        )
    return view


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan and what it was made from."""

    plan: Plan
    sides: Mapping[str, Sides]
    organization: Organization


def _start(scope: Scope, store_id: str, choice: Choice, action: Action = Action.SYNC) -> _Start:
    with reading(scope, action) as read:
        store = stores.find_store(read.uow, store_id=store_id)
        if store is None:
            raise StoreNotFound
        return _Start(
            organization=read.organization(),
            store=store,
            # Noted before the first page: a key that moves while we list is left for the next run.
            moved_before=ledger.last_number(read.uow),
            began_at=scope.runtime.clock(),
            choice=choice,
            is_set_back=is_set_back(scope.runtime, scope.org_id, ledger.last_number(read.uow)),
        )


def _plan(change: Change, start: _Start, sifted: Sifted, *, lock: bool) -> Planned:
    """Plan what is not in sync, from rows as they are now; `lock` keeps them so until the plan is carried out."""
    uow, store_id = change.uow, start.store.id
    organization = organizations.own_organization(uow)
    store = stores.find_store(uow, store_id=store_id)
    if store is None:
        raise StoreNotFound
    ids = [*sifted.odd, *sifted.missed, *sifted.unmet]
    rows = ledger.rows_by_id(uow, store_id, ids, lock=lock)
    rendered = render_articles(uow, organization, store_id, ids)
    subjects, sides = [], {}
    for article_id in ids:
        row, wanted, remote = rows.get(article_id), rendered.get(article_id), sifted.odd.get(article_id)
        if remote is not None:
            remote = as_agreed(remote, row, wanted.content if wanted else None)
        sides[article_id] = Sides(row=row, remote=remote, wanted=wanted)
        subjects.append(
            Subject(
                article_id=article_id,
                row=row,
                local=wanted.content if wanted else None,
                remote=remote.content if remote else None,
                known=known_hashes(row, change.now),
                is_room=bool(wanted and wanted.is_room),
                was_moving=row is not None and row.touched_seq > start.moved_before,
                is_fresh=remote is not None and _is_fresh(row, remote),
                is_linked=bool(remote and remote.labels),
                can_be_held=remote is None
                or not start.choice.take_in
                or can_take_in(article_id, remote.content, require_format(organization)),
            )
        )
    bases, stood, local = comparing.sizes(uow, store_id, since=start.moved_before)
    totals = Totals(
        bases=bases,
        stood=stood,
        listed=sifted.listed,
        local=local,
        in_sync=sifted.in_sync,
        reported=max(0, sifted.reported - sum(1 for one in ids if one not in rows and one not in rendered)),
    )
    plan = make_plan(subjects, _terms(change, start, organization, store), totals)
    return Planned(plan=plan, sides=sides, organization=organization)


def _is_fresh(row: LedgerRow | None, remote: Shown) -> bool:
    """Tell whether AIMS's own "last updated" moved since the listing before."""
    if row is None or row.remote_updated is None or remote.last_updated is None:
        return False
    return row.remote_updated != remote.last_updated


def _system(scope: Scope) -> Scope:
    """Return the scope a run acts in: the trail names the system, the audit row of the run who started it."""
    return Scope(runtime=scope.runtime, actor=system_actor(scope.actor.source), org_id=scope.org_id)


def _open_run(scope: Scope, start: _Start, run_id: str) -> None:
    with changing(scope, Action.SYNC) as change:
        runs.end_abandoned_runs(change.uow, start.store.id, change.now)
        runs.insert_run(
            change.uow,
            {
                "id": run_id,
                "store_id": start.store.id,
                "state": "running",
                "source": scope.actor.source,
                "terms": start.choice.to_json(),
                "started_at": start.began_at,
                "counts": {},
                "actions": [],
                "brakes": [],
            },
        )
        change.audit("sync:started", "sync_run", run_id, store_id=start.store.id)
        change.emit("sync:started", {"run": run_id}, store_id=start.store.id)
        scope.runtime.reached("sync:opening")


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
    cause = held_cause(start.store.code)
    if is_held:
        alerts.raise_alert(
            change.uow,
            alert_id=change.new_id(),
            cause=cause,
            text=held_text(start.store.code, tell_brakes(_brakes(plan)), run_id),
            store_id=start.store.id,
            now=change.now,
        )
    else:
        alerts.close_alert(change.uow, cause, change.now)
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
        scope.runtime.reached("sync:failing")
    scope.runtime.reached("sync:failed")


def _actions(plan: Plan) -> tuple[Mapping[str, Any], ...]:
    quiet = {"in_sync", "pending"}
    return tuple(
        {"article_id": action.article_id, "step": action.step.value, "columns": list(action.columns)}
        for action in plan.actions
        if action.step.value not in quiet
    )


def _brakes(plan: Plan) -> tuple[Mapping[str, Any], ...]:
    return tuple({"name": brake.name, "count": brake.count, "limit": brake.limit} for brake in plan.brakes)


def tell_brakes(brakes: Sequence[Mapping[str, Any]]) -> str:
    """Return what holds a plan, in words."""
    return ", ".join(f"{brake['name']} {brake['count']} of at most {brake['limit']}" for brake in brakes)


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
