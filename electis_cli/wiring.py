"""The composition root: puts settings, adapters and services together, lazily and in one place."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from electis_cli.adapters import identifiers, mail, sealing
from electis_cli.adapters.beside import in_a_thread
from electis_cli.adapters.clock import system_clock
from electis_cli.adapters.embedded_lock import is_lock_free
from electis_cli.adapters.redis import SharedCounter, ping_redis
from electis_cli.adapters.token_file import TokenFile
from electis_cli.adapters.watermarks import WatermarkFile
from electis_cli.aims.idle_clients import IdleClients
from electis_cli.db import organizations, schema
from electis_cli.db.engine import Database
from electis_cli.db.organizations import Organization
from electis_cli.domain.errors import AimsNotConfigured, MasterKeyProblem
from electis_cli.services.runtime import Runtime, Tuning, do_nothing, pass_by
from electis_cli.services.secrets import open_aims_password
from electis_cli.settings import Settings

if TYPE_CHECKING:
    from electis_cli.aims.address import Address
    from electis_cli.aims.checkup import Checkup
    from electis_cli.aims.client import AimsClient
    from electis_cli.aims.recorder import Recorder
    from electis_cli.aims.tokens import TokenShelf


_LEAST_IDLE_SECONDS = 5.0
"""Between two statements of a transaction something is computed, on a busy machine for a while."""


def open_database(settings: Settings, *, check: bool = True) -> Database:
    """Return the database in force; `check` raises DatabaseMissing or SchemaTooOld unless it can be worked with."""
    # What a frozen process holds is free when its leases are.
    idle_seconds = max(settings.lease_seconds, _LEAST_IDLE_SECONDS)
    database = Database(settings.effective_database_url, idle_seconds=idle_seconds)
    if check:
        schema.require_current(database)
    return database


def read_master_key(settings: Settings, *, create: bool = False) -> sealing.Sealer:
    """Return the master key's sealer, from the environment or its file; `create` makes the file when there is none."""
    if settings.secret_key:
        return sealing.Sealer(sealing.parse_key(settings.secret_key))
    if create and not settings.key_file.exists():
        return sealing.Sealer(sealing.create_key_file(settings.key_file))
    return sealing.Sealer(sealing.read_key_file(settings.key_file))


def prepare_master_key(settings: Settings, database: Database) -> sealing.Sealer:
    """Return the master key for `init`: a new one for a new database, the existing one for a live database."""
    has_file = database.path is None or database.path.exists()
    is_live = False
    if has_file and schema.current_revision(database) is not None:
        with database.read() as uow:
            is_live = organizations.key_fingerprint(uow) is not None
    sealer = read_master_key(settings, create=not is_live)
    if is_live:
        check_fingerprint(database, sealer)
    return sealer


def check_fingerprint(database: Database, sealer: sealing.Sealer) -> None:
    """Raise MasterKeyProblem unless this is the key the database was sealed with."""
    with database.read() as uow:
        expected = organizations.key_fingerprint(uow)
    if expected is not None and expected != sealer.fingerprint:
        raise MasterKeyProblem(
            "The master key is not the one this database was sealed with.",
            why=f"Its fingerprint is {sealer.fingerprint}, the database expects {expected}.",
            fix="set ELECTIS_SECRET_KEY_FILE to the key this database was made with",
        )


def make_runtime(
    settings: Settings,
    *,
    database: Database | None = None,
    sealer: sealing.Sealer | None = None,
    clock: Callable[[], datetime] = system_clock,
    tap: Recorder | None = None,
    state_folder: Path | None = None,
    keep_clients: bool = False,
) -> Runtime:
    """Return the means every service works with; `tap` is told of every call to AIMS, beside the flight recorder.

    In `state_folder` processes share their AIMS tokens and note what they pushed; without it each logs in by itself,
    and nobody notices that the database was restored. A program that goes on and on has `keep_clients`: clients and
    their connections to AIMS are kept from one push to the next, until it hangs up.
    """
    database = database or open_database(settings)
    if sealer is None:
        sealer = read_master_key(settings)
        check_fingerprint(database, sealer)
    idle_clients = IdleClients() if keep_clients else None
    return Runtime(
        database=database,
        clock=clock,
        new_id=identifiers.new_id,
        new_token=identifiers.new_token,
        new_password=identifiers.new_password,
        draw=identifiers.draw,
        sealer=sealer,
        connect=_connector(
            settings, database, sealer, clock, tap, token_folder=state_folder, idle_clients=idle_clients
        ),
        hang_up=idle_clients.close if idle_clients is not None else do_nothing,
        checkup=_examiner(settings, database, sealer, clock, tap),
        send_mail=mail.send_mail if settings.smtp_url else None,
        tell_alert=_receiver(settings),
        redis_ping=redis_ping(settings),
        login_counter=SharedCounter(settings.redis_url) if settings.redis_url else None,
        watermarks=WatermarkFile(state_folder) if state_folder else None,
        is_daemon_gone=functools.partial(is_lock_free, database.path) if database.path is not None else None,
        tuning=Tuning(
            access_token_seconds=settings.access_token_seconds,
            refresh_token_seconds=settings.refresh_token_seconds,
            lease_seconds=settings.lease_seconds,
            settle_seconds=settings.settle_seconds,
            call_seconds=settings.call_seconds,
            batch_size=settings.batch_size,
            push_threads=settings.push_threads,
            mail_url=settings.smtp_url,
        ),
        holder=f"{socket.gethostname()}:{os.getpid()}",
        reached=_fail_points(),
        beside=in_a_thread,
    )


