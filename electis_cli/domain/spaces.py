"""Spaces: the places that labels are stuck to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from electis_cli.domain.errors import SpaceOccupied


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A desk, door or shelf of one store; `external_id` is its article id at AIMS."""

    id: str
    store_id: str
    external_id: str
    data: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    updated_at: datetime | None = field(default=None, compare=False)


def check_deletable(space: Space, *, occupied: bool, unassign: bool) -> None:
    """Raise SpaceOccupied when somebody sits in the space and the caller did not say to unassign them."""
    if occupied and not unassign:
        raise occupied_space(space.external_id)


def occupied_space(space: str) -> SpaceOccupied:
    """Return the error that somebody sits in a space that is to be deleted."""
    return SpaceOccupied(
        f"Somebody sits in space {space}.",
        why="Deleting the space would leave that person without one.",
        fix=f"electis space delete {space} --unassign",
    )
