"""Full syncs with nothing to do, in processes of their own: `python -m bench.quiet_sync`, told where by its input."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from bench.cloud import bare_client, fetch_pages
from bench.ratio import peak_of, timed
from electis_cli.adapters.garbage import collect_seldom
from electis_cli.adapters.sealing import Sealer
from electis_cli.db.engine import Database
from electis_cli.domain.access import system_actor
from electis_cli.services.change import Scope
from electis_cli.services.full_sync import full_sync
from electis_cli.settings import load_settings
from electis_cli.wiring import make_runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a quiet store is: its database, its AIMS, and its ids."""

    database_url: str
    base_url: str
    org_id: str
    store_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds of the pages alone and of a full sync, once per run, and the memory of one that syncs once, in bytes."""

    pairs: list[tuple[float, float]]
    peak: int


def measure(place: Place, runs: int) -> Measured:
    """Run the full syncs in turn with the pages alone, and one more in a process that does nothing else."""
    return Measured(
        pairs=[(bare, mine) for bare, mine in _ask(place, runs)["pairs"]], peak=_ask(place, 0)["peak"]
    )


def _ask(place: Place, runs: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.quiet_sync"]
    asked = orjson.dumps({"place": asdict(place), "runs": runs})
    done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, check=True)
    told: dict[str, Any] = orjson.loads(done.stdout)
    return told


def _run(place: Place, runs: int) -> dict[str, Any]:
    """Return what so many runs took; without any, the peak of a full sync alone."""
    database = Database(place.database_url)
    settings = load_settings().model_copy(update={"aims_hosts": place.base_url})
    runtime = make_runtime(settings, database=database, sealer=Sealer(bytes(32)))
    scope = Scope(runtime=runtime, actor=system_actor("bench"), org_id=place.org_id)

    def sync() -> None:
        view = full_sync(scope, place.store_id)
        assert view.writes == 0, view.counts

    pairs = []
    if not runs:
        sync()
    else:
        with bare_client(place.base_url) as http:
            pairs = [(timed(lambda: fetch_pages(http)), timed(sync)) for _ in range(runs)]
    database.close()
    return {"pairs": pairs, "peak": peak_of()}


if __name__ == "__main__":
    collect_seldom()  # as the programs do that are measured
    given = orjson.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(orjson.dumps(_run(Place(**given["place"]), given["runs"])))
