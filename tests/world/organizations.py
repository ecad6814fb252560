"""Organizations ready to work in: a runtime, logged-in scopes, a store, and AIMS behind real HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from electis_cli.adapters import identifiers
from electis_cli.adapters.password_hashing import hash_password
from electis_cli.adapters.sealing import Sealer
from electis_cli.aims.address import normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials, Timeouts
from electis_cli.db import organizations, stores, users
from electis_cli.db.engine import Database
from electis_cli.db.organizations import Organization
from electis_cli.domain.access import Actor, Role
from electis_cli.domain.organizations import (
    ArticleFormat,
    Strategy,
    format_to_stored,
    mapping_to_stored,
    propose_mapping,
)
from electis_cli.services.change import Scope
from electis_cli.services.recording import make_recorder
from electis_cli.services.runtime import Runtime, Tuning
from electis_cli.services.secrets import open_aims_password, seal_aims_password
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.databases import FakeClock
from tests.world.planted import AIMS_PASSWORD, PASSWORD

PASSWORD_HASH = hash_password(PASSWORD)

FORMAT = ArticleFormat(
    columns=(
        "STORE_ID", "ARTICLE_ID", "ITEM_NAME", "NFC_URL", "TITLE", "DEPARTMENT", "PHONE", "EMAIL",
        "MEETING_NAME", "MEETING_TIME", "PARTICIPANTS",
    ),
    store_column="STORE_ID",
    id_column="ARTICLE_ID",
    name_column="ITEM_NAME",
    nfc_column="NFC_URL",
)  # fmt: skip
"""The simulator's default format."""


@dataclass
class Bench:
    """What tests of services need to set up a world: means, and organizations made in one call."""

    runtime: Runtime
    clock: FakeClock

    def organization(
        self,
        code: str = "ACME",
        *,
        store_codes: tuple[str, ...] = ("001",),
        base_url: str | None = None,
        role: Role = Role.ADMIN,
        strategy: Strategy = Strategy.MERGE,
    ) -> Scope:
        """Return an admin's scope in a new organization with stores and the simulator's format."""
        runtime, org_id = self.runtime, self.runtime.new_id()
        user_id = runtime.new_id()
        email = f"{role.value}@{code.lower()}.example"
        with runtime.database.write() as uow:
            organizations.set_key_fingerprint(uow, runtime.sealer.fingerprint, self.clock())
            organizations.insert_organization(
                uow,
                {
                    "id": org_id,
                    "code": code,
                    "name": code.title(),
                    "aims_company": code,
                    "aims_base_url": base_url,
                    "aims_cluster": "common" if base_url else None,
                    "aims_username": "tester" if base_url else None,
                    "aims_password": seal_aims_password(runtime.sealer, org_id, AIMS_PASSWORD)
                    if base_url
                    else None,
                    "article_format": format_to_stored(FORMAT),
                    "format_fetched_at": self.clock(),
                    "mapping": mapping_to_stored(propose_mapping(FORMAT)),
                    "room_prefix": "C",
                    "strategy": strategy.value,
                    "created_at": self.clock(),
                },
            )
            users.insert_user(
                uow,
                {
                    "id": user_id,
                    "org_id": org_id,
                    "email": email,
                    "password_hash": PASSWORD_HASH,
                    "role": role.value,
                    "is_active": True,
                    "must_change_password": False,
                    "created_at": self.clock(),
                },
            )
            uow.commit()
        with runtime.database.write(org_id) as uow:
            for store_code in store_codes:
                stores.insert_store(
                    uow,
                    {
                        "id": runtime.new_id(),
                        "code": store_code,
                        "name": f"Store {store_code}",
                        "timezone": "UTC",
                        "sync_enabled": True,
                        "full_sync_minutes": 15,
                        "created_at": self.clock(),
                    },
                )
            uow.commit()
        actor = Actor(user_id=user_id, email=email, role=role, org_id=org_id, source="test")
        return Scope(runtime=runtime, actor=actor, org_id=org_id)

    def as_role(self, scope: Scope, role: Role, *, store: str | None = None) -> Scope:
        """Return the same organization as somebody of another role sees it, perhaps within one store."""
        store_id = None
        if store is not None:
            with self.runtime.database.read(scope.org_id) as uow:
                store_id = stores.find_store(uow, code=store).id
        return replace(scope, actor=replace(scope.actor, role=role, store_id=store_id))


def make_connector(
    sealer: Sealer, clock: FakeClock, database: Database | None = None, **options: Any
) -> Callable[[Organization], AimsClient]:
    """Return how services reach AIMS in tests: short deadlines, no pauses between tries."""

    def connect(organization: Organization) -> AimsClient:
        return AimsClient(
            normalize_address(organization.aims_base_url or "", organization.aims_cluster),
            Credentials(
                company=organization.aims_company or organization.code,
                username=organization.aims_username or "",
                password=open_aims_password(sealer, organization),
            ),
            clock=clock,
            pause=lambda _: None,
            record=make_recorder(database, sealer, organization.id, identifiers.new_id) if database else None,
            **{"timeouts": Timeouts(connect=1.0, call=2.0), **options},
        )

    return connect


@pytest.fixture
def make_runtime(clock: FakeClock) -> Callable[..., Runtime]:
    """Return how to put a runtime together for a database; two of them are two processes' worth."""
    sealer = Sealer(bytes(range(32)))
    names = itertools.count(1)

    def make(database: Database, **changes: Any) -> Runtime:
        values: dict[str, Any] = {
            "database": database,
            "clock": clock,
            "new_id": identifiers.new_id,
            "new_token": identifiers.new_token,
            "new_password": identifiers.new_password,
            "draw": lambda: 0.5,
            "sealer": sealer,
            "connect": make_connector(sealer, clock, database),
            "tuning": Tuning(),
            "holder": f"worker-{next(names)}",
        }
        return Runtime(**{**values, **changes})

    return make


@pytest.fixture
def runtime(database: Database, make_runtime: Callable[..., Runtime]) -> Runtime:
    return make_runtime(database)


@pytest.fixture
def bench(runtime: Runtime, clock: FakeClock) -> Bench:
    return Bench(runtime, clock)


@pytest.fixture
def scope(bench: Bench) -> Scope:
    """An admin of an organization with one store, 001, and no AIMS."""
    return bench.organization()


@pytest.fixture
def simulator_server() -> Iterator[SimulatorServer]:
    """AIMS over real HTTP, with the companies ACME and OTHER."""
    with SimulatorServer(Simulator(Settings(companies=("ACME", "OTHER")))) as server:
        yield server


@pytest.fixture
def cloud(simulator_server: SimulatorServer) -> Simulator:
    """The simulated cloud itself, to look at."""
    return simulator_server.simulator


@pytest.fixture
def connected(bench: Bench, simulator_server: SimulatorServer) -> Scope:
    """An admin of an organization with one store, 001, and an AIMS account at the simulator."""
    return bench.organization(base_url=simulator_server.base_url)
