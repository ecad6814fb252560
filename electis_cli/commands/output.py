"""Results on standard output: table, JSON, JSON lines, CSV or bare names, all from one view per noun."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from electis_cli.commands.options import OutputFormat
from electis_cli.domain.errors import UsageProblem
from electis_cli.domain.timing import iso

_WIDEST = 60


def plain(value: Any) -> Any:
    """Return a view as what JSON knows: keys as they are, times as ISO 8601, enums as their values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    return value.value if isinstance(value, Enum) else value


def _chosen(record: Mapping[str, Any], fields: Sequence[str] | None) -> dict[str, Any]:
    if fields is None:
        return dict(record)
    unknown = [name for name in fields if name not in record]
    if unknown:
        raise UsageProblem(
            f"There is no field {unknown[0]!r}.",
            why="The fields are: " + ", ".join(record) + ".",
            fix="--fields A,B",
        )
    return {name: record[name] for name in fields}


def _field_names(fields: str | None) -> list[str] | None:
    return [name.strip() for name in fields.split(",") if name.strip()] if fields else None


def show_one(view: Any, output: OutputFormat, *, fields: str | None = None, name: str = "") -> None:
    """Write one thing; `name` is the field that `-o name` prints (default: the first)."""
    record = _chosen(plain(view), _field_names(fields))
    if output is OutputFormat.TABLE:
        width = max((len(key) for key in record), default=0)
        for key, value in record.items():
            _line(f"{key:<{width}}  {_cell(value)}")
        return
    _write([record], output, one=True, name=name)


def show_many(
    views: Iterable[Any],
    output: OutputFormat,
    *,
    fields: str | None = None,
    name: str = "",
    table: Sequence[str] | None = None,
    empty: str = "Nothing to show.",
) -> None:
    """Write a list; `table` names the columns a person sees, `empty` what they read when there are none."""
    names = _field_names(fields)
    records = [_chosen(plain(view), names) for view in views]
    if output is OutputFormat.TABLE:
        if not records:
            print(empty, file=sys.stderr)
            return
        _table(
            [
                {key: record[key] for key in table if key in record} if table and not names else record
                for record in records
            ]
        )
        return
    _write(records, output, one=False, name=name)


def _write(records: Sequence[Mapping[str, Any]], output: OutputFormat, *, one: bool, name: str) -> None:
    if output is OutputFormat.JSON:
        body: Any = records[0] if one else records
        _line(json.dumps(body, ensure_ascii=False, indent=2))
    elif output is OutputFormat.JSONL:
        for record in records:
            _line(json.dumps(record, ensure_ascii=False))
    elif output is OutputFormat.NAME:
        for record in records:
            _line(str(record[name] if name in record else next(iter(record.values()))))
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        if records:
            writer.writerow(records[0])
        for record in records:
            writer.writerow([_cell(value) for value in record.values()])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_cell(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(_cell(item) for item in value)
    return str(value)


def _width(text: str) -> int:
    """Return how many terminal cells a text takes; combining marks take none, East Asian wide ones two."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _table(records: Sequence[Mapping[str, Any]]) -> None:
    """Write an aligned table; on a terminal long cells are cut, in a pipe never."""
    columns = list(records[0])
    rows = [[_cell(record[column]).replace("\n", " ") for column in columns] for record in records]
    if sys.stdout.isatty():
        rows = [
            [cell if _width(cell) <= _WIDEST else cell[: _WIDEST - 3] + "..." for cell in row] for row in rows
        ]
    widths = [
        max(_width(column), *(_width(row[place]) for row in rows)) for place, column in enumerate(columns)
    ]
    for row in [[column.upper() for column in columns], *rows]:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        _line("  ".join(cells).rstrip())


def _line(text: str) -> None:
    print(text)


def talk(text: str) -> None:
    """Say something to the person at the terminal, beside the data."""
    print(text, file=sys.stderr)


class Stream:
    """A list that is written while it grows, a row at a time, also into a pipe; `-o json` is one list at the end."""

    def __init__(
        self,
        output: OutputFormat,
        *,
        line: Callable[[Mapping[str, Any]], str],
        fields: str | None = None,
        name: str = "",
    ) -> None:
        """`line` makes of a record what a person reads, `name` is the field that `-o name` prints."""
        self._output, self._line, self._name = output, line, name
        self._names = _field_names(fields)
        self._kept: list[Mapping[str, Any]] = []
        self._is_first = True

    def write(self, view: Any) -> None:
        """Write one more."""
        record = _chosen(plain(view), self._names)
        if self._output is OutputFormat.JSON:
            self._kept.append(record)
        elif self._output is OutputFormat.TABLE:
            _line("  ".join(map(_cell, record.values())) if self._names else self._line(record))
        elif self._output is OutputFormat.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            if self._is_first:
                writer.writerow(record)
            writer.writerow([_cell(value) for value in record.values()])
        else:
            _write([record], self._output, one=True, name=self._name)
        self._is_first = False
        sys.stdout.flush()

    def close(self) -> None:
        """Write what could only be written whole."""
        if self._output is OutputFormat.JSON:
            _write(self._kept, self._output, one=False, name=self._name)
