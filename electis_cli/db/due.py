"""What is due, and which kinds of work a store has to push right now, asked in one statement."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db import label_queue
from electis_cli.db.tables import articles, commands, label_links
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.commands import OPEN_STATES
from electis_cli.domain.queue import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Which kinds of work a store has."""

    wishes: bool
    articles: bool
    tombstones: bool
    commands: bool
    """Any that wait or are on their way: those that nobody sends any more have to be ended."""

    def __bool__(self) -> bool:
        """True when there is any work."""
        return self.wishes or self.articles or self.tombstones or self.commands


DIRTY = articles.c.desired_version > articles.c.synced_version
"""What AIMS has not acknowledged: `LedgerRow.is_dirty` as SQL."""


def is_time(column: sa.Column[datetime], now: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a moment to wait for has come, or that there is none; `now` may be a parameter."""
    return sa.or_(column.is_(None), column <= now)


def is_due(now: Any, *, is_dirty: sa.ColumnElement[bool] = DIRTY) -> sa.ColumnElement[bool]:
    """Return the condition that an article can be pushed right now; `now` may be a parameter."""
    is_active = articles.c.state == State.ACTIVE.value
    return sa.and_(is_active, is_dirty, is_time(articles.c.next_attempt_at, now))


_ORG, _STORE = sa.bindparam("org", type_=sa.Text()), sa.bindparam("store", type_=sa.Text())
_NOW = sa.bindparam("moment", type_=UtcDateTime())


def kinds_due() -> list[sa.Label[bool]]:
    """Return the columns `due_wishes` and so on, for `due_of`; their parameters are `org`, `store` and `moment`."""

    def article(*, is_tombstone: bool) -> sa.Exists:
        return sa.exists().where(
            articles.c.org_id == _ORG,
            articles.c.store_id == _STORE,
            articles.c.desired_deleted.is_(is_tombstone),
            is_due(_NOW),
        )

    command = sa.exists().where(
        commands.c.org_id == _ORG,
        commands.c.store_id == _STORE,
        sa.or_(*(commands.c.state == state.value for state in sorted(OPEN_STATES))),
    )
    wish = label_queue.has_unsettled(_ORG, _STORE, is_time(label_links.c.next_attempt_at, _NOW))
    return [
        wish.label("due_wishes"),
        article(is_tombstone=False).label("due_articles"),
        article(is_tombstone=True).label("due_tombstones"),
        command.label("due_commands"),
    ]


def due_of(row: sa.RowMapping) -> Due:
    """Return which kinds of work there are, of a row with the columns of `kinds_due`, maybe among others."""
    return Due(
        wishes=row["due_wishes"],
        articles=row["due_articles"],
        tombstones=row["due_tombstones"],
        commands=row["due_commands"],
    )


@functools.cache
def _due() -> sa.Executable:
    return sa.select(*kinds_due())


def what_is_due(uow: UnitOfWork, store_id: str, now: datetime) -> Due:
    """Return which kinds of work a store has right now."""
    place = {"org": uow.tenant, "store": store_id, "moment": now}
    return due_of(uow.execute(_due(), place).mappings().one())
