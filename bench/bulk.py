"""Bulk work against the bare statement that moves the same rows: imports and undo, on both databases."""

from __future__ import annotations

import contextlib
import csv
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from bench.ratio import amount, line, peak_of, timed
from electis_cli.adapters import identifiers
from electis_cli.adapters.sealing import Sealer
from electis_cli.adapters.tables.opening import open_table
from electis_cli.adapters.tables.signatures import Kind
from electis_cli.adapters.tables.writing import open_writer
from electis_cli.db import schema, stores
from electis_cli.db.engine import Database
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import ImportOptions
from electis_cli.services.bulk.importing import Import, import_file
from electis_cli.services.bulk.undoing import undo
from electis_cli.services.bulk.views import BulkView
from electis_cli.services.change import Scope
from electis_cli.services.runtime import Runtime
from tests.servers.postgres import EmbeddedPostgres
from tests.world.databases import FakeClock
from tests.world.organizations import Bench, make_connector

ROWS = int(os.environ.get("ELECTIS_BENCH_ROWS", "200000"))
MANY = 5 * ROWS
SHEET_ROWS = 10_000
ROUNDS = 3
COLUMNS = ("ITEM_NAME", "TITLE", "DEPARTMENT", "PHONE", "EMAIL", "_COST_CENTER")
HEADER = ("external_id", "space", *COLUMNS)
FIRST = ("Dana", "Noa", "יעל", "Sean", "María", "Ole", "שרה", "Ivy")
LAST = ("Levi", "כהן", "O'Brien", "Vogel", "Núñez", "Berg", "Azoulay", "King")
PEOPLE_COLUMNS = "org_id, id, store_id, external_id, data, assigned_space, version, created_at, updated_at"


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


def space_rows(count: int) -> Iterator[tuple[str, ...]]:
    """Yield the spaces that the made-up people sit in."""
    return ((f"S-{number:07}", "Desk") for number in range(count))


def changed_rows(count: int) -> Iterator[tuple[str, ...]]:
    """Yield the made-up people, one in a hundred with another title."""
    for number, row in enumerate(people_rows(count)):
        yield row if number % 100 else (*row[:3], "Changed", *row[4:])


