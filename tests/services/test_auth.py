"""Flows 1.1, 1.2 and 5.2: logging in, staying logged in, changing the password."""

from __future__ import annotations

import json
import stat

import pytest
import sqlalchemy as sa

from electis_cli.adapters.access_tokens import hash_token
from electis_cli.adapters.session_store import SessionStore, StoredSession
from electis_cli.db import alerts, sessions, trail, users
from electis_cli.db.tables import audit_log, events, outgoing_mail, refresh_tokens
from electis_cli.db.tables import sessions as login_sessions
from electis_cli.domain.access import Role
from electis_cli.domain.errors import (
    AccountInactive,
    NotAuthenticated,
    NotFound,
    OrganizationNotFound,
    PasswordMustChange,
    SessionExpired,
    SessionRevoked,
    SessionUnknown,
    WeakPassword,
    WrongCredentials,
)
from electis_cli.services import auth
from electis_cli.services import users as user_services
from electis_cli.services.housekeeping import keep_house
from electis_cli.services.sessions import describe_login, list_sessions, revoke_sessions
from tests.world.planted import PASSWORD

EMAIL = "admin@acme.example"
NEW_PASSWORD = "better battery 10"


def change(runtime, old, new):
    user = auth.authenticate(runtime, auth.log_in(runtime, EMAIL, PASSWORD).access_token)
    return auth.change_password(runtime, user, old, new)


def trail_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [row["action"] for row in trail.list_audit(uow)], [
            row["name"] for row in trail.list_events(uow)
        ]


@pytest.fixture
def machine(tmp_path):
    """Where one machine keeps its login."""
    return SessionStore(tmp_path / "state", account="test", use_keyring=False)


def keep(machine, login):
    return machine.save(
        StoredSession(
            access_token=login.access_token, refresh_token=login.refresh_token, email=login.user.email
        )
    )


# --- flow 1.1 ---------------------------------------------------------------------------------------------------------


def test_logging_in_stores_hashes_sets_last_login_and_writes_the_trail(scope, runtime, clock):
    """Flow 1.1, the right password."""
    login = auth.log_in(runtime, f" {EMAIL.upper()} ", PASSWORD)

    with runtime.database.write() as uow:
        token = sessions.find_refresh_token(uow, hash_token(login.refresh_token))
        user = users.find_user(uow, email=EMAIL)
        session = sessions.find_session(uow, access_hash=hash_token(login.access_token))
    assert token["session_id"] == session["id"]
    assert user.last_login_at == clock.now
    actions, names = trail_of(scope)
    assert actions == ["user:logged_in"]
    assert names == ["user:logged_in"]
    assert auth.authenticate(runtime, login.access_token).id == user.id


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(scope, runtime):
    """Flow 1.1, everything else: nobody learns who has an account."""
    answers = []
    for email, password in ((EMAIL, "wrong password 1"), ("nobody@acme.example", PASSWORD)):
        with pytest.raises(WrongCredentials) as caught:
            auth.log_in(runtime, email, password)
        answers.append((caught.value.message, caught.value.why, caught.value.fix, caught.value.code))
    assert answers[0] == answers[1]


def test_an_inactive_user_is_refused_only_after_the_right_password(scope, runtime):
    with runtime.database.write() as uow:
        users.update_user(uow, scope.actor.user_id, {"is_active": False})
        uow.commit()

    with pytest.raises(AccountInactive):
        auth.log_in(runtime, EMAIL, PASSWORD)
    with pytest.raises(WrongCredentials):
        auth.log_in(runtime, EMAIL, "wrong password 1")


# --- flow 1.2 ---------------------------------------------------------------------------------------------------------


def test_a_refresh_gives_a_new_pair_and_ends_the_old_one(scope, runtime):
    """Flow 1.2, valid."""
    first = auth.log_in(runtime, EMAIL, PASSWORD)

    second = auth.refresh(runtime, first.refresh_token)

    assert second.refresh_token != first.refresh_token
    assert auth.authenticate(runtime, second.access_token).email == EMAIL
    with pytest.raises(SessionUnknown):
        auth.authenticate(runtime, first.access_token)


def test_an_unknown_refresh_token_is_not_valid(scope, runtime):
    """Flow 1.2, not found."""
    with pytest.raises(SessionUnknown):
        auth.refresh(runtime, "elr_made-up")


def test_an_expired_refresh_token_is_told_apart(scope, runtime, clock):
    """Flow 1.2, expired."""
    login = auth.log_in(runtime, EMAIL, PASSWORD)
    clock.advance(runtime.tuning.refresh_token_seconds)

    with pytest.raises(SessionExpired):
        auth.refresh(runtime, login.refresh_token)


def test_a_revoked_refresh_token_is_told_apart(scope, runtime, machine):
    """Flow 1.2, revoked: here by logging out."""
    login = auth.log_in(runtime, EMAIL, PASSWORD)
    keep(machine, login)
    assert auth.log_out(runtime, machine)

    with pytest.raises(SessionRevoked):
        auth.refresh(runtime, login.refresh_token)
    with pytest.raises(SessionRevoked):
        auth.authenticate(runtime, login.access_token)


