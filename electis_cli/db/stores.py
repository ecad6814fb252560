"""Stores of one organization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import (
    alerts,
    articles,
    changeset_rows,
    changesets,
    commands,
    conference_rooms,
    dead_letters,
    known_hashes,
    label_links,
    leases,
    people,
    snapshots,
    spaces,
    stores,
    sync_conflicts,
    sync_runs,
)
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import ABSENT


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
    bound_to: str | None
    restored_at: datetime | None
    created_at: datetime


def store_of(row: sa.RowMapping, prefix: str = "") -> Store:
    """Return the store in a row that has all its columns under their names with a prefix, maybe among others."""
    return Store(**{name: row[prefix + name] for name in Store.__dataclass_fields__})


def list_stores(uow: UnitOfWork) -> list[Store]:
    """Return the organization's stores by code."""
    rows = uow.execute(sa.select(stores).where(mine(uow, stores)).order_by(stores.c.code)).mappings()
    return [store_of(row) for row in rows]


def find_store(
    uow: UnitOfWork, *, code: str | None = None, store_id: str | None = None, lock: bool = False
) -> Store | None:
    """Return the store with this code or id, or None."""
    statement = sa.select(stores).where(mine(uow, stores))
    if code is not None:
        statement = statement.where(stores.c.code == code)
    if store_id is not None:
        statement = statement.where(stores.c.id == store_id)
    row = one_or_none(uow, statement.with_for_update() if lock else statement)
    return store_of(row) if row else None


def insert_store(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert a store of this organization."""
    uow.execute(stores.insert(), {**values, "org_id": uow.tenant})


def update_store(uow: UnitOfWork, store_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a store."""
    uow.execute(stores.update().where(mine(uow, stores), stores.c.id == store_id).values(**values))


def mark_restored(uow: UnitOfWork, now: datetime, paused_why: str) -> None:
    """Note of every store that the database was set back, and pause it; a person's own pause keeps its reason."""
    mine_all = stores.update().where(mine(uow, stores))
    uow.execute(mine_all.values(restored_at=now))
    uow.execute(mine_all.where(stores.c.paused_at.is_(None)).values(paused_at=now, paused_why=paused_why))


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


def count_at_aims(uow: UnitOfWork, store_id: str) -> tuple[int, int]:
    """Return how many articles of a store AIMS holds as far as we know, and how many calls are in flight."""
    is_held = sa.and_(articles.c.base_hash.is_not(None), articles.c.base_hash != ABSENT)
    is_flying = articles.c.inflight_version.is_not(None)
    statement = sa.select(
        sa.func.count().filter(is_held).label("held"), sa.func.count().filter(is_flying).label("flying")
    ).where(mine(uow, articles), articles.c.store_id == store_id)
    row = uow.execute(statement).mappings().one()
    labels: int = uow.execute(
        sa.select(sa.func.count()).where(
            mine(uow, label_links),
            label_links.c.store_id == store_id,
            label_links.c.inflight_version.is_not(None),
        )
    ).scalar_one()
    return row["held"], row["flying"] + labels


def delete_store(uow: UnitOfWork, store_id: str, now: datetime) -> None:
    """Delete a store and every row of it; its alerts are closed and kept, as other stores may share them."""
    uow.execute(
        alerts.update()
        .where(mine(uow, alerts), alerts.c.store_id == store_id)
        .values(
            store_id=None,
            closed_at=sa.func.coalesce(alerts.c.closed_at, sa.literal(now, alerts.c.closed_at.type)),
        )
    )
    changes = sa.select(changesets.c.id).where(mine(uow, changesets), changesets.c.store_id == store_id)
    uow.execute(
        changeset_rows.delete().where(mine(uow, changeset_rows), changeset_rows.c.changeset_id.in_(changes))
    )
    for table in (
        people, spaces, conference_rooms, label_links, dead_letters, articles, known_hashes, sync_runs, sync_conflicts,
        commands, changesets, snapshots,
    ):  # fmt: skip
        uow.execute(table.delete().where(mine(uow, table), table.c.store_id == store_id))
    uow.execute(leases.delete().where(leases.c.resource.in_([f"push:{store_id}", f"sync:{store_id}"])))
    uow.execute(stores.delete().where(mine(uow, stores), stores.c.id == store_id))
