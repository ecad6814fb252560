"""Draining 10,000 dirty articles of an embedded database, against a bare loop that posts the same bodies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson

from bench.ratio import line, timed
from electis_cli.adapters.sealing import Sealer
from electis_cli.aims.wire import encode_article
from electis_cli.db import ledger, organizations, spaces, stores
from electis_cli.db.engine import Database
from electis_cli.domain.access import system_actor
from electis_cli.domain.spaces import Space
from electis_cli.services.change import Change, Scope
from electis_cli.services.configuring import configure
from electis_cli.services.push.store import push_store
from electis_cli.services.rendering import render_store
from electis_cli.services.runtime import Runtime
from electis_cli.services.setup import initialize
from electis_cli.settings import load_settings
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from electis_cli.wiring import make_runtime

ARTICLES, BATCH = 10_000, 500


def run() -> Iterator[str]:
    """Yield the ratio of draining to posting."""
    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatorServer(Simulator(Settings(labels_per_store=0))) as server,
    ):
        database = Database(f"sqlite:///{Path(folder) / 'electis.db'}")
        runtime = make_runtime(load_settings(), database=database, sealer=Sealer(bytes(32)))
        scope, store_id = _prepare(runtime, server.base_url)
        with database.read(scope.org_id) as uow:
            rendered = render_store(uow, organizations.own_organization(uow), store_id)
        records = [encode_article(item.article) for item in rendered.values()]
        bodies = [orjson.dumps(records[start : start + BATCH]) for start in range(0, ARTICLES, BATCH)]
        with httpx.Client(base_url=server.base_url + "/common/api/v2", timeout=60) as http:
            login = http.post("/token", json={"username": "bench", "password": "bench"}).json()
            http.headers["Authorization"] = "Bearer " + login["responseMessage"]["access_token"]

            def post() -> None:
                for body in bodies:
                    query = {"company": "ACME", "store": "001"}
                    answer = http.put("/common/articles", params=query, content=body)
                    orjson.loads(answer.content)

            pairs = []
            for number in range(4):
                _edit(database, scope, store_id, f"Desk {number}")
                mine = timed(lambda: push_store(runtime, scope.org_id, store_id))
                pairs.append((timed(post), mine))
            yield line(f"draining {ARTICLES:,} articles / posting the same bodies", pairs[1:], limit=3.0)
        database.close()


def _edit(database: Database, scope: Scope, store_id: str, title: str) -> None:
    """Change every space, so that every article must be sent."""
    with database.write(scope.org_id) as uow:
        now = datetime.now(UTC)
        found = spaces.list_spaces(uow, [store_id])
        spaces.save_spaces(uow, [replace(space, data={"TITLE": title}) for space in found], now)
        ledger.bump(uow, store_id, {space.external_id: False for space in found}, now)
        uow.commit()


def _prepare(runtime: Runtime, base_url: str) -> tuple[Scope, str]:
    initialize(
        runtime,
        org_code="ACME",
        org_name="Acme",
        admin_email="a@acme.example",
        admin_password="correct horse 9",
    )
    with runtime.database.read() as uow:
        organization = organizations.find_organization(uow, code="ACME")
    assert organization is not None
    scope = Scope(runtime=runtime, actor=system_actor("bench"), org_id=organization.id)
    configure(scope, base_url=base_url, company="ACME", username="bench", password="bench")
    now, store_id = datetime.now(UTC), runtime.new_id()
    with runtime.database.write(scope.org_id) as uow:
        stores.insert_store(
            uow,
            {
                "id": store_id, "code": "001", "name": "Main", "timezone": "UTC", "sync_enabled": True,
                "full_sync_minutes": 15, "created_at": now,
            },
        )  # fmt: skip
        made = [
            Space(id=runtime.new_id(), store_id=store_id, external_id=f"{number:05}", data={"TITLE": "Desk"})
            for number in range(ARTICLES)
        ]
        spaces.insert_spaces(uow, made, now)
        Change(uow=uow, scope=scope, now=now).bump(store_id, [space.external_id for space in made])
        uow.commit()
    return scope, store_id
