"""The flight recorder: per store a ring of the last reads and one of the last writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import aims_exchanges
from electis_cli.db.unit_of_work import UnitOfWork

RING = 200
"""How many reads, and beside them how many writes, are kept per store: listings must not push out what was written."""


def insert_exchange(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert an exchange; the oldest one beyond its ring goes."""
    uow.execute(aims_exchanges.insert(), {**values, "org_id": uow.tenant})
    table = aims_exchanges.c
    is_read = values["method"] == "GET"
    same_ring = [
        mine(uow, aims_exchanges),
        table.store.is_not_distinct_from(values["store"]),
        table.method == "GET" if is_read else table.method != "GET",
    ]
    last_kept = (
        sa.select(table.id)
        .where(*same_ring)
        .order_by(table.id.desc())
        .offset(RING)
        .limit(1)
        .scalar_subquery()
    )
    uow.execute(aims_exchanges.delete().where(*same_ring, table.id <= last_kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A write that AIMS accepted with a batch id; `subjects` are the articles it was about."""

    id: str
    batch_id: str
    at: datetime
    subjects: Sequence[str]


def batches_to_follow(
    uow: UnitOfWork, store_code: str, *, since: datetime, until: datetime, limit: int
) -> list[Batch]:
    """Return accepted batches of a time that nobody asked about since, oldest first."""
    table = aims_exchanges.c
    statement = (
        sa.select(table.id, table.batch_id, table.at, table.subjects)
        .where(
            mine(uow, aims_exchanges),
            table.store == store_code,
            table.batch_id.is_not(None),
            table.batch_result.is_(None),
            table.error_class.is_(None),
            table.at >= since,
            table.at <= until,
        )
        .order_by(table.id)
        .limit(limit)
    )
    return [
        Batch(id=row[0], batch_id=row[1], at=row[2], subjects=tuple(row[3])) for row in uow.execute(statement)
    ]


def set_batch_result(uow: UnitOfWork, exchange_id: str, result: str) -> None:
    """Write down what became of a batch."""
    uow.execute(
        aims_exchanges.update()
        .where(mine(uow, aims_exchanges), aims_exchanges.c.id == exchange_id)
        .values(batch_result=result)
    )


def list_exchanges(
    uow: UnitOfWork,
    store_codes: Sequence[str] | None,
    *,
    failed: bool = False,
    writes: bool = False,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return exchanges, newest first; None is all stores, and the calls about no store."""
    table = aims_exchanges.c
    statement = (
        sa.select(aims_exchanges).where(mine(uow, aims_exchanges)).order_by(table.id.desc()).limit(limit)
    )
    if store_codes is not None:
        statement = statement.where(table.store.in_(store_codes))
    if failed:
        statement = statement.where(table.error_class.is_not(None))
    if writes:
        statement = statement.where(table.method != "GET")
    return [dict(row) for row in uow.execute(statement).mappings()]


def find_exchange(uow: UnitOfWork, exchange_id: str) -> dict[str, Any] | None:
    """Return one exchange, or None."""
    table = aims_exchanges.c
    found = one_or_none(
        uow, sa.select(aims_exchanges).where(mine(uow, aims_exchanges), table.id == exchange_id)
    )
    return dict(found) if found else None
