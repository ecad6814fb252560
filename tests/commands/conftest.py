"""A command line with a store and an article format, prepared once and copied for every test."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from electis_cli.adapters.identifiers import new_id
from electis_cli.db import organizations, stores, trail
from electis_cli.db.engine import Database
from electis_cli.domain.organizations import format_to_stored
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from electis_cli.simulator.model import World
from tests.flows.in_process import InProcess
from tests.world.command_line import CommandLine, Finished
from tests.world.organizations import FORMAT
from tests.world.planted import AIMS_PASSWORD, HEBREW_PERSON, PASSWORD, PERSON


def add_store(electis: CommandLine, code: str, *, org: str = "ACME") -> None:
    """Put a store and the simulator's article format into the database, as the commands for them do."""
    database = Database(f"sqlite:///{electis.home / 'data' / 'electis.db'}")
    now = datetime.now(UTC)
    with database.read() as uow:
        org_id = organizations.find_organization(uow, code=org).id
    with database.write(org_id) as uow:
        stored = {"article_format": format_to_stored(FORMAT), "format_fetched_at": now}
        organizations.update_organization(uow, org_id, stored)
        stores.insert_store(
            uow,
            {
                "id": new_id(),
                "code": code,
                "name": f"Store {code}",
                "timezone": "UTC",
                "sync_enabled": True,
                "full_sync_minutes": 15,
                "created_at": now,
            },
        )
        uow.commit()
    database.close()


@pytest.fixture(scope="session")
def shop_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("shop") / "home"
    home.mkdir()
    electis = CommandLine(home)
    electis.initialize()
    add_store(electis, "001")
    return home


@pytest.fixture
def shop(shop_template: Path, tmp_path: Path) -> CommandLine:
    """Organization ACME with the simulator's article format and store 001, its admin logged in."""
    home = tmp_path / "shop"
    shutil.copytree(shop_template, home)
    return CommandLine(home)


@pytest.fixture
def office(shop: CommandLine) -> InProcess:
    """The shop within the test's own process: spaces 4-1 to 4-5, A in 4-1, B in 4-2, D nowhere, room 3, one label."""
    electis = InProcess(shop.home)
    for noun, content in (
        ("space", "external_id,TITLE\n4-1,corner\n4-2,\n4-3,\n4-4,\n4-5,\n"),
        ("people", f"external_id,space,ITEM_NAME\nA,4-1,{PERSON}\nB,4-2,{HEBREW_PERSON}\nD,,\n"),
        ("conference", "external_id\n3\n"),
        ("label", "label,article\n0848A6EBE2B0,4-1\n"),
    ):
        electis(noun, "import", "-", stdin=content)
    return electis


@dataclass
class Desk:
    """ACME at a simulated AIMS, its admin logged in: spaces 4-1 (Dana sits there) and 4-2, room 3, all of it pushed."""

    electis: InProcess
    server: SimulatorServer

    def __call__(self, *arguments: str, **options: Any) -> Finished:
        """Run a command; JSON comes out of the ones that are asked for it."""
        return self.electis(*arguments, **options)

    def json(self, *arguments: str, **options: Any) -> Any:
        """Return what a command says with `-o json`."""
        return self.electis(*arguments, "-o", "json", **options).json

    @property
    def cloud(self) -> Simulator:
        return self.server.simulator

    @property
    def store(self) -> Any:
        """Store 001 as AIMS holds it."""
        return self.cloud.store("ACME", "001")

    @property
    def labels(self) -> list[str]:
        """The codes of the labels AIMS knows in store 001."""
        return sorted(self.store.labels)

    def audit(self, action: str) -> list[dict[str, Any]]:
        """Return what the audit rows of an action say, oldest first."""
        database = Database(f"sqlite:///{self.electis.home}/data/electis.db")
        try:
            with database.read() as uow:
                org_id = organizations.find_organization(uow, code="ACME").id
            with database.read(org_id) as uow:
                return [row for row in trail.list_audit(uow) if row["action"] == action]
        finally:
            database.close()

    def log_in_as(self, role: str, *, store: str | None = None) -> InProcess:
        """Return the command line of a new user of a role, on the same database."""
        email, home = f"{role}@acme.example", self.electis.home.parent / role
        limit = ("--store", store) if store else ()
        made = self.json("user", "create", email, "--role", role, *limit)
        home.mkdir()
        shared = {
            "ELECTIS_DATABASE_URL": f"sqlite:///{self.electis.home}/data/electis.db",
            "ELECTIS_SECRET_KEY_FILE": str(self.electis.home / "secret.key"),
        }
        other = InProcess(home, {**self.electis.extra, **shared})
        temporary = made["temporary_password"]
        other("login", email, "--password-stdin", stdin=temporary + "\n", check=None)
        other("password", "change", "--password-stdin", stdin=f"{temporary}\n{PASSWORD}\n")
        other("login", email, "--password-stdin", stdin=PASSWORD + "\n")
        return other


@pytest.fixture(scope="session")
def desk_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, World]]:
    home = tmp_path_factory.mktemp("desk") / "home"
    home.mkdir()
    settings = Settings(stores=("001", "002"), labels_per_store=8, update_seconds=0.0)
    with SimulatorServer(Simulator(settings)) as server:
        electis = InProcess(home, {"ELECTIS_AIMS_HOSTS": server.base_url})
        electis.initialize()
        electis(
            "aims", "configure", "--base-url", server.base_url, "--company", "ACME", "--username", "tester",
            "--password-stdin", stdin=AIMS_PASSWORD + "\n",
        )  # fmt: skip
        electis("store", "create", "001", "--name", "Main")
        electis("space", "create", "4-1", "--set", "TITLE=Corner")
        electis("space", "create", "4-2")
        electis("people", "create", "P-1", "--set", "ITEM_NAME=Dana Levi", "--space", "4-1")
        electis("conference", "create", "3", "--name", "Board room")
        electis("queue", "drain")
        yield Desk(electis, server), copy.deepcopy(server.simulator.world)


@pytest.fixture
def desk(desk_template: tuple[Desk, World], tmp_path: Path) -> Desk:
    template, world = desk_template
    home = tmp_path / "desk"
    shutil.copytree(template.electis.home, home)
    simulator = template.server.simulator
    simulator.world = copy.deepcopy(world)
    simulator.clock.offset = world.clock_offset
    simulator.faults.clear()
    simulator.journal.clear()
    return Desk(InProcess(home, dict(template.electis.extra)), template.server)
