"""Rows as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import orjson

from electis_cli.adapters.tables.json_rows import Nested
from electis_cli.adapters.tables.table import Row


class JsonLinesFormat:
    """Writes an object in each line; what is not there is left out."""

    def __init__(self, out: BinaryIO, header: Sequence[str]) -> None:
        self._out, self._header = out, tuple(header)

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        header, lines = self._header, []
        for row in rows:
            item = {
                name: orjson.Fragment(str(cell)) if isinstance(cell, Nested) else cell
                for name, cell in zip(header, row, strict=True)
                if cell is not None
            }
            lines.append(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE))
        self._out.write(b"".join(lines))

    def finish(self) -> None:
        """Hand everything over."""
        self._out.flush()

    def abandon(self) -> None:
        """Nothing was put aside."""
