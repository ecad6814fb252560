"""What AIMS said without what people wrote: its free text may quote a row, and goes into alerts, mails and logs."""

from __future__ import annotations

import copy
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote, quote_plus

from electis_cli.domain.errors import ElectisError

Told = TypeVar("Told", bound=ElectisError)

SHORTEST_VALUE = 3
"""Shorter values are taken out only where they stand in quotes: they are in every other word."""

PSEUDONYM = "<…>"
"""What stands for a quoted literal that is nobody's value, or for a value whose column's name would give it away."""

_NOTHING_LEFT = "…"
_SHORTEST_START = 4
_ELLIPSES = ("...", "…")
# Quotation marks that open, each with those that may close it.
_MARKS = dict(
    zip("'\"`‘’“”„«‹", ("'’", '"', "`'", "’'", "’", "”", "”", "“”", "»", "›"), strict=True)  # noqa: RUF001
)
_ALSO_APOSTROPHES = "'’`‘"  # noqa: RUF001
# AIMS has no word for a label that is on no whitelist, only texts (contract 3.2): this much of them is its own.
_WHITELIST = re.compile(
    r"(?:labels?(?: codes?)?(?: is| are)? )?(?:not (?:registered |found )?(?:in|on) (?:the )?)?white[ _-]?list",
    re.IGNORECASE,
)
# A number in brackets is a limit, and a missing field is one of the interface's; anything else there may be a value.
_OWN_WORD = re.compile(
    r"(?:Unauthorized: )?[A-Z0-9]+(?:_[A-Z0-9]+)+(?:\(\d{1,9}\))?|FIELD_IS_MISSING\([A-Za-z]{1,40}\)"
    r"|SUCCESS|OK|Unauthorized|Forbidden|Internal Server Error|Service Unavailable|Bad Gateway|Gateway Timeout"
)
_WORD = re.compile(r"\w+")  # with underscores: AIMS's own words are one word each
# Words that refusals are made of. As a word of a value they tell nothing of anybody.
_REFUSALS = frozenset({
    "all", "already", "and", "are", "article", "articles", "can", "cannot", "character", "characters", "column",
    "columns", "data", "does", "exist", "exists", "field", "fields", "for", "format", "found", "has", "have",
    "invalid", "label", "labels", "length", "long", "missing", "more", "must", "name", "not", "null", "required",
    "row", "rows", "short", "store", "than", "that", "the", "this", "too", "valid", "value", "values", "was",
    "with",
})  # fmt: skip
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of a text that has to go, and what will stand there."""

    start: int
    end: int
    label: str


def own_word(word: str) -> str:
    """Return one of AIMS's own words as it is, and of a text about the whitelist just that.

    `""` for other free text, which may quote what was sent.
    """
    if _OWN_WORD.fullmatch(word):
        return word
    whitelist = _WHITELIST.search(word)
    return whitelist[0] if whitelist else ""


def redact(text: str, contents: Iterable[Mapping[str, str] | None]) -> str:
    """Return a text of AIMS with every value of these contents replaced by its column, such as `<ITEM_NAME>`.

    Values are found in any case, normalization and spacing, escaped as in JSON, URLs or HTML, and cut off at the end;
    so are single words of them, but for those that refusals are made of. Other quoted literals become `<…>`, unless
    they are a column's name. Afterwards no value of three or more characters is in the text, whatever it takes.
    """
    values, columns = _values_in(contents)
    folded, places = _folded_with_places(text)
    spans = [
        *_value_spans(text, folded, places, values),
        *_word_spans(folded, places, values),
        *_quoted_spans(text, columns),
    ]
    kept = _replaced(text, spans, values)
    return kept if not _survives(kept, values) else _NOTHING_LEFT


def without_values(error: Told, contents: Iterable[Mapping[str, str] | None] | None) -> Told:
    """Return the error as it may be kept and told to others: what AIMS said of these contents, without their values.

    Our own words in it stay as they are; the class and code do too. When a call was about no contents that are known
    (None), nobody can tell what AIMS quotes: then only its own words are kept.
    """
    word = str(error.details.get("word", ""))
    if not word:
        return error
    shown = own_word(word) or PSEUDONYM if contents is None else redact(word, contents)
    told = copy.copy(error)
    told.message, told.why = (part.replace(word, shown) for part in (error.message, error.why))
    told.details = {**error.details, "word": shown}
    return told


def fold(text: str) -> str:
    """Return a text as values are looked for: case, normalization, kinds of blanks and invisible marks do not count."""
    normal = unicodedata.normalize("NFC", text).casefold()
    visible = (character for character in normal if unicodedata.category(character) != "Cf")
    return _BLANKS.sub(" ", "".join(visible))


def _values_in(contents: Iterable[Mapping[str, str] | None]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the values that may not be told, each with the first column that holds it, and the columns' names."""
    values: dict[str, str] = {}
    columns: set[str] = set()
    for content in contents:
        for column, value in (content or {}).items():
            columns.add(column)
            if max(len(value.strip()), len(fold(value).strip())) >= SHORTEST_VALUE:
                values.setdefault(value.strip(), column)
    return values, frozenset(columns)


