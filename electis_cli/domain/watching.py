"""What changed in the queue between two looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class ItemKind(StrEnum):
    """What an item of the queue is about."""

    ARTICLE = "article"
    LABEL = "label"
    COMMAND = "command"


class Key(NamedTuple):
    """Something that is watched: an item of a store's queue, or the store itself."""

    store: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How something stood in one look; an error is only worth telling while it stands there."""

    status: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that stands differently now; None: it was, or is, not there."""

    key: Key
    before: Seen | None
    after: Seen | None


def differences(before: Mapping[Key, Seen], after: Mapping[Key, Seen]) -> list[Difference]:
    """Return what differs between two looks: first what is there now, in its order, then what has gone."""
    changed = [
        Difference(key=key, before=before.get(key), after=seen)
        for key, seen in after.items()
        if before.get(key) != seen
    ]
    gone = [Difference(key=key, before=seen, after=None) for key, seen in before.items() if key not in after]
    return changed + gone
