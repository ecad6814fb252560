"""Organizations: who sees and makes them, and which settings may change."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from electis_cli.db import trail
from electis_cli.db.tables import conference_rooms
from electis_cli.domain.access import Actor, Role
from electis_cli.domain.errors import AlreadyExists, Conflict, InvalidInput, PermissionRefused
from electis_cli.domain.organizations import Strategy
from electis_cli.services import organizations
from electis_cli.services.change import Scope
from electis_cli.services.stores import list_stores

ROOT = Actor(user_id="root", email="root@example.org", role=Role.PLATFORM_ADMIN, org_id=None)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER, Role.VIEWER, Role.SUPPORT])
def test_only_a_platform_admin_creates_an_organization(scope, bench, runtime, role):
    with pytest.raises(PermissionRefused):
        organizations.create_organization(runtime, bench.as_role(scope, role).actor, "FRESH")

    assert [view.code for view in organizations.list_organizations(runtime, ROOT)] == ["ACME"]


def test_a_new_organization_is_empty_and_on_the_trail(scope, runtime):
    view = organizations.create_organization(runtime, ROOT, "FRESH", name="  Fresh   Air ")

    assert (view.code, view.name, view.aims_company, view.room_prefix) == ("FRESH", "Fresh Air", "FRESH", "C")
    with runtime.database.read() as uow:
        actions = uow.execute(sa.select(trail.audit_log.c.action)).scalars().all()
    assert "organization:created" in actions


def test_bad_and_taken_codes_are_refused(scope, runtime):
    for code in ("", "AB", "acme", "A" * 21, "A-B"):
        with pytest.raises(InvalidInput):
            organizations.create_organization(runtime, ROOT, code)
    with pytest.raises(AlreadyExists):
        organizations.create_organization(runtime, ROOT, "ACME")
    organizations.create_organization(runtime, ROOT, "FRESH", dry_run=True)

    assert [view.code for view in organizations.list_organizations(runtime, ROOT)] == ["ACME"]


def test_a_tenant_sees_its_own_organization_and_platform_roles_all(scope, bench, runtime):
    stranger = bench.organization("OTHER")

    assert [view.code for view in organizations.list_organizations(runtime, scope.actor)] == ["ACME"]
    assert [view.code for view in organizations.list_organizations(runtime, stranger.actor)] == ["OTHER"]
    assert [view.code for view in organizations.list_organizations(runtime, ROOT)] == ["ACME", "OTHER"]
    assert organizations.show_organization(scope).code == "ACME"
    assert list_stores(Scope(runtime=runtime, actor=ROOT, org_id=stranger.org_id))[0].code == "001"


def test_settings_change_with_audit_and_event(scope, runtime):
    view = organizations.update_organization(
        scope, name="Acme & Söhne", room_prefix="R", strategy=Strategy.MANUAL
    )

    assert (view.name, view.room_prefix, view.strategy) == ("Acme & Söhne", "R", "manual")
    organizations.update_organization(scope, name="Acme & Söhne")
    with runtime.database.read(scope.org_id) as uow:
        [row] = trail.list_audit(uow, entity="organization")
        [event] = trail.list_events(uow, name="organization:updated")
    assert row["before"] == {"name": "Acme", "room_prefix": "C", "strategy": "merge"}
    assert row["after"] == {"name": "Acme & Söhne", "room_prefix": "R", "strategy": "manual"}
    assert event["payload"]["entity"] == "organization"


def test_the_room_prefix_stays_while_there_are_rooms(scope, runtime, clock):
    store_id = _store_id(scope)
    with runtime.database.write(scope.org_id) as uow:
        uow.execute(
            conference_rooms.insert(),
            {
                "org_id": scope.org_id, "id": "r1", "store_id": store_id, "external_id": "3", "room_name": "Three",
                "has_meeting": False, "participants": [], "version": 1, "created_at": clock(), "updated_at": clock(),
            },
        )  # fmt: skip
        uow.commit()

    with pytest.raises(Conflict) as caught:
        organizations.update_organization(scope, name="New", room_prefix="R")

    assert "R3 instead of C3" in caught.value.why
    assert organizations.show_organization(scope).name == "Acme"
    assert organizations.update_organization(scope, room_prefix="C").room_prefix == "C"


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER, Role.SUPPORT])
def test_only_admins_change_settings(scope, bench, role):
    with pytest.raises(PermissionRefused):
        organizations.update_organization(bench.as_role(scope, role), name="Mine")


@pytest.mark.parametrize("changes", [{"name": "  "}, {"name": "x" * 201}, {"room_prefix": "too long"}])
def test_bad_settings_are_refused(scope, changes):
    with pytest.raises(InvalidInput):
        organizations.update_organization(scope, **changes)


def _store_id(scope):
    from electis_cli.db import stores

    with scope.runtime.database.read(scope.org_id) as uow:
        return stores.list_stores(uow)[0].id
