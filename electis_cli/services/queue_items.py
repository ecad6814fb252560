"""What is in the queue, item by item: articles, label wishes and one-shot commands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from electis_cli.db import commands, labels, ledger
from electis_cli.db.stores import Store
from electis_cli.domain.commands import Command, CommandState, state_at
from electis_cli.domain.queue import (
    LabelWish,
    LedgerRow,
    State,
    Status,
    status_of_row,
    status_of_wish,
)
from electis_cli.domain.watching import ItemKind
from electis_cli.services.change import Reading, Scope, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One article or label wish that is not synced, or a command that waits; versions are None for a command."""

    kind: ItemKind
    id: str
    store: str
    status: Status | CommandState
    detail: str | None
    desired_version: int | None
    synced_version: int | None
    attempts: int
    next_attempt_at: datetime | None
    error_class: str | None
    error: str | None


def queue_items(
    scope: Scope,
    *,
    store: str | None = None,
    kinds: Collection[ItemKind] = (),
    statuses: Collection[str] = (),
    error: str | None = None,
    limit: int | None = None,
) -> list[QueueItem]:
    """Return what is not synced, in the order it is pushed: articles, then label wishes, then commands.

    `kinds` and `statuses` narrow it down; `error` is an error's code, or a piece of its text. Raises StoreNotFound.
    """
    with reading(scope) as read:
        found = [item for place in read.stores(store) for item in _items(read, place, kinds)]
    wanted = [
        item
        for item in found
        if (not statuses or item.status in statuses) and (error is None or _has_error(item, error))
    ]
    return wanted[:limit]


def _has_error(item: QueueItem, text: str) -> bool:
    is_code = (item.error_class or "").casefold() == text.casefold()
    return is_code or text.casefold() in (item.error or "").casefold()


def _items(read: Reading, place: Store, kinds: Collection[ItemKind]) -> list[QueueItem]:
    found: list[QueueItem] = []
    if not kinds or ItemKind.ARTICLE in kinds:
        found += [article_item(row, place) for row in ledger.unsettled_rows(read.uow, place.id)]
    if not kinds or ItemKind.LABEL in kinds:
        found += [
            label_item(wish, place)
            for wish in labels.list_wishes(read.uow, [place.id])
            if wish.is_dirty or wish.state is not State.ACTIVE
        ]
    if not kinds or ItemKind.COMMAND in kinds:
        now = read.uow.now()
        found += [
            command_item(command, place)
            for command in commands.open_commands(read.uow, [place.id])
            if state_at(command, now) is not CommandState.EXPIRED
        ]
    return found


def article_item(row: LedgerRow, place: Store) -> QueueItem:
    """Return the item of an article."""
    return QueueItem(
        kind=ItemKind.ARTICLE,
        id=row.article_id,
        store=place.code,
        status=status_of_row(row),
        detail="deletion" if row.desired_deleted else None,
        desired_version=row.desired_version,
        synced_version=row.synced_version,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        error_class=row.error_class,
        error=row.error_text,
    )


def label_item(wish: LabelWish, place: Store) -> QueueItem:
    """Return the item of a label wish."""
    return QueueItem(
        kind=ItemKind.LABEL,
        id=wish.label_code,
        store=place.code,
        status=status_of_wish(wish),
        detail=_wished(wish),
        desired_version=wish.version,
        synced_version=wish.synced_version,
        attempts=wish.attempts,
        next_attempt_at=wish.next_attempt_at,
        error_class=wish.error_class,
        error=wish.error_text,
    )


def _wished(wish: LabelWish) -> str:
    if wish.desired_article is None:
        return "unlink"
    return (
        f"link {wish.desired_article}"
        if not wish.desired_page
        else (f"link {wish.desired_article}, page {wish.desired_page}")
    )


def command_item(command: Command, place: Store) -> QueueItem:
    """Return the item of a command."""
    return QueueItem(
        kind=ItemKind.COMMAND,
        id=command.id,
        store=place.code,
        status=command.state,
        detail=str(command),
        desired_version=None,
        synced_version=None,
        attempts=command.attempts,
        next_attempt_at=command.next_attempt_at,
        error_class=command.error_class,
        error=command.error_text,
    )
