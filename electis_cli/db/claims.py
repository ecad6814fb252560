"""What a push asks of the ledger: what is due, and what it claims and is about to send."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from electis_cli.db import leases
from electis_cli.db.due import DIRTY, is_due
from electis_cli.db.fixed import fixed
from electis_cli.db.ledger import ROWS, SEQUENCE, row_of, update_rows
from electis_cli.db.rows import among, among_named, listed_value, mine
from electis_cli.db.tables import articles
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import Content
from electis_cli.domain.queue import LedgerRow, State

_LEAST_LOOKED_AT = 500
"""So that a trial of one is not one in doubt when there are others."""


# Put together once: a push asks these for every batch, and one of a single edit for little else.
@functools.cache
def _due_query(*, is_claim: bool, is_sqlite: bool) -> sa.Select[Any]:
    table = articles.c
    now = sa.bindparam("moment", type_=UtcDateTime())
    in_flight = sa.case((table.inflight_version.is_not(None), table.last_tried_at)).label("tried_at")
    # Both mean the same, as the one is never below the other. The second keeps databases without statistics from
    # going through the index of all dirty articles once a batch, where a batch is found by its ids.
    is_dirty = table.desired_version != table.synced_version if is_claim else DIRTY
    statement = (ROWS if is_claim else sa.select(table.article_id, in_flight, table.doubts)).where(
        table.org_id == sa.bindparam("org"),
        table.store_id == sa.bindparam("store"),
        is_due(now, is_dirty=is_dirty),
        table.desired_deleted == sa.bindparam("gone"),
    )
    if not is_claim:
        # In the order of its index, so that of a million dirty articles only those asked for are looked at.
        return statement.order_by(table.desired_seq).limit(sa.bindparam("most"))
    statement = statement.order_by(table.doubts, table.desired_seq)
    listed = among_named(table.article_id, "ids", is_sqlite=is_sqlite)
    return statement.where(listed).with_for_update(skip_locked=True)


def due_ids(
    uow: UnitOfWork, store_id: str, now: datetime, *, limit: int, tombstones: bool
) -> list[tuple[str, datetime | None]]:
    """Return the articles to push now, as they were changed, and when each was sent without an answer yet.

    Those in doubt come last of what was looked at: one that never gets an answer must not keep a store waiting.
    """
    statement = _due_query(is_claim=False, is_sqlite=uow.is_sqlite)
    values = _due_values(uow, store_id, now, limit=limit, tombstones=tombstones)
    return _surest_first(uow.execute(statement, values).all(), limit)


def _due_values(
    uow: UnitOfWork, store_id: str, now: datetime, *, limit: int, tombstones: bool
) -> dict[str, Any]:
    most = max(limit, _LEAST_LOOKED_AT)
    return {"org": uow.tenant, "store": store_id, "moment": now, "gone": tombstones, "most": most}


def _surest_first(found: Iterable[Sequence[Any]], limit: int) -> list[tuple[str, datetime | None]]:
    return [(row[0], row[1]) for row in sorted(found, key=operator.itemgetter(2))[:limit]]


def take_lease_and_look(
    uow: UnitOfWork, store_id: str, lease: Mapping[str, Any], now: datetime, *, limit: int
) -> tuple[int | None, list[tuple[str, datetime | None]]]:
    """Take a push's lease, and return its epoch with the articles to push (see `due_ids`); no epoch: it is not free.

    `lease` are the values of the lease. On a server that is one statement: a push of a single edit asks little else.
    """
    if uow.is_sqlite:
        epoch = uow.execute(leases.taking_lease(is_sqlite=True), lease).scalar_one_or_none()
        found = due_ids(uow, store_id, now, limit=limit, tombstones=False) if epoch is not None else []
        return epoch, found
    values = _due_values(uow, store_id, now, limit=limit, tombstones=False)
    rows = uow.execute(_taking_and_looking(), {**lease, **values}).all()
    epoch = rows[0][0] if rows else None
    return epoch, _surest_first((row[1:] for row in rows if row[1] is not None), limit)


@functools.cache
def _taking_and_looking() -> Any:
    return fixed(_taking_and_looking_query)


def _taking_and_looking_query() -> sa.Select[Any]:
    # One row with the epoch alone when nothing is due, and none when somebody else holds the lease.
    taken = leases.taking_lease(is_sqlite=False).cte("taken")
    ahead = _due_query(is_claim=False, is_sqlite=False).add_columns(articles.c.desired_seq).lateral("ahead")
    columns = ahead.c
    return (
        sa.select(taken.c.epoch, columns.article_id, columns.tried_at, columns.doubts)
        .select_from(taken.outerjoin(ahead, sa.true()))
        .order_by(columns.desired_seq)
    )


def due_rows(
    uow: UnitOfWork, store_id: str, now: datetime, *, tombstones: bool, ids: Iterable[str]
) -> list[LedgerRow]:
    """Claim (lock) those of some articles that are still due, in the order in which they were changed.

    Either tombstones, or all others.
    """
    statement = _due_query(is_claim=True, is_sqlite=uow.is_sqlite)
    values = {"org": uow.tenant, "store": store_id, "moment": now, "gone": tombstones}
    found = uow.execute(statement, {**values, "ids": listed_value(uow, ids)}).all()
    return [row_of(row) for row in found]


def count_due(uow: UnitOfWork, store_id: str, now: datetime) -> int:
    """Return how many rows could be pushed right now."""
    statement = sa.select(sa.func.count()).where(
        mine(uow, articles), articles.c.store_id == store_id, is_due(now)
    )
    count: int = uow.execute(statement).scalar_one()
    return count


def next_due_at(uow: UnitOfWork, store_id: str) -> datetime | None:
    """Return when the next row that backs off is due, or None when none does."""
    statement = sa.select(sa.func.min(articles.c.next_attempt_at)).where(
        mine(uow, articles),
        articles.c.store_id == store_id,
        articles.c.state == State.ACTIVE.value,
        DIRTY,
    )
    moment: datetime | None = uow.execute(statement).scalar_one_or_none()
    return moment


class Intent(TypedDict):
    """What is about to be sent of one article; written down before the call."""

    article_id: str
    version: int
    hash: str
    content: Content | None
    known: str


def note_intents(
    uow: UnitOfWork, store_id: str, intents: Sequence[Intent], *, epoch: int, now: datetime
) -> int:
    """Write down what is about to be sent, and return the number this takes."""
    if uow.is_sqlite or not intents:
        number = uow.take_numbers(SEQUENCE, 1)
        same = {"touched_seq": number, "inflight_epoch": epoch, "last_tried_at": now}
        update_rows(
            uow,
            store_id,
            [
                {
                    **same,
                    "article_id": intent["article_id"],
                    "inflight_version": intent["version"],
                    "inflight_hash": intent["hash"],
                    "inflight_content": intent["content"],
                    "known": intent["known"],
                }
                for intent in intents
            ],
        )
        return number
    values = {"org": uow.tenant, "store": store_id, "epoch": epoch, "moment": now}
    row = uow.execute(_noting(), {**values, "intents": orjson.dumps(intents).decode()}).one()
    number_taken: int = row[0]
    return number_taken


# Put together once; the intents travel as one document, of which PostgreSQL makes a table.
@functools.cache
def _noting() -> Any:
    return fixed(_noting_query)


def _noting_query() -> sa.Select[Any]:
    document = sa.cast(sa.bindparam("intents", type_=sa.Text()), postgresql.JSONB)
    types: dict[str, Any] = {
        "article_id": sa.Text(), "version": sa.BigInteger(), "hash": sa.Text(), "content": postgresql.JSONB(),
        "known": sa.Text(),
    }  # fmt: skip
    columns: list[Any] = [sa.column(name, type_) for name, type_ in types.items()]
    listed = sa.func.jsonb_to_recordset(document).table_valued(*columns, name="listed")
    listed = listed.render_derived(with_types=True)
    # The store stands in a table that is made first: told as a constant, a database without statistics takes it for a
    # store of one article, and reads all of it for every batch.
    place = (sa.bindparam(name, type_=sa.Text()).label(name) for name in ("org", "store"))
    intent = sa.select(*place, *listed.c).cte("intent").prefix_with("MATERIALIZED")
    taken = sa.select(sa.func.nextval(SEQUENCE).label("number")).cte("taken")
    written = (
        articles.update()
        .where(
            articles.c.org_id == intent.c.org,
            articles.c.store_id == intent.c.store,
            articles.c.article_id == intent.c.article_id,
        )
        .values(
            touched_seq=sa.select(taken.c.number).scalar_subquery(),
            inflight_version=intent.c.version,
            inflight_hash=intent.c.hash,
            inflight_content=intent.c.content,
            inflight_epoch=sa.bindparam("epoch"),
            last_tried_at=sa.bindparam("moment", type_=UtcDateTime()),
            known=intent.c.known,
        )
        .returning(articles.c.article_id)
        .cte("written")
    )
    count = sa.select(sa.func.count()).select_from(written).scalar_subquery()
    return sa.select(taken.c.number, count)


def withdraw_intents(uow: UnitOfWork, store_id: str, article_ids: Iterable[str], *, epoch: int) -> None:
    """Take back what was about to be sent in an epoch of the lease, and was not."""
    uow.execute(
        articles.update()
        .where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            among(uow, articles.c.article_id, article_ids),
            articles.c.inflight_epoch == epoch,
        )
        .values(inflight_version=None, inflight_hash=None, inflight_content=sa.null(), inflight_epoch=None)
    )


def wake_rows(uow: UnitOfWork, store_id: str) -> None:
    """Make every waiting row due at once: AIMS is back."""
    uow.execute(
        articles.update()
        .where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            articles.c.state == State.ACTIVE.value,
            articles.c.next_attempt_at.is_not(None),
            articles.c.odd_since.is_(None),
        )
        .values(next_attempt_at=None)
    )
