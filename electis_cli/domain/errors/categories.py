"""Every error electis raises on purpose: one tree, stable codes, no formatting for one edge only.

A class docstring is the default message. Categories (direct subclasses of `ElectisError`) are what the edges map:
`commands` to exit codes, the API to HTTP codes, the queue to decisions. Leaves carry the stable `code`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an input, pointing at its place when it came from a file.

    `where` is that place as people find it (`file.csv:17:3`, `Sheet1!C17`), `hint` what to do about it.
    """

    code: str
    message: str
    line: int | None = None
    column: int | None = None
    field: str | None = None
    hint: str = ""
    where: str = ""


class ElectisError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "E-UNEXPECTED"
    default_fix: ClassVar[str] = ""
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", *, why: str = "", fix: str = "", **details: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.why = why
        self.fix = fix or self.default_fix
        self.details = details
        super().__init__(self.message)


# The categories: what the edges map to exit codes, HTTP codes and queue decisions.


class UsageProblem(ElectisError):
    """The command was not called the way it must be."""

    code = "E-USAGE"


class PartialFailure(ElectisError):
    """Some items failed."""

    code = "E-PARTIAL"


class NotAuthenticated(ElectisError):
    """Nobody is logged in."""

    code = "E-LOGIN-REQUIRED"
    default_fix = "electis login EMAIL"


class PermissionRefused(ElectisError):
    """Your role does not allow this."""

    code = "E-PERMISSION"


class NotFound(ElectisError):
    """There is no such thing."""

    code = "E-NOT-FOUND"


class Conflict(ElectisError):
    """This contradicts what is already there."""

    code = "E-CONFLICT"


class InvalidInput(ElectisError):
    """The input is not valid; nothing was written."""

    code = "E-INPUT"

    def __init__(
        self,
        message: str = "",
        *,
        why: str = "",
        fix: str = "",
        problems: tuple[Problem, ...] = (),
        **details: Any,
    ) -> None:
        super().__init__(message, why=why, fix=fix, **details)
        self.problems = problems


class LockHeld(ElectisError):
    """Another run is doing this right now."""

    code = "E-LOCK-HELD"
    retryable = True


class Unreachable(ElectisError):
    """AIMS does not answer."""

    code = "E-AIMS-UNREACHABLE"
    default_fix = "electis aims ping"
    retryable = True


class AimsRefused(ElectisError):
    """AIMS rejected the request."""

    code = "E-AIMS-REJECTED"


class Throttled(ElectisError):
    """Too many attempts; wait before the next one."""

    code = "E-THROTTLED"
    retryable = True


class BrakeTripped(ElectisError):
    """The plan would change more than the safety brake allows."""

    code = "E-BRAKE"


class Misconfigured(ElectisError):
    """The configuration is not complete or not valid."""

    code = "E-CONFIG"


class DatabaseProblem(ElectisError):
    """The database can not be used."""

    code = "E-DATABASE"
    retryable = True


class TimeUp(ElectisError):
    """The time limit was reached; running the command again goes on where it stopped."""

    code = "E-TIME-UP"
    retryable = True