def _folded_with_places(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a text folded, and for each of its characters where it came from."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        if text[start].isspace():
            while end < len(text) and text[end].isspace():
                end += 1
            piece = "" if pieces and pieces[-1] == " " else " "
        else:
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            piece = fold(text[start:end])
        if piece:
            pieces.append(piece)
        places += [(start, end)] * len(piece)
        start = end
    return "".join(pieces), places


def _value_spans(
    text: str, folded: str, places: list[tuple[int, int]], values: Mapping[str, str]
) -> Iterator[_Span]:
    for value, column in values.items():
        for start in _finds(text, value) if len(value) >= SHORTEST_VALUE else ():
            yield _Span(start, start + len(value), column)
        for form in _forms(value, text):
            if len(form) < SHORTEST_VALUE:
                continue
            for start in _finds(folded, form):
                yield _Span(places[start][0], places[start + len(form) - 1][1], column)
            for start, end in _cut_off(folded, form):
                yield _Span(places[start][0], places[end - 1][1], column)


def _word_spans(folded: str, places: list[tuple[int, int]], values: Mapping[str, str]) -> Iterator[_Span]:
    """Yield the words of a text that are a word of a value: one half of a name names somebody too."""
    owners: dict[str, str] = {}
    for value, column in values.items():
        for word in _WORD.findall(fold(value)):
            owners.setdefault(word, column)
    for found in _WORD.finditer(folded):
        word = found[0]
        if word in owners and len(word) >= SHORTEST_VALUE and word not in _REFUSALS and not word.isdecimal():
            yield _Span(places[found.start()][0], places[found.end() - 1][1], owners[word])


def _forms(value: str, text: str) -> Iterator[str]:
    """Yield a value as it may be written in a text, folded; escaped only where the text holds the escaping mark."""
    yield fold(value).strip()
    if "\\" in text:
        yield fold(json.dumps(value)[1:-1])
        yield fold(json.dumps(value, ensure_ascii=False)[1:-1])
    if "%" in text or "+" in text:
        yield fold(quote(value, safe=""))
        yield fold(quote_plus(value))
    if "&" in text:
        yield fold(html.escape(value))


def _finds(text: str, wanted: str) -> Iterator[int]:
    """Yield every place of a text where another stands, also where they overlap."""
    start = text.find(wanted)
    while start >= 0:
        yield start
        start = text.find(wanted, start + 1)


def _cut_off(folded: str, value: str) -> Iterator[tuple[int, int]]:
    """Yield where a value begins and the text, or an ellipsis, ends before the value does."""
    if len(value) <= _SHORTEST_START:
        return
    for start in _finds(folded, value[:_SHORTEST_START]):
        ends = [len(folded), *(place for mark in _ELLIPSES if (place := folded.find(mark, start)) >= 0)]
        end = min(ends)
        if end - start >= _SHORTEST_START and value.startswith(folded[start:end]):
            yield start, end


def _quoted_spans(text: str, columns: frozenset[str]) -> Iterator[_Span]:
    """Yield what stands in quotation marks, to the end when they are not closed; a column's name may stay."""
    place = 0
    while place < len(text):
        closing = _MARKS.get(text[place])
        if closing is None or not _opens(text, place):
            place += 1
            continue
        end = _closed_at(text, place, closing)
        inside = text[place + 1 : end]
        if inside.strip() and inside not in columns:
            yield _Span(place + 1, end, "")
        place = end + 1


def _opens(text: str, place: int) -> bool:
    """Tell whether a mark begins a quotation: within or behind a word, all but `"` are apostrophes."""
    if text[place] not in _ALSO_APOSTROPHES:
        return True
    before = text[:place]
    is_bytes = before.endswith("b") and not before[-2:-1].isalnum()  # b'...'
    return is_bytes or not before[-1:].isalnum()


def _closed_at(text: str, place: int, closing: str) -> int:
    for end in range(place + 1, len(text)):
        if text[end] not in closing or text[end - 1] == "\\":
            continue
        if text[end] in _ALSO_APOSTROPHES and text[end + 1 : end + 2].isalnum():
            continue
        return end
    return len(text)


def _replaced(text: str, spans: Iterable[_Span], values: Mapping[str, str]) -> str:
    """Return the text with its spans replaced; those that overlap become one."""
    pieces: list[str] = []
    done = 0
    for group in _overlapping(spans):
        start, end = group[0].start, max(span.end for span in group)
        column = next((one.label for one in group if (one.start, one.end) == (start, end) and one.label), "")
        label = f"<{column}>" if column else PSEUDONYM
        pieces += [text[done:start], PSEUDONYM if _survives(label, values) else label]
        done = end
    return "".join([*pieces, text[done:]])


def _overlapping(spans: Iterable[_Span]) -> list[list[_Span]]:
    groups: list[list[_Span]] = []
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if groups and span.start < end:
            groups[-1].append(span)
        else:
            groups.append([span])
        end = max(end, span.end)
    return groups


def _survives(text: str, values: Iterable[str]) -> bool:
    """Tell whether any of the values is still in a text."""
    folded = fold(text)
    for value in values:
        form = fold(value).strip()
        if (len(value) >= SHORTEST_VALUE and value in text) or (
            len(form) >= SHORTEST_VALUE and form in folded
        ):
            return True
    return False
