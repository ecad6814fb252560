"""Conference rooms: create, list, show, update, delete, and their meetings (flow 6.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from electis_cli.db import conferences, labels, spaces
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.articles import room_article_id, room_external_id
from electis_cli.domain.bulk.changes import room_change
from electis_cli.domain.conference import Meeting, Room, default_room_name, desired_page
from electis_cli.domain.errors import (
    AlreadyExists,
    ArticleIdTaken,
    ChangedMeanwhile,
    RoomNotFound,
    UsageProblem,
)
from electis_cli.domain.rooms import check_room_id, hold_meeting, name_room
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.standing import standings
from electis_cli.services.views import RoomView, view_room


def create_room(
    scope: Scope,
    external_id: str,
    *,
    name: str | None = None,
    store: str | None = None,
    dry_run: bool = False,
) -> RoomView:
    """Create a conference room without a meeting; an id given with the room prefix is stored without it.

    Raises InvalidInput, AlreadyExists, ArticleIdTaken, StoreNotFound, UsageProblem.
    """
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place, organization = change.store(store), change.organization()
        identifier = check_room_id(external_id, organization.room_prefix)
        if conferences.find_room(change.uow, place.id, identifier) is not None:
            raise AlreadyExists(
                f"Conference room {identifier} exists already.",
                fix=f"electis conference update {identifier} --name NAME",
            )
        article_id = room_article_id(identifier, organization.room_prefix)
        if spaces.find_space(change.uow, place.id, article_id) is not None:
            raise ArticleIdTaken(
                f"The article id {article_id} of conference room {identifier} is the id of a space.",
                fix=f"electis space show {article_id}",
            )
        room = Room(
            id=change.new_id(),
            store_id=place.id,
            external_id=identifier,
            room_name=default_room_name(identifier),
        )
        room = name_room(room, name or "")
        conferences.insert_rooms(change.uow, [room], change.now)
        _push(change, place, article_id, room)
        change.record("conference:created", "conference", identifier, after=_facts(room), store_id=place.id)
        change.note(room_change(None, room))
        return _views(change, place, organization, [room])[0]


def list_rooms(scope: Scope, *, store: str | None = None, limit: int | None = None) -> list[RoomView]:
    """Return the conference rooms of a store, or of all stores the actor may see."""
    with reading(scope) as read:
        places, organization = read.stores(store), read.organization()
        found = conferences.list_rooms(read.uow, [place.id for place in places], limit=limit)
        return [
            view
            for place in places
            for view in _views(
                read, place, organization, [room for room in found if room.store_id == place.id]
            )
        ]


def show_room(scope: Scope, external_id: str, *, store: str | None = None) -> RoomView:
    """Return one conference room, found by its id with or without the prefix. Raises RoomNotFound."""
    with reading(scope) as read:
        organization = read.organization()
        identifier = room_external_id(external_id, organization.room_prefix)
        for place in read.stores(store):
            room = conferences.find_room(read.uow, place.id, identifier)
            if room is not None:
                return _views(read, place, organization, [room])[0]
        raise RoomNotFound(f"There is no conference room {identifier}.")


def update_room(
    scope: Scope,
    external_id: str,
    *,
    name: str | None = None,
    store: str | None = None,
    dry_run: bool = False,
) -> RoomView:
    """Rename a conference room; an empty name is the default one. Raises RoomNotFound, InvalidInput."""
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place, organization = change.store(store), change.organization()
        room = _require(change, place, organization, external_id)
        changed = room if name is None else name_room(room, name)
        changed = _save(change, place, organization, room, changed, action="conference:updated")
        return _views(change, place, organization, [changed])[0]


def toggle_meeting(
    scope: Scope,
    external_id: str,
    *,
    turn_on: bool | None = None,
    meeting: Meeting | None = None,
    store: str | None = None,
    dry_run: bool = False,
) -> RoomView:
    """Turn a room's meeting on or off: None flips, unless `meeting` says something, which means on.

    Meeting options update a running meeting; turning off clears name, times and participants.
    Raises RoomNotFound, InvalidTime, InvalidInput, UsageProblem.
    """
    asked = meeting or Meeting()
    if turn_on is False and asked.is_given:
        raise UsageProblem(
            "A meeting can not be described and turned off at once.",
            fix="electis conference toggle ROOM --off",
        )
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place, organization = change.store(store), change.organization()
        room = _require(change, place, organization, external_id)
        changed = hold_meeting(room, turn_on=turn_on, meeting=asked)
        action = "conference:updated" if changed.has_meeting == room.has_meeting else "conference:toggled"
        changed = _save(change, place, organization, room, changed, action=action)
        return _views(change, place, organization, [changed])[0]


def delete_room(
    scope: Scope, external_id: str, *, store: str | None = None, dry_run: bool = False
) -> RoomView:
    """Delete a conference room and, later, its article. Raises RoomNotFound."""
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place, organization = change.store(store), change.organization()
        room = _require(change, place, organization, external_id)
        view = _views(change, place, organization, [room])[0]
        if not conferences.delete_room(change.uow, room):
            raise ChangedMeanwhile
        change.bump(place.id, [], deleted=[view.article_id])
        change.record(
            "conference:deleted", "conference", room.external_id, before=_facts(room), store_id=place.id
        )
        change.note(room_change(room, None))
        return view


def _require(change: Change, place: Store, organization: Organization, given: str) -> Room:
    identifier = room_external_id(given, organization.room_prefix)
    room = conferences.find_room(change.uow, place.id, identifier, lock=True)
    if room is None:
        raise RoomNotFound(f"There is no conference room {identifier} in store {place.code}.")
    return room


def _save(
    change: Change, place: Store, organization: Organization, before: Room, after: Room, *, action: str
) -> Room:
    """Write a room that changed, with its article, its labels' page, audit row and event; return it as it is now."""
    if after == before:
        return before
    if not conferences.save_room(change.uow, after, change.now):
        raise ChangedMeanwhile
    article_id = room_article_id(after.external_id, organization.room_prefix)
    _push(change, place, article_id, after)
    change.note(room_change(before, after))
    after = replace(after, version=before.version + 1)
    change.audit(
        action,
        "conference",
        after.external_id,
        before=_facts(before),
        after=_facts(after),
        store_id=place.id,
    )
    change.emit(
        action,
        {"id": after.external_id, "article_id": article_id, "has_meeting": after.has_meeting},
        store_id=place.id,
    )
    return after


def _push(change: Change, place: Store, article_id: str, room: Room) -> None:
    # The article goes first and the page follows it (flow 6.1); the pusher keeps that order.
    change.bump(place.id, [article_id])
    labels.wish_page(change.uow, place.id, article_id, desired_page(room), change.now)


def _facts(room: Room) -> dict[str, object]:
    return {
        "external_id": room.external_id,
        "room_name": room.room_name,
        "has_meeting": room.has_meeting,
        "meeting_name": room.meeting_name,
        "start_time": room.start_time,
        "end_time": room.end_time,
        "participants": list(room.participants),
        "version": room.version,
    }


def _views(read: Reading, place: Store, organization: Organization, found: Sequence[Room]) -> list[RoomView]:
    article_ids = {room.id: room_article_id(room.external_id, organization.room_prefix) for room in found}
    standing = standings(read.uow, place.id, article_ids.values())
    return [
        view_room(
            room,
            store=place.code,
            article_id=article_ids[room.id],
            status=standing[article_ids[room.id]].status,
            labels=standing[article_ids[room.id]].labels,
        )
        for room in found
    ]
