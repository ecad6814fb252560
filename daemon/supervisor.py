"""Starts the loops, waits for the stop signal, and waits until each loop has finished what it was doing."""

from __future__ import annotations

import contextlib
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from daemon.loop import Loop, place_of
from daemon.pushes import Pushes
from electis_cli.domain.errors import ElectisError
from electis_cli.services import daemons, working
from electis_cli.services.daemons import Daemon
from electis_cli.services.runtime import Runtime
from electis_cli.services.working import Turn
from electis_cli.settings import Settings

log = logging.getLogger("electis.daemon")

_LISTEN_AGAIN_SECONDS = 1.0
"""How soon one who listened for new work connects again at the earliest; longer each time it fails."""


class Supervisor:
    """Runs the loops of all organizations until it is told to stop: queue, full sync, ping, housekeeping, alerts."""

    def __init__(self, runtime: Runtime, settings: Settings, daemon: Daemon, stop: threading.Event) -> None:
        self._runtime = runtime
        self._daemon = daemon
        self._stop = stop
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=settings.push_threads, thread_name_prefix="push")
        queue = Loop("queue", settings.poll_seconds, self._push, stop)
        self._pushes = Pushes(self._pool, self._push_one, look_again=queue.wake, stop=stop)
        self._loops = [
            queue,
            Loop("full-sync", settings.poll_seconds, self._sync, stop),
            Loop("ping", settings.ping_seconds, self._ping, stop),
            Loop("housekeeping", settings.housekeeping_seconds, self._keep_house, stop),
            # A loop of its own: a receiver that hangs must not keep mails and verifications waiting.
            Loop("alerts", settings.housekeeping_seconds, self._tell_alerts, stop),
        ]
        if working.can_be_woken(runtime):
            self._loops.append(Loop("wake-ups", _LISTEN_AGAIN_SECONDS, self._listen, stop))
        self._heart = Loop("heartbeat", daemons.pause_between_heartbeats(runtime), self._beat, self._over)

    def run(self) -> None:
        """Run until the stop event is set, then return when every batch in flight is done."""
        log.info("daemon:started holder=%s", self._runtime.holder)
        for loop in (self._heart, *self._loops):
            loop.start()
        self._stop.wait()
        log.info("daemon:stopping")
        for loop in self._loops:
            loop.join()
        self._pool.shutdown(wait=True)
        # It lives as long as a batch is in flight, however long ago it was told to stop.
        self._over.set()
        self._heart.join()
        with contextlib.suppress(ElectisError):  # without a database its row ends by itself
            daemons.leave(self._runtime, self._daemon)
        log.info("daemon:stopped")

    def _beat(self) -> None:
        daemons.beat(self._runtime, self._daemon)

    def _push(self) -> None:
        """Hand every store with due work to the pool; a store that is being pushed is left alone."""
        for place in working.due_pushes(self._runtime):
            self._pushes.start(place)

    def _listen(self) -> None:
        """Hear of new work until the end; while nobody can listen, the queue's own period finds it."""
        working.listen_for_work(self._runtime, self._pushes.hear, self._stop.is_set)

    def _push_one(self, place: working.Place) -> None:
        try:
            turn = working.push_turn(self._runtime, place, self._stop.is_set)
        except Exception as error:  # noqa: BLE001 - one store's bug must not end the others' pushes
            log.error("queue:failed store=%s %s", place.code, place_of(error))  # noqa: TRY400 - see place_of
            return
        if turn.is_news:
            self._tell("queue", turn)

    def _sync(self) -> None:
        tried: set[str] = set()
        while not self._stop.is_set():
            # Asked anew each time: while one store was compared, another daemon may have compared the next.
            due = [place for place in working.due_syncs(self._runtime) if place.store_id not in tried]
            if not due:
                return
            tried.add(due[0].store_id)
            self._tell("full-sync", working.sync_turn(self._runtime, due[0]))

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

    def _tell_alerts(self) -> None:
        for org_id in working.organizations_to_serve(self._runtime):
            if self._stop.is_set():
                return
            turn = working.alerts_turn(self._runtime, org_id)
            if turn.counts:
                self._tell("alerts", turn)

    def _tell(self, loop: str, turn: Turn) -> None:
        counts = " ".join(f"{name}={count}" for name, count in turn.counts.items())
        level = logging.WARNING if turn.outcome.startswith("E-") else logging.INFO
        log.log(level, "%s:turn subject=%s outcome=%s %s", loop, turn.subject, turn.outcome, counts)
