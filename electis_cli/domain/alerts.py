"""Alerts: how often a cause is told, and what is told to a receiver outside: no names, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from electis_cli.domain.timing import iso

ALERT_PAUSE = timedelta(hours=1)
"""A cause is mailed, and handed to the operator's receiver, at most once in this time."""

_FIXES = {
    "aims": "electis aims doctor",
    "another-writer": "electis queue list --store {store}",
    "dead-letter": "electis queue dead list --store {store}",
    "labels-timed-out": "electis label resend --timeouts --store {store}",
    "page-flips": "electis queue list --store {store}",
    "session": "electis auth sessions",
    "store-rejected": "electis aims doctor --store {store}",
}
_LOOK = "electis queue status"
_HELD = "sync-held"
_OWN_FIX = " fix: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An alert as it is handed to the operator's receiver; `store` is None when it is about the whole account."""

    cause: str
    text: str
    organization: str
    store: str | None
    first: datetime
    last: datetime
    count: int

    @property
    def fix(self) -> str:
        """The command to begin with."""
        return fix_of(self.cause, self.store, self.text)

    def document(self) -> Mapping[str, Any]:
        """Return the JSON object that the receiver gets; keys are only ever added."""
        return {
            "cause": self.cause,
            "text": self.text,
            "organization": self.organization,
            "store": self.store,
            "first": iso(self.first),
            "last": iso(self.last),
            "count": self.count,
            "fix": self.fix,
        }


def held_cause(store: str) -> str:
    """Return the cause of the alert that a store's full sync is held."""
    return f"{_HELD}:{store}"


def held_text(store: str, why: str, run: str) -> str:
    """Return what the alert says of a held full sync; the command that lets it go on is part of it."""
    return f"Store {store}: its full sync is held ({why}).{_OWN_FIX}electis sync approve {run}"


def fix_of(cause: str, store: str | None, text: str) -> str:
    """Return the command that shows or mends what an alert is about; one without its store is not offered."""
    if cause.startswith(f"{_HELD}:") and _OWN_FIX in text:
        return text.rpartition(_OWN_FIX)[2]
    fix = _FIXES.get(cause.partition(":")[0], _LOOK)
    if "{store}" not in fix:
        return fix
    return fix.format(store=store) if store else _LOOK
