"""Rows as a spreadsheet."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from typing import BinaryIO

from xlsxwriter import Workbook  # type: ignore[import-untyped] # has no py.typed

from electis_cli.adapters.tables.table import Row
from electis_cli.domain.bulk.neutral import shield
from electis_cli.domain.errors import InvalidInput

_MOST_ROWS = 1_048_576
_LONGEST_CELL = 32_767
_NO_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
_WIDTH = 18


class SheetFormat:
    """Writes one sheet, row by row; every cell is text, so that no formula starts and no zero is lost.

    Empty columns are text as well: what people type into a template stays as they type it.
    """

    def __init__(self, out: BinaryIO, header: Sequence[str]) -> None:
        self._out, self._line = out, 0
        names = [_check(name) for name in header]
        self._folder = tempfile.TemporaryDirectory(prefix="electis-")
        self._book = Workbook(out, {"constant_memory": True, "tmpdir": self._folder.name})
        self._sheet = self._book.add_worksheet()
        text = self._book.add_format({"num_format": "@"})
        title = self._book.add_format({"num_format": "@", "bold": True})
        self._sheet.set_column(0, max(0, len(header) - 1), _WIDTH, text)
        self._sheet.freeze_panes(1, 0)
        for place, name in enumerate(names):
            self._sheet.write_string(0, place, name, title)

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows; raises InvalidInput for a row or a cell too much."""
        write_string = self._sheet.write_string  # the one that makes no formulas, links and numbers of text
        for row in rows:
            self._line += 1
            if self._line >= _MOST_ROWS:
                raise InvalidInput(f"A sheet has at most {_MOST_ROWS:,} rows.", fix="write CSV instead")
            for place, cell in enumerate(row):
                if cell:
                    write_string(self._line, place, _check(cell))

    def finish(self) -> None:
        """Put the file together."""
        self._book.close()
        self._out.flush()

    def abandon(self) -> None:
        """Remove the rows that were put aside until the file is put together."""
        self._sheet.row_data_fh.close()
        self._folder.cleanup()


def _check(cell: str) -> str:
    text = shield(cell)
    if len(text) > _LONGEST_CELL // 2 and len(text.encode("utf-16-le", "surrogatepass")) > _LONGEST_CELL * 2:
        raise InvalidInput(
            f"A cell of a sheet has at most {_LONGEST_CELL:,} characters; one has {len(text):,}.",
            why=f"It starts with {text[:40]!r}.",
            fix="write CSV instead",
        )
    if _NO_XML.search(text):
        raise InvalidInput(
            f"The value {cell[:40]!r} has a character that no sheet can hold.", fix="write CSV instead"
        )
    return text
