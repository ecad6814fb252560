"""One's own sessions: which there are, how long they last, and ending them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from electis_cli.adapters.access_tokens import hash_token
from electis_cli.adapters.session_store import SessionStore
from electis_cli.db import sessions
from electis_cli.db.users import User
from electis_cli.domain.errors import NotAuthenticated, NotFound
from electis_cli.services.auth import current_user, record_own
from electis_cli.services.identity import describe_user
from electis_cli.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginView:
    """The login kept on this machine: whose, where, and until when."""

    email: str
    role: str
    organization: str | None
    store: str | None
    must_change_password: bool
    kept_in: str
    session: str
    access_expires_at: datetime
    refresh_expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session of one's own; `is_current` is the one of this machine."""

    id: str
    is_current: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


def describe_login(runtime: Runtime, store: SessionStore) -> LoginView:
    """Return the login kept on this machine, renewed first when it was due. Raises NotAuthenticated."""
    user, current = _current(runtime, store)
    identity = describe_user(runtime, user)
    with runtime.database.read() as uow:
        mine = {row["id"]: row for row in sessions.list_sessions(uow, user.id)}
    if current not in mine:
        raise NotAuthenticated  # it ended while we were looking
    return LoginView(
        email=identity.email,
        role=identity.role,
        organization=identity.organization,
        store=identity.store,
        must_change_password=identity.must_change_password,
        kept_in=store.place or "",
        session=current,
        access_expires_at=mine[current]["access_expires_at"],
        refresh_expires_at=mine[current]["refresh_expires_at"],
    )


def list_sessions(runtime: Runtime, store: SessionStore) -> list[SessionView]:
    """Return one's own sessions that have not ended, newest first. Raises NotAuthenticated."""
    user, current = _current(runtime, store)
    with runtime.database.read() as uow:
        rows = sessions.list_sessions(uow, user.id)
    now = runtime.clock()
    return [
        SessionView(
            id=row["id"],
            is_current=row["id"] == current,
            created_at=row["created_at"],
            last_used_at=row["last_used_at"],
            expires_at=row["refresh_expires_at"],
        )
        for row in rows
        if row["refresh_expires_at"] > now
    ]


def revoke_sessions(runtime: Runtime, store: SessionStore, session_id: str | None) -> int:
    """End one of one's own sessions, or all of them when no id is given; returns how many there were.

    The login on this machine is forgotten when it is among them. Raises NotFound, NotAuthenticated.
    """
    user, current = _current(runtime, store)
    with runtime.database.write() as uow:
        now = runtime.clock()
        found = [row["id"] for row in sessions.list_sessions(uow, user.id)]
        if session_id is not None and session_id not in found:
            raise NotFound(f"You have no session {session_id}.", fix="electis auth sessions")
        ended = found if session_id is None else [session_id]
        for ending in sorted(ended):
            sessions.revoke_session(uow, ending, now, "revoked by its user")
        if ended:
            record_own(runtime, uow, user, "session:revoked", now)
        uow.commit()
    if current in ended:
        store.forget()
    return len(ended)


def _current(runtime: Runtime, store: SessionStore) -> tuple[User, str]:
    user = current_user(runtime, store)
    stored = store.load()
    with runtime.database.read() as uow:
        session = sessions.find_session(uow, access_hash=hash_token(stored.access_token)) if stored else None
    if session is None:
        raise NotAuthenticated
    return user, session["id"]
