"""The full sync's plan (design 5.3): a pure function over what was agreed, what we want and what AIMS lists.

The branches of `decide` are the rows of the design's table, from the top, the first that fits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from electis_cli.domain.articles import ABSENT, Content, changed_columns, content_hash, looks_altered
from electis_cli.domain.merge import Resolution, resolve
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import LedgerRow, State


class Step(StrEnum):
    """What a plan does with one article."""

    IN_SYNC = "in_sync"
    BUMP = "bump"  # a forgotten bump: the article is made dirty
    PENDING = "pending"  # a push is on its way, or a person has been asked
    AGREE = "agree"  # AIMS shows what we want already
    SETTLING = "settling"  # a stale read of something that was ours
    OBSERVE = "observe"  # somebody else's value, too fresh to believe
    PUSH_AGAIN = "push_again"  # drift: what we pushed is not there any more
    ADOPT = "adopt"  # a remote edit goes into the database
    CONFLICT = "conflict"  # a person must choose
    ECHO = "echo"  # AIMS itself shows our value in another form
    HOLD = "hold"  # AIMS shows it in yet another form each time
    MISSING = "missing"  # gone from AIMS, not believed yet
    REMOVE = "remove"  # deleted at AIMS, so deleted here
    DELETE_AGAIN = "delete_again"  # a tombstone that is back
    IMPORT = "import"  # made by others, taken in
    REPORT = "report"  # made by others: reported, never touched


REASONS = {
    Step.IN_SYNC: "AIMS shows what the database says.",
    Step.BUMP: "The database changed and nothing was queued; it is queued now.",
    Step.PENDING: "A change is waiting in the queue, or for a person.",
    Step.AGREE: "AIMS shows already what the database says; they agree on it.",
    Step.SETTLING: "AIMS shows an older value of ours; it may not have caught up yet.",
    Step.OBSERVE: "Somebody changed it at AIMS a moment ago; it is believed when it stays.",
    Step.PUSH_AGAIN: "AIMS does not show what it took from us; it is sent again.",
    Step.ADOPT: "It was changed at AIMS; the database takes it over.",
    Step.CONFLICT: "Both sides say something else; a person must choose.",
    Step.ECHO: "AIMS shows our value in a form of its own; that counts as equal.",
    Step.HOLD: "AIMS alters the value anew each time; a person must look.",
    Step.MISSING: "AIMS does not list it any more; it is believed when it stays away.",
    Step.REMOVE: "It was deleted at AIMS; the database deletes it, too.",
    Step.DELETE_AGAIN: "It was deleted here and is back at AIMS; it is deleted again.",
    Step.IMPORT: "It was made at AIMS; the database takes it in.",
    Step.REPORT: "It was made at AIMS, and is nobody's here; it is left alone.",
}
"""Why a plan does what it does, for people."""

CHANGES = frozenset(
    {
        Step.BUMP,
        Step.PUSH_AGAIN,
        Step.ADOPT,
        Step.CONFLICT,
        Step.HOLD,
        Step.REMOVE,
        Step.DELETE_AGAIN,
        Step.IMPORT,
    }
)
"""The steps that write something people see, at AIMS or here."""

MOST_ECHOES = 2
"""How often AIMS may show one value in another form before a person must look."""


LEAST_BRAKED = 10
"""Up to so many deletions and overwritten articles are never too many, however few articles there are."""


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
    is_fresh: bool = False  # AIMS's own "last updated" moved since the listing before
    is_linked: bool = False  # AIMS has labels on it
    can_be_held: bool = True  # the database takes its id and its values, should it be imported


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What the plan does with one article, and why."""

    article_id: str
    step: Step
    columns: tuple[str, ...] = ()
    adopt: Mapping[str, str] = field(default_factory=dict)
    push: bool = False
    expected_version: int | None = None
    local_hash: str | None = None
    remote_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How large the store is on each side: what brakes are measured by.

    `bases` are the articles both sides agreed on and that are still wanted, `listed` what AIMS shows, `local` what the
    database wants. `stood` are the bases that did not move since the listing began (None: all of them): what was pushed
    meanwhile it could not show.
    """

    bases: int
    listed: int
    local: int
    in_sync: int = 0  # articles nothing is to be done about, which are no subjects
    reported: int = 0  # other people's articles, which are no subjects
    stood: int | None = None


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
            [
                action.article_id,
                action.step.value,
                action.expected_version,
                action.local_hash,
                action.remote_hash,
                sorted(action.adopt.items()),
                action.push,
            ]
            for action in self.actions
            if action.step in CHANGES
        ]
        held_by = sorted(brake.name for brake in self.brakes)
        return hashlib.sha256(json.dumps([listed, held_by]).encode()).hexdigest()[:16]


def digest_of_plans(digests: Mapping[str, str | None]) -> str | None:
    """Return what stands for the plans of several stores, by store code: of a single one its own digest."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    return hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()[:16] if digests else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The circumstances of a plan: time, the settle window and the organization's choices."""

    now: datetime
    settle: timedelta
    strategy: Strategy
    first_contact: bool = False
    believe_at_once: bool = False  # `--no-window`
    take_in: bool = False  # `--import`
    rebound: bool = False  # another account, company or store than at the listing before
    restored: bool = False  # the database is older than one this program has seen
    most_deletions: int | None = None  # `--max-deletes`; None: a tenth
    most_overwritten_share: float = 0.5
    least_braked: int = LEAST_BRAKED


