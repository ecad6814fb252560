"""Labels: which article each one must show. Only wishes are written here; the pusher carries them to AIMS."""

from __future__ import annotations

from collections.abc import Mapping

from electis_cli.db import conferences, labels, spaces
from electis_cli.db.stores import Store, list_stores
from electis_cli.domain.access import Action
from electis_cli.domain.articles import clean_text, room_external_id
from electis_cli.domain.bulk.changes import label_change
from electis_cli.domain.conference import PAGE_FREE, desired_page
from electis_cli.domain.errors import ArticleNotFound, Conflict, LabelNotFound
from electis_cli.domain.labels import normalize_label_code
from electis_cli.domain.queue import LabelWish, State, status_of_wish
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.views import LabelView, view_label


def list_labels(scope: Scope, *, store: str | None = None, limit: int | None = None) -> list[LabelView]:
    """Return the labels that are linked, or are to be, in a store or in all stores the actor may see."""
    with reading(scope) as read:
        places = {place.id: place for place in read.stores(store)}
        found = [wish for wish in labels.list_wishes(read.uow, list(places)) if _matters(wish)]
        return [_view(wish, places[wish.store_id]) for wish in found[:limit]]


def find_label(read: Reading, code: str, store: str | None) -> tuple[LabelWish, Store] | None:
    """Return what is wished of a label and its store, None when nothing ever was in a store the actor may see.

    `store` narrows it to one store. Raises StoreNotFound.
    """
    places = {place.id: place for place in read.stores(store)}
    wish = labels.find_wish(read.uow, code)
    return (wish, places[wish.store_id]) if wish is not None and wish.store_id in places else None


def link_label(
    scope: Scope,
    label: str,
    article: str,
    *,
    store: str | None = None,
    again: bool = False,
    dry_run: bool = False,
) -> LabelView:
    """Wish that a label shows a space or a conference room, instead of what it shows now.

    `again` sends it also when AIMS took it before: somebody linked the label elsewhere there, or covers it.
    Raises InvalidInput for a text that is no label code, ArticleNotFound, and Conflict when the label belongs to
    another store.
    """
    code = normalize_label_code(label)
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        article_id = clean_text(article)
        page = _page_of(change, place, article_id)
        wish = labels.find_wish(change.uow, code, lock=True)
        if page is None and wish is not None and wish.desired_page is not None:
            # It comes from a room, perhaps over a space: without a wish it could stay on the meeting's page.
            page = wish.desired_page if again and wish.desired_article == article_id else PAGE_FREE
        if wish is not None and wish.store_id != place.id and _matters(wish):
            raise _elsewhere(change, wish)
        is_same = (
            wish is not None
            and wish.store_id == place.id
            and wish.origin == "wish"
            and wish.state is State.ACTIVE
            and (wish.desired_article, wish.desired_page) == (article_id, page)
        )
        if again or not is_same:
            _wish(change, place, code, wish, article_id, page)
        if again:
            labels.doubt_link(change.uow, code)
        return _view(*_require(change, code, place.code))


def unlink_label(
    scope: Scope, label: str, *, store: str | None = None, again: bool = False, dry_run: bool = False
) -> LabelView:
    """Wish that a label shows nothing; with `again` it is sent though AIMS took it before.

    Raises LabelNotFound for a label that was never linked, InvalidInput.
    """
    code = normalize_label_code(label)
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        wish, place = _require(change, code, store, lock=True)
        is_stuck = wish.waits_for is not None or wish.state is not State.ACTIVE
        if again or wish.desired_article is not None or (is_stuck and wish.wants_unlink):
            _wish(change, place, code, wish, None, None)
        if again:
            labels.doubt_link(change.uow, code)
        return _view(*_require(change, code, place.code))


def _matters(wish: LabelWish) -> bool:
    return wish.desired_article is not None or wish.wants_unlink


def _page_of(read: Reading, place: Store, article_id: str) -> int | None:
    """Return the page a label of this article must show: None for a space. Raises ArticleNotFound."""
    if spaces.find_space(read.uow, place.id, article_id) is not None:
        return None
    prefix = read.organization().room_prefix
    external_id = room_external_id(article_id, prefix)
    if external_id != article_id:
        room = conferences.find_room(read.uow, place.id, external_id)
        if room is not None:
            return desired_page(room)
    hint = conferences.find_room(read.uow, place.id, article_id)
    raise ArticleNotFound(
        f"Store {place.code} has no space {article_id} and no conference room with that article id.",
        why="The article id of a conference room starts with the organization's room prefix." if hint else "",
        fix=f"electis label link LABEL {prefix}{article_id}" if hint else "electis space list",
    )


def _elsewhere(change: Change, wish: LabelWish) -> Conflict:
    names = {place.id: place.code for place in list_stores(change.uow)}
    other = names[wish.store_id]
    if wish.desired_article is None:
        return Conflict(
            f"Label {wish.label_code} is still being unlinked in store {other}.",
            why="It can be linked here once AIMS has let it go there.",
            fix=f"electis label show {wish.label_code} --store {other}",
        )
    return Conflict(
        f"Label {wish.label_code} is linked in store {other}, to {wish.desired_article}.",
        why="A label belongs to one store at a time.",
        fix=f"electis label unlink {wish.label_code} --store {other}",
    )


def _wish(
    change: Change,
    place: Store,
    code: str,
    before: LabelWish | None,
    article_id: str | None,
    page: int | None,
) -> None:
    labels.save_wish(
        change.uow, label_code=code, store_id=place.id, article_id=article_id, page=page, now=change.now
    )
    action = "label:linked" if article_id is not None else "label:unlinked"
    was: Mapping[str, object] | None = None
    if before is not None:
        was = {"article": before.desired_article, "page": before.desired_page}
    change.audit(
        action, "label", code, before=was, after={"article": article_id, "page": page}, store_id=place.id
    )
    previous = before.desired_article if before is not None else None
    change.note(label_change(code, previous, article_id))
    change.emit(
        action,
        {"id": code, "article_id": article_id, "previous_article_id": previous},
        store_id=place.id,
    )
    _keep_replaced(change, place, code, article_id)


def _keep_replaced(change: Change, place: Store, code: str, article_id: str | None) -> None:
    """Let a label keep its article when the one that was to replace it shows something else now, or nothing."""
    for old in labels.kept_for(change.uow, code):
        # One that AIMS has linked already has taken over.
        if old.acked_article != article_id and old.wants_unlink:
            _wish(change, place, old.label_code, old, old.acked_article, old.acked_page)


def _require(read: Reading, code: str, store: str | None, *, lock: bool = False) -> tuple[LabelWish, Store]:
    places = {place.id: place for place in read.stores(store)}
    wish = labels.find_wish(read.uow, code, lock=lock)
    if wish is None or wish.store_id not in places:
        raise LabelNotFound(f"Label {code} was never linked{f' in store {store}' if store else ''}.")
    return wish, places[wish.store_id]


def _view(wish: LabelWish, place: Store) -> LabelView:
    return view_label(wish, store=place.code, status=status_of_wish(wish))
