"""A full sync of 100,000 articles with nothing to do, against fetching and decoding the pages alone."""

from __future__ import annotations

import os
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson

from bench.drain import prepare
from bench.ratio import amount, line, timed
from electis_cli.adapters.sealing import Sealer
from electis_cli.db.engine import Database
from electis_cli.services.full_sync import full_sync
from electis_cli.services.push.store import push_store
from electis_cli.settings import load_settings
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from electis_cli.wiring import make_runtime

ARTICLES = int(os.environ.get("ELECTIS_BENCH_ARTICLES", "100000"))
PAGE = 500


def run() -> Iterator[str]:
    """Yield the ratios of a quiet full sync, and the memory it needs beside one of a tenth of the articles."""
    peaks = []
    for count in (ARTICLES // 10, ARTICLES):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'electis.db'}"
            lines, peak = _quiet(url, count, with_latency=count == ARTICLES)
        peaks.append(peak)
        yield from lines
    yield amount("growth of peak memory, MB, ten times the articles", (peaks[1] - peaks[0]) / 1e6, limit=None)


def _quiet(url: str, count: int, *, with_latency: bool) -> tuple[list[str], int]:
    simulator = Simulator(Settings(labels_per_store=0))
    with SimulatorServer(simulator) as server:
        database = Database(url)
        settings = load_settings().model_copy(update={"aims_hosts": server.base_url})
        runtime = make_runtime(settings, database=database, sealer=Sealer(bytes(32)))
        scope, store_id = prepare(runtime, server.base_url, count)
        push_store(runtime, scope.org_id, store_id)
        full_sync(scope, store_id)  # notes that everything was read back equal
        with httpx.Client(base_url=server.base_url + "/common/api/v2", timeout=60) as http:
            login = http.post("/token", json={"username": "bench", "password": "bench"}).json()
            http.headers["Authorization"] = "Bearer " + login["responseMessage"]["access_token"]
            http.params = httpx.QueryParams(company="ACME", store="001")

            def sync() -> None:
                view = full_sync(scope, store_id)
                assert view.writes == 0, view.counts

            def pages() -> None:
                _fetch(http)

            pages()
            lines = [
                line(
                    f"full sync of {count:,} articles / its pages",
                    [(timed(pages), timed(sync)) for _ in range(3)],
                    limit=5.0,
                )
            ]
            if with_latency:
                simulator.faults.add("latency", seconds=0.05)
                lines.append(
                    line(
                        f"full sync of {count:,} articles, 50 ms a page",
                        [(timed(pages), timed(sync))],
                        limit=1.3,
                    )
                )
                simulator.faults.clear()
        tracemalloc.start()
        sync()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        database.close()
    return lines, peak


def _fetch(http: httpx.Client) -> None:
    page = 0
    while True:
        query: dict[str, Any] = {"page": page, "size": PAGE, "sort": "articleId,asc"}
        answer = http.get("/common/config/article/info", params=query)
        orjson.loads(answer.content)
        page += 1
        if page >= int(answer.headers["x-totalpages"]):
            return