Make = Callable[..., Action]
"""Builds the action of the article at hand."""


def make_plan(subjects: Collection[Subject], terms: Terms, totals: Totals | None = None) -> Plan:
    """Return what a full sync does with a store's articles, and the brakes that hold it.

    `totals` are given when the subjects are not the whole store, because what is in sync was sorted out before.
    """
    actions = tuple(decide(subject, terms) for subject in sorted(subjects, key=lambda item: item.article_id))
    sizes = totals or _totals_of(subjects)
    counts: dict[str, int] = {}
    for step, sorted_out in ((Step.IN_SYNC, sizes.in_sync), (Step.REPORT, sizes.reported)):
        if sorted_out:
            counts[step.value] = sorted_out
    for action in actions:
        counts[action.step.value] = counts.get(action.step.value, 0) + 1
    linked = {subject.article_id for subject in subjects if subject.is_linked}
    return Plan(actions=actions, counts=counts, brakes=_brakes(actions, linked, sizes, terms))


def _totals_of(subjects: Collection[Subject]) -> Totals:
    return Totals(
        bases=sum(
            1
            for subject in subjects
            if subject.row is not None and subject.row.has_base and not subject.row.desired_deleted
        ),
        listed=sum(1 for subject in subjects if subject.remote is not None),
        local=sum(1 for subject in subjects if subject.local is not None),
    )


def decide(subject: Subject, terms: Terms) -> Action:
    """Return what a full sync does with one article."""
    row, local, remote = subject.row, subject.local, subject.remote
    local_hash, remote_hash = content_hash(local), content_hash(remote)

    def make(step: Step, **more: Any) -> Action:
        return Action(
            article_id=subject.article_id,
            step=step,
            columns=tuple(changed_columns(local, remote)) if step is not Step.IN_SYNC else (),
            expected_version=row.desired_version if row else None,
            local_hash=local_hash,
            remote_hash=remote_hash,
            **more,
        )

    if row is not None and (subject.was_moving or row.inflight_version is not None):
        return make(Step.PENDING)
    if row is None or (row.desired_deleted and local is not None):
        # Wanted, and its creation never met the ledger (an upgrade, or a bug), or an article somebody else made.
        unwanted = Step.IN_SYNC if remote is None else _step_of_foreign(subject, terms)
        return make(unwanted if local is None else Step.BUMP)
    if row.desired_deleted:
        return make(_step_of_tombstone(subject, row, remote_hash, terms))
    if local is None:
        # A deletion whose bump was forgotten: what nobody asked to delete is reported.
        return make(Step.IN_SYNC if remote is None else Step.REPORT)
    if remote is None:
        return make(_step_of_absent(subject, row, local, terms))
    return _decide_present(subject, row, local, remote, terms, make)


