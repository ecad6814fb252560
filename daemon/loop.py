"""One loop: does its turn, waits its period, ends when told; a failing turn is logged and tried again."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable

from electis_cli.domain.errors import ElectisError

log = logging.getLogger("electis.daemon")

_LONGEST_PAUSE = 30.0

SHORTEST_PAUSE = 0.05
"""Between two turns, however often a loop is woken: an import of single edits must not keep it asking all the time."""


def place_of(error: Exception) -> str:
    """Return what a bug is and where; a whole traceback could carry people's names in the values it quotes."""
    if os.environ.get("ELECTIS_DEBUG"):
        return "".join(traceback.format_exception(error))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"error={type(error).__name__} file={frame.filename.rsplit('/', 1)[-1]} line={frame.lineno}"


class Loop:
    """A thread that takes a turn every `period` seconds, at once when it is woken, less often while its turns fail."""

    def __init__(self, name: str, period: float, turn: Callable[[], None], stop: threading.Event) -> None:
        self._name = name
        self._period = period
        self._turn = turn
        self._stop = stop
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start turning."""
        self._thread.start()

    def wake(self) -> None:
        """Let the next turn come at once; one more follows a turn in progress, however often it is woken meanwhile."""
        self._woken.set()

    def join(self) -> None:
        """Wait until the turn in progress is done; the stop event must be set."""
        self.wake()
        self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._turn()
                failures = 0
            except ElectisError as error:
                failures += 1
                log.warning("%s:failed code=%s", self._name, error.code)
            except Exception as error:  # noqa: BLE001 - a loop outlives its bugs
                failures += 1
                log.error("%s:failed %s", self._name, place_of(error))  # noqa: TRY400 - see place_of
            if failures:
                self._stop.wait(min(_LONGEST_PAUSE, self._period * 2**failures))
            else:
                self._rest()

    def _rest(self) -> None:
        breath = min(SHORTEST_PAUSE, self._period)
        if not self._stop.wait(breath):
            self._woken.wait(self._period - breath)
        self._woken.clear()
