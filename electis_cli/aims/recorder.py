"""What went over the wire, as values: one exchange per call, without credentials, for whoever wants to keep it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LOGIN_PATHS = ("/api/v2/token", "/api/v3/")
_LONGEST_KEPT_BODY = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer; bodies are absent for logins, and nothing here ever holds a token.

    `prefix` is what the path stands behind. `status` is None when no answer came; `error` is then the class of what
    happened.
    """

    at: datetime
    method: str
    path: str
    query: Mapping[str, Any]
    milliseconds: int
    prefix: str = ""
    subjects: tuple[str, ...] = ()
    status: int | None = None
    answer_code: str = ""
    answer_word: str = ""
    batch_id: str | None = None
    request_body: bytes | None = None
    answer_body: bytes | None = None
    error: str | None = None

    @property
    def store(self) -> str | None:
        """The code of the store the call was about."""
        value = self.query.get("store")
        return str(value) if value is not None else None

    @property
    def is_failure(self) -> bool:
        """True when the answer was no success, or there was none."""
        return self.error is not None

    @property
    def is_login(self) -> bool:
        """True for the calls whose bodies are credentials."""
        return self.path.startswith(LOGIN_PATHS)

    @property
    def is_later_page(self) -> bool:
        """True for the second and further pages of a listing: they would push everything else out of a ring."""
        return self.method == "GET" and str(self.query.get("page", "0")) != "0"


Recorder = Callable[[Exchange], None]


def digest_of(body: bytes | None) -> str | None:
    """Return what tells a body from others without telling what is in it."""
    return hashlib.sha256(body).hexdigest()[:16] if body else None


def kept_body(body: bytes | None) -> str | None:
    """Return an answer's text as far as it is worth keeping, without what looks like a token."""
    return without_tokens(body[:_LONGEST_KEPT_BODY].decode("utf-8", "replace")) if body else None


_BEARER = re.compile(r"(?i)\bbearer\s+[\w.~+/=-]+|\beyJ[\w-]+\.[\w-]*\.?[\w-]*")
_SECRET_KEYS = ("password", "token", "secret", "authorization", "apikey", "api_key", "api-key")
HIDDEN = "[hidden]"


def without_tokens(text: str) -> str:
    """Return a text with everything that is shaped like a bearer token or a JWT taken out."""
    return _BEARER.sub(HIDDEN, text)


def without_secrets(value: Any) -> Any:
    """Return decoded JSON with the values of keys that name a secret taken out, and tokens wherever they stand."""
    if isinstance(value, Mapping):
        return {
            key: HIDDEN
            if any(word in str(key).casefold() for word in _SECRET_KEYS) and not isinstance(item, bool)
            else without_secrets(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return without_tokens(value) if isinstance(value, str) else value


# Parameters that carry what people wrote. In histories `name` is a batch id (contract 5.4).
_WRITTEN_BY_PEOPLE = frozenset(
    {"name", "articleName", "storeName", "nfcUrl", "email", "account", "errorText"}
)


def kept_query(path: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a query as it may be remembered: codes and ids as they are, of what people wrote only how long it was."""
    is_batch = "/history" in path
    return {
        name: f"[{len(str(value))} characters]"
        if name in _WRITTEN_BY_PEOPLE and not (is_batch and name == "name")
        else value
        for name, value in query.items()
    }
