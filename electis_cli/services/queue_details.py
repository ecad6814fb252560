"""One item of the queue with everything that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from electis_cli.db import alerts, commands, exchanges, intents, labels, ledger
from electis_cli.db.stores import Store
from electis_cli.domain.commands import Command, CommandKind, CommandState, state_at
from electis_cli.domain.errors import NotFound, UsageProblem
from electis_cli.domain.queue import KNOWN_FOR, LabelWish, LedgerRow, Status, known_hashes
from electis_cli.domain.watching import ItemKind
from electis_cli.services.change import Reading, Scope, reading
from electis_cli.services.dead_letters import label_code_or_same
from electis_cli.services.queue_items import QueueItem, article_item, command_item, label_item
from electis_cli.services.recording import last_write_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """Everything the queue knows of one item; `facts` are those that only its kind has."""

    kind: ItemKind
    id: str
    store: str
    status: Status | CommandState
    detail: str | None
    desired_version: int | None
    synced_version: int | None
    in_flight: bool
    attempts: int
    doubts: int | None
    last_tried_at: datetime | None
    next_attempt_at: datetime | None
    error_class: str | None
    error: str | None
    known_contents: int | None
    dead_letter: Mapping[str, Any] | None
    last_exchange: str | None
    facts: Mapping[str, Any]


def show_item(
    scope: Scope, identifier: str, *, kind: ItemKind | None = None, store: str | None = None
) -> ItemView:
    """Return everything about one item: an article's id, a label's code or a command's id, synced or ended ones too.

    Raises NotFound, and UsageProblem when several things have this name.
    """
    with reading(scope) as read:
        found = [
            view
            for place in read.stores(store)
            for one, look in _LOOKS.items()
            if kind in {None, one} and (view := look(read, place, identifier)) is not None
        ]
    if not found:
        raise NotFound(
            f"The queue knows nothing of {identifier}.",
            why="It takes an article's id (a room's is C3), a label's code or a command's id.",
            fix="electis queue list",
        )
    if len(found) > 1:
        places = ", ".join(f"{view.kind.value} in store {view.store}" for view in found)
        raise UsageProblem(
            f"Several things are called {identifier}: {places}.", fix="add --store CODE or --kind KIND"
        )
    return found[0]


def _show_article(read: Reading, place: Store, identifier: str) -> ItemView | None:
    row = ledger.rows_by_id(read.uow, place.id, [identifier]).get(identifier)
    if row is None:
        return None
    facts = {
        "deleted": row.desired_deleted,
        "agreed": row.has_base,
        "inflight_version": row.inflight_version,
        "acked_at": row.acked_at,
        "verify_after": row.verify_after,
        "last_seen_remote_at": row.last_seen_remote_at,
        "unknown_since": row.odd_since,
    }
    return _view(read, place, article_item(row, place), row, facts)


def _show_label(read: Reading, place: Store, identifier: str) -> ItemView | None:
    wish = labels.find_wish(read.uow, label_code_or_same(identifier))
    if wish is None or wish.store_id != place.id:
        return None
    facts = {
        "article": wish.desired_article,
        "page": wish.desired_page,
        "acked_article": wish.acked_article,
        "acked_page": wish.acked_page,
        "inflight_version": wish.inflight_version,
        "origin": wish.origin,
        "acked_at": wish.acked_at,
        "display": wish.display,
    }
    return _view(read, place, label_item(wish, place), wish, facts)


def _view(
    read: Reading, place: Store, item: QueueItem, row: LedgerRow | LabelWish, facts: Mapping[str, Any]
) -> ItemView:
    uow, now = read.uow, read.scope.runtime.clock()
    if isinstance(row, LedgerRow):
        known = len(known_hashes(row, now))
    else:
        # Of a label the pages and the links that were ever asked for are known.
        asked = [
            intents.intents_by_label(uow, place.id, [item.id], now - KNOWN_FOR, kind=kind)
            for kind in ("link", "page")
        ]
        known = sum(len(one.get(item.id, ())) for one in asked)
    last = last_write_of(read, place.code, item.id)
    return ItemView(
        kind=item.kind,
        id=item.id,
        store=place.code,
        status=item.status,
        detail=item.detail,
        desired_version=item.desired_version,
        synced_version=item.synced_version,
        in_flight=row.inflight_version is not None,
        attempts=item.attempts,
        doubts=row.doubts,
        last_tried_at=row.last_tried_at,
        next_attempt_at=item.next_attempt_at,
        error_class=item.error_class,
        error=item.error,
        known_contents=known,
        dead_letter=_dead_letter(read, place, item),
        last_exchange=last.id if last else None,
        facts=facts,
    )


def _dead_letter(read: Reading, place: Store, item: QueueItem) -> dict[str, Any] | None:
    letters = alerts.list_dead_letters(read.uow, [place.id])
    names = ("id", "at", "cause", "attempts", "error_class", "error_text", "alert_id")
    return next(
        (
            {name: letter[name] for name in names}
            for letter in letters
            if (letter["kind"], letter["subject"]) == (item.kind.value, item.id)
        ),
        None,
    )


def _exchange_of(read: Reading, place: Store, command: Command) -> str | None:
    """Return the id of the call that carried a command last, or None when there was none, or it is kept no more."""
    if command.last_tried_at is None:
        return None
    end = "/labels/led" if command.kind is CommandKind.BLINK else "/labels/resend/timeout"
    rows = exchanges.list_exchanges(read.uow, [place.code], writes=True)
    carried = [
        str(row["id"])
        for row in rows
        if end in row["path"]
        and row["at"] >= command.last_tried_at
        and set(row["subjects"]) == set(command.labels)
    ]
    # The first one since the last try: later ones of the same kind were another command's.
    return carried[-1] if carried else None


def _show_command(read: Reading, place: Store, identifier: str) -> ItemView | None:
    command = commands.find_command(read.uow, identifier)
    if command is None or command.store_id != place.id:
        return None
    item = command_item(command, place)
    return ItemView(
        kind=item.kind,
        id=item.id,
        store=place.code,
        status=state_at(command, read.uow.now()),
        detail=item.detail,
        desired_version=None,
        synced_version=None,
        in_flight=command.state is CommandState.SYNCING,
        attempts=item.attempts,
        doubts=None,
        last_tried_at=command.last_tried_at,
        next_attempt_at=item.next_attempt_at,
        error_class=item.error_class,
        error=item.error,
        known_contents=None,
        dead_letter=None,
        last_exchange=_exchange_of(read, place, command),
        facts={
            "command": command.kind,
            **command.payload,
            "created_by": command.created_by,
            "created_at": command.created_at,
            "expires_at": command.expires_at,
            "ended_at": command.ended_at,
            "answer": command.answer,
        },
    )


_Look = Callable[[Reading, Store, str], ItemView | None]
_LOOKS: dict[ItemKind, _Look] = {
    ItemKind.COMMAND: _show_command,
    ItemKind.ARTICLE: _show_article,
    ItemKind.LABEL: _show_label,
}
