"""Whatever is paused, away, slow, killed or canceled, in any order: no command is sent twice in doubt, or late."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from electis_cli.db import commands
from electis_cli.domain.commands import OPEN_STATES, state_at
from electis_cli.domain.errors import Conflict
from electis_cli.services import canceling, housekeeping, ping, queue, queued_commands
from tests.world.ledger import Through, account_of, label_codes, push, store_of, through
from tests.world.orders import LED, led_calls

REFUSED = {401, 403, 405, 429}
"""Answers that say for certain that nothing was done."""
FAULTS = {
    "lost": ("reset", {"applied": True}),
    "reset": ("reset", {}),
    "busy": ("429", {"seconds": 5}),
    "broken": ("status", {"code": 500}),
    "half": ("cut", {}),
    "refuses": ("status", {"code": 405, "message": "COLOR_IS_INVALID"}),
    "logged-out": ("auth-expiry", {}),
}
STEPS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "queue",
                "leave",
                "leave",
                "push",
                "push",
                "die",
                "die-after",
                "pause",
                "resume",
                "ping",
                "house",
            ]
        ),
        st.sampled_from(["away", "heal", "heal", "cancel", *FAULTS]),
        st.sampled_from([1, 20, 70, 150]),
    ),
    min_size=4,
    max_size=16,
)


class Killed(BaseException):
    """The worker's process is gone, between its two transactions."""


def dying(after):
    """Return a client whose process dies at the first LED call, before it is sent or after it was answered."""

    class Dying(Through):
        @property
        def connection(self):
            connection = self.client.connection

            class Line:
                def call(self, *arguments, **more):
                    if after:
                        connection.call(*arguments, **more)
                    raise Killed

            return Line()

    return Dying


@dataclass
class Machine:
    """The world of one example: an organization, its commands by what their calls look like, and what was sent."""

    scope: object
    cloud: object
    clock: object
    codes: list[str]
    views: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    sent: dict[str, list[object]] = field(default_factory=dict)
    seen: int = 0

    def begin(self):
        """End what the example before left, and forget it."""
        self.cloud.faults.clear()
        self.clock.advance(1000)
        queue.pause(self.scope, resume=True)
        ping.ping(self.scope)
        push(self.scope)
        housekeeping.keep_house(self.scope.runtime, self.scope.org_id)
        ping.ping(self.scope)
        self.seen = self.cloud.journal.last
        return self

    def take(self, step):
        is_paused = store_of(self.scope).paused_at is not None
        is_open = account_of(self.scope).breaker == "open"
        self.act(step)
        for call in led_calls(self.cloud):
            if call.seq <= self.seen:
                continue
            name, expires_at = self.views[call.body_sha256]
            assert not is_paused, f"{step}: sent from a paused store"
            assert step != "leave", "sent from a store that is paused meanwhile"
            assert not (is_open and step in {"push", "die", "die-after"}), (
                f"{step}: sent while the breaker is open"
            )
            assert self.clock() < expires_at, f"{step}: sent after its time"
            before = self.sent.setdefault(name, [])
            assert len(before) < 3, f"{step}: a fourth try"
            assert all(one.status in REFUSED and not one.taken for one in before), (
                f"{step}: sent again in doubt"
            )
            before.append(call)
        self.seen = self.cloud.journal.last

    def act(self, step):
        if isinstance(step, int):
            self.clock.advance(step)
        elif step == "queue":
            self.queue()
        elif step == "leave":
            self.leave()
        elif step in {"push", "die", "die-after"}:
            scope = self.scope if step == "push" else through(self.scope, dying(after=step == "die-after"))
            with contextlib.suppress(Killed):
                push(scope)
        elif step in {"pause", "resume"}:
            queue.pause(self.scope, resume=step == "resume")
        elif step == "ping":
            ping.ping(self.scope)
        elif step == "house":
            housekeeping.keep_house(self.scope.runtime, self.scope.org_id)
        elif step == "away":
            self.cloud.faults.add("status", code=503)
        elif step == "heal":
            self.cloud.faults.clear()
        elif step == "cancel":
            self.cancel()
        else:
            kind, more = FAULTS[step]
            self.cloud.faults.add(kind, path=LED, method="PUT", **more)

    def queue(self):
        if len(self.views) == len(self.codes):
            return
        code = self.codes[len(self.views)]
        item = {"labelCode": code, "color": "GREEN", "duration": "30s", "patternId": 0, "multiLed": False}
        digest = hashlib.sha256(orjson.dumps({"ledBlinkList": [item]})).hexdigest()
        self.views[digest] = (code, self.clock() + timedelta(seconds=300))
        queued_commands.queue_blink(self.scope, [code], timeout=timedelta(0))

    def leave(self):
        """Queue a command that nobody tries yet."""
        is_paused = store_of(self.scope).paused_at is not None
        queue.pause(self.scope)
        self.queue()
        queue.pause(self.scope, resume=not is_paused)

    def cancel(self):
        with self.scope.runtime.database.read(self.scope.org_id) as uow:
            waiting = commands.open_commands(uow, [store_of(self.scope).id])
        if waiting:
            with contextlib.suppress(Conflict):
                canceling.cancel_commands(self.scope, [waiting[0].id])

    def finish(self):
        """Whatever was open has ended once its time is over, and it was done for AIMS's labels at most once."""
        self.clock.advance(400)
        housekeeping.keep_house(self.scope.runtime, self.scope.org_id)
        with self.scope.runtime.database.read(self.scope.org_id) as uow:
            left = commands.open_commands(uow, [store_of(self.scope).id])
            assert [state_at(one, uow.now()) for one in left if one.state in OPEN_STATES] == []
        for calls in self.sent.values():
            assert sum(call.taken for call in calls) <= 1


@pytest.mark.slow
@given(steps=STEPS)
@example(steps=["leave", "die-after", "push", 70, "push", "house"])
@example(steps=["leave", "die", "house", "push"])
@example(steps=["leave", "pause", "push", "house", "resume", "push"])
@example(steps=["leave", "away", "ping", "heal", "push", "ping", "push"])
@example(steps=["leave", "pause", 150, 150, "resume", "push"])
@example(steps=["leave", "lost", "push", "heal", 20, "push"])
@example(steps=["leave", "busy", "push", 20, "push", 70, "push", 70, "push", 70, "push"])
@example(steps=["leave", "away", "push", 150, "ping", 150, "heal", "ping", "push"])
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_order_of_pauses_outages_deaths_and_cancels_sends_a_command_twice_or_late(
    connected, cloud, clock, steps
):
    machine = Machine(connected, cloud, clock, label_codes(cloud, 6)).begin()
    for step in steps:
        machine.take(step)
    machine.finish()
