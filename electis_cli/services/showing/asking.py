"""What AIMS tells of one label, wherever it has it: its page, how its update went, and the articles it is linked to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.errors import AimsRejected, ElectisError
from electis_cli.domain.label_display import Told, image_over
from electis_cli.domain.queue import LabelWish
from electis_cli.services.at_aims import AtAims, looking
from electis_cli.services.change import Scope

if TYPE_CHECKING:
    from electis_cli.aims.entities import LabelDetail, LabelRow, PageState
    from electis_cli.aims.inspection import AimsInspector
    from electis_cli.aims.wire import RemoteArticle


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The label that is asked for, and what the database knows of it: its wish and that one's store, or neither."""

    code: str
    organization: Organization
    places: tuple[Store, ...]
    wish: LabelWish | None
    place: Store | None

    @property
    def wanted(self) -> tuple[str, ...] | None:
        """The articles the database wants on it; None when it knows no such label."""
        if self.wish is None:
            return None
        return (self.wish.desired_article,) if self.wish.desired_article is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAtAims:
    """What AIMS tells of a label; None is "AIMS did not tell", times are AIMS's own texts.

    `updated_at` is when the label answered for the page it shows; `image` tells that an image was put over that page.
    """

    store: str
    articles: tuple[str, ...] | None
    page: int | None
    update_status: str | None
    updated_at: str | None
    image: bool
    image_at: str | None
    online: bool | None
    battery: str | None
    low_battery: bool | None
    signal: str | None
    gateway: str | None
    model: str | None
    last_response: str | None
    width: int | None
    height: int | None
    pages: tuple[PageState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A label as AIMS has it in one store, and articles by store and id (None: AIMS has no such article)."""

    place: Store
    label: LabelAtAims
    articles: Mapping[tuple[str, str], RemoteArticle | None]


def ask(scope: Scope, sought: Sought) -> tuple[Remote | None, ElectisError | None]:
    """Ask AIMS, uncached, and return what it tells (None: it knows no such label), or why it told nothing."""
    try:
        with looking(scope, sought.organization, sought.places) as at:
            return _find(at, sought), None
    except ElectisError as error:
        return None, error


def _find(at: AtAims, sought: Sought) -> Remote | None:
    """Look for the label; a store that AIMS does not know does not end the search, but leaves it without a result."""
    refusal: AimsRejected | None = None
    for place in _likely_first(at, sought):
        try:
            row = at.ask.label(place.code, sought.code)
        except AimsRejected as error:
            refusal = error
            continue
        if row is not None:
            return _tell(at, sought, place, row)
    if refusal is not None:
        raise refusal
    return None


def _likely_first(at: AtAims, sought: Sought) -> Iterable[Store]:
    """Yield every store once: the database's, then the one that AIMS names, then the others."""
    if sought.place is not None:
        yield sought.place
    rest = [place for place in at.places if place != sought.place]
    if len(rest) > 1:
        home = at.ask.store_of_label(sought.code)
        rest.sort(key=lambda place: place.code != home)
    yield from rest


def _tell(at: AtAims, sought: Sought, place: Store, row: LabelRow) -> Remote:
    label = label_at_aims(at.ask, place.code, row)
    if label.width is None or label.height is None:
        device = at.ask.device(sought.code)
        width, height = (device.width, device.height) if device else (None, None)
        label = replace(label, width=width, height=height)
    wanted = [(place.code, article_id) for article_id in row.articles or ()]
    if sought.place is not None:
        wanted += [(sought.place.code, article_id) for article_id in sought.wanted or ()]
    return Remote(
        place=place, label=label, articles={key: at.ask.article(*key) for key in dict.fromkeys(wanted)}
    )


def label_at_aims(ask: AimsInspector, store: str, row: LabelRow) -> LabelAtAims:
    """Return what AIMS tells of a label that one of its lists showed: its page, too, and an image put over that."""
    detail = _detail(ask, store, row.label_code)
    page = detail.active_page if detail else None
    shown = next((one for one in detail.pages if one.page == page), None) if detail else None
    image = image_over(_told(ask, store, row.label_code), page)
    return LabelAtAims(
        store=store,
        articles=row.articles,
        page=page,
        update_status=row.update_status or (detail.state if detail else None),
        updated_at=shown.answered_at if shown else None,
        image=image is not None,
        image_at=image.at if image else None,
        online=row.online,
        battery=row.battery,
        low_battery=row.low_battery,
        signal=row.signal,
        gateway=row.gateway,
        model=row.model,
        last_response=row.last_response,
        width=detail.width if detail else None,
        height=detail.height if detail else None,
        pages=detail.pages if detail else (),
    )


def _detail(ask: AimsInspector, store: str, code: str) -> LabelDetail | None:
    """Return the label's pages; an installation may not tell them (Q30)."""
    try:
        return ask.label_detail(store, code)
    except AimsRejected:
        return None


def _told(ask: AimsInspector, store: str, code: str) -> Sequence[Told]:
    """Return what the label was told, newest first; an installation may not tell it (Q30)."""
    try:
        events = ask.label_history(store, code)
    except AimsRejected:
        return ()
    return [
        Told(kind=event.kind, page=page.page, state=page.state, at=event.at)
        for event in events or ()
        for page in event.pages
    ]
