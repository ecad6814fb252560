"""Alerts and dead letters: what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import among, chunks, mine, one_or_none
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
    """Return the dead letters nobody has dealt with, oldest first, each with the cause of the alert that it names."""
    statement = (
        sa.select(dead_letters, alerts.c.cause)
        .join(
            alerts,
            sa.and_(alerts.c.org_id == dead_letters.c.org_id, alerts.c.id == dead_letters.c.alert_id),
        )
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
            dead_letters.c.ended_at.is_(None),
        )
        .values(ended_at=now, ended_by=how)
    )
    return sum(
        uow.count_changed(statement.where(among(uow, dead_letters.c.subject, piece)))
        for piece in chunks(sorted(set(subjects)))
    )


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


def claim_untold_alert(
    uow: UnitOfWork, now: datetime, *, until: datetime, since: datetime
) -> dict[str, Any] | None:
    """Take the next alert that the receiver should be told, and return it; until then nobody else gets it.

    Either one that happened since it was last told, when its cause was not told after `since`, or one whose telling
    failed and whose time has come again. Those that failed least come first.
    """
    again = alerts.alias("again")
    recent = sa.exists().where(
        again.c.org_id == alerts.c.org_id, again.c.cause == alerts.c.cause, again.c.told_at > since
    )
    is_new = sa.and_(
        alerts.c.closed_at.is_(None),
        sa.or_(alerts.c.told_at.is_(None), alerts.c.last_at > alerts.c.told_at),
        # Asked of the row itself too: after waiting for another writer only that is looked at again.
        sa.or_(alerts.c.told_at.is_(None), alerts.c.told_at <= since),
        ~recent,
    )
    due = (mine(uow, alerts), sa.or_(is_new, alerts.c.tell_again_at <= now))
    is_retry = alerts.c.tell_again_at.is_not(None)
    order = (sa.case((is_retry, alerts.c.tell_tries), else_=0), alerts.c.id)
    next_one = sa.select(alerts.c.id).where(*due).order_by(*order).limit(1)
    statement = (
        alerts.update()
        .where(*due, alerts.c.id == next_one.with_for_update(skip_locked=True).scalar_subquery())
        .values(
            told_at=now,
            tell_again_at=until,
            tell_tries=sa.case((is_retry, alerts.c.tell_tries + 1), else_=1),
        )
        .returning(alerts)
    )
    row = uow.execute(statement).mappings().one_or_none()
    return dict(row) if row else None


def note_telling(
    uow: UnitOfWork, alert_id: str, told_at: datetime, *, error: str | None, again_at: datetime | None
) -> None:
    """Write down how telling an alert went; one that was claimed anew meanwhile stays as it is."""
    uow.execute(
        alerts.update()
        .where(mine(uow, alerts), alerts.c.id == alert_id, alerts.c.told_at == told_at)
        .values(tell_error=error, tell_again_at=again_at)
    )


def last_telling(uow: UnitOfWork) -> dict[str, Any] | None:
    """Return the alert that the receiver was told last, or should have been; None when there was none."""
    statement = (
        sa.select(alerts)
        .where(mine(uow, alerts), alerts.c.told_at.is_not(None))
        .order_by(alerts.c.told_at.desc(), alerts.c.id.desc())
        .limit(1)
    )
    row = uow.execute(statement).mappings().one_or_none()
    return dict(row) if row else None
