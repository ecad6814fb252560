"""Every error electis raises on purpose: one tree, stable codes, no formatting for one edge only.

A class docstring is the default message. Categories (direct subclasses of `ElectisError`) are what the edges map:
`commands` to exit codes, the API to HTTP codes, the queue to decisions. Leaves carry the stable `code`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an input, pointing at its place (`file.csv:17:3`) when it came from a file."""

    code: str
    message: str
    line: int | None = None
    column: int | None = None
    field: str | None = None


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


# --- categories -----------------------------------------------------------------------------------------------------


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


# --- logging in -----------------------------------------------------------------------------------------------------


class WrongCredentials(NotAuthenticated):
    """The email address or the password is wrong."""

    code = "E-LOGIN-WRONG"


class SessionExpired(NotAuthenticated):
    """Your session has expired."""

    code = "E-SESSION-EXPIRED"


class SessionRevoked(NotAuthenticated):
    """Your session was revoked."""

    code = "E-SESSION-REVOKED"


class SessionUnknown(NotAuthenticated):
    """Your session is not known to this database."""

    code = "E-SESSION-UNKNOWN"


class AccountInactive(NotAuthenticated):
    """This account is not active."""

    code = "E-ACCOUNT-INACTIVE"


class PasswordMustChange(PermissionRefused):
    """Your temporary password must be changed first."""

    code = "E-PASSWORD-MUST-CHANGE"
    default_fix = "electis password change"


class LoginThrottled(Throttled):
    """Too many failed logins."""

    code = "E-LOGIN-THROTTLED"


class WeakPassword(InvalidInput):
    """The new password is too weak."""

    code = "E-PASSWORD-WEAK"


# --- nouns ----------------------------------------------------------------------------------------------------------


class OrganizationNotFound(NotFound):
    """There is no such organization."""

    code = "E-ORG-NOT-FOUND"
    default_fix = "electis org list"


class StoreNotFound(NotFound):
    """There is no such store."""

    code = "E-STORE-NOT-FOUND"
    default_fix = "electis store list"


class UserNotFound(NotFound):
    """There is no such user."""

    code = "E-USER-NOT-FOUND"
    default_fix = "electis user list"


class SpaceNotFound(NotFound):
    """There is no such space."""

    code = "E-SPACE-NOT-FOUND"
    default_fix = "electis space list"


class PersonNotFound(NotFound):
    """There is no such person."""

    code = "E-PERSON-NOT-FOUND"
    default_fix = "electis people list"


class RoomNotFound(NotFound):
    """There is no such conference room."""

    code = "E-ROOM-NOT-FOUND"
    default_fix = "electis conference list"


class LabelNotFound(NotFound):
    """No link is known for this label."""

    code = "E-LABEL-NOT-FOUND"
    default_fix = "electis label list"


class ArticleNotFound(NotFound):
    """No article of this store has that id."""

    code = "E-ARTICLE-NOT-FOUND"
    default_fix = "electis space list"


class AlreadyExists(Conflict):
    """It exists already."""

    code = "E-EXISTS"


class EmailTaken(Conflict):
    """A user with this email address exists already."""

    code = "E-EMAIL-TAKEN"


class SpaceTaken(Conflict):
    """The space is taken."""

    code = "E-SPACE-TAKEN"


class SpaceOccupied(Conflict):
    """Somebody sits in this space."""

    code = "E-SPACE-OCCUPIED"


class PersonNotAssigned(Conflict):
    """This person has no space to move from."""

    code = "E-PERSON-UNASSIGNED"


class StoreNotEmpty(Conflict):
    """The store still has spaces, people or conference rooms."""

    code = "E-STORE-NOT-EMPTY"


class ChangedMeanwhile(Conflict):
    """Somebody else changed this at the same moment; nothing was written."""

    code = "E-CHANGED-MEANWHILE"
    retryable = True


class LastAdmin(Conflict):
    """This is the last active admin of the organization."""

    code = "E-LAST-ADMIN"


class ArticleIdTaken(Conflict):
    """A conference room and a space would have the same article id."""

    code = "E-ARTICLE-ID-TAKEN"


class UnknownColumn(InvalidInput):
    """The article format has no such column."""

    code = "E-COLUMN-UNKNOWN"
    default_fix = "electis aims format show"


class InvalidTime(InvalidInput):
    """A time of day must look like 09:30."""

    code = "E-TIME"


class ImportRejected(InvalidInput):
    """The file has errors; nothing was written."""

    code = "E-IMPORT"


# --- AIMS -----------------------------------------------------------------------------------------------------------


class AimsUnreachable(Unreachable):
    """AIMS could not be reached; nothing was sent."""

    code = "E-AIMS-UNREACHABLE"


class AimsAmbiguous(Unreachable):
    """AIMS was called but no usable answer came back: it may or may not have acted."""

    code = "E-AIMS-AMBIGUOUS"


class AimsAnswerBroken(AimsAmbiguous):
    """AIMS answered something that is not the interface it promises."""

    code = "E-AIMS-CONTRACT"


class AimsThrottled(Throttled):
    """AIMS asks for fewer requests."""

    code = "E-AIMS-THROTTLED"


class AimsLoginRefused(AimsRefused):
    """AIMS refused the user name or password."""

    code = "E-AIMS-LOGIN"
    default_fix = "electis aims configure --replace"


class AimsCompanyRefused(AimsRefused):
    """AIMS refused the company: unknown, or its license has expired."""

    code = "E-AIMS-LICENSE"


class AimsRejected(AimsRefused):
    """AIMS rejected the request as invalid."""

    code = "E-AIMS-REJECTED"


class UnreliableListing(AimsRefused):
    """AIMS's listing contradicts its own counts; nothing was changed."""

    code = "E-AIMS-LISTING"
    retryable = True


# --- configuration --------------------------------------------------------------------------------------------------


class AimsNotConfigured(Misconfigured):
    """This organization has no AIMS account yet."""

    code = "E-AIMS-UNCONFIGURED"
    default_fix = "electis aims configure --base-url URL --company CODE --username NAME"


class FormatMissing(Misconfigured):
    """AIMS has no article format for this organization, so nothing can be pushed."""

    code = "E-FORMAT-MISSING"
    default_fix = "electis aims configure"


class FormatChanged(Misconfigured):
    """The article format at AIMS changed; nothing is pushed until somebody looks."""

    code = "E-FORMAT-CHANGED"
    default_fix = "electis aims format fetch"


class MasterKeyProblem(Misconfigured):
    """The master key is missing or is not the one this database was sealed with."""

    code = "E-KEY"


class HostNotAllowed(Misconfigured):
    """This AIMS host is not on the list of allowed hosts."""

    code = "E-AIMS-HOST"


class ExtraMissing(Misconfigured):
    """An optional part of electis is not installed."""

    code = "E-EXTRA-MISSING"


class QueuePaused(Throttled):
    """The queue is paused."""

    code = "E-QUEUE-PAUSED"


class SchemaTooOld(DatabaseProblem):
    """The database's schema is older than this program."""

    code = "E-SCHEMA"
    default_fix = "electis db upgrade"
    retryable = False


class DatabaseMissing(DatabaseProblem):
    """There is no electis database here yet."""

    code = "E-DATABASE-MISSING"
    default_fix = "electis init --org-code CODE --org-name NAME --admin-email EMAIL"
    retryable = False


class DatabaseUnavailable(DatabaseProblem):
    """The database does not answer."""

    code = "E-DATABASE-UNAVAILABLE"
