"""Watching the queue: one look after the other, and what changed between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from electis_cli.db import commands
from electis_cli.domain.commands import state_at
from electis_cli.domain.queue import Status
from electis_cli.domain.watching import Difference, ItemKind, Key, Seen, differences
from electis_cli.services.change import Scope, reading
from electis_cli.services.queue import QueueStatus, queue_status
from electis_cli.services.queue_items import QueueItem, queue_items

STORE = "store"
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChange:
    """One change of an item, or of a store's queue as a whole; `before` is None for what is seen first."""

    at: datetime
    store: str
    kind: str
    id: str
    detail: str | None
    before: str | None
    status: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The queue at one moment, and what changed since the look before."""

    at: datetime
    stores: Sequence[QueueStatus]
    items: Sequence[QueueItem]
    changes: Sequence[QueueChange]

    @property
    def is_empty(self) -> bool:
        """True when nothing waits in any store whose queue is on."""
        return not any(status.waiting for status in self.stores if status.enabled)

    @property
    def has_failed(self) -> bool:
        """True when something was given up and nobody has dealt with it."""
        return any(status.failed or status.labels_failed for status in self.stores if status.enabled)


def watch_queue(
    scope: Callable[[], Scope],
    *,
    store: str | None = None,
    until_empty: bool = False,
    period: float = 1.0,
    wait: Callable[[float], None],
) -> Iterator[Look]:
    """Yield a look at the queue every `period` seconds; with `until_empty` the empty one is the last.

    `scope` is asked before each look who is looking: a login that was revoked sees no more. Raises StoreNotFound.
    """
    before: dict[Key, Seen] = {}
    details: dict[Key, str | None] = {}
    while True:
        actor = scope()
        stores, items = queue_status(actor, store=store), queue_items(actor, store=store)
        after = _seen(stores, items)
        at = actor.runtime.clock()
        # What has gone is told with what was known of it.
        details |= {Key(item.store, item.kind.value, item.id): item.detail for item in items}
        changes = [_change(actor, one, at, details.get(one.key)) for one in differences(before, after)]
        look = Look(at=at, stores=stores, items=items, changes=changes)
        yield look
        if until_empty and look.is_empty:
            return
        before, details = after, {key: details[key] for key in after if key in details}
        wait(period)


def _seen(stores: Sequence[QueueStatus], items: Sequence[QueueItem]) -> dict[Key, Seen]:
    seen = {
        Key(status.store, STORE, status.store): Seen(status=standing(status), error=None) for status in stores
    }
    for item in items:
        seen[Key(item.store, item.kind.value, item.id)] = Seen(status=item.status.value, error=item.error)
    return seen


def standing(status: QueueStatus) -> str:
    """Return in a word or two whether a store's queue moves, and why not."""
    if not status.enabled:
        return "disabled"
    if status.paused:
        return "paused"
    if status.breaker != "closed":
        reason = f" ({status.breaker_reason})" if status.breaker_reason else ""
        return f"breaker {status.breaker}{reason}"
    return "working"


def _change(scope: Scope, one: Difference, at: datetime, detail: str | None) -> QueueChange:
    after = one.after or _end_of(scope, one.key)
    return QueueChange(
        at=at,
        store=one.key.store,
        kind=one.key.kind,
        id=one.key.id,
        detail=detail,
        before=one.before.status if one.before else None,
        status=after.status,
        error=after.error,
    )


def _end_of(scope: Scope, key: Key) -> Seen:
    """Return how something stands that left the queue."""
    if key.kind == STORE:
        return Seen(status=GONE)
    if key.kind != ItemKind.COMMAND:
        return Seen(status=Status.SYNCED.value)
    with reading(scope) as read:
        command = commands.find_command(read.uow, key.id)
        if command is None:
            return Seen(status=GONE)
        return Seen(status=state_at(command, read.uow.now()).value, error=command.error_text)
