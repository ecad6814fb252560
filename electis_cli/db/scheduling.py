"""What the daemon's scheduler asks across all organizations; its only unbound look at tenant tables."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from electis_cli.db import label_queue
from electis_cli.db.due import is_due, is_time
from electis_cli.db.tables import aims_accounts, articles, commands, label_links, organizations, stores
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.commands import CommandState
from electis_cli.domain.queue import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A store of some organization."""

    org_id: str
    store_id: str
    code: str


def stores_to_push(uow: UnitOfWork, now: datetime) -> list[Place]:
    """Return the stores that have due work and may be pushed, of all organizations."""
    return [
        Place(org_id=row[0], store_id=row[1], code=row[2]) for row in uow.execute(_to_push(), {"moment": now})
    ]


# Put together once: a daemon asks it all the time, and again for every edit that wakes it.
@functools.cache
def _to_push() -> sa.Select[tuple[str, str, str]]:
    now = sa.bindparam("moment", type_=UtcDateTime())
    due = (
        sa.select(articles.c.org_id, articles.c.store_id)
        .where(is_due(now))
        .union(
            sa.select(label_links.c.org_id, label_links.c.store_id).where(
                label_links.c.state == State.ACTIVE.value,
                sa.not_(
                    # A deleted article's wishes are dormant: nothing can be done until it comes back.
                    sa.exists().where(
                        articles.c.org_id == label_links.c.org_id,
                        articles.c.store_id == label_links.c.store_id,
                        articles.c.article_id == label_links.c.desired_article,
                        articles.c.desired_deleted.is_(True),
                    )
                ),
                is_time(label_links.c.next_attempt_at, now),
                label_queue.is_dirty(),
            ),
            sa.select(commands.c.org_id, commands.c.store_id).where(
                commands.c.state == CommandState.PENDING.value,
                commands.c.expires_at > now,
                is_time(commands.c.next_attempt_at, now),
            ),
        )
        .subquery()
    )
    return (
        sa.select(stores.c.org_id, stores.c.id, stores.c.code)
        .select_from(
            stores.join(due, sa.and_(due.c.org_id == stores.c.org_id, due.c.store_id == stores.c.id))
            .join(organizations, organizations.c.id == stores.c.org_id)
            .outerjoin(aims_accounts, aims_accounts.c.org_id == stores.c.org_id)
        )
        .where(
            stores.c.sync_enabled.is_(True),
            stores.c.paused_at.is_(None),
            organizations.c.aims_base_url.is_not(None),
            organizations.c.article_format.is_not(None),
            sa.or_(aims_accounts.c.breaker.is_(None), aims_accounts.c.breaker != "open"),
            is_time(aims_accounts.c.backoff_until, now),
            is_time(stores.c.backoff_until, now),
        )
        .order_by(stores.c.org_id, stores.c.code)
    )


def stores_to_sync(uow: UnitOfWork, now: datetime) -> list[Place]:
    """Return the stores whose full sync is due, of all organizations; an account that is stopped waits."""
    statement = (
        sa.select(
            stores.c.org_id,
            stores.c.id,
            stores.c.code,
            stores.c.last_sync_at,
            stores.c.next_sync_at,
            stores.c.full_sync_minutes,
        )
        .select_from(
            stores.join(organizations, organizations.c.id == stores.c.org_id).outerjoin(
                aims_accounts, aims_accounts.c.org_id == stores.c.org_id
            )
        )
        .where(
            stores.c.sync_enabled.is_(True),
            organizations.c.aims_base_url.is_not(None),
            organizations.c.article_format.is_not(None),
            sa.or_(aims_accounts.c.breaker.is_(None), aims_accounts.c.breaker != "open"),
        )
        .order_by(stores.c.org_id, stores.c.code)
    )
    due = []
    for org_id, store_id, code, last, retry_at, minutes in uow.execute(statement):
        at = retry_at or (last + timedelta(minutes=minutes) if last else None)
        if at is None or at <= now:
            due.append(Place(org_id=org_id, store_id=store_id, code=code))
    return due


def organization_ids(uow: UnitOfWork) -> list[str]:
    """Return the ids of all organizations."""
    return list(uow.execute(sa.select(organizations.c.id).order_by(organizations.c.code)).scalars())
