"""The bearer token: fetched once by whoever needs it first, kept for as long as AIMS says (contract 2)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

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
    fetched_at: datetime | None = None

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
        fetched_at=now,
    )


def token_to_text(token: Token) -> str:
    """Return a token as the text that `token_from_text` reads; it is a secret."""
    return json.dumps(
        {
            "access": token.access,
            "refresh": token.refresh,
            "renew_at": token.renew_at.isoformat(),
            "seconds": token.seconds,
            "fetched_at": token.fetched_at.isoformat() if token.fetched_at else None,
        }
    )


def token_from_text(text: str | None, *, now: datetime) -> Token | None:
    """Return the token of a text, or None when there is none in it that could have been fetched by now."""
    try:
        fields = json.loads(text or "")
        access, refresh = fields["access"], fields["refresh"]
        renew_at, fetched_at = (_time(fields[name]) for name in ("renew_at", "fetched_at"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(access, str) or not access or not isinstance(refresh, (str, type(None))):
        return None
    # Nothing lives longer than the longest life: what claims to was written under another clock.
    if renew_at is None or renew_at > now + timedelta(seconds=_LONGEST_LIFE):
        return None
    seconds = number_of(fields.get("seconds"))
    return Token(access=access, refresh=refresh, renew_at=renew_at, seconds=seconds, fetched_at=fetched_at)


def _time(text: str | None) -> datetime | None:
    """Return an aware time; raises ValueError or TypeError for anything else but None."""
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found


class SharedToken(Protocol):
    """A place for one account's token that other processes look into too; texts go in, texts come out."""

    def read(self) -> str | None:
        """Return what is kept, or None."""

    def write(self, text: str) -> None:
        """Keep this in its place, if that is possible."""

    def alone(self) -> AbstractContextManager[None]:
        """Hold the others back while this one asks AIMS for a token."""


class TokenShelf:
    """Where one account's token lies; clients of the same account share it, also in other processes (Q26)."""

    def __init__(self, shared: SharedToken | None = None) -> None:
        """Without `shared` the token is this process's own."""
        self.lock = threading.Lock()
        self.token: Token | None = None
        self.shared = shared


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
            if shelf.token is None or not self._is_good(shelf.token):
                shelf.token = self._renew(shelf.token, None)
            return shelf.token

    def replace(self, refused: Token) -> Token:
        """Return a token newer than the one AIMS refused; if somebody else fetched it already, that one."""
        shelf = self._shelf
        with shelf.lock:
            if shelf.token is None or shelf.token.access == refused.access:
                shelf.token = self._renew(shelf.token, refused)
            return shelf.token

    def _renew(self, old: Token | None, refused: Token | None) -> Token:
        shared = self._shelf.shared
        if shared is None:
            return self._fetch(old)
        kept = self._kept(shared)
        if kept is not None and self._serves(kept, refused):
            return kept
        with shared.alone():
            # Whoever held this one back has fetched it meanwhile.
            kept = self._kept(shared)
            if kept is not None and self._serves(kept, refused):
                return kept
            made = self._fetch(kept or old)
            shared.write(token_to_text(made))
            return made

    def _kept(self, shared: SharedToken) -> Token | None:
        return token_from_text(shared.read(), now=self._clock())

    def _serves(self, kept: Token, refused: Token | None) -> bool:
        """Tell whether a kept token is good, and no older than the one AIMS refused."""
        if not self._is_good(kept):
            return False
        if refused is None:
            return True
        is_older = (
            kept.fetched_at is not None
            and refused.fetched_at is not None
            and kept.fetched_at < refused.fetched_at
        )
        return kept.access != refused.access and not is_older

    def _is_good(self, token: Token) -> bool:
        return self._clock() < token.renew_at
