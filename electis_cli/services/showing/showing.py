"""One label on both sides: what AIMS tells that it shows, and what the database would have it show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from electis_cli.domain.errors import (
    AimsNotConfigured,
    ElectisError,
    LabelNotFound,
    Misconfigured,
    Unreachable,
)
from electis_cli.domain.label_display import Difference, differences, word_of_page
from electis_cli.domain.labels import Display, normalize_label_code
from electis_cli.domain.queue import Status, status_of_wish
from electis_cli.services.change import Scope, reading
from electis_cli.services.labels import find_label
from electis_cli.services.showing.articles import ArticleShown, articles_of
from electis_cli.services.showing.asking import LabelAtAims, Remote, Sought, ask


@dataclass(frozen=True, slots=True, kw_only=True)
class AimsTrouble:
    """Why AIMS told nothing, in one sentence (`told`), and the error's own words."""

    told: str
    code: str
    message: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelShown:
    """A label on both sides: what the database wishes of it, what AIMS tells, and its articles.

    `page_word` is the page it shows, in words; `differences` are those between the sides, as far as both are known.
    """

    label_code: str
    store: str
    article: str | None
    page: int | None
    acked_article: str | None
    acked_page: int | None
    status: Status | None
    error: str | None
    display: Display | None
    in_database: bool
    page_word: str
    aims: LabelAtAims | None
    aims_error: AimsTrouble | None
    articles: tuple[ArticleShown, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """A label that was looked up, and why AIMS told nothing."""

    sought: Sought
    view: LabelShown
    failure: ElectisError | None


def show_label(scope: Scope, label: str, *, store: str | None = None) -> LabelShown:
    """Return one label on both sides; when AIMS does not answer, the database's side and why.

    Raises InvalidInput for a text that is no label code, LabelNotFound when neither side knows it, StoreNotFound, and
    AIMS's own error when the database does not know it and AIMS does not answer.
    """
    return look_up(scope, label, store).view


def look_up(scope: Scope, label: str, store: str | None) -> LookedUp:
    """Return one label on both sides, for whoever goes on with it. Raises what `show_label` raises."""
    code = normalize_label_code(label)
    with reading(scope) as read:
        wish, place = find_label(read, code, store) or (None, None)
        sought = Sought(
            code=code,
            organization=read.organization(),
            places=tuple(read.stores(store)),
            wish=wish,
            place=place,
        )
    remote, failure = ask(scope, sought)
    if wish is None and remote is None:
        raise _unknown(code, store, failure)
    with reading(scope) as read:
        articles = articles_of(read, sought, remote)
    return LookedUp(sought=sought, view=_view(sought, remote, failure, articles), failure=failure)


def _unknown(code: str, store: str | None, failure: ElectisError | None) -> ElectisError:
    """Return the error for a label that the database does not know and AIMS did not show."""
    here = f"Label {code} was never linked{f' in store {store}' if store else ''}"
    if failure is None:
        return LabelNotFound(
            f"{here}, and AIMS does not know it either.",
            why="AIMS knows a label once a gateway of one of its stores has heard it.",
            fix="electis label list --unassigned",
        )
    if isinstance(failure, AimsNotConfigured):
        return LabelNotFound(f"{here}.", why="AIMS was not asked: the organization has no account there.")
    return type(failure)(
        failure.message, why=f"{here}. {failure.why}".strip(), fix=failure.fix, **failure.details
    )


def _view(
    sought: Sought,
    remote: Remote | None,
    failure: ElectisError | None,
    articles: tuple[ArticleShown, ...],
) -> LabelShown:
    wish, label = sought.wish, remote.label if remote else None
    store = sought.place.code if sought.place else label.store if label else ""
    return LabelShown(
        label_code=sought.code,
        store=store,
        article=wish.desired_article if wish else None,
        page=wish.desired_page if wish else None,
        acked_article=wish.acked_article if wish else None,
        acked_page=wish.acked_page if wish else None,
        status=status_of_wish(wish) if wish else None,
        error=wish.error_text if wish else None,
        display=wish.display if wish else None,
        in_database=wish is not None,
        page_word=_page_word(sought, label, articles),
        aims=label,
        aims_error=_trouble(failure) if failure else None,
        articles=articles,
        differences=_differences(sought, label, articles) if label else (),
    )


def _page_word(sought: Sought, label: LabelAtAims | None, articles: Sequence[ArticleShown]) -> str:
    if label is None:
        page = sought.wish.desired_page if sought.wish else None
        return word_of_page(page, is_room=any(article.is_room for article in articles))
    shown = [article for article in articles if article.linked is not False]
    return word_of_page(label.page, is_room=any(article.is_room for article in shown)) if shown else ""


def _differences(
    sought: Sought, label: LabelAtAims, articles: Sequence[ArticleShown]
) -> tuple[Difference, ...]:
    return differences(
        stores=(sought.place.code if sought.place else None, label.store),
        articles=(sought.wanted, label.articles),
        pages=(sought.wish.desired_page if sought.wish else None, label.page),
        update_status=label.update_status,
        has_image=label.image,
        differing_columns=any(pair.equal is False for article in articles for pair in article.fields),
    )


def _trouble(error: ElectisError) -> AimsTrouble:
    told = f"AIMS refused ({error.code})"
    if isinstance(error, Unreachable):
        told = f"AIMS did not answer ({error.code})"
    elif isinstance(error, Misconfigured):
        told = f"AIMS was not asked ({error.code})"
    return AimsTrouble(told=told, code=error.code, message=error.message, why=error.why, fix=error.fix)
