"""Rows as CSV and TSV."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from typing import BinaryIO

from electis_cli.adapters.tables.table import Row
from electis_cli.domain.bulk.neutral import MARK, neutralize, shield


class DelimitedFormat:
    """Writes UTF-8; lines end with LF. With `excel`: a byte order mark, CRLF, and cells neutralized."""

    def __init__(self, out: BinaryIO, header: Sequence[str], *, delimiter: str, excel: bool) -> None:
        self._out, self._delimiter, self._excel = out, delimiter, excel
        # Signs of a cell that starts with an apostrophe, or that holds a bare CR. Found in the text as it is written,
        # because that is some ten times as fast as looking at every cell.
        self._careful = ("\r", f"{delimiter}{MARK}", f"\n{MARK}", f'"{MARK}')
        if excel:
            out.write(codecs.BOM_UTF8)
        self.write([header])

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        if self._excel:
            text = self._written([[neutralize(cell or "") for cell in row] for row in rows])
        else:
            text = self._written(rows, "\n")
            if text.startswith(MARK) or any(sign in text for sign in self._careful):
                # With CRLF as its line end the writer quotes a cell that holds either half of it.
                lines = (self._written([[shield(cell or "") for cell in row]]) for row in rows)
                text = "".join(line.removesuffix("\r\n") + "\n" for line in lines)
        self._out.write(text.encode())

    def finish(self) -> None:
        """Hand everything over."""
        self._out.flush()

    def abandon(self) -> None:
        """Nothing was put aside."""

    def _written(self, rows: Sequence[Row], line_end: str = "\r\n") -> str:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._delimiter, lineterminator=line_end).writerows(rows)
        return text.getvalue()
