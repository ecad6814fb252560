"""One-shot commands through the queue: written down, tried at once, and left to wait a few minutes when that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import accounts, commands, stores
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.commands import (
    OPEN_STATES,
    Color,
    Command,
    CommandKind,
    CommandState,
    Obstacle,
    check_duration,
    new_command,
    state_at,
)
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsAnswerBroken,
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsNotConfigured,
    AimsRejected,
    AimsThrottled,
    AimsUnreachable,
    Conflict,
    LabelNotFound,
    NotFound,
    TimeUp,
)
from electis_cli.services.at_aims import may_have_happened
from electis_cli.services.change import Scope, changing, reading
from electis_cli.services.label_orders import label_codes, place_of_labels
from electis_cli.services.ping import FORMAT, ping
from electis_cli.services.push.report import Ending, PushReport
from electis_cli.services.push.store import push_store

FOREGROUND = timedelta(seconds=30)
"""How long a command is tried before its caller gets the terminal back; it stays queued."""
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A queued command, and what it waits for while it does; a dry run has no id. No labels: all of the store."""

    id: str | None
    command: str
    store: str
    status: str
    labels: tuple[str, ...]
    color: str | None
    duration: str | None
    refused: Mapping[str, str]
    sent: bool | None
    attempts: int
    expires_at: datetime | None
    waits_for: Obstacle | None
    error_class: str | None
    error: str | None


def queue_blink(
    scope: Scope,
    codes: Sequence[str],
    *,
    color: Color = Color.GREEN,
    duration: str = "30s",
    store: str | None = None,
    dry_run: bool = False,
    timeout: timedelta = FOREGROUND,
    wait: Callable[[float], None] = lambda _: None,
) -> CommandView:
    """Queue the order that labels of one store blink, and try it at once; `wait` is called with seconds between tries.

    Raises InvalidInput, AimsNotConfigured, Conflict when the store's queue is off, UsageProblem (which store?).
    """
    check_duration(duration)
    wanted = label_codes(codes)
    payload = {"labels": wanted, "color": color.value, "duration": duration}
    command, place = _write_down(scope, CommandKind.BLINK, payload, store, dry_run=dry_run)
    return _try_now(scope, command, place, timeout, wait) if not dry_run else _planned(command, place)


def queue_resend(
    scope: Scope,
    codes: Sequence[str] | None,
    *,
    store: str | None = None,
    dry_run: bool = False,
    timeout: timedelta = FOREGROUND,
    wait: Callable[[float], None] = lambda _: None,
) -> CommandView:
    """Queue the order that AIMS sends again to labels that timed out (None: all of a store), and try it at once.

    Raises as `queue_blink` does.
    """
    payload = {"labels": label_codes(codes) if codes is not None else None}
    command, place = _write_down(scope, CommandKind.RESEND, payload, store, dry_run=dry_run)
    return _try_now(scope, command, place, timeout, wait) if not dry_run else _planned(command, place)


def require_success(view: CommandView) -> None:
    """Raise what a command that ended badly met; one that is done, or may still be sent, is fine.

    Raises LabelNotFound, AimsRejected, AimsAmbiguous when nobody knows whether AIMS did it, TimeUp, Conflict when
    somebody canceled it, and what its last try met when its tries are used up.
    """
    fix = f"electis queue show {view.id}"
    state, why = view.status, view.error or ""
    if state == CommandState.UNKNOWN:
        raise may_have_happened(AimsAmbiguous(why=why), fix=fix)
    if state == CommandState.EXPIRED:
        raise TimeUp("The command's time was over before it could be sent.", why=why, fix=fix)
    if state == CommandState.CANCELED:
        raise Conflict("Somebody canceled the command.", fix=fix)
    if state == CommandState.FAILED and view.error_class == LabelNotFound.code:
        raise LabelNotFound(
            f"AIMS knows no label {', '.join(view.labels)} in store {view.store}.",
            why=why,
            fix=f"electis label list --unassigned --store {view.store}",
        )
    if state == CommandState.FAILED:
        error = next((kind for kind in _LAST_ERRORS if kind.code == view.error_class), AimsRejected)
        raise error("AIMS did not take the command.", why=why, fix=fix)


_LAST_ERRORS = (AimsRejected, AimsThrottled, AimsUnreachable, AimsLoginRefused, AimsCompanyRefused)


