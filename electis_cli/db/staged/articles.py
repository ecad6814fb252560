"""The articles that staged changes touch, in the order in which they must be pushed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from electis_cli.db import ledger
from electis_cli.db.rows import mine
from electis_cli.db.staged.tables import take_stock
from electis_cli.db.tables import label_links
from electis_cli.db.unit_of_work import UnitOfWork

_TOUCHED = sa.table(
    "staged_articles",
    sa.column("article_id", sa.Text()),
    sa.column("rank", sa.Integer()),
    sa.column("place", sa.Integer()),
    sa.column("gone", sa.Boolean()),
    sa.column("batch", sa.Integer()),
)


def find_touched(uow: UnitOfWork, room_prefix: str) -> int:
    """Stage the articles that the staged changes touch and return how many there are.

    It is what `affected_by_person` and `affected_by_spaces` say of one change. Articles that end up without somebody go
    first, then those that are filled or changed, the deleted ones last.
    """
    true, false = ("1", "0") if uow.is_sqlite else ("true", "false")
    sql = f"""INSERT INTO staged_articles (article_id, rank, place, gone, batch)
        SELECT article_id, CASE WHEN max(gone) = 1 THEN 2 ELSE max(filled) END, min(place),
            CASE WHEN max(gone) = 1 THEN {true} ELSE {false} END, batch
        FROM (
            SELECT key AS article_id, place, CASE WHEN after IS NULL THEN 1 ELSE 0 END AS gone, 1 AS filled, batch
                FROM staged_changes WHERE noun = 'space'
            UNION ALL SELECT :prefix || key, place, CASE WHEN after IS NULL THEN 1 ELSE 0 END, 1, batch
                FROM staged_changes WHERE noun = 'conference room'
            UNION ALL SELECT space_before, place, 0, 0, batch
                FROM staged_changes WHERE noun = 'person' AND space_before IS NOT NULL
            UNION ALL SELECT space_after, place, 0, 1, batch
                FROM staged_changes WHERE noun = 'person' AND space_after IS NOT NULL) t
        GROUP BY article_id, batch"""  # noqa: S608 - no value of anybody's is part of it
    uow.execute(sa.text("DELETE FROM staged_articles"))
    count = uow.count_changed(sa.text(sql), {"prefix": room_prefix})
    take_stock(uow, "staged_articles")
    return count


def count_redraws(uow: UnitOfWork, store_id: str) -> int:
    """Return how many labels will redraw: those of touched articles, and those that are to show another one."""
    there = sa.select(_TOUCHED.c.article_id).where(sa.not_(_TOUCHED.c.gone))
    changes = sa.table("staged_changes", sa.column("noun"), sa.column("key"), sa.column("after"))
    linked = sa.select(changes.c.key).where(changes.c.noun == "label", changes.c.after.is_not(None))
    statement = (
        sa.select(sa.func.count())
        .select_from(label_links)
        .where(
            mine(uow, label_links),
            label_links.c.store_id == store_id,
            label_links.c.desired_article.in_(there),
            label_links.c.label_code.not_in(linked),
        )
    )
    new = sa.select(sa.func.count()).select_from(linked.subquery())
    return int(uow.execute(statement).scalar_one()) + int(uow.execute(new).scalar_one())


def bump_touched(uow: UnitOfWork, store_id: str, now: datetime, *, batch: int = 0) -> None:
    """Make the touched articles of a batch dirty."""
    chosen = sa.select(_TOUCHED).where(_TOUCHED.c.batch == batch).subquery()
    count = uow.execute(sa.select(sa.func.count()).select_from(chosen)).scalar_one()
    numbered = sa.select(
        chosen.c.article_id,
        chosen.c.gone,
        (sa.func.row_number().over(order_by=(chosen.c.rank, chosen.c.place, chosen.c.article_id)) - 1).label(
            "nth"
        ),
    ).subquery()
    ledger.bump_many(uow, store_id, numbered, count, now)
