"""The queue as people see it: its counts, working it in the foreground, pausing and retrying."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from electis_cli.db import accounts, alerts, labels, leases, ledger, stores
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.errors import NotFound
from electis_cli.domain.queue import State, Status, status_of_row, status_of_wish
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.push.store import lease_name


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """What waits, what does not, and why; the counts of one store, or of several together."""

    store: str
    pending: int
    syncing: int
    synced: int
    held: int
    conflict: int
    failed: int
    labels_pending: int
    labels_failed: int
    dead_letters: int
    paused: bool
    enabled: bool
    breaker: str
    breaker_reason: str | None
    next_attempt_at: datetime | None
    worker: str | None

    @property
    def is_empty(self) -> bool:
        """True when nothing waits to be pushed."""
        return self.pending + self.syncing + self.labels_pending == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One article or label wish that is not synced."""

    kind: str
    id: str
    store: str
    status: Status
    desired_version: int
    synced_version: int
    attempts: int
    next_attempt_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An article or label wish that was given up, and why."""

    id: str
    kind: str
    subject: str
    store: str
    error_class: str
    error: str
    attempts: int
    at: datetime


def queue_status(scope: Scope, *, store: str | None = None) -> list[QueueStatus]:
    """Return the queue's counts, store by store."""
    with reading(scope) as read:
        places = read.stores(store)
        counts = ledger.count_by_status(read.uow, [place.id for place in places])
        wishes = labels.count_wishes(read.uow, [place.id for place in places])
        letters = alerts.list_dead_letters(read.uow, [place.id for place in places])
        account = accounts.find_account(read.uow)
        found = []
        for place in places:
            holder = leases.current_holder(read.uow, lease_name(place.id))
            mine = wishes[place.id]
            found.append(
                QueueStatus(
                    store=place.code,
                    **{name: counts[place.id].get(name, 0) for name in _ARTICLE_STATUSES},
                    labels_pending=sum(1 for wish in mine if wish.state is State.ACTIVE and wish.is_dirty),
                    labels_failed=sum(1 for wish in mine if wish.state is State.FAILED),
                    dead_letters=sum(1 for letter in letters if letter["store_id"] == place.id),
                    paused=place.paused_at is not None,
                    enabled=place.sync_enabled,
                    breaker=account.breaker,
                    breaker_reason=account.breaker_reason if account.breaker != "closed" else None,
                    next_attempt_at=place.backoff_until,
                    worker=holder.holder if holder else None,
                )
            )
        return found


_ARTICLE_STATUSES = ("pending", "syncing", "synced", "held", "conflict", "failed")


def queue_items(scope: Scope, *, store: str | None = None, limit: int | None = None) -> list[QueueItem]:
    """Return what is not synced, articles first, in the order it is pushed."""
    with reading(scope) as read:
        found: list[QueueItem] = []
        for place in read.stores(store):
            rows = ledger.all_rows(read.uow, place.id).values()
            found.extend(
                QueueItem(
                    kind="article",
                    id=row.article_id,
                    store=place.code,
                    status=status_of_row(row),
                    desired_version=row.desired_version,
                    synced_version=row.synced_version,
                    attempts=row.attempts,
                    next_attempt_at=row.next_attempt_at,
                    error=row.error_text,
                )
                for row in sorted(rows, key=lambda item: item.desired_seq)
                if row.is_dirty or row.state is not State.ACTIVE
            )
            found.extend(
                QueueItem(
                    kind="label",
                    id=wish.label_code,
                    store=place.code,
                    status=status_of_wish(wish),
                    desired_version=wish.version,
                    synced_version=wish.synced_version,
                    attempts=wish.attempts,
                    next_attempt_at=wish.next_attempt_at,
                    error=wish.error_text,
                )
                for wish in labels.list_wishes(read.uow, [place.id])
                if wish.is_dirty or wish.state is not State.ACTIVE
            )
        return found[:limit]


