"""Flow 2.1: spaces and their articles."""

from __future__ import annotations

import pytest

from electis_cli.db import ledger, stores, trail
from electis_cli.domain.access import Role
from electis_cli.domain.errors import (
    AlreadyExists,
    ArticleIdTaken,
    InvalidInput,
    PermissionRefused,
    SpaceNotFound,
    SpaceOccupied,
    StoreNotFound,
    UnknownColumn,
    UsageProblem,
)
from electis_cli.services import conferences, people, spaces


def ledger_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return ledger.all_rows(uow, stores.list_stores(uow)[0].id)


def audit_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [(row["action"], row["entity_id"]) for row in trail.list_audit(uow)]


def test_a_created_space_is_pending_with_audit_and_event(scope):
    view = spaces.create_space(scope, " 4-117 ", data={"TITLE": " Desk ", "PHONE": ""})

    assert (view.external_id, view.data, view.status, view.version) == (
        "4-117",
        {"TITLE": "Desk"},
        "pending",
        1,
    )
    assert ledger_of(scope)["4-117"].is_dirty
    assert audit_of(scope) == [("space:created", "4-117")]
    with scope.runtime.database.read(scope.org_id) as uow:
        (event,) = trail.list_events(uow)
    assert (event["name"], event["payload"]) == ("space:created", {"entity": "space", "id": "4-117"})


@pytest.mark.parametrize(
    ("external_id", "data", "error"),
    [
        ("", {}, InvalidInput),
        ("a,b", {}, InvalidInput),
        ("x" * 51, {}, InvalidInput),
        ("4-2", {"COLOR": "red"}, UnknownColumn),
        ("4-2", {"ARTICLE_ID": "4-3"}, InvalidInput),
        ("4-1", {}, AlreadyExists),
        ("C3", {}, ArticleIdTaken),
    ],
)
def test_what_can_not_be_created_leaves_nothing_behind(scope, external_id, data, error):
    spaces.create_space(scope, "4-1", data={})
    conferences.create_room(scope, "3")
    before = (ledger_of(scope), audit_of(scope))

    with pytest.raises(error):
        spaces.create_space(scope, external_id, data=data)

    assert (ledger_of(scope), audit_of(scope)) == before


def test_an_update_that_changes_nothing_bumps_nothing(scope):
    spaces.create_space(scope, "4-1", data={"TITLE": "Desk"})
    before = ledger_of(scope)

    assert spaces.update_space(scope, "4-1", data={"TITLE": " Desk", "PHONE": ""}).version == 1
    assert ledger_of(scope) == before

    changed = spaces.update_space(scope, "4-1", data={"TITLE": "", "PHONE": "03"})
    assert (changed.data, changed.version) == ({"PHONE": "03"}, 2)
    assert ledger_of(scope)["4-1"].desired_version == 2


def test_a_dry_run_shows_the_result_and_changes_nothing(scope):
    assert spaces.create_space(scope, "4-1", data={}, dry_run=True).external_id == "4-1"

    assert spaces.list_spaces(scope) == []
    assert ledger_of(scope) == {}
    assert audit_of(scope) == []


def test_an_occupied_space_is_deleted_only_with_its_person_unassigned(scope):
    spaces.create_space(scope, "4-1", data={})
    people.create_person(scope, "P1", data={}, space="4-1")

    with pytest.raises(SpaceOccupied):
        spaces.delete_space(scope, "4-1")
    assert people.show_person(scope, "P1").space == "4-1"

    assert spaces.delete_space(scope, "4-1", unassign_person=True).person == "P1"
    assert people.show_person(scope, "P1").space is None
    assert ledger_of(scope)["4-1"].desired_deleted
    with pytest.raises(SpaceNotFound):
        spaces.show_space(scope, "4-1")


def test_a_deleted_space_can_be_created_again(scope):
    spaces.create_space(scope, "4-1", data={})
    spaces.delete_space(scope, "4-1")
    spaces.create_space(scope, "4-1", data={})

    row = ledger_of(scope)["4-1"]
    assert (row.desired_deleted, row.desired_version) == (False, 3)


def test_which_store_is_meant(bench):
    scope = bench.organization(store_codes=("001", "002"))
    with pytest.raises(UsageProblem):
        spaces.create_space(scope, "4-1", data={})
    with pytest.raises(StoreNotFound):
        spaces.create_space(scope, "4-1", data={}, store="003")
    for store in ("001", "002"):
        spaces.create_space(scope, "4-1", data={}, store=store)

    assert [(view.store, view.external_id) for view in spaces.list_spaces(scope)] == [
        ("001", "4-1"),
        ("002", "4-1"),
    ]
    assert len(spaces.list_spaces(scope, limit=1)) == 1
    assert len(spaces.list_spaces(scope, store="002")) == 1


def test_a_manager_of_one_store_sees_and_changes_no_other(bench):
    scope = bench.organization(store_codes=("001", "002"))
    spaces.create_space(scope, "4-1", data={}, store="002")
    manager = bench.as_role(scope, Role.MANAGER, store="001")

    assert spaces.create_space(manager, "4-2", data={}).store == "001"
    assert [view.external_id for view in spaces.list_spaces(manager)] == ["4-2"]
    for attempt in (
        lambda: spaces.show_space(manager, "4-1"),
        lambda: spaces.update_space(manager, "4-1", data={}),
        lambda: spaces.delete_space(manager, "4-1"),
    ):
        with pytest.raises(SpaceNotFound):
            attempt()
    with pytest.raises(StoreNotFound):
        spaces.list_spaces(manager, store="002")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT])
def test_who_may_only_read_changes_nothing(bench, scope, role):
    spaces.create_space(scope, "4-1", data={})
    reader = bench.as_role(scope, role)

    assert spaces.show_space(reader, "4-1").external_id == "4-1"
    for attempt in (
        lambda: spaces.create_space(reader, "4-2", data={}),
        lambda: spaces.update_space(reader, "4-1", data={"TITLE": "x"}),
        lambda: spaces.delete_space(reader, "4-1"),
    ):
        with pytest.raises(PermissionRefused):
            attempt()


def test_organizations_do_not_see_each_other(bench):
    acme, other = bench.organization(), bench.organization("OTHER")
    spaces.create_space(acme, "4-1", data={})

    assert spaces.list_spaces(other) == []
    with pytest.raises(SpaceNotFound):
        spaces.show_space(other, "4-1")
    with pytest.raises(SpaceNotFound):
        spaces.delete_space(other, "4-1")
