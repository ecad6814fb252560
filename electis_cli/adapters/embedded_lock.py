"""Locks beside an embedded database, freed by the kernel however their holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from electis_cli.domain.errors import LockHeld


def lock_embedded_database(database_path: Path) -> IO[str]:
    """Take the daemon's lock of an SQLite database and return it, to be kept open. Raises LockHeld."""
    path = database_path.with_name(database_path.name + ".daemon-lock")
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise LockHeld(
            f"A daemon (process {holder}) works on this embedded database already.",
            why="SQLite has one writer at a time; several daemons need PostgreSQL.",
            fix="export ELECTIS_DATABASE_URL=postgresql://...",
        ) from error
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


@contextlib.contextmanager
def lock_embedded_work(database_path: Path, name: str) -> Iterator[None]:
    """Hold a lock of an SQLite database while the block runs: one such piece of work at a time. Raises LockHeld."""
    path = database_path.with_name(f"{database_path.name}.{name}-lock")
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LockHeld(
                "Another bulk change of this database is running.",
                why="Two at once would mix; the first one goes on.",
                fix="electis history list, then run the command again",
            ) from error
        yield
