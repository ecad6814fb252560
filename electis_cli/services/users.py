"""Users of an organization: create, list, show, update, and letting them in or not (flow 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from electis_cli.adapters.password_hashing import hash_password
from electis_cli.db import sessions, stores, trail, users
from electis_cli.db.organizations import Organization
from electis_cli.db.users import User
from electis_cli.domain.access import Action, Role, require
from electis_cli.domain.bulk.users import (
    UserFacts,
    change_user,
    check_role,
    email_taken,
    last_admin,
    user_change,
)
from electis_cli.domain.errors import ElectisError, StoreNotFound, UserNotFound
from electis_cli.domain.organizations import check_email
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.login_limit import forget_attempts
from electis_cli.services.mail import PASSWORD_MAILS, PASSWORD_RESET, WELCOME, queue_mail
from electis_cli.services.views import UserView, view_user


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
            raise email_taken(address)
        ids = store_ids(change)
        start = UserFacts(id=change.new_id(), email=address, role=check_role(role))
        given = {"store": _code(store), "first_name": first_name, "last_name": last_name}
        facts = _changed(start, given, ids)
        insert_facts(change, facts, ids, hashed)
        change.record("user:created", "user", facts.id, after={"role": role.value, "store": facts.store})
        change.note(user_change(None, facts))
        mail_password(change, change.organization(), WELCOME, address, password)
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
        ids = store_ids(change)
        before = facts_of(user, ids)
        given = {
            "role": check_role(role).value if role is not None else None,
            "store": "" if all_stores else _code(store),
            "first_name": first_name,
            "last_name": last_name,
        }
        after = _changed(before, given, ids)
        changed = columns_changed(before, after, ids)
        if changed:
            write_facts(change, before, after, ids)
            change.record(
                "user:updated", "user", user.id, before=_told(user, changed), after=_told(changed, changed)
            )
            change.note(user_change(before, after))
        return _answer(change, user.email)


def deactivate_user(scope: Scope, email: str, *, dry_run: bool = False) -> UserView:
    """Let a user in no more and end all their sessions. Raises UserNotFound, LastAdmin."""
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        user = _lock_user(change, email, loses_admin=True)
        if user.is_active:
            ended = _set_active(change, user, is_active=False)
            change.record("user:deactivated", "user", user.id, after={"sessions_ended": ended})
        return _answer(change, user.email)


def activate_user(scope: Scope, email: str, *, dry_run: bool = False) -> UserView:
    """Let a deactivated user in again. Raises UserNotFound."""
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        user = _lock_user(change, email)
        if not user.is_active:
            _set_active(change, user, is_active=True)
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
        mail_password(change, change.organization(), PASSWORD_RESET, user.email, password)
        answer = _answer(change, user.email, password=None if dry_run else password)
    if not dry_run:
        forget_attempts(scope.runtime, user.email)
    return answer


def store_ids(read: Reading) -> dict[str, str]:
    """Return the ids of the organization's stores by their codes."""
    return {store.code: store.id for store in stores.list_stores(read.uow)}


def facts_of(user: User, ids: Mapping[str, str]) -> UserFacts:
    """Return a user as the rules see them; `ids` are those of `store_ids`."""
    code = next((code for code, store_id in ids.items() if store_id == user.store_id), None)
    return UserFacts(
        id=user.id,
        email=user.email,
        role=user.role,
        store=code,
        first_name=user.first_name,
        last_name=user.last_name,
        is_active=user.is_active,
    )


def read_users(read: Reading, ids: Mapping[str, str]) -> dict[str, UserFacts]:
    """Return the organization's users by email."""
    return {user.email: facts_of(user, ids) for user in users.list_users(read.uow)}


def lock_users(change: Change, ids: Mapping[str, str]) -> dict[str, UserFacts]:
    """Return the organization's users by email; nobody else changes one before this change is over.

    Everybody who changes a user locks the admins first. Who waited for that may have locked those who were admins
    before, so it is done until it fits what is there.
    """
    while True:
        locked = users.count_active_admins(change.uow)
        found = read_users(change, ids)
        if locked == sum(facts.is_active_admin for facts in found.values()):
            return found


def insert_facts(change: Change, facts: UserFacts, ids: Mapping[str, str], password_hash: str) -> None:
    """Insert a new user with the hash of a temporary password, which must be changed."""
    values: dict[str, Any] = {
        **_columns(facts, ids),
        "id": facts.id,
        "org_id": change.scope.org_id,
        "email": facts.email,
        "password_hash": password_hash,
        "must_change_password": True,
        "created_at": change.now,
    }
    users.insert_user(change.uow, values)


def write_facts(change: Change, before: UserFacts, after: UserFacts, ids: Mapping[str, str]) -> int:
    """Write what changed of a user; one who is deactivated is out at once. Returns how many sessions that ended."""
    users.update_user(change.uow, before.id, columns_changed(before, after, ids))
    if before.is_active and not after.is_active:
        return sessions.revoke_user_sessions(change.uow, before.id, change.now, "user deactivated")
    return 0


def columns_changed(before: UserFacts, after: UserFacts, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the columns in which two states of a user differ, as they are after."""
    old, new = _columns(before, ids), _columns(after, ids)
    return {name: value for name, value in new.items() if old[name] != value}


def _columns(facts: UserFacts, ids: Mapping[str, str]) -> dict[str, Any]:
    return {
        "role": facts.role.value,
        "store_id": ids[facts.store] if facts.store is not None else None,
        "first_name": facts.first_name,
        "last_name": facts.last_name,
        "is_active": facts.is_active,
    }


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
        raise last_admin()
    return user


def _changed(facts: UserFacts, given: Mapping[str, str | None], ids: Mapping[str, str]) -> UserFacts:
    """Return a user as what was given wants them; None leaves a field. Raises InvalidInput, StoreNotFound."""

    def refuse(_: str, error: ElectisError) -> NoReturn:
        raise error

    cells = {name: value for name, value in given.items() if value is not None}
    after = change_user(facts, cells, ids, refuse)
    assert after is not None
    return after


def _code(store: str | None) -> str | None:
    """Return a store's code; an empty one is no store, and must not mean all of them. Raises StoreNotFound."""
    if store is not None and not store.strip():
        raise StoreNotFound(f"There is no store {store}.")
    return store


def _set_active(change: Change, user: User, *, is_active: bool) -> int:
    ids = store_ids(change)
    before = facts_of(user, ids)
    after = replace(before, is_active=is_active)
    change.note(user_change(before, after))
    return write_facts(change, before, after, ids)


def _told(source: Any, changed: dict[str, Any]) -> dict[str, Any]:
    """Return what the audit row tells of a change; of names only that they changed."""
    told: dict[str, Any] = {}
    for key in changed:
        value = source[key] if isinstance(source, dict) else getattr(source, key)
        told[key] = "(not recorded)" if key in {"first_name", "last_name"} else value
    return told


def mail_password(change: Change, organization: Organization, kind: str, email: str, password: str) -> None:
    """Queue the mail that carries a temporary password, of a new user (WELCOME) or after a reset."""
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
