"""Spaces of one organization."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import among, columns_of, data_by, mine
from electis_cli.db.tables import spaces
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.spaces import Space

_COLUMNS = columns_of(spaces, Space)
_NAMES = tuple(column.name for column in _COLUMNS)
_ROWS = sa.select(*_COLUMNS)


def _space(row: Sequence[Any]) -> Space:
    return Space(**dict(zip(_NAMES, row, strict=True)))


def find_space(uow: UnitOfWork, store_id: str, external_id: str, *, lock: bool = False) -> Space | None:
    """Return a space by its external id, locked until the end of the transaction when `lock` says so."""
    statement = _ROWS.where(
        mine(uow, spaces), spaces.c.store_id == store_id, spaces.c.external_id == external_id
    )
    row = uow.execute(statement.with_for_update() if lock else statement).one_or_none()
    return _space(row) if row else None


def list_spaces(uow: UnitOfWork, store_ids: Sequence[str], *, limit: int | None = None) -> list[Space]:
    """Return the spaces of some stores, by store and external id."""
    statement = (
        _ROWS.where(mine(uow, spaces), spaces.c.store_id.in_(store_ids))
        .order_by(spaces.c.store_id, spaces.c.external_id)
        .limit(limit)
    )
    return [_space(row) for row in uow.execute(statement)]


def spaces_by_external_id(
    uow: UnitOfWork, store_id: str, external_ids: Iterable[str], *, lock: bool = False
) -> dict[str, Space]:
    """Return those spaces of a store that exist, by external id."""
    found: dict[str, Space] = {}
    wanted = sorted(set(external_ids))
    if wanted:
        statement = _ROWS.where(
            mine(uow, spaces), spaces.c.store_id == store_id, among(uow, spaces.c.external_id, wanted)
        ).order_by(spaces.c.external_id)
        for row in uow.execute(statement.with_for_update() if lock else statement).all():
            found[row.external_id] = _space(row)
    return found


def data_by_external_id(
    uow: UnitOfWork, store_id: str, external_ids: Iterable[str]
) -> dict[str, Mapping[str, str]]:
    """Return the data of those spaces of a store that exist, by external id."""
    return data_by(uow, spaces, "external_id", store_id, external_ids)


def lock_spaces(uow: UnitOfWork, store_id: str) -> dict[str, Space]:
    """Return all spaces of a store by external id, locked until the end of the transaction."""
    statement = (
        _ROWS.where(mine(uow, spaces), spaces.c.store_id == store_id)
        .order_by(spaces.c.external_id)
        .with_for_update()
    )
    return {row.external_id: _space(row) for row in uow.execute(statement)}


def insert_spaces(uow: UnitOfWork, new: Iterable[Space], now: datetime) -> None:
    """Insert spaces; an external id that exists already breaks a rule of the database (ChangedMeanwhile)."""
    rows = [
        {
            "org_id": uow.tenant,
            "id": space.id,
            "store_id": space.store_id,
            "external_id": space.external_id,
            "data": dict(space.data),
            "version": space.version,
            "created_at": now,
            "updated_at": now,
        }
        for space in new
    ]
    if rows:
        uow.execute(spaces.insert(), rows)


def save_space(uow: UnitOfWork, space: Space, now: datetime) -> bool:
    """Write a space's data if its version is still the one that was read; False when somebody was faster."""
    statement = (
        spaces.update()
        .where(mine(uow, spaces), spaces.c.id == space.id, spaces.c.version == space.version)
        .values(data=dict(space.data), version=space.version + 1, updated_at=now)
    )
    return uow.count_changed(statement) == 1


def save_spaces(uow: UnitOfWork, changed: Iterable[Space], now: datetime) -> bool:
    """Write the data of many spaces like `save_space`; False when somebody was faster with one of them."""
    rows = [{"b_id": space.id, "b_version": space.version, "b_data": dict(space.data)} for space in changed]
    statement = (
        spaces.update()
        .where(
            mine(uow, spaces),
            spaces.c.id == sa.bindparam("b_id"),
            spaces.c.version == sa.bindparam("b_version"),
        )
        .values(
            data=sa.bindparam("b_data", type_=spaces.c.data.type),
            version=spaces.c.version + 1,
            updated_at=now,
        )
    )
    return not rows or uow.count_changed(statement, rows) == len(rows)


def delete_space(uow: UnitOfWork, space: Space) -> bool:
    """Delete a space if its version is still the one that was read."""
    statement = spaces.delete().where(
        mine(uow, spaces), spaces.c.id == space.id, spaces.c.version == space.version
    )
    return uow.count_changed(statement) == 1
