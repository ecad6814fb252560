"""Saved arrangements of a store, and saved ways of reading a file's header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine
from electis_cli.db.tables import import_mappings, people, snapshots
from electis_cli.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Who sat where in a store: `seats` are pairs of person and space."""

    name: str
    store_id: str
    seats: Sequence[Sequence[str]]
    created_by: str
    created_at: datetime


_COLUMNS = [snapshots.c[name] for name in Snapshot.__dataclass_fields__]


def seats_of(uow: UnitOfWork, store_id: str) -> list[tuple[str, str]]:
    """Return who sits where in a store, by person."""
    statement = (
        sa.select(people.c.external_id, people.c.assigned_space)
        .where(mine(uow, people), people.c.store_id == store_id, people.c.assigned_space.is_not(None))
        .order_by(people.c.external_id)
    )
    return [(row[0], row[1]) for row in uow.execute(statement).all()]


def save_snapshot(uow: UnitOfWork, snapshot: Snapshot) -> None:
    """Keep a snapshot; one of the same name is replaced."""
    row = {name: getattr(snapshot, name) for name in Snapshot.__dataclass_fields__}
    uow.upsert(
        snapshots,
        [{**row, "org_id": uow.tenant, "seats": [list(seat) for seat in snapshot.seats]}],
        key=["org_id", "store_id", "name"],
        update=lambda new: {
            "seats": new.seats,
            "created_by": new.created_by,
            "created_at": new.created_at,
        },
    )


def find_snapshot(uow: UnitOfWork, store_id: str, name: str) -> Snapshot | None:
    """Return a snapshot of a store by its name."""
    statement = sa.select(*_COLUMNS).where(
        mine(uow, snapshots), snapshots.c.store_id == store_id, snapshots.c.name == name
    )
    row = uow.execute(statement).mappings().one_or_none()
    return Snapshot(**row) if row else None


def list_snapshots(uow: UnitOfWork, store_ids: Sequence[str]) -> list[Snapshot]:
    """Return the snapshots of some stores, newest first."""
    statement = (
        sa.select(*_COLUMNS)
        .where(mine(uow, snapshots), snapshots.c.store_id.in_(store_ids))
        .order_by(snapshots.c.created_at.desc(), snapshots.c.name)
    )
    return [Snapshot(**row) for row in uow.execute(statement).mappings()]


def save_mapping(
    uow: UnitOfWork, name: str, renames: Mapping[str, str], key: str | None, values: Mapping[str, Any]
) -> None:
    """Keep a way of reading a file's header; one of the same name is replaced."""
    uow.upsert(
        import_mappings,
        [{"org_id": uow.tenant, "name": name, "renames": dict(renames), "key": key, **values}],
        key=["org_id", "name"],
        update=lambda new: {
            "renames": new.renames,
            "key": new.key,
            "created_by": new.created_by,
            "created_at": new.created_at,
        },
    )


def find_mapping(uow: UnitOfWork, name: str) -> tuple[dict[str, str], str | None] | None:
    """Return a saved way of reading a header: renames, and the header of the key column."""
    statement = sa.select(import_mappings.c.renames, import_mappings.c.key).where(
        mine(uow, import_mappings), import_mappings.c.name == name
    )
    row = uow.execute(statement).one_or_none()
    return (dict(row[0]), row[1]) if row else None


def list_mappings(uow: UnitOfWork) -> list[str]:
    """Return the names of all saved ways of reading a header."""
    statement = (
        sa.select(import_mappings.c.name).where(mine(uow, import_mappings)).order_by(import_mappings.c.name)
    )
    return list(uow.execute(statement).scalars())
