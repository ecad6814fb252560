"""Applying a full sync's plan: rows and ledger change in the run's one transaction, by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from electis_cli.db import alerts, labels, ledger, stores
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import LedgerRow, State, with_known
from electis_cli.domain.reconcile import CHANGES, Action, Plan, Step
from electis_cli.services.adopting import adopt_columns, keep_conflict
from electis_cli.services.change import Change
from electis_cli.services.fighting import hold_fight
from electis_cli.services.remote import Shown
from electis_cli.services.rendering import Rendered
from electis_cli.services.taking_in import remove_here, take_in

_NOTHING_ODD = {"odd_hash": None, "odd_since": None}
_UNDECIDED = "AIMS and the database both changed this article."
_GONE = "The article was deleted at AIMS."
_MADE_ANEW = "The article was deleted here, and somebody made it anew at AIMS."
_ECHOES = "AIMS shows the value in another form after each of our pushes."


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
    listed_at: datetime


@dataclass(slots=True, kw_only=True)
class _Outcome:
    """What a plan changes in the ledger, collected, so that many articles take few statements."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    bumps: dict[str, bool] = field(default_factory=dict)
    agreed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # articles AIMS lost, and with them their labels' links

    def start_over(self, article_id: str) -> None:
        """Forget what was to be written for an article."""
        self.values.pop(article_id, None)

    def note(self, article_id: str, values: Mapping[str, Any]) -> None:
        """Add columns to write for an article."""
        if values:
            self.values.setdefault(article_id, {}).update(values)


def apply_plan(change: Change, run: Run, plan: Plan) -> None:
    """Carry out a plan; nothing is sent, what must be pushed becomes dirty."""
    outcome = _Outcome()
    for action in plan.actions:
        sides = run.sides[action.article_id]
        if sides.row is not None:
            _note(action, sides.row, sides.remote, change.now, outcome)
        if _carry_out(change, run, action, sides, outcome):
            outcome.bumps[action.article_id] = action.step in {Step.DELETE_AGAIN, Step.REMOVE}
    _write(change, run, outcome)
    if run.store.listed_at is None:
        stores.update_store(change.uow, run.store.id, {"listed_at": change.now})


def note_observations(change: Change, run: Run, plan: Plan) -> None:
    """Write down what a listing shows, and nothing that a plan decides: a held run must not forget what it saw."""
    outcome = _Outcome()
    for action in plan.actions:
        sides = run.sides[action.article_id]
        if sides.row is not None and action.step in _OBSERVATIONS:
            _note(action, sides.row, sides.remote, change.now, outcome)
    _write(change, run, outcome)


def _write(change: Change, run: Run, outcome: _Outcome) -> None:
    uow, store_id, now = change.uow, run.store.id, change.now
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for article_id, values in sorted(outcome.values.items()):
        alike.setdefault(tuple(sorted(values)), []).append({"article_id": article_id, **values})
    for rows in alike.values():
        ledger.update_rows(uow, store_id, rows)
    labels.forget_links(uow, store_id, outcome.lost, now)
    ledger.bump(uow, store_id, outcome.bumps, now)
    alerts.end_dead_letters(uow, store_id, "article", outcome.agreed, how="agreed", now=now)


_OBSERVATIONS = frozenset({Step.IN_SYNC, Step.PENDING, Step.SETTLING, Step.OBSERVE, Step.MISSING})
_WITHOUT_A_CHANGE = frozenset(Step) - CHANGES


def _carry_out(change: Change, run: Run, action: Action, sides: Sides, outcome: _Outcome) -> bool:
    """Do what an action says to the database; True when the article must be pushed afterwards."""
    if action.step in _WITHOUT_A_CHANGE:
        return False
    if action.step in {Step.BUMP, Step.PUSH_AGAIN, Step.DELETE_AGAIN}:
        return _overwrite(change, run, action, sides, outcome)
    if action.step is Step.HOLD:
        _hold(change, run, action, sides, outcome)
        return False
    if action.step is Step.IMPORT:
        remote = sides.remote
        return remote is not None and take_in(
            change, run.organization, run.store.id, action.article_id, remote.content
        )
    if _follow(change, run, action):
        _keep(change, run, action, sides, "aims")
        return action.push or action.step is Step.REMOVE
    _leave(change, run, action, sides, outcome)
    return False


