"""What is done to labels besides linking: replacing one, and wishing a page. Only wishes; the queue carries them."""

from __future__ import annotations

from electis_cli.db import conferences, labels
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.articles import room_external_id
from electis_cli.domain.bulk.changes import label_change
from electis_cli.domain.conference import PAGE_FREE, Room, desired_page
from electis_cli.domain.errors import Conflict, InvalidInput, LabelNotFound
from electis_cli.domain.labels import normalize_label_code
from electis_cli.domain.queue import LabelWish, State, status_of_wish
from electis_cli.services.change import Change, Reading, Scope, changing
from electis_cli.services.views import LabelView, view_label

LAST_PAGE = 7  # contract 5.6


def replace_label(
    scope: Scope, old: str, new: str, *, store: str | None = None, dry_run: bool = False
) -> list[LabelView]:
    """Let `new` show what `old` shows and `old` nothing, in one transaction; returns both, the new one first.

    The old one goes blank once AIMS has linked the new one: if it refuses that, the article stays where it is.
    Raises InvalidInput, LabelNotFound for an old label that was never linked, and Conflict when the old one shows
    nothing or the new one is in use already.
    """
    before, after = normalize_label_code(old), normalize_label_code(new)
    if before == after:
        raise InvalidInput("A label can not replace itself.", fix="electis label replace OLD NEW")
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        # Locked in one order by everybody: two people who swap the same labels wait instead of deadlocking.
        found = {code: labels.find_wish(change.uow, code, lock=True) for code in sorted((before, after))}
        place = _place_of(change, found[before], before, store)
        shown = found[before]
        if shown is None or shown.desired_article is None:
            raise Conflict(
                f"Label {before} shows nothing that could move.", fix=f"electis label show {before}"
            )
        _refuse_in_use(place, found[after], shown.desired_article)
        page = _page_after(change, place, shown, found[after])
        _wish(change, place, after, found[after], shown.desired_article, page, replaces=before)
        _wish(change, place, before, shown, None, None, replaces=after)
        return [_view(change, place, code) for code in (after, before)]


def flip_label(
    scope: Scope,
    label: str,
    page: int,
    *,
    store: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> LabelView:
    """Wish that a label shows one of its pages; of a room's label only with `force`, until its meeting changes.

    Raises InvalidInput, LabelNotFound, Conflict.
    """
    code = normalize_label_code(label)
    if not 1 <= page <= LAST_PAGE:
        raise InvalidInput(f"A label has no page {page}.", why=f"Pages go from 1 to {LAST_PAGE}.")
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        wish = labels.find_wish(change.uow, code, lock=True)
        place = _place_of(change, wish, code, store)
        if wish is None or wish.desired_article is None:
            raise Conflict(
                f"Label {code} shows nothing, so it has no page to flip.",
                fix=f"electis label link {code} ARTICLE_ID",
            )
        room = _room_of(change, place, wish.desired_article)
        if room is not None and not force:
            raise Conflict(
                f"Label {code} belongs to conference room {room.external_id}, whose meeting decides its page.",
                why=f"It shows page {desired_page(room)} because the room is "
                f"{'busy' if room.has_meeting else 'free'}; the next change of the meeting would undo a flip.",
                fix=f"electis conference toggle {room.external_id}, or add --force",
            )
        if wish.desired_page != page or wish.state is not State.ACTIVE:
            labels.save_wish(
                change.uow,
                label_code=code,
                store_id=place.id,
                article_id=wish.desired_article,
                page=page,
                now=change.now,
            )
            change.record(
                "label:flipped",
                "label",
                code,
                before={"page": wish.desired_page},
                after={"page": page, "forced": room is not None},
                store_id=place.id,
            )
        return _view(change, place, code)


def _place_of(read: Reading, wish: LabelWish | None, code: str, store: str | None) -> Store:
    """Return the store of a label. Raises LabelNotFound when it was never linked, or not in the one that is meant."""
    places = {place.id: place for place in read.stores(store)}
    if wish is None or wish.store_id not in places:
        raise LabelNotFound(f"Label {code} was never linked{f' in store {store}' if store else ''}.")
    return places[wish.store_id]


def _refuse_in_use(place: Store, wish: LabelWish | None, article_id: str) -> None:
    """Raise Conflict when a label shows something else, or AIMS has not let go of it yet."""
    if wish is None:
        return
    if wish.desired_article is not None and (wish.desired_article, wish.store_id) != (article_id, place.id):
        raise Conflict(
            f"Label {wish.label_code} shows {wish.desired_article} already.",
            why="Replacing takes a label that is free.",
            fix=f"electis label unlink {wish.label_code}",
        )
    if wish.store_id != place.id and wish.acked_article is not None:
        raise Conflict(
            f"Label {wish.label_code} is still being unlinked in another store.",
            why="It can be linked here once AIMS has let it go there.",
            fix=f"electis label show {wish.label_code}",
        )


def _page_after(change: Change, place: Store, old: LabelWish, new: LabelWish | None) -> int | None:
    """Return the page the new label must show: the room's, or the one that was wished of the old label."""
    room = _room_of(change, place, old.desired_article or "")
    if room is not None:
        return desired_page(room)
    if old.desired_page is None and new is not None and new.desired_page not in {None, PAGE_FREE}:
        return PAGE_FREE  # it comes from a busy room: without a wish it would stay on the meeting's page
    return old.desired_page


def _room_of(read: Reading, place: Store, article_id: str) -> Room | None:
    prefix = read.organization().room_prefix
    external_id = room_external_id(article_id, prefix)
    return None if external_id == article_id else conferences.find_room(read.uow, place.id, external_id)


def _wish(
    change: Change,
    place: Store,
    code: str,
    before: LabelWish | None,
    article_id: str | None,
    page: int | None,
    *,
    replaces: str,
) -> None:
    labels.save_wish(
        change.uow,
        label_code=code,
        store_id=place.id,
        article_id=article_id,
        page=page,
        now=change.now,
        waits_for=replaces if article_id is None else None,
    )
    action = "label:linked" if article_id is not None else "label:unlinked"
    other = {"replaces": replaces} if article_id is not None else {"replaced_by": replaces}
    previous = before.desired_article if before else None
    was = {"article": previous, "page": before.desired_page} if before else None
    after = {"article": article_id, "page": page, **other}
    change.audit(action, "label", code, before=was, after=after, store_id=place.id)
    payload = {"id": code, "article_id": article_id, "previous_article_id": previous, **other}
    change.emit(action, payload, store_id=place.id)
    change.note(label_change(code, previous, article_id))


def _view(read: Reading, place: Store, code: str) -> LabelView:
    wish = labels.find_wish(read.uow, code)
    assert wish is not None
    return view_label(wish, store=place.code, status=status_of_wish(wish))
