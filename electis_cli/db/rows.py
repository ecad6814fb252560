"""Small shapes that query functions share: scoped statements and chunks of long lists."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    return _among(column, None, listed_value(uow, values), is_sqlite=uow.is_sqlite)


def among_named(column: sa.Column[Any], name: str, *, is_sqlite: bool) -> sa.ColumnElement[bool]:
    """Return the condition of `among` with a parameter of a name, for a statement that is put together once."""
    return _among(column, name, sa.sql.base.NO_ARG, is_sqlite=is_sqlite)


def listed_value(uow: UnitOfWork, values: Iterable[Any]) -> str:
    """Return the one parameter as which many values travel."""
    # No column holds a text with a NUL: PostgreSQL has none, SQLite would compare what is before it.
    wanted = [value for value in values if not (isinstance(value, str) and "\0" in value)]
    if uow.is_sqlite:
        return orjson.dumps(wanted).decode()
    texts = list(map(str, wanted))
    if not texts:
        return "{}"
    # PostgreSQL's own text of an array: made in one go, where the driver looks at each value by itself.
    return '{"' + "\0".join(texts).replace("\\", r"\\").replace('"', r"\"").replace("\0", '","') + '"}'


def _among(
    column: sa.Column[Any], name: str | None, value: Any, *, is_sqlite: bool
) -> sa.ColumnElement[bool]:
    if is_sqlite:
        each = sa.func.json_each(sa.bindparam(name, value, type_=sa.Text()))
        return column.in_(sa.select(each.table_valued("value").c.value))
    array = sa.cast(sa.bindparam(name, value, type_=sa.Text()), postgresql.ARRAY(column.type))
    return column == sa.func.any(array)


def data_by(
    uow: UnitOfWork, table: sa.Table, key: str, store_id: str, values: Iterable[str]
) -> dict[str, Mapping[str, str]]:
    """Return the data of a store's rows that have one of some values in the column `key`, by that value."""
    place = {"org": uow.tenant, "store": store_id, "values": listed_value(uow, values)}
    found = uow.execute(_data_query(table, key, is_sqlite=uow.is_sqlite), place).all()
    return {row[0]: row[1] for row in found}


# Put together once: pushes ask it for every batch, and full syncs for every page of a listing.
@functools.cache
def _data_query(table: sa.Table, key: str, *, is_sqlite: bool) -> sa.Select[Any]:
    return sa.select(table.c[key], table.c.data).where(
        table.c.org_id == sa.bindparam("org"),
        table.c.store_id == sa.bindparam("store"),
        among_named(table.c[key], "values", is_sqlite=is_sqlite),
    )


def columns_of(table: sa.Table, kind: type) -> list[sa.Column[Any]]:
    """Return the columns that the fields of a dataclass or named tuple are read from, in their order."""
    names: Iterable[str] = getattr(kind, "_fields", None) or kind.__dataclass_fields__  # type: ignore[attr-defined]
    return [table.c[name] for name in names]


def one_or_none(uow: UnitOfWork, statement: sa.Select[Any]) -> sa.RowMapping | None:
    """Return the only row of a statement, or None."""
    found: sa.RowMapping | None = uow.execute(statement).mappings().one_or_none()
    return found
