"""The database: opening it, and the two ways in (`read` and `write`)."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from electis_cli.db.interrupting import let_interruptions_through
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.db.wake_ups import WakeUps, wake
from electis_cli.domain.errors import (
    ChangedMeanwhile,
    DatabaseMissing,
    DatabaseUnavailable,
    Misconfigured,
    SchemaTooOld,
)

_WAL_SAFE = (
    3,
    51,
    3,
)  # before it, SQLite's WAL mode can corrupt a file that two connections checkpoint at once
_BUSY_SECONDS = 30.0
_BEGIN = "electis_begin"
NOT_YET = ""
"""As the option `electis_begin` of a connection: no transaction is begun by itself."""
_RECYCLE_SECONDS = 300
"""After it a connection to a server is replaced: what was planned while a table was small is not kept for ever."""

_CROSSED = {
    "40P01",
    "40001",
}  # deadlock detected, serialization failure: one of two writers has to start again

_IDLE_TOO_LONG = "25P03"  # the server ended a transaction in which nothing happened


def _to_json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


class Database:
    """One shared database; every use is a unit of work that rolls back unless it is committed."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime] | None = None,
        pool_size: int = 8,
        idle_seconds: float = 60.0,
    ) -> None:
        """Prepare access to the database at an SQLAlchemy URL; nothing is opened yet.

        `clock`, when given, replaces the database server's clock (tests with a virtual clock). PostgreSQL ends a unit
        of work in which nothing happens for `idle_seconds`. Raises Misconfigured for a URL that is none.
        """
        try:
            parsed = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise Misconfigured(
                "The database URL can not be read.", fix="export ELECTIS_DATABASE_URL=..."
            ) from error
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
            raise Misconfigured(
                f"A database of the kind {parsed.drivername!r} is not supported.",
                why="electis keeps its data in PostgreSQL or SQLite.",
                fix="export ELECTIS_DATABASE_URL=postgresql://...",
            )
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._clock = clock
        self._idle_seconds = idle_seconds
        self.engine = _create_engine(parsed, sqlite=self.is_sqlite, pool_size=pool_size)

    @property
    def path(self) -> Path | None:
        """The database file, or None for a server."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextlib.contextmanager
    def read(self, org_id: str | None = None) -> Iterator[UnitOfWork]:
        """Open a unit of work for reading, bound to one organization (None: unbound, for the few who may)."""
        with self._unit_of_work(org_id, begin="DEFERRED", is_reading=True) as uow:
            yield uow

    @contextlib.contextmanager
    def write(self, org_id: str | None = None, *, is_durable: bool = True) -> Iterator[UnitOfWork]:
        """Open a unit of work for writing; on SQLite it takes the write lock at once, as a later upgrade could fail.

        What is not durable does not wait for a server's disk: should the server crash within the next second, it may
        not have happened. It is never half done, and whatever durable is committed after it makes it durable, too.
        """
        with self._unit_of_work(org_id, begin="IMMEDIATE", is_durable=is_durable) as uow:
            yield uow

    @contextlib.contextmanager
    def workbench(self, org_id: str) -> Iterator[Workbench]:
        """Hold one connection for several units of work after one another: temporary tables live as long as it.

        Raises DatabaseMissing, DatabaseUnavailable.
        """
        self._require_file()
        with self._told_as_errors():
            connection = self.engine.connect()
        bench = Workbench(self, connection, org_id)
        try:
            yield bench
        finally:
            # Before hanging up, since a server notices that only in its own time.
            with contextlib.suppress(sa.exc.DBAPIError, DatabaseUnavailable):
                bench.unlock()
            # Not back into the pool: whoever got it next would find the temporary tables.
            connection.invalidate()
            connection.close()

    @contextlib.contextmanager
    def _unit_of_work(
        self, org_id: str | None, *, begin: str, is_reading: bool = False, is_durable: bool = True
    ) -> Iterator[UnitOfWork]:
        self._require_file()
        with self._told_as_errors():
            uow = self._begin(org_id, begin, is_reading=is_reading, is_durable=is_durable)
            with uow.connection, _ending(uow):
                yield uow

    def _require_file(self) -> None:
        path = self.path
        if path is not None and not path.exists():
            raise DatabaseMissing(details_path=str(path))

    @contextlib.contextmanager
    def _told_as_errors(self) -> Iterator[None]:
        """Turn what the driver says inside the block into errors of the domain."""
        try:
            yield
        except sa.exc.IntegrityError as error:
            raise ChangedMeanwhile(why="A rule of the database refused the change.") from error
        except sa.exc.ProgrammingError as error:
            raise _schema_problem(error) from error
        except sa.exc.OperationalError as error:
            let_interruptions_through(error)
            if getattr(error.orig, "sqlstate", None) in _CROSSED:
                raise ChangedMeanwhile(why=_first_line(error.orig), fix="run the command again") from error
            if "no such table" in str(error.orig) or "no such column" in str(error.orig):
                raise _schema_problem(error) from error
            raise DatabaseUnavailable(why=_first_line(error.orig), fix="electis health") from error
        except sa.exc.InternalError as error:
            if getattr(error.orig, "sqlstate", None) != _IDLE_TOO_LONG:
                raise
            raise DatabaseUnavailable(why=_first_line(error.orig), fix="run the command again") from error
        except sa.exc.InterfaceError as error:
            raise DatabaseUnavailable(why=_first_line(error.orig), fix="electis health") from error

    def _begin(self, org_id: str | None, begin: str, *, is_reading: bool, is_durable: bool) -> UnitOfWork:
        """Return a unit of work on a connection that answers.

        Its first statement is the test of a pooled connection: asking each before would cost one more way to the server
        and back for every unit of work. One that is broken takes all of the pool with it, and the second is a new one.
        """
        try:
            return self._begin_once(org_id, begin, is_reading=is_reading, is_durable=is_durable)
        except sa.exc.OperationalError as error:
            if not error.connection_invalidated:
                raise
            return self._begin_once(org_id, begin, is_reading=is_reading, is_durable=is_durable)

    def _begin_once(
        self, org_id: str | None, begin: str, *, is_reading: bool, is_durable: bool
    ) -> UnitOfWork:
        connection = self.engine.connect()
        try:
            return self._begin_on(connection, org_id, begin, is_reading=is_reading, is_durable=is_durable)
        except BaseException:
            connection.close()
            raise

    def _begin_on(
        self,
        connection: sa.Connection,
        org_id: str | None,
        begin: str,
        *,
        is_reading: bool = False,
        is_durable: bool = True,
    ) -> UnitOfWork:
        connection.execution_options(**{_BEGIN: begin if self.is_sqlite else NOT_YET})
        connection.begin()
        uow = UnitOfWork(
            connection,
            org_id=org_id,
            idle_seconds=self._idle_seconds,
            clock=self._clock,
            is_reading=is_reading,
            is_durable=is_durable,
        )
        uow.begin()
        return uow

    @contextlib.contextmanager
    def wake_ups(self) -> Iterator[WakeUps]:
        """Open a connection that hears of new work as it is committed. Only a server has them, no embedded database.

        Raises DatabaseUnavailable.
        """
        wake_ups = WakeUps(self.engine)
        try:
            yield wake_ups
        finally:
            wake_ups.close()

    def create_folder(self) -> None:
        """Create an embedded database's folder and file, readable by its owner only."""
        path = self.path
        if path is not None and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


