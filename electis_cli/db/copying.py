"""COPY through the driver itself: what it says is told as errors of the domain."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg

from electis_cli.db.interrupting import let_interruptions_through
from electis_cli.domain.errors import DatabaseUnavailable


@contextlib.contextmanager
def copying() -> Iterator[None]:
    """Turn what the driver says of a COPY inside the block into errors of the domain. Raises DatabaseUnavailable."""
    try:
        yield
    except psycopg.OperationalError as error:
        let_interruptions_through(error)
        raise DatabaseUnavailable(why=str(error).strip().split("\n")[0], fix="electis health") from error
