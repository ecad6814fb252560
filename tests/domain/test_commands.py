"""What becomes of a one-shot command: after an answer, after a failed try, and when nobody looks after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.commands import (
    MOST_TRIES,
    OPEN_STATES,
    TIME_TO_LIVE,
    CommandKind,
    CommandState,
    check_duration,
    judge_abandoned,
    judge_answer,
    judge_failed_try,
    may_send,
    new_command,
    state_at,
)
from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.queue import Fault

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
A, B = "0848A6EBE2BA", "0A1B2C3DB290"


def blink(*labels, **changes):
    made = new_command(
        "id",
        store_id="s",
        kind=CommandKind.BLINK,
        payload={"labels": list(labels or (A,)), "color": "green", "duration": "30s"},
        created_by="dana@acme.example",
        now=NOW,
    )
    return replace(made, **changes)


def test_a_new_command_waits_for_five_minutes_and_no_longer():
    command = blink()
    assert (command.state, command.attempts, command.expires_at - NOW) == (
        CommandState.PENDING,
        0,
        timedelta(minutes=5),
    )
    assert may_send(command, NOW)
    assert may_send(command, command.expires_at - SECOND)
    assert not may_send(command, command.expires_at)
    assert state_at(command, command.expires_at - SECOND) is CommandState.PENDING
    assert state_at(command, command.expires_at) is CommandState.EXPIRED


@pytest.mark.parametrize("state", [state for state in CommandState if state is not CommandState.PENDING])
def test_nothing_but_a_waiting_command_is_sent_or_runs_out(state):
    command = blink(state=state)
    assert not may_send(command, NOW)
    assert state_at(command, NOW + timedelta(days=1)) is state


def test_a_command_is_not_sent_before_its_next_try_is_due():
    later = blink(next_attempt_at=NOW + SECOND, attempts=1)
    assert not may_send(later, NOW)
    assert may_send(later, NOW + SECOND)
    assert not may_send(blink(attempts=MOST_TRIES), NOW)


@pytest.mark.parametrize(
    ("labels", "refused", "state"),
    [
        ((A,), (), CommandState.DONE),
        ((A, B), (A,), CommandState.DONE),
        ((A, B), (A, B), CommandState.FAILED),
        ((), (), CommandState.DONE),
    ],
)
def test_an_answer_ends_a_command(labels, refused, state):
    command = blink(payload={"labels": list(labels) or None})
    assert judge_answer(command, refused).state is state


@pytest.mark.parametrize(
    ("fault", "attempts", "state"),
    [
        (Fault.AMBIGUOUS, 1, CommandState.UNKNOWN),
        (Fault.AMBIGUOUS, 3, CommandState.UNKNOWN),
        (Fault.REJECTED, 1, CommandState.FAILED),
        *(
            (fault, attempts, state)
            for fault in (Fault.UNREACHABLE, Fault.THROTTLED, Fault.LOGIN, Fault.LICENSE)
            for attempts, state in (
                (1, CommandState.PENDING),
                (2, CommandState.PENDING),
                (3, CommandState.FAILED),
            )
        ),
    ],
)
def test_only_what_certainly_did_not_happen_is_tried_again_and_three_times_at_most(fault, attempts, state):
    verdict = judge_failed_try(blink(attempts=attempts), fault, now=NOW, fraction=0.5)
    assert verdict.state is state
    assert (verdict.next_attempt_at is not None) == (state is CommandState.PENDING)


def test_the_next_try_waits_as_long_as_aims_asks_for():
    def wait(**more):
        verdict = judge_failed_try(blink(attempts=1), Fault.THROTTLED, now=NOW, fraction=0.0, **more)
        return verdict.next_attempt_at - NOW

    assert wait() == timedelta(milliseconds=500)
    assert wait(least_wait=timedelta(seconds=90)) == timedelta(seconds=90)


def test_a_command_whose_worker_is_gone_is_in_doubt():
    sent = blink(state=CommandState.SYNCING, inflight_epoch=7)
    assert judge_abandoned(sent, now=NOW, epoch=7) is None
    assert judge_abandoned(sent, now=NOW + TIME_TO_LIVE, epoch=7) is None, "its answer is still on its way"
    assert judge_abandoned(sent, now=NOW, epoch=8) is CommandState.UNKNOWN
    assert judge_abandoned(sent, now=NOW, epoch=None) is CommandState.UNKNOWN


def test_a_command_that_waited_too_long_has_expired_whoever_holds_the_store():
    for epoch in (None, 7):
        assert judge_abandoned(blink(), now=NOW, epoch=epoch) is None
        assert judge_abandoned(blink(), now=NOW + TIME_TO_LIVE, epoch=epoch) is CommandState.EXPIRED


@pytest.mark.parametrize("text", ["", "1h", "30", "31s", "0"])
def test_durations_no_label_knows(text):
    with pytest.raises(InvalidInput, match="blink"):
        check_duration(text)


def test_a_command_says_what_it_is():
    assert str(blink(A, B)) == f"blink {A}, {B}"
    assert str(blink(kind=CommandKind.RESEND, payload={"labels": None})) == "resend timed out labels"


@given(
    faults=st.lists(st.sampled_from(Fault), min_size=1, max_size=8),
    waits=st.lists(st.floats(0, 400), min_size=8, max_size=8),
    fraction=st.floats(0, 1),
)
def test_whatever_fails_a_command_is_sent_three_times_at_most_and_never_after_its_time(
    faults, waits, fraction
):
    command, now, sent = blink(), NOW, []
    for fault, wait in zip(faults, waits, strict=False):
        now += timedelta(seconds=wait)
        if not may_send(command, now):
            continue
        sent.append((now, fault))
        command = replace(command, attempts=command.attempts + 1)
        verdict = judge_failed_try(command, fault, now=now, fraction=fraction)
        command = replace(command, state=verdict.state, next_attempt_at=verdict.next_attempt_at)
    assert len(sent) <= MOST_TRIES
    assert all(at < command.expires_at for at, _ in sent)
    assert all(fault not in {Fault.AMBIGUOUS, Fault.REJECTED} for _, fault in sent[:-1])
    assert command.state in OPEN_STATES or command.state in {CommandState.FAILED, CommandState.UNKNOWN}
