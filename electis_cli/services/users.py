"""Users of an organization: create, list, show, update, and letting them in or not (flow 5.1)."""

from __future__ import annotations

from typing import Any

from electis_cli.adapters.password_hashing import hash_password
from electis_cli.db import sessions, stores, trail, users
from electis_cli.db.users import User
from electis_cli.domain.access import Action, Role, require
from electis_cli.domain.errors import EmailTaken, InvalidInput, LastAdmin, StoreNotFound, UserNotFound
from electis_cli.domain.organizations import check_email
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.login_limit import forget_attempts
from electis_cli.services.mail import PASSWORD_MAILS, PASSWORD_RESET, WELCOME, queue_mail
from electis_cli.services.views import UserView, view_user

ORGANIZATION_ROLES = (Role.ADMIN, Role.MANAGER, Role.VIEWER)
_LONGEST_NAME = 200


def create_user(
    scope: Scope,
    email: str,
    *,
    role: Role,
    store: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    dry_run: bool = False,
) -> UserView:
    """Create a user with a temporary password that must be changed, and queue the welcome mail that carries it.

    The password is in the answer only when no mail server is configured. Raises InvalidInput, EmailTaken,
    StoreNotFound.
    """
    require(scope.actor, Action.CHANGE_USERS)
    address = check_email(email)
    password = scope.runtime.new_password()
    hashed = hash_password(password)  # slow, so outside of the transaction
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        if users.is_email_taken(change.uow, address):
            raise EmailTaken(
                f"A user with the email address {address} exists already.", fix="electis user list"
            )
        values: dict[str, Any] = {
            "id": change.new_id(),
            "org_id": scope.org_id,
            "email": address,
            "password_hash": hashed,
            "role": role.value,
            "store_id": _store_id(change, role, store),
            "first_name": _name(first_name),
            "last_name": _name(last_name),
            "is_active": True,
            "must_change_password": True,
            "created_at": change.now,
        }
        users.insert_user(change.uow, values)
        change.record("user:created", "user", values["id"], after={"role": role.value, "store": store})
        _mail_password(change, WELCOME, address, password)
        return _answer(change, address, password=None if dry_run else password)


def list_users(scope: Scope, *, limit: int | None = None) -> list[UserView]:
    """Return the organization's users by email."""
    with reading(scope, Action.READ_USERS) as read:
        codes = {store.id: store.code for store in stores.list_stores(read.uow)}
        return [
            view_user(user, store=codes.get(user.store_id or ""))
            for user in users.list_users(read.uow)[:limit]
        ]


def show_user(scope: Scope, email: str) -> UserView:
    """Return one user. Raises UserNotFound."""
    with reading(scope, Action.READ_USERS) as read:
        return _view(read, _require_user(read, email))


def update_user(
    scope: Scope,
    email: str,
    *,
    role: Role | None = None,
    store: str | None = None,
    all_stores: bool = False,
    first_name: str | None = None,
    last_name: str | None = None,
    dry_run: bool = False,
) -> UserView:
    """Change a user's role, store or names (an empty name clears one); it holds from their next command on.

    Raises UserNotFound, LastAdmin, StoreNotFound, InvalidInput.
    """
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        user = _lock_user(change, email, loses_admin=role is not None and role is not Role.ADMIN)
        changed: dict[str, Any] = {}
        if role is not None:
            _check_role(role)
            changed["role"] = role.value
        if store is not None or all_stores:
            changed["store_id"] = _store_id(change, role or user.role, store)
        elif role is Role.ADMIN and user.store_id is not None:
            _store_id(change, role, user.store_id)
        if first_name is not None:
            changed["first_name"] = _name(first_name)
        if last_name is not None:
            changed["last_name"] = _name(last_name)
        changed = {key: value for key, value in changed.items() if getattr(user, key) != value}
        if changed:
            users.update_user(change.uow, user.id, changed)
            change.record(
                "user:updated", "user", user.id, before=_told(user, changed), after=_told(changed, changed)
            )
        return _answer(change, user.email)


def deactivate_user(scope: Scope, email: str, *, dry_run: bool = False) -> UserView:
    """Let a user in no more and end all their sessions. Raises UserNotFound, LastAdmin."""
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        user = _lock_user(change, email, loses_admin=True)
        if user.is_active:
            users.update_user(change.uow, user.id, {"is_active": False})
            ended = sessions.revoke_user_sessions(change.uow, user.id, change.now, "user deactivated")
            change.record("user:deactivated", "user", user.id, after={"sessions_ended": ended})
        return _answer(change, user.email)


def activate_user(scope: Scope, email: str, *, dry_run: bool = False) -> UserView:
    """Let a deactivated user in again. Raises UserNotFound."""
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        user = _lock_user(change, email)
        if not user.is_active:
            users.update_user(change.uow, user.id, {"is_active": True})
            change.record("user:activated", "user", user.id)
        return _answer(change, user.email)


