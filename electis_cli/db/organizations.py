"""Organizations and the installation's key fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import one_or_none
from electis_cli.db.tables import installation, organizations
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.organizations import (
    ArticleFormat,
    ColumnMapping,
    Strategy,
    format_from_stored,
    mapping_from_stored,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A tenant: its AIMS account (the password stays sealed), article format and mapping."""

    id: str
    code: str
    name: str
    aims_company: str | None
    aims_base_url: str | None
    aims_cluster: str | None
    aims_username: str | None
    aims_password: str | None
    article_format: ArticleFormat | None
    format_fetched_at: datetime | None
    mapping: ColumnMapping
    room_prefix: str
    strategy: Strategy
    created_at: datetime


def organization_of(row: Any) -> Organization:
    """Return the organization in a row that has all its columns, maybe among others."""
    fields = {name: row[name] for name in Organization.__dataclass_fields__}
    fields["article_format"] = format_from_stored(row["article_format"]) if row["article_format"] else None
    fields["mapping"] = mapping_from_stored(row["mapping"])
    fields["strategy"] = Strategy(row["strategy"])
    return Organization(**fields)


def find_organization(
    uow: UnitOfWork, *, code: str | None = None, org_id: str | None = None
) -> Organization | None:
    """Return the organization with this code or id; a bound unit of work sees its own only."""
    statement = sa.select(organizations)
    if code is not None:
        statement = statement.where(organizations.c.code == code)
    if org_id is not None:
        statement = statement.where(organizations.c.id == org_id)
    if uow.org_id is not None:
        statement = statement.where(organizations.c.id == uow.org_id)
    row = one_or_none(uow, statement)
    return organization_of(row) if row else None


def own_organization(uow: UnitOfWork, *, lock: bool = False) -> Organization:
    """Return the organization this unit of work is bound to."""
    statement = sa.select(organizations).where(organizations.c.id == uow.tenant)
    return organization_of(uow.execute(statement.with_for_update() if lock else statement).mappings().one())


def list_organizations(uow: UnitOfWork) -> list[Organization]:
    """Return the organizations this unit of work may see, by code."""
    statement = sa.select(organizations).order_by(organizations.c.code)
    if uow.org_id is not None:
        statement = statement.where(organizations.c.id == uow.org_id)
    return [organization_of(row) for row in uow.execute(statement).mappings()]


def insert_organization(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert an organization."""
    uow.execute(organizations.insert(), values)


def update_organization(uow: UnitOfWork, org_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of an organization."""
    uow.execute(organizations.update().where(organizations.c.id == org_id).values(**values))


def key_fingerprint(uow: UnitOfWork) -> str | None:
    """Return the fingerprint of the master key this database was sealed with, or None before `init`."""
    value: str | None = uow.execute(sa.select(installation.c.key_fingerprint)).scalar_one_or_none()
    return value


def set_key_fingerprint(uow: UnitOfWork, fingerprint: str, now: datetime) -> None:
    """Remember the fingerprint of the master key; the first one stays."""
    uow.upsert(
        installation, [{"id": 1, "key_fingerprint": fingerprint, "created_at": now}], key=["id"], update=None
    )
