"""The lock beside an embedded database: one daemon at a time, freed by the kernel however it dies."""

from __future__ import annotations

import fcntl
import os
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
