"""The article ledger: bumps by writers, claims and acknowledgements by the pusher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import chunks, mine
from electis_cli.db.tables import articles, dead_letters
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import LedgerRow, State

SEQUENCE = "desired_seq"


def _row(row: Any) -> LedgerRow:
    fields = {name: row[name] for name in LedgerRow.__dataclass_fields__}
    fields["state"] = State(row["state"])
    return LedgerRow(**fields)


def bump(uow: UnitOfWork, store_id: str, changes: Mapping[str, bool], now: datetime) -> None:
    """Make articles dirty: `changes` maps article ids, in the order they must be pushed, to "is deleted".

    A new edit revives a failed, held or conflicting row and ends its dead letter.
    """
    if not changes:
        return
    first = uow.take_numbers(SEQUENCE, len(changes))
    rows: list[dict[str, Any]] = [
        {
            "org_id": uow.tenant,
            "store_id": store_id,
            "article_id": article_id,
            "desired_version": 1,
            "desired_seq": first + place,
            "desired_deleted": deleted,
            "synced_version": 0,
            "state": State.ACTIVE.value,
            "attempts": 0,
            "doubts": 0,
            "created_at": now,
        }
        for place, (article_id, deleted) in enumerate(changes.items())
    ]
    # Locked in one order by every writer, whatever order they are to be pushed in: two moves can not deadlock.
    rows.sort(key=lambda row: row["article_id"])
    uow.upsert(
        articles,
        rows,
        key=["org_id", "store_id", "article_id"],
        update=lambda new: {
            "desired_version": articles.c.desired_version + 1,
            "desired_seq": new.desired_seq,
            "desired_deleted": new.desired_deleted,
            "state": new.state,
            "attempts": 0,
            "doubts": 0,
            "next_attempt_at": None,
            "error_class": None,
            "error_text": None,
        },
    )
    for piece in chunks(changes):
        uow.execute(
            dead_letters.update()
            .where(
                mine(uow, dead_letters),
                dead_letters.c.store_id == store_id,
                dead_letters.c.kind == "article",
                dead_letters.c.subject.in_(piece),
                dead_letters.c.ended_at.is_(None),
            )
            .values(ended_at=now, ended_by="edit")
        )


def rows_by_id(
    uow: UnitOfWork, store_id: str, article_ids: Iterable[str], *, lock: bool = False
) -> dict[str, LedgerRow]:
    """Return the ledger rows of some articles, by id."""
    found: dict[str, LedgerRow] = {}
    for piece in chunks(sorted(set(article_ids))):
        statement = (
            sa.select(articles)
            .where(mine(uow, articles), articles.c.store_id == store_id, articles.c.article_id.in_(piece))
            .order_by(articles.c.article_id)
        )
        for row in uow.execute(statement.with_for_update() if lock else statement).mappings():
            found[row["article_id"]] = _row(row)
    return found


def all_rows(uow: UnitOfWork, store_id: str) -> dict[str, LedgerRow]:
    """Return every ledger row of a store, by article id."""
    statement = sa.select(articles).where(mine(uow, articles), articles.c.store_id == store_id)
    return {row["article_id"]: _row(row) for row in uow.execute(statement).mappings()}


def _due(uow: UnitOfWork, store_id: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        mine(uow, articles),
        articles.c.store_id == store_id,
        articles.c.state == State.ACTIVE.value,
        articles.c.desired_version > articles.c.synced_version,
        sa.or_(articles.c.next_attempt_at.is_(None), articles.c.next_attempt_at <= now),
    ]


def due_rows(
    uow: UnitOfWork,
    store_id: str,
    now: datetime,
    *,
    limit: int,
    tombstones: bool,
    among: Iterable[str] | None = None,
) -> list[LedgerRow]:
    """Return the rows to push now, in the order in which they were changed: tombstones, or all others.

    `among` claims (locks) just those that are still due.
    """
    statement = (
        sa.select(articles)
        .where(*_due(uow, store_id, now), articles.c.desired_deleted.is_(tombstones))
        # A row in doubt goes after the others: one that never gets an answer must not keep a store waiting.
        .order_by(articles.c.doubts, articles.c.desired_seq)
        .limit(limit)
    )
    if among is None:
        return [_row(row) for row in uow.execute(statement).mappings()]
    found: list[LedgerRow] = []
    for piece in chunks(among):
        claim = statement.where(articles.c.article_id.in_(piece)).with_for_update(skip_locked=True)
        found.extend(_row(row) for row in uow.execute(claim).mappings())
    return sorted(found, key=lambda row: (row.doubts, row.desired_seq))


def count_due(uow: UnitOfWork, store_id: str, now: datetime) -> int:
    """Return how many rows could be pushed right now."""
    statement = sa.select(sa.func.count()).select_from(articles).where(*_due(uow, store_id, now))
    count: int = uow.execute(statement).scalar_one()
    return count


def next_due_at(uow: UnitOfWork, store_id: str) -> datetime | None:
    """Return when the next row that backs off is due, or None when none does."""
    statement = sa.select(sa.func.min(articles.c.next_attempt_at)).where(
        mine(uow, articles),
        articles.c.store_id == store_id,
        articles.c.state == State.ACTIVE.value,
        articles.c.desired_version > articles.c.synced_version,
    )
    moment: datetime | None = uow.execute(statement).scalar_one_or_none()
    return moment


def rows_to_verify(uow: UnitOfWork, store_id: str, now: datetime, limit: int) -> list[LedgerRow]:
    """Return acknowledged rows whose settle window is over: they are read once more."""
    statement = (
        sa.select(articles)
        .where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            articles.c.verify_after <= now,
            articles.c.desired_version == articles.c.synced_version,
        )
        .order_by(articles.c.verify_after)
        .limit(limit)
    )
    return [_row(row) for row in uow.execute(statement).mappings()]


def newest_agreed_row(uow: UnitOfWork, store_id: str) -> LedgerRow | None:
    """Return the article that both sides agreed on last and that nothing is under way for, or None."""
    statement = (
        sa.select(articles)
        .where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            articles.c.state == State.ACTIVE.value,
            articles.c.desired_deleted.is_(False),
            articles.c.desired_version == articles.c.synced_version,
            articles.c.inflight_version.is_(None),
            articles.c.base_hash.is_not(None),
            articles.c.base_hash != ABSENT,
        )
        .order_by(articles.c.acked_at.is_(None), articles.c.acked_at.desc(), articles.c.article_id)
        .limit(1)
    )
    found = uow.execute(statement).mappings().one_or_none()
    return _row(found) if found else None


def update_rows(
    uow: UnitOfWork, store_id: str, changes: Iterable[Mapping[str, Any]], *, epoch: int | None = None
) -> None:
    """Write columns of several rows: every mapping has `article_id` and the same other columns.

    With `if_version` in a mapping the row is written only while that is its in-flight version (and `epoch` its epoch).
    """
    rows = list(changes)
    if not rows:
        return
    names = [name for name in rows[0] if name not in {"article_id", "if_version"}]
    statement = articles.update().where(
        mine(uow, articles),
        articles.c.store_id == store_id,
        articles.c.article_id == sa.bindparam("b_article_id"),
    )
    if "if_version" in rows[0]:
        statement = statement.where(
            articles.c.inflight_version == sa.bindparam("b_if_version"), articles.c.inflight_epoch == epoch
        )
    statement = statement.values(
        {name: sa.bindparam("b_" + name, type_=articles.c[name].type) for name in names}
    )
    uow.execute(statement, [{"b_" + name: value for name, value in row.items()} for row in rows])


def forget_observations(uow: UnitOfWork, store_id: str, article_ids: Iterable[str]) -> None:
    """Drop noted remote values: who sits there changed, and the value was meant for somebody else."""
    for piece in chunks(sorted(set(article_ids))):
        uow.execute(
            articles.update()
            .where(
                mine(uow, articles),
                articles.c.store_id == store_id,
                articles.c.article_id.in_(piece),
                articles.c.odd_hash.is_not(None),
            )
            .values(odd_hash=None, odd_since=None, next_attempt_at=None)
        )


def count_moving(uow: UnitOfWork, store_id: str, since: datetime) -> int:
    """Return how many articles were sent or acknowledged since a moment: what a listing may miscount by."""
    statement = (
        sa.select(sa.func.count())
        .select_from(articles)
        .where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            sa.or_(
                articles.c.inflight_version.is_not(None),
                articles.c.acked_at >= since,
                articles.c.last_tried_at >= since,
            ),
        )
    )
    count: int = uow.execute(statement).scalar_one()
    return count


def wake_rows(uow: UnitOfWork, store_id: str) -> None:
    """Make every waiting row due at once: AIMS is back."""
    uow.execute(
        articles.update()
        .where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            articles.c.state == State.ACTIVE.value,
            articles.c.next_attempt_at.is_not(None),
            articles.c.odd_since.is_(None),
        )
        .values(next_attempt_at=None)
    )


def forget_tombstones(uow: UnitOfWork, before: datetime) -> int:
    """Delete tombstones whose absence AIMS confirmed long enough ago and return how many went."""
    statement = articles.delete().where(
        mine(uow, articles),
        articles.c.desired_deleted.is_(True),
        articles.c.desired_version == articles.c.synced_version,
        articles.c.acked_at < before,
        articles.c.inflight_version.is_(None),
    )
    return uow.count_changed(statement)


def count_by_status(uow: UnitOfWork, store_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return, by store, how many articles have which status."""
    status = sa.case(
        (articles.c.state != State.ACTIVE.value, articles.c.state),
        (articles.c.desired_version == articles.c.synced_version, "synced"),
        (articles.c.inflight_version.is_not(None), "syncing"),
        else_="pending",
    )
    statement = (
        sa.select(articles.c.store_id, status, sa.func.count())
        .where(mine(uow, articles), articles.c.store_id.in_(store_ids))
        .group_by(articles.c.store_id, status)
    )
    counts: dict[str, dict[str, int]] = {store_id: {} for store_id in store_ids}
    for store_id, name, count in uow.execute(statement):
        counts[store_id][name] = count
    return counts
