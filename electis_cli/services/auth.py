"""Logging in, staying logged in, logging out (flows 1.1, 1.2, 5.2)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from electis_cli.adapters.access_tokens import hash_token, sign_access_token
from electis_cli.adapters.password_hashing import hash_password, verify_password
from electis_cli.adapters.session_store import SessionStore, StoredSession
from electis_cli.db import alerts, organizations, sessions, trail, users
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.db.users import User
from electis_cli.domain.access import Actor
from electis_cli.domain.errors import (
    AccountInactive,
    NotAuthenticated,
    OrganizationNotFound,
    PasswordMustChange,
    SessionExpired,
    SessionRevoked,
    SessionUnknown,
    UsageProblem,
    WeakPassword,
    WrongCredentials,
)
from electis_cli.domain.passwords import require_strong
from electis_cli.services.change import Change, Scope
from electis_cli.services.login_limit import forget_attempts, take_attempt
from electis_cli.services.mail import PASSWORD_MAILS
from electis_cli.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login: who, and the two tokens that prove it from now on."""

    user: User
    access_token: str
    refresh_token: str
    access_expires_at: datetime

    def __repr__(self) -> str:
        return f"Login(user={self.user.id})"


def log_in(runtime: Runtime, email: str, password: str) -> Login:
    """Check a password and open a session.

    An unknown user and a wrong password get the same answer after the same work. Raises WrongCredentials,
    LoginThrottled with the time to wait, AccountInactive.
    """
    address = email.strip().casefold()
    take_attempt(runtime, address)
    with runtime.database.read() as uow:
        user = users.find_user(uow, email=address)
        stored = users.password_hash_of(uow, user.id) if user else None
    # The slow part runs outside of any transaction.
    if not verify_password(stored, password) or user is None:
        raise WrongCredentials(fix="check both and try again: electis login EMAIL")
    forget_attempts(runtime, address)
    if not user.is_active:
        raise AccountInactive(fix="ask an admin of your organization")
    with runtime.database.write() as uow:
        now = runtime.clock()
        if users.password_hash_of(uow, user.id) != stored:
            raise WrongCredentials  # the password was changed while we were checking the old one
        login = _open_session(runtime, uow, user, now)
        users.update_user(uow, user.id, {"last_login_at": now})
        record_own(runtime, uow, user, "user:logged_in", now)
        uow.commit()
    return login


def refresh(runtime: Runtime, refresh_token: str) -> Login:
    """Exchange a refresh token for a new pair.

    Raises SessionUnknown, SessionExpired or SessionRevoked; a token that was used before ends its whole family.
    """
    with runtime.database.write() as uow:
        login = _exchange(runtime, uow, hash_token(refresh_token), runtime.clock())
        uow.commit()
    if login is None:
        raise SessionRevoked(why="The refresh token was used twice, so the session was ended.")
    return login


def authenticate(runtime: Runtime, access_token: str) -> User:
    """Return whose access token this is; user, role and activity are read afresh each time.

    Raises SessionUnknown, SessionRevoked, SessionExpired (then a refresh helps), AccountInactive.
    """
    with runtime.database.read() as uow:
        session = sessions.find_session(uow, access_hash=hash_token(access_token))
        if session is None:
            raise SessionUnknown
        if session["revoked_at"] is not None:
            raise SessionRevoked(why=f"Reason: {session['revoked_why']}.")
        if session["access_expires_at"] <= runtime.clock():
            raise SessionExpired
        user = users.find_user(uow, user_id=session["user_id"])
    if user is None:
        raise SessionUnknown
    if not user.is_active:
        raise AccountInactive(fix="ask an admin of your organization")
    return user


def log_out(runtime: Runtime, store: SessionStore) -> bool:
    """End the login kept on this machine, in the database too; False when there was none."""
    stored = store.load()
    store.forget()
    if stored is None:
        return False
    with runtime.database.write() as uow:
        now = runtime.clock()
        token = sessions.find_refresh_token(uow, hash_token(stored.refresh_token))
        if token is not None:
            sessions.revoke_session(uow, token["session_id"], now, "logged out")
            session = sessions.find_session(uow, session_id=token["session_id"])
            user = users.find_user(uow, user_id=session["user_id"])
            if user is not None:
                record_own(runtime, uow, user, "user:logged_out", now)
        uow.commit()
    return True


