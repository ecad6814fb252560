"""Spaces: create, list, show, update, delete (flow 2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from electis_cli.db import conferences, people, spaces
from electis_cli.domain.access import Action
from electis_cli.domain.articles import check_external_id, merge_data, room_external_id
from electis_cli.domain.bulk.changes import person_change, space_change
from electis_cli.domain.errors import AlreadyExists, ArticleIdTaken, ChangedMeanwhile, SpaceNotFound
from electis_cli.domain.people import unassign
from electis_cli.domain.spaces import Space, check_deletable
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.standing import standings
from electis_cli.services.views import SpaceView, view_space


def create_space(
    scope: Scope,
    external_id: str,
    *,
    data: Mapping[str, str],
    store: str | None = None,
    dry_run: bool = False,
) -> SpaceView:
    """Create a space; its article is pending at once.

    Raises InvalidInput, AlreadyExists, ArticleIdTaken, StoreNotFound, UsageProblem.
    """
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        organization = change.organization()
        identifier = check_external_id(external_id, noun="space")
        if spaces.find_space(change.uow, place.id, identifier) is not None:
            raise AlreadyExists(
                f"Space {identifier} exists already.",
                fix=f"electis space update {identifier} --set COLUMN=VALUE",
            )
        refuse_room_article(change, place.id, [identifier], organization.room_prefix)
        space = Space(
            id=change.new_id(),
            store_id=place.id,
            external_id=identifier,
            data=merge_data({}, data, organization.article_format),
        )
        spaces.insert_spaces(change.uow, [space], change.now)
        change.bump(place.id, [identifier])
        change.record("space:created", "space", identifier, after=_facts(space), store_id=place.id)
        change.note(space_change(None, space))
        return _views(change, place.id, place.code, [space])[0]


def list_spaces(scope: Scope, *, store: str | None = None, limit: int | None = None) -> list[SpaceView]:
    """Return the spaces of a store, or of all stores the actor may see."""
    with reading(scope) as read:
        places = {place.id: place.code for place in read.stores(store)}
        found = spaces.list_spaces(read.uow, list(places), limit=limit)
        views: list[SpaceView] = []
        for store_id, code in places.items():
            views.extend(
                _views(read, store_id, code, [space for space in found if space.store_id == store_id])
            )
        return views


def show_space(scope: Scope, external_id: str, *, store: str | None = None) -> SpaceView:
    """Return one space. Raises SpaceNotFound."""
    with reading(scope) as read:
        for place in read.stores(store):
            space = spaces.find_space(read.uow, place.id, external_id)
            if space is not None:
                return _views(read, place.id, place.code, [space])[0]
        raise SpaceNotFound(f"There is no space {external_id}.")


def update_space(
    scope: Scope,
    external_id: str,
    *,
    data: Mapping[str, str],
    store: str | None = None,
    dry_run: bool = False,
) -> SpaceView:
    """Change columns of a space; an empty value clears one. Raises SpaceNotFound, InvalidInput."""
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        space = require_space(change, place.id, external_id, lock=True)
        changed = replace(space, data=merge_data(space.data, data, change.organization().article_format))
        if changed.data != space.data:
            if not spaces.save_space(change.uow, changed, change.now):
                raise ChangedMeanwhile
            change.note(space_change(space, changed))
            changed = replace(changed, version=space.version + 1)
            change.bump(place.id, [space.external_id])
            change.record(
                "space:updated",
                "space",
                space.external_id,
                before=_facts(space),
                after=_facts(changed),
                store_id=place.id,
            )
        return _views(change, place.id, place.code, [changed])[0]


def delete_space(
    scope: Scope,
    external_id: str,
    *,
    unassign_person: bool = False,
    store: str | None = None,
    dry_run: bool = False,
) -> SpaceView:
    """Delete a space and, later, its article; an occupied one only with `unassign_person`.

    Raises SpaceNotFound, SpaceOccupied.
    """
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        space = require_space(change, place.id, external_id, lock=True)
        view = _views(change, place.id, place.code, [space])[0]
        occupant = people.occupants(change.uow, place.id, [space.external_id]).get(space.external_id)
        check_deletable(space, occupied=occupant is not None, unassign=unassign_person)
        if occupant is not None:
            freed = unassign(occupant)
            if not people.save_person(change.uow, freed.after, change.now):
                raise ChangedMeanwhile
            change.record(
                "person:unassigned",
                "person",
                occupant.external_id,
                before={"space": freed.cleared},
                after={"space": None},
                store_id=place.id,
            )
            change.note(person_change(occupant, freed.after))
        if not spaces.delete_space(change.uow, space):
            raise ChangedMeanwhile
        change.bump(place.id, [], deleted=[space.external_id])
        change.record("space:deleted", "space", space.external_id, before=_facts(space), store_id=place.id)
        change.note(space_change(space, None))
        return view


def require_space(read: Reading, store_id: str, external_id: str, *, lock: bool = False) -> Space:
    """Return a space of one store. Raises SpaceNotFound."""
    space = spaces.find_space(read.uow, store_id, external_id, lock=lock)
    if space is None:
        raise SpaceNotFound(f"There is no space {external_id} in this store.")
    return space


def refuse_room_article(change: Change, store_id: str, external_ids: Sequence[str], prefix: str) -> None:
    """Raise ArticleIdTaken when one of these space ids is the article id of a conference room."""
    candidates = {
        room_external_id(identifier, prefix): identifier
        for identifier in external_ids
        if identifier.startswith(prefix) and identifier != prefix
    }
    taken = conferences.rooms_by_external_id(change.uow, store_id, candidates)
    for room_id in taken:
        raise ArticleIdTaken(
            f"The space id {candidates[room_id]} is the article id of conference room {room_id}.",
            fix=f"electis conference show {room_id}",
        )


def _facts(space: Space) -> dict[str, object]:
    return {"external_id": space.external_id, "data": dict(space.data), "version": space.version}


def _views(read: Reading, store_id: str, code: str, found: Sequence[Space]) -> list[SpaceView]:
    identifiers = [space.external_id for space in found]
    seated = people.occupants(read.uow, store_id, identifiers)
    standing = standings(read.uow, store_id, identifiers)
    return [
        view_space(
            space,
            store=code,
            person=seated[space.external_id].external_id if space.external_id in seated else None,
            status=standing[space.external_id].status,
            labels=standing[space.external_id].labels,
        )
        for space in found
    ]
