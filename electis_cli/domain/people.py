"""People and where they sit: two people never share a space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from electis_cli.domain.errors import Conflict, PersonNotAssigned, SpaceTaken
from electis_cli.domain.spaces import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody whose data fill the article of the space they sit in; `assigned_space` is its external id."""

    id: str
    store_id: str
    external_id: str
    data: Mapping[str, str] = field(default_factory=dict)
    assigned_space: str | None = None
    version: int = 1
    updated_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What assigning changes: the person after it, and the spaces whose articles change, the cleared one first."""

    before: Person
    after: Person
    cleared: str | None
    filled: str | None

    @property
    def is_change(self) -> bool:
        """False when the person already sits there."""
        return self.before.assigned_space != self.after.assigned_space

    @property
    def touched(self) -> list[str]:
        """The articles to bump, in the order they must be pushed: clear before fill."""
        return [space for space in (self.cleared, self.filled) if space is not None]


def assign(person: Person, space: Space, *, occupant: Person | None, moving: bool = False) -> Assignment:
    """Return what seating `person` in `space` changes.

    Raises SpaceTaken when somebody else sits there, Conflict across stores, and PersonNotAssigned when `moving`
    somebody who has no space.
    """
    if person.store_id != space.store_id:
        raise Conflict(
            f"Person {person.external_id} and space {space.external_id} belong to different stores.",
            why="A person is seated within the store they belong to.",
        )
    if moving and person.assigned_space is None:
        raise has_no_space(person.external_id, space.external_id)
    if occupant is not None and occupant.id != person.id:
        raise taken(space.external_id, occupant.external_id)
    if person.assigned_space == space.external_id:
        return Assignment(before=person, after=person, cleared=None, filled=None)
    return Assignment(
        before=person,
        after=replace(person, assigned_space=space.external_id),
        cleared=person.assigned_space,
        filled=space.external_id,
    )


def unassign(person: Person) -> Assignment:
    """Return what taking `person` out of their space changes; nothing when they have none."""
    return Assignment(
        before=person, after=replace(person, assigned_space=None), cleared=person.assigned_space, filled=None
    )


def taken(space: str, occupant: str) -> SpaceTaken:
    """Return the error that somebody else sits in a space."""
    return SpaceTaken(
        f"Space {space} is taken.",
        why=f"Person {occupant} sits there; nothing was changed.",
        fix=f"electis people unassign {occupant}",
    )


def has_no_space(person: str, wanted: str) -> PersonNotAssigned:
    """Return the error that somebody is to be moved who sits nowhere."""
    return PersonNotAssigned(
        f"Person {person} has no space to move from.", fix=f"electis people assign {person} {wanted}"
    )


def made_up_id(unique: str) -> str:
    """Return an id for a person who was given none."""
    return f"P-{unique.replace('-', '')[-12:].upper()}"
