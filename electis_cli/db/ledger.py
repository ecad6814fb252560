"""The article ledger: bumps by writers, claims and acknowledgements by the pusher."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from electis_cli.db.bulk import update_many, updating
from electis_cli.db.rows import among, among_named, chunks, columns_of, listed_value, mine
from electis_cli.db.tables import articles, conference_rooms, dead_letters, spaces
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import LedgerRow, State

SEQUENCE = "desired_seq"
_WALK = 5000


_COLUMNS = columns_of(articles, LedgerRow)
_STATE_AT = LedgerRow._fields.index("state")
_STATES = {state.value: state for state in State}
_ROWS = sa.select(*_COLUMNS)


def _row(row: Sequence[Any]) -> LedgerRow:
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
        statement = _ROWS.where(
            mine(uow, articles), articles.c.store_id == store_id, among(uow, articles.c.article_id, piece)
        ).order_by(articles.c.article_id)
        for row in uow.execute(statement.with_for_update() if lock else statement).all():
            found[row[0]] = _row(row)
    return found


def expected_ids(uow: UnitOfWork, store_id: str) -> Iterator[list[str]]:
    """Yield, a few thousand at a time, the ids of all articles that are not agreed to be absent."""
    columns, last = articles.c, ""
    while True:
        statement = (
            sa.select(columns.article_id)
            .where(
                mine(uow, articles),
                columns.store_id == store_id,
                columns.article_id > last,
                sa.not_(
                    sa.and_(
                        columns.desired_deleted.is_(True),
                        columns.desired_version == columns.synced_version,
                        columns.inflight_version.is_(None),
                    )
                ),
            )
            .order_by(columns.article_id)
            .limit(_WALK)
        )
        ids = list(uow.execute(statement).scalars())
        if ids:
            yield ids
        if len(ids) < _WALK:
            return
        last = ids[-1]


def unmet_ids(uow: UnitOfWork, store_id: str, room_prefix: str) -> list[str]:
    """Return the articles of spaces and rooms that the ledger does not know: an upgrade, or a bug."""
    found: list[str] = []
    for table, article_id in (
        (spaces, spaces.c.external_id),
        (conference_rooms, sa.literal(room_prefix) + conference_rooms.c.external_id),
    ):
        # Not as a join: without statistics PostgreSQL compares every article with every other one.
        statement = sa.except_(
            sa.select(article_id).where(mine(uow, table), table.c.store_id == store_id),
            sa.select(articles.c.article_id).where(mine(uow, articles), articles.c.store_id == store_id),
        )
        found.extend(uow.execute(statement).scalars())
    return found


def sizes(uow: UnitOfWork, store_id: str, *, since: int) -> tuple[int, int, int]:
    """Return how many articles have a base and are wanted, how many of those stood still, and the spaces and rooms.

    What stood still has not moved since the sequence stood at `since`.
    """
    has_stood = sa.case((articles.c.touched_seq <= since, 1))
    bases = sa.select(sa.func.count(), sa.func.count(has_stood)).where(
        mine(uow, articles),
        articles.c.store_id == store_id,
        articles.c.desired_deleted.is_(False),
        articles.c.base_hash.is_not(None),
        articles.c.base_hash != ABSENT,
    )
    local = 0
    for table in (spaces, conference_rooms):
        statement = sa.select(sa.func.count()).where(mine(uow, table), table.c.store_id == store_id)
        local += uow.execute(statement).scalar_one()
    count, stood = uow.execute(bases).one()
    return count, stood, local


def rows_in_states(
    uow: UnitOfWork, store_ids: Sequence[str], states: Sequence[State]
) -> dict[tuple[str, str], LedgerRow]:
    """Return the rows that wait for a person, by store and article id."""
    statement = sa.select(articles.c.store_id, *_COLUMNS).where(
        mine(uow, articles),
        articles.c.store_id.in_(store_ids),
        articles.c.state.in_([state.value for state in states]),
    )
    return {(row[0], row[1]): _row(row[1:]) for row in uow.execute(statement)}


def last_number(uow: UnitOfWork) -> int:
    """Return the last number that any change, claim or acknowledgement took."""
    return uow.last_number(SEQUENCE)


def leap(uow: UnitOfWork, number: int) -> None:
    """Let the next number be beyond `number`."""
    uow.skip_numbers(SEQUENCE, number)


def note_equal(
    uow: UnitOfWork,
    store_id: str,
    seen: Iterable[tuple[str, str | None, bool]],
    now: datetime,
    *,
    untouched_since: int,
) -> None:
    """Note that articles were read back equal (with AIMS's word for their last update), unless they moved since."""
    rows = [
        {
            "b_article_id": article_id,
            "b_remote_updated": updated,
            "b_at": now,
            "b_equal_at": now if is_verbatim else None,
        }
        for article_id, updated, is_verbatim in seen
    ]
    if not rows:
        return
    columns = articles.c
    statement = (
        articles.update()
        .where(
            mine(uow, articles),
            columns.store_id == store_id,
            columns.article_id == sa.bindparam("b_article_id"),
            columns.touched_seq <= untouched_since,
        )
        .values(
            read_equal_at=sa.func.coalesce(
                columns.read_equal_at, sa.bindparam("b_equal_at", type_=UtcDateTime)
            ),
            last_seen_remote_at=sa.bindparam("b_at", type_=UtcDateTime),
            remote_updated=sa.bindparam("b_remote_updated"),
            verify_after=sa.case(
                (columns.verify_after <= sa.bindparam("b_at", type_=UtcDateTime), None),
                else_=columns.verify_after,
            ),
            missing_since=None,
            odd_hash=None,
            odd_since=None,
        )
    )
    uow.execute(statement, rows)


def all_rows(uow: UnitOfWork, store_id: str) -> dict[str, LedgerRow]:
    """Return every ledger row of a store, by article id."""
    statement = _ROWS.where(mine(uow, articles), articles.c.store_id == store_id)
    return {row[0]: _row(row) for row in uow.execute(statement)}


def unsettled_rows(uow: UnitOfWork, store_id: str) -> list[LedgerRow]:
    """Return the rows of a store that are not synced, in the order in which they were changed."""
    statement = _ROWS.where(
        mine(uow, articles),
        articles.c.store_id == store_id,
        sa.or_(
            articles.c.state != State.ACTIVE.value, articles.c.desired_version > articles.c.synced_version
        ),
    ).order_by(articles.c.desired_seq)
    return [_row(row) for row in uow.execute(statement)]


def _due(uow: UnitOfWork, store_id: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        mine(uow, articles),
        articles.c.store_id == store_id,
        articles.c.state == State.ACTIVE.value,
        articles.c.desired_version > articles.c.synced_version,
        sa.or_(articles.c.next_attempt_at.is_(None), articles.c.next_attempt_at <= now),
    ]


# Put together once: a push asks these for every batch, and one of a single edit for little else.
@functools.cache
def _due_query(*, is_claim: bool, is_sqlite: bool) -> sa.Select[Any]:
    table = articles.c
    now = sa.bindparam("moment", type_=UtcDateTime())
    in_flight = sa.case((table.inflight_version.is_not(None), table.last_tried_at))
    # Both mean the same, as the one is never below the other. The second keeps databases without statistics from
    # going through the index of all dirty articles once a batch, where a batch is found by its ids.
    is_dirty = table.desired_version > table.synced_version
    if is_claim:
        is_dirty = table.desired_version != table.synced_version
    statement = (
        (_ROWS if is_claim else sa.select(table.article_id, in_flight))
        .where(
            table.org_id == sa.bindparam("org"),
            table.store_id == sa.bindparam("store"),
            table.state == State.ACTIVE.value,
            is_dirty,
            sa.or_(table.next_attempt_at.is_(None), table.next_attempt_at <= now),
            table.desired_deleted == sa.bindparam("gone"),
        )
        # A row in doubt goes after the others: one that never gets an answer must not keep a store waiting.
        .order_by(table.doubts, table.desired_seq)
    )
    if not is_claim:
        return statement.limit(sa.bindparam("most"))
    listed = among_named(table.article_id, "ids", is_sqlite=is_sqlite)
    return statement.where(listed).with_for_update(skip_locked=True)


def due_ids(
    uow: UnitOfWork, store_id: str, now: datetime, *, limit: int, tombstones: bool
) -> list[tuple[str, datetime | None]]:
    """Return the articles to push now, as `due_rows` orders them, and when each was sent without an answer yet."""
    statement = _due_query(is_claim=False, is_sqlite=uow.is_sqlite)
    values = {"org": uow.tenant, "store": store_id, "moment": now, "gone": tombstones, "most": limit}
    return [(row[0], row[1]) for row in uow.execute(statement, values).all()]


def due_rows(
    uow: UnitOfWork, store_id: str, now: datetime, *, tombstones: bool, ids: Iterable[str]
) -> list[LedgerRow]:
    """Claim (lock) those of some articles that are still due, in the order in which they were changed.

    Either tombstones, or all others.
    """
    statement = _due_query(is_claim=True, is_sqlite=uow.is_sqlite)
    values = {"org": uow.tenant, "store": store_id, "moment": now, "gone": tombstones}
    found = uow.execute(statement, {**values, "ids": listed_value(uow, ids)}).all()
    return [_row(row) for row in found]


def count_rows(uow: UnitOfWork, store_id: str) -> int:
    """Return how many articles the ledger knows in a store."""
    statement = (
        sa.select(sa.func.count())
        .select_from(articles)
        .where(mine(uow, articles), articles.c.store_id == store_id)
    )
    count: int = uow.execute(statement).scalar_one()
    return count


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
        _ROWS.where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            articles.c.verify_after <= now,
            articles.c.desired_version == articles.c.synced_version,
        )
        .order_by(articles.c.verify_after)
        .limit(limit)
    )
    return [_row(row) for row in uow.execute(statement)]


