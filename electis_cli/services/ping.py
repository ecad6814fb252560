"""Is AIMS there? One uncached question, what it means for the queue, and the breaker (flow 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from electis_cli.aims.client import AimsClient
from electis_cli.db import accounts, alerts, claims, commands, label_queue, organizations, stores
from electis_cli.db.accounts import Account
from electis_cli.domain.access import Action, system_actor
from electis_cli.domain.errors import (
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsNotConfigured,
    AimsThrottled,
    ElectisError,
)
from electis_cli.domain.redaction import without_values
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.runtime import Runtime

BREAKER_ALERT = "aims:breaker"
_REASONS: dict[type[ElectisError], str] = {AimsLoginRefused: "login", AimsCompanyRefused: "license"}
HOPELESS = frozenset(_REASONS.values())
LEAST_WAIT = 5.0
"""Seconds to wait when AIMS asks for fewer requests and does not say for how long."""
FORMAT = "format"  # opened by a changed article format: only `aims format fetch` closes it
HOPELESS_PROBE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PingView:
    """What a ping found."""

    ok: bool
    milliseconds: int | None
    base_url: str | None
    breaker: str
    error_code: str | None = None
    error: str | None = None
    until: datetime | None = None


def ping(scope: Scope) -> PingView:
    """Ask AIMS once, uncached, and let the queue go on when it answers. Raises AimsNotConfigured."""
    with reading(scope) as read:
        organization = read.organization()
    if organization.aims_base_url is None:
        raise AimsNotConfigured
    client = scope.runtime.connect(organization)
    seconds: float | None = None
    failure: ElectisError | None = None
    try:
        seconds = _ask(client)
    except ElectisError as error:
        failure = error
    finally:
        client.close()
    system = Scope(runtime=scope.runtime, actor=system_actor(scope.actor.source), org_id=scope.org_id)
    with changing(system, Action.SYNC) as change:
        # Who asks reads all of the answer; others read the alert.
        told = without_values(failure, None) if failure else None
        note_ping(change, told)
        until = hold_back(change, told) if told is not None else None
        account = accounts.find_account(change.uow)
    return PingView(
        ok=failure is None,
        milliseconds=round(seconds * 1000) if seconds is not None else None,
        base_url=organization.aims_base_url,
        breaker=account.breaker,
        error_code=failure.code if failure else None,
        error=(failure.why or failure.message) if failure else None,
        until=until,
    )


def _ask(client: AimsClient) -> float:
    return client.ping()


def is_ping_due(runtime: Runtime, org_id: str) -> bool:
    """Tell whether the ping loop should ask now: a refused login or license is asked about once an hour only."""
    with runtime.database.read(org_id) as uow:
        organization, account = organizations.own_organization(uow), accounts.find_account(uow)
    if organization.aims_base_url is None:
        return False
    if account.breaker == "open" and account.breaker_reason in HOPELESS and account.pinged_at is not None:
        return runtime.clock() - account.pinged_at >= HOPELESS_PROBE
    return True


def note_ping(change: Change, failure: ElectisError | None) -> None:
    """Write down a ping: last answer, event, and a queue that was stopped for health goes on."""
    uow, now = change.uow, change.now
    if failure is not None:
        message = failure.why or failure.message
        accounts.save_account(uow, {"ping_state": "error", "ping_error": message, "pinged_at": now})
        change.emit("health:solum:error", {"code": failure.code})
        return
    account = accounts.find_account(uow)
    accounts.save_account(
        uow, {"ping_state": "ok", "ping_error": None, "pinged_at": now, "last_solum_ping": now}
    )
    change.emit("health:solum:ok", {})
    if account.breaker == "open" and account.breaker_reason != FORMAT:
        _half_open(change)
    elif account.breaker == "half-open" and not _has_due(change):
        # Nothing is left to try it with: two answers in a row are proof enough.
        accounts.save_account(
            change.uow, {"breaker": "closed", "breaker_reason": None, "breaker_since": None}
        )


def _has_due(change: Change) -> bool:
    """Tell whether anything is due that could be tried, in a store that may be pushed."""
    return any(
        claims.count_due(change.uow, place.id, change.now)
        or label_queue.count_due(change.uow, place.id, change.now)
        or commands.next_command(change.uow, place.id, change.uow.now())
        for place in stores.list_stores(change.uow)
        if place.sync_enabled and place.paused_at is None
    )


def _half_open(change: Change) -> None:
    """Let one trial write through; everything that waited for AIMS is due again."""
    accounts.save_account(change.uow, {"breaker": "half-open", "backoff_until": None})
    for place in stores.list_stores(change.uow):
        claims.wake_rows(change.uow, place.id)
        label_queue.wake_wishes(change.uow, place.id)
        commands.wake_commands(change.uow, place.id)
        stores.update_store(change.uow, place.id, {"backoff_until": None, "backoff_count": 0})
    alerts.close_alert(change.uow, BREAKER_ALERT, change.now)


def hold_back(change: Change, error: ElectisError) -> datetime | None:
    """Let the account wait for what AIMS's answer to a ping, a login or any call about the account means.

    Asked for fewer requests, it waits as long as AIMS says, and that is returned: AIMS is there. All else opens the
    breaker, under the name of its cause.
    """
    if isinstance(error, AimsThrottled):
        until = change.now + timedelta(seconds=float(error.details.get("retry_after", LEAST_WAIT)))
        accounts.save_account(change.uow, {"backoff_until": until})
        return until
    reason = next((name for kind, name in _REASONS.items() if isinstance(error, kind)), "health")
    open_breaker(change, reason=reason, error=error)
    return None


def open_breaker(change: Change, *, reason: str, error: ElectisError) -> None:
    """Stop all writes of the account until a ping answers; one alert for the cause."""
    account: Account = accounts.find_account(change.uow)
    if account.breaker == "open" and account.breaker_reason == FORMAT:
        return  # an outage must not lift what only a person may lift
    if account.breaker != "open" or account.breaker_reason != reason:
        accounts.save_account(
            change.uow, {"breaker": "open", "breaker_reason": reason, "breaker_since": change.now}
        )
    alerts.raise_alert(
        change.uow,
        alert_id=change.new_id(),
        cause=BREAKER_ALERT,
        text=f"The queue is stopped ({reason}): {error.why or error.message}",
        store_id=None,
        now=change.now,
    )
