"""Giving a row up: its dead letter and the alert, in the transaction that does it."""

from __future__ import annotations

from electis_cli.db import alerts
from electis_cli.db.stores import Store
from electis_cli.domain.errors import ElectisError
from electis_cli.services.change import Change


def bury(
    change: Change, store: Store, *, kind: str, subject: str, error: ElectisError, attempts: int
) -> None:
    """Make a dead letter and its alert; there is one alert per cause."""
    word = str(error.details.get("word") or error.code)
    alert_id = alerts.raise_alert(
        change.uow,
        alert_id=change.new_id(),
        cause=f"dead-letter:{store.code}:{word[:80]}",
        text=f"Store {store.code}: AIMS refused {kind}s for good. {error.why or error.message}",
        store_id=store.id,
        now=change.now,
    )
    alerts.insert_dead_letter(
        change.uow,
        {
            "id": change.new_id(),
            "store_id": store.id,
            "kind": kind,
            "subject": subject,
            "alert_id": alert_id,
            "error_class": error.code,
            "error_text": error.why or error.message,
            "attempts": attempts,
            "at": change.now,
        },
    )
    change.emit("queue:dead_letter", {"kind": kind, "id": subject, "alert": alert_id}, store_id=store.id)
