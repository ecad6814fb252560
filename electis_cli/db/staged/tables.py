"""The temporary tables of bulk work: rows of a file, the changes they make, the articles those touch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from electis_cli.db.copying import copying
from electis_cli.db.types import Json
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.bulk.changes import RowChange
from electis_cli.domain.bulk.nouns import Noun

_COLUMNS = {
    # What a file says: `patch` is what a row sets (null clears), `space` where a person is to sit (`''`: nowhere).
    "staged_rows": "line integer NOT NULL, key text NOT NULL, id text NOT NULL, patch {json} NOT NULL, space text",
    # What becomes of rows, in the order of the file; `batch` is the transaction that writes it.
    "staged_changes": (
        "place integer NOT NULL, noun text NOT NULL, key text NOT NULL, row_id text NOT NULL, before {json},"
        " after {json}, space_before text, space_after text, batch integer NOT NULL DEFAULT 0"
    ),
    "staged_articles": (
        "article_id text NOT NULL, rank integer NOT NULL, place integer NOT NULL, gone boolean NOT NULL,"
        " batch integer NOT NULL"
    ),
}
_ROW_COLUMNS = ("line", "key", "id", "patch", "space")
_CHANGE_COLUMNS = ("place", "noun", "key", "row_id", "before", "after", "space_before", "space_after")
_KEYED = ("staged_rows", "staged_changes")
_BLOCK = 2000

StagedTuple = tuple[int, str, str, str, str | None]
"""line, key, id, patch, space"""


def create(uow: UnitOfWork) -> None:
    """Make the temporary tables, empty, in place of those of an earlier piece of work on this connection."""
    kind = "text" if uow.is_sqlite else "jsonb"
    for table, columns in _COLUMNS.items():
        uow.execute(sa.text(f"DROP TABLE IF EXISTS {_temporary(uow)}.{table}"))
        uow.execute(sa.text(f"CREATE TEMPORARY TABLE {table} ({columns.format(json=kind)})"))


def staged_nouns(uow: UnitOfWork) -> frozenset[str]:
    """Return the nouns that changes are staged of."""
    return frozenset(uow.execute(sa.text("SELECT DISTINCT noun FROM staged_changes")).scalars())


def clear_changes(uow: UnitOfWork) -> None:
    """Forget the changes that were planned: they are planned again."""
    uow.execute(sa.text("DELETE FROM staged_changes"))
    uow.execute(sa.text("DELETE FROM staged_articles"))


def load_rows(uow: UnitOfWork, rows: Iterable[StagedTuple]) -> int:
    """Stage rows of a file and return how many there are. What the iterable raises is passed on."""
    return _load(uow, "staged_rows", _ROW_COLUMNS, rows)


def load_changes(uow: UnitOfWork, changes: Iterable[RowChange], *, first_place: int = 1) -> int:
    """Stage changes that were planned elsewhere, and return how many there are."""
    rows = (
        (
            place,
            change.noun.value,
            change.key,
            change.row_id,
            _json(change.before),
            _json(change.after),
            change.space_before,
            change.space_after,
        )
        for place, change in enumerate(changes, start=first_place)
    )
    return _load(uow, "staged_changes", _CHANGE_COLUMNS, rows)


def staged_changes(
    uow: UnitOfWork, *, noun: Noun | None = None, limit: int | None = None, batch: int | None = None
) -> Iterator[RowChange]:
    """Yield staged changes in their order; those of one noun, of one batch, or the first ones."""
    conditions = ["1 = 1"]
    values: dict[str, Any] = {}
    if noun is not None:
        conditions.append("noun = :noun")
        values["noun"] = noun.value
    if batch is not None:
        conditions.append("batch = :batch")
        values["batch"] = batch
    statement = sa.text(
        "SELECT noun, key, row_id, before, after, space_before, space_after FROM staged_changes"  # noqa: S608
        f" WHERE {' AND '.join(conditions)} ORDER BY place{'' if limit is None else f' LIMIT {limit:d}'}"
    ).columns(before=Json, after=Json)
    # Closed also when somebody takes the first one only: on a server there is a cursor behind it.
    with contextlib.closing(uow.execute(statement.execution_options(yield_per=_BLOCK), values)) as rows:
        for row in rows:
            yield RowChange(Noun(row[0]), *row[1:])


def placed_changes(uow: UnitOfWork, noun: Noun) -> Iterator[tuple[int, RowChange]]:
    """Yield the staged changes of a noun with their places."""
    statement = sa.text(
        "SELECT place, noun, key, row_id, before, after, space_before, space_after FROM staged_changes"
        " WHERE noun = :noun ORDER BY place"
    ).columns(before=Json, after=Json)
    for row in uow.execute(statement, {"noun": noun.value}).all():
        yield row[0], RowChange(Noun(row[1]), *row[2:])


def take_stock(uow: UnitOfWork, table: str) -> None:
    """Prepare a filled table for being joined by key.

    Without it PostgreSQL takes a hundred thousand staged rows for a few, and may read all of them for each other one.
    """
    if table in _KEYED:
        uow.execute(sa.text(f"CREATE INDEX IF NOT EXISTS {table}_key ON {table} (key)"))
    if not uow.is_sqlite:
        uow.execute(sa.text(f"ANALYZE {table}"))


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _temporary(uow: UnitOfWork) -> str:
    return "temp" if uow.is_sqlite else "pg_temp"


def _load(uow: UnitOfWork, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    if uow.is_sqlite:
        places = ", ".join("?" for _ in columns)
        insert = f"INSERT INTO temp.{table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
        driver: Any = uow.connection.connection.driver_connection
        count: int = driver.executemany(insert, rows).rowcount
        return max(count, 0)
    driver = uow.connection.connection.driver_connection
    count = 0
    with (
        copying(),
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for so_far, block in _blocks(rows):
            copy.write(block)
            count = so_far
    take_stock(uow, table)
    return count


def _blocks(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, str]]:
    """Yield rows as PostgreSQL's COPY reads them, many at once, and how many there were so far."""
    lines: list[str] = []
    count = 0
    for row in rows:
        lines.append("\t".join([_copied(value) for value in row]))
        if len(lines) == _BLOCK:
            count += len(lines)
            yield count, "\n".join(lines) + "\n"
            lines.clear()
    if lines:
        yield count + len(lines), "\n".join(lines) + "\n"


def _copied(value: str | int | None) -> str:
    if value is None:
        return "\\N"
    if not isinstance(value, str):
        return str(value)
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "\n" in value or "\t" in value or "\r" in value:
        value = value.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return value
