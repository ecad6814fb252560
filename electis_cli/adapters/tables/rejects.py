"""Reject files: the rows of a table that were wrong, as they were, each with what is wrong with it.

They can be imported again as they are, and then say the same. So what a row's shape was is kept too: one with too few
cells gets a cell too much, or else it would be complete now and its missing cells would clear fields. For the same
reason rows of JSON are written as JSON lines, where a key that was not there is still not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from electis_cli.adapters.tables.json_rows import JsonTable
from electis_cli.adapters.tables.table import Record, Table
from electis_cli.adapters.tables.writing import TableWriter
from electis_cli.adapters.tables.writing_json import JsonLinesFormat
from electis_cli.adapters.tables.writing_text import DelimitedFormat
from electis_cli.adapters.whole_file import whole_file
from electis_cli.domain.bulk.header import REJECT_COLUMNS
from electis_cli.domain.bulk.spelling import tidy

TOO_FEW = "complete the row, then empty this cell"


class RejectWriter:
    """Takes the rows of a table that are wrong."""

    def __init__(self, writer: TableWriter, header: tuple[str, ...]) -> None:
        self._writer, self._width = writer, len(header)
        self._places = [place for place, name in enumerate(header) if tidy(name) not in REJECT_COLUMNS]

    def write(
        self, line: int, column: int | str | None, code: str, message: str, hint: str, record: Record
    ) -> None:
        """Write a row as `records` gave it, with what is wrong with it; `column` is a number, a name or nothing."""
        cells: Record = [record[place] if place < len(record) else "" for place in self._places]
        cells += [str(line), "" if column is None else str(column), code, message, hint]
        beyond = record[self._width :]
        if len(record) < self._width:
            cells.append(TOO_FEW)
        elif any((cell or "").strip() for cell in beyond):
            cells += beyond
        self._writer.write(cells)


@contextmanager
def open_rejects(path: Path, table: Table) -> Iterator[RejectWriter]:
    """Open a reject file for a table, written whole or not at all; without rows it has its header alone.

    It has the table's columns, `_line`, `_column`, `_code`, `_message` and `_hint`: UTF-8 with a byte order mark and
    the table's delimiter, neutralized for spreadsheets; JSON lines for a table in JSON.
    """
    columns = [name for name in table.header if tidy(name) not in REJECT_COLUMNS]
    header = [*columns, *REJECT_COLUMNS]
    with whole_file(path) as file:
        if isinstance(table, JsonTable):
            writer = TableWriter(JsonLinesFormat(file, header))
        else:
            writer = TableWriter(DelimitedFormat(file, header, delimiter=table.delimiter, excel=True))
        yield RejectWriter(writer, table.header)
        writer.close()
