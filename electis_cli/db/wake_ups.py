"""Waking idle daemons on PostgreSQL: a NOTIFY after each commit that made work, and a connection that listens.

A wake-up may get lost, with the process that was about to send it or with the connection that listened. Nothing depends
on one: daemons look by themselves all the time, a wake-up only makes them look now.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import sqlalchemy as sa

from electis_cli.domain.errors import DatabaseUnavailable

CHANNEL = "electis_work"

_OPTIONS = {"connect_timeout": 10, "keepalives_idle": 30}
"""In seconds. Nothing is ever sent over this connection, so the system has to ask whether the server is still there."""


def wake(connection: sa.Connection) -> None:
    """Wake every daemon that listens, over a connection whose transaction has just been committed. Never fails.

    It is a transaction of its own on purpose. NOTIFY holds a lock of the whole server until its transaction is on disk,
    so inside the edit's own it would make all edits of all writers wait for one another's disk; alone it has nothing to
    write there.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        driver.autocommit = True
        driver.execute(f"NOTIFY {CHANNEL}")
        driver.autocommit = False
    except psycopg.Error:
        # The change is committed: nobody may be told that it failed, nor get this connection next.
        connection.invalidate()


class WakeUps:
    """A connection of its own that hears wake-ups. Raises DatabaseUnavailable when it cannot be made, or broke."""

    def __init__(self, engine: sa.Engine) -> None:
        """Connect as the engine does, and listen from now on."""
        _, options = engine.dialect.create_connect_args(engine.url)
        with _told():
            self._connection = psycopg.connect(**{**_OPTIONS, **options}, autocommit=True)
            try:
                self._connection.execute(f"LISTEN {CHANNEL}")
            except psycopg.Error:
                self._connection.close()
                raise

    def wait(self, seconds: float) -> bool:
        """Wait so many seconds at most; True as soon as anybody was heard, however often."""
        with _told():
            return bool(list(self._connection.notifies(timeout=seconds, stop_after=1)))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        why = str(error).strip().splitlines()
        raise DatabaseUnavailable(why=why[0] if why else "", fix="electis health") from error
