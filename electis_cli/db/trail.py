"""Audit rows, events and outgoing mail: written in the transaction of the change they speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import alerts, audit_log, events, outgoing_mail
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


def find_mail(uow: UnitOfWork, mail_id: str) -> dict[str, Any] | None:
    """Return one mail of the outbox with its sealed body, locked."""
    statement = sa.select(outgoing_mail).where(mine(uow, outgoing_mail), outgoing_mail.c.id == mail_id)
    row = one_or_none(uow, statement.with_for_update())
    return dict(row) if row else None


def claim_mail(uow: UnitOfWork, now: datetime, until: datetime) -> dict[str, Any] | None:
    """Take the oldest mail whose time has come: until then nobody else gets it. Returns it with its sealed body."""
    due = (
        outgoing_mail.c.org_id == uow.tenant,
        outgoing_mail.c.state == "waiting",
        outgoing_mail.c.next_attempt_at <= now,
    )
    oldest = sa.select(outgoing_mail.c.id).where(*due).order_by(outgoing_mail.c.id).limit(1)
    statement = (
        outgoing_mail.update()
        # Of two that found the same mail, the second finds its time moved when the first has committed.
        .where(*due, outgoing_mail.c.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
        .values(next_attempt_at=until, attempts=outgoing_mail.c.attempts + 1)
        .returning(outgoing_mail)
    )
    row = uow.execute(statement).mappings().one_or_none()
    return dict(row) if row else None


def supersede_mail(uow: UnitOfWork, recipient: str, kinds: Sequence[str]) -> int:
    """Wipe the bodies of mails that tell a secret which holds no more; returns how many there were."""
    statement = (
        outgoing_mail.update()
        .where(
            mine(uow, outgoing_mail),
            outgoing_mail.c.recipient == recipient,
            outgoing_mail.c.kind.in_(kinds),
            outgoing_mail.c.state.in_(["waiting", "failed"]),
        )
        .values(state="superseded", body=None)
    )
    return uow.count_changed(statement)


def count_mail(uow: UnitOfWork, state: str) -> int:
    """Return how many mails of the outbox are in a state."""
    statement = sa.select(sa.func.count()).where(mine(uow, outgoing_mail), outgoing_mail.c.state == state)
    count: int = uow.execute(statement).scalar_one()
    return count


def claim_alerts(uow: UnitOfWork, now: datetime, since: datetime) -> list[dict[str, Any]]:
    """Return the open alerts to mail now and mark them as mailed.

    These happened since they were last mailed, and nobody was mailed about their cause after `since`.
    """
    again = alerts.alias("again")
    recent = sa.exists().where(
        again.c.org_id == alerts.c.org_id, again.c.cause == alerts.c.cause, again.c.mailed_at > since
    )
    statement = (
        alerts.update()
        .where(
            mine(uow, alerts),
            alerts.c.closed_at.is_(None),
            sa.or_(alerts.c.mailed_at.is_(None), alerts.c.last_at > alerts.c.mailed_at),
            # Asked of the row itself too: after waiting for another writer only that is looked at again.
            sa.or_(alerts.c.mailed_at.is_(None), alerts.c.mailed_at <= since),
            ~recent,
        )
        .values(mailed_at=now)
        .returning(alerts)
    )
    rows = [dict(row) for row in uow.execute(statement).mappings()]
    return sorted(rows, key=lambda row: str(row["id"]))


def update_mail(
    uow: UnitOfWork, mail_id: str, values: Mapping[str, Any], *, waiting_only: bool = False
) -> None:
    """Change columns of a mail; with `waiting_only` one that was sent or wiped meanwhile stays as it is."""
    statement = outgoing_mail.update().where(mine(uow, outgoing_mail), outgoing_mail.c.id == mail_id)
    if waiting_only:
        statement = statement.where(outgoing_mail.c.state == "waiting")
    uow.execute(statement.values(**values))


def forget_health_events(uow: UnitOfWork, before: datetime) -> int:
    """Delete old signs of life: one a minute would bury everything else. Returns how many went."""
    statement = events.delete().where(mine(uow, events), events.c.name.like("health:%"), events.c.at < before)
    return uow.count_changed(statement)


def last_change(
    uow: UnitOfWork, store_id: str, entities: Mapping[str, str], imports: Mapping[str, datetime | None]
) -> dict[str, Any] | None:
    """Return the newest audit row about one of several things of a store (entity name -> id), or None.

    An import is one audit row for a whole file: `imports` names its action, and when the row at hand was last written.
    """
    about = [
        sa.and_(audit_log.c.entity == entity, audit_log.c.entity_id == entity_id)
        for entity, entity_id in entities.items()
    ]
    about += [
        sa.and_(audit_log.c.action == action, audit_log.c.at == at)
        for action, at in imports.items()
        if at is not None
    ]
    statement = (
        sa.select(audit_log)
        .where(mine(uow, audit_log), audit_log.c.store_id == store_id, sa.or_(*about))
        .order_by(audit_log.c.id.desc())
        .limit(1)
    )
    row = uow.execute(statement).mappings().one_or_none()
    return dict(row) if row else None
