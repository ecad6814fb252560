"""The kinds of faults by the ids of contract 9.5, with their forms and the calls they can meet at all."""

from collections.abc import Callable
from dataclasses import dataclass

TOKEN_PATHS = ("/api/v2/token", "/api/v2/token/refresh")


def anything(_method: str, _path: str) -> bool:
    """Every call."""
    return True


def reads(method: str, _path: str) -> bool:
    """GET calls."""
    return method == "GET"


def writes(method: str, _path: str) -> bool:
    """Calls that change something."""
    return method != "GET"


def logins(method: str, path: str) -> bool:
    """The login alone."""
    return method == "POST" and path == TOKEN_PATHS[0]


def refreshes(_method: str, path: str) -> bool:
    """Both token refreshes."""
    return path.endswith("token/refresh")


def guarded(_method: str, path: str) -> bool:
    """Calls that need a token."""
    return path != TOKEN_PATHS[0] and not path.endswith("token/refresh")


def info(method: str, path: str) -> bool:
    """The full article list."""
    return method == "GET" and path == "/config/article/info"


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of thing a fault is."""

    meets: Callable[[str, str], bool] = anything
    """Given the method and the path below /api/v2/common."""
    forms: tuple[str, ...] = ("",)
    """The first is the one without a word."""
    answers: bool = False
    """It answers in place of AIMS or leaves the call without an answer."""
    losing: bool = False
    """It can also strike after the request took effect (`applied`)."""
    records: bool = False
    """It acts on the records of article writes."""


_ANSWER = Kind(answers=True)
_LOSING = Kind(answers=True, losing=True)
_RECORDS = Kind(writes, records=True)

KINDS: dict[str, Kind] = {
    # In place of an answer.
    "status": _LOSING,
    "429": Kind(forms=("seconds", "date", "none", "garbage"), answers=True),
    "5xx": Kind(forms=("envelope", "empty", "html", "retry-after"), answers=True, losing=True),
    "html": Kind(forms=("", "json"), answers=True, losing=True),
    "hang": Kind(forms=("", "stall"), answers=True, losing=True),
    "refuse": _LOSING,
    "reset": _LOSING,
    "soft-error": _ANSWER,
    "maintenance": Kind(forms=("retry-after", "html", "envelope", "empty"), answers=True),
    "license": Kind(guarded, answers=True),
    "company": Kind(guarded, answers=True),
    "token-invalid": _ANSWER,
    "auth-expiry": Kind(guarded, ("401", "403", "framework", "empty", "text"), answers=True),
    "refresh-refused": Kind(refreshes, answers=True),
    "login-refused": Kind(logins, answers=True),
    # On the answer.
    "latency": Kind(forms=("", "body")),
    "cut": Kind(forms=("", "short", "chunked", "close")),
    "malformed": Kind(
        forms=(
            "truncated",
            "trailing",
            "charset",
            "charset-body",
            "bom",
            "number",
            "array",
            "object",
            "duplicate",
        )
    ),
    "empty-200": Kind(),
    "auth-odd": Kind(
        lambda method, path: logins(method, path) or refreshes(method, path),
        ("string", "no-expires", "text-expires"),
    ),
    "clock-skew": Kind(forms=("", "seconds", "millis", "zulu")),
    # In what is stored, listed or displayed.
    "reject-article": _RECORDS,
    "partial": Kind(writes, ("", "wrong", "no-log", "wrong+no-log"), records=True),
    "partial-push": Kind(writes, ("", "wrong", "no-log", "wrong+no-log"), records=True),
    "lost-push": _RECORDS,
    "delayed-visibility": Kind(reads, ("", "pages")),
    "stale-read": Kind(reads),
    "empty-info": Kind(info),
    "page-shift": Kind(reads, ("insert", "delete")),
    "page-ignored": Kind(reads, ("no-totals", "totals")),
    "page-dup": Kind(reads, ("dup", "skip", "short", "total-low", "total-high")),
    "size-cap": Kind(reads),
    "stuck-label": Kind(writes, ("", "late", "timeout")),
    "foreign-writer": Kind(forms=("edit", "revert", "delete")),
    "label-flap": Kind(),
}
