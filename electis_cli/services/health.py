"""Whether everything is there that electis needs (flow 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from electis_cli.db import accounts, organizations
from electis_cli.db.organizations import Organization
from electis_cli.domain.errors import DatabaseProblem, ElectisError
from electis_cli.domain.timing import iso
from electis_cli.services.runtime import Runtime

FRESH = timedelta(minutes=5)
"""How old an answer of AIMS may be before it is asked again: five pings of the daemon."""

OK, ERROR, DEGRADED = "ok", "error", "degraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class SolumView:
    """Whether one organization's AIMS account answers."""

    organization: str
    status: str
    last_solum_ping: datetime | None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    """`ok`, or `degraded` with the components in error; what is not configured is not among them."""

    status: str
    components: Mapping[str, str]
    problems: Mapping[str, str]
    solum: tuple[SolumView, ...] = field(default=())


def check_health(runtime: Runtime, *, live: bool = False) -> HealthView:
    """Ask the database, Redis when configured, and AIMS for every organization with an account.

    The daemon's last ping counts when it is recent; `live` asks AIMS whatever it says.
    """
    try:
        with runtime.database.read() as uow:
            tenants = organizations.list_organizations(uow)
        known = {}
        for organization in tenants:
            with runtime.database.read(organization.id) as uow:
                known[organization.id] = accounts.find_account(uow)
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
    return _summary(components, problems, views)


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
