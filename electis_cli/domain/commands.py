"""One-shot commands to labels: five minutes to live, three tries, and never twice after a lost answer (design 5.1).

A command is no desired state. Nobody wants a label to blink an hour after somebody stood in front of it, and AIMS can
not be asked whether it has blinked: so an order that may have been carried out is not given again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.queue import Fault
from electis_cli.domain.timing import backoff_delay

TIME_TO_LIVE = timedelta(minutes=5)
MOST_TRIES = 3
DURATIONS = ("0s", "10s", "30s", "1m", "2m", "5m", "10m", "15m", "20m", "30m", "60m")


class Color(StrEnum):
    """The colors a label's LED knows (contract 5.6)."""

    RED = "red"
    GREEN = "green"
    YELLOW = "yellow"
    BLUE = "blue"
    MAGENTA = "magenta"
    CYAN = "cyan"
    WHITE = "white"


class CommandKind(StrEnum):
    """What labels can be told to do once."""

    BLINK = "blink"
    RESEND = "resend"


class CommandState(StrEnum):
    """Where a command stands; all but the first two are ends."""

    PENDING = "pending"
    SYNCING = (
        "syncing"  # written down before the call: whoever finds it so later does not know what came of it
    )
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"  # AIMS may have done it: not asked twice
    EXPIRED = "expired"
    CANCELED = "canceled"


class Obstacle(StrEnum):
    """What a queued command waits for."""

    PAUSED = "paused"  # somebody lets the store's queue go on
    UNREACHABLE = "unreachable"  # AIMS answers again
    STOPPED = "stopped"  # the account's breaker closes: login, license, throttling
    FORMAT = "format"  # somebody fetches the article format
    BACKOFF = "backoff"  # the store's or the account's pause after a failure ends
    WORKER = "worker"  # the worker that holds the store comes to it


OPEN_STATES = frozenset({CommandState.PENDING, CommandState.SYNCING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One order to labels of a store (table `commands`).

    `payload` holds `labels` (None: all of the store that timed out) and, for a blink, `color` and `duration`.
    """

    id: str
    store_id: str
    kind: CommandKind
    payload: Mapping[str, Any]
    state: CommandState
    created_by: str
    created_at: datetime
    expires_at: datetime
    attempts: int = 0
    last_tried_at: datetime | None = None
    next_attempt_at: datetime | None = None
    inflight_epoch: int | None = None
    answer: Mapping[str, Any] | None = None
    error_class: str | None = None
    error_text: str | None = None
    ended_at: datetime | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it is for; none stands for all of the store that timed out."""
        return tuple(self.payload.get("labels") or ())

    def __str__(self) -> str:
        return f"{self.kind.value} {', '.join(self.labels) or 'timed out labels'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandVerdict:
    """What becomes of a command after a try; `next_attempt_at` when there may be another."""

    state: CommandState
    next_attempt_at: datetime | None = None


def new_command(
    command_id: str,
    *,
    store_id: str,
    kind: CommandKind,
    payload: Mapping[str, Any],
    created_by: str,
    now: datetime,
) -> Command:
    """Return a command that begins to live now."""
    return Command(
        id=command_id,
        store_id=store_id,
        kind=kind,
        payload=payload,
        state=CommandState.PENDING,
        created_by=created_by,
        created_at=now,
        expires_at=now + TIME_TO_LIVE,
    )


def check_duration(text: str) -> None:
    """Raise InvalidInput unless labels can blink for so long."""
    if text not in DURATIONS:
        raise InvalidInput(
            f"A label can not blink for {text!r}.", why="It knows " + ", ".join(DURATIONS) + "."
        )


def may_send(command: Command, now: datetime) -> bool:
    """Tell whether a command may be sent right now: it waits, it is due, and its time is not over."""
    is_due = command.next_attempt_at is None or command.next_attempt_at <= now
    return (
        command.state is CommandState.PENDING
        and command.attempts < MOST_TRIES
        and is_due
        and now < command.expires_at
    )


def state_at(command: Command, now: datetime) -> CommandState:
    """Return how a command stands: one whose time is over waits for nothing, whoever notices it first."""
    if command.state is CommandState.PENDING and now >= command.expires_at:
        return CommandState.EXPIRED
    return command.state


def judge_answer(command: Command, refused: Collection[str]) -> CommandVerdict:
    """Return the verdict on a command AIMS answered; `refused` are the labels it did not take."""
    is_for_nobody = bool(command.labels) and set(command.labels) <= set(refused)
    return CommandVerdict(state=CommandState.FAILED if is_for_nobody else CommandState.DONE)


def judge_failed_try(
    command: Command, fault: Fault, *, now: datetime, fraction: float, least_wait: timedelta = timedelta(0)
) -> CommandVerdict:
    """Return the verdict on a command whose try failed; the try is counted in it already.

    What certainly did not happen may be tried again, a lost answer never. `least_wait` is what AIMS asked for.
    """
    if fault is Fault.AMBIGUOUS:
        return CommandVerdict(state=CommandState.UNKNOWN)
    if fault is Fault.REJECTED or command.attempts >= MOST_TRIES:
        return CommandVerdict(state=CommandState.FAILED)
    delay = max(least_wait, backoff_delay(command.attempts, fraction))
    return CommandVerdict(state=CommandState.PENDING, next_attempt_at=now + delay)


def judge_abandoned(command: Command, *, now: datetime, epoch: int | None) -> CommandState | None:
    """Return the end of a command that nobody will send or hear of any more, or None while it goes on.

    `epoch` is that of the worker who holds the store now (None: nobody does).
    """
    if command.state is CommandState.SYNCING and command.inflight_epoch != epoch:
        return CommandState.UNKNOWN
    end = state_at(command, now)
    return end if end is CommandState.EXPIRED else None
