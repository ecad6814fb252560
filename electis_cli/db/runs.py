"""Full sync runs and the conflicts they met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import mine, one_or_none
from electis_cli.db.tables import articles, sync_conflicts, sync_runs
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.queue import State


def insert_run(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert a full sync run."""
    uow.execute(sync_runs.insert(), {**values, "org_id": uow.tenant})


def update_run(uow: UnitOfWork, run_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a run."""
    uow.execute(sync_runs.update().where(mine(uow, sync_runs), sync_runs.c.id == run_id).values(**values))


def end_abandoned_runs(uow: UnitOfWork, store_id: str, now: datetime) -> None:
    """End the runs of a store whose process died; whoever calls holds the store's run lease."""
    uow.execute(
        sync_runs.update()
        .where(mine(uow, sync_runs), sync_runs.c.store_id == store_id, sync_runs.c.state == "running")
        .values(state="interrupted", ended_at=now)
    )


def end_held_runs(uow: UnitOfWork, store_id: str, *, but: str | None) -> None:
    """End the held runs of a store that a newer one made pointless, but for the one that was just approved."""
    held = [mine(uow, sync_runs), sync_runs.c.store_id == store_id, sync_runs.c.state == "held"]
    if but is not None:
        held.append(sync_runs.c.id != but)
    uow.execute(sync_runs.update().where(*held).values(state="superseded"))


def find_run(uow: UnitOfWork, run_id: str) -> dict[str, Any] | None:
    """Return a run, or None."""
    row = one_or_none(uow, sa.select(sync_runs).where(mine(uow, sync_runs), sync_runs.c.id == run_id))
    return dict(row) if row else None


def list_runs(uow: UnitOfWork, store_ids: Sequence[str], *, limit: int | None = None) -> list[dict[str, Any]]:
    """Return runs, newest first."""
    statement = (
        sa.select(sync_runs)
        .where(mine(uow, sync_runs), sync_runs.c.store_id.in_(store_ids))
        .order_by(sync_runs.c.started_at.desc(), sync_runs.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in uow.execute(statement).mappings()]


def insert_conflict(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Keep a conflict: base, local, remote and what was chosen."""
    uow.execute(sync_conflicts.insert(), {**values, "org_id": uow.tenant})


def count_fights(
    uow: UnitOfWork, store_id: str, article_id: str, remote: Mapping[str, str], since: datetime
) -> int:
    """Return how often this very value of AIMS lost against ours since a moment."""
    statement = sa.select(sync_conflicts.c.remote).where(
        mine(uow, sync_conflicts),
        sync_conflicts.c.store_id == store_id,
        sync_conflicts.c.article_id == article_id,
        sync_conflicts.c.at >= since,
        sync_conflicts.c.choice != "aims",
    )
    return sum(1 for (kept,) in uow.execute(statement) if kept == dict(remote))


def list_conflicts(uow: UnitOfWork, store_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the conflicts kept, newest first."""
    statement = (
        sa.select(sync_conflicts)
        .where(mine(uow, sync_conflicts), sync_conflicts.c.store_id.in_(store_ids))
        .order_by(sync_conflicts.c.at.desc(), sync_conflicts.c.id.desc())
    )
    return [dict(row) for row in uow.execute(statement).mappings()]


def newest_conflict(uow: UnitOfWork, store_id: str, article_id: str) -> dict[str, Any] | None:
    """Return the last conflict that was kept of an article, or None."""
    statement = (
        sa.select(sync_conflicts)
        .where(
            mine(uow, sync_conflicts),
            sync_conflicts.c.store_id == store_id,
            sync_conflicts.c.article_id == article_id,
        )
        .order_by(sync_conflicts.c.at.desc(), sync_conflicts.c.id.desc())
        .limit(1)
    )
    row = one_or_none(uow, statement)
    return dict(row) if row else None


def decide_conflict(uow: UnitOfWork, conflict_id: str, values: Mapping[str, Any]) -> None:
    """Write down what a person chose."""
    uow.execute(
        sync_conflicts.update()
        .where(mine(uow, sync_conflicts), sync_conflicts.c.id == conflict_id)
        .values(**values)
    )


def forget_conflicts(uow: UnitOfWork, before: datetime) -> int:
    """Delete conflicts that nobody needs any more, and return how many went; what waits for a person stays."""
    waiting = sa.exists().where(
        articles.c.org_id == sync_conflicts.c.org_id,
        articles.c.store_id == sync_conflicts.c.store_id,
        articles.c.article_id == sync_conflicts.c.article_id,
        articles.c.state.in_([State.CONFLICT.value, State.HELD.value]),
    )
    statement = sync_conflicts.delete().where(
        mine(uow, sync_conflicts), sync_conflicts.c.at < before, sa.not_(waiting)
    )
    return uow.count_changed(statement)
