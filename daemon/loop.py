"""One loop: does its turn, waits its period, ends when told; a failing turn is logged and tried again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from electis_cli.domain.errors import ElectisError

log = logging.getLogger("electis.daemon")

_LONGEST_PAUSE = 30.0


class Loop:
    """A thread that takes a turn every `period` seconds, less often while its turns fail."""

    def __init__(self, name: str, period: float, turn: Callable[[], None], stop: threading.Event) -> None:
        self._name = name
        self._period = period
        self._turn = turn
        self._stop = stop
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start turning."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the turn in progress is done."""
        self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._turn()
                failures = 0
            except ElectisError as error:
                failures += 1
                log.warning("%s:failed code=%s why=%s", self._name, error.code, error.why)
            except Exception:
                failures += 1
                log.exception("%s:failed", self._name)
            self._stop.wait(min(_LONGEST_PAUSE, self._period * 2**failures) if failures else self._period)
