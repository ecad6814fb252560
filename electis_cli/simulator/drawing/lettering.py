"""Text on a label: its direction, its rough width, and how it is made to fit.

No font is at hand here, so widths are estimates on the safe side; the browser that shows the picture shapes the
text and orders its parts, once it knows the direction of the whole.
"""

import unicodedata
from dataclasses import dataclass
from xml.sax.saxutils import escape

SANS = "system-ui, sans-serif"
MONO = "ui-monospace, monospace"
NARROW, USUAL, WIDE = 0.36, 0.62, 1.05
"""Widths as shares of the font size: thin signs, letters, ideographs and emoji."""
THIN = frozenset("iljtf.,;:'|! ()[]ְִֵֶַָ")
ELLIPSIS = "…"
LOOKED_AT = 400
"""Longer texts are cut before they are measured."""


@dataclass(frozen=True, slots=True)
class Line:
    """A text as it will be written, with its size."""

    text: str
    size: float
    width: float


def clean(text: str) -> str:
    """The text without what XML cannot hold; line breaks and tabs become blanks, directions keep to the text."""
    kept = "".join(" " if one.isspace() else one for one in text[:LOOKED_AT])
    kept = "".join(one for one in kept if unicodedata.category(one) not in ("Cc", "Cs", "Co", "Cn"))
    # Marks that would turn the text around it.
    return " ".join(kept.translate(_TURNING).split())


_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def is_rtl(text: str) -> bool:
    """Whether the first letter with a direction goes from right to left."""
    for one in text:
        way = unicodedata.bidirectional(one)
        if way in ("R", "AL"):
            return True
        if way == "L":
            return False
    return False


def width_of(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """About how wide a text is."""
    if mono:
        return len(text) * 0.61 * size
    total = 0.0
    for one in text:
        if unicodedata.combining(one):
            continue
        if unicodedata.east_asian_width(one) in ("W", "F"):
            total += WIDE
        elif one in THIN:
            total += NARROW
        else:
            total += USUAL * (1.18 if one.isupper() else 1.0)
    return total * size * (1.14 if bold else 1.0)


def fit(text: str, room: float, largest: float, smallest: float, *, bold: bool = False) -> Line:
    """The text as large as it fits, then shortened at its end."""
    text = clean(text)
    size = largest
    width = width_of(text, size, bold=bold)
    if width > room:
        size = max(smallest, size * room / width)
        width = width_of(text, size, bold=bold)
    while width > room and text:
        text = text.removesuffix(ELLIPSIS)[:-1].rstrip() + ELLIPSIS
        width = width_of(text, size, bold=bold)
        if text == ELLIPSIS:
            break
    return Line(text, size, width)


def write(
    line: Line,
    left: float,
    right: float,
    baseline: float,
    *,
    fill: str = "#000",
    bold: bool = False,
    rtl: bool | None = None,
) -> str:
    """One text between two edges; right-to-left text begins at the right one."""
    rtl = is_rtl(line.text) if rtl is None else rtl
    weight = ' font-weight="700"' if bold else ""
    # `direction` sets the order of the parts of mixed text, and which end `start` is.
    way = "rtl" if rtl else "ltr"
    return (
        f'<text x="{_short(right if rtl else left)}" y="{_short(baseline)}" font-size="{_short(line.size)}"'
        f' direction="{way}" unicode-bidi="isolate" text-anchor="start" fill="{fill}"{weight}>'
        f"{escape(line.text)}</text>"
    )


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
