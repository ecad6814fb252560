"""What AIMS shows, as contents the domain can compare: complete listings, and reads of single articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from electis_cli.aims.client import IDS_PER_CALL, AimsClient
from electis_cli.aims.wire import RemoteArticle
from electis_cli.domain.articles import content_hash, content_of, undo_echo, undo_quoting
from electis_cli.domain.errors import UnreliableListing
from electis_cli.domain.organizations import ArticleFormat
from electis_cli.domain.queue import LedgerRow

LISTING_TRIES = 3


class Shown(NamedTuple):
    """One article as AIMS shows it; `labels` is None when AIMS did not tell.

    `worded` is the content in AIMS's own form, when `content` was put into ours. `known_hash` is the content's hash
    where it is known anyway: of most articles it is never asked for.
    """

    content: Mapping[str, str]
    worded: Mapping[str, str]
    labels: tuple[str, ...] | None
    last_updated: str | None
    known_hash: str | None = None

    @property
    def hash(self) -> str:
        """The content's hash."""
        return self.known_hash or content_hash(self.content)

    @property
    def is_verbatim(self) -> bool:
        """True when AIMS shows the content in our form, not in one of its own."""
        return self.worded == self.content


def shown(article: RemoteArticle, article_format: ArticleFormat) -> Shown:
    """Return a listed article as the domain compares it."""
    content = content_of(article.name, article.nfc_url, article.data, article_format)
    return Shown(
        content=content,
        worded=content,
        labels=article.labels,
        last_updated=article.last_updated,
    )


def as_agreed(article: Shown, row: LedgerRow | None, local: Mapping[str, str] | None) -> Shown:
    """Return what is shown in the form in which we know it: without AIMS's own CSV quotes and echoes."""
    base = row.base if row else None
    if row is not None and article.worded == base:
        return article if article.known_hash else article._replace(content=base, known_hash=row.base_hash)
    worded = undo_quoting(article.worded, local, base)
    content = undo_echo(worded, base, row.echo) if row is not None else worded
    if content == article.content:
        return article
    return article._replace(content=content, worded=worded, known_hash=None)


@dataclass(slots=True, kw_only=True)
class RemoteView:
    """What was read of one store's articles, and when; a read older than `fresh` is not used again."""

    client: AimsClient
    store: str
    article_format: ArticleFormat
    fresh: timedelta
    listed_at: datetime | None = None
    articles: dict[str, Shown] = field(default_factory=dict)
    read_at: dict[str, datetime] = field(default_factory=dict)

    def list_all(self, now: datetime, *, moving: Callable[[], int] = lambda: 0) -> dict[str, Shown]:
        """Read the whole store, checked against AIMS's own count, and return it.

        `moving` tells how many articles our own queue sent meanwhile: that much they may differ by.
        Raises UnreliableListing when listing and count disagree three times: a contradiction is never a deletion (Q10).
        """
        reason = ""
        for _ in range(LISTING_TRIES):
            try:
                listed = {row.article_id: row for row in self.client.articles(self.store)}
            except UnreliableListing as error:
                reason = error.why
                continue
            count = self.client.count_articles(self.store)
            if abs(count - len(listed)) <= moving():
                break
            reason = f"AIMS counts {count} articles and lists {len(listed)}."
        else:
            raise UnreliableListing(why=reason, fix="run the command again in a minute")
        self.articles = {article_id: shown(row, self.article_format) for article_id, row in listed.items()}
        self.listed_at = now
        self.read_at = {}
        return self.articles

    def read(
        self,
        article_ids: Iterable[str],
        now: datetime,
        *,
        after: Mapping[str, datetime],
        expected: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        """Make sure that these articles were read recently, and after the moment `after` names for them.

        Reads by id, or everything at once when that takes fewer calls: `expected` tells how many articles are going to
        be asked for in all, and how many the store has.
        """
        stale = [
            article_id
            for article_id in article_ids
            if not self._covers(article_id, now, after.get(article_id))
        ]
        if not stale:
            return
        if self._listing_is_cheaper(len(stale), *expected()):
            try:
                self.list_all(now)
            except UnreliableListing:
                pass  # a listing that can not be trusted as a whole: these few can be read by their ids
            else:
                return
        for article_id, article in self.client.articles_by_id(self.store, stale).items():
            self.articles[article_id] = shown(article, self.article_format)
            self.read_at[article_id] = now
        for article_id in stale:
            if self.read_at.get(article_id) != now:
                self.articles.pop(article_id, None)
                self.read_at[article_id] = now

    def _listing_is_cheaper(self, stale: int, wanted: int, size: int) -> bool:
        pages = (
            -(-size // self.client.connection.page_size) + 2
        )  # the empty page after the last, and the count
        return -(-max(wanted, stale) // IDS_PER_CALL) > pages

    def wrote(self, article_id: str, content: Mapping[str, str] | None, hash_: str) -> None:
        """Note what AIMS took, so that the next change of the same article needs no read."""
        if content is None:
            self.articles.pop(article_id, None)
        else:
            self.articles[article_id] = Shown(
                content=content, worded=content, labels=None, last_updated=None, known_hash=hash_
            )

    def hash_of(self, article_id: str) -> str:
        """Return the hash of what AIMS shows, `ABSENT` when it has no such article."""
        article = self.articles.get(article_id)
        return article.hash if article else content_hash(None)

    def _covers(self, article_id: str, now: datetime, after: datetime | None) -> bool:
        moments = [moment for moment in (self.read_at.get(article_id), self.listed_at) if moment is not None]
        latest = max(moments, default=None)
        if latest is None or now - latest >= self.fresh:
            return False
        return after is None or latest > after
