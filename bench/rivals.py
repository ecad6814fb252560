"""Other queues on PostgreSQL doing nothing, flat out; run by bench.claims with an interpreter that has them.

`rivals.py NAME URL JOBS BATCH` prints the seconds that NAME takes for so many jobs whose handler does nothing.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta


async def pgqueuer(url: str, jobs: int, batch: int) -> float:
    """Return the seconds in which its queue manager drains so many jobs, taking `batch` at a time."""
    import asyncpg  # noqa: PLC0415
    from pgqueuer import PgQueuer  # noqa: PLC0415
    from pgqueuer.db import AsyncpgPoolDriver  # noqa: PLC0415
    from pgqueuer.queries import Queries  # noqa: PLC0415
    from pgqueuer.types import QueueExecutionMode  # noqa: PLC0415

    async with asyncpg.create_pool(url, min_size=4) as pool:
        driver = AsyncpgPoolDriver(pool)
        queries = Queries(driver)
        await queries.install()
        await queries.enqueue(["nothing"] * jobs, [None] * jobs, [0] * jobs)
        await pool.execute("VACUUM ANALYZE")
        queue, done = PgQueuer(driver), 0

        @queue.entrypoint("nothing")
        async def nothing(_: object) -> None:
            nonlocal done
            done += 1

        began = time.perf_counter()
        await queue.qm.run(
            batch_size=batch, mode=QueueExecutionMode.drain, dequeue_timeout=timedelta(seconds=1)
        )
        seconds = time.perf_counter() - began
        assert done == jobs, done
        await queries.uninstall()
        return seconds


async def procrastinate(url: str, jobs: int, batch: int) -> float:
    """Return the seconds in which a worker catches up with so many jobs, `batch` of them at the same time."""
    from procrastinate import App, PsycopgConnector  # noqa: PLC0415

    app, done = App(connector=PsycopgConnector(conninfo=url, max_size=8)), 0

    @app.task(name="nothing")
    async def nothing() -> None:
        nonlocal done
        done += 1

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await nothing.batch_defer_async(*({} for _ in range(jobs)))
        began = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=batch, install_signal_handlers=False)
        seconds = time.perf_counter() - began
    assert done == jobs, done
    return seconds


if __name__ == "__main__":
    name, url, jobs, batch = sys.argv[1:]
    run = {"pgqueuer": pgqueuer, "procrastinate": procrastinate}[name]
    print(asyncio.run(run(url, int(jobs), int(batch))))
