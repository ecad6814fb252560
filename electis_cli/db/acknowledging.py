"""Noting that AIMS took a batch of articles: the ledger, its labels and its store, in one statement on a server."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from electis_cli.db import labels, ledger, stores
from electis_cli.db.leases import Lease, holder_of
from electis_cli.db.tables import articles
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
    recovered = stores.changing_store(
        uow, store_id, {"last_write_at": now, "backoff_until": None, "backoff_count": 0}
    )

    def agreed(number: int | sa.ScalarSelect[int]) -> sa.Update:
        return ledger.acknowledging(
            uow, store_id, ids, epoch=lease.epoch, number=number, now=now, verify_after=verify_after
        )

    if uow.is_sqlite:
        if uow.execute(holder_of(uow, lease.resource)).scalar_one_or_none() != lease.epoch:
            return None
        number = uow.take_numbers(ledger.SEQUENCE, 1)
        for statement in (agreed(number), touched(uow, store_id, ids, now), recovered):
            uow.execute(statement)
        return number
    taken = sa.select(sa.func.nextval(ledger.SEQUENCE).label("number")).cte("taken")
    agreement = agreed(sa.select(taken.c.number).scalar_subquery())
    done = agreement.returning(articles.c.article_id).cte("agreed")
    drawn = touched(uow, store_id, sa.select(done.c.article_id), now).returning(sa.literal(1).label("one"))
    # Asking for their numbers of rows has these done first, and in this order: articles, labels, then the store, as
    # everybody else locks them. What nobody asks about is done after them.
    counts = (
        sa.select(sa.func.count()).select_from(part).scalar_subquery() for part in (done, drawn.cte("drawn"))
    )
    epoch = holder_of(uow, lease.resource).scalar_subquery()
    everything = sa.select(taken.c.number, epoch, *counts).add_cte(recovered.cte("recovered"))
    number, held, *_ = uow.execute(everything).one()
    return number if held == lease.epoch else None
