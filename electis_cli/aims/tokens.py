"""The bearer token: fetched once by whoever needs it first, kept for as long as AIMS says (contract 2)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from electis_cli.aims.wire import number_of

_SHORTEST_LIFE, _LONGEST_LIFE = 1, 30 * 86400
_ASSUMED_LIFE = 3600  # seconds; only when the answer does not say (contract 2)
_MARGIN_SHARE = 0.1
_LONGEST_MARGIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token and when to renew it; `seconds` is the life AIMS gave it, None when it did not say."""

    access: str
    refresh: str | None
    renew_at: datetime
    seconds: int | None = None

    def __repr__(self) -> str:
        return "Token(...)"


def decode_token(payload: Any, *, now: datetime) -> Token | None:
    """Return the token of a login answer's `responseMessage`, or None when it holds none (it may be a text)."""
    if not isinstance(payload, Mapping):
        return None
    inner = payload.get("tokens")
    fields = inner if isinstance(inner, Mapping) else payload
    access = fields.get("access_token")
    if not isinstance(access, str) or not access:
        return None
    stated = number_of(fields.get("expires_in"))
    life = min(_LONGEST_LIFE, max(_SHORTEST_LIFE, stated or _ASSUMED_LIFE))
    # Renewed a little early, as several clients do, so that a call does not start with a token that is about to end.
    margin = min(_LONGEST_MARGIN, life * _MARGIN_SHARE)
    refresh = fields.get("refresh_token")
    return Token(
        access=access,
        refresh=refresh if isinstance(refresh, str) and refresh else None,
        renew_at=now + timedelta(seconds=life - margin),
        seconds=stated,
    )


class TokenShelf:
    """Where one account's token lies; clients of the same account in one process share it (Q26)."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.token: Token | None = None


class TokenKeeper:
    """Keeps one account's token good; of many threads that need a new one, one asks and the others wait for it."""

    def __init__(
        self,
        fetch: Callable[[Token | None], Token],
        clock: Callable[[], datetime],
        shelf: TokenShelf | None = None,
    ) -> None:
        """`fetch` gets the old token (for its refresh token) and returns a new one, or raises."""
        self._fetch = fetch
        self._clock = clock
        self._shelf = shelf or TokenShelf()

    def get(self) -> Token:
        """Return a token that is still good, fetching one if need be."""
        shelf = self._shelf
        with shelf.lock:
            if shelf.token is None or self._clock() >= shelf.token.renew_at:
                shelf.token = self._fetch(shelf.token)
            return shelf.token

    def replace(self, refused: Token) -> Token:
        """Return a token newer than the one AIMS refused; if another thread fetched it already, that one."""
        shelf = self._shelf
        with shelf.lock:
            if shelf.token is None or shelf.token.access == refused.access:
                shelf.token = self._fetch(shelf.token)
            return shelf.token
