"""One-shot commands to labels: written by people, claimed and ended by whoever holds the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import commands
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.commands import OPEN_STATES, Command, CommandKind, CommandState

_CHANGING = (
    "attempts", "last_tried_at", "next_attempt_at", "inflight_epoch", "answer", "error_class", "error_text", "ended_at",
)  # fmt: skip
_OPEN = [state.value for state in sorted(OPEN_STATES)]


def _command(row: Any) -> Command:
    fields = {name: row[name] for name in Command.__dataclass_fields__}
    fields |= {"kind": CommandKind(row["kind"]), "state": CommandState(row["state"])}
    return Command(**fields)


def insert_command(uow: UnitOfWork, command: Command) -> None:
    """Insert a command."""
    values = {**asdict(command), "kind": command.kind.value, "state": command.state.value}
    uow.execute(commands.insert(), {**values, "org_id": uow.tenant})
    uow.announce_work(command.store_id)


def find_command(uow: UnitOfWork, command_id: str, *, lock: bool = False) -> Command | None:
    """Return a command, or None."""
    statement = sa.select(commands).where(mine(uow, commands), commands.c.id == command_id)
    row = one_or_none(uow, statement.with_for_update() if lock else statement)
    return _command(row) if row else None


def open_commands(uow: UnitOfWork, store_ids: Collection[str], *, lock: bool = False) -> list[Command]:
    """Return the commands of some stores that have not ended, oldest first; also those whose time is over unnoticed."""
    statement = sa.select(commands).where(
        mine(uow, commands), commands.c.store_id.in_(store_ids), commands.c.state.in_(_OPEN)
    )
    if lock:
        # Locked by id, as everybody does: two who end the same commands wait instead of deadlocking.
        uow.execute(statement.order_by(commands.c.id).with_for_update()).all()
    found = uow.execute(statement.order_by(commands.c.created_at, commands.c.id)).mappings()
    return [_command(row) for row in found]


def _due(uow: UnitOfWork, store_id: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        mine(uow, commands),
        commands.c.store_id == store_id,
        commands.c.state == CommandState.PENDING.value,
        commands.c.expires_at > now,
        sa.or_(commands.c.next_attempt_at.is_(None), commands.c.next_attempt_at <= now),
    ]


def next_command(uow: UnitOfWork, store_id: str, now: datetime) -> Command | None:
    """Return the oldest command of a store that is due, or None."""
    statement = (
        sa.select(commands)
        .where(*_due(uow, store_id, now))
        .order_by(commands.c.created_at, commands.c.id)
        .limit(1)
    )
    row = one_or_none(uow, statement)
    return _command(row) if row else None


def next_due_at(uow: UnitOfWork, store_id: str, now: datetime) -> datetime | None:
    """Return when the next command of a store is due, or None when none will be before its time is over."""
    statement = sa.select(commands.c.next_attempt_at).where(
        mine(uow, commands),
        commands.c.store_id == store_id,
        commands.c.state == CommandState.PENDING.value,
        commands.c.expires_at > now,
        sa.or_(commands.c.next_attempt_at.is_(None), commands.c.next_attempt_at < commands.c.expires_at),
    )
    moments = [moment or now for (moment,) in uow.execute(statement)]
    return min(moments, default=None)


def save_command(uow: UnitOfWork, command: Command) -> bool:
    """Write what may change of a command; False when it is gone."""
    values = {name: getattr(command, name) for name in _CHANGING}
    statement = (
        commands.update()
        .where(mine(uow, commands), commands.c.id == command.id)
        .values(**values, state=command.state.value)
    )
    return uow.count_changed(statement) == 1


def count_open(uow: UnitOfWork, store_ids: Sequence[str], now: datetime) -> dict[str, int]:
    """Return, by store, how many commands wait or are on their way; those whose time is over do not."""
    statement = (
        sa.select(commands.c.store_id, sa.func.count())
        .where(
            mine(uow, commands),
            commands.c.store_id.in_(store_ids),
            sa.or_(
                commands.c.state == CommandState.SYNCING.value,
                sa.and_(commands.c.state == CommandState.PENDING.value, commands.c.expires_at > now),
            ),
        )
        .group_by(commands.c.store_id)
    )
    counts = dict.fromkeys(store_ids, 0)
    for store_id, count in uow.execute(statement):
        counts[store_id] = count
    return counts


def wake_commands(uow: UnitOfWork, store_id: str) -> None:
    """Make every waiting command due at once: AIMS is back."""
    uow.execute(
        commands.update()
        .where(
            mine(uow, commands),
            commands.c.store_id == store_id,
            commands.c.state == CommandState.PENDING.value,
            commands.c.next_attempt_at.is_not(None),
        )
        .values(next_attempt_at=None)
    )


def forget_commands(uow: UnitOfWork, before: datetime) -> int:
    """Delete commands that ended long enough ago and return how many went; the audit log keeps what they were."""
    statement = commands.delete().where(mine(uow, commands), commands.c.ended_at < before)
    return uow.count_changed(statement)