def _write_down(
    scope: Scope, kind: CommandKind, payload: Mapping[str, Any], store: str | None, *, dry_run: bool
) -> tuple[Command, Store]:
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = place_of_labels(change, payload["labels"] or (), store)
        if change.organization().aims_base_url is None:
            raise AimsNotConfigured
        if not place.sync_enabled:
            raise Conflict(
                f"The queue of store {place.code} is switched off.",
                why="The command would run out before somebody switches it on.",
                fix=f"electis store update {place.code} --sync-enabled",
            )
        command = new_command(
            change.new_id(),
            store_id=place.id,
            kind=kind,
            payload=payload,
            created_by=scope.actor.email,
            now=change.uow.now(),
        )
        commands.insert_command(change.uow, command)
        after = {"kind": kind.value, **payload}
        change.record("command:queued", "command", command.id, after=after, store_id=place.id)
        return command, place


def _try_now(
    scope: Scope, command: Command, place: Store, timeout: timedelta, wait: Callable[[float], None]
) -> CommandView:
    """Push the store until the command has ended, cannot go on, or the time is up; another worker may do it for us."""
    runtime, deadline = scope.runtime, scope.runtime.clock() + timeout
    report = PushReport(store=place.code, ending=Ending.BREAKER)
    # An outage noticed by a ping costs the command none of its tries.
    asked = ping(scope)
    if asked.until is not None:
        report.ending, report.until = Ending.BACKOFF, asked.until
    if asked.ok:
        while True:
            report = push_store(
                runtime, scope.org_id, place.id, should_stop=lambda: not _is_open(scope, command.id)
            )
            if (
                not _is_open(scope, command.id)
                or not _goes_on(report, deadline)
                or runtime.clock() >= deadline
            ):
                break
            wait(_PAUSE_SECONDS)
    return _look(scope, command.id, place, report)


def _goes_on(report: PushReport, deadline: datetime) -> bool:
    if report.ending in {Ending.BACKOFF, Ending.TROUBLE}:
        return report.until is not None and report.until < deadline
    return report.ending in {Ending.DONE, Ending.STOPPED, Ending.BUSY}


def _is_open(scope: Scope, command_id: str) -> bool:
    with scope.runtime.database.read(scope.org_id) as uow:
        command = commands.find_command(uow, command_id)
        return command is not None and state_at(command, uow.now()) in OPEN_STATES


def _look(scope: Scope, command_id: str, place: Store, report: PushReport) -> CommandView:
    with reading(scope) as read:
        command = commands.find_command(read.uow, command_id)
        if command is None:
            raise NotFound(f"The command {command_id} is gone with its store.", fix="electis store list")
        now_at = stores.find_store(read.uow, store_id=place.id) or place
        account = accounts.find_account(read.uow)
        state = state_at(command, read.uow.now())
    obstacle = None
    if state in OPEN_STATES:
        stopped = account.breaker_reason if account.breaker == "open" else None
        obstacle = _obstacle(report, is_paused=now_at.paused_at is not None, stopped=stopped)
    return _view(command, place, state, obstacle)


_UNREACHABLE = {AimsUnreachable.code, AimsAmbiguous.code, AimsAnswerBroken.code}


def _obstacle(report: PushReport, *, is_paused: bool, stopped: str | None) -> Obstacle:
    """Return what a command waits for; the first that holds."""
    cases = (
        (is_paused, Obstacle.PAUSED),
        (stopped == "health" or report.error_code in _UNREACHABLE, Obstacle.UNREACHABLE),
        (stopped == FORMAT or report.ending in {Ending.NO_FORMAT, Ending.NO_ACCOUNT}, Obstacle.FORMAT),
        (stopped is not None, Obstacle.STOPPED),
        (report.ending in {Ending.BACKOFF, Ending.TROUBLE}, Obstacle.BACKOFF),
    )
    return next((obstacle for holds, obstacle in cases if holds), Obstacle.WORKER)


def _planned(command: Command, place: Store) -> CommandView:
    return replace(_view(command, place, command.state, None), id=None, status="planned", expires_at=None)


def _view(command: Command, place: Store, state: CommandState, obstacle: Obstacle | None) -> CommandView:
    answer = command.answer or {}
    return CommandView(
        id=command.id,
        command=command.kind.value,
        store=place.code,
        status=state.value,
        labels=command.labels,
        color=command.payload.get("color"),
        duration=command.payload.get("duration"),
        refused=answer.get("refused", {}),
        sent=answer.get("sent"),
        attempts=command.attempts,
        expires_at=command.expires_at,
        waits_for=obstacle,
        error_class=command.error_class,
        error=command.error_text,
    )
