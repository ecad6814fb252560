"""The queue as people see and steer it: its counts, pausing it, and pushing once more what is stuck."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from electis_cli.db import accounts, alerts, commands, label_queue, labels, leases, ledger, stores
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.errors import NotFound
from electis_cli.domain.queue import State
from electis_cli.services.change import Change, Scope, changing, reading


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
    commands: int
    dead_letters: int
    paused: bool
    enabled: bool
    breaker: str
    breaker_reason: str | None
    next_attempt_at: datetime | None
    worker: str | None

    @property
    def waiting(self) -> int:
        """How many articles, label wishes and commands wait to be pushed, or are on their way."""
        return self.pending + self.syncing + self.labels_pending + self.commands

    @property
    def is_empty(self) -> bool:
        """True when nothing waits to be pushed."""
        return self.waiting == 0


def queue_status(scope: Scope, *, store: str | None = None) -> list[QueueStatus]:
    """Return the queue's counts, store by store."""
    with reading(scope) as read:
        places = read.stores(store)
        ids = [place.id for place in places]
        counts = ledger.count_by_status(read.uow, ids)
        wishes = label_queue.count_wishes(read.uow, ids)
        letters = alerts.list_dead_letters(read.uow, ids)
        orders = commands.count_open(read.uow, ids, read.uow.now())
        account = accounts.find_account(read.uow)
        found = []
        for place in places:
            holder = leases.current_holder(read.uow, leases.push_resource(place.id))
            mine = wishes[place.id]
            found.append(
                QueueStatus(
                    store=place.code,
                    **{name: counts[place.id].get(name, 0) for name in _ARTICLE_STATUSES},
                    labels_pending=sum(1 for wish in mine if wish.state is State.ACTIVE and wish.is_dirty),
                    labels_failed=sum(1 for wish in mine if wish.state is State.FAILED),
                    commands=orders[place.id],
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


def retry(
    scope: Scope, subjects: Sequence[str] | None, *, store: str | None = None, dry_run: bool = False
) -> int:
    """Make failed, held or conflicting articles and wishes due again (None: all) and return how many.

    What is pushed is today's truth, not what failed. Raises NotFound when one of the ids does not wait for that; then
    nothing is changed.
    """
    with changing(scope, Action.SYNC, dry_run=dry_run) as change:
        done: list[str] = []
        for place in change.stores(store):
            done += retry_articles(change, place, subjects)
            done += retry_wishes(change, place, subjects)
        missing = sorted(set(subjects or ()) - set(done))
        if missing:
            raise NotFound(
                f"Nothing of that name has failed: {', '.join(missing)}.", fix="electis queue list"
            )
        return len(done)


def retry_articles(change: Change, place: Store, subjects: Iterable[str] | None) -> list[str]:
    """Make stuck articles of a store due again (None: all) and return which; their dead letters end."""
    wanted = None if subjects is None else set(subjects)
    stuck = {
        row.article_id: row.desired_deleted
        for row in ledger.all_rows(change.uow, place.id).values()
        if row.state is not State.ACTIVE and (wanted is None or row.article_id in wanted)
    }
    alerts.end_dead_letters(change.uow, place.id, "article", stuck, how="retry", now=change.now)
    ledger.bump(change.uow, place.id, stuck, change.now)
    for article_id in stuck:
        change.record("queue:retried", "article", article_id, store_id=place.id)
    return list(stuck)


def retry_wishes(change: Change, place: Store, subjects: Iterable[str] | None) -> list[str]:
    """Make stuck label wishes of a store due again (None: all) and return which; their dead letters end."""
    wanted = None if subjects is None else set(subjects)
    stuck = [
        wish.label_code
        for wish in labels.list_wishes(change.uow, [place.id])
        if wish.state is not State.ACTIVE and (wanted is None or wish.label_code in wanted)
    ]
    alerts.end_dead_letters(change.uow, place.id, "label", stuck, how="retry", now=change.now)
    for code in stuck:
        values = {"state": State.ACTIVE.value, "attempts": 0, "doubts": 0, "next_attempt_at": None}
        values |= {"page_check_at": None, "page_rounds": 0}
        labels.update_wish(change.uow, code, {**values, "error_class": None, "error_text": None})
        change.record("queue:retried", "label", code, store_id=place.id)
    return stuck


def pause(
    scope: Scope, *, store: str | None = None, why: str = "", resume: bool = False, dry_run: bool = False
) -> list[QueueStatus]:
    """Pause a store's queue, or let it go on; only people lift what people paused."""
    steered = set()
    with changing(scope, Action.SYNC, dry_run=dry_run) as change:
        for place in change.stores(store) if store else [change.store(None)]:
            values = (
                {"paused_at": None, "paused_why": None}
                if resume
                else {"paused_at": change.now, "paused_why": why or None}
            )
            stores.update_store(change.uow, place.id, values)
            change.record("queue:resumed" if resume else "queue:paused", "store", place.id, store_id=place.id)
            steered.add(place.code)
    found = queue_status(scope, store=store)
    if not dry_run:
        return found
    return [replace(one, paused=not resume) if one.store in steered else one for one in found]
