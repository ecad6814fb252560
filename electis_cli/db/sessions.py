"""Logins: sessions, their refresh tokens and the count of failed attempts. Not tenant tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import one_or_none
from electis_cli.db.tables import login_attempts, refresh_tokens, sessions
from electis_cli.db.unit_of_work import UnitOfWork


def insert_session(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert a session."""
    uow.execute(sessions.insert(), values)


def find_session(uow: UnitOfWork, *, access_hash: str | None = None, session_id: str | None = None) -> Any:
    """Return the session row with this access token hash or id, or None."""
    statement = sa.select(sessions)
    if access_hash is not None:
        statement = statement.where(sessions.c.access_hash == access_hash)
    if session_id is not None:
        statement = statement.where(sessions.c.id == session_id)
    return one_or_none(uow, statement)


def update_session(uow: UnitOfWork, session_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a session."""
    uow.execute(sessions.update().where(sessions.c.id == session_id).values(**values))


def insert_refresh_token(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert a refresh token's hash."""
    uow.execute(refresh_tokens.insert(), values)


def find_refresh_token(uow: UnitOfWork, token_hash: str) -> Any:
    """Return the refresh token row with this hash, locked, or None."""
    return one_or_none(
        uow, sa.select(refresh_tokens).where(refresh_tokens.c.token_hash == token_hash).with_for_update()
    )


def rotate_refresh_token(uow: UnitOfWork, token_hash: str, now: datetime) -> bool:
    """Mark a refresh token as used; False when somebody else did it first."""
    statement = (
        refresh_tokens.update()
        .where(
            refresh_tokens.c.token_hash == token_hash,
            refresh_tokens.c.rotated_at.is_(None),
            refresh_tokens.c.revoked_at.is_(None),
        )
        .values(rotated_at=now)
    )
    return uow.count_changed(statement) == 1


def revoke_session(uow: UnitOfWork, session_id: str, now: datetime, why: str) -> None:
    """Revoke a session and every refresh token of it (the whole family)."""
    # Tokens first, as a refresh locks them first: a refresh and a revocation wait for one another, in one order.
    uow.execute(
        refresh_tokens.update()
        .where(refresh_tokens.c.session_id == session_id, refresh_tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    uow.execute(
        sessions.update()
        .where(sessions.c.id == session_id, sessions.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_why=why)
    )


def revoke_user_sessions(uow: UnitOfWork, user_id: str, now: datetime, why: str) -> int:
    """Revoke all sessions of a user and return how many there were."""
    found = uow.execute(
        sa.select(sessions.c.id).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
    ).scalars()
    ids = list(found)
    for session_id in ids:
        revoke_session(uow, session_id, now, why)
    return len(ids)


def list_sessions(uow: UnitOfWork, user_id: str) -> list[dict[str, Any]]:
    """Return a user's sessions that can still be refreshed or used, newest first, with `refresh_expires_at`."""
    newest = (
        sa.select(refresh_tokens.c.session_id, sa.func.max(refresh_tokens.c.expires_at).label("at"))
        .where(refresh_tokens.c.rotated_at.is_(None), refresh_tokens.c.revoked_at.is_(None))
        .group_by(refresh_tokens.c.session_id)
        .subquery()
    )
    statement = (
        sa.select(sessions, newest.c.at.label("refresh_expires_at"))
        .join(newest, newest.c.session_id == sessions.c.id)
        .where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
        .order_by(sessions.c.id.desc())
    )
    return [dict(row) for row in uow.execute(statement).mappings()]


def forget_sessions(uow: UnitOfWork, before: datetime) -> int:
    """Delete sessions that nothing could use since `before`, with their tokens, and return how many went."""
    living = sa.select(refresh_tokens.c.session_id).where(refresh_tokens.c.expires_at >= before)
    is_over = sa.and_(sessions.c.access_expires_at < before, sessions.c.id.not_in(living))
    over = sa.select(sessions.c.id).where(is_over)
    # Tokens first, as everybody who locks both does.
    uow.execute(refresh_tokens.delete().where(refresh_tokens.c.session_id.in_(over)))
    return uow.count_changed(sessions.delete().where(is_over))


def lock_login_attempts(uow: UnitOfWork, subject: str, now: datetime) -> Any:
    """Return the attempts counted for a subject, locked; an unknown subject starts with none."""
    uow.upsert(
        login_attempts,
        [{"subject": subject, "failures": 0, "window_started_at": now}],
        key=["subject"],
        update=None,
    )
    return one_or_none(
        uow, sa.select(login_attempts).where(login_attempts.c.subject == subject).with_for_update()
    )


def update_login_attempts(uow: UnitOfWork, subject: str, values: Mapping[str, Any]) -> None:
    """Change the attempts counted for a subject."""
    uow.execute(login_attempts.update().where(login_attempts.c.subject == subject).values(**values))


def clear_login_attempts(uow: UnitOfWork, subject: str) -> None:
    """Forget the failed attempts of a subject."""
    uow.execute(login_attempts.delete().where(login_attempts.c.subject == subject))
