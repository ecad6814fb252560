"""What a push of one store did, and why it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Ending(StrEnum):
    """Why a push of one store ended."""

    DONE = "done"
    STOPPED = "stopped"
    BUSY = "busy"  # another worker holds the store
    DISABLED = "disabled"
    PAUSED = "paused"
    BREAKER = "breaker"
    BACKOFF = "backoff"
    NO_ACCOUNT = "no_account"
    NO_FORMAT = "no_format"
    TROUBLE = "trouble"


@dataclass(slots=True, kw_only=True)
class PushReport:
    """Counts of one push of one store."""

    store: str
    ending: Ending = Ending.DONE
    created: int = 0
    updated: int = 0
    deleted: int = 0
    agreed: int = 0
    linked: int = 0
    unlinked: int = 0
    flipped: int = 0
    commands_sent: int = 0
    commands_failed: int = 0
    failed: int = 0
    waiting: int = 0
    article_calls: int = 0
    label_calls: int = 0
    error_code: str | None = None
    error: str | None = None
    until: datetime | None = None
    was_overtaken: bool = False
    """True when the lease was lost on the way; another worker goes on."""

    @property
    def moved(self) -> int:
        """How many articles, wishes and commands this push settled, one way or the other."""
        articles = self.created + self.updated + self.deleted + self.agreed
        wishes = self.linked + self.unlinked + self.flipped
        return articles + wishes + self.failed + self.commands_sent + self.commands_failed
