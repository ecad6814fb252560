"""What the database wants AIMS to show: articles rendered when they are pushed, never stored (design 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from electis_cli.db import conferences, people, spaces
from electis_cli.db.organizations import Organization
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import (
    Article,
    Content,
    content_hash,
    content_of_article,
    content_of_space,
    render_room,
    render_space,
    room_article_id,
)
from electis_cli.domain.conference import Room
from electis_cli.domain.errors import FormatMissing
from electis_cli.domain.organizations import ArticleFormat


class Rendered(NamedTuple):
    """One article as the database wants it, and what it is compared by."""

    article: Article
    content: Mapping[str, str]
    hash: str
    is_room: bool


def require_format(organization: Organization) -> ArticleFormat:
    """Return the organization's article format. Raises FormatMissing: without one nothing may be pushed."""
    if organization.article_format is None:
        raise FormatMissing
    return organization.article_format


def render_articles(
    uow: UnitOfWork, organization: Organization, store_id: str, article_ids: Iterable[str]
) -> dict[str, Rendered]:
    """Return the wanted articles among some ids; an id without a space or room is not in the answer."""
    wanted = set(article_ids)
    prefix = organization.room_prefix
    # Table by table: PostgreSQL joins them by reading the store once per article until it has its statistics.
    found_spaces = spaces.data_by_external_id(uow, store_id, wanted)
    seated = people.data_by_space(uow, store_id, found_spaces)
    room_ids = {article_id[len(prefix) :] for article_id in wanted if article_id.startswith(prefix)}
    found_rooms = conferences.rooms_by_external_id(uow, store_id, room_ids)
    return _render(organization, found_spaces, seated, found_rooms.values())


def wanted_contents(
    uow: UnitOfWork, organization: Organization, store_id: str, article_ids: Iterable[str]
) -> dict[str, Content]:
    """Return what the wanted articles among some ids are compared by: `render_articles` without the articles."""
    article_format, mapping = require_format(organization), organization.mapping
    wanted, prefix = set(article_ids), organization.room_prefix
    own = spaces.data_by_external_id(uow, store_id, wanted)
    seated = people.data_by_space(uow, store_id, own)
    contents: dict[str, Content] = {
        article_id: content_of_space(article_id, data, seated.get(article_id), article_format, mapping)
        for article_id, data in own.items()
    }
    room_ids = {article_id[len(prefix) :] for article_id in wanted if article_id.startswith(prefix)}
    for room in conferences.rooms_by_external_id(uow, store_id, room_ids).values():
        article = render_room(room, prefix, article_format, mapping)
        contents[article.article_id] = content_of_article(article)
    return contents


def render_store(uow: UnitOfWork, organization: Organization, store_id: str) -> dict[str, Rendered]:
    """Return every article the database wants in a store."""
    seated = {
        person.assigned_space: person.data
        for person in people.list_people(uow, [store_id])
        if person.assigned_space
    }
    found = {space.external_id: space.data for space in spaces.list_spaces(uow, [store_id])}
    return _render(organization, found, seated, conferences.list_rooms(uow, [store_id]))


def _render(
    organization: Organization,
    found_spaces: Mapping[str, Mapping[str, str]],
    seated: Mapping[str, Mapping[str, str]],
    found_rooms: Iterable[Room],
) -> dict[str, Rendered]:
    article_format, mapping = require_format(organization), organization.mapping
    rendered: dict[str, Rendered] = {}
    for article_id, data in found_spaces.items():
        article = render_space(article_id, data, seated.get(article_id), article_format, mapping)
        rendered[article_id] = _rendered(article, is_room=False)
    for room in found_rooms:
        article = render_room(room, organization.room_prefix, article_format, mapping)
        rendered[room_article_id(room.external_id, organization.room_prefix)] = _rendered(
            article, is_room=True
        )
    return rendered


def _rendered(article: Article, *, is_room: bool) -> Rendered:
    content = content_of_article(article)
    return Rendered(article=article, content=content, hash=content_hash(content), is_room=is_room)
