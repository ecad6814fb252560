"""Reading all rows of a store for an export: in bounded memory, and where it can, written by the database itself."""

from __future__ import annotations

import selectors
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from electis_cli.db.copying import copying
from electis_cli.db.rows import mine
from electis_cli.db.tables import conference_rooms, label_links, people, spaces
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.bulk.nouns import KEY, SPACE, Noun

PAGE = 2000
_SAMPLE = 1000
_TABLES = {Noun.SPACE: spaces, Noun.PERSON: people, Noun.LABEL: label_links}
_KEYS = {
    Noun.SPACE: spaces.c.external_id,
    Noun.PERSON: people.c.external_id,
    Noun.LABEL: label_links.c.label_code,
}

FactRow = tuple[str, dict[str, str | None], str | None]
"""A space's or person's id, data and, of a person, space."""

LabelRow = tuple[str, str, bool]
"""A label's code, the article it is to show, and whether there is a space or a conference room with that id."""


def page_of_rows(
    uow: UnitOfWork, noun: Noun, store_id: str, *, after: str | None, room_prefix: str
) -> Sequence[Any]:
    """Return the next rows of a store after a key, at most PAGE of them: FactRows, or LabelRows of linked labels."""
    statement = _rows(uow, noun, store_id, room_prefix).limit(PAGE)
    if after is not None:
        statement = statement.where(_KEYS[noun] > after)
    found: Sequence[Any] = uow.execute(statement).all()
    return found


def stream_rows(uow: UnitOfWork, noun: Noun, store_id: str, *, room_prefix: str) -> Iterator[Any]:
    """Yield the same rows of a whole store as they were at one moment; for a server, which nobody waits for."""
    statement = _rows(uow, noun, store_id, room_prefix).execution_options(yield_per=PAGE)
    with uow.execute(statement) as found:
        yield from found


def state_of_rows(uow: UnitOfWork, noun: Noun, store_id: str) -> tuple[Any, ...]:
    """Return what is another value once any row of a store was changed."""
    table = _TABLES[noun]
    statement = sa.select(
        sa.func.count(), sa.func.sum(table.c.version), sa.func.max(table.c.updated_at)
    ).where(mine(uow, table), table.c.store_id == store_id)
    return tuple(uow.execute(statement).one())


def columns_beside(uow: UnitOfWork, noun: Noun, store_id: str, known: Sequence[str]) -> set[str]:
    """Return the columns in the data of a store's spaces or people that are not among the `known` ones (PostgreSQL).

    Each turn learns what a thousand rows have beside what is known by then, so that nearly all rows are only compared.
    """
    table = _TABLES[noun].name
    found: set[str] = set()
    statement = sa.text(
        f"""SELECT DISTINCT name FROM (
            SELECT data - CAST(:known AS text[]) AS rest FROM {table}
            WHERE org_id = :org_id AND store_id = :store_id AND data - CAST(:known AS text[]) <> '{{}}'
            LIMIT {_SAMPLE:d}) t, jsonb_object_keys(rest) AS name"""  # noqa: S608
    )
    values = {"org_id": uow.tenant, "store_id": store_id}
    while names := set(uow.execute(statement, {**values, "known": [*known, *found]}).scalars()):
        found |= names
    return found


def text_of_rows(
    uow: UnitOfWork, noun: Noun, store_id: str, columns: Sequence[str], *, delimiter: str
) -> Generator[list[memoryview], None, None]:
    """Yield a store's spaces or people as PostgreSQL writes them as CSV in UTF-8, without a header: blocks of records.

    There must be two columns at least: a single empty cell is written differently. Raises DatabaseUnavailable.
    """
    copy_rows = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, DELIMITER {}, ENCODING 'UTF8')").format(
        _cells(uow, noun, store_id, columns), sql.Literal(delimiter)
    )
    driver: Any = uow.connection.connection.driver_connection
    with copying(), driver.cursor() as cursor, cursor.copy(copy_rows):
        yield from _blocks(driver.pgconn)


def _rows(uow: UnitOfWork, noun: Noun, store_id: str, room_prefix: str) -> sa.Select[Any]:
    key = _KEYS[noun]
    if noun is Noun.LABEL:
        statement = sa.select(key, label_links.c.desired_article, _is_there(room_prefix)).where(
            label_links.c.desired_article.is_not(None)
        )
    elif noun is Noun.PERSON:
        statement = sa.select(key, people.c.data, people.c.assigned_space)
    else:
        statement = sa.select(key, spaces.c.data, sa.null())
    table = _TABLES[noun]
    return statement.where(mine(uow, table), table.c.store_id == store_id).order_by(key)


def _is_there(room_prefix: str) -> sa.ColumnElement[bool]:
    """Return the condition that a label's article is a space or a conference room of its store."""
    article = label_links.c.desired_article

    def exists(table: sa.Table, article_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return sa.exists().where(
            table.c.org_id == label_links.c.org_id,
            table.c.store_id == label_links.c.store_id,
            article_id == article,
        )

    return sa.or_(
        exists(spaces, spaces.c.external_id),
        exists(conference_rooms, sa.literal(room_prefix) + conference_rooms.c.external_id),
    )


def _cells(uow: UnitOfWork, noun: Noun, store_id: str, columns: Sequence[str]) -> sql.Composable:
    """Return the query for the cells of all rows, by key."""
    own = {KEY: sql.SQL("external_id")}
    if noun is Noun.PERSON:
        own[SPACE] = sql.SQL("assigned_space")
    cells = [own.get(name) or sql.SQL("data ->> {}").format(sql.Literal(name)) for name in columns]
    return sql.SQL("SELECT {} FROM {} WHERE org_id = {} AND store_id = {} ORDER BY external_id").format(
        sql.SQL(", ").join(cells),
        sql.Identifier(_TABLES[noun].name),
        sql.Literal(uow.tenant),
        sql.Literal(store_id),
    )


def _blocks(pgconn: Any) -> Iterator[list[memoryview]]:
    """Yield the records of a COPY, many at once.

    They are taken from libpq as they are: to have psycopg wait for each takes longer than PostgreSQL takes to write it.
    """
    take, block = pgconn.get_copy_data, []
    with selectors.DefaultSelector() as selector:
        selector.register(pgconn.socket, selectors.EVENT_READ)
        while True:
            size, record = take(1)
            if size == 0:
                selector.select()  # can be interrupted, as libpq's own waiting can not
                size, record = take(0)
            if size < 0:
                break
            block.append(record)
            if len(block) == PAGE:
                yield block
                block = []
    _end_copy(pgconn)
    if block:
        yield block


def _end_copy(pgconn: Any) -> None:
    failed = ""
    while (result := pgconn.get_result()) is not None:
        if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
            failed = result.error_message.decode(errors="replace")
    if failed:
        raise psycopg.OperationalError(failed)
