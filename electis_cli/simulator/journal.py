"""What was asked and answered (contract 9.6), so that tests can say "no article was deleted"."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Entry:
    """One call; bodies are kept as a hash, so no password or name is."""

    seq: int
    time: float
    method: str
    path: str
    query: dict[str, list[str]]
    status: int
    """0 when nothing was answered."""
    fault: str
    """The kinds of the faults that met it, split by commas."""
    body_sha256: str
    token: str
    """First digits of the token's hash: tells calls with different tokens apart."""
    records: int
    articles: list[str]
    relative: str = ""
    """The path below /api/v2/common."""
    cluster: str = ""
    taken: bool = False
    """Whether AIMS did what was asked, also when its answer got lost."""
    message: str = ""
    """The responseMessage of a refusal."""
    answer_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries somebody looks for; what is left empty does not matter."""

    method: str = ""
    path: str = ""
    """A glob over the path below /api/v2/common, or over the whole path."""
    status: str = ""
    """A status, or a class such as 4xx."""
    fault: str = ""
    company: str = ""
    store: str = ""
    cluster: str = ""
    token: str = ""
    article: str = ""
    taken: bool | None = None
    after: int = 0

    def fits(self, entry: Entry) -> bool:
        """Whether an entry is looked for."""
        status = str(entry.status)
        exact = (
            (self.method, entry.method),
            (self.company, _first(entry, "company")),
            (self.store, _first(entry, "store")),
            (self.cluster, entry.cluster),
            (self.token, entry.token),
        )
        return (
            entry.seq > self.after
            and all(wanted in ("", found) for wanted, found in exact)
            and self.status in ("", status, f"{status[0]}xx")
            and (not self.path or any(fnmatchcase(one, self.path) for one in (entry.relative, entry.path)))
            and (not self.fault or self.fault in entry.fault.split(","))
            and (not self.article or self.article in entry.articles)
            and self.taken in (None, entry.taken)
        )


class Journal:
    """The last calls in order; the oldest fall out, also when the named articles become too many to keep."""

    def __init__(self, limit: int = 50_000, article_limit: int = 500_000) -> None:
        self._entries: deque[Entry] = deque()
        self._limit = limit
        self._article_limit = article_limit
        self._articles = 0
        self.last = 0

    def add(self, entry: Entry) -> None:
        """Keep an entry; its number must come from `next_seq`."""
        self._entries.append(entry)
        self._articles += len(entry.articles)
        while len(self._entries) > self._limit or self._articles > self._article_limit:
            self._articles -= len(self._entries.popleft().articles)

    def next_seq(self) -> int:
        """The number for the next entry."""
        self.last += 1
        return self.last

    def after(self, seq: int = 0) -> list[Entry]:
        """Entries with a higher number, oldest first."""
        return self.entries(Wanted(after=seq))

    def entries(self, wanted: Wanted | None = None) -> list[Entry]:
        """The entries looked for, oldest first."""
        return list(self._fitting(wanted or Wanted()))

    def count(self, wanted: Wanted) -> int:
        """How many there are."""
        return sum(1 for _ in self._fitting(wanted))

    def article_ids(self, method: str, *, taken: bool | None = True, after: int = 0) -> list[str]:
        """Ids in article writes of a method, each once, in order; `taken=None` also counts refused ones."""
        wanted = Wanted(method=method, path="/articles", taken=taken, after=after)
        return list(dict.fromkeys(id_ for entry in self._fitting(wanted) for id_ in entry.articles))

    def assert_none(self, wanted: Wanted) -> None:
        """Raise AssertionError, with the first of them, when there is an entry of the sort."""
        found = self.entries(wanted)
        if found:
            raise AssertionError(f"{len(found)} calls fit {wanted}, the first is {found[0]}")

    def assert_no_article_deleted(self, after: int = 0) -> None:
        """Raise AssertionError when AIMS took a DELETE of articles."""
        self.assert_none(Wanted(method="DELETE", path="/articles", taken=True, after=after))

    def clear(self) -> None:
        """Forget the entries; the numbers go on."""
        self._entries.clear()
        self._articles = 0

    def _fitting(self, wanted: Wanted) -> Iterator[Entry]:
        return (entry for entry in self._entries if wanted.fits(entry))


def _first(entry: Entry, name: str) -> str:
    values = entry.query.get(name)
    return values[0] if values else ""
