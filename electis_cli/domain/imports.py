"""Import files: from bytes to rows that point at their lines. What the rows mean is decided in `planning`."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

from electis_cli.domain.articles import check_column, clean_text
from electis_cli.domain.errors import ElectisError, ImportRejected, InvalidInput, Problem, UnknownColumn
from electis_cli.domain.organizations import ArticleFormat

MOST_PROBLEMS = 1000
KEY = "external_id"
SPACE = "space"
ROOM_COLUMNS = ("room_name", "has_meeting", "meeting_name", "start_time", "end_time", "participants")
REJECT_COLUMNS = frozenset({"_line", "_column", "_code", "_message", "_hint"})
"""What a reject file carries beside its original columns: ignored, so that it can be imported again as it is."""

_SIGNATURES = {
    b"PK\x03\x04": "a spreadsheet (XLSX) or ZIP archive",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word document",
    b"\x1f\x8b": "a gzip archive",
    codecs.BOM_UTF16_LE: "text in UTF-16",
    codecs.BOM_UTF16_BE: "text in UTF-16",
}
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_PLAIN_NAME = re.compile(r"^\w+$")


class Noun(StrEnum):
    """What a file holds."""

    SPACE = "space"
    PERSON = "person"
    ROOM = "conference room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record: the line it starts in, its key as written, and its other cells by column."""

    line: int
    key: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file's rows, and where in a row each column stands (from 1)."""

    noun: Noun
    places: Mapping[str, int]
    rows: Sequence[Row]


@dataclass(slots=True)
class Findings:
    """The problems of one file, collected until there are too many to be of use."""

    source: str
    problems: list[Problem] = field(default_factory=list)

    def add(
        self, code: str, message: str, line: int, column: int | None = None, name: str | None = None
    ) -> None:
        """Note a problem; raises ImportRejected when it is one too many."""
        self.problems.append(Problem(code=code, message=message, line=line, column=column, field=name))
        if len(self.problems) >= MOST_PROBLEMS:
            self.reject()

    def add_error(self, error: ElectisError, line: int, column: int | None, name: str | None = None) -> None:
        """Note what a rule of the domain said about a cell."""
        self.add(error.code, f"{error.message} {error.why}".strip(), line, column, name)

    def check(self) -> None:
        """Raise ImportRejected when there are problems."""
        if self.problems:
            self.reject()

    def reject(self) -> NoReturn:
        """Raise ImportRejected with what was found, in the order of the file."""
        count = len(self.problems)
        words = "one error" if count == 1 else f"{count} errors"
        if count >= MOST_PROBLEMS:
            words = f"{MOST_PROBLEMS} errors or more"
        raise ImportRejected(
            f"{self.source} has {words}; nothing was written.",
            fix="correct what is named above and import the file again",
            problems=tuple(sorted(self.problems, key=lambda item: (item.line or 0, item.column or 0))),
            source=self.source,
        )


def read_table(content: bytes, noun: Noun, article_format: ArticleFormat | None, findings: Findings) -> Table:
    """Return the rows of a CSV file in UTF-8.

    Rows with too few or too many cells are noted in `findings` and left out. Raises ImportRejected at once when the
    file can not be read at all or its header is not right.
    """
    text = decode(content, findings)
    records = _records(text, findings)
    line, header = next(records, (1, []))
    if not header:
        findings.add("E-FILE-EMPTY", "The file is empty.", 1, 1)
        findings.reject()
    places = _read_header(header, line, noun, article_format, findings)
    findings.check()
    rows: list[Row] = []
    width, key_at = len(header), places[KEY] - 1
    others = [(name, place - 1) for name, place in places.items() if name != KEY]
    for line, record in records:
        if len(record) != width:
            place = min(len(record), width) + 1
            findings.add("E-CELLS", f"The row has {len(record)} cells, the header has {width}.", line, place)
            continue
        rows.append(Row(line=line, key=record[key_at], cells={name: record[at] for name, at in others}))
    return Table(noun=noun, places=places, rows=rows)


