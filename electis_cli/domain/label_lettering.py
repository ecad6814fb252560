"""Text on a drawn label: what XML can hold of it, its direction, and how it is made to fit without a font at hand."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

ELLIPSIS = "…"
_LOOKED_AT = 1000  # no label has room for more, and a value may be very long
_TURNING = frozenset(range(0x202A, 0x202F)) | frozenset(
    range(0x2066, 0x206A)
)  # they reach beyond their own text
_JOINER, _VARIATIONS, _SKIN = 0x200D, range(0xFE00, 0xFE10), range(0x1F3FB, 0x1F400)
_FLAGS = range(0x1F1E6, 0x1F200)
# Shares of the font size, on the wide side of what usual sans-serif fonts take.
_NARROW, _LETTER, _CAPITAL, _BROAD, _FULL = 0.44, 0.66, 0.79, 1.0, 1.25
_THIN = frozenset("iljtfrI.,;:'|!()[]/\\ -")
_WIDE = frozenset("mwMWQ@%&+<=>~#^")
_BOLD = 1.13
_BEYOND = 0x0700


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """A text as it is written: at most so long, in this size, beginning on the right when it runs right to left."""

    text: str
    size: float
    right_to_left: bool


def clean_line(text: str) -> str:
    """Return a text as one line that XML can hold and that can not turn the text around it; blanks are joined."""
    kept = (" " if one.isspace() else one for one in text[:_LOOKED_AT])
    return " ".join("".join(one for one in kept if _is_writable(one)).split())


def _is_writable(character: str) -> bool:
    # Controls, halves of surrogate pairs and noncharacters are no XML (or are discouraged there) and show nothing.
    code = ord(character)
    if code in _TURNING or (code & 0xFFFE) == 0xFFFE or code in range(0xFDD0, 0xFDF0):
        return False
    return unicodedata.category(character) not in {"Cc", "Cs"}


def runs_right_to_left(text: str) -> bool:
    """Tell whether a text is written from the right: its first letter that has a direction decides (UAX 9, P2)."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in {"R", "AL"}:
            return True
        if direction == "L":
            return False
    return False


def clusters(text: str) -> Iterator[str]:
    """Yield the pieces of a text that must not be cut apart: a letter with its marks, a joined emoji, a flag."""
    piece = ""
    for character in text:
        if piece and not _belongs(piece, character):
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def _belongs(piece: str, character: str) -> bool:
    code, last = ord(character), ord(piece[-1])
    if unicodedata.category(character).startswith("M") or _JOINER in {code, last}:
        return True
    if code in _VARIATIONS or code in _SKIN:
        return True
    return code in _FLAGS and last in _FLAGS and len(piece) % 2 == 1


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return about how wide a text is, rather too wide, in the unit of `size`."""
    return sum(_share(piece) for piece in clusters(text)) * size * (_BOLD if bold else 1.0)


def _share(piece: str) -> float:
    first = piece[0]
    if unicodedata.category(first).startswith("M") or unicodedata.category(first) == "Cf":
        return 0.0 if len(piece) == 1 else _LETTER
    if unicodedata.east_asian_width(first) in {"W", "F"}:
        return _FULL
    if first in _THIN:
        return _NARROW
    if first in _WIDE:
        return _BROAD
    # Arabic letters differ much in width, and those of scripts after it in Unicode were not measured.
    if unicodedata.bidirectional(first) == "AL" or ord(first) >= _BEYOND:
        return _BROAD
    return _CAPITAL if first.isupper() or not first.isalpha() else _LETTER


def fit(text: str, room: float, *, largest: float, smallest: float, bold: bool = False) -> Lettering:
    """Return a text as large as it fits into `room`; one that does not fit at `smallest` is cut with an ellipsis.

    A direction that was there before the cut stays.
    """
    line = clean_line(text)
    right_to_left = runs_right_to_left(line)
    width = width_of(line, largest, bold=bold)
    size = largest if width <= room else min(largest, max(smallest, largest * room / width))
    if width_of(line, size, bold=bold) > room * 1.001:
        line = _cut(line, room - width_of(ELLIPSIS, size, bold=bold), size, bold=bold)
    return Lettering(text=line, size=size, right_to_left=right_to_left)


def _cut(line: str, room: float, size: float, *, bold: bool) -> str:
    kept, used = "", 0.0
    for piece in clusters(line):
        used += width_of(piece, size, bold=bold)
        if used > room:
            break
        kept += piece
    return kept.rstrip() + ELLIPSIS
