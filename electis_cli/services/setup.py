"""`init`: the schema, the master key's fingerprint, an organization and its first admin."""

from __future__ import annotations

from dataclasses import dataclass

from electis_cli.adapters.password_hashing import hash_password
from electis_cli.db import organizations, schema, users
from electis_cli.domain.access import Role, system_actor
from electis_cli.domain.errors import AlreadyExists, EmailTaken
from electis_cli.domain.organizations import Strategy, check_email, check_organization_code
from electis_cli.domain.passwords import require_strong
from electis_cli.services.change import Change, Scope
from electis_cli.services.runtime import Runtime

ROOM_PREFIX = "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What `init` made."""

    organization: str
    admin: str
    database: str
    schema: str
    key_fingerprint: str
    is_new_database: bool


def initialize(
    runtime: Runtime, *, org_code: str, org_name: str, admin_email: str, admin_password: str
) -> Installed:
    """Bring the schema up to date and create an organization with its admin; on a live database it adds them.

    Nothing but the schema is written when anything is wrong. Raises InvalidInput, WeakPassword, AlreadyExists,
    EmailTaken.
    """
    code = check_organization_code(org_code)
    email = check_email(admin_email)
    require_strong(admin_password, email=email)
    hashed = hash_password(admin_password)
    before, after = schema.upgrade(runtime.database)
    org_id = runtime.new_id()
    with runtime.database.write() as uow:
        now = runtime.clock()
        organizations.set_key_fingerprint(uow, runtime.sealer.fingerprint, now)
        if organizations.find_organization(uow, code=code) is not None:
            raise AlreadyExists(
                f"The organization {code} exists already.", fix="electis login EMAIL, or choose another code"
            )
        if users.is_email_taken(uow, email):
            raise EmailTaken(fix="use another email address for this organization's admin")
        organizations.insert_organization(
            uow,
            {
                "id": org_id,
                "code": code,
                "name": org_name.strip() or code,
                "aims_company": code,
                "room_prefix": ROOM_PREFIX,
                "strategy": Strategy.MERGE.value,
                "created_at": now,
            },
        )
        admin_id = runtime.new_id()
        users.insert_user(
            uow,
            {
                "id": admin_id,
                "org_id": org_id,
                "email": email,
                "password_hash": hashed,
                "role": Role.ADMIN.value,
                "is_active": True,
                "must_change_password": False,
                "created_at": now,
            },
        )
        uow.rebind(org_id)
        change = Change(
            uow=uow, scope=Scope(runtime=runtime, actor=system_actor("operator"), org_id=org_id), now=now
        )
        change.record("organization:created", "organization", org_id, after={"code": code})
        change.record("user:created", "user", admin_id, after={"role": Role.ADMIN.value})
        uow.commit()
    return Installed(
        organization=code,
        admin=email,
        database=runtime.database.url.render_as_string(hide_password=True),
        schema=after,
        key_fingerprint=runtime.sealer.fingerprint,
        is_new_database=before is None,
    )
