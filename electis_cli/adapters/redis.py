"""Redis or Valkey, when configured: reachable or not, and a counter that several machines share."""

from __future__ import annotations

from typing import Any

from electis_cli.domain.errors import ExtraMissing, Unreachable

REDIS_SECONDS = 2.0


def _connect(url: str) -> Any:
    try:
        import redis  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise ExtraMissing(
            "Redis is configured but its client is not installed.", fix="pip install 'electis[redis]'"
        ) from error
    return redis.Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)


def ping_redis(url: str) -> None:
    """Raise Unreachable unless Redis answers within two seconds."""
    import redis  # noqa: PLC0415

    try:
        with _connect(url) as connection:
            connection.ping()
    except redis.RedisError as error:
        raise Unreachable("Redis does not answer.", why=str(error), fix="check ELECTIS_REDIS_URL") from error
