"""A command line with a store to work in, for tests of the commands of facts."""

from __future__ import annotations

from datetime import UTC, datetime

from electis_cli.adapters.identifiers import new_id
from electis_cli.db import organizations, stores
from electis_cli.db.engine import Database
from electis_cli.domain.organizations import format_to_stored
from tests.world.command_line import CommandLine
from tests.world.organizations import FORMAT


def add_store(electis: CommandLine, code: str = "001", *, org: str = "ACME") -> None:
    """Put a store and the simulator's article format into the database, as `store create` and `aims configure` do."""
    database = Database(f"sqlite:///{electis.home / 'data' / 'electis.db'}")
    now = datetime.now(UTC)
    with database.read() as uow:
        org_id = organizations.find_organization(uow, code=org).id
    with database.write(org_id) as uow:
        organizations.update_organization(
            uow, org_id, {"article_format": format_to_stored(FORMAT), "format_fetched_at": now}
        )
        if stores.find_store(uow, code=code) is None:
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
