"""Opening a file of rows: what it is, its content says."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from electis_cli.adapters.tables.damage import check_bytes
from electis_cli.adapters.tables.delimited import DelimitedTable
from electis_cli.adapters.tables.inspecting import inspect, open_bytes, put_aside
from electis_cli.adapters.tables.portions import Portion
from electis_cli.adapters.tables.refusing import refuse
from electis_cli.adapters.tables.signatures import SHEETS, recognize, recognize_json
from electis_cli.adapters.tables.table import Table
from electis_cli.domain.errors import InvalidInput

_START = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    name: str
    sheet: str | None
    skip_rows: int
    delimiter: str | None
    encoding: str | None


@contextmanager
def open_table(
    path: Path | None,
    stdin: BinaryIO | None,
    *,
    name: str,
    sheet: str | None = None,
    skip_rows: int = 0,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Iterator[Table]:
    """Open the file at `path`, or standard input when it is None; people know it as `name`.

    Kind, delimiter and encoding are detected by content; the last two can be said instead. `skip_rows` lines (objects,
    in JSON) stand above the header. Standard input, and what else can be read only once, is put aside on the disk.
    Raises ImportRejected when the file can not be read as a table, UsageProblem when there is no such file, and
    InvalidInput when an option does not fit it.
    """
    request = _Request(
        name=name,
        sheet=sheet,
        skip_rows=skip_rows,
        delimiter=_check_delimiter(delimiter),
        encoding=_check_encoding(encoding),
    )
    file, is_stream = open_bytes(path, stdin)
    if is_stream:
        stream, file = file, put_aside(file)
        if path is not None:
            stream.close()
    try:
        table = _open(file, request)
    except BaseException:
        file.close()
        raise
    try:
        yield table
    finally:
        table.close()


def _open(file: BinaryIO, request: _Request) -> Table:
    name = request.name
    kind = recognize(file, name)
    if kind in SHEETS:
        _refuse_options(request, "a spreadsheet", delimiter=request.delimiter, encoding=request.encoding)
        # Late: most imports are text, and the reader of spreadsheets is a library of some size.
        from electis_cli.adapters.tables.sheets import SheetTable  # noqa: PLC0415

        inspected = inspect(file, "latin-1")
        return SheetTable(
            file, name=name, kind=kind, inspected=inspected, sheet=request.sheet, skip_rows=request.skip_rows
        )
    inspected = inspect(file, request.encoding)
    if not inspected.size:
        refuse(name, "E-FILE-EMPTY", "The file is empty.", hint="its first line names the columns")
    check_bytes(file, name, inspected.sniffed)
    start = Portion(file, inspected.sniffed.bom).text(inspected.sniffed.encoding).read(_START)
    kind = recognize_json(start)
    _refuse_options(request, "JSON" if kind else "CSV", sheet=request.sheet)
    if kind is not None:
        from electis_cli.adapters.tables.json_rows import JsonTable  # noqa: PLC0415

        _refuse_options(request, "JSON", delimiter=request.delimiter)
        return JsonTable(file, name=name, kind=kind, inspected=inspected, skip_rows=request.skip_rows)
    return DelimitedTable(
        file, name=name, inspected=inspected, skip_rows=request.skip_rows, delimiter=request.delimiter
    )


def _refuse_options(request: _Request, kind: str, **given: str | None) -> None:
    for option, value in given.items():
        if value is not None:
            raise InvalidInput(
                f"--{option} does not fit {request.name}, which is {kind}.", fix=f"leave out --{option}"
            )


def _check_delimiter(delimiter: str | None) -> str | None:
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
    delimiter = named.get(delimiter, delimiter) if delimiter else None
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise InvalidInput(
            f"{delimiter!r} can not separate cells.", fix="--delimiter with one sign, such as ';' or tab"
        )
    return delimiter


def _check_encoding(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        found = codecs.lookup(encoding)
        "a".encode(found.name)  # a LookupError for codecs that are no encodings of text
        codecs.getincrementaldecoder(found.name)
    except (LookupError, UnicodeError) as error:
        raise InvalidInput(
            f"{encoding!r} is not an encoding.", fix="--encoding with a name such as utf-8 or cp1255"
        ) from error
    return found.name.removesuffix("-sig")
