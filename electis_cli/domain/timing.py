"""Times of day and waiting times, as pure functions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from electis_cli.domain.errors import InvalidTime

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")

BACKOFF_BASE = timedelta(seconds=2)
BACKOFF_LIMIT = timedelta(minutes=15)
BACKOFF_LEAST = timedelta(milliseconds=500)
_LARGEST_EXPONENT = 16


def parse_time_of_day(text: str) -> str:
    """Return a time of day as `HH:MM`; raises InvalidTime for anything that is not one (`25:99`)."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise InvalidTime(
            f"{text!r} is not a time of day.",
            why="Hours go from 00 to 23, minutes from 00 to 59, as in 09:30.",
        )
    return f"{int(match[1]):02d}:{match[2]}"


def check_meeting_times(start: str | None, end: str | None) -> None:
    """Raise InvalidTime unless both times are given or none, and the meeting ends after it starts."""
    if (start is None) != (end is None):
        raise InvalidTime("A meeting needs both a start and an end, or neither.")
    if start is not None and end is not None and end <= start:
        raise InvalidTime(f"The meeting would end at {end}, not after its start at {start}.")


def backoff_delay(attempts: int, fraction: float) -> timedelta:
    """Return how long to wait after the given number of failed attempts.

    `fraction` (0 to 1, drawn by the caller) spreads the waits evenly between half a second and
    min(15 min, 2 s * 4^attempts), so that rows that failed together do not come back together.
    """
    longest = min(BACKOFF_LIMIT, BACKOFF_BASE * (1 << 2 * min(attempts, _LARGEST_EXPONENT)))
    return max(BACKOFF_LEAST, longest * fraction)


def iso(moment: datetime | None) -> str | None:
    """Return a moment as ISO 8601 text in UTC with a `Z`, for people and machines alike."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
