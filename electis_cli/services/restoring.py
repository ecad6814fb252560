"""A database that was restored from a backup: it is older than what was pushed from it, and must not overwrite AIMS.

Each machine notes beside the database how far the ledger had come (`adapters/watermarks.py`). A ledger below that mark
was set back: every store of the organization is paused, and its next full sync is held until a person approves it.
"""

from __future__ import annotations

from electis_cli.db import alerts, ledger, stores
from electis_cli.db.stores import Store
from electis_cli.domain.access import system_actor
from electis_cli.services.change import Change, Scope
from electis_cli.services.runtime import Runtime

_LEAP = 1_000_000_000
"""More numbers than one machine's mark can be ahead of another's; there are nine billion times as many."""

PAUSED_WHY = "the database was restored from a backup: electis sync full, then electis sync approve RUN"


def is_set_back(runtime: Runtime, org_id: str, last_number: int) -> bool:
    """Tell whether the ledger, which gave this number last, is below what this machine has seen of it."""
    return last_number < _highest(runtime, org_id)


def note_pushed(runtime: Runtime, org_id: str, number: int) -> None:
    """Note the number of a push that is committed: one of an open transaction may vanish in a crash."""
    if runtime.watermarks is not None:
        runtime.watermarks.note(org_id, number)


def _highest(runtime: Runtime, org_id: str) -> int:
    return runtime.watermarks.highest(org_id) if runtime.watermarks is not None else 0


def watch_for_restore(runtime: Runtime, org_id: str) -> None:
    """Stop the pushes of an organization if its database was set back."""
    with runtime.database.read(org_id) as uow:
        number = ledger.last_number(uow)
    if is_set_back(runtime, org_id, number):
        stop_after_restore(runtime, org_id)


def stop_after_restore(runtime: Runtime, org_id: str) -> None:
    """Stop the pushes of an organization whose database was set back."""
    scope = Scope(runtime=runtime, actor=system_actor(), org_id=org_id)
    with runtime.database.write(org_id) as uow:
        number, highest = ledger.last_number(uow), _highest(runtime, org_id)
        if number >= highest:
            return  # another process noticed meanwhile
        change = Change(uow=uow, scope=scope, now=runtime.clock())
        stores.mark_restored(uow, change.now, PAUSED_WHY)
        # Whoever else has a mark, on this machine or another, finds the ledger beyond it from now on.
        ledger.leap(uow, highest + _LEAP)
        alerts.raise_alert(
            uow,
            alert_id=change.new_id(),
            cause="database-restored",
            text="The database is older than what was pushed from it; all pushes are paused.",
            store_id=None,
            now=change.now,
        )
        change.record("sync:restored", "organization", org_id, after={"ledger": number, "seen": highest})
        uow.commit()


def accept_restore(change: Change, store: Store) -> None:
    """Let a store be pushed again whose full sync, made after a restore, was approved."""
    if store.restored_at is None:
        return
    values: dict[str, object] = {"restored_at": None}
    if store.paused_why == PAUSED_WHY:
        values |= {"paused_at": None, "paused_why": None}
    stores.update_store(change.uow, store.id, values)
