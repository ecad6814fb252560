"""One label as an SVG picture: the free page, the meeting page, a pushed image, or nothing (contract 5.5)."""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from electis_cli.simulator import display
from electis_cli.simulator.devices import Json, Label, Shown
from electis_cli.simulator.drawing.lettering import MONO, SANS, clean, fit, is_rtl, width_of, write
from electis_cli.simulator.model import Store
from electis_cli.simulator.operations.images import kind_of

PAPER, INK, PALE = "#fbfbf8", "#111", "#555"
RED, YELLOW = "#b3121d", "#e8b500"
MIME = {"png": "image/png", "jpeg": "image/jpeg", "bmp": "image/bmp", "gif": "image/gif"}


def draw(store: Store, label: Label, now: float) -> str:
    """What stands on a label's display at a moment."""
    shown = display.visible(label, now)
    found = display.describe(store, label, now)
    width, height = label.width or 296, label.height or 128
    body = "".join(_content(label, shown, found, float(width), float(height)))
    title = f"Label {label.code}: {clean(found['name']) or 'nothing'}, page {shown.page}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label={quoteattr(title)} font-family="{SANS}">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>{body}</svg>'
    )


def _content(
    label: Label, shown: Shown, found: dict[str, Json], width: float, height: float
) -> Iterator[str]:
    image = shown.images.get(str(shown.page))
    if image is not None:
        kind = MIME.get(kind_of(image) or "", "image/png")
        yield f'<image width="{width:g}" height="{height:g}" href="data:{kind};base64,{escape(image)}"/>'
    elif not shown.articles:
        yield from _blank(label, width, height)
    else:
        yield from _page(label, shown, found, width, height)


def _blank(label: Label, width: float, height: float) -> Iterator[str]:
    """An unassigned label tells who it is."""
    middle = f'text-anchor="middle" x="{width / 2:g}"'
    size = min(height * 0.17, width * 0.09)
    yield (
        f'<rect x="6" y="6" width="{width - 12:g}" height="{height - 12:g}" rx="4" fill="none"'
        f' stroke="{PALE}" stroke-dasharray="3 5"/>'
        f'<text {middle} y="{height * 0.52:g}" font-size="{size:.1f}" font-family="{MONO}" fill="{INK}">'
        f"{label.code}</text>"
        f'<text {middle} y="{height * 0.52 + size * 1.2:g}" font-size="{size * 0.55:.1f}" fill="{PALE}">'
        f"not assigned</text>"
    )


def _page(label: Label, shown: Shown, found: dict[str, Json], width: float, height: float) -> Iterator[str]:
    busy = shown.page == display.MEETING_PAGE
    pad, head, foot = width * 0.035, height * 0.27, max(11.0, height * 0.085)
    accent = _accent(label.color)
    band, text = (accent, "#fff" if accent != YELLOW else INK) if busy else (PAPER, INK)
    yield f'<rect width="{width:g}" height="{head:g}" fill="{band}"/>'
    if not busy:
        yield f'<rect y="{head - 2:g}" width="{width:g}" height="2" fill="{INK}"/>'
    yield from _head(
        found["name"] or found["article_id"] or "", "BUSY" if busy else "FREE", (width, head, pad), text
    )
    yield from _rows(label, found, pad, width, head, height - foot)
    yield _foot(label, shown, width, height, foot, pad)


def _head(name: str, word: str, room: tuple[float, float, float], ink: str) -> Iterator[str]:
    """The name, and on the other side a word that tells the two pages apart without color."""
    width, head, pad = room
    rtl, size = is_rtl(clean(name)), max(9.0, head * 0.26)
    box = width_of(word, size, bold=True) + size * 0.8
    left = pad if rtl else width - pad - box
    top = head / 2 - size * 0.8
    line = fit(name, width - 3 * pad - box, head * 0.54, max(8.0, head * 0.24), bold=True)
    edges = (2 * pad + box, width - pad) if rtl else (pad, width - 2 * pad - box)
    yield write(line, *edges, head / 2 + line.size * 0.35, fill=ink, bold=True, rtl=rtl)
    yield (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{box:.1f}" height="{size * 1.6:.1f}" rx="{size * 0.3:.1f}"'
        f' fill="none" stroke="{ink}" stroke-width="1.5"/>'
        f'<text x="{left + box / 2:.1f}" y="{top + size * 1.16:.1f}" font-size="{size:.1f}" font-weight="700"'
        f' text-anchor="middle" fill="{ink}">{word}</text>'
    )


def _rows(
    label: Label, found: dict[str, Json], pad: float, width: float, top: float, bottom: float
) -> Iterator[str]:
    """Column and value, as many as there is room for; a last line tells how many are left out."""
    # Head and foot have the name and the id already.
    said = {found["name"], found["article_id"]} if len(found["article_ids"]) == 1 else set()
    rows = [(column, value) for column, value in found["lines"] if clean(value) and value not in said]
    pitch = max(15.0, min((bottom - top) / 3.4, (bottom - top - 6) / max(len(rows), 1)))
    room = int((bottom - top - 2) // pitch)
    if len(rows) > room:
        left_out = len(rows) - room + 1
        rows = [*rows[: room - 1], ("", f"+{left_out}")]
    accent = _accent(label.color)
    for place, (column, value) in enumerate(rows):
        ink = accent if display.is_meeting(column) else INK
        yield from _row((column, value), top + 2 + pitch * (place + 0.7), (pitch, pad, width), ink)


def _row(row: tuple[str, str], baseline: float, room: tuple[float, float, float], ink: str) -> Iterator[str]:
    column, value = row
    pitch, pad, width = room
    rtl, bold = is_rtl(clean(value)), ink != INK
    size = min(pitch * 0.66, width * 0.075)
    caption = fit(column.replace("_", " "), width * 0.3, size * 0.6, size * 0.45)
    gap = width * 0.33 if column else 0.0
    line = fit(value, width - 2 * pad - gap, size, min(size, max(9.0, size * 0.6)), bold=bold)
    start, end = (pad, width - pad - gap) if rtl else (pad + gap, width - pad)
    yield write(caption, pad, width - pad, baseline, fill=PALE, rtl=rtl)
    yield write(line, start, end, baseline, fill=ink, bold=bold, rtl=rtl)


def _foot(label: Label, shown: Shown, width: float, height: float, foot: float, pad: float) -> str:
    """The article's id and the label's code."""
    size = foot * 0.62
    baseline = height - foot * 0.32
    ids = " + ".join(clean(one) for one in shown.articles)
    line = fit(
        ids, width - 3 * pad - width_of(label.code, size, mono=True), size * 1.1, size * 0.9, bold=True
    )
    return (
        f'<rect y="{height - foot:.1f}" width="{width:g}" height="0.8" fill="{PALE}"/>'
        + write(line, pad, width - pad, baseline, bold=True, rtl=False)
        + f'<text x="{width - pad:.1f}" y="{baseline:.1f}" font-size="{size:.1f}" font-family="{MONO}"'
        f' text-anchor="end" fill="{PALE}">{label.code}</text>'
    )


def _accent(color: str) -> str:
    """The strongest color a label has: red, else yellow, else black."""
    word = color.upper()
    return RED if "R" in word or word in ("4C", "6C") else YELLOW if "Y" in word else INK
