"""The daemons that share this database: each says every few seconds that it lives; people see which do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from electis_cli.db import daemons, leases, organizations, stores
from electis_cli.db.daemons import Daemon as Daemon  # noqa: PLC0414 - the daemon knows services only
from electis_cli.domain.access import Action, Actor, is_allowed, require
from electis_cli.services.runtime import Runtime

GRACE = timedelta(seconds=5)
"""How much longer than its lease a daemon may be silent: by then others have taken its stores over."""

REMEMBERED = timedelta(days=1)
LONGEST_PAUSE = 5.0

ALIVE, SILENT = "alive", "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonView:
    """A daemon as people see it; `silent` means frozen, cut off from the database, or gone."""

    id: str
    holder: str
    state: str
    machine: str
    process_id: int
    version: str
    started_at: datetime
    heard_at: datetime
    pushing: tuple[str, ...]


def pause_between_heartbeats(runtime: Runtime) -> float:
    """Return the seconds between two heartbeats: several fit into one lease."""
    return min(LONGEST_PAUSE, runtime.tuning.lease_seconds / 3)


def take_over(runtime: Runtime) -> int:
    """Free at once what the daemons before this one held, forget them, and return how many there were.

    For an embedded database only, and for whoever holds its lock: then all others are certain to be gone, and nobody
    has to wait until their leases run out.
    """
    with runtime.database.write() as uow:
        gone = daemons.list_daemons(uow)
        leases.free_leases(uow, [daemon.holder for daemon in gone])
        for daemon in gone:
            daemons.delete_daemon(uow, daemon.id)
        uow.commit()
    return len(gone)


def announce(runtime: Runtime, *, machine: str, process_id: int, version: str) -> Daemon:
    """Write down that a daemon begins, and return what it is called from now on."""
    with runtime.database.read() as uow:
        now = uow.now()
    return beat(
        runtime,
        Daemon(
            id=runtime.new_id(),
            holder=runtime.holder,
            machine=machine,
            process_id=process_id,
            version=version,
            started_at=now,
            heard_at=now,
            alive_until=now,
        ),
    )


def beat(runtime: Runtime, daemon: Daemon) -> Daemon:
    """Say that a daemon lives, by the database's clock, and forget those that were silent for a day."""
    with runtime.database.write() as uow:
        now = uow.now()
        alive_until = now + timedelta(seconds=runtime.tuning.lease_seconds) + GRACE
        daemon = replace(daemon, heard_at=now, alive_until=alive_until)
        daemons.save_heartbeat(uow, daemon)
        daemons.forget_silent_daemons(uow, now - REMEMBERED)
        uow.commit()
    return daemon


def leave(runtime: Runtime, daemon: Daemon) -> None:
    """Say that a daemon stopped because it was told to: nobody has to wonder about it."""
    with runtime.database.write() as uow:
        daemons.delete_daemon(uow, daemon.id)
        uow.commit()


def list_daemons(runtime: Runtime, actor: Actor) -> list[DaemonView]:
    """Return the daemons that were heard of within a day, the oldest first.

    Of what they push, an actor is told the stores that they may see; platform roles are told all.
    Raises PermissionRefused.
    """
    require(actor, Action.READ)
    is_gone = are_all_gone(runtime)
    with runtime.database.read() as uow:
        now = uow.now()
        found = [(daemon, leases.held_by(uow, daemon.holder)) for daemon in daemons.list_daemons(uow)]
    names = _visible_stores(runtime, actor) if any(held for _, held in found) else {}
    return [
        DaemonView(
            id=daemon.id,
            holder=daemon.holder,
            state=ALIVE if now < daemon.alive_until and not is_gone else SILENT,
            machine=daemon.machine,
            process_id=daemon.process_id,
            version=daemon.version,
            started_at=daemon.started_at,
            heard_at=daemon.heard_at,
            pushing=tuple(sorted(names[resource] for resource in held if resource in names)),
        )
        for daemon, held in found
    ]


def are_all_gone(runtime: Runtime) -> bool:
    """Tell whether certainly no daemon runs, whatever their heartbeats say; of an embedded database that is known."""
    return runtime.is_daemon_gone is not None and runtime.is_daemon_gone()


def _visible_stores(runtime: Runtime, actor: Actor) -> dict[str, str]:
    """Return `ORGANIZATION/STORE` of each store the actor may see, by the name of its push lease."""
    everything = actor.is_platform or actor.is_system
    with runtime.database.read(None if everything else actor.org_id) as uow:
        tenants = [
            tenant
            for tenant in organizations.list_organizations(uow)
            if everything or tenant.id == actor.org_id
        ]
    names: dict[str, str] = {}
    for tenant in tenants:
        with runtime.database.read(tenant.id) as uow:
            names |= {
                leases.push_resource(place.id): f"{tenant.code}/{place.code}"
                for place in stores.list_stores(uow)
                if is_allowed(actor, Action.READ, store_id=place.id)
            }
    return names
