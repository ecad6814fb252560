"""Errors of logging in and staying logged in."""

from __future__ import annotations

from electis_cli.domain.errors.categories import (
    InvalidInput,
    NotAuthenticated,
    PermissionRefused,
    Throttled,
)


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
