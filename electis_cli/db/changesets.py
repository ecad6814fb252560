"""Changesets: every write of an organization's facts, row by row, with what it takes to take it back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from electis_cli.db.rows import mine
from electis_cli.db.tables import changeset_rows, changesets
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.bulk.changes import RowChange
from electis_cli.domain.bulk.nouns import Noun

_BLOCK = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Changeset:
    """One write: who did what to which noun, with which counts, and whether it was taken back."""

    id: str
    store_id: str | None
    noun: str
    action: str
    actor_email: str
    source: str
    file: str | None
    file_sha256: str | None
    counts: Mapping[str, int]
    digest: str
    undoes: str | None
    undone_by: str | None
    at: datetime


_COLUMNS = [changesets.c[name] for name in Changeset.__dataclass_fields__]


def insert_changeset(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Write a changeset; one that is written in several batches tells each time what is written by then."""
    rows = [{**values, "org_id": uow.tenant}]
    uow.upsert(
        changesets,
        rows,
        key=["org_id", "id"],
        update=lambda new: {"counts": new.counts, "digest": new.digest},
    )


def insert_rows(uow: UnitOfWork, changeset_id: str, changes: Sequence[RowChange]) -> None:
    """Write the rows of a small changeset."""
    rows = [
        {
            "org_id": uow.tenant,
            "changeset_id": changeset_id,
            "place": place,
            "noun": change.noun.value,
            "key": change.key,
            "row_id": change.row_id,
            "before": change.before,
            "after": change.after,
            "space_before": change.space_before,
            "space_after": change.space_after,
        }
        for place, change in enumerate(changes, start=1)
    ]
    if rows:
        uow.execute(changeset_rows.insert(), rows)


def digest_of(changes: Iterable[RowChange]) -> str:
    """Return the digest of a small changeset's rows."""
    digest = hashlib.sha256()
    for change in changes:
        digest.update(orjson.dumps(list(change), option=orjson.OPT_SORT_KEYS))
        digest.update(b"\n")
    return digest.hexdigest()


def insert_staged_rows(uow: UnitOfWork, changeset_id: str, *, batch: int = 0) -> None:
    """Write the staged changes of a batch as rows of a changeset."""
    uow.execute(
        sa.text(
            """INSERT INTO changeset_rows (org_id, changeset_id, place, noun, key, row_id, before, after,
                space_before, space_after)
            SELECT :org_id, :changeset_id, place, noun, key, row_id, before, after, space_before, space_after
            FROM staged_changes WHERE batch = :batch"""
        ),
        {"org_id": uow.tenant, "changeset_id": changeset_id, "batch": batch},
    )


def digest_of_staged(uow: UnitOfWork, *, up_to: int) -> str:
    """Return the digest of the staged changes up to a batch, made where they are: the sum of the rows' digests.

    Half a million rows are not read back for it; their order is part of each.
    """
    parts = ("place", "noun", "key", "before", "after", "space_before", "space_after")
    text = " || '|' || ".join(f"coalesce(CAST({part} AS text), '-')" for part in parts)
    if uow.is_sqlite:
        driver: Any = uow.connection.connection.driver_connection
        driver.create_aggregate("electis_digest", 1, _DigestSum)
        total = f"electis_digest({text})"
    else:
        total = f"coalesce(sum(CAST(CAST('x' || substr(md5({text}), 1, 12) AS bit(48)) AS bigint)), 0)"
    statement = sa.text(f"SELECT {total} FROM staged_changes WHERE batch <= :up_to")  # noqa: S608
    try:
        found = uow.execute(statement, {"up_to": up_to}).scalar_one()
    except sa.exc.OperationalError as error:
        if "user-defined aggregate" not in str(error.orig):
            raise
        # The sum cannot fail by itself; SQLite reports a Ctrl-C that met Python inside it as a failure of its own.
        raise KeyboardInterrupt from error
    return f"{int(found) % (1 << 64):016x}"


