"""Waking idle daemons on PostgreSQL: a NOTIFY after each commit that made work, and a connection that listens.

A wake-up may get lost, with the process that was about to send it or with the connection that listened. Nothing depends
on one: daemons look by themselves all the time, a wake-up only makes them look now, and where.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator

import psycopg
import sqlalchemy as sa

from electis_cli.domain.errors import DatabaseUnavailable

CHANNEL = "electis_work"

_MOST_NAMED = 20

_OPTIONS = {"connect_timeout": 10, "keepalives_idle": 30}
"""In seconds. Nothing is ever sent over this connection, so the system has to ask whether the server is still there."""


def wake(connection: sa.Connection, org_id: str, store_ids: Collection[str]) -> None:
    """Tell every daemon that listens which stores have work, over a connection that has just committed. Never fails.

    Of very many stores it is only said that there is work.

    It is a transaction of its own on purpose. NOTIFY holds a lock of the whole server until its transaction is on disk,
    so inside the edit's own it would make all edits of all writers wait for one another's disk; alone it has nothing to
    write there.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        told = [f"{org_id} {store_id}" for store_id in store_ids] if len(store_ids) <= _MOST_NAMED else [""]
        driver.execute("SELECT pg_notify(%s, told) FROM unnest(%s::text[]) AS told", (CHANNEL, told))
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

    def wait(self, seconds: float) -> list[tuple[str, str] | None]:
        """Wait so many seconds at most for anybody, and return the organizations and stores that have work.

        None stands for any that were not named.
        """
        with _told():
            notices = list(self._connection.notifies(timeout=seconds, stop_after=1))
        return [_place(notice.payload) for notice in notices]

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def _place(told: str) -> tuple[str, str] | None:
    org_id, _, store_id = told.partition(" ")
    return (org_id, store_id) if store_id else None


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        why = str(error).strip().splitlines()
        raise DatabaseUnavailable(why=why[0] if why else "", fix="electis health") from error
