"""Waiting until the queue is empty, or until labels have drawn what AIMS accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from electis_cli.db import label_displays
from electis_cli.domain.access import Action
from electis_cli.domain.labels import Display
from electis_cli.services.change import Scope, reading
from electis_cli.services.displaying import follow_displays
from electis_cli.services.queue import queue_status


class Goal(StrEnum):
    """What is waited for."""

    QUEUE_EMPTY = "queue-empty"
    DISPLAYED = "displayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitView:
    """How the wait ended, and what is left."""

    goal: str
    reached: bool
    waiting: int
    failed: int
    drawing: int
    timed_out: int

    @property
    def is_over(self) -> bool:
        """True when waiting any longer changes nothing: the goal is reached, or what is left will not end by itself."""
        return self.waiting == 0 and (self.goal == Goal.QUEUE_EMPTY or self.drawing == 0)


def wait_for(
    scope: Scope,
    goal: Goal,
    *,
    store: str | None = None,
    timeout: timedelta = timedelta(seconds=60),
    pause: Callable[[float], None] = lambda _: None,
) -> WaitView:
    """Look until the goal is reached or the time is up; somebody else does the pushing (the daemon, or a drain)."""
    with reading(scope, Action.READ):
        pass
    deadline = scope.runtime.clock() + timeout
    while True:
        view = _look(scope, goal, store)
        if view.is_over or scope.runtime.clock() >= deadline:
            return view
        pause(0.5)


def _look(scope: Scope, goal: Goal, store: str | None) -> WaitView:
    statuses = [status for status in queue_status(scope, store=store) if status.enabled]
    waiting = sum(status.waiting for status in statuses)
    failed = sum(status.failed + status.labels_failed for status in statuses)
    if goal is Goal.DISPLAYED and waiting == 0:
        follow_displays(scope.runtime, scope.org_id)
    displays = _displays(scope, store)
    drawing = displays.get(Display.PROCESSING.value, 0)
    timed_out = displays.get(Display.TIMED_OUT.value, 0)
    # Labels that gave up, or that AIMS refused, do not show what they should, and will not by waiting.
    is_drawn = goal is Goal.QUEUE_EMPTY or (drawing == 0 and not failed and not timed_out)
    return WaitView(
        goal=goal.value,
        reached=waiting == 0 and is_drawn,
        waiting=waiting,
        failed=failed,
        drawing=drawing,
        timed_out=timed_out,
    )


def _displays(scope: Scope, store: str | None) -> Mapping[str, int]:
    with reading(scope) as read:
        counts = label_displays.count_displays(read.uow, [place.id for place in read.stores(store)])
    total: dict[str, int] = {}
    for one in counts.values():
        for display, count in one.items():
            total[display] = total.get(display, 0) + count
    return total
