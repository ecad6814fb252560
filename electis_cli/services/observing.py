"""Links that were made with other tools: observed in listings, adopted, never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from electis_cli.db import conferences, known_contents, labels
from electis_cli.db.organizations import Organization
from electis_cli.domain.conference import desired_page
from electis_cli.domain.queue import LabelWish
from electis_cli.services.change import Change
from electis_cli.services.remote import Shown

_SEEN = "seen-link"


def _is_ours(wish: LabelWish | None, article_id: str) -> bool:
    """Tell whether a link is wished here, or was adopted already."""
    return wish is not None and (wish.origin == "wish" or wish.acked_article == article_id)


def observe_links(
    change: Change, organization: Organization, store_id: str, listed: Mapping[str, Shown]
) -> int:
    """Adopt the links of labels that nobody wished anything of, once they stay, and return how many there are.

    A missing list is unknown, not none (Q17). A label on several articles is not ours to understand: left alone.
    """
    links = [(code, article_id) for article_id, article in listed.items() for code in article.labels or ()]
    times = Counter(code for code, _ in links)
    wished = {wish.label_code: wish for wish in labels.list_wishes(change.uow, [store_id])}
    rooms = {
        organization.room_prefix + room.external_id: room
        for room in conferences.list_rooms(change.uow, [store_id])
    }
    candidates = {
        (code, article_id)
        for code, article_id in links
        if times[code] == 1 and not _is_ours(wished.get(code), article_id)
    }
    noted = known_contents.first_seen(change.uow, store_id, _SEEN)
    known_contents.note_first_seen(change.uow, store_id, _SEEN, candidates, change.now)
    settle = change.scope.runtime.tuning.settle
    adopted = 0
    for code, article_id in sorted(candidates):
        since = noted.get((code, article_id))
        if since is None or change.now - since < settle:
            continue  # like any remote fact: believed when a later listing still shows it
        room = rooms.get(article_id)
        page = desired_page(room) if room else None
        adopted += labels.save_observed(
            change.uow, label_code=code, store_id=store_id, article_id=article_id, page=page, now=change.now
        )
    return adopted
