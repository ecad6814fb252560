"""A loop of the daemon: its turns, what wakes it, and how it ends."""

from __future__ import annotations

import threading
import time

import pytest

from daemon.loop import Loop

LONG = 3600.0
PATIENCE = 20.0


class Turns:
    """Counts turns, and holds each until it may end."""

    def __init__(self):
        self.began = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.count = 0
        self.moments = []

    def __call__(self):
        self.moments.append(time.monotonic())
        self.count += 1
        self.began.release()
        assert self.may_end.acquire(timeout=PATIENCE)

    def next(self):
        """Let the turn in progress end when there is one, and wait until the next has begun."""
        self.may_end.release()
        assert self.began.acquire(timeout=PATIENCE), "no turn"


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def turns():
    return Turns()


@pytest.fixture
def loop(turns, stop):
    loop = Loop("queue", LONG, turns, stop)
    loop.start()
    assert turns.began.acquire(timeout=PATIENCE)
    yield loop
    stop.set()
    turns.may_end.release(10)
    loop.join()


def test_a_loop_that_is_woken_takes_its_next_turn_at_once(loop, turns):
    for _ in range(3):
        loop.wake()
        turns.next()
    assert turns.count == 4


def test_a_wake_up_during_a_turn_is_followed_by_one_turn_however_many_they_were(loop, turns):
    for _ in range(5):
        loop.wake()
    turns.next()
    assert not loop._woken.is_set(), "woken once more than there was reason to"
    assert turns.count == 2


def test_it_rests_between_two_turns_however_often_it_is_woken(loop, turns):
    for _ in range(4):
        loop.wake()
        turns.next()
    pauses = [later - earlier for earlier, later in zip(turns.moments, turns.moments[1:], strict=False)]
    assert min(pauses) >= 0.05


def test_a_loop_that_rests_ends_at_once_when_it_is_told_to(loop, turns, stop):
    turns.may_end.release()
    began = time.monotonic()
    stop.set()
    loop.join()
    assert time.monotonic() - began < PATIENCE
