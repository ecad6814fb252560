"""What lets the writes of a store through, or stops them: looked at in one statement, as it is before every call."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db import ledger
from electis_cli.db.accounts import Account, account_of
from electis_cli.db.due import Due, due_of, kinds_due
from electis_cli.db.fixed import fixed
from electis_cli.db.organizations import Organization, organization_of
from electis_cli.db.stores import Store, store_of
from electis_cli.db.tables import aims_accounts, leases, organizations, stores
from electis_cli.db.unit_of_work import UnitOfWork, last_number_query

_PLACE = (stores.c.org_id == sa.bindparam("org"), stores.c.id == sa.bindparam("store"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a push stands on when it begins."""

    organization: Organization
    store: Store
    account: Account
    last_number: int
    """The last number any change, claim or acknowledgement took."""
    due: Due
    """What there is to push, whether or not it may be."""


# Put together once, as every push begins with it.
@functools.cache
def _ground(*, is_sqlite: bool) -> Any:
    if is_sqlite:
        return _ground_query(is_sqlite=True)
    return fixed(lambda: _ground_query(is_sqlite=False))


def _ground_query(*, is_sqlite: bool) -> sa.Select[Any]:
    return (
        sa.select(
            organizations,
            *(column.label(f"store_{column.name}") for column in stores.c),
            *(column.label(f"account_{column.name}") for column in aims_accounts.c),
            last_number_query(ledger.SEQUENCE, is_sqlite=is_sqlite).label("last_number"),
            *kinds_due(),
        )
        .select_from(
            stores.join(organizations, organizations.c.id == stores.c.org_id).outerjoin(
                aims_accounts, aims_accounts.c.org_id == stores.c.org_id
            )
        )
        .where(*_PLACE)
    )


def find_ground(uow: UnitOfWork, store_id: str, now: datetime) -> Ground | None:
    """Return what a push of a store stands on right now; None when there is no such store."""
    place = {"org": uow.tenant, "store": store_id, "moment": now}
    row = uow.execute(_ground(is_sqlite=uow.is_sqlite), place).mappings().one_or_none()
    if row is None:
        return None
    return Ground(
        organization=organization_of(row),
        store=store_of(row, "store_"),
        # An account nobody has tried yet is unknown and closed.
        account=Account() if row["account_org_id"] is None else account_of(row, "account_"),
        last_number=row["last_number"] or 0,
        due=due_of(row),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether a store may be pushed right now, and who holds the lease on that, in which epoch (None: nobody)."""

    organization: Organization
    sync_enabled: bool
    paused_at: datetime | None
    paused_why: str | None
    breaker: str
    breaker_reason: str | None
    holder: str | None
    epoch: int | None


_OWN = (
    stores.c.sync_enabled,
    stores.c.paused_at,
    stores.c.paused_why,
    # An account nobody has tried yet is closed.
    sa.func.coalesce(aims_accounts.c.breaker, "closed").label("breaker"),
    aims_accounts.c.breaker_reason,
    leases.c.holder,
    leases.c.epoch,
)
_GATE = (
    sa.select(organizations, *_OWN)
    .select_from(
        stores.join(organizations, organizations.c.id == stores.c.org_id)
        .outerjoin(aims_accounts, aims_accounts.c.org_id == stores.c.org_id)
        .outerjoin(
            leases,
            sa.and_(
                leases.c.resource == sa.bindparam("lease"),
                leases.c.holder.is_not(None),
                leases.c.expires_at > sa.bindparam("now", type_=leases.c.expires_at.type),
            ),
        )
    )
    .where(*_PLACE)
)


@functools.cache
def _gate() -> Any:
    return fixed(lambda: _GATE)


def find_gate(uow: UnitOfWork, store_id: str, lease: str) -> Gate | None:
    """Return whether a store may be pushed right now; None when there is no such store."""
    values = {"org": uow.tenant, "store": store_id, "lease": lease, "now": uow.now()}
    row = uow.execute(_gate(), values).mappings().one_or_none()
    if row is None:
        return None
    return Gate(organization=organization_of(row), **{column.name: row[column.name] for column in _OWN})
