"""`init` below the command line, and the schema's version."""

from __future__ import annotations

import pytest

from electis_cli.adapters.sealing import Sealer
from electis_cli.db import organizations as organization_rows
from electis_cli.db import schema, trail
from electis_cli.db import users as user_rows
from electis_cli.db.engine import Database
from electis_cli.domain.access import Role
from electis_cli.domain.errors import (
    AlreadyExists,
    DatabaseMissing,
    EmailTaken,
    InvalidInput,
    MasterKeyProblem,
    WeakPassword,
)
from electis_cli.services import auth, organizations, setup
from tests.world.planted import PASSWORD


def initialize(runtime, code="ACME", email="admin@acme.example", password=PASSWORD, name="Acme"):
    return setup.initialize(runtime, org_code=code, org_name=name, admin_email=email, admin_password=password)


def count(runtime):
    with runtime.database.read() as uow:
        return len(organization_rows.list_organizations(uow)), len(user_rows.list_users(uow))


def test_an_organization_comes_with_an_admin_and_its_trail(runtime):
    made = initialize(runtime)

    assert (made.organization, made.admin, made.is_new_database) == ("ACME", "admin@acme.example", False)
    login = auth.log_in(runtime, made.admin, PASSWORD)
    assert login.user.role is Role.ADMIN
    with runtime.database.read(login.user.org_id) as uow:
        rows = trail.list_audit(uow)
    assert [row["action"] for row in rows] == ["organization:created", "user:created", "user:logged_in"]
    assert rows[0]["source"] == "operator"


def test_a_second_organization_joins_the_first(runtime):
    initialize(runtime)

    initialize(runtime, "OTHER", "admin@other.example")

    assert count(runtime) == (2, 2)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, AlreadyExists),
        ({"code": "OTHER"}, EmailTaken),
        ({"code": "OTHER", "email": "nobody"}, InvalidInput),
        ({"code": "other", "email": "admin@other.example"}, InvalidInput),
        ({"code": "OTHER", "email": "admin@other.example", "password": "short"}, WeakPassword),
    ],
)
def test_whatever_is_wrong_changes_nothing(runtime, changes, problem):
    initialize(runtime)

    with pytest.raises(problem):
        initialize(runtime, **changes)

    assert count(runtime) == (1, 1)


def test_another_key_is_refused_even_when_two_inits_race(runtime, make_runtime):
    initialize(runtime)
    stranger = make_runtime(runtime.database, sealer=Sealer(bytes(32)))

    with pytest.raises(MasterKeyProblem):
        initialize(stranger, "OTHER", "admin@other.example")

    assert count(runtime) == (1, 1)


def test_a_platform_admin_belongs_to_no_organization_and_sees_all(runtime):
    setup.create_platform_admin(runtime, email="Boss@Example.org", password=PASSWORD)
    initialize(runtime)

    user = auth.log_in(runtime, "boss@example.org", PASSWORD).user

    assert (user.role, user.org_id) == (Role.PLATFORM_ADMIN, None)
    actor = auth.actor_of(user, source="test")
    assert [view.code for view in organizations.list_organizations(runtime, actor)] == ["ACME"]
    with pytest.raises(EmailTaken):
        setup.create_platform_admin(runtime, email="boss@example.org", password=PASSWORD)
    assert auth.change_password(runtime, user, PASSWORD, "better battery 10") == 1


def test_the_schema_of_a_live_database_is_current(database):
    assert setup.check_schema(database).is_current
    assert setup.schema_state(database).revision == schema.newest_revision()
    assert setup.upgrade_schema(database).is_current


def test_a_database_that_init_has_not_seen_is_not_upgraded(tmp_path):
    """Otherwise there would be a schema and no master key for it."""
    database = Database(f"sqlite:///{tmp_path / 'none.db'}")

    for attempt in (setup.upgrade_schema, setup.check_schema, setup.schema_state):
        with pytest.raises(DatabaseMissing):
            attempt(database)
    assert list(tmp_path.iterdir()) == []
    database.close()
