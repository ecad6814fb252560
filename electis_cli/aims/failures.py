"""What an answer of AIMS, or its absence, means: one function from answer to error (design 5.2, contract 3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsAnswerBroken,
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsRejected,
    AimsThrottled,
    ElectisError,
)
from electis_cli.domain.label_refusals import Refusal, is_about_whitelist, why_refused

_LONGEST_REASON = 200
_LEAST_WAIT, _DEFAULT_WAIT, _LONGEST_WAIT = 0.5, 5.0, 3600.0

_REJECTED_FROM, _REQUEST_TIMEOUT = 400, 408
_UNAUTHORIZED, _PAYMENT, _FORBIDDEN, _TOO_MANY, _SERVER_ERRORS = 401, 402, 403, 429, 500


def needs_new_token(status: int, message: str) -> bool:
    """Tell whether a fresh token may help: any 401, and 403 only with a TOKEN word or no word at all (Q5)."""
    if status == _UNAUTHORIZED:
        return True
    return status == _FORBIDDEN and (not message or "TOKEN" in message.upper())


def failure_of(status: int, message: str, headers: Mapping[str, str], *, now: datetime) -> ElectisError:  # noqa: PLR0911 - one return per meaning of an answer
    """Return the error an unsuccessful answer stands for; `message` is AIMS's own word."""
    word = message.strip()[:_LONGEST_REASON]
    why = f"AIMS answered {status}" + (f": {word}" if word else " without a reason") + "."
    if status == _TOO_MANY:
        wait = retry_after(headers.get("retry-after"), now=now)
        return AimsThrottled(why=why, fix="wait, then run the command again", retry_after=wait, word=word)
    if status == _UNAUTHORIZED:
        return AimsLoginRefused(why=why, word=word, status=status)
    if status == _FORBIDDEN and "QUOTA" in word.upper():
        # A used-up quota refuses this one thing (contract 5.6); everything else goes on.
        return AimsRejected(why=why, fix="unlink labels nobody needs, or ask the vendor for more", word=word)
    if status < _SERVER_ERRORS and is_about_whitelist(word):
        # Nor is the company's license to blame for a label that is on no whitelist (contract 9.8, 10).
        fix = "electis aims whitelist add LABEL"
        return AimsRejected(why=f"{why} {why_refused(Refusal.WHITELIST)}", fix=fix, word=word)
    if status == _FORBIDDEN and "TOKEN" in word.upper():
        # Some installations say with 403 what others say with 401 (Q5): the login is to blame, not the license.
        return AimsLoginRefused(why=why, word=word, status=status)
    if status in {_PAYMENT, _FORBIDDEN}:
        return AimsCompanyRefused(
            why=why, fix="ask the vendor about the company's license", word=word, status=status
        )
    if status < _REJECTED_FROM:
        return broken_answer(f"AIMS answered with a redirect ({status}).")
    if status >= _SERVER_ERRORS or status == _REQUEST_TIMEOUT:
        return AimsAmbiguous("AIMS failed while working on the request.", why=why, word=word)
    return AimsRejected(why=why, fix="electis aims ping", word=word)


def broken_answer(what: str) -> AimsAnswerBroken:
    """Return the error for an answer that breaks the interface; it is never taken for an empty list."""
    return AimsAnswerBroken(why=what, fix="check the base URL and the cluster with: electis aims ping")


def retry_after(value: str | None, *, now: datetime) -> float:
    """Return how many seconds a `Retry-After` header asks for: a number, a date, or nonsense (then five seconds)."""
    if value is None:
        return _DEFAULT_WAIT
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (TypeError, ValueError, OverflowError):
            return _DEFAULT_WAIT
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    if seconds != seconds:  # noqa: PLR0124 - a header may say NaN
        return _DEFAULT_WAIT
    return min(_LONGEST_WAIT, max(_LEAST_WAIT, seconds))
