"""Who somebody is: what `login` and `whoami` answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from electis_cli.db import organizations, stores
from electis_cli.db.users import User
from electis_cli.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityView:
    """Who is logged in, and where their role holds."""

    email: str
    role: str
    organization: str | None
    store: str | None
    must_change_password: bool
    last_login_at: datetime | None


def describe_user(runtime: Runtime, user: User) -> IdentityView:
    """Return who a user is."""
    with runtime.database.read(user.org_id) as uow:
        organization = organizations.find_organization(uow, org_id=user.org_id) if user.org_id else None
        store = stores.find_store(uow, store_id=user.store_id) if user.store_id else None
    return IdentityView(
        email=user.email,
        role=user.role.value,
        organization=organization.code if organization else None,
        store=store.code if store else None,
        must_change_password=user.must_change_password,
        last_login_at=user.last_login_at,
    )
