"""Starts the loops, waits for the stop signal, and waits until each loop has finished what it was doing."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from daemon.loop import Loop, place_of
from electis_cli.services import working
from electis_cli.services.runtime import Runtime
from electis_cli.services.working import Turn
from electis_cli.settings import Settings

log = logging.getLogger("electis.daemon")


class Supervisor:
    """Runs the queue, full sync, ping and housekeeping loops of all organizations until it is told to stop."""

    def __init__(self, runtime: Runtime, settings: Settings, stop: threading.Event) -> None:
        self._runtime = runtime
        self._stop = stop
        self._pool = ThreadPoolExecutor(max_workers=settings.push_threads, thread_name_prefix="push")
        self._pushing: dict[str, Future[None]] = {}
        self._loops = [
            Loop("queue", settings.poll_seconds, self._push, stop),
            Loop("full-sync", settings.poll_seconds, self._sync, stop),
            Loop("ping", settings.ping_seconds, self._ping, stop),
            Loop("housekeeping", settings.housekeeping_seconds, self._keep_house, stop),
        ]

    def run(self) -> None:
        """Run until the stop event is set, then return when every batch in flight is done."""
        log.info("daemon:started holder=%s", self._runtime.holder)
        for loop in self._loops:
            loop.start()
        self._stop.wait()
        log.info("daemon:stopping")
        for loop in self._loops:
            loop.join()
        self._pool.shutdown(wait=True)
        log.info("daemon:stopped")

    def _push(self) -> None:
        """Hand every store with due work to the pool; a store that is being pushed is left alone."""
        for place in working.due_pushes(self._runtime):
            running = self._pushing.get(place.store_id)
            if running is None or running.done():
                self._pushing[place.store_id] = self._pool.submit(self._push_one, place)

    def _push_one(self, place: working.Place) -> None:
        try:
            turn = working.push_turn(self._runtime, place, self._stop.is_set)
        except Exception as error:  # noqa: BLE001 - one store's bug must not end the others' pushes
            log.error("queue:failed store=%s %s", place.code, place_of(error))  # noqa: TRY400 - see place_of
            return
        if turn.counts or turn.outcome != "done":
            self._tell("queue", turn)

    def _sync(self) -> None:
        for place in working.due_syncs(self._runtime):
            if self._stop.is_set():
                return
            self._tell("full-sync", working.sync_turn(self._runtime, place))

    def _ping(self) -> None:
        for org_id in working.organizations_to_serve(self._runtime):
            if self._stop.is_set():
                return
            turn = working.ping_turn(self._runtime, org_id)
            if turn is not None:
                self._tell("ping", turn)

    def _keep_house(self) -> None:
        for org_id in working.organizations_to_serve(self._runtime):
            if self._stop.is_set():
                return
            turn = working.housekeeping_turn(self._runtime, org_id)
            if turn.counts:
                self._tell("housekeeping", turn)

    def _tell(self, loop: str, turn: Turn) -> None:
        counts = " ".join(f"{name}={count}" for name, count in turn.counts.items())
        level = logging.WARNING if turn.outcome.startswith("E-") else logging.INFO
        log.log(level, "%s:turn subject=%s outcome=%s %s", loop, turn.subject, turn.outcome, counts)
