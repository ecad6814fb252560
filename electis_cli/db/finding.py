"""Rows to look through, one noun after the other, streamed: nothing is loaded twice or all at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine
from electis_cli.db.tables import conference_rooms, label_links, people, spaces
from electis_cli.db.unit_of_work import UnitOfWork

_AT_ONCE = 1000


def space_rows(uow: UnitOfWork, store_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the spaces of some stores, by store and external id."""
    table = spaces.c
    return _stream(
        uow, spaces, [table.store_id, table.external_id, table.data], store_ids, order=table.external_id
    )


def person_rows(uow: UnitOfWork, store_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the people of some stores, by store and external id."""
    table = people.c
    columns = [table.store_id, table.external_id, table.assigned_space, table.data]
    return _stream(uow, people, columns, store_ids, order=table.external_id)


def room_rows(uow: UnitOfWork, store_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the conference rooms of some stores, by store and external id."""
    table = conference_rooms.c
    columns = [
        table.store_id, table.external_id, table.room_name, table.meeting_name, table.start_time, table.end_time,
        table.participants,
    ]  # fmt: skip
    return _stream(uow, conference_rooms, columns, store_ids, order=table.external_id)


def label_rows(uow: UnitOfWork, store_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the labels of some stores that show something or are to, by store and code."""
    table = label_links.c
    columns = [table.store_id, table.label_code, table.desired_article, table.acked_article]
    in_use = sa.or_(table.desired_article.is_not(None), table.acked_article.is_not(None))
    return _stream(uow, label_links, columns, store_ids, in_use, order=table.label_code)


def _stream(
    uow: UnitOfWork,
    table: sa.Table,
    columns: Sequence[sa.Column[Any]],
    store_ids: Sequence[str],
    *conditions: sa.ColumnElement[bool],
    order: sa.Column[Any],
) -> Iterator[Mapping[str, Any]]:
    statement = (
        sa.select(*columns)
        .where(mine(uow, table), table.c.store_id.in_(store_ids), *conditions)
        .order_by(table.c.store_id, order)
        .execution_options(yield_per=_AT_ONCE)
    )
    # Closed also when somebody stops reading early: PostgreSQL keeps a cursor open for the rows to come.
    with contextlib.closing(uow.execute(statement)) as result:
        yield from result.mappings()
