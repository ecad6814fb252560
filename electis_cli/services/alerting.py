"""Handing alerts to the operator's receiver (`ELECTIS_ON_ALERT`): at most once per cause and hour, and none is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from electis_cli.db import alerts, organizations, stores
from electis_cli.domain.alerts import ALERT_PAUSE, Notice
from electis_cli.domain.errors import ElectisError, Misconfigured
from electis_cli.services.runtime import Runtime

CLAIM = timedelta(minutes=1)
"""How long an alert belongs to the worker that took it: more than a receiver may take."""

MOST_TRIES = 5
"""After so many tries that failed, an alert is told again only when it happens again, after the pause."""

MOST_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What became of an organization's alerts in one go; `error` says why the one that failed did."""

    told: int = 0
    failed: int = 0
    error: ElectisError | None = None


def tell_alerts(runtime: Runtime, org_id: str) -> Telling:
    """Tell the receiver, when there is one, the alerts that are due; stops at the first it does not take.

    Several workers never tell the same one at once. What failed is tried again the next time, at most five times;
    what a worker was telling when it died, too. So a receiver may be told twice, but never not at all.
    """
    told = 0
    while runtime.tell_alert is not None and told < MOST_AT_ONCE:
        claimed = _claim(runtime, org_id)
        if claimed is None:
            break
        row, notice = claimed
        try:
            runtime.tell_alert(notice.document())
        except ElectisError as error:
            # The others wait: it would hardly take them, and each could take ten seconds.
            _note(runtime, org_id, row, error=error)
            return Telling(told=told, failed=1, error=error)
        _note(runtime, org_id, row, error=None)
        told += 1
    return Telling(told=told)


def _claim(runtime: Runtime, org_id: str) -> tuple[dict[str, Any], Notice] | None:
    with runtime.database.write(org_id) as uow:
        now = runtime.clock()
        row = alerts.claim_untold_alert(uow, now, until=now + CLAIM, since=now - ALERT_PAUSE)
        if row is None:
            return None
        store = stores.find_store(uow, store_id=row["store_id"]) if row["store_id"] else None
        notice = Notice(
            cause=row["cause"],
            text=row["text"],
            organization=organizations.own_organization(uow).code,
            store=store.code if store else None,
            first=row["first_at"],
            last=row["last_at"],
            count=row["count"],
        )
        uow.commit()
    return row, notice


def _note(runtime: Runtime, org_id: str, row: dict[str, Any], *, error: ElectisError | None) -> None:
    # A receiver that can not even be read says nothing of the alert: it is kept until somebody mends the setting.
    may_try_again = isinstance(error, Misconfigured) or (error and row["tell_tries"] < MOST_TRIES)
    with runtime.database.write(org_id) as uow:
        alerts.note_telling(
            uow,
            row["id"],
            row["told_at"],
            error=(error.why or error.message) if error else None,
            again_at=runtime.clock() if may_try_again else None,
        )
        uow.commit()