def _overwrite(change: Change, run: Run, action: Action, sides: Sides, outcome: _Outcome) -> bool:
    """Let the database win; what AIMS shows is kept, and a fight without end is not fought."""
    if action.step is Step.BUMP or sides.remote is None:
        return True
    _keep(change, run, action, sides, "database")
    is_fight = action.step is Step.PUSH_AGAIN and hold_fight(
        change, run.store, action.article_id, sides.remote.content, outcome.note
    )
    return not is_fight


def _follow(change: Change, run: Run, action: Action) -> bool:
    """Let AIMS win; False when the step is no such one, or a rule forbids it."""
    store_id, article_id = run.store.id, action.article_id
    if action.step is Step.ADOPT:
        return adopt_columns(change, run.organization, store_id, article_id, action.adopt)
    return action.step is Step.REMOVE and remove_here(change, store_id, article_id)


def _leave(change: Change, run: Run, action: Action, sides: Sides, outcome: _Outcome) -> None:
    """Leave an article to a person: what both sides agreed on before stays what it was."""
    _keep(change, run, action, sides, "undecided")
    why = _UNDECIDED
    if sides.remote is None:
        why = _GONE
    elif sides.row is not None and sides.row.desired_deleted:
        why = _MADE_ANEW
    outcome.start_over(action.article_id)
    outcome.note(action.article_id, {"state": State.CONFLICT.value, "error_text": why})


def _hold(change: Change, run: Run, action: Action, sides: Sides, outcome: _Outcome) -> None:
    columns = ", ".join(action.columns)
    _keep(change, run, action, sides, "undecided")
    outcome.note(
        action.article_id, {"state": State.HELD.value, "error_text": f"{_ECHOES} Columns: {columns}."}
    )
    alerts.raise_alert(
        change.uow,
        alert_id=change.new_id(),
        cause=f"echo:{run.store.code}",
        text=f"Store {run.store.code}: AIMS alters {columns} of article {action.article_id} again and again.",
        store_id=run.store.id,
        now=change.now,
    )


def _note(action: Action, row: LedgerRow, remote: Shown | None, now: datetime, outcome: _Outcome) -> None:
    """Write down what this listing tells of an article, when it tells anything new."""
    article_id, step = action.article_id, action.step
    if remote is None:
        if step is Step.MISSING:
            outcome.note(article_id, {"missing_since": row.missing_since or now})
        elif step is Step.PUSH_AGAIN:
            base = {"base": None, "base_hash": ABSENT, "missing_since": None}
            outcome.note(article_id, {**base, "known": with_known(row, [], now)})
            outcome.lost.append(article_id)
        elif step is Step.REMOVE:
            outcome.lost.append(article_id)
        return
    if row.missing_since is not None:
        outcome.note(article_id, {"missing_since": None})
    if step is not Step.PENDING and (row.last_seen_remote_at is None or row.remote_updated is None):
        outcome.note(article_id, {"last_seen_remote_at": now, "remote_updated": remote.last_updated})
    values = _seen(step, row, remote, now)
    outcome.note(article_id, values)
    if "base_hash" in values:
        # Known as ours from now on: shown again later, it is an old value of ours and nobody's edit.
        outcome.note(article_id, {"known": with_known(row, [remote.hash], now)})
    if step is Step.AGREE:
        outcome.agreed.append(article_id)


def _seen(step: Step, row: LedgerRow, remote: Shown, now: datetime) -> dict[str, Any]:
    """Return what a listed article changes in the ledger."""
    if step in {Step.OBSERVE, Step.SETTLING}:
        is_same = row.odd_hash == remote.hash and row.odd_since is not None
        return {"odd_hash": remote.hash, "odd_since": row.odd_since if is_same else now}
    if step is Step.ECHO:
        rounds = row.echo_rounds + (row.echo is not None)
        return {"echo": dict(remote.worded), "echo_rounds": rounds, "verify_after": None, **_NOTHING_ODD}
    base = {"base": dict(remote.content), "base_hash": remote.hash, **_NOTHING_ODD}
    equal_at = now if remote.is_verbatim else row.read_equal_at
    if step is Step.AGREE:
        return {
            **base,
            "acked_at": now,
            "read_equal_at": equal_at,
            "last_seen_remote_at": now,
            "remote_updated": remote.last_updated,
            "echo": None,
            "echo_rounds": 0,
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
        # Seen and answered for: this value is what both sides start from now.
        return {**base, "echo": None, "read_equal_at": now}
    is_news = row.odd_hash is not None or row.verify_after is not None or row.read_equal_at is None
    if step is Step.IN_SYNC and is_news:
        return {"verify_after": None, "read_equal_at": equal_at, **_NOTHING_ODD}
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
