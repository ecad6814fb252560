"""Errors of configuration, keys and the database."""

from __future__ import annotations

from electis_cli.domain.errors.categories import (
    DatabaseProblem,
    Misconfigured,
    Throttled,
    Unreachable,
)


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


class ReceiverFailed(Unreachable):
    """The receiver of alerts did not take one."""

    code = "E-ON-ALERT"
    default_fix = "check ELECTIS_ON_ALERT"