def decode(content: bytes, findings: Findings) -> str:
    """Return the text of a file in UTF-8, with or without byte order mark; raises ImportRejected for anything else."""
    for signature, kind in _SIGNATURES.items():
        if content.startswith(signature):
            findings.add("E-NOT-CSV", f"The file is {kind}; save it as CSV in UTF-8.", 1, 1)
            findings.reject()
    content = content.removeprefix(codecs.BOM_UTF8)
    nul = content.find(b"\0")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        if nul < 0 or error.start < nul:
            fix = "is not UTF-8; save the file as CSV UTF-8"
            _refuse_byte(content, error.start, "E-ENCODING", fix, findings)
        text = ""
    if nul >= 0:
        _refuse_byte(content, nul, "E-NOT-CSV", "is not text; this is not a CSV file", findings)
    return text


def _refuse_byte(content: bytes, offset: int, code: str, what: str, findings: Findings) -> NoReturn:
    before = content[:offset].decode(errors="replace")
    ends = list(_LINE_END.finditer(before))
    character = len(before) - (ends[-1].end() if ends else 0) + 1
    cell = 1
    try:
        # The reader stops in the middle of the record, so what it has by then are the cells up to the byte.
        for record in csv.reader(_lines(before + "x")):
            cell = max(1, len(record))
    except csv.Error:
        pass
    message = f"Byte 0x{content[offset]:02X}, character {character} of the line, {what}."
    findings.add(code, message, len(ends) + 1, cell)
    findings.reject()


def _lines(text: str) -> Iterator[str]:
    # Not str.splitlines, which also splits at characters that are part of a value.
    return (match[0] for match in _LINE.finditer(text))


def _records(text: str, findings: Findings) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line it starts in; blank lines and rows of nothing but empty cells are skipped."""
    reader = csv.reader(_lines(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            reason = str(error)
            hint = "a quote is opened and not closed" if "unexpected end" in reason else reason
            if "limit" in reason:
                hint = "a cell has more than 131,072 characters; perhaps a quote is opened and not closed"
            findings.add("E-NOT-CSV", f"The record that starts here is not CSV: {hint}.", line)
            findings.reject()
        if record is None:
            return
        if any(cell.strip() for cell in record):
            yield line, record


def _read_header(
    header: Sequence[str], line: int, noun: Noun, article_format: ArticleFormat | None, findings: Findings
) -> dict[str, int]:
    """Return the place of each column; unknown, repeated and missing columns are noted."""
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and sign in header[0]:
            message = f"The header is one cell with {name} in it; cells are separated by commas."
            findings.add("E-COLUMN-MISSING", message, line, 1, KEY)
            return {}
    places: dict[str, int] = {}
    for place, raw in enumerate(header, start=1):
        name = clean_text(raw)
        if name in REJECT_COLUMNS:
            continue
        if article_format is not None and name == article_format.id_column:
            name = KEY
        if name in places:
            findings.add(
                "E-COLUMN-TWICE",
                f"Column {place} ({clean_text(raw)}) repeats column {places[name]}"
                f" ({clean_text(header[places[name] - 1])}).",
                line,
                place,
                name,
            )
            continue
        try:
            _check_name(name, noun, article_format)
        except InvalidInput as error:
            findings.add_error(error, line, place, name)
            continue
        places[name] = place
    if KEY not in places:
        alias = f" (or {article_format.id_column})" if article_format is not None else ""
        findings.add("E-COLUMN-MISSING", f"The header has no column {KEY}{alias}.", line, 1, KEY)
    return places


def _check_name(name: str, noun: Noun, article_format: ArticleFormat | None) -> None:
    if name == KEY or (noun is Noun.PERSON and name == SPACE):
        return
    if not name:
        raise InvalidInput("The column has no name.")
    if noun is Noun.ROOM:
        if name not in ROOM_COLUMNS:
            known = ", ".join((KEY, *ROOM_COLUMNS))
            raise UnknownColumn(
                f"A conference room has no column {name!r}.", why=f"Its columns are: {known}."
            )
        return
    check_column(name, article_format)
    if article_format is None and not _PLAIN_NAME.match(name):
        raise UnknownColumn(f"{name!r} is not a column name.", why="It is made of letters, digits and _.")
