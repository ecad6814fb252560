"""How articles stand: the little of the ledger that tells whether anything is to be done about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import among, mine
from electis_cli.db.tables import articles
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.queue import State


@dataclass(frozen=True, slots=True)
class Standing:
    """What a look at an article needs of its ledger row.

    `is_settled` is False for what is deleted, dirty, under way or waits for a person. `has_news` tells that being equal
    would be news: read back for the first time, or the end of something odd.
    """

    base_hash: str | None
    is_settled: bool
    has_news: bool
    echo: Mapping[str, str] | None


def standing_by_id(
    uow: UnitOfWork, store_id: str, article_ids: Iterable[str], now: datetime
) -> dict[str, Standing]:
    """Return how those of some articles stand that the ledger knows, by id."""
    statement = _STATEMENT.where(
        mine(uow, articles), articles.c.store_id == store_id, among(uow, articles.c.article_id, article_ids)
    )
    return {row[0]: Standing(*row[1:]) for row in uow.execute(statement, {"now": now}).all()}


def _statement() -> sa.Select[Any]:
    columns = articles.c
    is_settled = sa.and_(
        columns.state == State.ACTIVE.value,
        columns.desired_deleted.is_(False),
        columns.desired_version <= columns.synced_version,
        columns.inflight_version.is_(None),
    )
    has_news = sa.or_(
        sa.and_(columns.read_equal_at.is_(None), columns.echo.is_(sa.null())),
        columns.odd_hash.is_not(None),
        columns.missing_since.is_not(None),
        sa.and_(
            columns.verify_after.is_not(None),
            columns.verify_after <= sa.bindparam("now", type_=UtcDateTime),
        ),
    )
    return sa.select(columns.article_id, columns.base_hash, is_settled, has_news, columns.echo)


_STATEMENT = _statement()
