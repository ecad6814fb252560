"""People of one organization and where they sit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import chunks, columns_of, data_by, mine
from electis_cli.db.tables import people
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.people import Person

_MANY = 2000


_COLUMNS = columns_of(people, Person)
_NAMES = tuple(column.name for column in _COLUMNS)
_ROWS = sa.select(*_COLUMNS)


def _person(row: Sequence[Any]) -> Person:
    return Person(**dict(zip(_NAMES, row, strict=True)))


def find_person(uow: UnitOfWork, store_id: str, external_id: str, *, lock: bool = False) -> Person | None:
    """Return a person by their external id, locked until the end of the transaction when `lock` says so."""
    statement = _ROWS.where(
        mine(uow, people), people.c.store_id == store_id, people.c.external_id == external_id
    )
    row = uow.execute(statement.with_for_update() if lock else statement).one_or_none()
    return _person(row) if row else None


def list_people(uow: UnitOfWork, store_ids: Sequence[str], *, limit: int | None = None) -> list[Person]:
    """Return the people of some stores, by store and external id."""
    statement = (
        _ROWS.where(mine(uow, people), people.c.store_id.in_(store_ids))
        .order_by(people.c.store_id, people.c.external_id)
        .limit(limit)
    )
    return [_person(row) for row in uow.execute(statement)]


def lock_people(uow: UnitOfWork, store_id: str) -> dict[str, Person]:
    """Return all people of a store by external id, locked until the end of the transaction."""
    statement = (
        _ROWS.where(mine(uow, people), people.c.store_id == store_id)
        .order_by(people.c.external_id)
        .with_for_update()
    )
    return {row.external_id: _person(row) for row in uow.execute(statement)}


def occupants(uow: UnitOfWork, store_id: str, space_ids: Iterable[str]) -> dict[str, Person]:
    """Return who sits in which of these spaces, by the space's external id."""
    return _by(uow, store_id, people.c.assigned_space, space_ids)


def data_by_space(uow: UnitOfWork, store_id: str, space_ids: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Return the data of who sits in which of these spaces, by the space's external id."""
    return data_by(uow, people, "assigned_space", store_id, space_ids)


def _by(uow: UnitOfWork, store_id: str, column: sa.Column[Any], values: Iterable[str]) -> dict[str, Person]:
    wanted = set(values)
    base = _ROWS.where(mine(uow, people), people.c.store_id == store_id)
    # Each long list of ids may make PostgreSQL read the whole store, so that many ids are cheaper as one reading.
    statements = (
        [base] if len(wanted) > _MANY else [base.where(column.in_(piece)) for piece in chunks(sorted(wanted))]
    )
    found: dict[str, Person] = {}
    place = _NAMES.index(column.name)
    for statement in statements:
        for row in uow.execute(statement).all():
            value = row[place]
            if value in wanted:
                found[value] = _person(row)
    return found


def insert_people(uow: UnitOfWork, new: Iterable[Person], now: datetime) -> None:
    """Insert people."""
    rows = [
        {
            "org_id": uow.tenant,
            "id": person.id,
            "store_id": person.store_id,
            "external_id": person.external_id,
            "data": dict(person.data),
            "assigned_space": person.assigned_space,
            "version": person.version,
            "created_at": now,
            "updated_at": now,
        }
        for person in new
    ]
    if rows:
        uow.execute(people.insert(), rows)


def save_person(uow: UnitOfWork, person: Person, now: datetime) -> bool:
    """Write a person's data and space if their version is still the one that was read."""
    statement = (
        people.update()
        .where(mine(uow, people), people.c.id == person.id, people.c.version == person.version)
        .values(
            data=dict(person.data),
            assigned_space=person.assigned_space,
            version=person.version + 1,
            updated_at=now,
        )
    )
    return uow.count_changed(statement) == 1


def save_people(uow: UnitOfWork, changed: Iterable[Person], now: datetime) -> bool:
    """Write data and space of many people like `save_person`; False when somebody was faster with one of them."""
    rows = [
        {
            "b_id": person.id,
            "b_version": person.version,
            "b_data": dict(person.data),
            "b_space": person.assigned_space,
        }
        for person in changed
    ]
    statement = (
        people.update()
        .where(
            mine(uow, people),
            people.c.id == sa.bindparam("b_id"),
            people.c.version == sa.bindparam("b_version"),
        )
        .values(
            data=sa.bindparam("b_data", type_=people.c.data.type),
            assigned_space=sa.bindparam("b_space", type_=people.c.assigned_space.type),
            version=people.c.version + 1,
            updated_at=now,
        )
    )
    return not rows or uow.count_changed(statement, rows) == len(rows)


def vacate(uow: UnitOfWork, store_id: str, person_ids: Iterable[str]) -> None:
    """Take people out of their spaces without counting a version: the step before a bulk move seats them anew."""
    rows = [{"b_id": person_id} for person_id in sorted(set(person_ids))]
    statement = (
        people.update()
        .where(mine(uow, people), people.c.store_id == store_id, people.c.id == sa.bindparam("b_id"))
        .values(assigned_space=None)
    )
    if rows:
        # One row a time by its key: for long lists of ids PostgreSQL's planner reads the whole store again and again.
        uow.execute(statement, rows)


def delete_person(uow: UnitOfWork, person: Person) -> bool:
    """Delete a person if their version is still the one that was read."""
    statement = people.delete().where(
        mine(uow, people), people.c.id == person.id, people.c.version == person.version
    )
    return uow.count_changed(statement) == 1
