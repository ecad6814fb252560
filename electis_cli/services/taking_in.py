"""Taking AIMS's word for whole articles: making a space or room of one made there, removing one deleted there."""

from __future__ import annotations

from collections.abc import Mapping

from electis_cli.db import conferences, people, spaces
from electis_cli.db.organizations import Organization
from electis_cli.domain.articles import data_to_take_in
from electis_cli.domain.bulk.changes import room_change, space_change
from electis_cli.domain.conference import Room
from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.spaces import Space
from electis_cli.services.change import Change
from electis_cli.services.rendering import require_format


def take_in(
    change: Change, organization: Organization, store_id: str, article_id: str, content: Mapping[str, str]
) -> bool:
    """Make a space of an article that others made, or a room when its id is the room prefix and a number.

    True when it was made; False when the database can not hold it (an id or a value it refuses): it stays reported.
    """
    article_format = require_format(organization)
    try:
        data = data_to_take_in(article_id, content, article_format)
    except InvalidInput:
        return False
    number = article_id.removeprefix(organization.room_prefix)
    if number != article_id and number.isdigit():
        name = data.get(article_format.name_column or "", "") or f"Conference {number}"
        room = Room(id=change.new_id(), store_id=store_id, external_id=number, room_name=name)
        conferences.insert_rooms(change.uow, [room], change.now)
        change.record(
            "conference:taken_in", "conference", number, after={"room_name": name}, store_id=store_id
        )
        change.note(room_change(None, room))
        return True
    space = Space(id=change.new_id(), store_id=store_id, external_id=article_id, data=data)
    spaces.insert_spaces(change.uow, [space], change.now)
    change.record("space:taken_in", "space", article_id, after={"data": data}, store_id=store_id)
    change.note(space_change(None, space))
    return True


def remove_here(change: Change, store_id: str, article_id: str) -> bool:
    """Delete the space of an article that was deleted at AIMS; False when a rule forbids it and a person must look.

    Nobody loses their seat because an article went away, and a conference room is ours to say.
    """
    space = spaces.find_space(change.uow, store_id, article_id, lock=True)
    if space is None or people.occupants(change.uow, store_id, [article_id]):
        return False
    if not spaces.delete_space(change.uow, space):
        return False
    change.record(
        "space:deleted_by_aims",
        "space",
        article_id,
        before={"external_id": article_id, "data": dict(space.data), "version": space.version},
        store_id=store_id,
    )
    change.note(space_change(space, None))
    return True
