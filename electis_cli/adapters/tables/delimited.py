"""Tables in text with a sign between the cells: CSV and its kin."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO, NoReturn

from electis_cli.adapters.tables import wide_cells
from electis_cli.adapters.tables.delimiters import detect_delimiter, first_lines
from electis_cli.adapters.tables.inspecting import Inspected
from electis_cli.adapters.tables.portions import Portion
from electis_cli.adapters.tables.refusing import refuse
from electis_cli.adapters.tables.signatures import Kind
from electis_cli.adapters.tables.table import Record, trimmed
from electis_cli.domain.bulk.neutral import MARK, restore
from electis_cli.domain.errors import Problem

_QUOTED = re.compile(r'"(?:[^"]+|"")*+("?)')
_LINE_END = re.compile(r"\r\n|\r|\n")
_CLOSE = 'close it, and write a quote that is part of a value twice: ""'


class DelimitedTable:
    """A CSV file of any delimiter and encoding (see `Table`)."""

    def __init__(
        self, file: BinaryIO, *, name: str, inspected: Inspected, skip_rows: int, delimiter: str | None
    ) -> None:
        """Raises ImportRejected when there is no header. `skip_rows` lines of any content stand above it."""
        self.name, self.sha256, self.size = name, inspected.sha256, inspected.size
        self.problems: list[Problem] = []
        self._file, self._inspected, self._skipped = file, inspected, skip_rows
        self._portion = Portion(file)
        wide_cells.allow()
        try:
            self.delimiter = delimiter or detect_delimiter(first_lines(self._text()))
            self.kind = Kind.TSV if self.delimiter == "\t" else Kind.CSV
            self.header_line, header = next(self._read(0), (0, []))
            if not header:
                refuse(name, "E-FILE-EMPTY", "The file is empty.", hint="its first line names the columns")
        except BaseException:
            wide_cells.disallow()
            raise
        self.header = trimmed(header)

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield the rows after the header; see `Table`."""
        return self._read(1)

    def where(self, line: int, column: int | None = None) -> str:
        """Return a place as `file.csv:17:3`."""
        return f"{self.name}:{line}" if column is None else f"{self.name}:{line}:{column}"

    def position(self) -> float:
        """Return how much of the file was read, from 0 to 1."""
        return min(1.0, self._portion.offset / self.size)

    def close(self) -> None:
        """Let go of the file."""
        wide_cells.disallow()
        self._file.close()

    def _text(self) -> Iterator[str]:
        self._portion = Portion(self._file, self._inspected.sniffed.bom)
        text = self._portion.text(self._inspected.sniffed.encoding)
        next(itertools.islice(text, self._skipped, self._skipped), None)
        return text

    def _read(self, leave_out: int) -> Iterator[tuple[int, Record]]:
        """Yield the records but for the first ones. Hundreds of thousands pass here: nothing is done twice."""
        reader = csv.reader(self._text(), delimiter=self.delimiter, strict=True)
        skipped = self._skipped + 1
        line = skipped
        strip = str.strip
        may_restore = self._inspected.may_restore
        try:
            for record in reader:
                if (record and strip(record[0])) or any(map(strip, record)):
                    if leave_out:
                        leave_out -= 1
                    elif may_restore and MARK in "".join(record):
                        yield line, [restore(cell) for cell in record]
                    else:
                        yield line, record  # type: ignore[misc] # text is fine where text or None is
                line = reader.line_num + skipped
        except csv.Error as error:
            self._refuse(str(error), line, reader.line_num + skipped - 1)

    def _refuse(self, reason: str, line: int, last: int) -> NoReturn:
        """Refuse the file for a record that starts in one line and is not CSV as the last line shows."""
        hint = _CLOSE
        if "unexpected end" in reason:
            line += self._lines_before_open_quote(line)
            message = "A quote is opened here and never closed."
        elif "limit" in reason:
            message = (
                f"The record that starts here has a cell of more than {wide_cells.LONGEST_CELL:,} characters;"
                " perhaps a quote is opened and not closed."
            )
        elif "expected after" in reason:
            message = f"The record that starts here is not CSV: in line {last}, text follows a closing quote."
        else:
            message = f"The record that starts here is not CSV: {reason}."
        refuse(self.name, "E-NOT-CSV", message, line=line, hint=hint)

    def _lines_before_open_quote(self, line: int) -> int:
        text = Portion(self._file, self._inspected.sniffed.bom).text(self._inspected.sniffed.encoding)
        rest = "".join(itertools.islice(text, line - 1, None))
        opened = next((match.start() for match in _QUOTED.finditer(rest) if not match[1]), 0)
        return len(_LINE_END.findall(rest, 0, opened))
