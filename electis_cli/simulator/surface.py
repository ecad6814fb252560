"""The operations AIMS is known to have, and the checks it makes before any rule: `surface.json`.

That file is taken from the contract's OpenAPI subset; a test compares the two.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from jsonschema import Draft202012Validator

GROUP = "/api/v2/common"
"""The second `common` of a path: all operations but the token ones stand under it (contract 1)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter: required or not, its closed set of values, or the fields a sort may name."""

    required: bool
    values: frozenset[str]
    sort_fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract with what AIMS checks of a request to it."""

    id: str
    method: str
    path: str
    query: dict[str, Parameter]
    bearer: bool
    empty: bool
    """204 is documented as its answer for "nothing there"."""
    body: Draft202012Validator | None
    body_required: bool
    answer: dict[str, Any] | None = None
    """The schema of its answer, where the answer is made from it."""

    @property
    def name(self) -> str:
        """Short form for counters and fault patterns: `POST /articles`."""
        return f"{self.method} {self.path.removeprefix(GROUP)}"

    def requires(self, parameter: str) -> bool:
        """Whether a query parameter must be sent."""
        found = self.query.get(parameter)
        return found is not None and found.required


@dataclass(frozen=True, slots=True)
class Surface:
    """All operations, by exact path and method; one path of the contract carries the company in it."""

    exact: dict[str, dict[str, Operation]]
    patterns: tuple[tuple[re.Pattern[str], str], ...]

    def at(self, path: str) -> tuple[dict[str, Operation], dict[str, str]]:
        """Operations at a path below the cluster prefix, with the values of its path parameters."""
        found = self.exact.get(path)
        if found is not None:
            return found, {}
        for pattern, template in self.patterns:
            match = pattern.fullmatch(path)
            if match:
                return self.exact[template], match.groupdict()
        return {}, {}


@cache
def surface() -> Surface:
    """Read the shipped list once."""
    exact: dict[str, dict[str, Operation]] = {}
    for row in orjson.loads(files(__package__).joinpath("surface.json").read_bytes()):
        operation = _operation(row)
        exact.setdefault(operation.path, {})[operation.method] = operation
    patterns = tuple((_pattern(path), path) for path in exact if "{" in path)
    return Surface(exact, patterns)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def _operation(row: dict[str, Any]) -> Operation:
    # Articles are judged record by record (contract 9.3), so only the outer shape is left to the schema.
    per_record = row["id"] in ("postArticles", "putArticles")
    schema = {"type": "array"} if per_record else row.get("body")
    return Operation(
        id=row["id"],
        method=row["method"],
        path=row["path"],
        query={
            name: Parameter(
                required=bool(found.get("required")),
                values=frozenset(found.get("enum", ())),
                sort_fields=frozenset(found.get("sort", ())),
            )
            for name, found in row["query"].items()
        },
        bearer=row["bearer"],
        empty=row["empty"],
        body=None if schema is None else Draft202012Validator(schema),
        body_required=bool(row.get("body_required")),
        answer=row.get("answer"),
    )