def current_user(runtime: Runtime, store: SessionStore) -> User:
    """Return who is logged in on this machine; an expired access token is refreshed silently.

    Raises NotAuthenticated (its subclasses tell why).
    """
    stored = store.load()
    if stored is None:
        raise NotAuthenticated
    try:
        return authenticate(runtime, stored.access_token)
    except (SessionExpired, SessionUnknown):
        pass
    # One command at a time refreshes: a second one must not use the same refresh token again.
    with store.refreshing():
        stored = store.load() or stored
        with contextlib.suppress(SessionExpired, SessionUnknown):
            return authenticate(runtime, stored.access_token)
        login = refresh(runtime, stored.refresh_token)
        store.save(
            StoredSession(
                access_token=login.access_token, refresh_token=login.refresh_token, email=login.user.email
            )
        )
        return login.user


def actor_of(user: User, *, source: str) -> Actor:
    """Return a user as the access rules see them."""
    return Actor(
        user_id=user.id,
        email=user.email,
        role=user.role,
        org_id=user.org_id,
        store_id=user.store_id,
        source=source,
    )


def actor_of_session(runtime: Runtime, store: SessionStore, *, temporary_password: bool = False) -> Actor:
    """Return whoever is logged in on this machine. Raises NotAuthenticated, PasswordMustChange."""
    user = current_user(runtime, store)
    if user.must_change_password and not temporary_password:
        raise PasswordMustChange
    return actor_of(user, source="cli")


def scope_of_session(
    runtime: Runtime, store: SessionStore, *, org: str | None, temporary_password: bool = False
) -> Scope:
    """Return the scope of whoever is logged in on this machine, in their organization or the one named.

    Another tenant's organization is not found for everyone but platform roles. Raises NotAuthenticated,
    PasswordMustChange, OrganizationNotFound, UsageProblem.
    """
    actor = actor_of_session(runtime, store, temporary_password=temporary_password)
    with runtime.database.read() as uow:
        named = organizations.find_organization(uow, code=org) if org else None
    if org and (named is None or (not actor.is_platform and named.id != actor.org_id)):
        raise OrganizationNotFound(f"There is no organization {org}.")
    org_id = named.id if named else actor.org_id
    if org_id is None:
        raise UsageProblem("Say which organization is meant.", fix="add --org CODE")
    return Scope(runtime=runtime, actor=actor, org_id=org_id)


def change_password(runtime: Runtime, user: User, old: str, new: str) -> int:
    """Change one's own password, end all one's sessions and return how many there were (flow 5.2).

    Raises WrongCredentials for a wrong old password, LoginThrottled after too many of them, and WeakPassword, with
    the reason, for a weak new one.
    """
    take_attempt(runtime, user.email)
    with runtime.database.read() as uow:
        stored = users.password_hash_of(uow, user.id)
    if not verify_password(stored, old):
        raise WrongCredentials("The old password is wrong.", fix="electis password change")
    forget_attempts(runtime, user.email)
    require_strong(new, email=user.email)
    if new == old:
        raise WeakPassword("The new password is the old one.", why="A change must change something.")
    hashed = hash_password(new)
    with runtime.database.write() as uow:
        now = runtime.clock()
        if users.password_hash_of(uow, user.id) != stored:
            raise WrongCredentials("The old password is wrong.", fix="electis password change")
        users.update_user(uow, user.id, {"password_hash": hashed, "must_change_password": False})
        ended = sessions.revoke_user_sessions(uow, user.id, now, "password changed")
        record_own(runtime, uow, user, "user:password_changed", now)
        if user.org_id is not None:
            trail.supersede_mail(uow, user.email, PASSWORD_MAILS)
        uow.commit()
    return ended


