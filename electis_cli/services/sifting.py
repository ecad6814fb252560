"""Sifting a listing: what is in sync is sorted out page by page, so that only what needs a look is kept in memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from electis_cli.aims.wire import RemoteArticle
from electis_cli.db import comparing, labels, standings
from electis_cli.db.organizations import Organization
from electis_cli.db.standings import Standing
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import Content, content_hash, content_of
from electis_cli.services.change import Scope
from electis_cli.services.remote import Shown, shown
from electis_cli.services.rendering import require_format, wanted_contents

PAGE = 500
MOST_REPORTED = 1000
"""How many of other people's articles a run names; it counts them all."""

Item = TypeVar("Item")


@dataclass(slots=True, kw_only=True)
class Sifted:
    """What one complete listing of a store came to.

    `odd` are listed articles that are not simply in sync, `missed` those of the ledger that are not listed,
    `unmet` wanted ones that the ledger does not know. `equal` were read back equal for the first time, with what AIMS
    calls their last update, and whether it shows them in our form. `links` are labels that nobody here knows on their
    article.
    """

    listed: int = 0
    in_sync: int = 0
    reported: int = 0
    odd: dict[str, Shown] = field(default_factory=dict)
    equal: list[tuple[str, str | None, bool]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    links: set[tuple[str, str]] = field(default_factory=set)
    _ids: array[int] = field(default_factory=lambda: array("q"))
    _labels: array[int] = field(default_factory=lambda: array("q"))

    def count_label(self, code: str) -> int:
        """Return on how many articles a label was listed."""
        return _count(self._labels, hash(code))

    def close(self) -> None:
        """Sort what was seen, so that it can be asked for."""
        self._ids = array("q", sorted(self._ids))
        self._labels = array("q", sorted(self._labels))

    def not_listed(self, article_ids: Iterable[str]) -> list[str]:
        """Return those of some articles that were not listed."""
        numbers, size = self._ids, len(self._ids)
        return [
            article_id
            for article_id in article_ids
            if (place := bisect_left(numbers, number := hash(article_id))) == size or numbers[place] != number
        ]

    def note(self, page: Iterable[RemoteArticle]) -> None:
        """Remember which articles were listed, and with which labels, in eight bytes each."""
        for article in page:
            self.listed += 1
            self._ids.append(hash(article.article_id))
            if article.labels:
                self._labels.extend(map(hash, article.labels))


def _count(numbers: array[int], number: int) -> int:
    place, found = bisect_left(numbers, number), 0
    while place < len(numbers) and numbers[place] == number:
        place, found = place + 1, found + 1
    return found


def sift(
    scope: Scope,
    organization: Organization,
    store_id: str,
    listed: Iterable[RemoteArticle],
    *,
    keep_foreign: bool = False,
) -> Sifted:
    """Read a listing to its end and return what in it needs a look; `keep_foreign` keeps what nobody here made, too."""
    sifted, now = Sifted(), scope.runtime.clock()
    for page in _pages(listed, PAGE):
        with scope.runtime.database.read(scope.org_id) as uow:
            _sift_page(uow, organization, store_id, page, sifted, now=now, keep_foreign=keep_foreign)
    sifted.close()
    with scope.runtime.database.read(scope.org_id) as uow:
        for ids in comparing.expected_ids(uow, store_id):
            sifted.missed.extend(sifted.not_listed(ids))
        sifted.unmet.extend(
            article_id
            for article_id in comparing.unmet_ids(uow, store_id, organization.room_prefix)
            if article_id not in sifted.odd
        )
    return sifted


def _sift_page(
    uow: UnitOfWork,
    organization: Organization,
    store_id: str,
    page: Sequence[RemoteArticle],
    sifted: Sifted,
    *,
    now: datetime,
    keep_foreign: bool,
) -> None:
    article_format = require_format(organization)
    ids = [article.article_id for article in page]
    standing = standings.standing_by_id(uow, store_id, ids, now)
    wanted = wanted_contents(uow, organization, store_id, ids)
    showing = labels.shown_articles(uow, [code for article in page for code in article.labels or ()])
    sifted.note(page)
    for article in page:
        article_id = article.article_id
        for code in article.labels or ():
            if showing.get(code) != article_id:
                sifted.links.add((code, article_id))
        row, local = standing.get(article_id), wanted.get(article_id)
        if row is None and local is None:
            sifted.reported += 1
            if keep_foreign or sifted.reported <= MOST_REPORTED:
                sifted.odd[article_id] = shown(article, article_format)
            continue
        content = content_of(article.name, article.nfc_url, article.data, article_format)
        if row is None or local is None or not _is_equal(row, local, content):
            sifted.odd[article_id] = shown(article, article_format)
            continue
        sifted.in_sync += 1
        if row.has_news:
            sifted.equal.append((article_id, article.last_updated, content == local))


def _is_equal(row: Standing, local: Content, remote: Content) -> bool:
    """Tell whether nothing at all is to be done about an article."""
    is_same = remote == local or (row.echo is not None and remote == row.echo)
    return row.is_settled and is_same and content_hash(local) == row.base_hash


def _pages(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while page := list(islice(iterator, size)):
        yield page
