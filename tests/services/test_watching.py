"""Watching the queue: the first look tells what is there, every other one what changed."""

from __future__ import annotations

import pytest

from electis_cli.domain.errors import NotAuthenticated
from electis_cli.services import canceling, labels, ping, queue, queued_commands, spaces
from electis_cli.services.watching import watch_queue
from tests.world.ledger import label_codes, push


@pytest.fixture
def codes(cloud):
    return label_codes(cloud, 3)


class Eyes:
    """Somebody who looks at the queue, as often as they are asked to."""

    def __init__(self, scope, clock, **more):
        self.looks = watch_queue(lambda: scope, wait=clock.advance, **more)
        self.last = None

    def __call__(self):
        """Look once more and return what changed: kind, id, before, status."""
        self.last = next(self.looks)
        return [(one.kind, one.id, one.before, one.status) for one in self.last.changes]


def test_the_first_look_tells_what_is_there_and_the_next_ones_what_changes(connected, cloud, clock, codes):
    spaces.create_space(connected, "A", data={})
    eyes = Eyes(connected, clock)
    assert eyes() == [("store", "001", None, "working"), ("article", "A", None, "pending")]
    assert eyes() == []
    labels.link_label(connected, codes[0], "A")
    assert eyes() == [("label", codes[0], None, "pending")]
    push(connected)
    assert eyes() == [("article", "A", "pending", "synced"), ("label", codes[0], "pending", "synced")]
    assert eyes.last.is_empty


def test_a_failure_is_told_with_its_reason(connected, cloud, clock):
    spaces.create_space(connected, "A", data={})
    eyes = Eyes(connected, clock)
    eyes()
    cloud.faults.add("reject-article", articles=("A",), message="FIELD_IS_MISSING")
    push(connected)
    assert eyes() == [("article", "A", "pending", "failed")]
    assert "FIELD_IS_MISSING" in eyes.last.changes[0].error
    assert (eyes.last.is_empty, eyes.last.has_failed) == (True, True)


def test_how_a_command_ended_is_told(connected, cloud, clock, codes):
    queue.pause(connected)
    views = [queued_commands.queue_blink(connected, [code]) for code in codes]
    eyes = Eyes(connected, clock)
    assert len(eyes()) == 4
    assert eyes.last.changes[1].detail == f"blink {codes[0]}"
    canceling.cancel_commands(connected, [views[0].id])
    assert eyes() == [("command", views[0].id, "pending", "canceled")]
    assert eyes.last.changes[0].detail == f"blink {codes[0]}"
    cloud.faults.add("reset", path="/labels/led", count=1)
    queue.pause(connected, resume=True)
    push(connected)
    push(connected)
    assert eyes() == [
        ("store", "001", "paused", "working"),
        ("command", views[1].id, "pending", "unknown"),
        ("command", views[2].id, "pending", "done"),
    ]
    queue.pause(connected)
    late = queued_commands.queue_blink(connected, codes[:1])
    eyes()
    clock.advance(300)
    assert eyes() == [("command", late.id, "pending", "expired")]


def test_why_a_store_stands_still_is_told(connected, simulator_server, clock):
    eyes = Eyes(connected, clock)
    eyes()
    queue.pause(connected)
    assert eyes() == [("store", "001", "working", "paused")]
    queue.pause(connected, resume=True)
    simulator_server.stop()
    ping.ping(connected)
    assert eyes() == [("store", "001", "paused", "breaker open (health)")]


def test_a_watch_until_the_queue_is_empty_ends_then(connected, clock):
    assert len(list(watch_queue(lambda: connected, until_empty=True, wait=clock.advance))) == 1
    spaces.create_space(connected, "A", data={})
    looks = []
    for look in watch_queue(lambda: connected, until_empty=True, wait=clock.advance):
        looks.append(look)
        if len(looks) == 3:
            push(connected)
    assert [look.is_empty for look in looks] == [False, False, False, True]
    assert (looks[1].at - looks[0].at).total_seconds() == 1


def test_who_loses_the_login_meanwhile_sees_no_more(connected, clock):
    asked = []

    def scope():
        asked.append(clock())
        if len(asked) == 3:
            raise NotAuthenticated
        return connected

    with pytest.raises(NotAuthenticated):
        list(watch_queue(scope, wait=clock.advance))
    assert len(asked) == 3
