"""Conference rooms as they are written: ids, names and meetings checked like the columns of any article."""

from __future__ import annotations

from dataclasses import replace

from electis_cli.domain.articles import (
    check_external_id,
    clean_text,
    merge_data,
    room_article_id,
    room_external_id,
)
from electis_cli.domain.conference import Meeting, Room, default_room_name, toggle


def check_room_id(given: str, prefix: str) -> str:
    """Return a room's external id as it is stored: an id given with the organization's prefix loses it.

    Raises InvalidInput when the article id made of it would not be one.
    """
    external_id = room_external_id(clean_text(given), prefix)
    if external_id:
        check_external_id(room_article_id(external_id, prefix), noun="conference room")
    return check_external_id(external_id, noun="conference room")


def name_room(room: Room, name: str) -> Room:
    """Return the room with a name; an empty one is the default. Raises InvalidInput."""
    return replace(room, room_name=clean_field("room_name", name) or default_room_name(room.external_id))


def hold_meeting(room: Room, *, turn_on: bool | None, meeting: Meeting) -> Room:
    """Return the room with its meeting turned on or off, as `conference.toggle` decides, its texts checked.

    Raises InvalidTime, InvalidInput.
    """
    name, people = meeting.name, meeting.participants
    cleaned = replace(
        meeting,
        name=None if name is None else clean_field("meeting_name", name),
        participants=None
        if people is None
        else tuple(clean_field("participants", person) for person in people),
    )
    return toggle(room, turn_on=turn_on, meeting=cleaned)


def clean_field(name: str, value: str) -> str:
    """Return a text of a room as it is stored. Raises InvalidInput for what a label could not show."""
    return merge_data({}, {name: value}, None).get(name, "")
