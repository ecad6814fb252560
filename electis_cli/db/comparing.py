"""What a full sync asks of the ledger as a whole: which articles it expects, how many, and which stood still."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from electis_cli.db.rows import mine
from electis_cli.db.tables import articles, conference_rooms, spaces
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import ABSENT

_WALK = 5000


def expected_ids(uow: UnitOfWork, store_id: str) -> Iterator[Sequence[str]]:
    """Yield, a few thousand at a time, the ids of all articles that are not agreed to be absent."""
    columns, last = articles.c, ""
    while True:
        statement = (
            sa.select(columns.article_id)
            .where(
                mine(uow, articles),
                columns.store_id == store_id,
                columns.article_id > last,
                sa.not_(
                    sa.and_(
                        columns.desired_deleted.is_(True),
                        columns.desired_version == columns.synced_version,
                        columns.inflight_version.is_(None),
                    )
                ),
            )
            .order_by(columns.article_id)
            .limit(_WALK)
        )
        ids = uow.execute(statement).scalars().all()
        if ids:
            yield ids
        if len(ids) < _WALK:
            return
        last = ids[-1]


def unmet_ids(uow: UnitOfWork, store_id: str, room_prefix: str) -> list[str]:
    """Return the articles of spaces and rooms that the ledger does not know: an upgrade, or a bug."""
    found: list[str] = []
    for table, article_id in (
        (spaces, spaces.c.external_id),
        (conference_rooms, sa.literal(room_prefix) + conference_rooms.c.external_id),
    ):
        # Not as a join: without statistics PostgreSQL compares every article with every other one.
        statement = sa.except_(
            sa.select(article_id).where(mine(uow, table), table.c.store_id == store_id),
            sa.select(articles.c.article_id).where(mine(uow, articles), articles.c.store_id == store_id),
        )
        found.extend(uow.execute(statement).scalars().all())
    return found


def sizes(uow: UnitOfWork, store_id: str, *, since: int) -> tuple[int, int, int]:
    """Return how many articles have a base and are wanted, how many of those stood still, and the spaces and rooms.

    What stood still has not moved since the sequence stood at `since`.
    """
    has_stood = sa.case((articles.c.touched_seq <= since, 1))
    bases = sa.select(sa.func.count(), sa.func.count(has_stood)).where(
        mine(uow, articles),
        articles.c.store_id == store_id,
        articles.c.desired_deleted.is_(False),
        articles.c.base_hash.is_not(None),
        articles.c.base_hash != ABSENT,
    )
    local = 0
    for table in (spaces, conference_rooms):
        statement = sa.select(sa.func.count()).where(mine(uow, table), table.c.store_id == store_id)
        local += uow.execute(statement).scalar_one()
    count, stood = uow.execute(bases).one()
    return count, stood, local


def note_equal(
    uow: UnitOfWork,
    store_id: str,
    seen: Iterable[tuple[str, str | None, bool]],
    now: datetime,
    *,
    untouched_since: int,
) -> None:
    """Note that articles were read back equal (with AIMS's word for their last update), unless they moved since."""
    rows = [
        {
            "b_article_id": article_id,
            "b_remote_updated": updated,
            "b_at": now,
            "b_equal_at": now if is_verbatim else None,
        }
        for article_id, updated, is_verbatim in seen
    ]
    if not rows:
        return
    columns = articles.c
    statement = (
        articles.update()
        .where(
            mine(uow, articles),
            columns.store_id == store_id,
            columns.article_id == sa.bindparam("b_article_id"),
            columns.touched_seq <= untouched_since,
        )
        .values(
            read_equal_at=sa.func.coalesce(
                columns.read_equal_at, sa.bindparam("b_equal_at", type_=UtcDateTime)
            ),
            last_seen_remote_at=sa.bindparam("b_at", type_=UtcDateTime),
            remote_updated=sa.bindparam("b_remote_updated"),
            verify_after=sa.case(
                (columns.verify_after <= sa.bindparam("b_at", type_=UtcDateTime), None),
                else_=columns.verify_after,
            ),
            missing_since=None,
            odd_hash=None,
            odd_since=None,
        )
    )
    uow.execute(statement, rows)


def count_moving(uow: UnitOfWork, store_id: str, since: int) -> int:
    """Return how many articles moved since the sequence stood at `since`: what a listing may miscount by."""
    statement = (
        sa.select(sa.func.count())
        .select_from(articles)
        .where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            sa.or_(articles.c.inflight_version.is_not(None), articles.c.touched_seq > since),
        )
    )
    count: int = uow.execute(statement).scalar_one()
    return count


def count_rows(uow: UnitOfWork, store_id: str) -> int:
    """Return how many articles the ledger knows in a store."""
    statement = (
        sa.select(sa.func.count())
        .select_from(articles)
        .where(mine(uow, articles), articles.c.store_id == store_id)
    )
    count: int = uow.execute(statement).scalar_one()
    return count
