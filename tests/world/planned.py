"""What tests of the planner are made of: ledger rows, the articles on both sides, the terms of a plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from electis_cli.domain.articles import ABSENT, Content, content_hash
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import LedgerRow
from electis_cli.domain.reconcile import Subject, Terms

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
W = timedelta(seconds=120)
A, B, C = {"TITLE": "a"}, {"TITLE": "b"}, {"TITLE": "c"}

SEEN: dict[str, Any] = {"last_seen_remote_at": NOW - 2 * W, "missing_since": NOW - W}
"""Listed after our last acknowledgement, and missed by two listings a window apart."""


def row(base: Content | None = A, *, dirty: bool = False, **changes: Any) -> LedgerRow:
    """Return a ledger row, acknowledged long ago."""
    values = {
        "article_id": "4-1", "desired_version": 5, "desired_seq": 1, "desired_deleted": False,
        "synced_version": 4 if dirty else 5, "base": base, "base_hash": content_hash(base) if base else None,
        "acked_at": NOW - 3 * W,
    }  # fmt: skip
    return LedgerRow(**{**values, **changes})


def tombstone(**changes: Any) -> LedgerRow:
    """Return the row of an article that was deleted here, and whose absence was agreed on."""
    return row(None, desired_deleted=True, **{"base_hash": ABSENT, **changes})


def odd(content: Content, age: timedelta = W) -> dict[str, Any]:
    """Return what a row notes of a content that was listed first so long ago."""
    return {"odd_hash": content_hash(content), "odd_since": NOW - age}


def subject(
    ledger_row: LedgerRow | None, local: Content | None, remote: Content | None, **changes: Any
) -> Subject:
    """Return an article as all sides see it."""
    article_id = changes.pop("article_id", "4-1")
    return Subject(article_id=article_id, row=ledger_row, local=local, remote=remote, **changes)


def terms(**changes: Any) -> Terms:
    """Return the terms of a plan made now."""
    return Terms(**{"now": NOW, "settle": W, "strategy": Strategy.MERGE, **changes})


def known(*contents: Content) -> frozenset[str]:
    """Return contents as the known set of an article."""
    return frozenset(content_hash(content) for content in contents)
