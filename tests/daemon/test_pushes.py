"""Pushes side by side: a store is pushed by one thread at a time, and no change of it is left behind."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from daemon.loop import SHORTEST_PAUSE
from daemon.pushes import Pushes
from electis_cli.services.working import Place


def place(name):
    return Place(org_id="acme", store_id=name, code=name)


class Pool:
    """Keeps what is handed to it until the test lets it end."""

    def __init__(self):
        self.under_way = []

    def submit(self, push, which):
        future = Future()
        self.under_way.append((future, push, which))
        return future

    def end(self):
        """Let the oldest push end."""
        future, push, which = self.under_way.pop(0)
        push(which)
        future.set_result(None)


class World:
    """Pushes of a pool that stands still, and of a clock that the test sets."""

    def __init__(self):
        self.pool, self.stop = Pool(), threading.Event()
        self.now, self.looks, self.pushed = 0.0, 0, []
        self.pushes = Pushes(
            self.pool,
            lambda which: self.pushed.append(which.store_id),
            look_again=self.look_again,
            stop=self.stop,
            clock=lambda: self.now,
        )

    def look_again(self):
        self.looks += 1

    @property
    def under_way(self):
        return [which.store_id for _, _, which in self.pool.under_way]


@pytest.fixture
def world():
    return World()


def test_a_store_is_never_pushed_by_two_threads(world):
    for name in ("001", "002", "001", "001"):
        world.pushes.start(place(name))
    assert world.under_way == ["001", "002"]


def test_what_is_changed_during_a_push_is_looked_at_once_when_it_ends(world):
    world.pushes.start(place("001"))
    for _ in range(3):
        world.pushes.start(place("001"))
    assert world.looks == 0
    world.pool.end()
    assert (world.pushed, world.looks) == (["001"], 1)

    world.pushes.start(place("001"))
    world.pushes.start(place("001"))
    world.pool.end()
    assert (world.pushed, world.looks) == (["001", "001"], 2), "the next push is awaited anew"


def test_a_store_somebody_told_of_is_pushed_at_once(world):
    world.pushes.hear(place("001"))
    world.pushes.hear(place("002"))
    assert (world.under_way, world.looks) == (["001", "002"], 0)


def test_many_edits_in_a_row_are_left_to_the_queue(world):
    for edit in range(10):
        world.now = edit * SHORTEST_PAUSE / 20
        world.pushes.hear(place("001"))
        if world.under_way:
            world.pool.end()
    assert (world.pushed, world.looks) == (["001"], 9)

    world.now += SHORTEST_PAUSE
    world.pushes.hear(place("001"))
    assert world.under_way == ["001"], "after a pause the next is pushed at once again"


def test_work_that_may_be_anywhere_is_looked_for(world):
    world.pushes.hear(None)
    assert (world.under_way, world.looks) == ([], 1)


def test_after_the_stop_nothing_begins(world):
    world.stop.set()
    world.pushes.start(place("001"))
    world.pushes.hear(place("002"))
    assert world.under_way == []


def test_stores_that_are_told_of_once_are_forgotten(world):
    for number in range(5000):
        world.now = float(number)
        world.pushes.hear(place(str(number)))
    assert len(world.pushes._heard_at) <= 1000
