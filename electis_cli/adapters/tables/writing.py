"""Writing rows into a file: CSV, TSV, JSONL or XLSX."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from electis_cli.adapters.tables.signatures import Kind
from electis_cli.adapters.tables.table import Row
from electis_cli.adapters.whole_file import whole_file

_BATCH = 1000


class Format(Protocol):
    """How rows become the bytes of one kind of file."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""

    def finish(self) -> None:
        """Write what comes after the last row."""

    def abandon(self) -> None:
        """Let go of what was put aside meanwhile."""


class TableWriter:
    """Takes rows one by one or many at a time; memory holds a thousand of them."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._waiting: list[Row] = []

    def write(self, row: Row) -> None:
        """Write one row; None is a value that is not there."""
        self._waiting.append(row)
        if len(self._waiting) >= _BATCH:
            self._flush()

    def write_many(self, rows: Iterable[Row]) -> None:
        """Write rows."""
        self._flush()
        remaining = iter(rows)
        while batch := list(itertools.islice(remaining, _BATCH)):
            self._form.write(batch)

    def close(self) -> None:
        """Write what is left; `open_writer` does this at the end of its block."""
        self._flush()
        self._form.finish()

    def abandon(self) -> None:
        """Leave nothing behind but what was written."""
        self._form.abandon()

    def _flush(self) -> None:
        if self._waiting:
            self._form.write(self._waiting)
            self._waiting = []


@contextmanager
def open_writer(
    out: Path | BinaryIO, kind: Kind, header: Sequence[str], *, excel: bool = False
) -> Iterator[TableWriter]:
    """Open a file for rows under a header.

    A path is written whole or not at all (see `whole_file`), a stream as it comes and left open. With `excel` a CSV
    or TSV is one that a spreadsheet opens rightly: UTF-8 with its mark, CRLF, cells neutralized (see
    `domain.bulk.neutral`). Raises InvalidInput when the file can not be written, and for what XLSX can not hold.
    """
    if isinstance(out, Path):
        with whole_file(out) as file, open_writer(file, kind, header, excel=excel) as writer:
            yield writer
        return
    writer = TableWriter(_form(out, kind, header, excel=excel))
    try:
        yield writer
        writer.close()
    finally:
        writer.abandon()


def _form(out: BinaryIO, kind: Kind, header: Sequence[str], *, excel: bool) -> Format:
    match kind:
        case Kind.CSV | Kind.TSV:
            from electis_cli.adapters.tables.writing_text import DelimitedFormat  # noqa: PLC0415

            return DelimitedFormat(out, header, delimiter="\t" if kind is Kind.TSV else ",", excel=excel)
        case Kind.JSONL:
            from electis_cli.adapters.tables.writing_json import JsonLinesFormat  # noqa: PLC0415

            return JsonLinesFormat(out, header)
        case Kind.XLSX:
            # Late: only who writes a spreadsheet pays for its library.
            from electis_cli.adapters.tables.writing_sheets import SheetFormat  # noqa: PLC0415

            return SheetFormat(out, header)
        case _:
            raise ValueError(kind)
