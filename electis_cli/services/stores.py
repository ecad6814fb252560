"""Stores of an organization: create, list, show, update, delete."""

from __future__ import annotations

import zoneinfo
from typing import Any

from electis_cli.db import stores, users
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    LockHeld,
    StoreNotEmpty,
    StoreNotFound,
)
from electis_cli.domain.organizations import check_store_code, check_timezone
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.views import StoreView, view_store

LONGEST_INTERVAL = 7 * 24 * 60
_LONGEST_NAME = 200


def create_store(
    scope: Scope,
    code: str,
    *,
    name: str | None = None,
    timezone: str = "UTC",
    full_sync_minutes: int = 15,
    sync_enabled: bool = True,
    dry_run: bool = False,
) -> StoreView:
    """Create a store; its code is that of the store at AIMS. Raises InvalidInput, AlreadyExists."""
    with changing(scope, Action.CHANGE_SETTINGS, dry_run=dry_run) as change:
        check_store_code(code)
        if stores.find_store(change.uow, code=code) is not None:
            raise AlreadyExists(f"The store {code} exists already.", fix=f"electis store show {code}")
        store_id = change.new_id()
        values: dict[str, Any] = {
            "code": code,
            "name": _name(name or code),
            "timezone": _timezone(timezone),
            "sync_enabled": sync_enabled,
            "full_sync_minutes": _interval(full_sync_minutes),
        }
        stores.insert_store(change.uow, {**values, "id": store_id, "created_at": change.now})
        change.record("store:created", "store", code, after=values, store_id=store_id)
        return _view(change, require_store(change, code))


def list_stores(scope: Scope) -> list[StoreView]:
    """Return the stores the actor may see, by code."""
    with reading(scope) as read:
        found = read.stores(None)
        counts = stores.count_facts(read.uow, [store.id for store in found])
        return [view_store(store, counts[store.id]) for store in found]


def show_store(scope: Scope, code: str) -> StoreView:
    """Return one store. Raises StoreNotFound."""
    with reading(scope) as read:
        return _view(read, read.stores(code)[0])


def update_store(
    scope: Scope,
    code: str,
    *,
    name: str | None = None,
    timezone: str | None = None,
    full_sync_minutes: int | None = None,
    sync_enabled: bool | None = None,
    dry_run: bool = False,
) -> StoreView:
    """Change a store's settings; without sync its queue waits and AIMS stays as it is.

    Raises StoreNotFound, InvalidInput.
    """
    with changing(scope, Action.CHANGE_SETTINGS, dry_run=dry_run) as change:
        before = require_store(change, code, lock=True)
        wanted: dict[str, Any] = {}
        if name is not None:
            wanted["name"] = _name(name)
        if timezone is not None:
            wanted["timezone"] = _timezone(timezone)
        if full_sync_minutes is not None:
            wanted["full_sync_minutes"] = _interval(full_sync_minutes)
        if sync_enabled is not None:
            wanted["sync_enabled"] = sync_enabled
        changed = {key: value for key, value in wanted.items() if getattr(before, key) != value}
        if changed:
            stores.update_store(change.uow, before.id, changed)
            change.record(
                "store:updated",
                "store",
                code,
                before={key: getattr(before, key) for key in changed},
                after=changed,
                store_id=before.id,
            )
        return _view(change, require_store(change, code))


def delete_store(scope: Scope, code: str, *, force: bool = False, dry_run: bool = False) -> StoreView:
    """Delete a store; one with spaces, people or conference rooms only with `force`, and then with all of them.

    AIMS is not touched: what it shows stays, managed by nobody. That is why a store whose articles AIMS holds must
    have its sync switched off first. Raises StoreNotFound, StoreNotEmpty, Conflict, LockHeld.
    """
    with changing(scope, Action.CHANGE_SETTINGS, dry_run=dry_run) as change:
        store = require_store(change, code, lock=True)
        view = _view(change, store)
        _refuse_deletion(change, store, view, force=force)
        stores.delete_store(change.uow, store.id, change.now)
        facts = {
            "name": store.name,
            "spaces": view.spaces,
            "people": view.people,
            "conference_rooms": view.conference_rooms,
        }
        change.record("store:deleted", "store", code, before=facts, store_id=store.id)
        return view


def require_store(read: Reading, code: str, *, lock: bool = False) -> Store:
    """Return a store by its code. Raises StoreNotFound."""
    store = stores.find_store(read.uow, code=code, lock=lock)
    if store is None:
        raise StoreNotFound(f"There is no store {code}.")
    return store


def _refuse_deletion(change: Change, store: Store, view: StoreView, *, force: bool) -> None:
    if (view.spaces or view.people or view.conference_rooms) and not force:
        raise StoreNotEmpty(
            f"The store {store.code} still has {view.spaces} spaces, {view.people} people and "
            f"{view.conference_rooms} conference rooms.",
            why="They would be deleted with it.",
            fix=f"electis store delete {store.code} --force",
        )
    limited = sum(1 for user in users.list_users(change.uow) if user.store_id == store.id)
    if limited:
        raise Conflict(
            f"{limited} users are limited to the store {store.code}.",
            why="Without it they would see every store.",
            fix="electis user update EMAIL --store CODE, or --all-stores",
        )
    at_aims, in_flight = stores.count_at_aims(change.uow, store.id)
    if store.sync_enabled and (at_aims or in_flight):
        raise Conflict(
            f"AIMS holds {at_aims} articles of the store {store.code}, and its sync is switched on.",
            why="Deleting the store here leaves them and their labels at AIMS, managed by nobody. Delete the spaces "
            "and rooms first to remove them there too, or switch the sync off to say that they may stay.",
            fix=f"electis store update {store.code} --no-sync-enabled",
        )
    if in_flight:
        raise LockHeld(
            f"Changes of the store {store.code} are on their way to AIMS.",
            fix=f"try again in a minute: electis store delete {store.code}",
        )


def _name(text: str) -> str:
    cleaned = " ".join(text.split())
    if not 1 <= len(cleaned) <= _LONGEST_NAME:
        raise InvalidInput("A store's name has 1 to 200 characters.", fix="--name NAME")
    return cleaned


def _timezone(name: str) -> str:
    return check_timezone(name, frozenset(zoneinfo.available_timezones()))


def _interval(minutes: int) -> int:
    if not 1 <= minutes <= LONGEST_INTERVAL:
        raise InvalidInput(
            f"A full sync every {minutes} minutes is not possible.",
            why="The interval is 1 minute to 7 days (10080 minutes).",
            fix="--full-sync-minutes 15",
        )
    return minutes


def _view(read: Reading, store: Store) -> StoreView:
    return view_store(store, stores.count_facts(read.uow, [store.id])[store.id])
