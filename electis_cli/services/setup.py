"""`init` and `db`: the schema, the master key's fingerprint, an organization and its first admin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from electis_cli.adapters.password_hashing import hash_password
from electis_cli.db import organizations, schema, users
from electis_cli.db.engine import Database
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.access import Role, system_actor
from electis_cli.domain.errors import AlreadyExists, DatabaseMissing, EmailTaken, MasterKeyProblem
from electis_cli.domain.organizations import check_email, check_organization_code
from electis_cli.domain.passwords import require_strong
from electis_cli.services.change import Change, Scope
from electis_cli.services.organizations import check_organization_name, new_organization
from electis_cli.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What `init` made."""

    organization: str | None
    admin: str
    database: str
    schema: str
    key_fingerprint: str
    is_new_database: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaView:
    """The schema a database has, and the one this program works with."""

    database: str
    revision: str | None
    newest: str
    is_current: bool


def initialize(
    runtime: Runtime, *, org_code: str, org_name: str, admin_email: str, admin_password: str
) -> Installed:
    """Bring the schema up to date and create an organization with its admin; on a live database it adds them.

    Nothing but the schema is written when anything is wrong. Raises InvalidInput, WeakPassword, AlreadyExists,
    EmailTaken.
    """
    code = check_organization_code(org_code)
    name = check_organization_name(org_name or code)
    email = check_email(admin_email)
    require_strong(admin_password, email=email)
    hashed = hash_password(admin_password)
    before, after = schema.upgrade(runtime.database)
    org_id, admin_id = runtime.new_id(), runtime.new_id()
    with runtime.database.write() as uow:
        now = runtime.clock()
        _keep_fingerprint(runtime, uow)
        if organizations.find_organization(uow, code=code) is not None:
            raise AlreadyExists(
                f"The organization {code} exists already.", fix="electis login EMAIL, or choose another code"
            )
        if users.is_email_taken(uow, email):
            raise EmailTaken(fix="use another email address for this organization's admin")
        organizations.insert_organization(uow, new_organization(org_id, code, name, now))
        users.insert_user(uow, _new_admin(runtime, admin_id, org_id, email, hashed))
        uow.rebind(org_id)
        change = Change(
            uow=uow, scope=Scope(runtime=runtime, actor=system_actor("operator"), org_id=org_id), now=now
        )
        change.record("organization:created", "organization", org_id, after={"code": code})
        change.record("user:created", "user", admin_id, after={"role": Role.ADMIN.value})
        uow.commit()
    return _installed(runtime, code, email, before, after)


def create_platform_admin(runtime: Runtime, *, email: str, password: str) -> Installed:
    """Bring the schema up to date and create an admin of all organizations, who belongs to none.

    Raises InvalidInput, WeakPassword, EmailTaken.
    """
    address = check_email(email)
    require_strong(password, email=address)
    hashed = hash_password(password)
    before, after = schema.upgrade(runtime.database)
    with runtime.database.write() as uow:
        _keep_fingerprint(runtime, uow)
        if users.is_email_taken(uow, address):
            raise EmailTaken(fix="use another email address for the platform admin")
        users.insert_user(uow, _new_admin(runtime, runtime.new_id(), None, address, hashed))
        uow.commit()
    return _installed(runtime, None, address, before, after)


def schema_state(database: Database) -> SchemaView:
    """Return where a database's schema stands. Raises DatabaseMissing, DatabaseUnavailable."""
    revision = schema.current_revision(database)
    return _schema_view(database, revision)


def check_schema(database: Database) -> SchemaView:
    """Return where the schema stands; raises DatabaseMissing or SchemaTooOld unless it can be worked with."""
    schema.require_current(database)
    return schema_state(database)


def upgrade_schema(database: Database) -> SchemaView:
    """Bring the schema of a live database up to date. Raises DatabaseMissing when `init` has not run yet."""
    if schema.current_revision(database) is None:
        raise DatabaseMissing
    return _schema_view(database, schema.upgrade(database)[1])


def _keep_fingerprint(runtime: Runtime, uow: UnitOfWork) -> None:
    """Remember the master key's fingerprint; of two inits at once with different keys, the second is refused."""
    organizations.set_key_fingerprint(uow, runtime.sealer.fingerprint, runtime.clock())
    if organizations.key_fingerprint(uow) != runtime.sealer.fingerprint:
        raise MasterKeyProblem(fix="set ELECTIS_SECRET_KEY_FILE to the key this database was made with")


def _new_admin(runtime: Runtime, user_id: str, org_id: str | None, email: str, hashed: str) -> dict[str, Any]:
    return {
        "id": user_id,
        "org_id": org_id,
        "email": email,
        "password_hash": hashed,
        "role": (Role.ADMIN if org_id else Role.PLATFORM_ADMIN).value,
        "is_active": True,
        "must_change_password": False,
        "created_at": runtime.clock(),
    }


def _installed(runtime: Runtime, code: str | None, email: str, before: str | None, after: str) -> Installed:
    return Installed(
        organization=code,
        admin=email,
        database=_address(runtime.database),
        schema=after,
        key_fingerprint=runtime.sealer.fingerprint,
        is_new_database=before is None,
    )


def _schema_view(database: Database, revision: str | None) -> SchemaView:
    newest = schema.newest_revision()
    return SchemaView(
        database=_address(database), revision=revision, newest=newest, is_current=revision == newest
    )


def _address(database: Database) -> str:
    return database.url.render_as_string(hide_password=True)
