"""The articles of one label, as AIMS holds them beside the articles the database would have it show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from electis_cli.db import ledger
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.articles import Content, changed_columns, clean_text, undo_quoting
from electis_cli.domain.queue import LedgerRow, Status, status_of_row
from electis_cli.services.change import Reading
from electis_cli.services.remote import as_agreed, shown
from electis_cli.services.rendering import Rendered, render_articles
from electis_cli.services.showing.asking import Remote, Sought

if TYPE_CHECKING:
    from electis_cli.aims.wire import RemoteArticle


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShown:
    """One column on both sides; an absent value is None. `equal` is None when only one side is known."""

    field: str
    ours: str | None
    aims: str | None
    equal: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleShown:
    """One article of a label, column by column in the order of the article format.

    `linked` and `at_aims` are None when AIMS did not tell; `wanted` is None when the database knows no such label.
    """

    article_id: str
    store: str
    name: str
    linked: bool | None
    wanted: bool | None
    at_aims: bool | None
    in_database: bool
    is_room: bool
    status: Status | None
    last_updated: str | None
    fields: tuple[FieldShown, ...]


def articles_of(read: Reading, sought: Sought, remote: Remote | None) -> tuple[ArticleShown, ...]:
    """Return the articles a label is linked to, in AIMS's order, and then the one it should be linked to."""
    linked = remote.label.articles if remote else None
    keys = [(remote.place, article_id) for article_id in linked or ()] if remote else []
    if sought.place is not None:
        keys += [(sought.place, article_id) for article_id in sought.wanted or ()]
    return tuple(
        _article(read, sought, remote, place, article_id) for place, article_id in dict.fromkeys(keys)
    )


def _article(
    read: Reading, sought: Sought, remote: Remote | None, place: Store, article_id: str
) -> ArticleShown:
    organization, linked = sought.organization, remote.label.articles if remote else None
    ours: Rendered | None = None
    if organization.article_format is not None:
        ours = render_articles(read.uow, organization, place.id, [article_id]).get(article_id)
    row = ledger.rows_by_id(read.uow, place.id, [article_id]).get(article_id)
    theirs = remote.articles.get((place.code, article_id)) if remote else None
    return ArticleShown(
        article_id=article_id,
        store=place.code,
        name=_name(organization, theirs) if theirs else ours.article.name if ours else "",
        linked=article_id in linked and place == remote.place if remote and linked is not None else None,
        wanted=article_id in sought.wanted and place == sought.place if sought.wanted is not None else None,
        at_aims=theirs is not None if remote else None,
        in_database=ours is not None,
        is_room=ours is not None and ours.is_room,
        status=status_of_row(row) if row else None,
        last_updated=theirs.last_updated if theirs else None,
        fields=_fields(organization, row, ours.content if ours else None, theirs, is_told=remote is not None),
    )


def _name(organization: Organization, theirs: RemoteArticle) -> str:
    """Return the name AIMS holds: its own field, else the column that is mapped to it."""
    column = organization.article_format.name_column if organization.article_format else None
    return theirs.name or clean_text(theirs.data.get(column or ""))


def _fields(
    organization: Organization,
    row: LedgerRow | None,
    ours: Content | None,
    theirs: RemoteArticle | None,
    *,
    is_told: bool,
) -> tuple[FieldShown, ...]:
    """Return the columns that either side has; quotes and forms that AIMS made itself are shown, and no difference."""
    article_format = organization.article_format
    held: Content = {}
    agreed: Content = {}
    if theirs is not None and article_format is not None:
        article = shown(theirs, article_format)
        held, agreed = article.content, as_agreed(article, row, ours).content
    elif theirs is not None:
        held = {column: text for column, value in theirs.data.items() if (text := clean_text(value))}
        agreed = undo_quoting(held, ours)
    wanted = ours or {}
    order = article_format.content_columns if article_format is not None else ()
    differing = changed_columns(wanted, agreed)
    return tuple(
        FieldShown(
            field=column,
            ours=wanted.get(column),
            aims=held.get(column),
            equal=column not in differing if is_told and ours is not None else None,
        )
        for column in dict.fromkeys([*order, *held, *wanted])
        if column in held or column in wanted
    )
