"""The articles AIMS holds: listed as they come, and one of them field by field against ours."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from electis_cli.db import ledger
from electis_cli.domain.errors import ArticleNotFound, ElectisError
from electis_cli.domain.queue import LedgerRow, status_of_row
from electis_cli.services.at_aims import AtAims, at_aims
from electis_cli.services.change import Scope, reading
from electis_cli.services.remote import as_agreed, shown
from electis_cli.services.rendering import render_articles, require_format

if TYPE_CHECKING:
    from electis_cli.aims.wire import RemoteArticle


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleAtAims:
    """An article as AIMS lists it; `labels` is None when AIMS did not tell (contract 7, Q17)."""

    article_id: str
    store: str
    name: str
    nfc_url: str
    labels: tuple[str, ...] | None
    last_updated: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPair:
    """One field on both sides; an absent value is None."""

    field: str
    ours: str | None
    aims: str | None
    equal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleCompared:
    """One article: what the database wants and what AIMS holds, field by field."""

    article_id: str
    store: str
    wanted: bool
    at_aims: bool
    equal: bool
    status: str | None
    labels: tuple[str, ...] | None
    last_updated: str | None
    fields: tuple[FieldPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleUpload:
    """One time an article was written; the columns only when one upload was asked for."""

    article_id: str
    store: str
    upload: str
    at: str | None
    name: str | None
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedView:
    """An article with labels, and how many it has."""

    article_id: str
    store: str
    name: str
    labels: int | None


def list_articles(
    scope: Scope,
    *,
    store: str | None = None,
    name: str | None = None,
    limit: int | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[ArticleAtAims]:
    """Yield the articles AIMS holds, page by page; `warn` hears of a store that AIMS counts and lists differently.

    Only whole lists are counted, not those that a name or a limit cuts. Raises StoreNotFound, UnreliableListing.
    """
    with at_aims(scope, store=store) as at:
        found = (article for place in at.places for article in _listed(at, place.code, name=name, warn=warn))
        yield from islice(found, limit)


def _listed(
    at: AtAims, store: str, *, name: str | None, warn: Callable[[str], None]
) -> Iterator[ArticleAtAims]:
    listed = 0
    for article in at.ask.articles(store, name=name):
        listed += 1
        yield _view(article, store)
    if name is not None:
        return
    # Rows that come or go while pages are read move others over their edges; only the count shows it (Q10).
    try:
        counted = at.client.count_articles(store)
    except ElectisError as error:
        warn(f"AIMS does not say how many articles store {store} has: {error.why or error.message}")
        return
    if counted != listed:
        warn(f"AIMS counts {counted} articles in store {store} and lists {listed}; run the command again")


def show_article(scope: Scope, article_id: str, *, store: str | None = None) -> ArticleCompared:
    """Return one article of both sides. Raises ArticleNotFound when neither has it, FormatMissing."""
    with at_aims(scope, store=store) as at:
        found = None
        for place in at.places:
            remote = at.ask.article(place.code, article_id)
            ours, row = _ours(scope, place.id, article_id)
            if remote is not None or ours is not None:
                article_format = require_format(at.organization)
                theirs = None
                if remote is not None:
                    theirs = as_agreed(shown(remote, article_format), row, ours).content
                found = ArticleCompared(
                    article_id=article_id,
                    store=place.code,
                    wanted=ours is not None,
                    at_aims=remote is not None,
                    equal=ours == theirs,
                    status=status_of_row(row).value if row else None,
                    labels=remote.labels if remote else None,
                    last_updated=remote.last_updated if remote else None,
                    fields=compare(ours, theirs),
                )
                break
    if found is None:
        raise ArticleNotFound(
            f"Neither the database nor AIMS has an article {article_id}.",
            why="The article id of a conference room starts with the organization's room prefix.",
            fix=f"electis find {shlex.quote(article_id)}",
        )
    return found


def compare(ours: Mapping[str, str] | None, aims: Mapping[str, str] | None) -> tuple[FieldPair, ...]:
    """Return every field that either side has, in order; empty and absent are the same (Q15)."""
    left, right = ours or {}, aims or {}
    return tuple(
        FieldPair(
            field=name,
            ours=left.get(name) or None,
            aims=right.get(name) or None,
            equal=(left.get(name) or "") == (right.get(name) or ""),
        )
        for name in dict.fromkeys([*left, *right])
    )


def article_history(
    scope: Scope,
    article_id: str,
    *,
    store: str | None = None,
    upload: str | None = None,
    limit: int | None = None,
) -> list[ArticleUpload]:
    """Return the times an article was written, or with `upload` what it was after that one. Raises ArticleNotFound."""
    with at_aims(scope, store=store) as at:
        for place in at.places:
            versions = list(at.ask.article_history(place.code, article_id))
            if upload is not None:
                versions = [version for version in versions if version.upload == upload]
            if versions:
                chosen = None
                if upload is not None:
                    chosen = at.ask.article_version(place.code, article_id, upload)
                return [
                    ArticleUpload(
                        article_id=article_id,
                        store=place.code,
                        upload=version.upload,
                        at=version.at,
                        name=version.name,
                        data=chosen.data if chosen else None,
                    )
                    for version in versions[:limit]
                ]
    if upload is not None:
        raise ArticleNotFound(
            f"AIMS has no upload {upload} of an article {article_id}.",
            fix=f"electis aims article history {article_id}",
        )
    raise ArticleNotFound(
        f"AIMS has no history of an article {article_id}.", fix=f"electis aims article show {article_id}"
    )


def linked_articles(
    scope: Scope, *, store: str | None = None, limit: int | None = None
) -> Iterator[LinkedView]:
    """Yield the articles that have labels at AIMS."""
    with at_aims(scope, store=store) as at:
        found = (
            LinkedView(article_id=row.article_id, store=place.code, name=row.name, labels=row.labels)
            for place in at.places
            for row in at.ask.linked_articles(place.code)
        )
        yield from islice(found, limit)


def _ours(scope: Scope, store_id: str, article_id: str) -> tuple[Mapping[str, str] | None, LedgerRow | None]:
    """Return the article as the database wants it, and its row in the ledger."""
    with reading(scope) as read:
        organization = read.organization()
        rendered = render_articles(read.uow, organization, store_id, [article_id]).get(article_id)
        row = ledger.rows_by_id(read.uow, store_id, [article_id]).get(article_id)
    return (rendered.content if rendered else None), row


def _view(article: RemoteArticle, store: str) -> ArticleAtAims:
    return ArticleAtAims(
        article_id=article.article_id,
        store=store,
        name=article.name,
        nfc_url=article.nfc_url,
        labels=article.labels,
        last_updated=article.last_updated,
        data=article.data,
    )
