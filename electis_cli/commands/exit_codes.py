"""The one table from errors to exit codes (design section 6)."""

from __future__ import annotations

from electis_cli.domain import errors

EXIT_CODES: dict[type[errors.ElectisError], int] = {
    errors.ElectisError: 1,
    errors.UsageProblem: 2,
    errors.PartialFailure: 3,
    errors.NotAuthenticated: 4,
    errors.PermissionRefused: 5,
    errors.NotFound: 6,
    errors.Conflict: 7,
    errors.InvalidInput: 8,
    errors.LockHeld: 11,
    errors.Unreachable: 12,
    errors.AimsRefused: 13,
    errors.Throttled: 14,
    errors.BrakeTripped: 15,
    errors.Misconfigured: 16,
    errors.DatabaseProblem: 17,
    errors.TimeUp: 18,
}

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
EXIT_CHANGES_PENDING = 10
EXIT_FAILED = 3
EXIT_CONFLICT = 7
EXIT_UNREACHABLE = 12
EXIT_REJECTED = 13
EXIT_STOPPED = 14
EXIT_CONFIGURATION = 16
EXIT_TIME_UP = 18


def exit_code_for(code: str) -> int:
    """Return the exit code of an error's code, as a run, a push or a ping that failed has noted it."""
    kinds = [errors.ElectisError]
    for kind in kinds:  # grows while it is walked
        if kind.code == code:
            return next(EXIT_CODES[one] for one in kind.__mro__ if one in EXIT_CODES)
        kinds.extend(kind.__subclasses__())
    return EXIT_CODES[errors.ElectisError]


def exit_code_of(error: errors.ElectisError) -> int:
    """Return the exit code of an error: that of its nearest category."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