def unlock_user(scope: Scope, email: str, *, dry_run: bool = False) -> UserView:
    """Forget a user's failed logins, so that they can try again at once. Raises UserNotFound."""
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        user = _lock_user(change, email)
        change.record("user:unlocked", "user", user.id)
        answer = _answer(change, user.email)
    if not dry_run:
        forget_attempts(scope.runtime, user.email)
    return answer


def reset_password(scope: Scope, email: str, *, dry_run: bool = False) -> UserView:
    """Give a user a new temporary password, end all their sessions and queue the mail. Raises UserNotFound."""
    require(scope.actor, Action.CHANGE_USERS)
    password = scope.runtime.new_password()
    hashed = hash_password(password)
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        user = _lock_user(change, email)
        users.update_user(change.uow, user.id, {"password_hash": hashed, "must_change_password": True})
        ended = sessions.revoke_user_sessions(change.uow, user.id, change.now, "password reset")
        change.record("user:password_reset", "user", user.id, after={"sessions_ended": ended})
        trail.supersede_mail(change.uow, user.email, PASSWORD_MAILS)
        _mail_password(change, PASSWORD_RESET, user.email, password)
        answer = _answer(change, user.email, password=None if dry_run else password)
    if not dry_run:
        forget_attempts(scope.runtime, user.email)
    return answer


def _require_user(read: Reading, email: str, *, lock: bool = False) -> User:
    user = users.find_user(read.uow, email=email.strip().casefold(), lock=lock)
    if user is None:
        raise UserNotFound(f"There is no user {email}.")
    return user


def _lock_user(change: Change, email: str, *, loses_admin: bool = False) -> User:
    """Return a user, locked; with `loses_admin` LastAdmin is raised when no other active admin would be left.

    The admins are locked first: of two admins who demote each other at once, the second finds one left.
    """
    admins = users.count_active_admins(change.uow)
    user = _require_user(change, email, lock=True)
    if loses_admin and user.role is Role.ADMIN and user.is_active and admins <= 1:
        raise LastAdmin(
            why="Without an admin nobody could manage the organization's users.",
            fix="electis user create EMAIL --role admin",
        )
    return user


def _check_role(role: Role) -> None:
    if role not in ORGANIZATION_ROLES:
        raise InvalidInput(
            f"{role.value} is not a role within an organization.",
            why="Platform-wide users are made by the operator.",
            fix="electis init --platform-admin EMAIL",
        )


def _store_id(change: Change, role: Role, code: str | None) -> str | None:
    _check_role(role)
    if code is None:
        return None
    if role is Role.ADMIN:
        raise InvalidInput(
            "An admin can not be limited to one store.",
            why="Admins manage the whole organization.",
            fix="use --role manager, or --all-stores",
        )
    store = stores.find_store(change.uow, code=code)
    if store is None:
        raise StoreNotFound(f"There is no store {code}.")
    return store.id


def _name(text: str | None) -> str | None:
    cleaned = " ".join((text or "").split())
    if len(cleaned) > _LONGEST_NAME:
        raise InvalidInput(f"A name has at most {_LONGEST_NAME} characters.")
    return cleaned or None


def _told(source: Any, changed: dict[str, Any]) -> dict[str, Any]:
    """Return what the audit row tells of a change; of names only that they changed."""
    told: dict[str, Any] = {}
    for key in changed:
        value = source[key] if isinstance(source, dict) else getattr(source, key)
        told[key] = "(not recorded)" if key in {"first_name", "last_name"} else value
    return told


def _mail_password(change: Change, kind: str, email: str, password: str) -> None:
    organization = change.organization()
    opening = (
        f"An account was made for you in the organization {organization.name} ({organization.code})."
        if kind == WELCOME
        else f"Your password in the organization {organization.name} ({organization.code}) was reset."
    )
    body = (
        f"{opening}\n\nYour temporary password: {password}\n\n"
        f"Log in and change it:\n\n    electis login {email}\n    electis password change\n"
    )
    title = "Your electis account" if kind == WELCOME else "Your new electis password"
    queue_mail(change, kind, email, f"{title} ({organization.code})", body)


def _answer(change: Change, email: str, *, password: str | None = None) -> UserView:
    shown = None if change.scope.runtime.tuning.mail_url else password
    return _view(change, _require_user(change, email), temporary_password=shown)


def _view(read: Reading, user: User, *, temporary_password: str | None = None) -> UserView:
    store = stores.find_store(read.uow, store_id=user.store_id) if user.store_id else None
    return view_user(user, store=store.code if store else None, temporary_password=temporary_password)
