"""The simulated world as plain dataclasses; everything without a leading underscore is saved to the state file.

Time is in seconds since the epoch. Rules live beside the operations, not here.
"""

from collections import deque
from dataclasses import dataclass, field

from electis_cli.simulator.devices import Gateway, Json, Label, Led, progress
from electis_cli.simulator.past import Note, keep, notes, tick


@dataclass(slots=True)
class Version:
    """One earlier or present content of an article, for the update history."""

    upload_id: str
    at: float
    name: str
    nfc_url: str
    data: dict[str, Json]


@dataclass(slots=True)
class Article:
    """An article of one store; `data` is replaced, never changed in place."""

    id: str
    name: str
    nfc_url: str
    eans: list[str]
    data: dict[str, Json]
    created: float
    updated: float
    versions: list[Version] = field(default_factory=list)

    def copy(self) -> "Article":
        """The article as it is now; what it holds is replaced, never changed in place."""
        return Article(
            self.id,
            self.name,
            self.nfc_url,
            self.eans,
            self.data,
            self.created,
            self.updated,
            self.versions,
        )


@dataclass(slots=True)
class Store:
    """A store: articles, labels and gateways by id."""

    code: str
    name: str
    country: str
    region: str
    city: str
    zone: str
    created: float
    updated: float
    whitelist_on: bool = False
    whitelist: dict[str, float] = field(default_factory=dict)
    articles: dict[str, Article] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    gateways: dict[str, Gateway] = field(default_factory=dict)
    leds: dict[str, Led] = field(default_factory=dict)
    address: str = ""
    settings: dict[str, Json] = field(default_factory=dict)
    """storeDescription, ipNtpServer, lbsEnabled and storeConfig as they were sent."""
    clearing: dict[str, float] = field(default_factory=dict)
    """Unlinked labels and when AIMS gives up waiting for them to clear (contract 5.6)."""
    _order: list[str] | None = None
    _holders: dict[str, list[str]] | None = None
    _past: deque[Note] = field(default_factory=notes, compare=False, repr=False)

    @property
    def past(self) -> deque[Note]:
        """What the store was before its last changes."""
        return self._past

    def note_article(self, id_: str, now: float) -> None:
        """Before an article is changed, made or deleted."""
        found = self.articles.get(id_)
        before = found.copy() if found is not None else None
        keep(self._past, Note(now, tick(), id_, before, is_link=False))

    def note_link(self, code: str, now: float) -> None:
        """Before the articles of a label change."""
        keep(self._past, Note(now, tick(), code, list(self.labels[code].articles), is_link=True))

    def article_order(self) -> list[str]:
        """Article ids in stable order; kept, because a reader asks for it with every page."""
        if self._order is None:
            self._order = sorted(self.articles)
        return self._order

    def articles_changed(self) -> None:
        """Forget the order after an article came or went."""
        self._order = None

    def holders(self, article_id: str) -> list[str]:
        """Codes of the labels that show an article."""
        if self._holders is None:
            self._holders = {}
            for code in sorted(self.labels):
                for held in self.labels[code].articles:
                    self._holders.setdefault(held, []).append(code)
        return self._holders.get(article_id, [])

    def links_changed(self) -> None:
        """Forget who holds what after a link came or went."""
        self._holders = None


@dataclass(slots=True)
class UpdateRow:
    """One label's part of a batch; `result` is empty while the clock decides it."""

    article_id: str
    label: str
    started: float
    due: float
    outcome: str
    result: str = ""
    late: float = 0.0

    def state(self, now: float) -> str:
        """PROCESSING until due, then how the label answered (contract 5.4)."""
        return self.result or progress(self.outcome, self.due, self.late, now)


@dataclass(slots=True)
class ValidationError:
    """A record AIMS dropped; `index` is its position in the pushed array."""

    store: str
    text: str
    article_id: str | None
    index: int
    data: str
    at: float
    shown_from: float = 0.0
    """When the validation log shows it."""


@dataclass(slots=True)
class Batch:
    """One write as the histories show it."""

    id: str
    kind: str
    store: str
    at: float
    total: int
    success: int
    fail: int
    rows: list[UpdateRow] = field(default_factory=list)
    errors: list[ValidationError] = field(default_factory=list)


@dataclass(slots=True)
class Company:
    """A customer with its license, its format and its stores."""

    code: str
    format: dict[str, Json] | None
    stores: dict[str, Store] = field(default_factory=dict)
    licensed: bool = True
    label_quota: int = 100_000
    store_quota: int = 1_000
    batches: dict[str, Batch] = field(default_factory=dict)
    floating: dict[str, Gateway] = field(default_factory=dict)
    """Gateways of the company that belong to no store (contract 5.8)."""
    remembered: dict[str, Json] = field(default_factory=dict)
    """What was written to operations without rules of their own, by operation."""


@dataclass(slots=True)
class Cluster:
    """One path prefix with a data set of its own (contract 1)."""

    name: str
    companies: dict[str, Company] = field(default_factory=dict)


@dataclass(slots=True)
class User:
    """An account; no company listed means every company."""

    name: str
    password: str
    companies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Token:
    """An access or refresh token; a refresh token serves once."""

    user: str
    expires: float
    used: bool = False


@dataclass(slots=True)
class Counters:
    """What was asked of the simulator since its world was made (contract 9.6)."""

    logins: int = 0
    login_failures: int = 0
    refreshes: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    article_writes: int = 0
    records: int = 0
    records_max: int = 0
    pushes_by_size: dict[str, int] = field(default_factory=dict)
    articles_deleted: int = 0
    parallel_peak: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    """Answers by status; "0" for none."""
    faults: dict[str, int] = field(default_factory=dict)
    """Calls met by each kind of fault."""


@dataclass(slots=True)
class World:
    """Everything the state file holds."""

    seed: int
    serial: int = 0
    starts: int = 0
    """Raised at every start, so that ids made after a crash never repeat lost ones."""
    clock_offset: float = 0.0
    clusters: dict[str, Cluster] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, Token] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
