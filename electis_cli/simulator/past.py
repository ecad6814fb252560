"""How a store was some time ago: what stale and delayed reads answer (contract 9.5).

A store notes what it was before each change; looking back undoes the notes on a copy.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

NOTES_KEPT = 100_000
SECONDS_KEPT = 3_600.0
"""Nobody can look back further."""

_ticks = itertools.count(1)


def tick() -> int:
    """A number higher than every earlier one: the order of events within one instant."""
    return next(_ticks)


class Note(NamedTuple):
    """One thing of a store before a change; None when it was not there."""

    at: float
    order: int
    id: str
    before: Any
    is_link: bool
    """`before` is the article list of a label, not an article."""


Undo = Callable[[Note], bool]
"""Whether a note is to be undone."""


def notes() -> deque[Note]:
    """Where a store keeps them."""
    return deque(maxlen=NOTES_KEPT)


def keep(kept: deque[Note], note: Note) -> None:
    """Add a note and let go of those too old."""
    kept.append(note)
    while kept[0].at < note.at - SECONDS_KEPT:
        kept.popleft()


def put_back(kept: Iterable[Note], undo: Undo, articles: dict[str, Any], links: dict[str, list[str]]) -> None:
    """Put back everything `undo` says is to be undone; the notes come newest first."""
    for note in kept:
        if not undo(note):
            continue
        if note.is_link:
            links[note.id] = note.before
        elif note.before is None:
            articles.pop(note.id, None)
        else:
            articles[note.id] = note.before
