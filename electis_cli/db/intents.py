"""What was ever asked of labels, by kind of intent, and what listings showed first when (table `known_hashes`).

The contents of articles that are known as ours are in their ledger rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from electis_cli.db.rows import among, mine
from electis_cli.db.tables import known_hashes
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.queue import MOST_KNOWN


def remember_intents(
    uow: UnitOfWork, store_id: str, intents: Iterable[tuple[str, str]], now: datetime, *, kind: str
) -> None:
    """Remember what labels are asked to show as ours, before it is sent: (label code, article id or page)."""
    place = {"org_id": uow.tenant, "store_id": store_id, "kind": kind, "at": now}
    uow.upsert(
        known_hashes,
        [{**place, "subject": subject, "hash": value} for subject, value in dict.fromkeys(intents)],
        key=["org_id", "store_id", "subject", "kind", "hash"],
        update=lambda new: {"at": new.at},
    )


def intents_by_label(
    uow: UnitOfWork, store_id: str, codes: Iterable[str], since: datetime, *, kind: str
) -> dict[str, frozenset[str]]:
    """Return what was asked of some labels since a moment, by label code."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    statement = sa.select(known_hashes.c.subject, known_hashes.c.hash).where(
        mine(uow, known_hashes),
        known_hashes.c.store_id == store_id,
        known_hashes.c.kind == kind,
        known_hashes.c.at >= since,
        among(uow, known_hashes.c.subject, wanted),
    )
    found: dict[str, set[str]] = {}
    for subject, value in uow.execute(statement.order_by(known_hashes.c.at.desc())).all():
        values = found.setdefault(subject, set())
        if len(values) < MOST_KNOWN:
            values.add(value)
    return {subject: frozenset(values) for subject, values in found.items()}


def forget_intents(uow: UnitOfWork, before: datetime) -> int:
    """Delete intents that are too old to matter and return how many went."""
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