def _exchange(runtime: Runtime, uow: UnitOfWork, token_hash: str, now: datetime) -> Login | None:
    """Return the new pair; None when the token was used before, and its whole family ended (to be committed too)."""
    token = sessions.find_refresh_token(uow, token_hash)
    if token is None:
        raise SessionUnknown("The refresh token is not valid.")
    session = sessions.find_session(uow, session_id=token["session_id"])
    user = users.find_user(uow, user_id=session["user_id"])
    if user is None:
        raise SessionUnknown
    if token["revoked_at"] is not None or session["revoked_at"] is not None:
        raise SessionRevoked(why="The refresh token was revoked.")
    if not sessions.rotate_refresh_token(uow, token_hash, now):
        # Somebody has a copy: whoever comes second ends the session for both.
        sessions.revoke_session(uow, session["id"], now, "refresh token used twice")
        record_own(runtime, uow, user, "session:reuse_detected", now)
        _alert_reuse(runtime, uow, user, now)
        return None
    if token["expires_at"] <= now:
        raise SessionExpired(why="The refresh token has expired.")
    if not user.is_active:
        raise AccountInactive(fix="ask an admin of your organization")
    access, expires_at = _new_access_token(runtime, user, session["id"], now)
    renewed = _new_refresh_token(runtime, uow, session["id"], now)
    sessions.update_session(
        uow,
        session["id"],
        {"access_hash": hash_token(access), "access_expires_at": expires_at, "last_used_at": now},
    )
    return Login(user=user, access_token=access, refresh_token=renewed, access_expires_at=expires_at)


def _open_session(runtime: Runtime, uow: UnitOfWork, user: User, now: datetime) -> Login:
    session_id = runtime.new_id()
    access, expires_at = _new_access_token(runtime, user, session_id, now)
    sessions.insert_session(
        uow,
        {
            "id": session_id,
            "user_id": user.id,
            "access_hash": hash_token(access),
            "access_expires_at": expires_at,
            "created_at": now,
            "last_used_at": now,
        },
    )
    token = _new_refresh_token(runtime, uow, session_id, now)
    return Login(user=user, access_token=access, refresh_token=token, access_expires_at=expires_at)


def _new_access_token(runtime: Runtime, user: User, session_id: str, now: datetime) -> tuple[str, datetime]:
    expires_at = now + timedelta(seconds=runtime.tuning.access_token_seconds)
    token = sign_access_token(
        runtime.sealer.derive("access-token"),
        user_id=user.id,
        session_id=session_id,
        org_id=user.org_id,
        token_id=runtime.new_id(),
        now=now,
        expires_at=expires_at,
    )
    return token, expires_at


def _new_refresh_token(runtime: Runtime, uow: UnitOfWork, session_id: str, now: datetime) -> str:
    token = runtime.new_token("elr")
    sessions.insert_refresh_token(
        uow,
        {
            "token_hash": hash_token(token),
            "session_id": session_id,
            "expires_at": now + timedelta(seconds=runtime.tuning.refresh_token_seconds),
            "created_at": now,
        },
    )
    return token


def _tenant_change(runtime: Runtime, uow: UnitOfWork, user: User, now: datetime) -> Change | None:
    """Return a change in the user's own organization, for their trail, within the login's transaction."""
    if user.org_id is None:
        return None  # platform users belong to no organization whose trail could hold it
    if uow.org_id is None:
        uow.rebind(user.org_id)
    scope = Scope(runtime=runtime, actor=actor_of(user, source="login"), org_id=user.org_id)
    return Change(uow=uow, scope=scope, now=now)


def record_own(runtime: Runtime, uow: UnitOfWork, user: User, action: str, now: datetime) -> None:
    """Append to the trail of a user's own organization what they did to their own login."""
    change = _tenant_change(runtime, uow, user, now)
    if change is not None:
        change.record(action, "user", user.id)


def _alert_reuse(runtime: Runtime, uow: UnitOfWork, user: User, now: datetime) -> None:
    change = _tenant_change(runtime, uow, user, now)
    if change is not None:
        alerts.raise_alert(
            change.uow,
            alert_id=runtime.new_id(),
            cause=f"session:reuse:{user.id}",
            text="A refresh token was used twice: somebody may have a copy of a login. The session was ended.",
            store_id=None,
            now=now,
        )
