"""Label wishes as a queue: what is not settled, what can go now, what waits for what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from electis_cli.db.labels import wish_of
from electis_cli.db.rows import mine
from electis_cli.db.tables import articles, label_links
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import LabelWish, State


def is_dirty() -> sa.ColumnElement[bool]:
    """Return the condition that AIMS has not acknowledged a wish: `LabelWish.is_dirty` as SQL."""
    table = label_links.c
    is_in_doubt = table.inflight_version.is_not(None)
    return sa.or_(
        table.desired_article.is_distinct_from(table.acked_article),
        sa.and_(
            is_in_doubt, sa.or_(table.desired_article.is_(None), table.inflight_version != table.version)
        ),
        sa.and_(
            table.desired_article.is_not(None),
            table.desired_page.is_not(None),
            table.desired_page.is_distinct_from(table.acked_page),
        ),
    )


def unsettled_wishes(uow: UnitOfWork, store_id: str) -> list[LabelWish]:
    """Return the active wishes of a store that AIMS has not acknowledged and that need not wait for another label."""
    table = label_links.c
    statement = (
        sa.select(label_links)
        .where(
            mine(uow, label_links),
            table.store_id == store_id,
            table.state == State.ACTIVE.value,
            is_dirty(),
            sa.not_(_is_kept()),
        )
        .order_by(table.updated_at, table.label_code)
    )
    return [wish_of(row) for row in uow.execute(statement).mappings()]


def has_unsettled(
    org_id: sa.BindParameter[str], store_id: sa.BindParameter[str], is_time: sa.ColumnElement[bool]
) -> sa.Exists:
    """Return the condition that a store has any of `unsettled_wishes` whose time has come."""
    table = label_links.c
    return sa.exists().where(
        table.org_id == org_id,
        table.store_id == store_id,
        table.state == State.ACTIVE.value,
        is_dirty(),
        sa.not_(_is_kept()),
        is_time,
    )


def count_due(uow: UnitOfWork, store_id: str, now: datetime) -> int:
    """Return how many wishes could be brought to AIMS right now: unlinks, and what their article is there for."""
    is_due = sa.or_(label_links.c.next_attempt_at.is_(None), label_links.c.next_attempt_at <= now)
    statement = sa.select(sa.func.count()).select_from(label_links).where(_can_go(uow, store_id), is_due)
    count: int = uow.execute(statement).scalar_one()
    return count


def next_due_at(uow: UnitOfWork, store_id: str) -> datetime | None:
    """Return when the next wish that backs off is due, or None when none does."""
    statement = sa.select(sa.func.min(label_links.c.next_attempt_at)).where(_can_go(uow, store_id))
    moment: datetime | None = uow.execute(statement).scalar_one_or_none()
    return moment


def _can_go(uow: UnitOfWork, store_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a wish of a store is not acknowledged, and waits for nothing but its time."""
    table, theirs = label_links.c, articles.c
    is_there = sa.exists().where(
        theirs.org_id == table.org_id,
        theirs.store_id == table.store_id,
        theirs.article_id == table.desired_article,
        theirs.desired_deleted.is_(False),
        theirs.desired_version <= theirs.synced_version,
        theirs.base_hash.is_not(None),
        theirs.base_hash != ABSENT,
    )
    return sa.and_(
        mine(uow, label_links),
        table.store_id == store_id,
        table.state == State.ACTIVE.value,
        is_dirty(),
        sa.not_(_is_kept()),
        sa.or_(table.desired_article.is_(None), is_there),
    )


def _is_kept(*, by_one_that_is_stuck: bool = False) -> sa.ColumnElement[bool]:
    """Return the condition that a label keeps its article until the one that replaces it is linked to that.

    Not when the article is to be deleted. `by_one_that_is_stuck` narrows it to those for whom nothing will happen.
    """
    table, new = label_links.c, label_links.alias("replacement")
    is_coming = sa.exists().where(
        new.c.org_id == table.org_id,
        new.c.label_code == table.waits_for,
        new.c.desired_article == table.acked_article,
        sa.or_(
            new.c.desired_article.is_distinct_from(new.c.acked_article), new.c.inflight_version.is_not(None)
        ),
        *((new.c.state != State.ACTIVE.value,) if by_one_that_is_stuck else ()),
    )
    is_deleted = sa.exists().where(
        articles.c.org_id == table.org_id,
        articles.c.store_id == table.store_id,
        articles.c.article_id == table.acked_article,
        articles.c.desired_deleted.is_(True),
    )
    return sa.and_(table.waits_for.is_not(None), is_coming, sa.not_(is_deleted))


def count_wishes(uow: UnitOfWork, store_ids: Sequence[str]) -> dict[str, list[LabelWish]]:
    """Return the wishes of each store that are not settled, by store, without those that nothing can come of for now.

    Wishes of a deleted article are dormant, and so is a label's that waits for one AIMS refused.
    """
    found: dict[str, list[LabelWish]] = {store_id: [] for store_id in store_ids}
    statement = sa.select(label_links).where(
        mine(uow, label_links), label_links.c.store_id.in_(store_ids), sa.not_(_is_dormant())
    )
    statement = statement.where(sa.not_(_is_kept(by_one_that_is_stuck=True)))
    for row in uow.execute(statement.order_by(label_links.c.label_code)).mappings():
        wish = wish_of(row)
        if wish.is_dirty or wish.state is not State.ACTIVE:
            found[wish.store_id].append(wish)
    return found


def _is_dormant() -> sa.ColumnElement[bool]:
    """Return the condition that a wish's article was deleted: nothing can be done until it comes back."""
    return sa.exists().where(
        articles.c.org_id == label_links.c.org_id,
        articles.c.store_id == label_links.c.store_id,
        articles.c.article_id == label_links.c.desired_article,
        articles.c.desired_deleted.is_(True),
    )


def wake_wishes(uow: UnitOfWork, store_id: str) -> None:
    """Make every waiting wish due at once: AIMS is back."""
    uow.execute(
        label_links.update()
        .where(
            mine(uow, label_links),
            label_links.c.store_id == store_id,
            label_links.c.state == State.ACTIVE.value,
            label_links.c.next_attempt_at.is_not(None),
        )
        .values(next_attempt_at=None)
    )