def dead_letters(scope: Scope, *, store: str | None = None) -> list[DeadLetter]:
    """Return the dead letters nobody has dealt with."""
    with reading(scope) as read:
        places = {place.id: place.code for place in read.stores(store)}
        return [
            DeadLetter(
                id=letter["id"],
                kind=letter["kind"],
                subject=letter["subject"],
                store=places[letter["store_id"]],
                error_class=letter["error_class"],
                error=letter["error_text"],
                attempts=letter["attempts"],
                at=letter["at"],
            )
            for letter in alerts.list_dead_letters(read.uow, list(places))
        ]


def retry(
    scope: Scope, subjects: Sequence[str] | None, *, store: str | None = None, dry_run: bool = False
) -> int:
    """Make failed, held or conflicting articles and wishes due again (None: all) and return how many.

    What is pushed is today's truth, not what failed. Raises NotFound for an id that does not wait for that.
    """
    with changing(scope, Action.SYNC, dry_run=dry_run) as change:
        done = 0
        for place in change.stores(store):
            done += _retry_articles(change, place, subjects) + _retry_wishes(change, place, subjects)
        if subjects and not done:
            raise NotFound("Nothing of that name has failed.", fix="electis queue dead list")
        return done


def _retry_articles(change: Change, place: Store, subjects: Sequence[str] | None) -> int:
    stuck = {
        row.article_id: row.desired_deleted
        for row in ledger.all_rows(change.uow, place.id).values()
        if row.state is not State.ACTIVE and (subjects is None or row.article_id in subjects)
    }
    alerts.end_dead_letters(change.uow, place.id, "article", stuck, how="retry", now=change.now)
    ledger.bump(change.uow, place.id, stuck, change.now)
    for article_id in stuck:
        change.record("queue:retried", "article", article_id, store_id=place.id)
    return len(stuck)


def _retry_wishes(change: Change, place: Store, subjects: Sequence[str] | None) -> int:
    stuck = [
        wish.label_code
        for wish in labels.list_wishes(change.uow, [place.id])
        if wish.state is not State.ACTIVE and (subjects is None or wish.label_code in subjects)
    ]
    alerts.end_dead_letters(change.uow, place.id, "label", stuck, how="retry", now=change.now)
    for code in stuck:
        values = {"state": State.ACTIVE.value, "attempts": 0, "doubts": 0, "next_attempt_at": None}
        labels.update_wish(change.uow, code, {**values, "error_class": None, "error_text": None})
        change.record("queue:retried", "label", code, store_id=place.id)
    return len(stuck)


def discard(scope: Scope, subjects: Sequence[str], *, store: str | None = None, dry_run: bool = False) -> int:
    """Silence dead letters: the rows stay failed until somebody edits them. Raises NotFound."""
    with changing(scope, Action.SYNC, dry_run=dry_run) as change:
        done = 0
        for place in change.stores(store):
            for kind in ("article", "label"):
                done += alerts.end_dead_letters(
                    change.uow, place.id, kind, subjects, how="discard", now=change.now
                )
            change.record(
                "queue:discarded", "store", place.id, after={"ids": list(subjects)}, store_id=place.id
            )
        if not done:
            raise NotFound("There is no such dead letter.", fix="electis queue dead list")
        return done


def pause(
    scope: Scope, *, store: str | None = None, why: str = "", resume: bool = False
) -> list[QueueStatus]:
    """Pause a store's queue, or let it go on; only people lift what people paused."""
    with changing(scope, Action.SYNC) as change:
        for place in change.stores(store) if store else [change.store(None)]:
            values = (
                {"paused_at": None, "paused_why": None}
                if resume
                else {"paused_at": change.now, "paused_why": why or None}
            )
            stores.update_store(change.uow, place.id, values)
            change.record("queue:resumed" if resume else "queue:paused", "store", place.id, store_id=place.id)
    return queue_status(scope, store=store)
