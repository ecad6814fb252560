"""Whether everything is there that electis needs (flow 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import accounts, alerts, organizations, stores
from electis_cli.db.organizations import Organization
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.alerts import fix_of
from electis_cli.domain.errors import DatabaseProblem, ElectisError
from electis_cli.domain.timing import iso
from electis_cli.services.runtime import Runtime

FRESH = timedelta(minutes=5)
"""How old an answer of AIMS may be before it is asked again: five pings of the daemon."""

TELLINGS_COUNT = timedelta(days=1)

OK, ERROR, DEGRADED = "ok", "error", "degraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class SolumView:
    """Whether one organization's AIMS account answers."""

    organization: str
    status: str
    last_solum_ping: datetime | None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An open alert, and the command to begin with."""

    organization: str
    store: str | None
    cause: str
    text: str
    first_at: datetime
    last_at: datetime
    count: int
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    """`ok`, or `degraded` with the components in error; what is not configured is not among them.

    The open alerts of all organizations are among it, but degrade nothing: what they are about does.
    """

    status: str
    components: Mapping[str, str]
    problems: Mapping[str, str]
    solum: tuple[SolumView, ...] = field(default=())
    alerts: tuple[AlertView, ...] = field(default=())


def check_health(runtime: Runtime, *, live: bool = False) -> HealthView:
    """Ask the database, Redis when configured, and AIMS for every organization with an account.

    The daemon's last ping counts when it is recent; `live` asks AIMS whatever it says.
    """
    try:
        with runtime.database.read() as uow:
            tenants = organizations.list_organizations(uow)
        known, tellings = {}, {}
        open_alerts: list[AlertView] = []
        for organization in tenants:
            with runtime.database.read(organization.id) as uow:
                known[organization.id] = accounts.find_account(uow)
                tellings[organization.code] = alerts.last_telling(uow)
                open_alerts += _open_alerts(uow, organization)
    except DatabaseProblem as error:
        return database_down(error, runtime.redis_ping)
    views = tuple(
        _recent(organization, known[organization.id], runtime.clock())
        if not live and _is_recent(known[organization.id], runtime.clock())
        else _ask(runtime, organization, known[organization.id])
        for organization in tenants
        if organization.aims_base_url is not None
    )
    components = {"database": OK}
    problems: dict[str, str] = {}
    _ask_redis(runtime.redis_ping, components, problems)
    if views:
        components["solum"] = OK if all(view.status == OK for view in views) else ERROR
        lines = [f"{view.organization}: {view.problem}" for view in views if view.status != OK]
        if lines:
            problems["solum"] = " ".join(lines)
    _judge_tellings(runtime, tellings, components, problems)
    return replace(_summary(components, problems, views), alerts=tuple(open_alerts))


def database_down(error: DatabaseProblem, redis_ping: Callable[[], None] | None) -> HealthView:
    """Return the health while the database can not be used; of AIMS nothing is known then."""
    components = {"database": ERROR}
    problems = {"database": f"{error.message} {error.why}".strip()}
    _ask_redis(redis_ping, components, problems)
    return _summary(components, problems, ())


def _summary(
    components: Mapping[str, str], problems: Mapping[str, str], views: tuple[SolumView, ...]
) -> HealthView:
    well = all(state == OK for state in components.values())
    return HealthView(status=OK if well else DEGRADED, components=components, problems=problems, solum=views)


def _ask_redis(ping: Callable[[], None] | None, components: dict[str, str], problems: dict[str, str]) -> None:
    if ping is None:
        return
    try:
        ping()
    except ElectisError as error:
        components["redis"] = ERROR
        problems["redis"] = f"{error.message} {error.why}".strip()
    else:
        components["redis"] = OK


def _open_alerts(uow: UnitOfWork, organization: Organization) -> list[AlertView]:
    codes = {store.id: store.code for store in stores.list_stores(uow)}
    return [
        AlertView(
            organization=organization.code,
            store=codes.get(row["store_id"]),
            fix=fix_of(row["cause"], codes.get(row["store_id"]), row["text"]),
            **{name: row[name] for name in ("cause", "text", "first_at", "last_at", "count")},
        )
        for row in alerts.list_alerts(uow)
    ]


def _judge_tellings(
    runtime: Runtime,
    tellings: Mapping[str, Mapping[str, Any] | None],
    components: dict[str, str],
    problems: dict[str, str],
) -> None:
    """Tell whether alerts reach the operator's receiver: what the last telling of a day came to, per organization."""
    since = runtime.clock() - TELLINGS_COUNT
    recent = {code: row for code, row in tellings.items() if row is not None and row["told_at"] > since}
    lines = [
        f"{code}: an alert was not taken ({row['told_at']:%H:%M} UTC, {row['cause']}). {row['tell_error']}"
        for code, row in recent.items()
        if row["tell_error"] is not None
    ]
    if recent or runtime.tell_alert is not None:
        components["on_alert"] = ERROR if lines else OK
    if lines:
        problems["on_alert"] = " ".join(lines)


def _is_recent(account: accounts.Account, now: datetime) -> bool:
    return account.pinged_at is not None and now - account.pinged_at <= FRESH


def _recent(organization: Organization, account: accounts.Account, now: datetime) -> SolumView:
    well = account.ping_state == OK
    return SolumView(
        organization=organization.code,
        status=OK if well else ERROR,
        last_solum_ping=account.last_solum_ping,
        problem=None
        if well
        else (account.ping_error or f"AIMS did not answer at {iso(account.pinged_at or now)}."),
    )


def _ask(runtime: Runtime, organization: Organization, account: accounts.Account) -> SolumView:
    try:
        client = runtime.connect(organization)
        try:
            client.ping()
        finally:
            client.close()
    except ElectisError as error:
        return SolumView(
            organization=organization.code,
            status=ERROR,
            last_solum_ping=account.last_solum_ping,
            problem=f"{error.message} {error.why}".strip(),
        )
    return SolumView(organization=organization.code, status=OK, last_solum_ping=runtime.clock())
