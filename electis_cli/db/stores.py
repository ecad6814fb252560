"""Stores of one organization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import conference_rooms, people, spaces, stores
from electis_cli.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An AIMS store; its code is text, leading zeros matter."""

    org_id: str
    id: str
    code: str
    name: str
    timezone: str
    sync_enabled: bool
    full_sync_minutes: int
    last_sync_at: datetime | None
    next_sync_at: datetime | None
    paused_at: datetime | None
    paused_why: str | None
    listed_at: datetime | None
    last_write_at: datetime | None
    backoff_until: datetime | None
    backoff_count: int
    created_at: datetime


def _store(row: Mapping[str, Any]) -> Store:
    return Store(**{name: row[name] for name in Store.__dataclass_fields__})


def list_stores(uow: UnitOfWork) -> list[Store]:
    """Return the organization's stores by code."""
    rows = uow.execute(sa.select(stores).where(mine(uow, stores)).order_by(stores.c.code)).mappings()
    return [_store(row) for row in rows]


def find_store(uow: UnitOfWork, *, code: str | None = None, store_id: str | None = None) -> Store | None:
    """Return the store with this code or id, or None."""
    statement = sa.select(stores).where(mine(uow, stores))
    if code is not None:
        statement = statement.where(stores.c.code == code)
    if store_id is not None:
        statement = statement.where(stores.c.id == store_id)
    row = one_or_none(uow, statement)
    return _store(row) if row else None


def insert_store(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert a store of this organization."""
    uow.execute(stores.insert(), {**values, "org_id": uow.tenant})


def update_store(uow: UnitOfWork, store_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a store."""
    uow.execute(stores.update().where(mine(uow, stores), stores.c.id == store_id).values(**values))


def count_facts(uow: UnitOfWork, store_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many spaces, people and conference rooms each store holds."""
    counts: dict[str, dict[str, int]] = {store_id: {} for store_id in store_ids}
    for name, table in (("spaces", spaces), ("people", people), ("conference_rooms", conference_rooms)):
        statement = (
            sa.select(table.c.store_id, sa.func.count()).where(mine(uow, table)).group_by(table.c.store_id)
        )
        for store_id, count in uow.execute(statement):
            if store_id in counts:
                counts[store_id][name] = count
    return counts
