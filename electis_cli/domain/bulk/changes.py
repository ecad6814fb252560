"""One row's change: what it was, what it becomes, and how it is kept, planned and taken back.

The same value serves imports, saved plans, undo, restored arrangements and single writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.conference import Room
from electis_cli.domain.people import Person
from electis_cli.domain.spaces import Space

Image = Mapping[str, Any]
"""A row's own values, without its id, its version and where a person sits."""


class RowChange(NamedTuple):
    """One row before and after; None is "there is no such row". `row_id` is the row's own id, also when it comes back.

    `space_before` and `space_after` are where a person sits; they are None for every other noun.
    """

    noun: Noun
    key: str
    row_id: str
    before: Image | None
    after: Image | None
    space_before: str | None = None
    space_after: str | None = None

    @property
    def is_change(self) -> bool:
        """Whether anything is otherwise afterwards."""
        return self.before != self.after or self.space_before != self.space_after

    def inverse(self) -> RowChange:
        """Return the change that takes this one back."""
        return RowChange(
            self.noun, self.key, self.row_id, self.after, self.before, self.space_after, self.space_before
        )


def space_change(before: Space | None, after: Space | None) -> RowChange:
    """Return the change of a space."""
    row = after or before
    assert row is not None
    return RowChange(
        Noun.SPACE,
        row.external_id,
        row.id,
        None if before is None else dict(before.data),
        None if after is None else dict(after.data),
    )


def person_change(before: Person | None, after: Person | None) -> RowChange:
    """Return the change of a person, and of where they sit."""
    row = after or before
    assert row is not None
    return RowChange(
        Noun.PERSON,
        row.external_id,
        row.id,
        None if before is None else dict(before.data),
        None if after is None else dict(after.data),
        before.assigned_space if before else None,
        after.assigned_space if after else None,
    )


def room_change(before: Room | None, after: Room | None) -> RowChange:
    """Return the change of a conference room."""
    row = after or before
    assert row is not None
    return RowChange(
        Noun.ROOM,
        row.external_id,
        row.id,
        None if before is None else image_of_room(before),
        None if after is None else image_of_room(after),
    )


def label_change(code: str, before: str | None, after: str | None) -> RowChange:
    """Return the change of the article that a label is wished to show."""
    return RowChange(
        Noun.LABEL,
        code,
        code,
        None if before is None else {"article": before},
        None if after is None else {"article": after},
    )


def image_of_room(room: Room) -> dict[str, Any]:
    """Return a conference room's values as a change keeps them."""
    return {
        "room_name": room.room_name,
        "has_meeting": room.has_meeting,
        "meeting_name": room.meeting_name,
        "start_time": room.start_time,
        "end_time": room.end_time,
        "participants": list(room.participants),
    }


def room_of_image(image: Image, *, row_id: str, store_id: str, key: str, version: int = 1) -> Room:
    """Return the conference room that a change speaks of."""
    values = {**image, "participants": tuple(image["participants"])}
    return Room(id=row_id, store_id=store_id, external_id=key, version=version, **values)
