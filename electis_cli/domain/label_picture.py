"""A label as an SVG drawing: a value in, text out. It is a sketch of what a label says, not AIMS's own template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from electis_cli.domain.label_lettering import clean_line, fit, runs_right_to_left, width_of

DEFAULT_WIDTH, DEFAULT_HEIGHT = 296, 128  # a common label's, for one whose size AIMS does not tell
_LEAST, _MOST = 96, 2000  # pixels; beyond it nothing can be read, or something was misread
_INK, _PAPER, _GRAY = "#1a1a1a", "#ffffff", "#666666"
_FONT, _FIXED = "Arial, Helvetica, sans-serif", "monospace"
_NOTE = 16.0
_PAD = 5.0
_LEAST_BLOCK, _LEAST_ROW, _LARGEST_ROW = 30.0, 11.0, 26.0  # the last grows with the label
_CAPTION, _GAP = 0.32, 4.0  # of a row's width; pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnArticle:
    """One article on a label: its id, its name, and the columns and values that stand on the page."""

    article_id: str
    name: str = ""
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPicture:
    """What is drawn of a label; sizes in pixels, None when they are not known.

    `page` is the page in words; `is_busy` inverts the head as on a busy room. `has_image` says that an image, which
    AIMS does not give out, covers the fields. `note` stands below the label: what whoever looks must know.
    """

    label_code: str
    articles: tuple[DrawnArticle, ...] = ()
    page: str = ""
    is_busy: bool = False
    has_image: bool = False
    width: int | None = None
    height: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle on the drawing."""

    left: float
    top: float
    width: float
    height: float

    def columns(self, share: float, *, mirrored: bool) -> tuple[_Box, _Box]:
        """Return its two parts, the one with this share first; mirrored, the first is on the right."""
        first, rest = self.width * share, self.width * (1 - share)
        starts = (self.left + rest, self.left) if mirrored else (self.left, self.left + first)
        return (
            _Box(starts[0], self.top, first, self.height),
            _Box(starts[1], self.top, rest, self.height),
        )

    def inset(self, pixels: float, *, left: bool) -> _Box:
        """Return it without some pixels on one side."""
        return _Box(
            self.left + (pixels if left else 0.0), self.top, max(0.0, self.width - pixels), self.height
        )

    def shares(self, count: int) -> list[_Box]:
        """Return its equal parts from top to bottom."""
        step = self.height / count
        return [_Box(self.left, self.top + step * place, self.width, step) for place in range(count)]


@dataclass(slots=True)
class _Canvas:
    """The elements drawn so far."""

    root: ET.Element = field(default_factory=lambda: ET.Element("svg"))

    def rectangle(self, box: _Box, *, fill: str, stroke: str = "none") -> None:
        """Draw a rectangle."""
        ET.SubElement(self.root, "rect", {**_placed(box), "fill": fill, "stroke": stroke})

    def write(
        self,
        text: str,
        box: _Box,
        *,
        size: float,
        least: float,
        ink: str = _INK,
        bold: bool = False,
        anchor: str = "start",
        font: str = "",
    ) -> None:
        """Write one line into a box, as large as it fits and never beyond it.

        `start` is where the text itself begins, so right-to-left text begins at the right edge.
        """
        if box.width <= 0 or box.height <= 0:
            return
        line = fit(text, box.width, largest=size, smallest=least, bold=bold)
        if not line.text:
            return
        # A frame of its own cuts off what a wider font than the expected one would let stick out.
        frame = ET.SubElement(self.root, "svg", {**_placed(box), "overflow": "hidden"})
        edges = (box.width, 0.0) if line.right_to_left else (0.0, box.width)
        across = {"start": edges[0], "middle": box.width / 2, "end": edges[1]}[anchor]
        written = ET.SubElement(
            frame,
            "text",
            {
                "x": _number(across),
                "y": _number(box.height / 2 + line.size * 0.35),
                "font-size": _number(line.size),
                "fill": ink,
                "text-anchor": anchor,
                # The whole line's direction: it orders mixed text and says which end is the start.
                "direction": "rtl" if line.right_to_left else "ltr",
                "unicode-bidi": "isolate",
                **({"font-weight": "bold"} if bold else {}),
                **({"font-family": font} if font else {}),
            },
        )
        written.text = line.text


def draw_label(picture: LabelPicture) -> str:
    """Return the drawing of a label as an SVG document."""
    width = _bounded(picture.width, DEFAULT_WIDTH)
    height = _bounded(picture.height, DEFAULT_HEIGHT)
    note = clean_line(picture.note)
    canvas = _Canvas()
    total = height + (_NOTE if note else 0.0)
    title = _title(picture)
    canvas.root.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_number(width)} {_number(total)}",
            "width": _number(width),
            "height": _number(total),
            "font-family": _FONT,
            "role": "img",
            "aria-label": title,
        }
    )
    ET.SubElement(canvas.root, "title").text = title
    canvas.rectangle(_Box(0.0, 0.0, width, height), fill=_PAPER)
    if picture.articles:
        _fill(canvas, picture, _Box(0.0, 0.0, width, height))
    else:
        _leave_empty(canvas, picture, _Box(_PAD, 0.0, width - 2 * _PAD, height))
    canvas.rectangle(_Box(0.5, 0.5, width - 1, height - 1), fill="none", stroke=_GRAY)
    if note:
        canvas.write(note, _Box(_PAD, height, width - 2 * _PAD, _NOTE), size=10, least=6, ink=_GRAY)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(canvas.root, encoding="unicode")}\n'


