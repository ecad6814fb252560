"""The full sync's plan (design 5.3): a pure function over what was agreed, what we want and what AIMS lists.

The branches of `_decide` are the rows of the design's table, from the top, the first that fits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from electis_cli.domain.articles import ABSENT, Content, changed_columns, content_hash
from electis_cli.domain.merge import Resolution, resolve
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import LedgerRow, State


class Step(StrEnum):
    """What a plan does with one article."""

    IN_SYNC = "in_sync"
    BUMP = "bump"  # a forgotten bump: the article is made dirty
    PENDING = "pending"  # a push is on its way
    AGREE = "agree"  # AIMS shows what we want already
    SETTLING = "settling"  # a stale read, or an edit too fresh to believe
    OBSERVE = "observe"  # somebody else's value, seen for the first time
    PUSH_AGAIN = "push_again"  # drift: what we pushed is not there any more
    ADOPT = "adopt"  # a remote edit goes into the database
    CONFLICT = "conflict"  # a person must choose
    MISSING = "missing"  # gone from AIMS, not believed yet
    DELETE_AGAIN = "delete_again"  # a tombstone that is back
    REPORT = "report"  # made by others: reported, never touched


CHANGES = frozenset({Step.BUMP, Step.PUSH_AGAIN, Step.ADOPT, Step.CONFLICT, Step.DELETE_AGAIN})
"""The steps that write something, at AIMS or here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One article as all sides see it."""

    article_id: str
    row: LedgerRow | None
    local: Content | None  # what the database wants; None: nothing
    remote: Content | None  # what AIMS lists; None: nothing
    known: Collection[str] = ()
    is_room: bool = False
    was_moving: bool = False  # changed or in flight since the listing began


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What the plan does with one article, and why."""

    article_id: str
    step: Step
    columns: tuple[str, ...] = ()
    adopt: Mapping[str, str] = field(default_factory=dict)
    push: bool = False
    expected_version: int | None = None
    remote_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """Why a plan is held until a person approves it."""

    name: str
    count: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one full sync of one store would do."""

    actions: tuple[Action, ...]
    counts: Mapping[str, int]
    brakes: tuple[Brake, ...]

    @property
    def writes(self) -> int:
        """How many articles the plan changes, here or at AIMS."""
        return sum(self.counts.get(step.value, 0) for step in CHANGES)

    @property
    def digest(self) -> str:
        """What ties an approval to exactly this plan."""
        listed = [
            [action.article_id, action.step.value, action.expected_version, action.remote_hash]
            for action in self.actions
            if action.step in CHANGES
        ]
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The circumstances of a plan: time, the settle window and the organization's choices."""

    now: datetime
    settle: timedelta
    strategy: Strategy
    first_contact: bool = False
    believe_at_once: bool = False
    most_overwritten_share: float = 0.5
    least_braked: int = 10


Make = Callable[..., Action]
"""Builds the action of the article at hand."""


def make_plan(subjects: Collection[Subject], terms: Terms) -> Plan:
    """Return what a full sync does with a store's articles, and the brakes that hold it."""
    actions = tuple(_decide(subject, terms) for subject in sorted(subjects, key=lambda item: item.article_id))
    counts: dict[str, int] = {}
    for action in actions:
        counts[action.step.value] = counts.get(action.step.value, 0) + 1
    return Plan(actions=actions, counts=counts, brakes=_brakes(subjects, actions, terms))


def _decide(subject: Subject, terms: Terms) -> Action:
    row, local, remote = subject.row, subject.local, subject.remote
    remote_hash = content_hash(remote)

    def make(step: Step, **more: Any) -> Action:
        return Action(
            article_id=subject.article_id,
            step=step,
            columns=tuple(changed_columns(local, remote)) if step is not Step.IN_SYNC else (),
            expected_version=row.desired_version if row else None,
            remote_hash=remote_hash,
            **more,
        )

    if row is None:
        # A row that never met the ledger (an upgrade, or a bug), or an article somebody else made.
        step = Step.BUMP if local is not None else Step.REPORT if remote is not None else Step.IN_SYNC
        return make(step)
    if subject.was_moving or row.inflight_version is not None:
        return make(Step.PENDING)
    if row.desired_deleted:
        return make(_step_of_tombstone(subject, row, remote_hash))
    if remote is None:
        return make(_step_of_absent(row, terms))
    if local is None:
        return make(Step.REPORT)
    return _decide_present(subject, row, local, remote, terms, make)


