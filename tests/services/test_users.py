"""Flow 5.1 and what else an admin does with users."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from electis_cli.db import trail
from electis_cli.db import users as user_rows
from electis_cli.domain.access import Role
from electis_cli.domain.errors import (
    Conflict,
    EmailTaken,
    InvalidInput,
    LastAdmin,
    PermissionRefused,
    SessionRevoked,
    StoreNotFound,
    UserNotFound,
)
from electis_cli.services import auth, users
from electis_cli.services.runtime import Tuning
from electis_cli.services.secrets import open_mail_body
from tests.world.planted import PASSWORD

ADMIN = "admin@acme.example"


def mails_of(scope):
    """The outbox with its bodies opened."""
    with scope.runtime.database.write(scope.org_id) as uow:
        found = [trail.find_mail(uow, row["id"]) for row in trail.list_mail(uow)]
    sealer = scope.runtime.sealer
    return [
        {**mail, "body": open_mail_body(sealer, mail["id"], mail["body"]) if mail["body"] else None}
        for mail in found
    ]


def actions_of(scope, entity="user"):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [row["action"] for row in trail.list_audit(uow, entity=entity)]


def test_creating_a_user_makes_a_temporary_password_trail_and_welcome_mail(scope, runtime):
    """Flow 5.1, all right and no mail server: the password is in the answer, and the mail waits."""
    view = users.create_user(
        scope, " Dana@Acme.Example ", role=Role.MANAGER, store="001", first_name=" Dana ", last_name="Levi"
    )

    assert view.email == "dana@acme.example"
    assert (view.role, view.store, view.first_name, view.last_name) == ("manager", "001", "Dana", "Levi")
    assert view.must_change_password
    assert auth.log_in(runtime, view.email, view.temporary_password).user.must_change_password
    [mail] = mails_of(scope)
    assert (mail["kind"], mail["recipient"], mail["state"]) == ("welcome", view.email, "waiting")
    assert view.temporary_password in mail["body"]
    assert "electis login dana@acme.example" in mail["body"]
    with runtime.database.read(scope.org_id) as uow:
        [row] = [row for row in trail.list_audit(uow) if row["action"] == "user:created"]
        [event] = trail.list_events(uow, name="user:created")
        user = user_rows.find_user(uow, email=view.email)
    assert row["actor_id"] == scope.actor.user_id
    assert row["after"] == {"role": "manager", "store": "001"}
    assert event["payload"] == {"entity": "user", "id": user.id}


def test_with_a_mail_server_only_the_mail_carries_the_password(scope, runtime, make_runtime):
    """Flow 5.1, with mail."""
    mailing = make_runtime(runtime.database, tuning=Tuning(mail_url="smtp://127.0.0.1:1"))

    view = users.create_user(replace(scope, runtime=mailing), "dana@acme.example", role=Role.VIEWER)

    assert view.temporary_password is None
    assert "temporary password" in mails_of(scope)[0]["body"]


def test_a_taken_email_is_a_conflict_in_every_organization(scope, bench):
    """Flow 5.1, taken."""
    stranger = bench.organization("OTHER")

    for asking in (scope, stranger):
        with pytest.raises(EmailTaken):
            users.create_user(asking, ADMIN.upper(), role=Role.VIEWER)

    assert mails_of(scope) == mails_of(stranger) == []
    assert [view.email for view in users.list_users(stranger)] == ["admin@other.example"]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER, Role.SUPPORT])
def test_only_admins_manage_users(scope, bench, role):
    """Flow 5.1, not an admin."""
    other = bench.as_role(scope, role)

    for attempt in (
        lambda: users.create_user(other, "dana@acme.example", role=Role.VIEWER),
        lambda: users.update_user(other, ADMIN, role=Role.VIEWER),
        lambda: users.deactivate_user(other, ADMIN),
        lambda: users.activate_user(other, ADMIN),
        lambda: users.unlock_user(other, ADMIN),
        lambda: users.reset_password(other, ADMIN),
    ):
        with pytest.raises(PermissionRefused):
            attempt()
    assert actions_of(scope) == []


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER])
def test_the_list_of_users_is_not_for_everybody(scope, bench, role):
    with pytest.raises(PermissionRefused):
        users.list_users(bench.as_role(scope, role))
    assert len(users.list_users(bench.as_role(scope, Role.SUPPORT))) == 1


@pytest.mark.parametrize("email", ["", "dana", "dana@acme", "a b@acme.example", "a@b@acme.example"])
def test_a_wrong_email_is_refused(scope, email):
    with pytest.raises(InvalidInput):
        users.create_user(scope, email, role=Role.VIEWER)


def test_roles_and_stores_that_do_not_fit_are_refused(scope):
    for role, store, problem in (
        (Role.ADMIN, "001", InvalidInput),
        (Role.PLATFORM_ADMIN, None, InvalidInput),
        (Role.VIEWER, "009", StoreNotFound),
    ):
        with pytest.raises(problem):
            users.create_user(scope, "dana@acme.example", role=role, store=store)
    assert len(users.list_users(scope)) == 1


def test_a_dry_run_creates_nobody_and_tells_no_password(scope):
    view = users.create_user(scope, "dana@acme.example", role=Role.VIEWER, dry_run=True)

    assert view.email == "dana@acme.example"
    assert view.temporary_password is None
    assert mails_of(scope) == []
    assert len(users.list_users(scope)) == 1


def test_updating_changes_what_is_named_and_records_no_names(scope, runtime):
    users.create_user(scope, "dana@acme.example", role=Role.VIEWER, first_name="Dana")

    users.update_user(scope, "dana@acme.example", last_name="Levi")
    view = users.update_user(scope, "DANA@acme.example", role=Role.MANAGER, store="001")

    assert (view.role, view.store, view.first_name, view.last_name) == ("manager", "001", "Dana", "Levi")
    assert users.update_user(scope, "dana@acme.example", all_stores=True, first_name="").store is None
    assert users.show_user(scope, "dana@acme.example").first_name is None
    assert actions_of(scope) == ["user:created", *["user:updated"] * 3]
    users.update_user(scope, "dana@acme.example", role=Role.MANAGER)
    assert len(actions_of(scope)) == 4, "nothing changed, so nothing is recorded"


def test_somebody_limited_to_a_store_does_not_become_admin_by_the_way(scope):
    users.create_user(scope, "dana@acme.example", role=Role.VIEWER, store="001")

    with pytest.raises(InvalidInput):
        users.update_user(scope, "dana@acme.example", role=Role.ADMIN)

    assert users.update_user(scope, "dana@acme.example", role=Role.ADMIN, all_stores=True).role == "admin"


def test_the_last_active_admin_stays(scope):
    users.create_user(scope, "second@acme.example", role=Role.ADMIN)
    users.deactivate_user(scope, "second@acme.example")

    with pytest.raises(LastAdmin):
        users.deactivate_user(scope, ADMIN)
    with pytest.raises(LastAdmin):
        users.update_user(scope, ADMIN, role=Role.MANAGER)

    users.activate_user(scope, "second@acme.example")
    assert users.update_user(scope, ADMIN, role=Role.MANAGER).role == "manager"


@pytest.mark.parametrize("rival", ["demote", "deactivate"])
def test_two_admins_who_remove_each_other_at_once_leave_one(scope, make_runtime, open_database, rival):
    users.create_user(scope, "second@acme.example", role=Role.ADMIN)
    barrier = Barrier(2)

    def remove(email):
        mine = replace(scope, runtime=make_runtime(open_database()))
        with mine.runtime.database.read(scope.org_id) as uow:
            user_rows.list_users(uow)
        barrier.wait()
        try:
            if rival == "demote":
                users.update_user(mine, email, role=Role.VIEWER)
            else:
                users.deactivate_user(mine, email)
        except Conflict as error:
            return type(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(remove, [ADMIN, "second@acme.example"]))

    assert sorted(outcomes, key=str) == [LastAdmin, None] or sorted(outcomes, key=str) == [None, LastAdmin]
    active = [view for view in users.list_users(scope) if view.role == "admin" and view.is_active]
    assert len(active) == 1


def test_a_deactivated_user_is_out_at_once(scope, runtime):
    made = users.create_user(scope, "dana@acme.example", role=Role.VIEWER)
    login = auth.log_in(runtime, made.email, made.temporary_password)

    assert not users.deactivate_user(scope, made.email).is_active

    with pytest.raises(SessionRevoked):
        auth.authenticate(runtime, login.access_token)
    with pytest.raises(SessionRevoked):
        auth.refresh(runtime, login.refresh_token)
    users.deactivate_user(scope, made.email)
    users.activate_user(scope, made.email)
    assert actions_of(scope).count("user:deactivated") == 1
    assert auth.log_in(runtime, made.email, made.temporary_password)


def test_a_reset_gives_a_new_temporary_password_and_ends_the_sessions(scope, runtime):
    made = users.create_user(scope, "dana@acme.example", role=Role.VIEWER)
    login = auth.log_in(runtime, made.email, made.temporary_password)

    reset = users.reset_password(scope, made.email)

    assert reset.temporary_password not in {None, made.temporary_password}
    with pytest.raises(SessionRevoked):
        auth.authenticate(runtime, login.access_token)
    assert auth.log_in(runtime, made.email, reset.temporary_password).user.must_change_password
    new, old = mails_of(scope)
    assert (new["kind"], new["state"]) == ("password-reset", "waiting")
    assert (old["state"], old["body"]) == ("superseded", None), "two mails, one of them wrong, help nobody"


def test_another_organizations_users_are_not_found(scope, bench):
    """Flow 7: never "forbidden"."""
    stranger = bench.organization("OTHER")

    for attempt in (
        lambda: users.show_user(stranger, ADMIN),
        lambda: users.update_user(stranger, ADMIN, role=Role.VIEWER),
        lambda: users.deactivate_user(stranger, ADMIN),
        lambda: users.activate_user(stranger, ADMIN),
        lambda: users.unlock_user(stranger, ADMIN),
        lambda: users.reset_password(stranger, ADMIN),
    ):
        with pytest.raises(UserNotFound):
            attempt()
    assert auth.log_in(scope.runtime, ADMIN, PASSWORD)
