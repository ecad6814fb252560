"""What labels were seen to display: who redraws, which flips are to be checked, who timed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.label_queue import is_dirty
from electis_cli.db.labels import is_unchanged, wish_of
from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import label_links
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.labels import Display
from electis_cli.domain.queue import LabelWish, State


def redrawing(uow: UnitOfWork, store_id: str) -> list[LabelWish]:
    """Return the labels of a store that have not answered: not yet, or not even to what was sent twice."""
    statement = (
        sa.select(label_links)
        .where(
            mine(uow, label_links),
            label_links.c.store_id == store_id,
            label_links.c.display.in_([Display.PROCESSING.value, Display.TIMED_OUT.value]),
            label_links.c.acked_article.is_not(None),
        )
        .order_by(label_links.c.label_code)
    )
    return [wish_of(row) for row in uow.execute(statement).mappings()]


def pages_to_check(uow: UnitOfWork, store_id: str, now: datetime, limit: int) -> list[LabelWish]:
    """Return the labels that drew a page we flipped them to long enough ago to ask whether they show it."""
    statement = (
        sa.select(label_links)
        .where(
            mine(uow, label_links),
            label_links.c.store_id == store_id,
            label_links.c.state == State.ACTIVE.value,
            label_links.c.page_check_at <= now,
            label_links.c.display == Display.DISPLAYED.value,
            label_links.c.desired_page == label_links.c.acked_page,
            sa.not_(is_dirty()),
        )
        .order_by(label_links.c.page_check_at, label_links.c.label_code)
        .limit(limit)
    )
    return [wish_of(row) for row in uow.execute(statement).mappings()]


def note_page(uow: UnitOfWork, wish: LabelWish, values: Mapping[str, Any], now: datetime) -> bool:
    """Write what asking for a label's page came to; False when it was flipped, linked or wished anew meanwhile."""
    statement = (
        label_links.update()
        .where(
            mine(uow, label_links),
            label_links.c.label_code == wish.label_code,
            is_unchanged(wish),
            label_links.c.page_check_at == wish.page_check_at,
        )
        .values(page_check_at=None, updated_at=now, **values)
    )
    return uow.count_changed(statement) == 1


def has_timed_out(uow: UnitOfWork, store_id: str) -> bool:
    """Tell whether a linked label of a store did not draw what AIMS sent twice."""
    return _has(
        uow,
        store_id,
        label_links.c.display == Display.TIMED_OUT.value,
        label_links.c.acked_article.is_not(None),
    )


def has_held(uow: UnitOfWork, store_id: str) -> bool:
    """Tell whether a label of a store waits for a person, as somebody else flips it back."""
    return _has(uow, store_id, label_links.c.state == State.HELD.value)


def _has(uow: UnitOfWork, store_id: str, *conditions: sa.ColumnElement[bool]) -> bool:
    statement = (
        sa.select(label_links.c.label_code)
        .where(mine(uow, label_links), label_links.c.store_id == store_id, *conditions)
        .limit(1)
    )
    return one_or_none(uow, statement) is not None


def count_displays(uow: UnitOfWork, store_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return, by store, how many linked labels stand how with drawing."""
    statement = (
        sa.select(label_links.c.store_id, label_links.c.display, sa.func.count())
        .where(
            mine(uow, label_links),
            label_links.c.store_id.in_(store_ids),
            label_links.c.acked_article.is_not(None),
        )
        .group_by(label_links.c.store_id, label_links.c.display)
    )
    counts: dict[str, dict[str, int]] = {store_id: {} for store_id in store_ids}
    for store_id, display, count in uow.execute(statement):
        counts[store_id][display] = count
    return counts
