"""Audit rows, events and outgoing mail: written in the transaction of the change they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine
from electis_cli.db.tables import audit_log, events, outgoing_mail
from electis_cli.db.unit_of_work import UnitOfWork


def insert_audit(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Append an audit row of this organization."""
    uow.execute(audit_log.insert(), {**values, "org_id": uow.tenant})


def insert_event(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Append an event of this organization."""
    uow.execute(events.insert(), {**values, "org_id": uow.tenant})


def list_audit(
    uow: UnitOfWork, *, entity: str | None = None, entity_id: str | None = None
) -> list[dict[str, Any]]:
    """Return audit rows, oldest first."""
    statement = sa.select(audit_log).where(mine(uow, audit_log)).order_by(audit_log.c.id)
    if entity is not None:
        statement = statement.where(audit_log.c.entity == entity)
    if entity_id is not None:
        statement = statement.where(audit_log.c.entity_id == entity_id)
    return [dict(row) for row in uow.execute(statement).mappings()]


def list_events(uow: UnitOfWork, *, name: str | None = None) -> list[dict[str, Any]]:
    """Return events, oldest first."""
    statement = sa.select(events).where(mine(uow, events)).order_by(events.c.id)
    if name is not None:
        statement = statement.where(events.c.name == name)
    return [dict(row) for row in uow.execute(statement).mappings()]


def insert_mail(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Put a mail into the outbox."""
    uow.execute(outgoing_mail.insert(), {**values, "org_id": uow.tenant})


def list_mail(uow: UnitOfWork) -> list[dict[str, Any]]:
    """Return the outbox, newest first; bodies stay sealed and are not part of it."""
    columns = [column for column in outgoing_mail.c if column.name != "body"]
    statement = sa.select(*columns).where(mine(uow, outgoing_mail)).order_by(outgoing_mail.c.id.desc())
    return [dict(row) for row in uow.execute(statement).mappings()]


def due_mail(uow: UnitOfWork, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Return mails whose time has come, oldest first, with their sealed bodies."""
    statement = (
        sa.select(outgoing_mail)
        .where(
            mine(uow, outgoing_mail),
            outgoing_mail.c.state == "waiting",
            outgoing_mail.c.next_attempt_at <= now,
        )
        .order_by(outgoing_mail.c.id)
        .limit(limit)
    )
    return [dict(row) for row in uow.execute(statement).mappings()]


def update_mail(uow: UnitOfWork, mail_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a mail."""
    uow.execute(
        outgoing_mail.update().where(mine(uow, outgoing_mail), outgoing_mail.c.id == mail_id).values(**values)
    )
