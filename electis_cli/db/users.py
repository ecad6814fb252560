"""Users; read unbound only where somebody logs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import one_or_none
from electis_cli.db.tables import users
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.access import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who can log in; the password hash is kept out of every representation."""

    id: str
    org_id: str | None
    email: str
    role: Role
    store_id: str | None
    first_name: str | None
    last_name: str | None
    is_active: bool
    must_change_password: bool
    last_login_at: datetime | None
    created_at: datetime


def _user(row: Any) -> User:
    fields = {name: row[name] for name in User.__dataclass_fields__}
    fields["role"] = Role(row["role"])
    return User(**fields)


def _visible(uow: UnitOfWork) -> sa.Select[Any]:
    statement = sa.select(users)
    return statement if uow.org_id is None else statement.where(users.c.org_id == uow.org_id)


def find_user(
    uow: UnitOfWork, *, email: str | None = None, user_id: str | None = None, lock: bool = False
) -> User | None:
    """Return a user by email (casefolded) or id; a bound unit of work sees its own organization's users only."""
    statement = _visible(uow)
    if email is not None:
        statement = statement.where(users.c.email == email)
    if user_id is not None:
        statement = statement.where(users.c.id == user_id)
    row = one_or_none(uow, statement.with_for_update() if lock else statement)
    return _user(row) if row else None


def is_email_taken(uow: UnitOfWork, email: str) -> bool:
    """Tell whether any organization's user has this email; nothing else of that user is told."""
    return uow.execute(sa.select(users.c.id).where(users.c.email == email)).first() is not None


def password_hash_of(uow: UnitOfWork, user_id: str) -> str | None:
    """Return a user's password hash."""
    value: str | None = uow.execute(
        sa.select(users.c.password_hash).where(users.c.id == user_id)
    ).scalar_one_or_none()
    return value


def list_users(uow: UnitOfWork) -> list[User]:
    """Return the users this unit of work may see, by email."""
    return [_user(row) for row in uow.execute(_visible(uow).order_by(users.c.email)).mappings()]


def count_active_admins(uow: UnitOfWork) -> int:
    """Return how many active admins the organization has; the rows are locked so that two demotions can not cross."""
    statement = sa.select(users.c.id).where(
        users.c.org_id == uow.tenant, users.c.role == Role.ADMIN.value, users.c.is_active.is_(True)
    )
    # Locked in one order by everybody, so that two demotions wait for one another instead of deadlocking.
    return len(uow.execute(statement.order_by(users.c.id).with_for_update()).all())


def insert_user(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert a user."""
    uow.execute(users.insert(), values)


def update_user(uow: UnitOfWork, user_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a user."""
    uow.execute(users.update().where(users.c.id == user_id).values(**values))
