"""How articles stand: the little of the ledger that tells whether anything is to be done about them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from electis_cli.db.rows import among_named, listed_value
from electis_cli.db.tables import articles
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.queue import State


class Standing(NamedTuple):
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
    values = {
        "org": uow.tenant,
        "store": store_id,
        "ids": listed_value(uow, article_ids),
        "moment": now,
    }
    found = uow.execute(_statement(is_sqlite=uow.is_sqlite), values).all()
    return {row[0]: Standing._make(row[1:]) for row in found}


# Put together once: a full sync asks it for every page of a listing.
@functools.cache
def _statement(*, is_sqlite: bool) -> sa.Select[Any]:
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
            columns.verify_after <= sa.bindparam("moment", type_=UtcDateTime()),
        ),
    )
    return sa.select(columns.article_id, columns.base_hash, is_settled, has_news, columns.echo).where(
        columns.org_id == sa.bindparam("org"),
        columns.store_id == sa.bindparam("store"),
        among_named(columns.article_id, "ids", is_sqlite=is_sqlite),
    )