def _fail_points() -> Callable[[str], None]:
    """Return what happens at the named points of the work: nothing, unless a test wants this process to die there."""
    place = os.environ.get("ELECTIS_TEST_DIE_AT")
    if not place:
        return pass_by
    from electis_cli.adapters.fail_points import die_at  # noqa: PLC0415

    return die_at(place)


def _connector(
    settings: Settings,
    database: Database,
    sealer: sealing.Sealer,
    clock: Callable[[], datetime],
    tap: Recorder | None,
    *,
    token_folder: Path | None,
    idle_clients: IdleClients | None,
) -> Callable[[Organization], AimsClient]:
    shelves: dict[tuple[str, ...], TokenShelf] = {}

    def connect(organization: Organization) -> AimsClient:
        # httpx is imported by the commands that call AIMS, not by those that only read the database.
        from electis_cli.aims.client import AimsClient  # noqa: PLC0415
        from electis_cli.aims.tokens import TokenShelf  # noqa: PLC0415

        address, options = _client_options(settings, database, sealer, clock, tap, organization)
        # A daemon makes a client for every push, and cron a process; neither must log in every time (Q26).
        account = (organization.id, address.prefix, organization.aims_username or "")
        sealed = organization.aims_password or ""
        if (*account, sealed) not in shelves:
            shared = token_folder and TokenFile(
                token_folder,
                account=account,
                sealed_password=sealed,
                sealer=sealer,
                patience=settings.call_seconds,
            )
            shelves.setdefault((*account, sealed), TokenShelf(shared or None))
        return AimsClient(address, **options, shelf=shelves[*account, sealed])

    if idle_clients is None:
        return connect
    return _reconnector(connect, idle_clients, ca_file=_ca_file(settings))


def _reconnector(
    connect: Callable[[Organization], AimsClient], idle: IdleClients, *, ca_file: str | None
) -> Callable[[Organization], AimsClient]:
    """Return what connects with a client that somebody is done with, if there is one of just the same account."""

    def reconnect(organization: Organization) -> AimsClient:
        from electis_cli.aims.deadline import authorities  # noqa: PLC0415

        kind = (
            *(organization.id, organization.code, organization.aims_company, organization.aims_base_url),
            *(organization.aims_cluster, organization.aims_username, organization.aims_password),
            authorities(ca_file),
        )
        client = idle.take(kind)
        if client is None:
            client = connect(organization)
            client.when_closed = functools.partial(idle.keep, kind)
        return client

    return reconnect


def _ca_file(settings: Settings) -> str | None:
    return str(settings.aims_ca_file) if settings.aims_ca_file else None


def _examiner(
    settings: Settings,
    database: Database,
    sealer: sealing.Sealer,
    clock: Callable[[], datetime],
    tap: Recorder | None,
) -> Callable[[Organization], Checkup]:
    def examine(organization: Organization) -> Checkup:
        from electis_cli.aims.checkup import Checkup  # noqa: PLC0415
        from electis_cli.aims.probe import Probe  # noqa: PLC0415

        address, options = _client_options(settings, database, sealer, clock, tap, organization)
        probe = Probe(
            address,
            timeouts=options["timeouts"],
            clock=clock,
            ca_file=options["ca_file"],
            proxy=options["proxy"],
            record=tap,
        )
        return Checkup(address, **options, probe=probe)

    return examine


def _client_options(
    settings: Settings,
    database: Database,
    sealer: sealing.Sealer,
    clock: Callable[[], datetime],
    tap: Recorder | None,
    organization: Organization,
) -> tuple[Address, dict[str, Any]]:
    """Return where an organization's AIMS is, and what a client needs. Raises AimsNotConfigured, HostNotAllowed."""
    from electis_cli.aims.address import check_allowed, normalize_address  # noqa: PLC0415
    from electis_cli.aims.connection import Credentials, Timeouts  # noqa: PLC0415
    from electis_cli.services.recording import make_recorder  # noqa: PLC0415

    if organization.aims_base_url is None or organization.aims_username is None:
        raise AimsNotConfigured
    address = normalize_address(organization.aims_base_url, organization.aims_cluster)
    check_allowed(address, allowed_hosts=settings.aims_hosts, embedded=database.is_sqlite)
    return address, {
        "credentials": Credentials(
            company=organization.aims_company or organization.code,
            username=organization.aims_username,
            password=open_aims_password(sealer, organization),
        ),
        "clock": clock,
        "timeouts": Timeouts(connect=settings.connect_seconds, call=settings.call_seconds),
        "page_size": settings.page_size,
        "ca_file": _ca_file(settings),
        "proxy": settings.aims_proxy or None,
        "record": make_recorder(database, sealer, organization.id, identifiers.new_id),
        "tap": tap,
    }


def redis_ping(settings: Settings) -> Callable[[], None] | None:
    """Return how to ask whether Redis answers, or None when none is configured."""
    return (lambda: ping_redis(settings.redis_url)) if settings.redis_url else None


def _receiver(settings: Settings) -> Callable[[Mapping[str, Any]], None] | None:
    """Return how to hand an alert to the operator's receiver, or None when there is none."""
    if not settings.on_alert:
        return None
    # Only the daemon, and who keeps house in its place, tell alerts.
    from electis_cli.adapters.on_alert import hand_over  # noqa: PLC0415

    return functools.partial(hand_over, settings.on_alert)
