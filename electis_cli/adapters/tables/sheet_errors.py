"""The cells of an XLSX file whose formulas failed (`#N/A`): our reader does not tell them from empty ones."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from electis_cli.adapters.tables.places import column_number

_CHUNK = 1 << 20
_LONGEST_CELL = 1 << 16
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_NAME = re.compile(r'\bname="([^"]*)"')
_ID = re.compile(r'\bid="([^"]*)"')
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_RELATION_ID = re.compile(r'\bId="([^"]*)"')
_TARGET = re.compile(r'\bTarget="([^"]*)"')
_FAILED = b't="e"'
_CELL = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)([0-9]+)"[^>]*>.*?<(?:\w+:)?v>([^<]*)<', re.DOTALL
)


def error_cells(file: BinaryIO, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Yield line, column (both from 1) and text of the cells of a sheet that are errors."""
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        part = _part_of(archive, sheet)
        if part is None:
            return
        rest = b""
        with archive.open(part) as content:
            while chunk := content.read(_CHUNK):
                text, end = rest + chunk, 0
                if _FAILED in text:
                    for match in _CELL.finditer(text):
                        end = match.end()
                        yield int(match[2]), column_number(match[1].decode()), match[3].decode()
                rest = text[max(end, len(text) - _LONGEST_CELL) :]


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the part of the archive that holds a sheet; None when its index is written in an unusual way."""
    names = set(archive.namelist())
    index, relations = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if not {index, relations} <= names:
        return None
    wanted = None
    for entry in _SHEET.findall(archive.read(index).decode(errors="replace")):
        name, relation = _NAME.search(entry), _ID.search(entry)
        if name and relation and html.unescape(name[1]) == sheet:
            wanted = relation[1]
    for entry in _RELATION.findall(archive.read(relations).decode(errors="replace")):
        identifier, target = _RELATION_ID.search(entry), _TARGET.search(entry)
        if identifier and target and identifier[1] == wanted:
            path = target[1].removeprefix("/")
            path = path if path.startswith("xl/") else f"xl/{path}"
            return path if path in names else None
    return None
