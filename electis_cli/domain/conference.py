"""Conference rooms and the meeting their label shows; meetings do not end by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from electis_cli.domain.timing import check_meeting_times, parse_time_of_day

PAGE_FREE = 1
PAGE_BUSY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A conference room of one store; its article id is the organization's room prefix and `external_id`."""

    id: str
    store_id: str
    external_id: str
    room_name: str
    has_meeting: bool = False
    meeting_name: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    participants: tuple[str, ...] = ()
    version: int = 1
    updated_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What is asked for a meeting; None leaves a field as it is."""

    name: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    participants: Sequence[str] | None = None

    @property
    def is_given(self) -> bool:
        """True when any option was given, which means that a meeting is on."""
        return any(
            value is not None for value in (self.name, self.start_time, self.end_time, self.participants)
        )


def default_room_name(external_id: str) -> str:
    """Return the name of a room that was given none."""
    return f"Conference {external_id}"


def desired_page(room: Room) -> int:
    """Return the page a room's labels must show."""
    return PAGE_BUSY if room.has_meeting else PAGE_FREE


def end_meeting(room: Room) -> Room:
    """Return the room without a meeting: name, times and participants are cleared."""
    return replace(
        room, has_meeting=False, meeting_name=None, start_time=None, end_time=None, participants=()
    )


def toggle(room: Room, *, turn_on: bool | None, meeting: Meeting) -> Room:
    """Return the room with its meeting turned on or off.

    `turn_on` None flips, unless meeting options are given: those mean on, and update a running meeting.
    Raises InvalidTime for bad times.
    """
    on = turn_on if turn_on is not None else (meeting.is_given or not room.has_meeting)
    if not on:
        return end_meeting(room)
    base = room if room.has_meeting else end_meeting(room)
    start = _time(meeting.start_time, base.start_time)
    end = _time(meeting.end_time, base.end_time)
    check_meeting_times(start, end)
    participants = (
        base.participants if meeting.participants is None else clean_participants(meeting.participants)
    )
    name = base.meeting_name if meeting.name is None else (meeting.name.strip() or None)
    return replace(
        base, has_meeting=True, meeting_name=name, start_time=start, end_time=end, participants=participants
    )


def clean_participants(names: Sequence[str]) -> tuple[str, ...]:
    """Return participants' names trimmed, without empty ones, in order."""
    return tuple(name.strip() for name in names if name.strip())


def _time(given: str | None, current: str | None) -> str | None:
    if given is None:
        return current
    return parse_time_of_day(given) if given.strip() else None
