"""One figure: how many times the bare floor something takes, as the median of interleaved runs."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

OVER = "   over the limit"
"""What a line ends with whose figure is larger than its limit."""


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds a piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak_of(process_id: int | None = None) -> int:
    """Return the most memory a process has had (None: this one), in bytes; of another one only Linux tells."""
    status = Path("/proc", str(process_id or "self"), "status")
    if status.exists():
        # What getrusage tells on Linux may be the memory of the process that started this one.
        found = [line.split() for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(found[0][1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def compare(
    name: str, floor: Callable[[], object], ours: Callable[[], object], *, limit: float | None, runs: int = 5
) -> str:
    """Return a line with the median ratio of `ours` to `floor`, run in turn after one warm-up of each."""
    floor()
    ours()
    return line(name, [(timed(floor), timed(ours)) for _ in range(runs)], limit=limit)


def line(name: str, pairs: Sequence[tuple[float, float]], *, limit: float | None) -> str:
    """Return a line with the median ratio of pairs of seconds: floor, ours."""
    ratio = statistics.median(mine / bare for bare, mine in pairs)
    bare, mine = (statistics.median(column) for column in zip(*pairs, strict=True))
    stated = _limit(limit)
    verdict = "" if limit is None or ratio <= limit else OVER
    return f"{name:<47} {_ratio(ratio, limit)}   {stated}   {bare:7.3f}  {mine:7.3f}{verdict}"


def amount(name: str, ratio: float, *, limit: float | None) -> str:
    """Return a line with a ratio of anything but time, in the same columns."""
    stated = _limit(limit)
    verdict = "" if limit is None or ratio <= limit else OVER
    return f"{name:<47} {_ratio(ratio, limit)}   {stated}{verdict}"


def _limit(limit: float | None) -> str:
    if limit is None:
        return "    -"
    return f"{limit:5.1f}" if limit >= 0.1 else f"{limit:5.3f}"


def _ratio(ratio: float, limit: float | None) -> str:
    return f"{ratio:6.2f}" if limit is None or limit >= 0.1 else f"{ratio:6.4f}"