def _title(picture: LabelPicture) -> str:
    names = ", ".join(article.name or article.article_id for article in picture.articles)
    parts = (names or "not linked", picture.page, picture.note)
    return clean_line(f"Label {picture.label_code}: " + ", ".join(part for part in parts if part))


def _leave_empty(canvas: _Canvas, picture: LabelPicture, room: _Box) -> None:
    """Draw a label that shows no article: it tells who it is."""
    upper, lower = room.shares(2)
    size = room.height * 0.2
    canvas.write(picture.label_code, upper, size=size, least=6, bold=True, anchor="middle", font=_FIXED)
    canvas.write("not linked", lower, size=size * 0.7, least=6, ink=_GRAY, anchor="middle")


def _fill(canvas: _Canvas, picture: LabelPicture, label: _Box) -> None:
    """Draw the articles below one another, and the foot with ids and code."""
    foot = min(22.0, max(12.0, label.height * 0.11))
    room = _Box(label.left, label.top, label.width, label.height - foot)
    most = max(1, int(room.height // _LEAST_BLOCK))
    drawn = picture.articles[:most]
    for place, (article, block) in enumerate(zip(drawn, room.shares(len(drawn)), strict=True)):
        _draw_article(canvas, picture, article, block, is_first=place == 0)
    _draw_foot(canvas, picture, _Box(label.left, room.height, label.width, foot), len(drawn))


def _draw_article(
    canvas: _Canvas, picture: LabelPicture, article: DrawnArticle, block: _Box, *, is_first: bool
) -> None:
    """Draw one article: a head with its name, and its lines as far as there is room."""
    head = _Box(block.left, block.top, block.width, min(72.0, max(16.0, block.height * 0.32)))
    mirrored = runs_right_to_left(clean_line(article.name))
    paper, ink = (_INK, _PAPER) if picture.is_busy else ("#eeeeee", _INK)
    canvas.rectangle(head, fill=paper)
    inside = _Box(head.left + _PAD, head.top, head.width - 2 * _PAD, head.height)
    page = picture.page.upper() if is_first else ""
    badge = min(inside.width * 0.4, width_of(page, head.height * 0.4, bold=True) + _PAD) if page else 0.0
    name, word = inside.columns(1 - badge / inside.width, mirrored=mirrored)
    size = head.height * 0.62
    canvas.write(article.name or article.article_id, name, size=size, least=9, ink=ink, bold=True)
    if page:
        canvas.write(page, word, size=head.height * 0.4, least=6, ink=ink, bold=True, anchor="middle")
    rows = _Box(
        inside.left, head.top + head.height + 1, inside.width, max(0.0, block.height - head.height - 2)
    )
    if picture.has_image:
        size = min(14.0, rows.height * 0.7)
        canvas.write("an image covers the fields", rows, size=size, least=7, ink=_GRAY, anchor="middle")
    else:
        _draw_lines(canvas, article.lines, rows, mirrored=mirrored)


def _draw_lines(canvas: _Canvas, lines: Sequence[tuple[str, str]], room: _Box, *, mirrored: bool) -> None:
    """Draw columns and values, as many as there is room for; a last row tells how many are left out."""
    most = int(room.height // _LEAST_ROW)
    if not lines or not most:
        return
    shown = list(lines[:most])
    left_out = len(lines) - most
    if left_out > 0 and most > 1:
        shown[-1] = ("", f"+{left_out + 1}")
    elif left_out > 0:
        shown[-1] = (f"{lines[0][0]} +{left_out}", lines[0][1])
    height = min(max(_LARGEST_ROW, room.height * 0.17), room.height / len(shown))
    for place, (column, value) in enumerate(shown):
        row = _Box(room.left, room.top + height * place, room.width, height)
        caption, rest = row.columns(_CAPTION, mirrored=mirrored)
        caption = caption.inset(_GAP, left=mirrored)
        canvas.write(column.replace("_", " "), caption, size=height * 0.5, least=height * 0.36, ink=_GRAY)
        canvas.write(value, rest, size=height * 0.72, least=max(7.0, height * 0.5))


def _draw_foot(canvas: _Canvas, picture: LabelPicture, foot: _Box, drawn: int) -> None:
    """Draw the articles' ids and the label's code."""
    ids = " + ".join(article.article_id for article in picture.articles)
    left_out = len(picture.articles) - drawn
    inside = _Box(foot.left + _PAD, foot.top, foot.width - 2 * _PAD, foot.height)
    # The code comes first: it says which label this is, and a part of it says nothing.
    size = foot.height * 0.62
    share = min(1.0, width_of(picture.label_code, size) / inside.width)
    code, articles = inside.columns(share, mirrored=True)
    canvas.rectangle(_Box(foot.left + 1, foot.top, foot.width - 2, 0.8), fill=_GRAY)
    count = f"{len(picture.articles)} articles: " if left_out else ""
    canvas.write(count + ids, articles.inset(_GAP, left=False), size=size, least=6, bold=True)
    canvas.write(picture.label_code, code, size=size, least=5, ink=_GRAY, anchor="end", font=_FIXED)


def _bounded(pixels: int | None, default: int) -> float:
    return float(min(_MOST, max(_LEAST, pixels))) if pixels else float(default)


def _placed(box: _Box) -> dict[str, str]:
    return {
        "x": _number(box.left),
        "y": _number(box.top),
        "width": _number(max(0.0, box.width)),
        "height": _number(max(0.0, box.height)),
    }


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
