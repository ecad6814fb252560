"""What stands against changes that were made from an older state, a plan or an undo, row by row and in words."""

from __future__ import annotations

from collections.abc import Callable, Collection

from electis_cli.db import conferences, labels, spaces
from electis_cli.db.organizations import Organization
from electis_cli.db.staged import standing_against, tables
from electis_cli.db.stores import Store
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.bulk.changes import image_of_room
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.services.bulk.views import Kept
from electis_cli.services.change import Change

_Checks = tuple[tuple[Callable[[UnitOfWork, str], list[standing_against.Obstacle]], str], ...]

_OF_EACH: _Checks = ((standing_against.changed_since, "somebody changed it since"),)
_AMONG_THEM: _Checks = (
    (standing_against.seats_gone, "the space {about} is not there any more"),
    (standing_against.seats_taken, "person {about} sits there by now"),
    (standing_against.spaces_occupied, "person {about} sits there by now"),
)


def find_obstacles(change: Change, place: Store, organization: Organization) -> list[Kept]:
    """Return what stands against the staged changes, and take those out that it stands against.

    What is left can be carried out. Leaving one out may stand against another, so it is looked for until nothing is
    found.
    """
    kept: list[Kept] = []
    checks, nouns = _OF_EACH + _AMONG_THEM, tables.staged_nouns(change.uow)
    while True:
        found = _look(change, place, organization, checks, nouns)
        checks = _AMONG_THEM  # what is left was found to be as it was, whatever else is left out
        if not found:
            return kept
        kept += [Kept(noun=noun, key=key, why=why) for _, noun, key, why in found.values()]
        standing_against.drop_places(change.uow, found)


def _look(
    change: Change, place: Store, organization: Organization, checks: _Checks, nouns: Collection[str]
) -> dict[int, tuple[int, str, str, str]]:
    uow = change.uow
    found: dict[int, tuple[int, str, str, str]] = {}
    for check, words in checks:
        for at, noun, key, about in check(uow, place.id):
            found.setdefault(at, (at, noun, key, words.format(about=about)))
    if Noun.SPACE in nouns or Noun.ROOM in nouns:
        for at, noun, key, about in standing_against.article_ids_taken(
            uow, place.id, organization.room_prefix
        ):
            found.setdefault(at, (at, noun, key, f"its article id belongs to {about} by now"))
    if Noun.ROOM in nouns or Noun.LABEL in nouns:
        for at, noun, key, why in _look_at_the_few(uow, place, organization):
            found.setdefault(at, (at, noun, key, why))
    return found


def _look_at_the_few(
    uow: UnitOfWork, place: Store, organization: Organization
) -> list[tuple[int, str, str, str]]:
    """Return what stands against changes of conference rooms and labels."""
    found = []
    rooms = list(tables.placed_changes(uow, Noun.ROOM))
    if rooms:
        current = conferences.rooms_by_external_id(uow, place.id, [change.key for _, change in rooms])
        for at, change in rooms:
            room = current.get(change.key)
            if (image_of_room(room) if room else None) != change.before:
                found.append((at, change.noun.value, change.key, "somebody changed it since"))
    links = list(tables.placed_changes(uow, Noun.LABEL))
    if not links:
        return found
    wishes = labels.wishes_by_code(uow, [change.key for _, change in links])
    ids = {space.external_id for space in spaces.list_spaces(uow, [place.id])}
    ids |= {organization.room_prefix + room.external_id for room in conferences.list_rooms(uow, [place.id])}
    # What the changes themselves bring back is there afterwards.
    ids |= {change.key for _, change in tables.placed_changes(uow, Noun.SPACE) if change.after is not None}
    ids |= {organization.room_prefix + change.key for _, change in rooms if change.after is not None}
    for at, change in links:
        wish = wishes.get(change.key)
        shown = wish.desired_article if wish is not None and wish.store_id == place.id else None
        if ({"article": shown} if shown else None) != change.before:
            found.append((at, change.noun.value, change.key, "somebody changed it since"))
        elif change.after is not None and change.after["article"] not in ids:
            found.append(
                (
                    at,
                    change.noun.value,
                    change.key,
                    f"the article {change.after['article']} is not there any more",
                )
            )
    return found
