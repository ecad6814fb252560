"""Stores: create, list, show, update, and when they may be deleted."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from electis_cli.db import alerts, leases, trail
from electis_cli.db import stores as store_rows
from electis_cli.db.tables import TENANT_TABLES, articles
from electis_cli.domain.access import Role
from electis_cli.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    LockHeld,
    PermissionRefused,
    StoreNotEmpty,
    StoreNotFound,
)
from electis_cli.services import people, spaces, stores, users

KEPT = {"events", "audit_log", "outgoing_mail", "alerts"}


def store_id_of(scope, code="001"):
    with scope.runtime.database.read(scope.org_id) as uow:
        return store_rows.find_store(uow, code=code).id


def fill(scope):
    spaces.create_space(scope, "4-1", data={})
    people.create_person(scope, "P1", data={"ITEM_NAME": "Dana"}, space="4-1")


def pretend(scope, **columns):
    """Give every article of the store columns, as the pusher would."""
    with scope.runtime.database.write(scope.org_id) as uow:
        uow.execute(articles.update().where(articles.c.org_id == scope.org_id).values(**columns))
        uow.commit()


def test_a_store_is_created_with_its_leading_zeros(scope, runtime):
    view = stores.create_store(
        scope, "007", name="Main  building", timezone="Asia/Jerusalem", full_sync_minutes=30
    )

    assert (view.code, view.name, view.timezone, view.full_sync_minutes) == (
        "007", "Main building", "Asia/Jerusalem", 30,
    )  # fmt: skip
    assert [one.code for one in stores.list_stores(scope)] == ["001", "007"]
    with runtime.database.read(scope.org_id) as uow:
        [row] = trail.list_audit(uow, entity="store")
        assert len(trail.list_events(uow, name="store:created")) == 1
    assert row["after"]["timezone"] == "Asia/Jerusalem"


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("", {}),
        ("0 1", {}),
        ("master", {}),
        ("002", {"timezone": "Mars/Olympus"}),
        ("002", {"full_sync_minutes": 0}),
        ("002", {"full_sync_minutes": 10081}),
        ("002", {"name": "  "}),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(scope, code, options):
    with pytest.raises(InvalidInput):
        stores.create_store(scope, code, **options)
    assert len(stores.list_stores(scope)) == 1


def test_a_taken_code_is_a_conflict_within_one_organization_only(scope, bench):
    with pytest.raises(AlreadyExists):
        stores.create_store(scope, "001")
    assert stores.create_store(bench.organization("OTHER", store_codes=()), "001").code == "001"


def test_counts_and_settings_are_shown(scope):
    fill(scope)

    view = stores.show_store(scope, "001")

    assert (view.spaces, view.people, view.conference_rooms, view.paused) == (1, 1, 0, False)


def test_settings_change_and_are_recorded_once(scope, runtime):
    changed = stores.update_store(scope, "001", sync_enabled=False, timezone="Europe/Berlin")

    assert (changed.sync_enabled, changed.timezone, changed.name) == (False, "Europe/Berlin", "Store 001")
    stores.update_store(scope, "001", sync_enabled=False)
    assert stores.update_store(scope, "001", sync_enabled=True, dry_run=True).sync_enabled
    assert not stores.show_store(scope, "001").sync_enabled
    with runtime.database.read(scope.org_id) as uow:
        [row] = trail.list_audit(uow, entity="store")
    assert row["before"] == {"sync_enabled": True, "timezone": "UTC"}


def test_an_empty_store_is_deleted(scope):
    stores.create_store(scope, "002")

    stores.delete_store(scope, "002", dry_run=True)
    assert stores.delete_store(scope, "002").code == "002"

    assert [view.code for view in stores.list_stores(scope)] == ["001"]


def test_a_store_with_facts_is_deleted_only_with_force_and_then_completely(scope, runtime, clock):
    fill(scope)
    store_id = store_id_of(scope)
    with runtime.database.write(scope.org_id) as uow:
        alert = alerts.raise_alert(
            uow, alert_id="a1", cause="dead", text="dead", store_id=store_id, now=clock()
        )
        alerts.insert_dead_letter(
            uow,
            {
                "id": "d1", "store_id": store_id, "kind": "article", "subject": "4-1", "alert_id": alert,
                "error_class": "x", "error_text": "x", "attempts": 1, "at": clock(),
            },
        )  # fmt: skip
        leases.take_lease(uow, f"push:{store_id}", "somebody", seconds=1)
        uow.commit()
    with pytest.raises(StoreNotEmpty):
        stores.delete_store(scope, "001")

    gone = stores.delete_store(scope, "001", force=True)

    assert (gone.spaces, gone.people) == (1, 1)
    with runtime.database.read(scope.org_id) as uow:
        left = {
            table.name: uow.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in TENANT_TABLES
            if table.name not in KEPT
        }
        [alert] = alerts.list_alerts(uow, open_only=False)
        [deleted] = [row for row in trail.list_audit(uow) if row["action"] == "store:deleted"]
    assert not any(left.values()), left
    assert alert["closed_at"] == clock.now
    assert deleted["before"]["spaces"] == 1


def test_what_aims_holds_is_not_abandoned_by_mistake(scope):
    """With sync on and articles at AIMS even --force refuses; switched off, it is meant."""
    fill(scope)
    pretend(scope, base_hash="abc")

    with pytest.raises(Conflict) as caught:
        stores.delete_store(scope, "001", force=True)

    assert "--no-sync-enabled" in caught.value.fix
    stores.update_store(scope, "001", sync_enabled=False)
    assert stores.delete_store(scope, "001", force=True).spaces == 1


def test_articles_that_aims_agreed_are_gone_do_not_hold_the_store(scope):
    fill(scope)
    pretend(scope, base_hash="-")

    assert stores.delete_store(scope, "001", force=True)


def test_a_store_is_not_deleted_under_a_call_in_flight(scope):
    fill(scope)
    pretend(scope, inflight_version=1)
    stores.update_store(scope, "001", sync_enabled=False)

    with pytest.raises(LockHeld):
        stores.delete_store(scope, "001", force=True)


def test_a_store_that_limits_users_is_not_deleted(scope):
    """They would see every store without it."""
    users.create_user(scope, "dana@acme.example", role=Role.VIEWER, store="001")

    with pytest.raises(Conflict) as caught:
        stores.delete_store(scope, "001", force=True)

    assert "--all-stores" in caught.value.fix


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER, Role.SUPPORT])
def test_only_admins_change_stores(scope, bench, role):
    other = bench.as_role(scope, role)
    for attempt in (
        lambda: stores.create_store(other, "002"),
        lambda: stores.update_store(other, "001", name="Mine"),
        lambda: stores.delete_store(other, "001"),
    ):
        with pytest.raises(PermissionRefused):
            attempt()
    assert stores.list_stores(other)[0].name == "Store 001"


def test_somebody_limited_to_a_store_sees_that_one(bench):
    scope = bench.organization("ACME", store_codes=("001", "002"))
    limited = bench.as_role(scope, Role.MANAGER, store="002")

    assert [view.code for view in stores.list_stores(limited)] == ["002"]
    with pytest.raises(StoreNotFound):
        stores.show_store(limited, "001")


def test_another_organizations_stores_are_not_found(scope, bench):
    """Flow 7: never "forbidden"."""
    stranger = bench.organization("OTHER", store_codes=("777",))

    for attempt in (
        lambda: stores.show_store(stranger, "001"),
        lambda: stores.update_store(stranger, "001", name="Mine"),
        lambda: stores.delete_store(stranger, "001", force=True),
    ):
        with pytest.raises(StoreNotFound):
            attempt()
    assert [view.code for view in stores.list_stores(stranger)] == ["777"]
    assert stores.show_store(scope, "001").name == "Store 001"
