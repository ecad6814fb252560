"""Applying a full sync's plan: rows and ledger change in the run's one transaction, by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import alerts, known_contents, labels, ledger, runs, stores
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
_FIGHT_WINDOW = timedelta(hours=24)
_MOST_ROUNDS = 3
_UNDECIDED = "AIMS and the database both changed this article."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What a run knows of one article: its ledger row, what AIMS lists and what the database wants."""

    row: LedgerRow | None
    remote: Shown | None
    wanted: Rendered | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The run whose plan is applied."""

    id: str
    organization: Organization
    store: Store
    sides: Mapping[str, Sides]


def apply_plan(change: Change, run: Run, plan: Plan) -> None:
    """Carry out a plan; nothing is sent, what must be pushed becomes dirty."""
    bumps: dict[str, bool] = {}
    for action in plan.actions:
        sides = run.sides[action.article_id]
        if sides.row is not None:
            _note(change, run, action, sides.row, sides.remote)
        must_push = _carry_out(change, run, action, sides)
        if must_push:
            bumps[action.article_id] = action.step is Step.DELETE_AGAIN
    ledger.bump(change.uow, run.store.id, bumps, change.now)
    if run.store.listed_at is None:
        stores.update_store(change.uow, run.store.id, {"listed_at": change.now})


def _carry_out(change: Change, run: Run, action: Action, sides: Sides) -> bool:
    """Do what an action says to the database; True when the article must be pushed afterwards."""
    if action.step in {Step.BUMP, Step.DELETE_AGAIN}:
        return True
    if action.step is Step.PUSH_AGAIN:
        if sides.remote is not None:
            _keep(change, run, action, sides, "database")
        return not _is_fight(change, run, action, sides)
    if action.step is Step.ADOPT and adopt_columns(
        change, run.organization, run.store.id, action.article_id, action.adopt
    ):
        _keep(change, run, action, sides, "aims")
        return action.push
    if action.step in {Step.ADOPT, Step.CONFLICT}:
        # Left to a person: what both sides agreed on before stays what it was.
        _keep(change, run, action, sides, "undecided")
        row = sides.row
        values = {
            "article_id": action.article_id,
            "state": State.CONFLICT.value,
            "base": row.base if row else None,
            "base_hash": row.base_hash if row else None,
            "error_text": _UNDECIDED,
        }
        ledger.update_rows(change.uow, run.store.id, [values])
    return False


def _is_fight(change: Change, run: Run, action: Action, sides: Sides) -> bool:
    """Hold an article that somebody sets back to the same value again and again: two writers never end (Q24)."""
    if sides.remote is None:
        return False
    since = change.now - _FIGHT_WINDOW
    times = runs.count_fights(change.uow, run.store.id, action.article_id, sides.remote.content, since)
    if times < _MOST_ROUNDS:
        return False
    values = {"article_id": action.article_id, "state": State.HELD.value}
    values["error_text"] = "Somebody else writes the same value again after each of our pushes."
    ledger.update_rows(change.uow, run.store.id, [values])
    alerts.raise_alert(
        change.uow,
        alert_id=change.new_id(),
        cause=f"another-writer:{run.store.code}",
        text=f"Store {run.store.code}: another program undoes our changes, first seen on {action.article_id}.",
        store_id=run.store.id,
        now=change.now,
    )
    return True


def _note(change: Change, run: Run, action: Action, row: LedgerRow, remote: Shown | None) -> None:
    """Write down what this listing tells of an article, when it tells anything new."""
    now = change.now
    values: dict[str, Any] = {}
    if remote is None:
        if action.step is Step.MISSING:
            values = {"missing_since": row.missing_since or now}
        elif action.step is Step.PUSH_AGAIN:
            values = {"base": None, "base_hash": ABSENT, "missing_since": None}
            labels.forget_links(change.uow, run.store.id, [action.article_id], now)
    else:
        if row.missing_since is not None:
            values["missing_since"] = None
        values |= _seen(action.step, row, remote, now)
        if "base_hash" in values:
            # Agreed on: shown again later, it is an old value of ours and nobody's edit.
            known_contents.remember_hashes(change.uow, run.store.id, [(action.article_id, remote.hash)], now)
        if action.step is Step.AGREE:
            subjects = [action.article_id]
            alerts.end_dead_letters(change.uow, run.store.id, "article", subjects, how="agreed", now=now)
    if values:
        ledger.update_rows(change.uow, run.store.id, [{"article_id": action.article_id, **values}])


def _seen(step: Step, row: LedgerRow, remote: Shown, now: datetime) -> dict[str, Any]:
    """Return what a listed article changes in the ledger."""
    if step in {Step.OBSERVE, Step.SETTLING}:
        is_same = row.odd_hash == remote.hash and row.odd_since is not None
        return {"odd_hash": remote.hash, "odd_since": row.odd_since if is_same else now}
    base = {"base": dict(remote.content), "base_hash": remote.hash, **_NOTHING_ODD}
    if step is Step.AGREE:
        return {
            **base,
            "acked_at": now,
            "synced_version": row.desired_version,
            "state": State.ACTIVE.value,
            "error_class": None,
            "error_text": None,
            "attempts": 0,
            "doubts": 0,
            "next_attempt_at": None,
            "verify_after": None,
        }
    if step in {Step.ADOPT, Step.PUSH_AGAIN}:
        return base  # seen and answered for: this value is what both sides start from now
    if step is Step.IN_SYNC and (row.odd_hash is not None or row.verify_after is not None):
        return {"verify_after": None, **_NOTHING_ODD}
    return {}


def _keep(change: Change, run: Run, action: Action, sides: Sides, choice: str) -> None:
    keep_conflict(
        change,
        run.store.id,
        action.article_id,
        base=sides.row.base if sides.row else None,
        local=sides.wanted.content if sides.wanted else None,
        remote=sides.remote.content if sides.remote else None,
        choice=choice,
        run_id=run.id,
    )
