"""Alerts and dead letters: what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import alerts, dead_letters
from electis_cli.db.unit_of_work import UnitOfWork


def raise_alert(
    uow: UnitOfWork, *, alert_id: str, cause: str, text: str, store_id: str | None, now: datetime
) -> str:
    """Open an alert for a cause, or count it once more while it is open; returns the alert's id."""
    row = one_or_none(
        uow,
        sa.select(alerts.c.id).where(
            mine(uow, alerts), alerts.c.cause == cause, alerts.c.closed_at.is_(None)
        ),
    )
    if row is not None:
        uow.execute(
            alerts.update()
            .where(mine(uow, alerts), alerts.c.id == row["id"])
            .values(last_at=now, count=alerts.c.count + 1, text=text)
        )
        return str(row["id"])
    uow.execute(
        alerts.insert(),
        {
            "org_id": uow.tenant,
            "id": alert_id,
            "store_id": store_id,
            "cause": cause,
            "text": text,
            "first_at": now,
            "last_at": now,
            "count": 1,
        },
    )
    return alert_id


def close_alert(uow: UnitOfWork, cause: str, now: datetime) -> None:
    """Close the open alert of a cause, if there is one."""
    uow.execute(
        alerts.update()
        .where(mine(uow, alerts), alerts.c.cause == cause, alerts.c.closed_at.is_(None))
        .values(closed_at=now)
    )


def list_alerts(uow: UnitOfWork, *, open_only: bool = True) -> list[dict[str, Any]]:
    """Return alerts, newest first."""
    statement = sa.select(alerts).where(mine(uow, alerts)).order_by(alerts.c.last_at.desc(), alerts.c.id)
    if open_only:
        statement = statement.where(alerts.c.closed_at.is_(None))
    return [dict(row) for row in uow.execute(statement).mappings()]


def insert_dead_letter(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert a dead letter; it names the alert that tells of it."""
    uow.execute(dead_letters.insert(), {**values, "org_id": uow.tenant})


def list_dead_letters(uow: UnitOfWork, store_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the dead letters nobody has dealt with, oldest first."""
    statement = (
        sa.select(dead_letters)
        .where(
            mine(uow, dead_letters), dead_letters.c.store_id.in_(store_ids), dead_letters.c.ended_at.is_(None)
        )
        .order_by(dead_letters.c.at, dead_letters.c.id)
    )
    return [dict(row) for row in uow.execute(statement).mappings()]


def end_dead_letters(
    uow: UnitOfWork, store_id: str, kind: str, subjects: Iterable[str], *, how: str, now: datetime
) -> int:
    """End dead letters (retry, edit, discard) and return how many there were."""
    statement = (
        dead_letters.update()
        .where(
            mine(uow, dead_letters),
            dead_letters.c.store_id == store_id,
            dead_letters.c.kind == kind,
            dead_letters.c.subject.in_(list(subjects)),
            dead_letters.c.ended_at.is_(None),
        )
        .values(ended_at=now, ended_by=how)
    )
    return uow.count_changed(statement)


def close_settled_alerts(uow: UnitOfWork, now: datetime) -> int:
    """Close the alerts whose dead letters have all been dealt with and return how many there were."""
    still_open = sa.exists().where(
        dead_letters.c.org_id == alerts.c.org_id,
        dead_letters.c.alert_id == alerts.c.id,
        dead_letters.c.ended_at.is_(None),
    )
    statement = (
        alerts.update()
        .where(
            mine(uow, alerts),
            alerts.c.closed_at.is_(None),
            alerts.c.cause.like("dead-letter:%"),
            sa.not_(still_open),
        )
        .values(closed_at=now)
    )
    return uow.count_changed(statement)
