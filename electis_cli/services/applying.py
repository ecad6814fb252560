"""Applying a full sync's plan: rows and ledger change in the run's one transaction, by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from electis_cli.db import ledger, stores
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import LedgerRow, State
from electis_cli.domain.reconcile import Action, Plan, Step
from electis_cli.services.adopting import adopt_columns, keep_conflict
from electis_cli.services.change import Change
from electis_cli.services.remote import Shown
from electis_cli.services.rendering import Rendered

_NOTHING_ODD = {"odd_hash": None, "odd_since": None}


def apply_plan(
    change: Change,
    organization: Organization,
    store: Store,
    plan: Plan,
    listed: Mapping[str, Shown],
    rows: Mapping[str, LedgerRow],
    rendered: Mapping[str, Rendered],
    run_id: str,
) -> None:
    """Carry out a plan; nothing is sent, what must be pushed becomes dirty."""
    bumps: dict[str, bool] = {}
    seen: list[dict[str, Any]] = []
    for action in plan.actions:
        article_id, row = action.article_id, rows.get(action.article_id)
        remote, wanted = listed.get(article_id), rendered.get(article_id)
        if row is not None:
            values = _observation(change, action, row, remote, wanted)
            if values is not None:
                seen.append(values)
        if action.step in {Step.BUMP, Step.DELETE_AGAIN}:
            bumps[article_id] = action.step is Step.DELETE_AGAIN
        elif action.step is Step.PUSH_AGAIN:
            bumps[article_id] = False
            if action.push and remote is not None and row is not None:
                _keep(change, store, action, row, remote, wanted, "database", run_id)
        elif action.step is Step.ADOPT and remote is not None and row is not None:
            adopted = adopt_columns(change, organization, store.id, article_id, action.adopt)
            choice = "aims" if adopted else "undecided"
            _keep(change, store, action, row, remote, wanted, choice, run_id)
            if not adopted:
                seen.append({**_held(article_id, row), "state": State.CONFLICT.value})
            elif action.push:
                bumps[article_id] = False
        elif action.step is Step.CONFLICT and remote is not None and row is not None:
            _keep(change, store, action, row, remote, wanted, "undecided", run_id)
            seen.append({**_held(article_id, row), "state": State.CONFLICT.value})
    for values in seen:
        ledger.update_rows(change.uow, store.id, [values])
    ledger.bump(change.uow, store.id, bumps, change.now)
    if store.listed_at is None:
        stores.update_store(change.uow, store.id, {"listed_at": change.now})


def _held(article_id: str, row: LedgerRow) -> dict[str, Any]:
    return {
        "article_id": article_id,
        "base": row.base,
        "base_hash": row.base_hash,
        "error_text": "AIMS and the database both changed this article.",
    }


def _observation(
    change: Change, action: Action, row: LedgerRow, remote: Shown | None, wanted: Rendered | None
) -> dict[str, Any] | None:
    """Return what this listing tells the ledger of an article, or None when it tells nothing new."""
    now = change.now
    values: dict[str, Any] = {"article_id": action.article_id}
    if remote is None:
        if action.step is Step.MISSING:
            return {**values, "missing_since": row.missing_since or now}
        if action.step is Step.PUSH_AGAIN:
            return {**values, "base": None, "base_hash": ABSENT, "missing_since": None}
        return None
    if row.missing_since is not None:
        values["missing_since"] = None
    match action.step:
        case Step.OBSERVE | Step.SETTLING:
            is_same = row.odd_hash == remote.hash and row.odd_since is not None
            values |= {"odd_hash": remote.hash, "odd_since": row.odd_since if is_same else now}
        case Step.AGREE:
            values |= {
                "base": dict(remote.content),
                "base_hash": remote.hash,
                "acked_at": now,
                **_NOTHING_ODD,
            }
            values |= {"synced_version": row.desired_version, "state": State.ACTIVE.value, "error_text": None}
            values |= {"attempts": 0, "doubts": 0, "next_attempt_at": None, "verify_after": None}
        case Step.ADOPT | Step.PUSH_AGAIN:
            # Seen and answered for: this value is what both sides start from now.
            values |= {"base": dict(remote.content), "base_hash": remote.hash, **_NOTHING_ODD}
        case Step.IN_SYNC:
            if row.odd_hash is not None or row.verify_after is not None:
                values |= {"verify_after": None, **_NOTHING_ODD}
        case _:
            pass
    return values if len(values) > 1 else None


def _keep(
    change: Change,
    store: Store,
    action: Action,
    row: LedgerRow,
    remote: Shown,
    wanted: Rendered | None,
    choice: str,
    run_id: str,
) -> None:
    keep_conflict(
        change,
        store.id,
        action.article_id,
        base=row.base,
        local=wanted.content if wanted else None,
        remote=remote.content,
        choice=choice,
        run_id=run_id,
    )
