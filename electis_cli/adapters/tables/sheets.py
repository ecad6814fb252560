"""Tables in spreadsheets: XLSX, the old XLS, and OpenDocument.

The reader holds the sheet in memory, packed; it is some ten times as fast as one that streams. It does not know
number formats: a 7 that is shown as 007 is read as 7, so ids belong in cells that are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from electis_cli.adapters.tables.inspecting import Inspected
from electis_cli.adapters.tables.places import cell_name, range_name
from electis_cli.adapters.tables.refusing import refuse, refuse_all
from electis_cli.adapters.tables.scalars import scalar_text
from electis_cli.adapters.tables.sheet_errors import error_cells
from electis_cli.adapters.tables.signatures import Kind
from electis_cli.adapters.tables.table import Record, trimmed
from electis_cli.domain.bulk.neutral import MARK, restore
from electis_cli.domain.errors import InvalidInput, Problem

_PLAIN_SHEET = re.compile(r"\w+")


class SheetTable:
    """One sheet of a spreadsheet (see `Table`)."""

    delimiter = ","

    def __init__(
        self,
        file: BinaryIO,
        *,
        name: str,
        kind: Kind,
        inspected: Inspected,
        sheet: str | None,
        skip_rows: int,
    ) -> None:
        """Raises ImportRejected when the sheet has no header, merged cells or errors, InvalidInput for a wrong name."""
        self.name, self.kind, self.sha256, self.size = name, kind, inspected.sha256, inspected.size
        self.problems: list[Problem] = []
        self._file = file
        try:
            file.seek(0)
            book = CalamineWorkbook.from_filelike(file)
            self._sheet = _choose(book, sheet, name)
        except PasswordError:
            refuse(name, "E-NOT-TABLE", "The file is protected by a password.", hint="save it without one")
        except CalamineError as error:
            what = "an old Office document without sheets" if kind is Kind.XLS else "a damaged spreadsheet"
            message = f"The file is {what}, or can not be read: {error}."
            refuse(name, "E-NOT-TABLE", message, hint="save it as XLSX or CSV")
        self._first_column = self._sheet.start[1] if self._sheet.start else 0
        self._line, self.header_line = 0, 0
        self.header: tuple[str, ...] = ()
        for line, row in enumerate(self._sheet.iter_rows(), start=1):
            if line > skip_rows and any(str(cell).strip() for cell in row):
                self.header_line, self.header = line, trimmed([scalar_text(cell) for cell in row])
                break
        if not self.header:
            message = f"The sheet {self._sheet.name} is empty."
            hint = (
                f"pick one with --sheet: {', '.join(book.sheet_names)}" if len(book.sheet_names) > 1 else ""
            )
            refuse(name, "E-FILE-EMPTY", message, hint=hint)
        if wrong := [*self._merged(), *self._errors()]:
            refuse_all(name, wrong)

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield the rows after the header; see `Table`. Empty cells beyond the header are left out."""
        width = len(self.header)
        for line, row in enumerate(self._sheet.iter_rows(), start=1):
            self._line = line
            if line <= self.header_line:
                continue
            record: Record = [cell if type(cell) is str else scalar_text(cell) for cell in row]
            while len(record) > width and not (record[-1] or "").strip():
                record.pop()
            text = "".join(record)  # type: ignore[arg-type] # no cell of a sheet is None
            if not text.strip():
                continue
            if MARK in text:
                record = [restore(cell or "") for cell in record]
            yield line, record

    def where(self, line: int, column: int | None = None) -> str:
        """Return a place as `Sheet1!C17`, or `Sheet1!17` for a row."""
        title = self._sheet.name
        if not _PLAIN_SHEET.fullmatch(title):
            title = "'" + title.replace("'", "''") + "'"
        return f"{title}!{line if column is None else cell_name(line, self._first_column + column)}"

    def position(self) -> float:
        """Return how much of the sheet was handed over, from 0 to 1."""
        return self._line / (self._sheet.end[0] + 1) if self._sheet.end else 1.0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _merged(self) -> Iterator[Problem]:
        """Yield what is wrong with merged cells: only their first one has the value, the others would clear fields."""
        for (top, left), (bottom, right) in self._sheet.merged_cell_ranges or ():
            first, last = left + 1 - self._first_column, right + 1 - self._first_column
            if bottom + 1 < self.header_line or first > len(self.header):
                continue
            cells = range_name((top + 1, left + 1), (bottom + 1, right + 1))
            if top + 1 <= self.header_line:
                what = f"{last - first + 1} columns" if last > first else f"{bottom - top + 1} rows"
                message = f"The header's cells {cells} are merged over {what}."
                hint = f"unmerge them, or add --skip-rows {bottom + 1} when the real header is below"
            else:
                message = f"The cells {cells} are merged: only the first one has a value."
                hint = "unmerge them and fill in each cell"
            yield Problem(
                code="E-MERGED",
                message=message,
                line=top + 1,
                column=first,
                hint=hint,
                where=self.where(top + 1, first),
            )

    def _errors(self) -> Iterator[Problem]:
        """Yield the cells whose formulas failed: the reader gives them as empty, which would clear fields."""
        if self.kind is not Kind.XLSX:
            return
        for line, place, text in error_cells(self._file, self._sheet.name):
            column = place - self._first_column
            if line >= self.header_line and 1 <= column <= len(self.header):
                yield Problem(
                    code="E-CELL-ERROR",
                    message=f"The formula of this cell failed: {text}.",
                    line=line,
                    column=column,
                    hint="correct the formula, or put the value in its place",
                    where=self.where(line, column),
                )


def _choose(book: CalamineWorkbook, wanted: str | None, name: str) -> CalamineSheet:
    """Return the sheet that is wanted, by name or by number from 1; by itself the first one that is not hidden."""
    names = book.sheet_names
    if wanted is None:
        visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible is SheetVisibleEnum.Visible]
        return book.get_sheet_by_name((visible or names)[0])
    if wanted not in names and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return book.get_sheet_by_index(int(wanted) - 1)
    if wanted not in names:
        raise InvalidInput(f"{name} has no sheet {wanted!r}.", why=f"Its sheets are {', '.join(names)}.")
    return book.get_sheet_by_name(wanted)