def _decide_present(  # noqa: PLR0911 - the rows of the table
    subject: Subject, row: LedgerRow, local: Content, remote: Content, terms: Terms, make: Make
) -> Action:
    """Decide on an article that both sides have."""
    remote_hash, local_hash = content_hash(remote), content_hash(local)
    is_changed_here = local_hash != row.base_hash
    is_waiting = row.is_dirty or row.state is not State.ACTIVE
    if remote_hash == row.base_hash:
        return make(Step.IN_SYNC if not is_changed_here else Step.PENDING if is_waiting else Step.BUMP)
    if remote_hash == local_hash:
        return make(Step.AGREE)
    if row.state in {State.CONFLICT, State.HELD}:
        return make(Step.PENDING)  # a person has been asked already
    has_stayed = row.odd_hash == remote_hash and _has_settled(row.odd_since, terms)
    if remote_hash in subject.known:
        return make(Step.PUSH_AGAIN if has_stayed else Step.SETTLING)
    if not (has_stayed or _believes_at_once(subject, row, terms)):
        return make(Step.OBSERVE)
    if is_echo(row, remote):
        if is_changed_here:
            # The form counts as base: what the database wants now is pushed over it.
            return make(Step.PENDING if is_waiting else Step.BUMP)
        return make(Step.HOLD if row.echo_rounds >= MOST_ECHOES else Step.ECHO)
    strategy = terms.strategy
    if subject.is_room and strategy is Strategy.MERGE:
        strategy = Strategy.DATABASE_WINS  # a meeting is ours to say
    if not is_changed_here and not subject.is_room:
        # Changed at AIMS only: nobody here disagrees, so there is nothing for a strategy to decide.
        return make(
            Step.ADOPT,
            adopt={column: remote.get(column, "") for column in changed_columns(local, remote)},
        )
    return _settle_difference(resolve(row.base, local, remote, strategy), make)


def is_echo(row: LedgerRow, remote: Content) -> bool:
    """Tell whether AIMS itself put what we agreed on into another form.

    Only what was never once read back equal since our acknowledgement, and what looks like an alteration: an edit of
    somebody who was quicker than our first look must not be taken for one.
    """
    return row.read_equal_at is None and row.base is not None and looks_altered(row.base, remote)


def _believes_at_once(subject: Subject, row: LedgerRow, terms: Terms) -> bool:
    if terms.first_contact or terms.believe_at_once:
        return True
    is_settling = row.acked_at is not None and terms.now - row.acked_at < terms.settle
    return subject.is_fresh and not is_settling


def _settle_difference(outcome: Resolution, make: Make) -> Action:
    if outcome.undecided:
        return make(Step.CONFLICT)
    if outcome.adopt:
        return make(Step.ADOPT, adopt=outcome.adopt, push=outcome.push)
    return make(Step.PUSH_AGAIN, push=True)


def _step_of_absent(subject: Subject, row: LedgerRow, local: Content, terms: Terms) -> Step:
    """Decide on an article that AIMS does not list."""
    if row.is_dirty or row.state in {State.CONFLICT, State.HELD}:
        return Step.PENDING  # an edit beats a deletion, and a person has the word before us
    if not row.has_base:
        # Never agreed on: it waits for a person, or its bump was forgotten.
        return Step.PENDING if row.state is not State.ACTIVE else Step.BUMP
    step = Step.PUSH_AGAIN
    if _was_deleted(subject, row, local):
        step = {Strategy.MANUAL: Step.CONFLICT, Strategy.AIMS_WINS: Step.REMOVE}.get(terms.strategy, step)
    # Two complete listings at least W apart must miss it. Nothing shortens that for what is not simply pushed again.
    is_missed = _has_settled(row.missing_since, terms)
    return step if is_missed or (terms.believe_at_once and step is Step.PUSH_AGAIN) else Step.MISSING


