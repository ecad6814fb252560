"""The problems of one file, collected until there are too many to be of use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NoReturn

from electis_cli.domain.errors import ElectisError, ImportRejected, Problem

MOST_PROBLEMS = 1000
"""How many problems are told at once; a file with more is refused without reading on, unless rows are skipped."""


@dataclass(slots=True)
class Findings:
    """The problems of one file. `most` is how many it takes to give up; None never gives up."""

    source: str
    where: Callable[[int, int | None], str] = lambda _line, _column: ""
    most: int | None = MOST_PROBLEMS
    problems: list[Problem] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    """The lines that have a problem."""

    def add(self, problem: Problem) -> None:
        """Note a problem; raises ImportRejected when it is one too many."""
        line = problem.line or 0
        where = problem.where or (self.where(line, problem.column) if line else "")
        self.problems.append(replace(problem, where=where))
        self.lines.add(line)
        if self.most is not None and len(self.problems) >= self.most:
            self.reject()

    def add_error(self, error: ElectisError, line: int, column: int | None, name: str | None = None) -> None:
        """Note what a rule of the domain said about a cell."""
        self.add(
            Problem(
                code=error.code,
                message=f"{error.message} {error.why}".strip(),
                line=line,
                column=column,
                field=name,
                hint=error.fix,
            )
        )

    def forget(self, told: list[Problem]) -> None:
        """Go back to the problems that were `told` by then: everything after them is looked for anew."""
        self.problems[:] = told
        self.lines = {problem.line or 0 for problem in told}

    def check(self) -> None:
        """Raise ImportRejected when there are problems."""
        if self.problems:
            self.reject()

    def in_order(self) -> tuple[Problem, ...]:
        """Return the problems in the order of the file."""
        return tuple(sorted(self.problems, key=lambda item: (item.line or 0, item.column or 0)))

    def reject(self) -> NoReturn:
        """Raise ImportRejected with what was found, in the order of the file."""
        count = len(self.problems)
        words = "one error" if count == 1 else f"{count} errors"
        if self.most is not None and count >= self.most:
            words = f"{count} errors or more"
        raise ImportRejected(
            f"{self.source} has {words}; nothing was written.",
            fix="correct what is named above and import the file again",
            problems=self.in_order(),
            source=self.source,
        )
