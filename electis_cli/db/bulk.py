"""Writing many rows with one statement: arrays on PostgreSQL, one prepared statement on SQLite.

A column that has the same value in every row travels once. PostgreSQL is some ten times as fast with one statement
over arrays as with a statement a row.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from electis_cli.db.types import UtcDateTime, utc_text

Row = Mapping[str, Any]


class Columns:
    """The rows to write, column by column: `varying` ones as lists, `constant` ones as one value."""

    def __init__(
        self,
        table: sa.Table,
        rows: Sequence[Row],
        *,
        always_vary: Sequence[str] = (),
    ) -> None:
        """Sort the columns of `rows`, which all have the same ones."""
        self.table = table
        self.varying: dict[str, list[Any]] = {}
        self.constant: dict[str, Any] = {}
        for name, first in rows[0].items():
            values = [row[name] for row in rows]
            if name not in always_vary and all(value is first or value == first for value in values):
                self.constant[name] = first
            else:
                self.varying[name] = values

    def run(self, connection: sa.Connection, statement: sa.sql.dml.UpdateBase) -> None:
        """Run a statement made with this object's columns."""
        if connection.dialect.name != "sqlite":
            connection.execute(statement, {"v_rows": self._document()})
            return
        compiled: Any = statement.compile(dialect=connection.dialect)
        parts = [
            _driver_values(self._type(name[2:]), self.varying[name[2:]])
            if name.startswith("v_")
            else itertools.repeat(compiled.params[name])
            for name in compiled.positiontup
        ]
        connection.exec_driver_sql(str(compiled), list(zip(*parts, strict=False)))

    def bound(self, name: str) -> sa.ColumnElement[Any]:
        """Return SQLite's place for a column in a statement that is run for every row."""
        if name in self.constant:
            (value,) = _driver_values(self._type(name), [self.constant[name]])
            return sa.bindparam(None, value, type_=sa.types.NullType())
        return sa.bindparam(f"v_{name}", type_=sa.types.NullType())

    def as_table(self) -> sa.TableValuedAlias:
        """Return the varying columns as a table that PostgreSQL makes of one JSON document."""
        columns = [sa.column(name, self._recorded_type(name)) for name in self.varying]
        document = sa.bindparam("v_rows", type_=sa.Text())
        rows = sa.func.jsonb_to_recordset(sa.cast(document, postgresql.JSONB))
        return rows.table_valued(*columns, name="v").render_derived(with_types=True)

    def value(self, source: sa.TableValuedAlias, name: str) -> sa.ColumnElement[Any]:
        """Return PostgreSQL's place for a column: in the document, or the constant."""
        if name in self.constant:
            return sa.bindparam(None, self.constant[name], type_=self._type(name))
        return source.c[name]

    def _document(self) -> str:
        names = list(self.varying)
        rows = [dict(zip(names, values, strict=True)) for values in zip(*self.varying.values(), strict=True)]
        return orjson.dumps(rows).decode()

    def _recorded_type(self, name: str) -> sa.types.TypeEngine[Any]:
        type_ = self._type(name)
        if isinstance(type_, sa.JSON):
            return postgresql.JSONB()
        return sa.DateTime(timezone=True) if isinstance(type_, UtcDateTime) else type_

    def _type(self, name: str) -> sa.types.TypeEngine[Any]:
        return self.table.c[name].type


def _driver_values(type_: sa.types.TypeEngine[Any], values: Sequence[Any]) -> Sequence[Any]:
    """Return values as SQLite's driver takes them."""
    if isinstance(type_, sa.JSON):
        return _texts(values)
    if isinstance(type_, UtcDateTime):
        return [None if value is None else utc_text(value) for value in values]
    return values


def _texts(values: Sequence[Any]) -> list[str | None]:
    return [None if value is None else orjson.dumps(value).decode() for value in values]


def upsert_many(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    update: Callable[[Any], Mapping[str, Any]] | None,
) -> None:
    """Insert rows; where `key` exists already, set what `update` (given the excluded row) returns, or nothing.

    One statement may not touch a row twice: of two rows with the same key the last one counts.
    """
    single = list({tuple(row[name] for name in key): row for row in rows}.values())
    columns, names = Columns(table, single, always_vary=key[-1:]), list(rows[0])
    if connection.dialect.name == "sqlite":
        insert: Any = sqlite.insert(table).values({name: columns.bound(name) for name in names})
    else:
        source = columns.as_table()
        values = (columns.value(source, name).label(name) for name in names)
        insert = postgresql.insert(table).from_select(names, sa.select(*values))
    if update is None:
        statement = insert.on_conflict_do_nothing(index_elements=list(key))
    else:
        statement = insert.on_conflict_do_update(index_elements=list(key), set_=dict(update(insert.excluded)))
    columns.run(connection, statement)


def update_many(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Row],
    *,
    key: str,
    where: Sequence[sa.ColumnElement[bool]],
) -> None:
    """Write the other columns of rows that are found by `key` and fulfill `where`."""
    columns = Columns(table, rows, always_vary=[key])
    written = [name for name in rows[0] if name != key]
    if connection.dialect.name == "sqlite":
        place: Callable[[str], sa.ColumnElement[Any]] = columns.bound
    else:
        source = columns.as_table()

        def place(name: str) -> sa.ColumnElement[Any]:
            return columns.value(source, name)

    found = sa.and_(*where, table.c[key] == place(key))
    columns.run(connection, table.update().where(found).values({name: place(name) for name in written}))