def test_a_refresh_token_used_twice_ends_its_family_with_audit_and_alert(scope, runtime):
    """Flow 1.2, reuse: whoever has the copy, both are out, and the admins learn of it."""
    first = auth.log_in(runtime, EMAIL, PASSWORD)
    second = auth.refresh(runtime, first.refresh_token)
    other = auth.log_in(runtime, EMAIL, PASSWORD)

    with pytest.raises(SessionRevoked):
        auth.refresh(runtime, first.refresh_token)

    with pytest.raises(SessionRevoked):
        auth.refresh(runtime, second.refresh_token)
    with pytest.raises(SessionRevoked):
        auth.authenticate(runtime, second.access_token)
    assert auth.authenticate(runtime, other.access_token), "another login of the same user goes on"
    with runtime.database.read(scope.org_id) as uow:
        [alert] = alerts.list_alerts(uow)
    assert alert["cause"] == f"session:reuse:{scope.actor.user_id}"
    assert "session:reuse_detected" in trail_of(scope)[0]


def test_an_expired_access_token_is_refreshed_silently_and_kept(scope, runtime, machine, clock):
    keep(machine, auth.log_in(runtime, EMAIL, PASSWORD))
    before = machine.load()
    clock.advance(runtime.tuning.access_token_seconds)

    assert auth.current_user(runtime, machine).email == EMAIL

    assert machine.load() != before
    assert auth.current_user(runtime, machine).email == EMAIL


def test_a_login_is_kept_in_a_file_for_its_owner_only(scope, runtime, machine):
    place = keep(machine, auth.log_in(runtime, EMAIL, PASSWORD))

    assert stat.S_IMODE((machine._file).stat().st_mode) == 0o600
    assert machine.place == place


def test_a_role_change_holds_at_once(scope, runtime, machine):
    keep(machine, auth.log_in(runtime, EMAIL, PASSWORD))
    assert auth.scope_of_session(runtime, machine, org=None).actor.role is Role.ADMIN
    with runtime.database.write() as uow:
        users.update_user(uow, scope.actor.user_id, {"role": "viewer"})
        uow.commit()

    assert auth.scope_of_session(runtime, machine, org=None).actor.role is Role.VIEWER


def test_another_tenant_is_not_found_but_open_to_platform_roles(scope, bench, runtime, machine):
    bench.organization("OTHER")
    keep(machine, auth.log_in(runtime, EMAIL, PASSWORD))
    with pytest.raises(OrganizationNotFound):
        auth.scope_of_session(runtime, machine, org="OTHER")
    with pytest.raises(OrganizationNotFound):
        auth.scope_of_session(runtime, machine, org="NOSUCH")
    with runtime.database.write() as uow:
        users.update_user(uow, scope.actor.user_id, {"role": "support", "org_id": None})
        uow.commit()

    assert auth.scope_of_session(runtime, machine, org="OTHER").org_id != scope.org_id


# --- flow 5.2 ---------------------------------------------------------------------------------------------------------


def test_changing_the_password_ends_all_sessions(scope, runtime, machine):
    """Flow 5.2, all right."""
    other = auth.log_in(runtime, EMAIL, PASSWORD)

    assert change(runtime, PASSWORD, NEW_PASSWORD) == 2

    with pytest.raises(SessionRevoked):
        auth.refresh(runtime, other.refresh_token)
    with pytest.raises(WrongCredentials):
        auth.log_in(runtime, EMAIL, PASSWORD)
    assert auth.log_in(runtime, EMAIL, NEW_PASSWORD)
    assert "user:password_changed" in trail_of(scope)[0]


def test_a_wrong_old_password_changes_nothing(scope, runtime):
    """Flow 5.2, wrong old password."""
    with pytest.raises(WrongCredentials):
        change(runtime, "wrong password 1", NEW_PASSWORD)

    assert auth.log_in(runtime, EMAIL, PASSWORD)


@pytest.mark.parametrize(
    ("weak", "reason"),
    [("short 1", "characters"), ("adminadmin 7", "email"), (PASSWORD, "must change")],
)
def test_a_weak_new_password_is_refused_with_the_reason(scope, runtime, weak, reason):
    """Flow 5.2, too weak."""
    with pytest.raises(WeakPassword) as caught:
        change(runtime, PASSWORD, weak)

    assert reason in caught.value.why
    assert auth.log_in(runtime, EMAIL, PASSWORD)


def test_a_temporary_password_must_be_changed_and_can_be(scope, runtime, machine):
    made = user_services.create_user(scope, "new@acme.example", role=Role.MANAGER)
    keep(machine, auth.log_in(runtime, made.email, made.temporary_password))

    with pytest.raises(PasswordMustChange):
        auth.scope_of_session(runtime, machine, org=None)
    auth.change_password(runtime, auth.current_user(runtime, machine), made.temporary_password, NEW_PASSWORD)
    keep(machine, auth.log_in(runtime, made.email, NEW_PASSWORD))

    assert auth.scope_of_session(runtime, machine, org=None).actor.role is Role.MANAGER
    with runtime.database.read(scope.org_id) as uow:
        [welcome] = trail.list_mail(uow)
    assert welcome["state"] == "superseded", "the password in the waiting mail holds no more"


