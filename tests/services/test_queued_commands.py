"""One-shot commands through the queue: tried at once, waiting when that fails, never late, never twice (design 5.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from electis_cli.db import commands, leases, stores, trail
from electis_cli.domain.access import Role
from electis_cli.domain.commands import Color, CommandState, Obstacle
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsNotConfigured,
    AimsRejected,
    AimsThrottled,
    AimsUnreachable,
    Conflict,
    InvalidInput,
    LabelNotFound,
    NotFound,
    PermissionRefused,
    TimeUp,
    UsageProblem,
)
from electis_cli.services import (
    canceling,
    draining,
    housekeeping,
    labels,
    ping,
    queue,
    queued_commands,
    spaces,
    waiting,
    working,
)
from electis_cli.services.push.report import Ending
from tests.world.ledger import (
    Through,
    account_of,
    articles_at,
    calls,
    events_of,
    label,
    label_codes,
    push,
    store_of,
    through,
    wish_of,
)
from tests.world.orders import LED, command_of, led_calls, leds

LIFE = 300
"""Seconds a command lives."""


@pytest.fixture
def codes(cloud):
    return label_codes(cloud, 4)


def blink(scope, *codes, **more):
    return queued_commands.queue_blink(scope, codes, **more)


def paused(scope):
    queue.pause(scope, why="moving day")
    return scope


def status_of(scope):
    (status,) = queue.queue_status(scope)
    return status


def state_of(scope, view):
    return command_of(scope, view.id).state


def audit_of(scope, view):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [
            (row["action"], row["actor_email"])
            for row in trail.list_audit(uow, entity="command", entity_id=view.id)
        ]


# --- at once --------------------------------------------------------------------------------------------------------


def test_a_queued_blink_is_done_before_its_caller_is_back(connected, cloud, codes):
    view = blink(connected, codes[0].lower(), codes[1], color=Color.RED, duration="1m")
    assert (view.status, view.labels, view.store, view.attempts) == ("done", tuple(codes[:2]), "001", 1)
    assert (view.waits_for, view.error, view.refused) == (None, None, {})
    assert leds(cloud) == {codes[0]: "RED", codes[1]: "RED"}
    assert audit_of(connected, view) == [
        ("command:queued", connected.actor.email),
        ("command:done", "system"),
    ]
    assert [len(events_of(connected, f"command:{name}")) for name in ("queued", "done")] == [1, 1]
    assert status_of(connected).is_empty


def test_a_queued_resend_is_done_at_once_and_the_labels_are_followed_again(connected, cloud, codes, clock):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    with connected.runtime.database.write(connected.org_id) as uow:
        from electis_cli.db.labels import update_wish

        update_wish(uow, codes[0], {"display": "timed_out"})
        uow.commit()
    silent = queued_commands.queue_resend(connected, [codes[0]])
    assert (silent.status, silent.sent) == ("done", False)
    assert wish_of(connected, codes[0]).display == "timed_out"
    cloud.clock.advance(600)
    label(cloud, codes[0]).outcome = "TIMEOUT"
    spaces.update_space(connected, "A", data={"TITLE": "x"})
    push(connected)
    cloud.clock.advance(600)
    with connected.runtime.database.write(connected.org_id) as uow:
        update_wish(uow, codes[0], {"display": "timed_out"})
        uow.commit()
    view = queued_commands.queue_resend(connected, None)
    assert (view.status, view.sent, view.labels) == ("done", True, ())
    assert len(calls(cloud, "PUT", "/resend/timeout/all")) == 1
    assert wish_of(connected, codes[0]).display == "processing"


def test_a_command_goes_after_the_articles_and_wishes_that_are_due(connected, cloud, codes):
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    labels.link_label(connected, codes[0], "A")
    cloud.journal.clear()
    blink(connected, codes[0])
    writes = [
        entry.path.rsplit("/", 1)[-1] for entry in cloud.journal.after() if entry.method in {"POST", "PUT"}
    ]
    assert [name for name in writes if name != "token"] == ["articles", "link", "led"]


def test_a_command_does_not_wait_for_the_end_of_a_long_import(connected, cloud, codes):
    small = replace(connected.runtime, tuning=replace(connected.runtime.tuning, batch_size=1))
    scope = replace(connected, runtime=small)
    for number in range(5):
        spaces.create_space(scope, f"S{number}", data={})
    view = blink(scope, codes[0])
    assert view.status == "done"
    assert len(articles_at(cloud)) == 1, "its caller waits for one batch, not for the import"


def test_labels_that_aims_does_not_know_are_told(connected, cloud, codes):
    unknown = "0A1B2C3DB290"
    view = blink(connected, codes[0], unknown)
    assert (view.status, view.refused) == ("done", {unknown: "LABEL_CODE_NOT_FOUND"})
    view = blink(connected, unknown)
    assert (view.status, view.error_class) == ("failed", "E-LABEL-NOT-FOUND")
    view = queued_commands.queue_resend(connected, [unknown])
    assert (view.status, view.error_class) == ("failed", "E-LABEL-NOT-FOUND")


def test_a_dry_run_writes_nothing_and_calls_nobody(connected, cloud, codes):
    view = blink(connected, codes[0], dry_run=True)
    assert (view.id, view.status, view.expires_at) == (None, "planned", None)
    assert cloud.journal.after() == []
    assert status_of(connected).commands == 0
    assert events_of(connected, "command:queued") == []


def test_what_is_refused_before_it_is_queued(bench, connected, scope_without_aims, codes):
    for wrong in (lambda: blink(connected, "xyz"), lambda: blink(connected, codes[0], duration="1h")):
        with pytest.raises(InvalidInput):
            wrong()
    with pytest.raises(AimsNotConfigured):
        blink(scope_without_aims, codes[0])
    with pytest.raises(PermissionRefused):
        blink(bench.as_role(connected, Role.VIEWER), codes[0])
    with connected.runtime.database.write(connected.org_id) as uow:
        stores.update_store(uow, store_of(connected).id, {"sync_enabled": False})
        uow.commit()
    with pytest.raises(Conflict, match="switched off"):
        blink(connected, codes[0])
    assert status_of(connected).commands == 0


@pytest.fixture
def scope_without_aims(bench):
    return bench.organization("NOAIMS")


# --- waiting --------------------------------------------------------------------------------------------------------


def test_in_a_paused_store_a_command_waits_and_the_daemon_sends_it_later(connected, cloud, codes):
    view = blink(paused(connected), codes[0])
    assert (view.status, view.waits_for, view.attempts) == ("pending", Obstacle.PAUSED, 0)
    assert (led_calls(cloud), working.due_pushes(connected.runtime)) == ([], [])
    assert push(connected).ending is Ending.PAUSED
    assert (status_of(connected).commands, status_of(connected).is_empty) == (1, False)
    queue.pause(connected, resume=True)
    (place,) = working.due_pushes(connected.runtime)
    assert working.push_turn(connected.runtime, place, lambda: False).counts == {"commands_sent": 1}
    assert (state_of(connected, view), list(leds(cloud))) == (CommandState.DONE, [codes[0]])
    assert working.due_pushes(connected.runtime) == []


def test_a_command_whose_time_is_over_is_never_sent(connected, cloud, codes, clock):
    view = blink(paused(connected), codes[0])
    clock.advance(LIFE - 1)
    assert status_of(connected).commands == 1
    clock.advance(1)
    assert (status_of(connected).commands, status_of(connected).is_empty) == (0, True)
    queue.pause(connected, resume=True)
    assert working.due_pushes(connected.runtime) == []
    push(connected)
    assert (led_calls(cloud), state_of(connected, view)) == ([], CommandState.EXPIRED)
    assert audit_of(connected, view)[-1] == ("command:expired", "system")


def test_housekeeping_ends_what_expired_in_a_store_that_nobody_pushes(connected, codes, clock):
    view = blink(paused(connected), codes[0])
    assert housekeeping.keep_house(connected.runtime, connected.org_id).commands_ended == 0
    clock.advance(LIFE)
    assert housekeeping.keep_house(connected.runtime, connected.org_id).commands_ended == 1
    assert state_of(connected, view) is CommandState.EXPIRED
    clock.advance(7 * 86400)
    assert state_of(connected, view) is CommandState.EXPIRED
    clock.advance(1)
    housekeeping.keep_house(connected.runtime, connected.org_id)
    with connected.runtime.database.read(connected.org_id) as uow:
        assert commands.find_command(uow, view.id) is None


def test_while_aims_is_away_a_command_waits_and_keeps_its_tries(
    connected, simulator_server, cloud, codes, clock
):
    simulator_server.stop()
    view = blink(connected, codes[0], wait=clock.advance)
    assert (view.status, view.waits_for, view.attempts) == ("pending", Obstacle.UNREACHABLE, 0)
    assert account_of(connected).breaker == "open"
    assert working.due_pushes(connected.runtime) == []
    simulator_server.start()
    ping.ping(connected)
    assert push(connected).commands_sent == 1
    assert (state_of(connected, view), command_of(connected, view.id).attempts) == (CommandState.DONE, 1)


def test_after_an_outage_one_command_shows_whether_aims_is_back(
    connected, simulator_server, cloud, codes, clock
):
    views = [blink(paused(connected), code) for code in codes[:3]]
    queue.pause(connected, resume=True)
    simulator_server.stop()
    ping.ping(connected)
    simulator_server.start()
    ping.ping(connected)
    assert account_of(connected).breaker == "half-open"
    cloud.faults.add("status", code=503, path=LED, count=1)
    assert push(connected).ending is Ending.TROUBLE
    assert (len(led_calls(cloud)), account_of(connected).breaker) == (1, "half-open")
    assert push(connected).commands_sent == 2
    assert account_of(connected).breaker == "closed"
    states = [state_of(connected, view) for view in views]
    assert states == [CommandState.UNKNOWN, CommandState.DONE, CommandState.DONE]


def test_the_first_answer_after_an_outage_ends_it_whatever_comes_next(
    connected, simulator_server, cloud, codes
):
    for code in codes[:3]:
        blink(paused(connected), code)
    queue.pause(connected, resume=True)
    simulator_server.stop()
    ping.ping(connected)
    simulator_server.start()
    ping.ping(connected)
    cloud.faults.add("reset", path=LED, after=1)
    report = push(connected)
    assert (report.commands_sent, report.commands_failed, status_of(connected).commands) == (1, 1, 1)
    assert account_of(connected).breaker == "closed"


def test_a_command_that_is_queued_finds_out_that_aims_is_back(connected, simulator_server, codes):
    simulator_server.stop()
    ping.ping(connected)
    simulator_server.start()
    assert account_of(connected).breaker == "open"
    assert blink(connected, codes[0]).status == "done"


def test_while_another_worker_holds_the_store_it_is_asked_to_do_it(connected, cloud, codes, clock):
    with connected.runtime.database.write(connected.org_id) as uow:
        lease = leases.take_lease(uow, leases.push_resource(store_of(connected).id), "daemon", seconds=600)
        uow.commit()
    waits = []
    view = blink(
        connected, codes[0], timeout=timedelta(seconds=5), wait=lambda s: (waits.append(s), clock.advance(1))
    )
    assert (view.status, view.waits_for, len(waits)) == ("pending", Obstacle.WORKER, 5)
    with connected.runtime.database.write(connected.org_id) as uow:
        leases.release_lease(uow, lease)
        uow.commit()
    assert push(connected).commands_sent == 1


def test_a_wait_for_an_empty_queue_waits_for_commands_too(connected, codes, clock):
    view = blink(paused(connected), codes[0])

    def look(seconds):
        return waiting.wait_for(
            connected, waiting.Goal.QUEUE_EMPTY, timeout=timedelta(seconds=seconds), pause=clock.advance
        )

    assert (look(5).reached, look(0).waiting) == (False, 1)
    canceling.cancel_commands(connected, [view.id])
    assert (look(0).reached, look(0).waiting) == (True, 0)


def test_a_drain_sends_commands_and_counts_those_that_are_left(connected, cloud, codes, clock):
    blink(paused(connected), codes[0])
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.left["commands"]) == (False, 1)
    queue.pause(connected, resume=True)
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.left["commands"], view.pushed["commands_sent"]) == (True, 0, 1)


# --- failures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("reset", {"applied": True}),
        ("reset", {}),
        ("status", {"code": 500}),
        ("html", {}),
        ("cut", {}),
        ("empty-200", {}),
    ],
    ids=str,
)
def test_a_command_without_an_answer_is_not_given_twice(connected, cloud, codes, clock, kind, more):
    cloud.faults.add(kind, path=LED, method="PUT", **more)
    view = blink(connected, codes[0], wait=clock.advance)
    assert (view.status, view.attempts, len(led_calls(cloud))) == ("unknown", 1, 1)
    cloud.faults.clear()
    for _ in range(3):
        clock.advance(20)
        push(connected)
    assert (state_of(connected, view), len(led_calls(cloud))) == (CommandState.UNKNOWN, 1)


def test_a_led_that_fails_holds_no_article_back(connected, cloud, codes, clock):
    cloud.faults.add("status", code=500, path=LED, method="PUT")
    for code in codes:
        blink(connected, code, wait=clock.advance)
    spaces.create_space(connected, "A", data={})
    assert store_of(connected).backoff_until is None
    assert push(connected).created == 1
    assert account_of(connected).breaker == "closed"


def test_a_drain_goes_on_after_a_command_without_an_answer(connected, cloud, codes, clock):
    views = [blink(paused(connected), code) for code in codes[:3]]
    queue.pause(connected, resume=True)
    cloud.faults.add("reset", path=LED, method="PUT", count=2)
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.pushed["commands_sent"], view.pushed["commands_failed"]) == (True, 1, 2)
    assert [state_of(connected, one) for one in views] == [
        CommandState.UNKNOWN, CommandState.UNKNOWN, CommandState.DONE,
    ]  # fmt: skip


def test_a_refused_command_is_not_given_again(connected, cloud, codes):
    cloud.faults.add("status", code=405, message="DURATION_IS_INVALID", path=LED, method="PUT")
    view = blink(connected, codes[0])
    assert (view.status, view.error_class, len(led_calls(cloud))) == ("failed", "E-AIMS-REJECTED", 1)
    assert "DURATION_IS_INVALID" in view.error
    push(connected)
    assert len(led_calls(cloud)) == 1


def test_a_throttled_command_waits_as_long_as_aims_asks_and_is_then_sent(connected, cloud, codes, clock):
    cloud.faults.add("429", path=LED, method="PUT", seconds=60, count=1)
    view = blink(connected, codes[0], wait=clock.advance)
    assert (view.status, view.waits_for, view.attempts) == ("pending", Obstacle.BACKOFF, 1)
    clock.advance(20)
    assert push(connected).ending is Ending.BACKOFF
    clock.advance(40)
    assert push(connected).commands_sent == 1
    assert (len(led_calls(cloud)), command_of(connected, view.id).attempts) == (2, 2)


def test_when_aims_is_back_a_command_that_had_to_wait_is_due_at_once(connected, cloud, codes, clock):
    cloud.faults.add("429", path=LED, method="PUT", seconds=200, count=1)
    view = blink(connected, codes[0], wait=clock.advance)
    assert command_of(connected, view.id).next_attempt_at > clock() + timedelta(seconds=100)
    outage = cloud.faults.add("status", code=503)
    ping.ping(connected)
    cloud.faults.remove(outage)
    ping.ping(connected)
    assert command_of(connected, view.id).next_attempt_at is None
    assert push(connected).commands_sent == 1


def test_a_drain_waits_for_a_command_that_is_due_before_its_time_is_up(connected, cloud, codes, clock):
    waits = blink(paused(connected), codes[0])
    queue.pause(connected, resume=True)
    with connected.runtime.database.write(connected.org_id) as uow:
        later = replace(commands.find_command(uow, waits.id), next_attempt_at=clock() + timedelta(seconds=20))
        commands.save_command(uow, later)
        uow.commit()
    view = draining.drain(connected, timeout=timedelta(seconds=10), wait=clock.advance)
    assert (view.empty, view.left["commands"]) == (False, 1)
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.pushed["commands_sent"]) == (True, 1)


def test_a_drain_goes_on_when_the_pause_aims_asked_for_is_over(connected, cloud, codes, clock):
    blink(paused(connected), codes[0])
    queue.pause(connected, resume=True)
    cloud.faults.add("429", path=LED, method="PUT", seconds=20, count=1)
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.pushed["commands_sent"]) == (True, 1)


def test_a_command_is_tried_three_times_and_then_given_up(connected, cloud, codes, clock):
    cloud.faults.add("429", path=LED, method="PUT", seconds=1)
    view = blink(connected, codes[0], wait=clock.advance)
    for _ in range(6):
        clock.advance(40)
        push(connected)
    ended = command_of(connected, view.id)
    assert (ended.state, ended.attempts, ended.error_class) == (CommandState.FAILED, 3, "E-AIMS-THROTTLED")
    assert len(led_calls(cloud)) == 3


def test_a_lost_login_is_no_try_of_the_command(connected, cloud, codes, clock):
    class LoginLost(Through):
        def check_login(self):
            cloud.faults.add("reset", path="*token*", count=5)
            return self.client.check_login()

        def ping(self, *_args):
            cloud.faults.clear()
            return 0.1

    # The ping before the command uses the token of its own client; the command's client has none yet.
    view = blink(through(connected, LoginLost), codes[0], timeout=timedelta(0))
    assert (view.attempts, led_calls(cloud)) == (0, [])
    assert view.status == "pending"


def test_what_a_worker_was_sending_when_it_died_is_in_doubt_and_not_sent(connected, cloud, codes, clock):
    view = blink(paused(connected), codes[0])
    queue.pause(connected, resume=True)
    with connected.runtime.database.write(connected.org_id) as uow:
        lease = leases.take_lease(uow, leases.push_resource(store_of(connected).id), "dead", seconds=60)
        sent = replace(
            commands.find_command(uow, view.id),
            state=CommandState.SYNCING,
            attempts=1,
            inflight_epoch=lease.epoch,
        )
        commands.save_command(uow, sent)
        uow.commit()
    housekeeping.keep_house(connected.runtime, connected.org_id)
    assert state_of(connected, view) is CommandState.SYNCING, "its worker still holds the store"
    clock.advance(61)
    push(connected)
    assert (state_of(connected, view), led_calls(cloud)) == (CommandState.UNKNOWN, [])
    assert audit_of(connected, view)[-1] == ("command:unknown", "system")


def test_housekeeping_ends_what_a_dead_worker_left_when_nothing_else_is_due(connected, codes, clock):
    view = blink(paused(connected), codes[0])
    with connected.runtime.database.write(connected.org_id) as uow:
        sent = replace(commands.find_command(uow, view.id), state=CommandState.SYNCING, inflight_epoch=1)
        commands.save_command(uow, sent)
        uow.commit()
    assert status_of(connected).commands == 1
    assert housekeeping.keep_house(connected.runtime, connected.org_id).commands_ended == 1
    assert state_of(connected, view) is CommandState.UNKNOWN


def test_an_answer_that_comes_after_the_store_was_lost_changes_nothing(connected, cloud, codes, clock):
    class Slow(Through):
        @property
        def connection(self):
            clock.advance(61)  # the call takes longer than the lease
            push(connected)  # the next worker finds the command in doubt
            return self.client.connection

    view = blink(through(connected, Slow), codes[0], timeout=timedelta(0))
    assert (view.status, len(led_calls(cloud))) == ("unknown", 1)


def test_a_command_that_ended_badly_says_what_to_do(connected, cloud, codes, clock):
    done = blink(connected, codes[0])
    queued_commands.require_success(done)
    for changes, error in (
        ({"status": "unknown"}, AimsAmbiguous),
        ({"status": "expired"}, TimeUp),
        ({"status": "canceled"}, Conflict),
        ({"status": "failed", "error_class": "E-LABEL-NOT-FOUND"}, LabelNotFound),
        ({"status": "failed", "error_class": "E-AIMS-REJECTED"}, AimsRejected),
        ({"status": "failed", "error_class": "E-AIMS-THROTTLED"}, AimsThrottled),
        ({"status": "failed", "error_class": "E-AIMS-UNREACHABLE"}, AimsUnreachable),
    ):
        with pytest.raises(error) as met:
            queued_commands.require_success(replace(done, **changes))
        assert met.value.fix
        assert type(met.value) is error


# --- taking back ----------------------------------------------------------------------------------------------------


def test_a_canceled_command_is_never_sent(connected, cloud, codes):
    first, second = (blink(paused(connected), code) for code in codes[:2])
    assert canceling.cancel_commands(connected, [first.id], dry_run=True) == 1
    assert state_of(connected, first) is CommandState.PENDING
    assert canceling.cancel_commands(connected, [first.id]) == 1
    assert audit_of(connected, first)[-1] == ("command:canceled", connected.actor.email)
    queue.pause(connected, resume=True)
    push(connected)
    assert [state_of(connected, one) for one in (first, second)] == [CommandState.CANCELED, CommandState.DONE]
    assert list(leds(cloud)) == [codes[1]]


def test_all_commands_of_a_store_are_canceled_at_once(bench, simulator_server, cloud, codes):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    queue.pause(scope, store="001")
    queue.pause(scope, store="002")
    here = [blink(scope, code, store="001") for code in codes[:2]]
    there = blink(scope, codes[2], store="002")
    with pytest.raises(UsageProblem):
        canceling.cancel_commands(scope, None)
    assert canceling.cancel_commands(scope, None, store="001") == 2
    assert canceling.cancel_commands(scope, None, store="001") == 0
    assert {state_of(scope, view) for view in here} == {CommandState.CANCELED}
    assert state_of(scope, there) is CommandState.PENDING


def test_only_commands_that_wait_can_be_canceled(connected, codes, clock):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    done = blink(connected, codes[1])
    waits = blink(paused(connected), codes[0])
    spaces.create_space(connected, "B", data={})
    for name, why in (
        ("B", "is an article"),
        (codes[0].lower(), "is the wish of a label"),
        (done.id, "has ended"),
    ):
        with pytest.raises(Conflict, match=why) as refused:
            canceling.cancel_commands(connected, [waits.id, name])
        assert refused.value.fix
    with pytest.raises(NotFound):
        canceling.cancel_commands(connected, [waits.id, "nothing"])
    assert state_of(connected, waits) is CommandState.PENDING, "all or nothing"
    with connected.runtime.database.write(connected.org_id) as uow:
        commands.save_command(uow, replace(commands.find_command(uow, waits.id), state=CommandState.SYNCING))
        uow.commit()
    with pytest.raises(Conflict, match="is being sent"):
        canceling.cancel_commands(connected, [waits.id])
    assert canceling.cancel_commands(connected, None) == 0


def test_others_see_cancel_and_send_no_command_of_ours(bench, connected, simulator_server, cloud, codes):
    view = blink(paused(connected), codes[0])
    other = bench.organization("OTHER", base_url=simulator_server.base_url)
    with pytest.raises(NotFound):
        canceling.cancel_commands(other, [view.id])
    assert (status_of(other).commands, canceling.cancel_commands(other, None)) == (0, 0)
    push(other)
    assert led_calls(cloud) == []
    with pytest.raises(PermissionRefused):
        canceling.cancel_commands(bench.as_role(connected, Role.VIEWER), [view.id])
    two = bench.organization("TWOST", base_url=simulator_server.base_url, store_codes=("001", "002"))
    queue.pause(two, store="001")
    there = blink(two, codes[0], store="001")
    with pytest.raises(NotFound):
        canceling.cancel_commands(bench.as_role(two, Role.MANAGER, store="002"), [there.id])
    assert canceling.cancel_commands(bench.as_role(two, Role.MANAGER, store="001"), [there.id]) == 1


def test_a_store_that_is_deleted_takes_its_commands_along(connected, codes):
    from electis_cli.services import stores as stores_service

    view = blink(paused(connected), codes[0])
    stores_service.delete_store(connected, "001", force=True)
    with connected.runtime.database.read(connected.org_id) as uow:
        assert commands.find_command(uow, view.id) is None
