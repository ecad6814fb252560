"""The unit of work: one transaction, bound to one organization, rolled back unless it is committed."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from electis_cli.db.bulk import upsert_many
from electis_cli.db.tables import counters

EVERYBODY = "*"

_TO_READ = {"transaction_read_only": "on"}
_NOT_DURABLE = {"synchronous_commit": "off"}
_AS_IT_IS = {"no_parameters": True}


@functools.lru_cache(maxsize=1000)
def _announcement(org_id: str, idle_seconds: float, *, is_reading: bool, is_durable: bool) -> str:
    """Return the statement that sets what holds for one transaction, and returns the server's time."""
    settings = {
        "electis.org_id": org_id,
        "idle_in_transaction_session_timeout": str(round(idle_seconds * 1000)),
        "TimeZone": "UTC",
        **(_TO_READ if is_reading else {}),
        **({} if is_durable else _NOT_DURABLE),
    }
    quoted = {name: value.replace("'", "''") for name, value in settings.items()}
    set_ = "".join(f", set_config('{name}', '{value}', true)" for name, value in quoted.items())
    return f"SELECT clock_timestamp(){set_}"


class UnitOfWork:
    """What query functions get: statements run here see and change rows of `tenant` only.

    Query functions build every statement on a tenant table with `org_id == uow.tenant`; the composite keys, and on
    PostgreSQL the row security policies, hold the same line once more.
    """

    __slots__ = (
        *("_began", "_clock", "_idle_seconds"),
        *("connection", "is_committed", "is_durable", "is_reading", "new_work", "org_id"),
    )

    def __init__(
        self,
        connection: sa.Connection,
        *,
        org_id: str | None,
        idle_seconds: float,
        clock: Callable[[], datetime] | None = None,
        is_reading: bool = False,
        is_durable: bool = True,
    ) -> None:
        self.connection = connection
        self.org_id = org_id
        self.is_reading = is_reading
        self.is_durable = is_durable
        self.is_committed = False
        self.new_work: set[str] = set()
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._began = (datetime.now(UTC), time.monotonic())

    @property
    def tenant(self) -> str:
        """The organization this unit of work is bound to; asking an unbound one is a bug."""
        if self.org_id is None:
            msg = "this unit of work is not bound to an organization"
            raise LookupError(msg)
        return self.org_id

    @property
    def is_sqlite(self) -> bool:
        """True on the embedded database."""
        return self.connection.dialect.name == "sqlite"

    def begin(self) -> None:
        """Begin the transaction on PostgreSQL, and say what it is for: the other database has begun it already.

        Both at once, as most units of work are one or two statements long. BEGIN comes last because the answer of the
        first statement is the one that is looked at; it takes what stands before it into its transaction.
        """
        self._announce(then="; BEGIN")

    def _announce(self, *, then: str = "") -> None:
        """Tell PostgreSQL's row security whose rows this transaction may touch, and how long it may do nothing.

        A process that was frozen in the middle would hold its locks for good, and stop every other. Moments come in
        UTC, so that none of them has to be converted. What is for reading can not write.
        """
        if not self.is_sqlite:
            statement = _announcement(
                self.org_id or EVERYBODY,
                self._idle_seconds,
                is_reading=self.is_reading,
                is_durable=self.is_durable,
            )
            self._began = (self._ask(statement + then).astimezone(UTC), time.monotonic())

    def _ask(self, statement: str) -> datetime:
        # Past SQLAlchemy, which takes as long for it as the server does. What goes wrong it is to meet by itself, as it
        # tells it in its own words and throws broken connections away.
        driver: Any = self.connection.connection.driver_connection
        try:
            moment: datetime = driver.execute(statement).fetchone()[0]
        except psycopg.Error:
            moment = self.connection.exec_driver_sql(statement, execution_options=_AS_IT_IS).scalar_one()
        return moment

    def rebind(self, org_id: str) -> None:
        """Bind an unbound unit of work to the organization it turned out to be about (`init`, a login)."""
        if self.org_id is not None:
            msg = "this unit of work is bound already"
            raise LookupError(msg)
        self.org_id = org_id
        self._announce()

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside the block when it raises, and nothing else of the transaction."""
        with self.connection.begin_nested():
            yield

    def commit(self) -> None:
        """Let the transaction commit when the block ends without an error."""
        self.is_committed = True

    def announce_work(self, store_id: str) -> None:
        """Say that this change gives a store's pushers something to do: daemons are woken once it is committed."""
        self.new_work.add(store_id)

    def execute(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> Any:
        """Run one statement and return its result."""
        return self.connection.execute(statement, parameters)

    def count_changed(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> int:
        """Run one changing statement and return how many rows it changed."""
        result: sa.CursorResult[Any] = self.execute(statement, parameters)
        return result.rowcount

    def now(self) -> datetime:
        """Return the database's time: leases of several machines are measured by one clock."""
        if self._clock is not None:
            return self._clock()
        if self.is_sqlite:
            return datetime.now(UTC)  # the file and its users share one machine's clock
        # What it said when the transaction began, and what has passed since: not worth a way there and back each time.
        moment, then = self._began
        return moment + timedelta(seconds=time.monotonic() - then)

    def upsert(
        self,
        table: sa.Table,
        rows: Iterable[Mapping[str, Any]],
        *,
        key: Sequence[str],
        update: Callable[[Any], Mapping[str, Any]] | None,
    ) -> None:
        """Insert rows; where `key` exists already, set what `update` (given the excluded row) returns, or nothing."""
        values = list(rows)
        if not values:
            return
        upsert_many(self.connection, table, values, key=key, update=update)

    def take_numbers(self, name: str, count: int) -> int:
        """Take `count` consecutive numbers of a sequence and return the first; gaps are normal, order is all."""
        if count < 1:
            return 0
        if self.is_sqlite:
            statement = sa.text("UPDATE counters SET value = value + :n WHERE name = :name RETURNING value")
            last: int = self.connection.execute(statement, {"n": count, "name": name}).scalar_one()
            return last - count + 1
        # nextval is taken per number: concurrent writers may interleave, but each one's own order holds.
        statement = sa.text("SELECT max(nextval(CAST(:name AS regclass))) FROM generate_series(1, :n)")
        last = self.connection.execute(statement, {"n": count, "name": name}).scalar_one()
        return last - count + 1

    def skip_numbers(self, name: str, number: int) -> None:
        """Let the next number of a sequence be greater than `number`; never a smaller one than without."""
        if self.is_sqlite:
            statement = sa.text("UPDATE counters SET value = max(value, :n) WHERE name = :name")
        else:
            statement = sa.text("SELECT setval(CAST(:name AS regclass), greatest(nextval(:name), :n))")
        self.connection.execute(statement, {"n": number, "name": name})

    def last_number(self, name: str) -> int:
        """Return the last number a sequence gave; 0 when it gave none yet."""
        query = sa.select(last_number_query(name, is_sqlite=self.is_sqlite))
        value: int | None = self.connection.execute(query).scalar_one()
        return value or 0


def last_number_query(name: str, *, is_sqlite: bool) -> sa.ScalarSelect[int]:
    """Return the query of the last number a sequence gave, as a column; null when it gave none yet."""
    if is_sqlite:
        return sa.select(counters.c.value).where(counters.c.name == name).scalar_subquery()
    # What the view pg_sequences shows, without looking through all sequences for the one.
    sequence = sa.cast(sa.literal(name), postgresql.REGCLASS)
    return sa.select(sa.func.pg_sequence_last_value(sequence)).scalar_subquery()
