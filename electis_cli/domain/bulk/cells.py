"""From a record of a file to a row that can be staged: ids checked, values cleaned, each wrong cell named.

Half a million cells a second pass here, so that a record whose text is plain is taken whole; the others, and those with
an error, go through the rules of single writes cell by cell (`check_external_id`, `merge_data`).
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import orjson

from electis_cli.domain.articles import LONGEST_ID, LONGEST_NFC_URL, check_external_id, clean_text, merge_data
from electis_cli.domain.bulk.header import Layout, check_width
from electis_cli.domain.bulk.nouns import SPACE, Fields
from electis_cli.domain.bulk.problems import Findings
from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.organizations import ArticleFormat

Record = Sequence[str | None]


class StagedRow(NamedTuple):
    """A row as it is staged: what it sets (a JSON object, null clears), and where a person is to sit.

    `space` is None when the file does not say, and `""` when it says "nowhere". Without a key column `key` is `""`.
    """

    line: int
    key: str
    patch: str
    space: str | None


class CellRow(NamedTuple):
    """A row of a noun that is planned in memory: its key as written, its cells by field without absent ones."""

    line: int
    key: str
    cells: Mapping[str, str]


class Selection:
    """Which records are read: those that have the wanted values. `wanted` maps places of cells (from 0) to them."""

    def __init__(self, wanted: Mapping[int, str]) -> None:
        self._wanted = [(place, clean_text(value)) for place, value in wanted.items()]

    def takes(self, record: Record) -> bool:
        """Tell whether a record is one of those to be read."""
        return all(
            place < len(record) and clean_text(record[place]) == value for place, value in self._wanted
        )


class RowReader:
    """Reads the records of one file of spaces or people."""

    def __init__(
        self,
        layout: Layout,
        fields: Fields,
        *,
        article_format: ArticleFormat | None,
        constants: Mapping[str, str],
        findings: Findings,
    ) -> None:
        """`constants` are set in every row, over what the file says; they are checked already."""
        self._layout, self._fields, self._format, self._findings = layout, fields, article_format, findings
        self._places = {name: at for at, name in enumerate(layout.targets) if name is not None}
        self._key_at = self._places.get(fields.key)
        self._constants = dict(constants)
        self._constant_space = self._constants.pop(SPACE, None) if SPACE in fields.known else None
        self._space_at = (
            self._places.get(SPACE) if SPACE in fields.known and self._constant_space is None else None
        )
        own = {fields.key, SPACE} if SPACE in fields.known else {fields.key}
        self._picks = [
            (name, at) for name, at in self._places.items() if name not in own and name not in self._constants
        ]
        self._nfc_at = self._places.get(article_format.nfc_column or "") if article_format else None
        self._cleared = {name: value or None for name, value in self._constants.items()}

    def read(self, line: int, record: Record) -> StagedRow | None:
        """Return a record as it is staged, or None when it is wrong; what is wrong is noted."""
        if len(record) != self._layout.width or self._layout.unnamed:
            wrong = check_width(self._layout, record)
            if wrong is not None:
                self._findings.add(replace(wrong, line=line))
                return None
        try:
            text = "".join(record)  # type: ignore[arg-type] # JSON's absent cells are None and go the careful way
        except TypeError:
            return self._read_carefully(line, record)
        if not text.isprintable() or not (text.isascii() or unicodedata.is_normalized("NFC", text)):
            return self._read_carefully(line, record)
        cells: list[str] = [cell.strip() for cell in record]  # type: ignore[union-attr]
        key = "" if self._key_at is None else cells[self._key_at]
        if self._key_at is not None and (not key or len(key) > LONGEST_ID or "," in key):
            return self._read_carefully(line, record)
        if self._nfc_at is not None and len(cells[self._nfc_at]) > LONGEST_NFC_URL:
            return self._read_carefully(line, record)
        patch = {name: cells[at] or None for name, at in self._picks}
        if self._cleared:
            patch.update(self._cleared)
        space = self._constant_space if self._space_at is None else cells[self._space_at]
        return StagedRow(line, key, orjson.dumps(patch).decode(), space)

    def _read_carefully(self, line: int, record: Record) -> StagedRow | None:
        noted = len(self._findings.problems)
        key = ""
        if self._key_at is not None:
            key = self._checked(
                line,
                self._fields.key,
                lambda: check_external_id(record[self._key_at or 0] or "", noun=self._fields.noun),
            )
        patch: dict[str, str | None] = {}
        for name, at in self._picks:
            text = record[at]
            if text is not None:
                patch[name] = self._checked(line, name, functools.partial(self._clean, name, text)) or None
        space = self._constant_space
        if self._space_at is not None:
            given = record[self._space_at]
            space = None if given is None else clean_text(given)
        if len(self._findings.problems) > noted:
            return None
        patch.update(self._cleared)
        return StagedRow(line, key, orjson.dumps(patch).decode(), space)

    def _clean(self, name: str, text: str) -> str:
        return merge_data({}, {name: text}, self._format).get(name, "")

    def _checked(self, line: int, name: str, check: Callable[[], str]) -> str:
        try:
            return check()
        except InvalidInput as error:
            self._findings.add_error(error, line, self._places[name] + 1, name)
            return ""


def read_cells(
    layout: Layout,
    fields: Fields,
    constants: Mapping[str, str],
    findings: Findings,
    line: int,
    record: Record,
) -> CellRow | None:
    """Return a record of a noun that is planned in memory, or None when it has too few or too many cells."""
    wrong = check_width(layout, record)
    if wrong is not None:
        findings.add(replace(wrong, line=line))
        return None
    cells = {
        name: value
        for name, value in zip(layout.targets, record, strict=False)
        if name is not None and value is not None
    }
    cells.update(constants)
    return CellRow(line, cells.pop(fields.key, ""), cells)
