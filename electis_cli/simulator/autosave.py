"""Keeps the state file at most about a second behind, so that an outage loses little (contract 9.6)."""

import sys
import threading
import time
from pathlib import Path

from electis_cli.simulator import state_file
from electis_cli.simulator.simulator import Simulator

PERIOD = 1.0
SHARE = 10.0
"""A large world is saved more rarely, so that saving takes at most a tenth of the time."""


class Autosave:
    """A thread that saves the world when it changed, and once more at the end."""

    def __init__(self, simulator: Simulator, path: Path, *, period: float = PERIOD) -> None:
        self._simulator = simulator
        self._path = path
        self._period = period
        self._ending = threading.Event()
        self._saved = -1
        self._thread = threading.Thread(target=self._run, name="aims-autosave", daemon=True)

    def start(self) -> None:
        """Save at once, because the count of starts must outlive a crash; then watch."""
        self.save()
        self._thread.start()

    def stop(self) -> None:
        """Save what is new and end the thread."""
        self._ending.set()
        self._thread.join()
        self._saved = -1
        self.save()

    def save(self) -> None:
        """Write the world if it changed since the last time."""
        with self._simulator.lock:
            revision = self._simulator.revision
            if revision == self._saved:
                return
            content = state_file.encode(self._simulator.world)
        state_file.write(self._path, content)
        self._saved = revision

    def _run(self) -> None:
        pause = self._period
        while not self._ending.wait(pause):
            begun = time.monotonic()
            try:
                self.save()
            except OSError as error:
                print(f"state file not written: {error}", file=sys.stderr, flush=True)
            pause = max(self._period, SHARE * (time.monotonic() - begun))