class Workbench:
    """One connection of an organization's, on which units of work follow one another (see `Database.workbench`)."""

    def __init__(self, database: Database, connection: sa.Connection, org_id: str) -> None:
        self._database = database
        self._connection = connection
        self._org_id = org_id
        self._has_locks = False

    def try_lock(self, name: str) -> bool:
        """Take a lock of a server by name, for as long as the connection lives; False when somebody has it."""
        with self.prepare() as uow:
            statement = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:name, 4711018))")
            taken: bool = uow.execute(statement, {"name": name}).scalar_one()
            # A server that is in the middle of a long statement looks up only to see whether we died meanwhile, and
            # it can on Linux: without this a dead process holds its locks until that statement is done.
            uow.execute(
                sa.text(
                    "SELECT set_config('client_connection_check_interval', '500', false)"
                    " WHERE version() LIKE '%linux%'"
                )
            )
            uow.commit()
        self._has_locks = self._has_locks or taken
        return taken

    def unlock(self) -> None:
        """Let go of what `try_lock` took."""
        if self._has_locks:
            with self.prepare() as uow:
                uow.execute(sa.text("SELECT pg_advisory_unlock_all()"))
            self._has_locks = False

    @contextlib.contextmanager
    def prepare(self) -> Iterator[UnitOfWork]:
        """Open a unit of work that fills temporary tables: on SQLite it keeps nobody else from writing."""
        with self._unit_of_work("DEFERRED") as uow:
            yield uow

    @contextlib.contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """Open a unit of work for writing, like `Database.write`."""
        with self._unit_of_work("IMMEDIATE") as uow:
            yield uow

    @contextlib.contextmanager
    def _unit_of_work(self, begin: str) -> Iterator[UnitOfWork]:
        with self._database._told_as_errors():  # noqa: SLF001 - two halves of one thing
            uow = self._database._begin_on(self._connection, self._org_id, begin)  # noqa: SLF001
            with _ending(uow):
                yield uow