def test_nothing_secret_is_in_any_audit_row_or_event(scope, runtime):
    made = user_services.create_user(
        scope, "new@acme.example", role=Role.VIEWER, first_name="Dana", last_name="Levi"
    )
    login = auth.log_in(runtime, made.email, made.temporary_password)
    renewed = auth.refresh(runtime, login.refresh_token)
    auth.change_password(runtime, login.user, made.temporary_password, NEW_PASSWORD)
    user_services.update_user(scope, made.email, last_name="Cohen")
    again = user_services.reset_password(scope, made.email)

    with runtime.database.read(scope.org_id) as uow:
        rows = [
            dict(row) for table in (audit_log, events) for row in uow.execute(sa.select(table)).mappings()
        ]
        bodies = [row for row in uow.execute(sa.select(outgoing_mail.c.body)).scalars() if row]
    text = json.dumps(rows, default=str)
    assert len(rows) > 8
    assert len(bodies) == 1
    secrets = [
        made.temporary_password, again.temporary_password, NEW_PASSWORD, login.access_token, login.refresh_token,
        renewed.access_token, renewed.refresh_token, "argon2", "Dana", "Levi", "Cohen", *bodies,
    ]  # fmt: skip
    assert [secret for secret in secrets if secret in text] == []
    assert again.temporary_password not in bodies[0]
    assert repr(login) == f"Login(user={login.user.id})"


# --- one's own sessions -----------------------------------------------------------------------------------------------


def test_the_status_tells_when_the_tokens_expire(scope, runtime, machine, clock):
    place = keep(machine, auth.log_in(runtime, EMAIL, PASSWORD))

    view = describe_login(runtime, machine)

    assert (view.email, view.role, view.organization, view.kept_in) == (EMAIL, "admin", "ACME", place)
    assert (view.access_expires_at - clock.now).total_seconds() == runtime.tuning.access_token_seconds
    assert (view.refresh_expires_at - clock.now).total_seconds() == runtime.tuning.refresh_token_seconds


def test_one_session_of_several_is_revoked(scope, runtime, machine):
    other = auth.log_in(runtime, EMAIL, PASSWORD)
    keep(machine, auth.log_in(runtime, EMAIL, PASSWORD))
    listed = list_sessions(runtime, machine)
    assert [view.is_current for view in listed] == [True, False]

    assert revoke_sessions(runtime, machine, listed[1].id) == 1

    with pytest.raises(SessionRevoked):
        auth.authenticate(runtime, other.access_token)
    assert [view.id for view in list_sessions(runtime, machine)] == [listed[0].id]
    assert "session:revoked" in trail_of(scope)[0]


def test_revoking_all_forgets_the_login_here(scope, runtime, machine):
    auth.log_in(runtime, EMAIL, PASSWORD)
    keep(machine, auth.log_in(runtime, EMAIL, PASSWORD))

    assert revoke_sessions(runtime, machine, None) == 2

    assert machine.load() is None
    with pytest.raises(NotAuthenticated):
        auth.current_user(runtime, machine)


def test_somebody_elses_session_is_not_found(scope, bench, runtime, machine):
    stranger = bench.organization("OTHER")
    auth.log_in(runtime, stranger.actor.email, PASSWORD)
    with runtime.database.read() as uow:
        [theirs] = sessions.list_sessions(uow, stranger.actor.user_id)
    keep(machine, auth.log_in(runtime, EMAIL, PASSWORD))

    with pytest.raises(NotFound):
        revoke_sessions(runtime, machine, theirs["id"])

    with runtime.database.read() as uow:
        assert len(sessions.list_sessions(uow, stranger.actor.user_id)) == 1


def test_logins_that_nothing_can_use_any_more_are_forgotten_after_a_month(scope, runtime, clock):
    def kept(table=login_sessions):
        with runtime.database.read() as uow:
            return len(list(uow.execute(sa.select(table))))

    _over, living = (auth.log_in(runtime, EMAIL, PASSWORD) for _ in range(2))
    clock.advance(runtime.tuning.refresh_token_seconds - 60)
    auth.refresh(runtime, living.refresh_token)
    clock.advance(60 + 30 * 86400)
    keep_house(runtime, scope.org_id)
    assert (kept(), kept(refresh_tokens)) == (2, 3)
    clock.advance(1)
    keep_house(runtime, scope.org_id)
    assert (kept(), kept(refresh_tokens)) == (1, 2), "the one that was refreshed lives on"
    clock.advance(runtime.tuning.refresh_token_seconds)
    keep_house(runtime, scope.org_id)
    assert (kept(), kept(refresh_tokens)) == (0, 0)
