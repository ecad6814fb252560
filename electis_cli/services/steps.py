"""Steps of a check-up: timed, in order, each with a verdict; what depends on a failed one is not tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from electis_cli.domain.errors import ElectisError, Throttled

BUDGET_SECONDS = 60.0
"""No step begins after so many seconds: whoever asks has a minute."""


class Verdict(StrEnum):
    """What a step found."""

    PASS = "PASS"  # noqa: S105 - not a password
    WARN = "WARN"
    FAIL = "FAIL"
    SKIP = "SKIP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what was found, how long it took, why, and the command that mends it."""

    name: str
    status: Verdict
    ms: int
    cause: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a step that did not fail has to tell; with `is_doubtful` it is a warning."""

    cause: str = ""
    fix: str = ""
    is_doubtful: bool = False


def doubt(cause: str, fix: str = "") -> Finding:
    """Return a warning."""
    return Finding(cause=cause, fix=fix, is_doubtful=True)


class Course:
    """The steps taken so far; `tell` hears of each as it ends."""

    def __init__(self, tell: Callable[[Step], None], *, budget: float = BUDGET_SECONDS) -> None:
        self.steps: list[Step] = []
        self.first_failure: ElectisError | None = None
        self._tell = tell
        self._began = time.monotonic()
        self._budget = budget
        self._halted = ""

    def take(
        self, name: str, work: Callable[[], Finding], *, needs: Sequence[str] = (), local: bool = False
    ) -> bool:
        """Take a step unless one it needs did not work out; tells whether it passed. A `local` one asks nobody."""
        obstacle = self._obstacle(needs, local=local)
        if obstacle:
            self._add(Step(name=name, status=Verdict.SKIP, ms=0, cause=obstacle, fix=""))
            return False
        began = time.monotonic()
        try:
            found = work()
        except ElectisError as error:
            self.first_failure = self.first_failure or error
            if isinstance(error, Throttled):
                self._halted = "AIMS asked for fewer requests"
            cause = f"{error.message} {error.why}".strip()
            self._add(Step(name=name, status=Verdict.FAIL, ms=_since(began), cause=cause, fix=error.fix))
            return False
        status = Verdict.WARN if found.is_doubtful else Verdict.PASS
        self._add(Step(name=name, status=status, ms=_since(began), cause=found.cause, fix=found.fix))
        return True

    def _obstacle(self, needs: Sequence[str], *, local: bool) -> str:
        bad = {step.name for step in self.steps if step.status in {Verdict.FAIL, Verdict.SKIP}}
        missing = next((name for name in needs if name in bad), None)
        if missing is not None:
            return f"needs {missing}"
        if local:
            return ""
        if self._halted:
            return self._halted
        late = time.monotonic() - self._began > self._budget
        return f"no time left: {self._budget:g} s are over" if late else ""

    def _add(self, step: Step) -> None:
        self.steps.append(step)
        self._tell(step)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
