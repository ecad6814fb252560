"""For tests only: a process that kills itself at a named point of its work, as a crash there would."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable


def die_at(place: str) -> Callable[[str], None]:
    """Return what is told of every point that is reached, and kills this process at `place`.

    A place is a point's name and the how manieth time counts, such as `push:sent:2`; without a number it is the first.
    """
    name, _, number = place.rpartition(":")
    wanted, left = (name, int(number)) if number.isdecimal() else (place, 1)
    lock = threading.Lock()

    def reached(point: str) -> None:
        nonlocal left
        if point != wanted:
            return
        with lock:
            left -= 1
            if left == 0:
                # The one signal that leaves no time for anything, not even for buffers and `finally`.
                os.kill(os.getpid(), signal.SIGKILL)

    return reached