def write_csv(path: Path, header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Path:
    """Write rows into a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@dataclass(frozen=True)
class Site:
    """A database with one organization and one store, ready to be imported into."""

    scope: Scope
    store_id: str

    @classmethod
    def make(cls, url: str) -> Site:
        """Make the schema, the organization and its store."""
        database, clock, sealer = Database(url), FakeClock(), Sealer(bytes(range(32)))
        schema.upgrade(database)
        runtime = Runtime(
            database=database,
            clock=clock,
            new_id=identifiers.new_id,
            new_token=identifiers.new_token,
            new_password=identifiers.new_password,
            draw=lambda: 0.5,
            sealer=sealer,
            connect=make_connector(sealer, clock),
        )
        scope = Bench(runtime, clock).organization()
        with database.read(scope.org_id) as uow:
            return cls(scope, stores.list_stores(uow)[0].id)

    def at(self, url: str) -> Site:
        """Return the same site in a copy of its database."""
        runtime = replace(self.scope.runtime, database=Database(url))
        return Site(replace(self.scope, runtime=runtime), self.store_id)

    def load(self, noun: Noun, path: Path, **options: Any) -> BulkView:
        """Import a file."""
        with open_table(path, None, name=path.name) as table:
            return import_file(self.scope, Import(noun=noun, table=table, options=ImportOptions(**options)))

    def close(self) -> None:
        """Hang up."""
        self.scope.runtime.database.close()

    def raw_people(self, count: int) -> list[tuple[Any, ...]]:
        """Return the made-up people as the rows that an import makes of them."""
        at = "2026-11-30 00:00:00.000000+00:00"
        head, store = self.scope.org_id, self.store_id
        return [
            (
                head,
                identifiers.new_id(),
                store,
                row[0],
                orjson.dumps(dict(zip(COLUMNS, row[2:], strict=True))).decode(),
                row[1],
                1,
                at,
                at,
            )
            for row in people_rows(count)
        ]


@dataclass(frozen=True)
class Ground:
    """One kind of database: its name, how a copy of the template is made, and the bare statement."""

    name: str
    template: Site
    copy: Callable[[], str]
    bare: Callable[[Site], float]
    files: Path


def run() -> Iterator[str]:
    """Yield the ratios of imports to bare statements, of undo to the import, and memory at a million rows."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        files = Path(folder)
        write_csv(files / "spaces.csv", ("external_id", "TITLE"), space_rows(ROWS))
        write_csv(files / "people.csv", HEADER, people_rows(ROWS))
        write_csv(files / "changed.csv", HEADER, changed_rows(ROWS))
        server = stack.enter_context(contextlib.closing(EmbeddedPostgres(durable=True)))
        for ground in (_postgres(server, files), _sqlite(files)):
            yield from _compare(ground)
        yield from _sheets(files)
        yield from _a_million(server)


def _compare(ground: Ground) -> Iterator[str]:
    floors, imports, again, undone = [], [], [], []
    for attempt in range(ROUNDS + 1):
        site = ground.template.at(ground.copy())
        floor = ground.bare(site)
        view: list[BulkView] = []
        first = timed(lambda: view.append(site.load(Noun.PERSON, ground.files / "people.csv")))  # noqa: B023
        second = timed(lambda: site.load(Noun.PERSON, ground.files / "changed.csv"))  # noqa: B023
        third = timed(lambda: undo(site.scope, view[0].changeset or ""))  # noqa: B023
        site.close()
        assert view[0].created == ROWS
        if attempt:
            floors.append(floor)
            imports.append((floor, first))
            again.append((floor, second))
            undone.append((first, third))
    yield line(f"import {ROWS:,} new people / bare, {ground.name}", imports, limit=5.0)
    yield line(f"again, 1 % changed / bare, {ground.name}", again, limit=3.0)
    yield line(f"undo / import, {ground.name}", undone, limit=1.0)


def _postgres(server: EmbeddedPostgres, files: Path) -> Ground:
    url = server.create_database()
    template = Site.make(url)
    template.load(Noun.SPACE, files / "spaces.csv")
    rows = template.raw_people(ROWS)
    text = "".join(
        "\t".join(str(value).replace("\\", "\\\\") for value in row) + "\n" for row in rows
    ).encode()
    template.close()

    def bare(site: Site) -> float:
        with site.scope.runtime.database.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.autocommit = True

            def copy() -> None:
                with (
                    driver.cursor() as cursor,
                    cursor.copy(f"COPY people ({PEOPLE_COLUMNS}) FROM STDIN") as to,
                ):
                    for start in range(0, len(text), 1 << 16):
                        to.write(text[start : start + (1 << 16)])

            seconds = timed(copy)
            driver.execute("TRUNCATE people")
            driver.execute("CHECKPOINT")
            driver.autocommit = False
        return seconds

    return Ground("PostgreSQL", template, lambda: server.create_database(template=url), bare, files)


def _sqlite(files: Path) -> Ground:
    path = files / "template.db"
    template = Site.make(f"sqlite:///{path}")
    template.load(Noun.SPACE, files / "spaces.csv")
    rows = template.raw_people(ROWS)
    template.close()

    def copy() -> str:
        shutil.copy(path, files / "copy.db")
        return f"sqlite:///{files / 'copy.db'}"

    def bare(site: Site) -> float:
        insert = f"INSERT INTO people ({PEOPLE_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)"  # noqa: S608
        with site.scope.runtime.database.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection

            def write() -> None:
                driver.execute("BEGIN IMMEDIATE")
                driver.executemany(insert, rows)
                driver.execute("COMMIT")

            seconds = timed(write)
            driver.execute("DELETE FROM people")
        return seconds

    return Ground("SQLite", template, copy, bare, files)


def _sheets(files: Path) -> Iterator[str]:
    """Compare a spreadsheet with the same rows as text, each imported into a new database."""
    write_csv(files / "small.csv", HEADER, people_rows(SHEET_ROWS))
    with open_writer(files / "small.xlsx", Kind.XLSX, HEADER) as writer:
        writer.write_many(people_rows(SHEET_ROWS))
    path = files / "small.db"
    template = Site.make(f"sqlite:///{path}")
    template.load(Noun.SPACE, files / "spaces.csv", max_rows=SHEET_ROWS)
    template.close()
    pairs = []
    for _ in range(ROUNDS + 1):
        seconds = []
        for name in ("small.csv", "small.xlsx"):
            shutil.copy(path, files / "copy.db")
            site = template.at(f"sqlite:///{files / 'copy.db'}")
            seconds.append(timed(lambda: site.load(Noun.PERSON, files / name)))  # noqa: B023
            site.close()
        pairs.append((seconds[0], seconds[1]))
    yield line(f"{SHEET_ROWS:,} rows, XLSX / CSV", pairs[1:], limit=3.0)


def _a_million(server: EmbeddedPostgres) -> Iterator[str]:
    """Compare a million rows with a fifth of them: time per row, and the memory of the process."""
    few = [_import_apart(server.create_database(), ROWS) for _ in range(ROUNDS)]
    many = _import_apart(server.create_database(), MANY)
    per_row = (many[0] / MANY) / (statistics.median(seconds for seconds, _ in few) / ROWS)
    yield amount(f"{MANY:,} / {ROWS:,} rows, time per row", per_row, limit=1.2)
    yield amount(f"{MANY:,} rows, peak memory / 300 MB", many[1] / 300, limit=1.0)


def _import_apart(url: str, rows: int) -> tuple[float, float]:
    """Import so many people in a process of its own; returns seconds and its peak memory in megabytes."""
    command = [sys.executable, "-m", "bench.bulk", url, str(rows)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, megabytes = answer.stdout.split()
    return float(seconds), float(megabytes)


def _measure(url: str, rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = Site.make(url)
        path = write_csv(Path(folder) / "spaces.csv", ("external_id", "TITLE"), space_rows(rows))
        site.load(Noun.SPACE, path)
        path = write_csv(Path(folder) / "people.csv", HEADER, people_rows(rows))
        began = time.perf_counter()
        site.load(Noun.PERSON, path)
        seconds = time.perf_counter() - began
        print(seconds, peak_of() / 2**20)


if __name__ == "__main__":
    _measure(sys.argv[1], int(sys.argv[2]))
