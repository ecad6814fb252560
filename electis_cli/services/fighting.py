"""Two writers that undo each other: after three rounds an article is held, and somebody is told (Q24)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from electis_cli.db import alerts, runs
from electis_cli.db.stores import Store
from electis_cli.domain.queue import State
from electis_cli.services.change import Change

FIGHT_WINDOW = timedelta(hours=24)
MOST_ROUNDS = 3


def hold_fight(
    change: Change,
    store: Store,
    article_id: str,
    remote: Mapping[str, str],
    note: Callable[[str, Mapping[str, Any]], None],
) -> bool:
    """Hold an article that somebody sets back to the same value again and again; True when it is held now.

    `note` is told the ledger columns to write. Whoever calls has kept this round's conflict before.
    """
    times = runs.count_fights(change.uow, store.id, article_id, remote, change.now - FIGHT_WINDOW)
    if times < MOST_ROUNDS:
        return False
    why = "Somebody else writes the same value again after each of our pushes."
    note(article_id, {"state": State.HELD.value, "error_text": why})
    alerts.raise_alert(
        change.uow,
        alert_id=change.new_id(),
        cause=f"another-writer:{store.code}",
        text=f"Store {store.code}: another program undoes our changes, first seen on {article_id}.",
        store_id=store.id,
        now=change.now,
    )
    return True
