"""Links that a listing shows: those made with other tools are adopted, late calls of ours are made good."""

from __future__ import annotations

from electis_cli.db import conferences, intents, labels
from electis_cli.db.organizations import Organization
from electis_cli.domain.conference import desired_page
from electis_cli.domain.queue import KNOWN_FOR, Sighting, judge_sighting
from electis_cli.services.change import Change
from electis_cli.services.sifting import Sifted

_SEEN = "seen-link"


def observe_links(change: Change, organization: Organization, store_id: str, sifted: Sifted) -> int:
    """Adopt links that stay and that no wish stands against, and return how many there are.

    A link that an old call of ours made, which arrived after the wish had changed, makes the wish due again.
    A missing list is unknown, not none (Q17). A label on several articles is not ours to understand: left alone.
    """
    wishes = labels.wishes_by_code(change.uow, [code for code, _ in sifted.links])
    tuning = change.scope.runtime.tuning
    sent = intents.intents_by_label(change.uow, store_id, wishes, change.now - KNOWN_FOR, kind="link")
    sightings = {
        (code, article_id): judge_sighting(wishes.get(code), article_id, sent.get(code, ()))
        for code, article_id in sifted.links
        if sifted.count_label(code) == 1
    }
    candidates = {link for link, sighting in sightings.items() if sighting is not Sighting.LEAVE}
    noted = intents.first_seen(change.uow, store_id, _SEEN)
    intents.note_first_seen(change.uow, store_id, _SEEN, candidates, change.now)
    settled = [
        (code, article_id)
        for code, article_id in sorted(candidates)
        # Like any remote fact: believed when a later listing still shows it.
        if (since := noted.get((code, article_id))) is not None and change.now - since >= tuning.settle
    ]
    prefix = organization.room_prefix
    rooms = conferences.rooms_by_external_id(
        change.uow, store_id, [article_id.removeprefix(prefix) for _, article_id in settled]
    )
    adopted = 0
    for code, article_id in settled:
        wish = wishes.get(code)
        if wish is not None and sightings[code, article_id] is Sighting.REPEAT:
            labels.note_shown(change.uow, wish, article_id, change.now)
            continue
        room = rooms.get(article_id.removeprefix(prefix)) if article_id.startswith(prefix) else None
        adopted += labels.save_observed(
            change.uow,
            label_code=code,
            store_id=store_id,
            article_id=article_id,
            page=desired_page(room) if room else None,
            now=change.now,
            instead_of=wish,
        )
    return adopted
