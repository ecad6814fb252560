"""A fault as it is asked for, and the call it is matched against."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from electis_cli.simulator.faults.kinds import KINDS


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
    token: str = ""
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble, the calls it meets and how often."""

    kind: str
    form: str = ""
    """Which form of the kind; empty text for the first one."""
    method: str = "*"
    path: str = "*"
    """A glob over the path below /api/v2/common, or over the whole path."""
    cluster: str = ""
    company: str = ""
    store: str = ""
    after: int = 0
    """So many matching calls pass first."""
    count: int | None = None
    """At most so many calls are met; None for no end (`auth-expiry`: once, for the token of that call)."""
    probability: float = 1.0
    seed: int = 0
    code: int = 0
    """Status of `status` (503) and `5xx`, responseCode of `soft-error` (405)."""
    body: str = "json"
    """Body of `status`: json, html or empty."""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Delay, age, period, offset, window or Retry-After, whichever the kind has."""
    ramp: float = 0.0
    """`latency`: so much more with every call met."""
    spread: float = 0.0
    """`latency`: up to so much more by chance."""
    rate: float = 0.0
    """`429`: calls per second that pass; 0 for none."""
    burst: int = 1
    """`429`: calls that pass at once when none came for a while."""
    limit: int = 0
    """`size-cap`: the largest page; `partial-push`: so many records from the front."""
    applied: bool = False
    """For `status`, `5xx`, `html`, `hang`, `refuse` and `reset`: the request took effect, its answer was lost."""
    articles: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    every: int = 0
    """Every k-th record, article, label or page."""
    message: str = ""
    """Said instead of the usual word; of a refused record `{COLUMN}` in it quotes the value."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        forms = KINDS[self.kind].forms
        if self.form and self.form not in forms:
            known = ", ".join(form for form in forms if form)
            raise ValueError(f"unknown form {self.form!r} of {self.kind}; known: {known or 'none'}")

    @property
    def shape(self) -> str:
        """The form, also when none was said."""
        return self.form or KINDS[self.kind].forms[0]

    @property
    def answers(self) -> bool:
        """Whether it answers in place of AIMS."""
        return KINDS[self.kind].answers

    @property
    def applies(self) -> bool:
        """Whether the request takes effect although its answer is lost."""
        return self.applied and KINDS[self.kind].losing

    def meets(self, asked: Asked) -> bool:
        """Whether a call is of the sort this fault is for."""
        kind = KINDS[self.kind]
        if not kind.meets(asked.method, asked.relative):
            return False
        if kind.records and not self._meets_records(asked):
            return False
        return (
            self.method in ("*", asked.method)
            and self.is_for(asked.path, asked.relative)
            and self.cluster in ("", asked.cluster)
            and self.company in ("", asked.company)
            and self.store in ("", asked.store)
        )

    def is_for(self, path: str, relative: str) -> bool:
        """Whether a path is meant, whole or below /api/v2/common; a token call's also below /api/v2."""
        return any(fnmatchcase(one, self.path) for one in (relative, path, relative.removeprefix("/api/v2")))

    def _meets_records(self, asked: Asked) -> bool:
        """Reads, and writes that do not carry the named articles, are not even counted."""
        if asked.method == "DELETE" and self.kind != "reject-article":
            return False
        return bool(asked.articles & set(self.articles) if self.articles else asked.articles)

    def names(self, article_id: str, place: int) -> bool:
        """Whether a record, by id or by its place in the array, is meant; all are when none is named."""
        if self.articles:
            return article_id in self.articles
        if self.limit:
            return place < self.limit
        return self.every == 0 or (place + 1) % self.every == 0
