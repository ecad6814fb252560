"""Small shapes that query functions share: scoped statements and chunks of long lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from electis_cli.db.unit_of_work import UnitOfWork

Item = TypeVar("Item")

CHUNK = 500
"""How many values one IN list carries; SQLite allows 32,766 parameters a statement, PostgreSQL 65,535."""


def mine(uow: UnitOfWork, table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that every statement on a tenant table carries."""
    return table.c.org_id == uow.tenant


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """Cut a list into pieces that fit into one statement."""
    everything = list(items)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


def among(uow: UnitOfWork, column: sa.Column[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a column has one of some values, however many: they travel as one parameter.

    The statement's text is the same for any number of them, so that it is compiled once.
    """
    wanted = list(values)
    if uow.is_sqlite:
        each = sa.func.json_each(sa.bindparam(None, orjson.dumps(wanted).decode(), type_=sa.Text()))
        return column.in_(sa.select(each.table_valued("value").c.value))
    return column == sa.func.any(sa.bindparam(None, wanted, type_=postgresql.ARRAY(column.type)))


def columns_of(table: sa.Table, kind: type) -> list[sa.Column[Any]]:
    """Return the columns that the fields of a dataclass or named tuple are read from, in their order."""
    names: Iterable[str] = getattr(kind, "_fields", None) or kind.__dataclass_fields__  # type: ignore[attr-defined]
    return [table.c[name] for name in names]


def one_or_none(uow: UnitOfWork, statement: sa.Select[Any]) -> sa.RowMapping | None:
    """Return the only row of a statement, or None."""
    found: sa.RowMapping | None = uow.execute(statement).mappings().one_or_none()
    return found
