"""The machine's clock, as aware UTC datetimes."""

from __future__ import annotations

from datetime import UTC, datetime


def system_clock() -> datetime:
    """Return the time now."""
    return datetime.now(UTC)
