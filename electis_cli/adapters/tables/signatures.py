"""What a file is by its first bytes, never by its name."""

from __future__ import annotations

import contextlib
import re
import zipfile
from enum import StrEnum
from typing import BinaryIO

from electis_cli.adapters.tables.refusing import refuse

_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an XZ archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
)
# Some systems call what they export .xls or .csv while it is a web page or XML, which Excel opens all the same.
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:(\?xml)|!doctype|html|table|meta)", re.IGNORECASE)
_JSON_ARRAY = re.compile(r"\s*\[\s*[\{\]]")
_JSON_OBJECT = re.compile(r"\s*\{\s*[\"}]")
SAVE_AS = "open it in the program it comes from and save it as CSV or XLSX"


class Kind(StrEnum):
    """What a file of rows can be."""

    CSV = "csv"
    TSV = "tsv"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    JSON = "json"
    JSONL = "jsonl"


SHEETS = frozenset({Kind.XLSX, Kind.XLS, Kind.ODS})


def recognize(file: BinaryIO, name: str) -> Kind | None:
    """Return the kind of a binary file; None is some text. Raises ImportRejected for what has no rows at all."""
    file.seek(0)
    start = file.read(512)
    for signature, what in _OTHERS:
        if start.startswith(signature):
            _refuse(name, what)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return Kind.XLS
    if start.startswith(b"PK\x03\x04"):
        return _inside_archive(file, name)
    if markup := _MARKUP.match(start):
        _refuse(name, "an XML document" if markup[1] else "a web page (HTML)")
    return None


def recognize_json(start: str) -> Kind | None:
    """Return whether a text that begins so is JSON or has JSON in each line; None is neither."""
    if _JSON_ARRAY.match(start):
        return Kind.JSON
    return Kind.JSONL if _JSON_OBJECT.match(start) else None


def _inside_archive(file: BinaryIO, name: str) -> Kind:
    names: set[str] = set()
    mimetype = b""
    with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
            mimetype = archive.read("mimetype")
    if not names:
        _refuse(name, "a damaged spreadsheet or ZIP archive")
    if any(entry.startswith("xl/") for entry in names):
        return Kind.XLSX
    if b"opendocument.spreadsheet" in mimetype:
        return Kind.ODS
    if any(entry.startswith("word/") for entry in names):
        _refuse(name, "a Word document")
    return _refuse(name, "a ZIP archive")


def _refuse(name: str, what: str) -> Kind:
    refuse(name, "E-NOT-TABLE", f"The file is {what}, not a table.", hint=SAVE_AS)
