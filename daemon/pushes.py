"""Pushes side by side: each store by one thread at a time, and once more when somebody changed it meanwhile."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future

from daemon.loop import SHORTEST_PAUSE
from electis_cli.services.working import Place

_MOST_REMEMBERED = 1000


class Pushes:
    """Who pushes which store right now, and when each was last pushed because somebody told of it."""

    def __init__(
        self,
        pool: Executor,
        push: Callable[[Place], None],
        *,
        look_again: Callable[[], None],
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look_again` has all stores asked for due work; `clock` counts seconds and never goes back."""
        self._pool = pool
        self._push = push
        self._look_again = look_again
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, Future[None]] = {}
        self._awaited: set[str] = set()
        self._heard_at: dict[str, float] = {}

    def start(self, place: Place) -> None:
        """Push a store that has due work, unless it is being pushed: then it is looked at again afterwards."""
        with self._lock:
            if self._stop.is_set():
                return
            running = self._running.get(place.store_id)
            if running is None or running.done():
                self._running[place.store_id] = self._pool.submit(self._push, place)
            elif place.store_id not in self._awaited:
                # It may have asked for the last time before this work was committed, and this was its wake-up.
                self._awaited.add(place.store_id)
                running.add_done_callback(lambda _: self._ended(place.store_id))

    def hear(self, place: Place | None) -> None:
        """Push a store that somebody just changed; whether it may be is asked by the push itself.

        Many edits in a row are left to the queue's own turns: a store that is paused, or another daemon's, would be
        asked for every one of them. None stands for any store.
        """
        now = self._clock()
        if place is None or now - self._heard_at.get(place.store_id, -math.inf) < SHORTEST_PAUSE:
            self._look_again()
            return
        if len(self._heard_at) >= _MOST_REMEMBERED:  # of stores that are gone, or never were
            self._heard_at = {
                store_id: then for store_id, then in self._heard_at.items() if now - then < SHORTEST_PAUSE
            }
        self._heard_at[place.store_id] = now
        self.start(place)

    def _ended(self, store_id: str) -> None:
        self._awaited.discard(store_id)
        self._look_again()
