"""Conference rooms of one organization."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import chunks, mine, one_or_none
from electis_cli.db.tables import conference_rooms
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.conference import Room


def _room(row: Any) -> Room:
    fields = {name: row[name] for name in Room.__dataclass_fields__}
    fields["participants"] = tuple(row["participants"])
    return Room(**fields)


def _values(room: Room) -> dict[str, Any]:
    return {
        "room_name": room.room_name,
        "has_meeting": room.has_meeting,
        "meeting_name": room.meeting_name,
        "start_time": room.start_time,
        "end_time": room.end_time,
        "participants": list(room.participants),
    }


def find_room(uow: UnitOfWork, store_id: str, external_id: str, *, lock: bool = False) -> Room | None:
    """Return a conference room by its external id, locked until the end of the transaction when `lock` says so."""
    statement = sa.select(conference_rooms).where(
        mine(uow, conference_rooms),
        conference_rooms.c.store_id == store_id,
        conference_rooms.c.external_id == external_id,
    )
    row = one_or_none(uow, statement.with_for_update() if lock else statement)
    return _room(row) if row else None


def list_rooms(uow: UnitOfWork, store_ids: Sequence[str], *, limit: int | None = None) -> list[Room]:
    """Return the conference rooms of some stores, by store and external id."""
    statement = (
        sa.select(conference_rooms)
        .where(mine(uow, conference_rooms), conference_rooms.c.store_id.in_(store_ids))
        .order_by(conference_rooms.c.store_id, conference_rooms.c.external_id)
        .limit(limit)
    )
    return [_room(row) for row in uow.execute(statement).mappings()]


def rooms_by_external_id(uow: UnitOfWork, store_id: str, external_ids: Iterable[str]) -> dict[str, Room]:
    """Return those conference rooms of a store that exist, by external id."""
    found: dict[str, Room] = {}
    for piece in chunks(sorted(set(external_ids))):
        statement = sa.select(conference_rooms).where(
            mine(uow, conference_rooms),
            conference_rooms.c.store_id == store_id,
            conference_rooms.c.external_id.in_(piece),
        )
        for row in uow.execute(statement).mappings():
            found[row["external_id"]] = _room(row)
    return found


def lock_rooms(uow: UnitOfWork, store_id: str) -> dict[str, Room]:
    """Return all conference rooms of a store by external id, locked until the end of the transaction."""
    statement = (
        sa.select(conference_rooms)
        .where(mine(uow, conference_rooms), conference_rooms.c.store_id == store_id)
        .order_by(conference_rooms.c.external_id)
        .with_for_update()
    )
    return {row["external_id"]: _room(row) for row in uow.execute(statement).mappings()}


def insert_rooms(uow: UnitOfWork, new: Iterable[Room], now: datetime) -> None:
    """Insert conference rooms."""
    rows = [
        {
            "org_id": uow.tenant,
            "id": room.id,
            "store_id": room.store_id,
            "external_id": room.external_id,
            **_values(room),
            "version": room.version,
            "created_at": now,
            "updated_at": now,
        }
        for room in new
    ]
    if rows:
        uow.execute(conference_rooms.insert(), rows)


def save_room(uow: UnitOfWork, room: Room, now: datetime) -> bool:
    """Write a conference room if its version is still the one that was read."""
    statement = (
        conference_rooms.update()
        .where(
            mine(uow, conference_rooms),
            conference_rooms.c.id == room.id,
            conference_rooms.c.version == room.version,
        )
        .values(**_values(room), version=room.version + 1, updated_at=now)
    )
    return uow.count_changed(statement) == 1


def save_rooms(uow: UnitOfWork, changed: Iterable[Room], now: datetime) -> bool:
    """Write many conference rooms like `save_room`; False when somebody was faster with one of them."""
    found = list(changed)
    if not found:
        return True
    columns = {
        name: sa.bindparam("b_" + name, type_=conference_rooms.c[name].type) for name in _values(found[0])
    }
    statement = (
        conference_rooms.update()
        .where(
            mine(uow, conference_rooms),
            conference_rooms.c.id == sa.bindparam("b_id"),
            conference_rooms.c.version == sa.bindparam("b_version"),
        )
        .values(**columns, version=conference_rooms.c.version + 1, updated_at=now)
    )
    rows = [
        {
            "b_id": room.id,
            "b_version": room.version,
            **{"b_" + name: value for name, value in _values(room).items()},
        }
        for room in found
    ]
    return uow.count_changed(statement, rows) == len(rows)


def delete_room(uow: UnitOfWork, room: Room) -> bool:
    """Delete a conference room if its version is still the one that was read."""
    statement = conference_rooms.delete().where(
        mine(uow, conference_rooms),
        conference_rooms.c.id == room.id,
        conference_rooms.c.version == room.version,
    )
    return uow.count_changed(statement) == 1
