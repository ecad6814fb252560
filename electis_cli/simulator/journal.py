"""What was asked and answered (contract 9.6), so that tests can say "no article was deleted"."""

from collections import deque
from dataclasses import dataclass


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
    body_sha256: str
    token: str
    """First digits of the token's hash: tells calls with different tokens apart."""
    records: int
    articles: list[str]


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
        return [entry for entry in self._entries if entry.seq > seq]

    def clear(self) -> None:
        """Forget the entries; the numbers go on."""
        self._entries.clear()
        self._articles = 0
