"""Organizations: the tenants of one database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from electis_cli.db import conferences, organizations, stores
from electis_cli.domain.access import Action, Actor, is_allowed, require
from electis_cli.domain.errors import AlreadyExists, Conflict, InvalidInput
from electis_cli.domain.organizations import Strategy, check_organization_code, check_room_prefix
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.runtime import Runtime
from electis_cli.services.views import OrganizationView, view_organization

ROOM_PREFIX = "C"
_LONGEST_NAME = 200


def create_organization(
    runtime: Runtime, actor: Actor, code: str, *, name: str | None = None, dry_run: bool = False
) -> OrganizationView:
    """Create an organization, still without users; platform admins only. Raises InvalidInput, AlreadyExists."""
    require(actor, Action.CREATE_ORGANIZATION)
    check_organization_code(code)
    title = check_organization_name(name or code)
    with runtime.database.write() as uow:
        if organizations.find_organization(uow, code=code) is not None:
            raise AlreadyExists(f"The organization {code} exists already.", fix=f"electis org show {code}")
        now, org_id = runtime.clock(), runtime.new_id()
        organizations.insert_organization(uow, new_organization(org_id, code, title, now))
        uow.rebind(org_id)
        change = Change(uow=uow, scope=Scope(runtime=runtime, actor=actor, org_id=org_id), now=now)
        change.record("organization:created", "organization", org_id, after={"code": code})
        view = view_organization(change.organization())
        if not dry_run:
            uow.commit()
    return view


def list_organizations(runtime: Runtime, actor: Actor) -> list[OrganizationView]:
    """Return the actor's own organization, or all of them to platform roles and the system."""
    everything = actor.is_platform or actor.is_system
    if not everything and (actor.org_id is None or not is_allowed(actor, Action.READ)):
        return []
    with runtime.database.read(None if everything else actor.org_id) as uow:
        return [view_organization(organization) for organization in organizations.list_organizations(uow)]


def show_organization(scope: Scope) -> OrganizationView:
    """Return the scope's organization."""
    with reading(scope) as read:
        return view_organization(read.organization())


def update_organization(
    scope: Scope,
    *,
    name: str | None = None,
    room_prefix: str | None = None,
    strategy: Strategy | None = None,
    dry_run: bool = False,
) -> OrganizationView:
    """Change an organization's settings.

    The room prefix is part of every conference room's article id, so it can not change while there are rooms.
    Raises InvalidInput, Conflict.
    """
    with changing(scope, Action.CHANGE_SETTINGS, dry_run=dry_run) as change:
        before = organizations.own_organization(change.uow, lock=True)
        wanted: dict[str, Any] = {}
        if name is not None:
            wanted["name"] = check_organization_name(name)
        if room_prefix is not None and check_room_prefix(room_prefix) != before.room_prefix:
            _refuse_with_rooms(change, before.room_prefix, room_prefix)
            wanted["room_prefix"] = room_prefix
        if strategy is not None:
            wanted["strategy"] = strategy.value
        changed = {key: value for key, value in wanted.items() if getattr(before, key) != value}
        if changed:
            organizations.update_organization(change.uow, before.id, changed)
            change.record(
                "organization:updated",
                "organization",
                before.id,
                before={key: getattr(before, key) for key in changed},
                after=changed,
            )
        return view_organization(change.organization())


def check_organization_name(name: str) -> str:
    """Return an organization's name with single blanks. Raises InvalidInput when it is empty or too long."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _LONGEST_NAME:
        raise InvalidInput("An organization's name has 1 to 200 characters.", fix="--name NAME")
    return cleaned


def new_organization(org_id: str, code: str, name: str, now: datetime) -> dict[str, Any]:
    """Return the row of a new organization; the AIMS company is the code until `aims configure` says otherwise."""
    return {
        "id": org_id,
        "code": code,
        "name": name,
        "aims_company": code,
        "room_prefix": ROOM_PREFIX,
        "strategy": Strategy.MERGE.value,
        "created_at": now,
    }


def _refuse_with_rooms(change: Change, old: str, new: str) -> None:
    store_ids = [store.id for store in stores.list_stores(change.uow)]
    rooms = conferences.list_rooms(change.uow, store_ids, limit=1)
    if rooms:
        example = rooms[0].external_id
        raise Conflict(
            "The room prefix can not change while there are conference rooms.",
            why=f"The article of room {example} would become {new}{example} instead of {old}{example}, "
            "and its labels would be unlinked.",
            fix="electis conference list",
        )
