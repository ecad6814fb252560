"""Cells longer than the 131,072 characters that Python's csv reads by itself."""

from __future__ import annotations

import csv
import threading

LONGEST_CELL = 10_000_000
"""How many characters a cell has at most; without a limit a quote left open reads the rest of the file into memory."""

_lock = threading.Lock()
_users = 0
_usual = 0


def allow() -> None:
    """Raise the limit, which is one for the whole process, until as many `disallow` calls have come."""
    global _users, _usual  # noqa: PLW0603 (so is the limit itself)
    with _lock:
        if not _users:
            _usual = csv.field_size_limit(LONGEST_CELL)
        _users += 1


def disallow() -> None:
    """Take back one `allow`; the last one sets the limit as it was."""
    global _users  # noqa: PLW0603
    with _lock:
        _users -= 1
        if not _users:
            csv.field_size_limit(_usual)
