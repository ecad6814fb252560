"""The article ledger: its rows, bumps by writers, and what is written into it row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from electis_cli.db.bulk import update_many
from electis_cli.db.rows import among, chunks, columns_of, mine
from electis_cli.db.tables import articles, dead_letters
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import LedgerRow, State

SEQUENCE = "desired_seq"

_COLUMNS = columns_of(articles, LedgerRow)
_STATE_AT = LedgerRow._fields.index("state")
_STATES = {state.value: state for state in State}
ROWS = sa.select(*_COLUMNS)
"""The query of ledger rows, without any condition."""


def row_of(row: Sequence[Any]) -> LedgerRow:
    """Return the ledger row that a row of the query `ROWS` is."""
    values = list(row)
    values[_STATE_AT] = _STATES[values[_STATE_AT]]
    return LedgerRow._make(values)


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
            "touched_seq": first + place,
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
        update=_bumped,
    )
    for piece in chunks(changes):
        uow.execute(
            dead_letters.update()
            .where(
                mine(uow, dead_letters),
                dead_letters.c.store_id == store_id,
                dead_letters.c.kind == "article",
                among(uow, dead_letters.c.subject, piece),
                dead_letters.c.ended_at.is_(None),
            )
            .values(ended_at=now, ended_by="edit")
        )
    uow.announce_work(store_id)


def bump_many(uow: UnitOfWork, store_id: str, touched: sa.FromClause, count: int, now: datetime) -> None:
    """Make `count` articles dirty like `bump`, those of a table with the columns `article_id`, `gone` and `nth`.

    `nth` counts from 0 in the order in which they must be pushed; the table stands on the database's side.
    """
    if not count:
        return
    first = uow.take_numbers(SEQUENCE, count)
    number = touched.c.nth + sa.literal(first, sa.BigInteger())
    values: dict[str, Any] = {
        "org_id": sa.literal(uow.tenant),
        "store_id": sa.literal(store_id),
        "article_id": touched.c.article_id,
        "desired_version": sa.literal(1),
        "desired_seq": number,
        "touched_seq": number,
        "desired_deleted": touched.c.gone,
        "synced_version": sa.literal(0),
        "state": sa.literal(State.ACTIVE.value),
        "attempts": sa.literal(0),
        "doubts": sa.literal(0),
        "created_at": sa.literal(now, UtcDateTime()),
    }
    # In one order, as every writer locks them; `WHERE true` tells SQLite that ON CONFLICT is no join's ON.
    rows = sa.select(*values.values()).where(sa.true()).order_by(touched.c.article_id)
    kind: Any = sqlite.insert if uow.is_sqlite else postgresql.insert
    insert = kind(articles).from_select(list(values), rows)
    uow.execute(
        insert.on_conflict_do_update(
            index_elements=["org_id", "store_id", "article_id"], set_=_bumped(insert.excluded)
        )
    )
    among_them = sa.select(touched.c.article_id)
    dead = sa.and_(
        mine(uow, dead_letters),
        dead_letters.c.store_id == store_id,
        dead_letters.c.kind == "article",
        dead_letters.c.ended_at.is_(None),
    )
    # Noted remote values belonged to whoever sat there before; looking once more costs only a settle window.
    odd = sa.and_(mine(uow, articles), articles.c.store_id == store_id, articles.c.odd_hash.is_not(None))
    # There are few of either, mostly none, and looking through a hundred thousand articles for them takes its time.
    if uow.execute(sa.select(sa.exists().where(dead))).scalar_one():
        uow.execute(
            dead_letters.update()
            .where(dead, dead_letters.c.subject.in_(among_them))
            .values(ended_at=now, ended_by="edit")
        )
    if uow.execute(sa.select(sa.exists().where(odd))).scalar_one():
        uow.execute(
            articles.update()
            .where(odd, articles.c.article_id.in_(among_them))
            .values(odd_hash=None, odd_since=None, next_attempt_at=None)
        )
    uow.announce_work(store_id)


def _bumped(new: Any) -> dict[str, Any]:
    """Return what a new edit makes of a row that is there; `new` is the row that would be inserted."""
    return {
        "desired_version": articles.c.desired_version + 1,
        "desired_seq": new.desired_seq,
        "touched_seq": new.touched_seq,
        "desired_deleted": new.desired_deleted,
        "state": new.state,
        "attempts": 0,
        "doubts": 0,
        "next_attempt_at": None,
        "error_class": None,
        "error_text": None,
    }


def rows_by_id(
    uow: UnitOfWork, store_id: str, article_ids: Iterable[str], *, lock: bool = False
) -> dict[str, LedgerRow]:
    """Return the ledger rows of some articles, by id."""
    found: dict[str, LedgerRow] = {}
    for piece in chunks(sorted(set(article_ids))):
        statement = ROWS.where(
            mine(uow, articles), articles.c.store_id == store_id, among(uow, articles.c.article_id, piece)
        ).order_by(articles.c.article_id)
        for row in uow.execute(statement.with_for_update() if lock else statement).all():
            found[row[0]] = row_of(row)
    return found


def rows_in_states(
    uow: UnitOfWork, store_ids: Sequence[str], states: Sequence[State]
) -> dict[tuple[str, str], LedgerRow]:
    """Return the rows that wait for a person, by store and article id."""
    statement = sa.select(articles.c.store_id, *_COLUMNS).where(
        mine(uow, articles),
        articles.c.store_id.in_(store_ids),
        articles.c.state.in_([state.value for state in states]),
    )
    return {(row[0], row[1]): row_of(row[1:]) for row in uow.execute(statement)}


def last_number(uow: UnitOfWork) -> int:
    """Return the last number that any change, claim or acknowledgement took."""
    return uow.last_number(SEQUENCE)


def leap(uow: UnitOfWork, number: int) -> None:
    """Let the next number be beyond `number`."""
    uow.skip_numbers(SEQUENCE, number)


def all_rows(uow: UnitOfWork, store_id: str) -> dict[str, LedgerRow]:
    """Return every ledger row of a store, by article id."""
    statement = ROWS.where(mine(uow, articles), articles.c.store_id == store_id)
    return {row[0]: row_of(row) for row in uow.execute(statement)}


def unsettled_rows(uow: UnitOfWork, store_id: str) -> list[LedgerRow]:
    """Return the rows of a store that are not synced, in the order in which they were changed."""
    statement = ROWS.where(
        mine(uow, articles),
        articles.c.store_id == store_id,
        sa.or_(
            articles.c.state != State.ACTIVE.value, articles.c.desired_version > articles.c.synced_version
        ),
    ).order_by(articles.c.desired_seq)
    return [row_of(row) for row in uow.execute(statement)]


def rows_to_verify(uow: UnitOfWork, store_id: str, now: datetime, limit: int) -> list[LedgerRow]:
    """Return acknowledged rows whose settle window is over: they are read once more."""
    statement = (
        ROWS.where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            articles.c.verify_after <= now,
            articles.c.desired_version == articles.c.synced_version,
        )
        .order_by(articles.c.verify_after)
        .limit(limit)
    )
    return [row_of(row) for row in uow.execute(statement)]


def newest_agreed_row(uow: UnitOfWork, store_id: str) -> LedgerRow | None:
    """Return the article that both sides agreed on last and that nothing is under way for, or None."""
    statement = (
        ROWS.where(
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
    found = uow.execute(statement).one_or_none()
    return row_of(found) if found else None


def update_rows(uow: UnitOfWork, store_id: str, changes: Iterable[Mapping[str, Any]]) -> None:
    """Write columns of several rows: every mapping has `article_id` and the same other columns."""
    rows = list(changes)
    if rows:
        where = [mine(uow, articles), articles.c.store_id == store_id]
        update_many(uow.connection, articles, rows, key="article_id", where=where)


def forget_observations(uow: UnitOfWork, store_id: str, article_ids: Iterable[str]) -> None:
    """Drop noted remote values: who sits there changed, and the value was meant for somebody else."""
    for piece in chunks(sorted(set(article_ids))):
        uow.execute(
            articles.update()
            .where(
                mine(uow, articles),
                articles.c.store_id == store_id,
                among(uow, articles.c.article_id, piece),
                articles.c.odd_hash.is_not(None),
            )
            .values(odd_hash=None, odd_since=None, next_attempt_at=None)
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
