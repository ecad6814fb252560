"""A file of rows that is open for reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from electis_cli.adapters.tables.signatures import Kind
from electis_cli.domain.bulk.neutral import restore
from electis_cli.domain.errors import Problem

Record = list[str | None]
"""A row's cells. None is a cell that is not there (JSON alone): its field stays; an empty one clears its field."""


Row = Sequence[str | None]
"""A row to be written: as it is read, but of any sequence."""


class Table(Protocol):
    """A file of rows. `open_table` opens one, and it is to be used within its `with`."""

    name: str
    """What people call the file."""
    kind: Kind
    sha256: str
    """The digest of the file's bytes, in hexadecimal."""
    size: int
    """The number of its bytes."""
    header: tuple[str, ...]
    """The names of the columns as they are written, without empty ones at the end; in JSON all keys of all objects."""
    header_line: int
    """The line the header is in, 0 for JSON."""
    delimiter: str
    """What separates the cells, a comma for files that have no such thing."""
    problems: list[Problem]
    """What was wrong with rows that were handed over so far: their line is among them when the row is not usable."""

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield the rows after the header with their lines, each call from the first one on; blank rows are left out.

        A row is handed over as it is, even if it has too few or too many cells. Raises ImportRejected where the
        file can not be read on.
        """

    def where(self, line: int, column: int | None = None) -> str:
        """Return a place as people find it; columns count from 1."""

    def position(self) -> float:
        """Return how much of the file the latest `records` has read, from 0 to 1, roughly."""

    def close(self) -> None:
        """Let go of the file."""


def trimmed(header: Sequence[str | None]) -> tuple[str, ...]:
    """Return a header without empty cells at its end: files with commas at the end of every line have them."""
    names = [restore(name or "") for name in header]
    while names and not names[-1].strip():
        names.pop()
    return tuple(names)
