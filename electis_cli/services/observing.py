"""Links that were made with other tools: observed in listings, adopted, never changed."""

from __future__ import annotations

from electis_cli.db import conferences, known_contents, labels
from electis_cli.db.organizations import Organization
from electis_cli.domain.conference import desired_page
from electis_cli.services.change import Change
from electis_cli.services.sifting import Sifted

_SEEN = "seen-link"


def observe_links(change: Change, organization: Organization, store_id: str, sifted: Sifted) -> int:
    """Adopt the links of labels that nobody wished anything of, once they stay, and return how many there are.

    A missing list is unknown, not none (Q17). A label on several articles is not ours to understand: left alone.
    """
    holders = labels.holders(change.uow, [code for code, _ in sifted.links])
    candidates = {
        (code, article_id)
        for code, article_id in sifted.links
        if sifted.count_label(code) == 1 and _is_free(holders.get(code), article_id)
    }
    noted = known_contents.first_seen(change.uow, store_id, _SEEN)
    known_contents.note_first_seen(change.uow, store_id, _SEEN, candidates, change.now)
    settle = change.scope.runtime.tuning.settle
    settled = [
        (code, article_id)
        for code, article_id in sorted(candidates)
        # Like any remote fact: believed when a later listing still shows it.
        if (since := noted.get((code, article_id))) is not None and change.now - since >= settle
    ]
    prefix = organization.room_prefix
    rooms = conferences.rooms_by_external_id(
        change.uow, store_id, [article_id.removeprefix(prefix) for _, article_id in settled]
    )
    adopted = 0
    for code, article_id in settled:
        room = rooms.get(article_id.removeprefix(prefix)) if article_id.startswith(prefix) else None
        page = desired_page(room) if room else None
        adopted += labels.save_observed(
            change.uow, label_code=code, store_id=store_id, article_id=article_id, page=page, now=change.now
        )
    return adopted


def _is_free(holder: tuple[str, str | None] | None, article_id: str) -> bool:
    """Tell whether a link is neither wished here nor adopted already."""
    return holder is None or (holder[0] != "wish" and holder[1] != article_id)
