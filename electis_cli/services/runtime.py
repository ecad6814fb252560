"""The means services work with, put together once by `wiring`: database, clock, ids, seals, a way to AIMS."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from electis_cli.adapters.redis import SharedCounter
from electis_cli.adapters.sealing import Sealer
from electis_cli.adapters.watermarks import WatermarkFile
from electis_cli.db.engine import Database
from electis_cli.db.organizations import Organization
from electis_cli.domain.errors import ElectisError

if TYPE_CHECKING:
    from electis_cli.aims.checkup import Checkup
    from electis_cli.aims.client import AimsClient  # brings httpx, which most commands never need


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Lengths and sizes that operators may set and tests shorten; times are in seconds."""

    access_token_seconds: float = 900
    refresh_token_seconds: float = 14 * 86400
    lease_seconds: float = 60
    settle_seconds: float = 120
    listing_fresh_seconds: float = 60
    call_seconds: float = 20
    batch_size: int = 500
    push_threads: int = 4
    mail_url: str = ""

    @property
    def settle(self) -> timedelta:
        """The settle window W: how long AIMS may take to show what it accepted."""
        return timedelta(seconds=self.settle_seconds)


def pass_by(point: str) -> None:
    """Go on: outside of tests nothing happens at a named point."""


def do_nothing() -> None:
    """Do nothing."""


def at_once(work: Callable[[], Any]) -> Callable[[], Any]:
    """Do some work before returning how to wait for it: outside of a program one thing happens after the other."""
    try:
        result = work()
    except ElectisError as error:
        return functools.partial(_raise, error)
    return lambda: result


def _raise(error: ElectisError) -> NoReturn:
    raise error


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything a service needs from outside; time, randomness and ids are functions, so that tests can own them."""

    database: Database
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_token: Callable[[str], str]
    new_password: Callable[[], str]
    draw: Callable[[], float]
    sealer: Sealer
    connect: Callable[[Organization], AimsClient]
    hang_up: Callable[[], None] = do_nothing  # closes what `connect` keeps open for the next one
    checkup: Callable[[Organization], Checkup] | None = (
        None  # a way to AIMS that shares no token, for `aims doctor` and `aims configure`
    )
    send_mail: Callable[..., None] | None = None
    tell_alert: Callable[[Mapping[str, Any]], None] | None = None  # hands an alert to the operator's receiver
    redis_ping: Callable[[], None] | None = None
    login_counter: SharedCounter | None = None  # without Redis the database counts
    watermarks: WatermarkFile | None = None  # without them a restored database is not noticed
    is_daemon_gone: Callable[[], bool] | None = (
        None  # of an embedded database: nobody holds the daemon's lock
    )
    tuning: Tuning = field(default_factory=Tuning)
    holder: str = "electis"  # names this process in leases
    reached: Callable[[str], None] = pass_by  # told of the points where tests kill the process
    beside: Callable[[Callable[[], Any]], Callable[[], Any]] = (
        at_once  # begins work; what it returns waits for it
    )
