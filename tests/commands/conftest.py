"""A command line with a store and an article format, prepared once and copied for every test."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from electis_cli.adapters.identifiers import new_id
from electis_cli.db import organizations, stores
from electis_cli.db.engine import Database
from electis_cli.domain.organizations import format_to_stored
from tests.world.command_line import CommandLine
from tests.world.organizations import FORMAT


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
