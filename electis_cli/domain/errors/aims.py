"""Errors of calling AIMS, by what they mean for the queue (design 5.2)."""

from __future__ import annotations

from electis_cli.domain.errors.categories import (
    AimsRefused,
    Throttled,
    Unreachable,
)


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