class _DigestSum:
    """The sum of rows' digests for SQLite, whose own would overflow at some 65,000 rows."""

    def __init__(self) -> None:
        self._total = 0

    def step(self, text: str) -> None:
        digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
        self._total += int.from_bytes(digest[:6], "big")

    def finalize(self) -> str:
        return str(self._total)


def find_applied(uow: UnitOfWork, digest: str) -> Changeset | None:
    """Return the change that carried out a plan, by the plan's digest, unless it was taken back."""
    statement = (
        sa.select(*_COLUMNS)
        .where(
            mine(uow, changesets),
            changesets.c.file_sha256 == digest,
            changesets.c.action.endswith(":applied", autoescape=True),
            changesets.c.undone_by.is_(None),
        )
        .order_by(changesets.c.id.desc())
        .limit(1)
    )
    row = uow.execute(statement).mappings().one_or_none()
    return Changeset(**row) if row else None


def find_changeset(uow: UnitOfWork, changeset_id: str, *, lock: bool = False) -> Changeset | None:
    """Return a changeset by its id, locked until the end of the transaction when `lock` says so."""
    statement = sa.select(*_COLUMNS).where(mine(uow, changesets), changesets.c.id == changeset_id)
    row = uow.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    return Changeset(**row) if row else None


def list_changesets(
    uow: UnitOfWork,
    *,
    store_ids: Sequence[str] | None = None,
    noun: str | None = None,
    without: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[Changeset]:
    """Return changesets, newest first; of some stores (with those of no store), of one noun or all but one."""
    statement = (
        sa.select(*_COLUMNS).where(mine(uow, changesets)).order_by(changesets.c.id.desc()).limit(limit)
    )
    if store_ids is not None:
        statement = statement.where(
            sa.or_(changesets.c.store_id.is_(None), changesets.c.store_id.in_(store_ids))
        )
    if noun is not None:
        statement = statement.where(changesets.c.noun == noun)
    if without is not None:
        statement = statement.where(changesets.c.noun != without)
    if since is not None:
        statement = statement.where(changesets.c.at >= since)
    return [Changeset(**row) for row in uow.execute(statement).mappings()]


def rows_of(
    uow: UnitOfWork, changeset_id: str, *, limit: int | None = None, key: str | None = None
) -> Iterator[RowChange]:
    """Yield the rows of a changeset in their order."""
    table = changeset_rows.c
    statement = (
        sa.select(
            table.noun,
            table.key,
            table.row_id,
            table.before,
            table.after,
            table.space_before,
            table.space_after,
        )
        .where(mine(uow, changeset_rows), table.changeset_id == changeset_id)
        .order_by(table.place)
        .limit(limit)
    )
    if key is not None:
        statement = statement.where(table.key == key)
    for row in uow.execute(statement):
        yield RowChange(Noun(row[0]), *row[1:])


def mark_undone(uow: UnitOfWork, changeset_id: str, by: str) -> bool:
    """Note that a changeset was taken back; False when it was already."""
    statement = (
        changesets.update()
        .where(mine(uow, changesets), changesets.c.id == changeset_id, changesets.c.undone_by.is_(None))
        .values(undone_by=by)
    )
    return uow.count_changed(statement) == 1


def stage_inverse(uow: UnitOfWork, changeset_id: str) -> int:
    """Stage the inverse of every row of a changeset, last first, and return how many there are."""
    return uow.count_changed(
        sa.text(
            """INSERT INTO staged_changes
                (place, noun, key, row_id, before, after, space_before, space_after)
            SELECT (SELECT max(place) FROM changeset_rows WHERE org_id = :org_id AND changeset_id = :id) - place + 1,
                noun, key, row_id, after, before, space_after, space_before
            FROM changeset_rows WHERE org_id = :org_id AND changeset_id = :id"""
        ),
        {"org_id": uow.tenant, "id": changeset_id},
    )
