"""Faults on demand (contract 9.5): which calls one meets is decided here, what it does in `fault_effects`.

Kinds: status, latency, hang, reset, cut, html, empty-200, soft-error, token-invalid act on any call;
reject-article, partial and lost-push act inside article writes.
"""

import random
import threading
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, get_type_hints

RECORD_KINDS = frozenset({"reject-article", "partial", "lost-push"})
LOSING_KINDS = frozenset({"status", "html", "hang", "reset"})
"""These can also strike after the request took effect."""
ANSWER_KINDS = LOSING_KINDS | {"soft-error", "token-invalid"}
"""These answer in place of AIMS, or leave the call without an answer."""
KINDS = RECORD_KINDS | ANSWER_KINDS | {"latency", "cut", "empty-200"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What faults are matched against."""

    method: str
    path: str
    relative: str
    """The path below /api/v2/common, or below the cluster prefix for the token calls."""
    cluster: str
    company: str
    store: str
    articles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble, the calls it meets and how often."""

    kind: str
    method: str = "*"
    path: str = "*"
    """A glob over the path below /api/v2/common, or over the whole path."""
    cluster: str = ""
    company: str = ""
    store: str = ""
    after: int = 0
    """So many matching calls pass first."""
    count: int | None = None
    """At most so many calls are met; None for no end."""
    probability: float = 1.0
    seed: int = 0
    code: int = 0
    """Status of `status` (503) and responseCode of `soft-error` (405)."""
    body: str = "json"
    """Body of `status`: json, html or empty."""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    applied: bool = False
    """For `status`, `html`, `hang` and `reset`: the request took effect before the answer was lost."""
    articles: tuple[str, ...] = ()
    every: int = 0
    """For `lost-push` and `partial`: every k-th record."""
    message: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; known: {', '.join(sorted(KINDS))}")

    @property
    def applies(self) -> bool:
        """Whether the request takes effect although its answer is lost."""
        return self.applied and self.kind in LOSING_KINDS

    def meets(self, asked: Asked) -> bool:
        """Whether a call is of the sort this fault is for."""
        if self.kind in RECORD_KINDS and not self._meets_records(asked):
            return False
        return (
            self.method in ("*", asked.method)
            and (fnmatchcase(asked.relative, self.path) or fnmatchcase(asked.path, self.path))
            and self.cluster in ("", asked.cluster)
            and self.company in ("", asked.company)
            and self.store in ("", asked.store)
        )

    def _meets_records(self, asked: Asked) -> bool:
        """Reads, and writes that do not carry the named articles, are not even counted."""
        if asked.method == "DELETE" and self.kind != "reject-article":
            return False
        return bool(asked.articles & set(self.articles) if self.articles else asked.articles)

    def names(self, article_id: str, place: int) -> bool:
        """Whether a record, by id or by its place in the array, is meant; all are when none is named."""
        if self.articles:
            return article_id in self.articles
        return self.every == 0 or (place + 1) % self.every == 0


@dataclass(slots=True)
class Standing:
    """A fault in force with what it has met so far."""

    id: int
    fault: Fault
    chance: random.Random
    seen: int = 0
    fired: int = 0

    def fires(self) -> bool:
        """Count one matching call and decide whether it is hit."""
        if self.fault.count is not None and self.fired >= self.fault.count:
            return False
        self.seen += 1
        if self.seen <= self.fault.after:
            return False
        if self.fault.probability < 1.0 and self.chance.random() >= self.fault.probability:
            return False
        self.fired += 1
        return True


class Faults:
    """The faults in force; safe to change while calls are served."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._standing: dict[int, Standing] = {}
        self._last = 0

    def add(self, fault: Fault | str, **values: Any) -> int:
        """Put a fault in force, given whole or as a kind with its fields; answers its number."""
        if isinstance(fault, str):
            fault = fault_from_values({"kind": fault, **values})
        with self._changed:
            self._last += 1
            self._standing[self._last] = Standing(self._last, fault, random.Random(fault.seed))
            return self._last

    def remove(self, fault_id: int) -> bool:
        """End one fault; calls that hang on it are let go."""
        with self._changed:
            found = self._standing.pop(fault_id, None)
            self._changed.notify_all()
            return found is not None

    def clear(self) -> None:
        """End all faults."""
        with self._changed:
            self._standing.clear()
            self._changed.notify_all()

    def fire(self, asked: Asked) -> list[Standing]:
        """The faults that hit this call, oldest first.

        One answers in place of AIMS at most, so that two of them follow each other instead of being used up by
        one call; and a call that never gets through uses up nothing but latency.
        """
        with self._changed:
            meeting = [one for one in self._standing.values() if one.fault.meets(asked)]
            answering = next((one for one in meeting if one.fault.kind in ANSWER_KINDS and one.fires()), None)
            blocked = answering is not None and not answering.fault.applies
            return [
                one
                for one in meeting
                if one is answering
                or (one.fault.kind == "latency" and one.fires())
                or (one.fault.kind not in ANSWER_KINDS | {"latency"} and not blocked and one.fires())
            ]

    def wait_gone(self, fault_id: int, seconds: float) -> bool:
        """Wait until a fault has ended; False when it still stands after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: fault_id not in self._standing, seconds)

    def listing(self) -> list[dict[str, Any]]:
        """The faults in force for the control interface."""
        with self._changed:
            return [
                {"id": one.id, "seen": one.seen, "fired": one.fired, **asdict(one.fault)}
                for one in self._standing.values()
            ]


def fault_from_values(values: dict[str, Any]) -> Fault:
    """A fault from JSON or keywords; raises ValueError for a field it does not have or cannot read."""
    known = {one.name for one in fields(Fault)}
    unknown = sorted(set(values) - known)
    if unknown or "kind" not in values:
        raise ValueError(f"unknown fault field {unknown[0]!r}" if unknown else "a fault needs a kind")
    hints = get_type_hints(Fault)
    return Fault(**{name: _read(hints[name], name, value) for name, value in values.items()})


def fault_from_text(text: str) -> Fault:
    """A fault from a command line: `kind=status,code=503,path=/articles,count=3`.

    Several article ids are split by `|`; `header=Retry-After:7` adds a header.
    """
    values: dict[str, Any] = {}
    for part in text.split(","):
        name, mark, value = part.partition("=")
        if not mark:
            raise ValueError(f"{part!r} is not name=value")
        if name == "header":
            title, _, content = value.partition(":")
            values.setdefault("headers", {})[title.strip()] = content.strip()
        else:
            values[name.strip()] = value.split("|") if name == "articles" else value
    return fault_from_values(values)


def _read(kind: Any, name: str, value: Any) -> Any:
    try:
        if kind is bool:
            return value if isinstance(value, bool) else str(value).lower() in ("true", "yes", "1")
        if kind is int or name == "count":
            return None if value is None else int(value)
        if kind is float:
            return float(value)
        if name == "articles":
            return tuple(str(one) for one in ([value] if isinstance(value, str) else value))
        if name == "headers":
            return {str(title): str(content) for title, content in dict(value).items()}
        return str(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{value!r} is no value for {name}") from error
