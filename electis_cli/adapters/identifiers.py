"""Identifiers and secrets made from the operating system's randomness."""

from __future__ import annotations

import secrets
import threading
import time
import uuid

_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that look alike on paper
_lock = threading.Lock()
_last_stamp = 0


def new_id() -> str:
    """Return a UUIDv7 as text; ids made by one process sort in the order they were made (RFC 9562, 5.7).

    The 12 bits behind the milliseconds count on within a millisecond, so that a row's id tells its place.
    """
    global _last_stamp  # noqa: PLW0603 - the order of ids is a fact of the whole process
    with _lock:
        # Milliseconds, then the fraction of a millisecond in 4,096ths.
        nanoseconds = time.time_ns()
        stamp = (nanoseconds // 1_000_000 << 12) | (nanoseconds % 1_000_000 * 4096 // 1_000_000)
        stamp = _last_stamp = max(stamp, _last_stamp + 1)
    milliseconds, counter = stamp >> 12, stamp & 0xFFF
    value = milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def new_token(prefix: str) -> str:
    """Return a secret token of 256 bits behind a prefix that tells what it is."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def new_password() -> str:
    """Return a temporary password that can be read out loud: four groups of five, some 98 bits."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(5)) for _ in range(4))


def draw() -> float:
    """Return a random number from 0 to 1, for spreading waits."""
    return secrets.randbelow(1 << 32) / (1 << 32)
