"""The order of the suite: each worker begins with its part of the tests that take longest.

A worker is given one piece of the list, of about the same length as the others', and takes from another's end when it
runs dry. A test of minutes that comes last would keep one worker busy while the others have nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

Test = TypeVar("Test")


def long_ones_first(tests: Sequence[Test], is_long: Callable[[Test], bool], workers: int) -> list[Test]:
    """Return tests so that each of `workers` pieces of equal length begins with its share of the long ones."""
    long = [test for test in tests if is_long(test)]
    short = [test for test in tests if not is_long(test)]
    ordered: list[Test] = []
    for worker in range(workers):
        length = (len(tests) - len(ordered)) // (workers - worker)
        share = long[worker::workers]
        taken = max(length - len(share), 0)
        ordered += [*share, *short[:taken]]
        short = short[taken:]
    return ordered + short


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests into order; every worker must come to the same one."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = long_ones_first(items, lambda item: item.get_closest_marker("long") is not None, workers)
