"""The flight recorder: every call to AIMS is written down, and can be looked up afterwards."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from electis_cli.adapters.sealing import Sealer
from electis_cli.aims.recorder import Exchange, Recorder, digest_of, kept_body, kept_query
from electis_cli.db import exchanges
from electis_cli.db.engine import Database
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.errors import ElectisError, NotFound
from electis_cli.domain.redaction import own_word
from electis_cli.services.change import Reading, Scope, reading
from electis_cli.services.secrets import open_answer, seal_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeView:
    """One call to AIMS as it is remembered: what was asked and answered, never the contents."""

    id: str
    at: datetime
    store: str | None
    method: str
    path: str
    query: Mapping[str, Any]
    subjects: Sequence[str]
    status: int | None
    answer: str
    batch_id: str | None
    milliseconds: int
    error_class: str | None
    request_digest: str | None
    answer_digest: str | None
    answer_body: str | None


def make_recorder(database: Database, sealer: Sealer, org_id: str, new_id: Callable[[], str]) -> Recorder:
    """Return a recorder that keeps an organization's exchanges; it never fails the call it records."""

    def record(exchange: Exchange) -> None:
        if not is_kept(exchange):
            return
        with contextlib.suppress(ElectisError), database.write(org_id) as uow:
            keep_exchange(uow, exchange, sealer, new_id)
            uow.commit()

    return record


def is_kept(exchange: Exchange) -> bool:
    """Tell whether an exchange is written down: of a listing that goes well only the first page is."""
    return exchange.is_failure or not exchange.is_later_page


def keep_exchange(uow: UnitOfWork, exchange: Exchange, sealer: Sealer, new_id: Callable[[], str]) -> None:
    """Write an exchange down, if it is to be kept, in a transaction that has more to say about it."""
    if not is_kept(exchange):
        return
    exchange_id = new_id()
    body = kept_body(exchange.answer_body) if exchange.is_failure else None
    exchanges.insert_exchange(
        uow,
        {
            "id": exchange_id,
            "store": exchange.store,
            "at": exchange.at,
            "method": exchange.method,
            "path": exchange.path,
            "query": kept_query(exchange.path, exchange.query),
            "subjects": list(exchange.subjects),
            "status": exchange.status,
            "answer_code": exchange.answer_code if _CODE.fullmatch(exchange.answer_code) else "",
            "answer_word": own_word(exchange.answer_word),
            "batch_id": exchange.batch_id,
            "milliseconds": exchange.milliseconds,
            "request_digest": digest_of(exchange.request_body),
            "answer_digest": digest_of(exchange.answer_body),
            # An error answer may quote what was sent, and that holds names.
            "answer_body": seal_answer(sealer, exchange_id, body) if body else None,
            "error_class": exchange.error,
        },
    )


_CODE = re.compile(r"\d{1,5}|SUCCESS|OK|FAIL|FAILED|FAILURE|ERROR")


def last_exchanges(
    scope: Scope,
    *,
    store: str | None = None,
    failed: bool = False,
    writes: bool = False,
    limit: int | None = None,
) -> list[ExchangeView]:
    """Return the last calls to AIMS, newest first, with the bodies of error answers.

    Who may see one store only sees the calls about that store. Raises StoreNotFound.
    """
    with reading(scope) as read:
        codes = _visible_codes(read, store)
        rows = exchanges.list_exchanges(read.uow, codes, failed=failed, writes=writes, limit=limit)
    return [view_exchange(row, scope.runtime.sealer) for row in rows]


def show_exchange(scope: Scope, exchange_id: str) -> ExchangeView:
    """Return one call to AIMS. Raises NotFound."""
    with reading(scope) as read:
        row = exchanges.find_exchange(read.uow, exchange_id)
        codes = _visible_codes(read, None)
    if row is None or (codes is not None and row["store"] not in codes):
        raise NotFound(
            f"There is no call {exchange_id} in the flight recorder.",
            why=f"It keeps the last {exchanges.RING} reads and as many writes of every store.",
            fix="electis aims last",
        )
    return view_exchange(row, scope.runtime.sealer)


def _visible_codes(read: Reading, store: str | None) -> list[str] | None:
    """Return the stores whose calls are meant; None is all, and the calls about no store."""
    if store is None and read.scope.actor.store_id is None:
        return None
    return [place.code for place in read.stores(store)]


def last_write_of(reading: Reading, store_code: str, subject: str) -> ExchangeView | None:
    """Return the last write to a store that was about this article id or label code, or None when none is kept."""
    rows = exchanges.list_exchanges(reading.uow, [store_code], writes=True)
    found = next((row for row in rows if subject in row["subjects"]), None)
    return view_exchange(found, reading.scope.runtime.sealer) if found else None


def view_exchange(row: Mapping[str, Any], sealer: Sealer) -> ExchangeView:
    """Return the view of a remembered exchange."""
    words = " ".join(word for word in (row["answer_code"], row["answer_word"]) if word)
    return ExchangeView(
        id=row["id"],
        at=row["at"],
        store=row["store"],
        method=row["method"],
        path=row["path"],
        query=row["query"],
        subjects=row["subjects"],
        status=row["status"],
        answer=words,
        batch_id=row["batch_id"],
        milliseconds=row["milliseconds"],
        error_class=row["error_class"],
        request_digest=row["request_digest"],
        answer_digest=row["answer_digest"],
        answer_body=open_answer(sealer, row["id"], row["answer_body"]) if row["answer_body"] else None,
    )