@contextlib.contextmanager
def _ending(uow: UnitOfWork) -> Iterator[None]:
    """End a unit of work's transaction with its block: committed if it says so, else rolled back.

    One that only read is committed too, as there is nothing to roll back: with every ROLLBACK psycopg forgets the
    statements it prepared, and the server would plan each of them anew all the time.
    """
    connection = uow.connection
    transaction = connection.get_transaction()
    assert transaction is not None
    with transaction:
        yield
        if uow.is_committed or (uow.is_reading and not uow.is_sqlite):
            _commit(connection, transaction)
        else:
            transaction.rollback()
    if uow.is_committed and uow.new_work and not uow.is_sqlite:
        wake(connection, uow.tenant, uow.new_work)


def _commit(connection: sa.Connection, transaction: sa.RootTransaction) -> None:
    try:
        transaction.commit()
    except sa.exc.DBAPIError:
        # SQLite leaves a transaction open whose COMMIT failed. Back in the pool it would keep everybody else from
        # writing, and fail whoever gets the connection next.
        connection.invalidate()
        raise


def _schema_problem(error: sa.exc.DBAPIError) -> Exception:
    text = _first_line(error.orig)
    if "no such" in text or "does not exist" in text:
        return SchemaTooOld(why=text)
    return error


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().splitlines()[0] if error and str(error).strip() else ""


def _create_engine(url: sa.URL, *, sqlite: bool, pool_size: int) -> sa.Engine:
    if not sqlite:
        engine = sa.create_engine(
            url,
            hide_parameters=True,  # errors must not carry people's names
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_use_lifo=True,  # the one used last has its statements prepared and the server's caches warm
            pool_recycle=_RECYCLE_SECONDS,
            # Transactions are begun in words, as on SQLite: the driver would send a BEGIN of its own before them.
            connect_args={"connect_timeout": 10, "autocommit": True},
        )
        sa.event.listen(engine, "begin", _begin_postgres)
        return engine
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
        poolclass=sa.pool.QueuePool,
        pool_size=pool_size,
        max_overflow=pool_size,
        connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS, "isolation_level": None},
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    mode = "WAL" if sqlite3.sqlite_version_info >= _WAL_SAFE else "TRUNCATE"
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_postgres(connection: sa.Connection) -> None:
    if connection.get_execution_options().get(_BEGIN) != NOT_YET:
        connection.exec_driver_sql("BEGIN")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN " + connection.get_execution_options().get(_BEGIN, "IMMEDIATE"))
