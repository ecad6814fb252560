"""What is known as ours: every content ever pushed or agreed on for a key, and what listings showed first when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from electis_cli.db.rows import among, mine
from electis_cli.db.tables import known_hashes
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.queue import MOST_KNOWN


def remember_hashes(
    uow: UnitOfWork, store_id: str, hashes: Iterable[tuple[str, str]], now: datetime, *, kind: str = "article"
) -> None:
    """Remember contents as ours, before they are sent: (article id or label code, hash)."""
    place = {"org_id": uow.tenant, "store_id": store_id, "kind": kind, "at": now}
    uow.upsert(
        known_hashes,
        [{**place, "subject": subject, "hash": value} for subject, value in dict.fromkeys(hashes)],
        key=["org_id", "store_id", "subject", "kind", "hash"],
        update=lambda new: {"at": new.at},
    )


def known_by_id(
    uow: UnitOfWork, store_id: str, subjects: Iterable[str] | None, since: datetime, *, kind: str = "article"
) -> dict[str, frozenset[str]]:
    """Return the contents that are ours, by article id (None: of the whole store)."""
    base = sa.select(known_hashes.c.subject, known_hashes.c.hash).where(
        mine(uow, known_hashes),
        known_hashes.c.store_id == store_id,
        known_hashes.c.kind == kind,
        known_hashes.c.at >= since,
    )
    if subjects is not None:
        wanted = sorted(set(subjects))
        if not wanted:
            return {}
        base = base.where(among(uow, known_hashes.c.subject, wanted))
    found: dict[str, set[str]] = {}
    for subject, value in uow.execute(base.order_by(known_hashes.c.at.desc())).all():
        hashes = found.setdefault(subject, set())
        if len(hashes) < MOST_KNOWN:
            hashes.add(value)
    return {subject: frozenset(hashes) for subject, hashes in found.items()}


def forget_hashes(uow: UnitOfWork, before: datetime) -> int:
    """Delete known contents that are too old to matter and return how many went."""
    statement = known_hashes.delete().where(mine(uow, known_hashes), known_hashes.c.at < before)
    return uow.count_changed(statement)


def first_seen(uow: UnitOfWork, store_id: str, kind: str) -> dict[tuple[str, str], datetime]:
    """Return what was noted of a kind, and when it was noted first."""
    statement = sa.select(known_hashes.c.subject, known_hashes.c.hash, known_hashes.c.at).where(
        mine(uow, known_hashes), known_hashes.c.store_id == store_id, known_hashes.c.kind == kind
    )
    return {(subject, value): at for subject, value, at in uow.execute(statement)}


def note_first_seen(
    uow: UnitOfWork, store_id: str, kind: str, seen: Iterable[tuple[str, str]], now: datetime
) -> None:
    """Note what this listing shows of a kind, and forget what it does not show any more."""
    noted, shown = first_seen(uow, store_id, kind), set(seen)
    for subject, value in noted:
        if (subject, value) not in shown:
            uow.execute(
                known_hashes.delete().where(
                    mine(uow, known_hashes),
                    known_hashes.c.store_id == store_id,
                    known_hashes.c.kind == kind,
                    known_hashes.c.subject == subject,
                    known_hashes.c.hash == value,
                )
            )
    rows = [
        {
            "org_id": uow.tenant,
            "store_id": store_id,
            "subject": subject,
            "kind": kind,
            "hash": value,
            "at": now,
        }
        for subject, value in sorted(shown - set(noted))
    ]
    uow.upsert(known_hashes, rows, key=["org_id", "store_id", "subject", "kind", "hash"], update=None)
