"""What AIMS took: acknowledged in the ledger, on the labels that redraw, and on the store, all in one transaction."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db import labels
from electis_cli.db.fixed import fixed
from electis_cli.db.leases import Lease, holder_of
from electis_cli.db.ledger import SEQUENCE
from electis_cli.db.rows import among_named, listed_value
from electis_cli.db.tables import articles, stores
from electis_cli.db.types import UtcDateTime
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
    values = {
        "org": uow.tenant,
        "store": store_id,
        "ids": listed_value(uow, sorted(set(article_ids))),
        "resource": lease.resource,
        "epoch": lease.epoch,
        "clock": uow.now(),
        "moment": now,
        "verify_after": verify_after,
    }
    if not uow.is_sqlite:
        number, held, *_ = uow.execute(_everything(are_deleted=are_deleted), values).one()
        return number if held == lease.epoch else None
    steps = _steps(are_deleted=are_deleted)
    if uow.execute(steps.held, values).scalar_one_or_none() != lease.epoch:
        return None
    number = uow.take_numbers(SEQUENCE, 1)
    for statement in (steps.agreed, steps.touched, steps.recovered):
        uow.execute(statement, {**values, "number": number})
    return number


# All statements are put together once: a push asks them after every call.
_ORG = sa.bindparam("org", type_=sa.Text())
_STORE = sa.bindparam("store", type_=sa.Text())
_NOW = sa.bindparam("moment", type_=UtcDateTime())
_HELD = holder_of(sa.bindparam("resource", type_=sa.Text()), sa.bindparam("clock", type_=UtcDateTime()))
_RECOVERED = (
    stores.update()
    .where(stores.c.org_id == _ORG, stores.c.id == _STORE)
    .values(last_write_at=_NOW, backoff_until=None, backoff_count=0)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """What an acknowledgement takes on the embedded database, in this order."""

    held: sa.Select[Any]
    agreed: sa.Update
    touched: sa.Update
    recovered: sa.Update


@functools.cache
def _steps(*, are_deleted: bool) -> _Steps:
    return _Steps(
        held=_HELD,
        agreed=_agreeing(sa.bindparam("number", type_=sa.BigInteger()), is_sqlite=True),
        touched=_touching(among_named(labels.SHOWN, "ids", is_sqlite=True), are_deleted=are_deleted),
        recovered=_RECOVERED,
    )


@functools.cache
def _everything(*, are_deleted: bool) -> Any:
    if are_deleted:
        return fixed(lambda: _everything_query(are_deleted=True))
    return fixed(lambda: _everything_query(are_deleted=False))


def _everything_query(*, are_deleted: bool) -> sa.Select[Any]:
    """Return the one statement of PostgreSQL: the number it took, the epoch that holds the lease, and counts."""
    taken = sa.select(sa.func.nextval(SEQUENCE).label("number")).cte("taken")
    agreement = _agreeing(sa.select(taken.c.number).scalar_subquery(), is_sqlite=False)
    done = agreement.returning(articles.c.article_id).cte("agreed")
    meant = labels.SHOWN.in_(sa.select(done.c.article_id))
    drawn = _touching(meant, are_deleted=are_deleted).returning(sa.literal(1).label("one")).cte("drawn")
    # Asking for their numbers of rows has these done first, and in this order: articles, labels, then the store, as
    # everybody else locks them. What nobody asks about is done after them.
    counts = (sa.select(sa.func.count()).select_from(part).scalar_subquery() for part in (done, drawn))
    chosen: sa.Select[Any] = sa.select(taken.c.number, _HELD.scalar_subquery(), *counts)
    return chosen.add_cte(_RECOVERED.cte("recovered"))


def _touching(are_meant: sa.ColumnElement[bool], *, are_deleted: bool) -> sa.Update:
    touch = labels.forgetting_links if are_deleted else labels.redrawing_labels
    return touch(_ORG, _STORE, are_meant, _NOW)


def _agreeing(number: sa.ColumnElement[int], *, is_sqlite: bool) -> sa.Update:
    """Return the statement that makes of what is in flight what both sides agree on, though nobody read it back yet.

    What a claim of another epoch sent stays as it is.
    """
    table = articles.c
    is_same = table.inflight_hash == table.base_hash
    return (
        articles.update()
        .where(
            table.org_id == _ORG,
            table.store_id == _STORE,
            among_named(table.article_id, "ids", is_sqlite=is_sqlite),
            table.inflight_epoch == sa.bindparam("epoch", type_=sa.BigInteger()),
            table.inflight_version.is_not(None),
        )
        .values(
            touched_seq=number,
            synced_version=table.inflight_version,
            base=table.inflight_content,
            base_hash=table.inflight_hash,
            echo=sa.case((is_same, table.echo), else_=sa.null()),
            echo_rounds=sa.case((is_same, table.echo_rounds), else_=0),
            read_equal_at=None,
            last_seen_remote_at=None,
            inflight_version=None,
            inflight_hash=None,
            inflight_content=sa.null(),
            inflight_epoch=None,
            attempts=0,
            doubts=0,
            next_attempt_at=None,
            error_class=None,
            error_text=None,
            acked_at=_NOW,
            verify_after=sa.bindparam("verify_after", type_=UtcDateTime()),
            missing_since=None,
            odd_hash=None,
            odd_since=None,
        )
    )