def newest_agreed_row(uow: UnitOfWork, store_id: str) -> LedgerRow | None:
    """Return the article that both sides agreed on last and that nothing is under way for, or None."""
    statement = (
        _ROWS.where(
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
    return _row(found) if found else None


def acknowledging(
    uow: UnitOfWork,
    store_id: str,
    article_ids: Iterable[str],
    *,
    epoch: int,
    number: int | sa.ScalarSelect[int],
    now: datetime,
    verify_after: datetime,
) -> sa.Update:
    """Return the statement that notes that AIMS took what is in flight.

    Both sides agree on it then, though nobody read it back yet. What a claim of another epoch sent stays as it is; a
    row that changed meanwhile stays dirty.
    """
    table = articles.c
    is_same = table.inflight_hash == table.base_hash
    return (
        articles.update()
        .where(
            mine(uow, articles),
            table.store_id == store_id,
            among(uow, table.article_id, article_ids),
            table.inflight_epoch == epoch,
            table.inflight_version.is_not(None),
        )
        .values(
            touched_seq=number,
            synced_version=table.inflight_version,
            base=table.inflight_content,
            base_hash=table.inflight_hash,
            echo=sa.case((is_same, table.echo), else_=sa.null()),
            echo_rounds=sa.case((is_same, table.echo_rounds), else_=0),
            read_equal_at=None,
            last_seen_remote_at=None,
            inflight_version=None,
            inflight_hash=None,
            inflight_content=sa.null(),
            inflight_epoch=None,
            attempts=0,
            doubts=0,
            next_attempt_at=None,
            error_class=None,
            error_text=None,
            acked_at=now,
            verify_after=verify_after,
            missing_since=None,
            odd_hash=None,
            odd_since=None,
        )
    )


def update_rows(uow: UnitOfWork, store_id: str, changes: Iterable[Mapping[str, Any]]) -> None:
    """Write columns of several rows: every mapping has `article_id` and the same other columns."""
    rows = list(changes)
    if rows:
        where = [mine(uow, articles), articles.c.store_id == store_id]
        update_many(uow.connection, articles, rows, key="article_id", where=where)


def send_rows(uow: UnitOfWork, store_id: str, changes: Sequence[Mapping[str, Any]]) -> int:
    """Write columns of rows that are about to be sent, like `update_rows`, and return the number this takes."""
    if uow.is_sqlite or not changes:
        number = uow.take_numbers(SEQUENCE, 1)
        update_rows(uow, store_id, [{**row, "touched_seq": number} for row in changes])
        return number
    where = [mine(uow, articles), articles.c.store_id == store_id]
    columns, statement = updating(uow.connection, articles, changes, key="article_id", where=where)
    taken = sa.select(sa.func.nextval(SEQUENCE).label("number")).cte("taken")
    numbered = statement.values(touched_seq=sa.select(taken.c.number).scalar_subquery())
    written = numbered.returning(articles.c.article_id).cte("written")
    count = sa.select(sa.func.count()).select_from(written).scalar_subquery()
    found: int = uow.execute(sa.select(taken.c.number, count), columns.parameters).one()[0]
    return found


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


def count_moving(uow: UnitOfWork, store_id: str, since: int) -> int:
    """Return how many articles moved since the sequence stood at `since`: what a listing may miscount by."""
    statement = (
        sa.select(sa.func.count())
        .select_from(articles)
        .where(
            mine(uow, articles),
            articles.c.store_id == store_id,
            sa.or_(articles.c.inflight_version.is_not(None), articles.c.touched_seq > since),
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
