"""Redis or Valkey, when configured: reachable or not, and a counter that several machines share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from electis_cli.domain.errors import ExtraMissing, Misconfigured, Unreachable

REDIS_SECONDS = 2.0

# One round trip and nothing in between: refuse while blocked, else count, and block when the last attempt is taken.
_TAKE = """
local wait = redis.call('PTTL', KEYS[2])
if wait > 0 then return wait end
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if count >= tonumber(ARGV[1]) then
  redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
  redis.call('DEL', KEYS[1])
end
return 0
"""


class SharedCounter:
    """Counts attempts per subject; the last one allowed within a window blocks the subject for another window."""

    def __init__(self, url: str, *, prefix: str = "electis:login") -> None:
        """Nothing is connected yet."""
        self._url = url
        self._prefix = prefix

    def take(self, subject: str, *, most: int, window: timedelta) -> timedelta:
        """Count one attempt and return zero, or count nothing and return how long the subject stays blocked.

        Raises Unreachable when Redis does not answer within two seconds.
        """
        with _connection(self._url) as redis:
            wait = redis.eval(_TAKE, 2, *self._keys(subject), most, int(window.total_seconds() * 1000))
        return timedelta(milliseconds=int(wait))

    def forget(self, subject: str) -> None:
        """Forget a subject's attempts. Raises Unreachable."""
        with _connection(self._url) as redis:
            redis.delete(*self._keys(subject))

    def _keys(self, subject: str) -> tuple[str, str]:
        # The braces keep both keys on one node of a cluster.
        return f"{self._prefix}:{{{subject}}}:count", f"{self._prefix}:{{{subject}}}:blocked"


def ping_redis(url: str) -> None:
    """Raise Unreachable unless Redis answers within two seconds."""
    with _connection(url) as redis:
        redis.ping()


@contextlib.contextmanager
def _connection(url: str) -> Iterator[Any]:
    try:
        import redis  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise ExtraMissing(
            "Redis is configured but its client is not installed.", fix="pip install 'electis[redis]'"
        ) from error
    try:
        client = redis.Redis.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, retry=None
        )
    except ValueError as error:
        raise Misconfigured(
            "The Redis URL can not be read.", fix="export ELECTIS_REDIS_URL=redis://HOST:PORT/0"
        ) from error
    try:
        with client:
            yield client
    except redis.RedisError as error:
        # The error's own text can hold the URL's password.
        raise Unreachable(
            "Redis does not answer.", why=f"{type(error).__name__}.", fix="check ELECTIS_REDIS_URL"
        ) from error
