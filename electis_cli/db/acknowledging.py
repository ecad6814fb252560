"""Noting that AIMS took a batch of articles: the ledger, its labels and its store, in one statement on a server."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from electis_cli.db import labels, ledger, stores
from electis_cli.db.leases import Lease, holder_of
from electis_cli.db.unit_of_work import UnitOfWork


def acknowledge(
    uow: UnitOfWork,
    store_id: str,
    lease: Lease,
    article_ids: Iterable[str],
    *,
    are_deleted: bool,
    now: datetime,
    verify_after: datetime,
) -> int | None:
    """Note that AIMS took what is in flight, and return the number this has in the ledger.

    None means that the lease is not ours any more: whatever was written must not be committed then. Rows that changed
    meanwhile stay dirty, those of another epoch untouched.
    """
    ids = sorted(set(article_ids))
    touched = labels.forgetting_links if are_deleted else labels.redrawing_labels
    beside = [
        touched(uow, store_id, ids, now),
        stores.changing_store(
            uow, store_id, {"last_write_at": now, "backoff_until": None, "backoff_count": 0}
        ),
    ]

    def agreed(number: int | sa.ScalarSelect[int]) -> sa.Update:
        return ledger.acknowledging(
            uow, store_id, ids, epoch=lease.epoch, number=number, now=now, verify_after=verify_after
        )

    if uow.is_sqlite:
        if uow.execute(holder_of(uow, lease.resource)).scalar_one_or_none() != lease.epoch:
            return None
        number = uow.take_numbers(ledger.SEQUENCE, 1)
        for statement in (agreed(number), *beside):
            uow.execute(statement)
        return number
    taken = sa.select(sa.func.nextval(ledger.SEQUENCE).label("number")).cte("taken")
    written = [agreed(sa.select(taken.c.number).scalar_subquery()), *beside]
    parts = [statement.cte(f"part_{place}") for place, statement in enumerate(written)]
    epoch = holder_of(uow, lease.resource).scalar_subquery()
    number, held = uow.execute(sa.select(taken.c.number, epoch).add_cte(*parts)).one()
    return number if held == lease.epoch else None
