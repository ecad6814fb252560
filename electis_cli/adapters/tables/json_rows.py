"""Tables in JSON: an array of objects, or an object in each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from electis_cli.adapters.tables.inspecting import Inspected
from electis_cli.adapters.tables.json_objects import NotJson, read_array, read_lines
from electis_cli.adapters.tables.portions import Portion
from electis_cli.adapters.tables.refusing import refuse
from electis_cli.adapters.tables.scalars import scalar_text
from electis_cli.adapters.tables.signatures import Kind
from electis_cli.adapters.tables.table import Record
from electis_cli.domain.errors import Problem

_ABSENT = object()


class Nested(str):
    """The JSON of a value that is no cell: shown as text, and written back as what it was."""

    __slots__ = ()


class JsonTable:
    """Objects in a file (see `Table`): an absent key leaves a field, null clears it."""

    delimiter = ","
    header_line = 0

    def __init__(
        self, file: BinaryIO, *, name: str, kind: Kind, inspected: Inspected, skip_rows: int
    ) -> None:
        """Raises ImportRejected when the file is not JSON all through: its header are all the keys it has."""
        self.name, self.kind, self.sha256, self.size = name, kind, inspected.sha256, inspected.size
        self.problems: list[Problem] = []
        self._file, self._inspected, self._skipped = file, inspected, skip_rows
        self._portion = Portion(file)
        names: dict[str, None] = {}
        for _, item in self._objects():
            if not item.keys() <= names.keys():
                names.update(dict.fromkeys(item))
        self.header = tuple(names)

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield the objects' cells; see `Table`. A value that is itself an object is noted in `problems`."""
        self.problems.clear()
        header = self.header
        for line, item in self._objects():
            record: Record = []
            for column, name in enumerate(header, start=1):
                value = item.get(name, _ABSENT)
                if type(value) is str:
                    record.append(value)
                elif value is _ABSENT:
                    record.append(None)
                else:
                    record.append(self._cell(value, line, column))
            if any(record):
                yield line, record

    def where(self, line: int, column: int | None = None) -> str:  # noqa: ARG002 (an object has no columns)
        """Return a place as `file.json[17]`, the 17th object, or as `file.jsonl:17`, the line."""
        return f"{self.name}[{line}]" if self.kind is Kind.JSON else f"{self.name}:{line}"

    def position(self) -> float:
        """Return how much of the file was read, from 0 to 1."""
        return min(1.0, self._portion.offset / self.size)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._portion = Portion(self._file, self._inspected.sniffed.bom)
        text = self._portion.text(self._inspected.sniffed.encoding)
        items = read_array(text) if self.kind is Kind.JSON else read_lines(text)
        try:
            for line, item in items:
                if line <= self._skipped:
                    continue
                if not isinstance(item, dict):
                    self._refuse(line, "This is not an object with a name for each value.")
                yield line, item
        except NotJson as error:
            self._refuse(error.line, f"This is not JSON: {error.reason}.")

    def _cell(self, value: Any, line: int, column: int) -> str:
        if not isinstance(value, dict | list):
            return scalar_text(value)
        parts = value if isinstance(value, list) else [value]
        if not any(isinstance(part, dict | list) for part in parts):
            return ";".join(map(scalar_text, parts))
        name = self.header[column - 1]
        self.problems.append(
            Problem(
                code="E-CELL-NESTED",
                message=f"The value of {name} holds objects or lists of lists.",
                line=line,
                column=column,
                field=name,
                hint="a value is text, a number, true, false, null, or a list of these",
                where=self.where(line),
            )
        )
        return Nested(json.dumps(value, ensure_ascii=False))

    def _refuse(self, line: int, message: str) -> NoReturn:
        hint = "a JSON file is a list of objects, a JSONL file has one object in each line"
        refuse(self.name, "E-NOT-JSON", message, line=line, hint=hint, where=self.where(line))
