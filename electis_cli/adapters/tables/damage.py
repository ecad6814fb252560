"""Bytes in a text file that are no text: refused with the exact place."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, NoReturn

from electis_cli.adapters.tables.delimiters import detect_delimiter, first_lines
from electis_cli.adapters.tables.portions import Portion
from electis_cli.adapters.tables.refusing import refuse
from electis_cli.domain.bulk.encodings import Sniffed


def check_bytes(file: BinaryIO, name: str, sniffed: Sniffed) -> None:
    """Raise ImportRejected when a byte of the file is not text; the message names line, character and cell."""
    bad, nul = sniffed.bad_byte, sniffed.nul
    if bad is not None and (nul is None or bad < nul):
        what = (
            f"is not {sniffed.encoding.upper() if sniffed.encoding.startswith('utf') else sniffed.encoding}"
        )
        _refuse_byte(file, name, sniffed, bad, ("E-ENCODING", what, "save the file as CSV UTF-8"))
    if nul is not None:
        what = "is not text; this is not a CSV file"
        hint = "save the file as CSV UTF-8 in the program it comes from"
        _refuse_byte(file, name, sniffed, nul, ("E-NOT-CSV", what, hint))


def _refuse_byte(
    file: BinaryIO, name: str, sniffed: Sniffed, offset: int, words: tuple[str, str, str]
) -> NoReturn:
    code, what, hint = words
    lines = first_lines(Portion(file, sniffed.bom).text(sniffed.encoding, "replace"))
    before = _Lines(Portion(file, sniffed.bom, offset).text(sniffed.encoding, "replace"))
    # The reader stops in the middle of the record, so what it has by then are the cells up to the byte.
    reader = csv.reader(before, delimiter=detect_delimiter(lines))
    cell = 1
    try:
        for record in reader:
            cell = max(1, len(record))
    except csv.Error:
        pass
    line, character = max(1, before.count), len(before.last) + 1
    if before.last.endswith(("\r", "\n")):
        line, character, cell = line + 1, 1, 1
    file.seek(offset)
    byte = file.read(1)[0]
    message = f"Byte 0x{byte:02X}, character {character} of the line, {what}."
    refuse(name, code, message, line=line, column=cell, hint=hint)


class _Lines:
    """Hands lines on and remembers how many there were, and the last."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self.count, self.last = lines, 0, ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.count, self.last = self.count + 1, line
            yield line
