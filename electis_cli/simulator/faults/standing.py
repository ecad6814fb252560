"""The faults in force, safe to change while calls are served, and which of them hit a call."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from electis_cli.simulator.faults.fault import Asked, Fault
from electis_cli.simulator.faults.reading import fault_from_values
from electis_cli.simulator.past import tick
from electis_cli.simulator.surface import GROUP, surface

WINDOWS = frozenset({"maintenance"})
"""Kinds that end by themselves `seconds` after their first call."""
UNBLOCKED = frozenset({"latency", "clock-skew"})
"""Kinds that also act on an answer given in place of AIMS."""


@dataclass(slots=True)
class Standing:
    """A fault in force with what it has met so far."""

    id: int
    fault: Fault
    chance: random.Random
    began: float = 0.0
    order: int = field(default_factory=tick)
    """Tells what came before the fault from what came after, also when the clock stands still."""
    seen: int = 0
    fired: int = 0
    first: float | None = None
    """When it hit for the first time."""
    tokens: set[str] = field(default_factory=set)
    """Tokens that `auth-expiry` has ended."""
    lost: dict[str, list[str]] = field(default_factory=dict)
    """Links that `label-flap` has taken away."""
    struck: int = 0
    """How often a fault that acts by the clock has acted."""
    level: float | None = None
    """What is left in the bucket of `429`, and since when."""
    filled: float = 0.0

    def fires(self, asked: Asked) -> bool:
        """Count one matching call and decide whether it is hit."""
        fault = self.fault
        if asked.token and asked.token in self.tokens:
            return True
        count = 1 if fault.kind == "auth-expiry" and fault.count is None else fault.count
        if count is not None and self.fired >= count:
            return False
        self.seen += 1
        if self.seen <= fault.after:
            return False
        if fault.probability < 1.0 and self.chance.random() >= fault.probability:
            return False
        if self._is_over(asked.now) or (fault.rate and self._let_through(asked.now)):
            return False
        self.fired += 1
        self.first = asked.now if self.first is None else self.first
        if fault.kind == "auth-expiry" and asked.token:
            self.tokens.add(asked.token)
        return True

    def _is_over(self, now: float) -> bool:
        fault = self.fault
        if fault.kind not in WINDOWS or not fault.seconds or self.first is None:
            return False
        return now - self.first >= fault.seconds

    def _let_through(self, now: float) -> bool:
        """Take a token from the bucket; False when it is empty."""
        burst = float(max(1, self.fault.burst))
        level = burst if self.level is None else self.level
        level = min(burst, level + max(0.0, now - self.filled) * self.fault.rate)
        self.filled = now
        self.level = level - 1.0 if level >= 1.0 else level
        return level >= 1.0


class Faults:
    """The faults in force; those given as `always` belong to the settings and are neither listed nor ended."""

    def __init__(self, now: Callable[[], float] = lambda: 0.0, always: Sequence[Fault] = ()) -> None:
        self._now = now
        self._always = [Standing(-place, one, random.Random(one.seed)) for place, one in enumerate(always, 1)]
        self._changed = threading.Condition()
        self._standing: dict[int, Standing] = {}
        self._last = 0

    def add(self, fault: Fault | str, **values: Any) -> int:
        """Put a fault in force, given whole or as a kind with its fields; answers its number."""
        if isinstance(fault, str):
            fault = fault_from_values({"kind": fault, **values})
        began = self._now()
        with self._changed:
            self._last += 1
            chance = random.Random(fault.seed)
            self._standing[self._last] = Standing(self._last, fault, chance, began)
            return self._last

    def remove(self, fault_id: int) -> bool:
        """End one fault; calls that hang on it are let go."""
        with self._changed:
            found = self._standing.pop(fault_id, None)
            self._changed.notify_all()
            return found is not None

    def clear(self) -> None:
        """End all faults."""
        with self._changed:
            self._standing.clear()
            self._changed.notify_all()

    def fire(self, asked: Asked) -> list[Standing]:
        """The faults that hit this call, oldest first.

        One answers in place of AIMS at most, so that two of them follow each other instead of being used up by
        one call; and a call that never gets through uses up nothing but latency.
        """
        if not self._standing and not self._always:
            return []
        with self._changed:
            meeting = [one for one in (*self._always, *self._standing.values()) if one.fault.meets(asked)]
            answering = next((one for one in meeting if one.fault.answers and one.fires(asked)), None)
            blocked = answering is not None and not answering.fault.applies
            return [
                one
                for one in meeting
                if one is answering
                or (
                    not one.fault.answers
                    and (not blocked or one.fault.kind in UNBLOCKED)
                    and one.fires(asked)
                )
            ]

    def wait_gone(self, fault_id: int, seconds: float) -> bool:
        """Wait until a fault has ended; False when it still stands after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: fault_id not in self._standing, seconds)

    def listing(self) -> list[dict[str, Any]]:
        """The faults in force for the control interface."""
        with self._changed:
            return [
                {"id": one.id, "seen": one.seen, "fired": one.fired, **asdict(one.fault), **_idle(one.fault)}
                for one in self._standing.values()
            ]


def _idle(fault: Fault) -> dict[str, bool]:
    """Say of a fault that it is for no path AIMS has: it will meet nothing but calls that are wrong themselves."""
    known = surface()
    paths = [*known.exact, *(path for _, path in known.patterns)]
    return {} if any(fault.is_for(path, path.removeprefix(GROUP)) for path in paths) else {"idle": True}
