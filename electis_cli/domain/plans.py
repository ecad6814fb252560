"""A plan: everything a bulk change does, row by row, decided before anything is written.

Imports make plans today. Applying a saved plan, undoing one and restoring a snapshot are to make the same kind, carried
out by the one executor in `services.imports`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from electis_cli.domain.conference import Room
from electis_cli.domain.people import Person
from electis_cli.domain.spaces import Space

Fact = Space | Person | Room


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row before and after; `before` is None when it is created. `after` carries the version that was read."""

    before: Fact | None
    after: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a bulk change does to one store.

    `articles` are the ids to bump in the order they must be pushed, clears before fills, each once; `pages` are the
    pages that labels of conference rooms must show, by article id.
    """

    store_id: str
    changes: tuple[RowChange, ...] = ()
    unchanged: int = 0
    articles: tuple[str, ...] = ()
    pages: Mapping[str, int] = field(default_factory=dict)

    @property
    def created(self) -> list[Fact]:
        """The rows that are new."""
        return [change.after for change in self.changes if change.before is None]

    @property
    def updated(self) -> list[Fact]:
        """The rows that change, as they will be."""
        return [change.after for change in self.changes if change.before is not None]

    @property
    def moved_people(self) -> list[Person]:
        """People who leave the space they sit in, as they are now: they must stand up before anybody sits down."""
        return [
            change.before
            for change in self.changes
            if isinstance(change.before, Person)
            and isinstance(change.after, Person)
            and change.before.assigned_space is not None
            and change.before.assigned_space != change.after.assigned_space
        ]
