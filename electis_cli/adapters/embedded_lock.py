"""Locks beside an embedded database, freed by the kernel however their holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from electis_cli.domain.errors import LockHeld

_TRIES, _PAUSE_SECONDS = 5, 0.05
"""Whoever asks whether the lock is free holds it for a moment; a daemon that starts right then tries again."""


def is_lock_free(database_path: Path) -> bool:
    """Tell whether no daemon works on an SQLite database, however its last one ended."""
    try:
        with _lock_file(database_path).open(encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    except FileNotFoundError:
        return True
    except OSError:
        return False


def lock_embedded_database(database_path: Path) -> IO[str]:
    """Take the daemon's lock of an SQLite database and return it, to be kept open. Raises LockHeld."""
    file = _lock_file(database_path).open("a+", encoding="ascii")
    try:
        _lock(file)
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


def _lock_file(database_path: Path) -> Path:
    return database_path.with_name(database_path.name + ".daemon-lock")


def _lock(file: IO[str]) -> None:
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if not left:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
