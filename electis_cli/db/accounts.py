"""AIMS accounts: whether AIMS is well, and whether the queue may call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import aims_accounts
from electis_cli.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The health of one organization's AIMS account, shared by all its stores."""

    last_solum_ping: datetime | None = None
    ping_state: str = "unknown"
    ping_error: str | None = None
    pinged_at: datetime | None = None
    breaker: str = "closed"
    breaker_reason: str | None = None
    breaker_since: datetime | None = None
    backoff_until: datetime | None = None


def account_of(row: sa.RowMapping, prefix: str = "") -> Account:
    """Return the account in a row that has all its columns under their names with a prefix, maybe among others."""
    return Account(**{name: row[prefix + name] for name in Account.__dataclass_fields__})


def find_account(uow: UnitOfWork) -> Account:
    """Return the account's health; an account nobody has tried yet is unknown and closed."""
    row = one_or_none(uow, sa.select(aims_accounts).where(mine(uow, aims_accounts)))
    return account_of(row) if row else Account()


def save_account(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Write columns of the account's health."""
    uow.upsert(
        aims_accounts,
        [{"org_id": uow.tenant, "ping_state": "unknown", "breaker": "closed"}],
        key=["org_id"],
        update=None,
    )
    uow.execute(aims_accounts.update().where(mine(uow, aims_accounts)).values(**values))