def _decide_present(
    subject: Subject, row: LedgerRow, local: Content, remote: Content, terms: Terms, make: Make
) -> Action:
    """Decide on an article that both sides have."""
    remote_hash, local_hash = content_hash(remote), content_hash(local)
    if remote_hash == row.base_hash:
        is_waiting = row.is_dirty or row.state is not State.ACTIVE
        return make(
            Step.IN_SYNC if local_hash == row.base_hash else Step.PENDING if is_waiting else Step.BUMP
        )
    if remote_hash == local_hash:
        return make(Step.AGREE)
    if row.state is State.CONFLICT:
        return make(Step.PENDING)  # a person has been asked already
    has_stayed = row.odd_hash == remote_hash and _has_settled(row.odd_since, terms)
    if remote_hash in subject.known:
        return make(Step.PUSH_AGAIN if has_stayed else Step.SETTLING)
    if not (has_stayed or terms.first_contact or terms.believe_at_once):
        return make(Step.OBSERVE)
    strategy = terms.strategy
    if subject.is_room and strategy is Strategy.MERGE:
        strategy = Strategy.DATABASE_WINS  # a meeting is ours to say
    return _settle_difference(resolve(row.base, local, remote, strategy), make)


def _settle_difference(outcome: Resolution, make: Make) -> Action:
    if outcome.undecided:
        return make(Step.CONFLICT)
    if outcome.adopt:
        return make(Step.ADOPT, adopt=outcome.adopt, push=outcome.push)
    return make(Step.PUSH_AGAIN, push=True)


def _step_of_absent(row: LedgerRow, terms: Terms) -> Step:
    """Decide on an article that AIMS does not list."""
    if row.is_dirty:
        return Step.PENDING
    if not row.has_base:
        # Never agreed on: it waits for a person, or its bump was forgotten.
        return Step.PENDING if row.state is not State.ACTIVE else Step.BUMP
    # Two complete listings at least W apart must miss it; then it is pushed again, because the row is still here.
    settled = _has_settled(row.missing_since, terms) or terms.believe_at_once
    return Step.PUSH_AGAIN if settled else Step.MISSING


def _step_of_tombstone(subject: Subject, row: LedgerRow, remote_hash: str) -> Step:
    """Decide on an article that was deleted here."""
    if subject.remote is None:
        return Step.IN_SYNC
    if row.is_dirty:
        return Step.PENDING
    # Back with a content of ours: a late request of a frozen daemon. Anything else is somebody's new article.
    return Step.DELETE_AGAIN if remote_hash in subject.known else Step.REPORT


def _has_settled(since: datetime | None, terms: Terms) -> bool:
    return since is not None and terms.now - since >= terms.settle


def _brakes(subjects: Collection[Subject], actions: Collection[Action], terms: Terms) -> tuple[Brake, ...]:
    bases = sum(1 for subject in subjects if subject.row is not None and subject.row.has_base)
    if terms.first_contact:
        return ()
    limit = max(terms.least_braked, bases // 10)
    found: list[Brake] = []
    deletions = sum(1 for action in actions if action.step is Step.DELETE_AGAIN)
    if deletions > limit:
        found.append(Brake(name="deletions", count=deletions, limit=limit))
    if bases > terms.least_braked and not any(subject.remote is not None for subject in subjects):
        found.append(Brake(name="empty_remote", count=bases, limit=bases - 1))
    if all(subject.local is None for subject in subjects) and bases > terms.least_braked:
        found.append(Brake(name="empty_local", count=bases, limit=bases - 1))
    overwritten = sum(
        1
        for action in actions
        if action.step in {Step.BUMP, Step.PUSH_AGAIN, Step.ADOPT} and action.remote_hash != ABSENT
    )
    most = max(terms.least_braked, int(bases * terms.most_overwritten_share))
    if overwritten > most:
        found.append(Brake(name="overwritten", count=overwritten, limit=most))
    return tuple(found)
