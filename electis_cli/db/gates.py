"""What lets the writes of a store through, or stops them: looked at in one statement before every call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from electis_cli.db.organizations import Organization, organization_of
from electis_cli.db.rows import mine
from electis_cli.db.tables import aims_accounts, leases, organizations, stores
from electis_cli.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether a store may be pushed right now, and who holds the lease on that (None: nobody)."""

    organization: Organization
    sync_enabled: bool
    paused_at: datetime | None
    paused_why: str | None
    breaker: str
    breaker_reason: str | None
    epoch: int | None


_OWN = (
    stores.c.sync_enabled,
    stores.c.paused_at,
    stores.c.paused_why,
    # An account nobody has tried yet is closed.
    sa.func.coalesce(aims_accounts.c.breaker, "closed").label("breaker"),
    aims_accounts.c.breaker_reason,
    leases.c.epoch,
)
_GATE = sa.select(organizations, *_OWN).select_from(
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


def find_gate(uow: UnitOfWork, store_id: str, lease: str) -> Gate | None:
    """Return whether a store may be pushed right now; None when there is no such store."""
    statement = _GATE.where(mine(uow, stores), stores.c.id == store_id)
    row = uow.execute(statement, {"lease": lease, "now": uow.now()}).mappings().one_or_none()
    if row is None:
        return None
    return Gate(organization=organization_of(row), **{column.name: row[column.name] for column in _OWN})
