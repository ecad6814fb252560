"""The one way in which a file is refused that can not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from electis_cli.domain.bulk.problems import Findings
from electis_cli.domain.errors import Problem


def refuse(
    source: str,
    code: str,
    message: str,
    *,
    line: int | None = None,
    column: int | None = None,
    hint: str = "",
    where: str = "",
) -> NoReturn:
    """Raise ImportRejected with one problem; `where` is the place as people find it, `source` the whole file."""
    place = where or ":".join(str(part) for part in (source, line, column) if part is not None)
    refuse_all(
        source, [Problem(code=code, message=message, line=line, column=column, hint=hint, where=place)]
    )


def refuse_all(source: str, problems: Sequence[Problem]) -> NoReturn:
    """Raise ImportRejected with all that is wrong with a file."""
    findings = Findings(source)
    for problem in problems:
        findings.add(problem)
    findings.reject()
