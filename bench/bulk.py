"""Bulk work against the bare statement that moves the same rows: imports, undo and export, on both databases."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.ratio import line
from electis_cli.adapters import identifiers
from electis_cli.adapters.sealing import Sealer
from electis_cli.adapters.tables.opening import open_table
from electis_cli.db import schema, stores
from electis_cli.db.engine import Database
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import ImportOptions
from electis_cli.services.bulk.importing import Import, import_file
from electis_cli.services.bulk.views import BulkView
from electis_cli.services.runtime import Runtime
from tests.servers.postgres import EmbeddedPostgres
from tests.world.databases import FakeClock
from tests.world.organizations import FORMAT, Bench, make_connector

ROWS = int(os.environ.get("ELECTIS_BENCH_ROWS", "200000"))
ROUNDS = 3
COLUMNS = ("ITEM_NAME", "TITLE", "DEPARTMENT", "PHONE", "EMAIL", "_COST_CENTER")
HEADER = ("external_id", "space", *COLUMNS)
FIRST = ("Dana", "Noa", "יעל", "Sean", "María", "Ole", "שרה", "Ivy")
LAST = ("Levi", "כהן", "O'Brien", "Vogel", "Núñez", "Berg", "Azoulay", "King")


def people_rows(count: int) -> Iterator[tuple[str, ...]]:
    """Yield made-up people, each in a space of their own."""
    chance = random.Random(4711)
    for number in range(count):
        yield (
            f"{number:07}",
            f"S-{number:07}",
            f"{chance.choice(FIRST)} {chance.choice(LAST)} {number}",
            "Engineer" if number % 3 else "ראש צוות",
            f"Department {number % 40}",
            f"04-555-{number % 10000:04}",
            f"p{number}@acme.example",
            f"CC{number % 100}",
        )


def write_csv(path: Path, header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Path:
    """Write rows into a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


class Site:
    """A database with one organization and one store, ready to be imported into."""

    def __init__(self, url: str) -> None:
        """Make the schema, the organization and its store."""
        self.database = Database(url)
        schema.upgrade(self.database)
        clock, sealer = FakeClock(), Sealer(bytes(range(32)))
        runtime = Runtime(
            database=self.database,
            clock=clock,
            new_id=identifiers.new_id,
            new_token=identifiers.new_token,
            new_password=identifiers.new_password,
            draw=lambda: 0.5,
            sealer=sealer,
            connect=make_connector(sealer, clock),
        )
        self.scope = Bench(runtime, clock).organization()
        with self.database.read(self.scope.org_id) as uow:
            self.store_id = stores.list_stores(uow)[0].id

    def load(self, noun: Noun, path: Path, **options: Any) -> BulkView:
        """Import a file."""
        with open_table(path, None, name=path.name) as table:
            return import_file(self.scope, Import(noun=noun, table=table, options=ImportOptions(**options)))
