"""The daemons that share the database: when each was last heard of, by the database's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from electis_cli.db.tables import daemons
from electis_cli.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A daemon that said that it runs; past `alive_until` it is taken for frozen or gone."""

    id: str
    holder: str
    machine: str
    process_id: int
    version: str
    started_at: datetime
    heard_at: datetime
    alive_until: datetime


def save_heartbeat(uow: UnitOfWork, daemon: Daemon) -> None:
    """Write down that a daemon was heard of; one that was forgotten meanwhile is there again."""
    values = {name: getattr(daemon, name) for name in Daemon.__dataclass_fields__}
    uow.upsert(
        daemons,
        [values],
        key=["id"],
        update=lambda new: {"heard_at": new.heard_at, "alive_until": new.alive_until},
    )


def delete_daemon(uow: UnitOfWork, daemon_id: str) -> None:
    """Forget a daemon that stopped."""
    uow.execute(daemons.delete().where(daemons.c.id == daemon_id))


def forget_silent_daemons(uow: UnitOfWork, before: datetime) -> int:
    """Forget the daemons that were last heard of before a moment; returns how many there were."""
    return uow.count_changed(daemons.delete().where(daemons.c.heard_at < before))


def list_daemons(uow: UnitOfWork) -> list[Daemon]:
    """Return all daemons, the oldest first."""
    statement = sa.select(daemons).order_by(daemons.c.started_at, daemons.c.id)
    return [
        Daemon(**{name: row[name] for name in Daemon.__dataclass_fields__})
        for row in uow.execute(statement).mappings()
    ]