def _was_deleted(subject: Subject, row: LedgerRow, local: Content) -> bool:
    """Tell whether somebody deleted at AIMS what both sides agreed on; else it got lost, or the deletion was ours."""
    return was_seen_since(row) and ABSENT not in subject.known and content_hash(local) == row.base_hash


def was_seen_since(row: LedgerRow) -> bool:
    """Tell whether AIMS showed an article after it took it from us: absent then, somebody deleted it."""
    if row.last_seen_remote_at is None:
        return False
    return row.acked_at is None or row.last_seen_remote_at >= row.acked_at


def _step_of_tombstone(subject: Subject, row: LedgerRow, remote_hash: str, terms: Terms) -> Step:
    """Decide on an article that was deleted here."""
    if subject.remote is None:
        return Step.IN_SYNC
    if row.is_dirty or row.state is not State.ACTIVE:
        return Step.PENDING
    has_stayed = row.odd_hash == remote_hash and _has_settled(row.odd_since, terms)
    if remote_hash in subject.known:
        # Back with a content of ours: a late request of a frozen daemon, or a listing older than our deletion.
        is_settling = row.acked_at is not None and terms.now - row.acked_at < terms.settle
        return Step.SETTLING if is_settling and not terms.believe_at_once else Step.DELETE_AGAIN
    if not (has_stayed or _believes_at_once(subject, row, terms)):
        return Step.OBSERVE
    # Somebody made an article of this id anew.
    if terms.strategy is Strategy.DATABASE_WINS:
        return Step.DELETE_AGAIN
    return Step.CONFLICT if terms.strategy is Strategy.MANUAL else _step_of_foreign(subject, terms)


def _step_of_foreign(subject: Subject, terms: Terms) -> Step:
    # What the database refuses would be planned, and refused, at each run.
    return Step.IMPORT if terms.take_in and subject.can_be_held else Step.REPORT


def _has_settled(since: datetime | None, terms: Terms) -> bool:
    return since is not None and terms.now - since >= terms.settle


_OVERWRITING = frozenset({Step.BUMP, Step.PUSH_AGAIN, Step.ADOPT})


def _brakes(
    actions: Collection[Action], linked: Collection[str], totals: Totals, terms: Terms
) -> tuple[Brake, ...]:
    found: list[Brake] = []

    def measure(name: str, count: int, limit: int) -> None:
        if count > limit:
            found.append(Brake(name=name, count=count, limit=limit))

    if terms.restored:
        found.append(Brake(name="restored_database", count=1, limit=0))
    if terms.rebound:
        found.append(Brake(name="changed_binding", count=1, limit=0))
    if terms.first_contact and not found:
        return ()
    bases = totals.bases
    most = max(terms.least_braked, bases // 10) if terms.most_deletions is None else terms.most_deletions
    deleted = [action.article_id for action in actions if action.step is Step.DELETE_AGAIN]
    measure("deletions", len(deleted), most)
    measure("removals", sum(1 for action in actions if action.step is Step.REMOVE), most)
    measure("linked_deletions", len(set(deleted) & set(linked)), 0)
    if (bases if totals.stood is None else totals.stood) and not totals.listed:
        found.append(Brake(name="empty_remote", count=bases, limit=bases - 1))
    if bases and not totals.local:
        found.append(Brake(name="empty_local", count=bases, limit=bases - 1))
    overwritten = sum(1 for action in actions if action.step in _OVERWRITING and action.remote_hash != ABSENT)
    measure("overwritten", overwritten, max(terms.least_braked, int(bases * terms.most_overwritten_share)))
    return tuple(found)
