"""The simulator's time: a source that tests may own, plus an offset the control interface can advance."""

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch; never goes back through `advance`."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset = 0.0

    def now(self) -> float:
        """The simulator's present."""
        return self._source() + self.offset

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass at once and answer the new present."""
        if seconds < 0:
            raise ValueError("time cannot be turned back")
        self.offset += seconds
        return self.now()


def stamp(seconds: float, digits: int = 6) -> str:
    """Article and label time as AIMS writes it: UTC without a zone (contract 4)."""
    whole, part = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_second(whole)}.{part:06}"[: 19 if digits == 0 else 20 + digits]


# A page of articles has a thousand times, most of them of the same few seconds: it took half as long to write these
# as to answer the whole page.
@functools.lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def zulu(seconds: float) -> str:
    """Time as validation logs write it, with milliseconds and a Z (contract 4)."""
    return stamp(seconds, 3).replace(" ", "T") + "Z"


def parse_stamp(text: str) -> float:
    """Read `YYYY-MM-DD HH:mm:ss`, the form AIMS takes in queries; raises ValueError for anything else."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
