"""One label as a drawing: what AIMS tells that it shows, else what the database would have it show."""

from __future__ import annotations

from dataclasses import dataclass

from electis_cli.domain.conference import PAGE_BUSY
from electis_cli.domain.errors import ElectisError
from electis_cli.domain.label_display import Difference, lines_on_page
from electis_cli.domain.label_picture import DrawnArticle, LabelPicture
from electis_cli.domain.label_picture import draw_label as draw_picture
from electis_cli.services.change import Scope
from electis_cli.services.showing.articles import ArticleShown
from electis_cli.services.showing.showing import LabelShown, LookedUp, look_up


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDrawing:
    """A label and its drawing, an SVG document.

    `note` says what the drawing is when it is not what AIMS tells; `failure` is why AIMS told nothing.
    """

    view: LabelShown
    svg: str
    note: str
    failure: ElectisError | None


def draw_label(scope: Scope, label: str, *, store: str | None = None) -> LabelDrawing:
    """Return one label on both sides with a drawing of it. Raises what `show_label` raises."""
    found = look_up(scope, label, store)
    note = _note(found.view)
    svg = draw_picture(_picture(found, note or _not_yet(found.view)))
    return LabelDrawing(view=found.view, svg=svg, note=note, failure=found.failure)


def _note(view: LabelShown) -> str:
    if view.aims_error is not None:
        why = view.aims_error.told
    elif view.aims is None:
        why = "AIMS does not know this label"
    elif view.aims.articles is None:
        why = "AIMS did not tell what it is linked to"
    else:
        return ""
    return f"drawn from the database: {why}"


def _not_yet(view: LabelShown) -> str:
    if view.aims is None or Difference.DRAWING not in view.differences:
        return ""
    return f"the label has not drawn this yet: {view.aims.update_status}"


def _picture(found: LookedUp, note: str) -> LabelPicture:
    view, aims = found.view, found.view.aims
    is_told = aims is not None and aims.articles is not None
    shown = [article for article in view.articles if (article.linked if is_told else article.wanted)]
    page = aims.page if aims is not None else view.page
    return LabelPicture(
        label_code=view.label_code,
        articles=tuple(_drawn(found, article, page, is_told=is_told) for article in shown),
        page=view.page_word,
        is_busy=page == PAGE_BUSY and any(article.is_room for article in shown),
        has_image=aims is not None and aims.image,
        width=aims.width if aims else None,
        height=aims.height if aims else None,
        note=note,
    )


def _drawn(found: LookedUp, article: ArticleShown, page: int | None, *, is_told: bool) -> DrawnArticle:
    """Return what is drawn of an article: AIMS's values, or ours when AIMS did not tell."""
    organization = found.sought.organization
    values = {pair.field: (pair.aims if is_told else pair.ours) or "" for pair in article.fields}
    if organization.article_format is None:
        lines = tuple(line for line in values.items() if line[1])
    else:
        lines = lines_on_page(
            values,
            organization.article_format,
            organization.mapping.meeting,
            page=page,
            is_room=article.is_room,
        )
    return DrawnArticle(article_id=article.article_id, name=article.name, lines=lines)
