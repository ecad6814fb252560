"""Full syncs with nothing to do, against fetching and decoding the pages alone.

ELECTIS_BENCH_ARTICLES names the sizes of the store: 100,000 and 1,000,000 if it is not set. The second takes long,
nearly all of it to fill AIMS; `ELECTIS_BENCH_ARTICLES=100000` leaves out memory at that size and growth.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.cloud import latency, running_simulator
from bench.drain import prepare
from bench.quiet_sync import Measured, Place, measure
from bench.ratio import amount, line
from electis_cli.adapters.sealing import Sealer
from electis_cli.db import spaces
from electis_cli.db.engine import Database
from electis_cli.domain.spaces import Space
from electis_cli.services.change import Change, Scope
from electis_cli.services.full_sync import full_sync
from electis_cli.services.push.store import push_store
from electis_cli.settings import load_settings
from electis_cli.wiring import make_runtime

SIZES = [int(text) for text in os.environ.get("ELECTIS_BENCH_ARTICLES", "100000,1000000").split(",")]
RUNS, PIECE = 5, 50_000


def run() -> Iterator[str]:
    """Yield the ratios of a quiet full sync, its memory, and how its time grows with the store."""
    each: list[float] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder, running_simulator() as base_url:
            place = _fill(f"sqlite:///{Path(folder) / 'electis.db'}", base_url, size)
            quick = measure(place, RUNS)
            yield line(f"full sync of {size:,} articles / its pages", quick.pairs, limit=5.0)
            if size == SIZES[0]:
                yield _delayed(place, size)
            yield amount(f"full sync of {size:,}: peak memory, MB", quick.peak / 1e6, limit=256.0)
            each.append(statistics.median(mine for _, mine in quick.pairs) / size)
    for size, seconds in zip(SIZES[1:], each[1:], strict=True):
        yield amount(f"time per article: {size:,} / {SIZES[0]:,}", seconds / each[0], limit=1.2)


def _delayed(place: Place, size: int) -> str:
    with latency(place.base_url, 0.05):
        delayed: Measured = measure(place, 1)
    return line(f"full sync of {size:,} articles, 50 ms a page", delayed.pairs, limit=1.3)


def _fill(url: str, base_url: str, size: int) -> Place:
    """Make a store of so many spaces, all of them pushed and read back equal."""
    database = Database(url)
    settings = load_settings().model_copy(update={"aims_hosts": base_url})
    runtime = make_runtime(settings, database=database, sealer=Sealer(bytes(32)))
    scope, store_id = prepare(runtime, base_url, 0)
    for start in range(0, size, PIECE):
        _add(scope, store_id, range(start, min(start + PIECE, size)))
        push_store(runtime, scope.org_id, store_id)
    full_sync(scope, store_id)
    database.close()
    return Place(database_url=url, base_url=base_url, org_id=scope.org_id, store_id=store_id)


def _add(scope: Scope, store_id: str, numbers: range) -> None:
    now = datetime.now(UTC)
    made = [
        Space(
            id=scope.runtime.new_id(),
            store_id=store_id,
            external_id=f"{number:07}",
            data={"TITLE": f"Desk {number}"},
        )
        for number in numbers
    ]
    with scope.runtime.database.write(scope.org_id) as uow:
        spaces.insert_spaces(uow, made, now)
        Change(uow=uow, scope=scope, now=now).bump(store_id, [space.external_id for space in made])
        uow.commit()
