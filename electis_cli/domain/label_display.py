"""What a label displays: the lines of its page, an image put over them, and where that is not what we want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from electis_cli.domain.conference import PAGE_BUSY, PAGE_FREE
from electis_cli.domain.organizations import ArticleFormat, MeetingColumns

_DRAWN_ANEW = frozenset({"ASSIGN", "UNASSIGN", "REGENERATE"})
_NOT_DRAWN = frozenset({"PROCESSING", "TIMEOUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing AIMS told a label to do: AIMS's words for its kind and outcome, the page, and AIMS's time."""

    kind: str | None
    page: int | None
    state: str | None
    at: str | None


class Difference(StrEnum):
    """In what a label is not as the database wants it."""

    STORE = "store"  # AIMS has it in another store
    LINK = "link"  # it shows other articles
    PAGE = "page"
    FIELDS = "fields"  # an article's columns differ
    IMAGE = "image"  # an image covers its fields
    DRAWING = "drawing"  # it has not drawn the last update


def image_over(told: Sequence[Told], page: int | None) -> Told | None:
    """Return the image that covers a page, out of what a label was told (newest first), or None.

    An image stays until the label is linked, unlinked or regenerated; article updates are skipped (contract 5.6).
    """
    for one in told:
        if one.kind == "IMAGEPUSH" and page is not None and one.page == page:
            return one
        if one.kind in _DRAWN_ANEW or (one.kind == "ARTICLE" and one.state == "SUCCESS"):
            return None
    return None


def word_of_page(page: int | None, *, is_room: bool) -> str:
    """Return what a page is called: `free` or `busy` on a conference room's label, else `page N`; `""` when unknown."""
    if page is None:
        return ""
    words = {PAGE_FREE: "free", PAGE_BUSY: "busy"} if is_room else {}
    return words.get(page, f"page {page}")


def lines_on_page(
    content: Mapping[str, str],
    article_format: ArticleFormat,
    meeting: MeetingColumns,
    *,
    page: int | None,
    is_room: bool,
) -> tuple[tuple[str, str], ...]:
    """Return the columns and values that stand on a page, beside the name and the id; empty ones do not show.

    A room's free page is without its meeting, its busy page begins with it.
    """
    apart = {article_format.id_column, article_format.name_column, article_format.nfc_column}
    lines = [
        (column, value)
        for column in article_format.content_columns
        if column not in apart and (value := content.get(column))
    ]
    if not is_room or page not in {PAGE_FREE, PAGE_BUSY}:
        return tuple(lines)
    about = {meeting.name, meeting.time, meeting.participants}
    first = [line for line in lines if line[0] in about] if page == PAGE_BUSY else []
    return (*first, *(line for line in lines if line[0] not in about))


def differences(
    *,
    stores: tuple[str | None, str],
    articles: tuple[Sequence[str] | None, Sequence[str] | None],
    pages: tuple[int | None, int | None],
    update_status: str | None,
    has_image: bool,
    differing_columns: bool,
) -> tuple[Difference, ...]:
    """Return in what a label is not as the database wants it; each pair is what we want and what AIMS tells.

    None is "nothing is wished" on our side and "AIMS did not tell" on its side: no difference either way.
    """
    found = {
        Difference.STORE: stores[0] not in {None, stores[1]},
        Difference.LINK: None not in articles and tuple(articles[0] or ()) != tuple(articles[1] or ()),
        Difference.PAGE: None not in pages and pages[0] != pages[1],
        Difference.FIELDS: differing_columns,
        Difference.IMAGE: has_image,
        Difference.DRAWING: update_status in _NOT_DRAWN,
    }
    return tuple(kind for kind, is_so in found.items() if is_so)
