"""CSV as a database writes it, on its way into an export: which of it has to be written anew."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from electis_cli.domain.bulk.neutral import MARK

_SIGN = MARK.encode()


def needs_care(block: bytes, delimiter: str) -> bool:
    """Tell whether a cell of some records may start with an apostrophe, so that it may have to be shielded.

    The signs are looked for in the text as it is, because that is some hundred times as fast as taking it apart.
    """
    return block.startswith(_SIGN) or any(sign + _SIGN in block for sign in (delimiter.encode(), b"\n", b'"'))


def read_records(records: Sequence[bytes | memoryview], delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each record."""
    return csv.reader((str(record, "utf-8") for record in records), delimiter=delimiter, strict=True)
