"""Leases: who may push or list a store right now, measured by the database's clock, with an epoch that only grows."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from electis_cli.db.rows import chunks, one_or_none
from electis_cli.db.tables import leases
from electis_cli.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A right that ends by itself; whoever holds a higher epoch of it came later."""

    resource: str
    holder: str
    epoch: int
    expires_at: datetime

    def is_held_in(self, holder: str | None, epoch: int | None) -> bool:
        """Tell whether whoever holds the resource now does so by this lease.

        The epoch alone does not say so: one that was given just before a crash of the server may be given once more
        (see `db/engine.Database.write`).
        """
        return (holder, epoch) == (self.holder, self.epoch)


def push_resource(store_id: str) -> str:
    """Return what one worker at a time holds while it pushes a store."""
    return f"push:{store_id}"


def sync_resource(store_id: str) -> str:
    """Return what one worker at a time holds while it runs a store's full sync."""
    return f"sync:{store_id}"


# Put together once, as every push begins with it.
@functools.cache
def taking_lease(*, is_sqlite: bool) -> Any:
    """Return the statement that takes a lease, with the epoch it has then; its parameters are `lease_values`."""
    kind: Any = sqlite.insert if is_sqlite else postgresql.insert
    until, now = (sa.bindparam(name, type_=leases.c.expires_at.type) for name in ("until", "clock"))
    insert = kind(leases).values(
        resource=sa.bindparam("name"), holder=sa.bindparam("who"), epoch=1, expires_at=until
    )
    return insert.on_conflict_do_update(
        index_elements=["resource"],
        set_={
            "holder": insert.excluded.holder,
            "epoch": leases.c.epoch + 1,
            "expires_at": insert.excluded.expires_at,
        },
        where=sa.or_(leases.c.holder.is_(None), leases.c.expires_at <= now),
    ).returning(leases.c.epoch)


def take_lease(uow: UnitOfWork, resource: str, holder: str, *, seconds: float) -> Lease | None:
    """Take a lease that is free, expired or our own; None while somebody else holds it."""
    values = lease_values(uow, resource, holder, seconds=seconds)
    return lease_of(uow.execute(taking_lease(is_sqlite=uow.is_sqlite), values).scalar_one_or_none(), values)


def lease_values(uow: UnitOfWork, resource: str, holder: str, *, seconds: float) -> dict[str, Any]:
    """Return the parameters of `taking_lease`."""
    now = uow.now()
    return {"name": resource, "who": holder, "until": now + timedelta(seconds=seconds), "clock": now}


def lease_of(epoch: int | None, values: Mapping[str, Any]) -> Lease | None:
    """Return the lease that was taken with these parameters; no epoch means that somebody else holds it."""
    if epoch is None:
        return None
    return Lease(resource=values["name"], holder=values["who"], epoch=epoch, expires_at=values["until"])


def renew_lease(uow: UnitOfWork, lease: Lease, *, seconds: float) -> Lease | None:
    """Prolong a lease; None when it is not ours any more (another epoch, or it ran out and was taken)."""
    now = uow.now()
    expires_at = now + timedelta(seconds=seconds)
    statement = (
        leases.update()
        .where(
            leases.c.resource == lease.resource,
            leases.c.holder == lease.holder,
            leases.c.epoch == lease.epoch,
            leases.c.expires_at > now,
        )
        .values(expires_at=expires_at)
    )
    if uow.count_changed(statement) != 1:
        return None
    return Lease(resource=lease.resource, holder=lease.holder, epoch=lease.epoch, expires_at=expires_at)


def release_lease(uow: UnitOfWork, lease: Lease) -> None:
    """Give a lease back, if it is still ours."""
    now = uow.now()
    uow.execute(
        leases.update()
        .where(
            leases.c.resource == lease.resource,
            leases.c.holder == lease.holder,
            leases.c.epoch == lease.epoch,
        )
        .values(holder=None, expires_at=now)
    )


def free_leases(uow: UnitOfWork, holders: Iterable[str]) -> None:
    """Free what holders held that are certain to be gone; their epochs are never given again."""
    for piece in chunks(sorted(set(holders))):
        uow.execute(
            leases.update().where(leases.c.holder.in_(piece)).values(holder=None, expires_at=uow.now())
        )


def current_holder(uow: UnitOfWork, resource: str) -> Lease | None:
    """Return who holds a lease right now, or None."""
    row = one_or_none(
        uow,
        sa.select(leases).where(
            leases.c.resource == resource, leases.c.holder.is_not(None), leases.c.expires_at > uow.now()
        ),
    )
    if row is None:
        return None
    return Lease(resource=resource, holder=row["holder"], epoch=row["epoch"], expires_at=row["expires_at"])


def holder_of(resource: sa.ColumnElement[str], now: sa.ColumnElement[datetime]) -> sa.Select[tuple[int]]:
    """Return the statement that finds the epoch in which somebody holds a lease at a moment of the database's clock."""
    return sa.select(leases.c.epoch).where(
        leases.c.resource == resource, leases.c.holder.is_not(None), leases.c.expires_at > now
    )


def held_by_others(uow: UnitOfWork, resources: Iterable[str], holder: str) -> set[str]:
    """Return those of some resources that somebody else holds right now."""
    statement = sa.select(leases.c.resource).where(
        leases.c.holder.is_not(None), leases.c.holder != holder, leases.c.expires_at > uow.now()
    )
    return {
        resource
        for piece in chunks(resources)
        for resource in uow.execute(statement.where(leases.c.resource.in_(piece))).scalars()
    }


def held_by(uow: UnitOfWork, holder: str) -> list[str]:
    """Return what a holder holds right now, in the order of the resources' names."""
    statement = (
        sa.select(leases.c.resource)
        .where(leases.c.holder == holder, leases.c.expires_at > uow.now())
        .order_by(leases.c.resource)
    )
    return list(uow.execute(statement).scalars())
