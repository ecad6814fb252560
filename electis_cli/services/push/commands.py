"""Sending one-shot commands: after articles and label wishes, one at a time, and never twice after a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from electis_cli.aims.inspection import AimsInspector
from electis_cli.db import commands, labels, leases, ledger
from electis_cli.domain.articles import Content
from electis_cli.domain.commands import (
    Color,
    Command,
    CommandKind,
    CommandState,
    CommandVerdict,
    judge_abandoned,
    judge_answer,
    judge_failed_try,
    may_send,
)
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsRejected,
    AimsThrottled,
    AimsUnreachable,
    ElectisError,
    LabelNotFound,
    TimeUp,
)
from electis_cli.domain.queue import Fault
from electis_cli.domain.redaction import redact, without_values
from electis_cli.services.change import Change
from electis_cli.services.label_orders import follow_again, is_about_missing_labels, let_blink
from electis_cli.services.push.session import LeaseLost, PushSession, Trouble

_FAULTS: dict[type[ElectisError], Fault] = {
    AimsUnreachable: Fault.UNREACHABLE,
    AimsAmbiguous: Fault.AMBIGUOUS,
    AimsThrottled: Fault.THROTTLED,
    AimsLoginRefused: Fault.LOGIN,
    AimsCompanyRefused: Fault.LICENSE,
    AimsRejected: Fault.REJECTED,
}
_FAILURES = tuple(_FAULTS)


def send_due_commands(session: PushSession, should_stop: Callable[[], bool]) -> None:
    """Send what is due in the store, oldest first. Raises Trouble, LeaseLost."""
    _end_abandoned(session)
    while not should_stop() and _has_due(session):
        try:
            # Logged in before a try is written down: what a refused or lost login stops was never sent.
            session.client.check_login()
        except _FAILURES as error:
            raise Trouble(error) from error
        session.renew()
        command = _claim(session)
        if command is None:
            return
        _deliver(session, command)
        if session.is_trial:
            return  # AIMS was away: this one call shows whether it is back


def end_abandoned(change: Change, store_id: str) -> int:
    """End the commands of a store that nobody will send or hear of any more, and return how many there were."""
    ended = 0
    found = commands.open_commands(change.uow, [store_id], lock=True)
    # Asked after the rows are locked: a worker that took over meanwhile has claimed none of them.
    holder = leases.current_holder(change.uow, leases.push_resource(store_id))
    for command in found:
        state = judge_abandoned(command, now=change.uow.now(), epoch=holder.epoch if holder else None)
        if state is not None:
            code, text = _ABANDONED[state]
            end_command(change, replace(command, state=state, error_class=code, error_text=text))
            ended += 1
    return ended


_ABANDONED = {
    CommandState.EXPIRED: (TimeUp.code, "Its time was over before it could be sent."),
    CommandState.UNKNOWN: (
        AimsAmbiguous.code,
        "The worker that sent it was not heard of again: AIMS may have done it, or not.",
    ),
}


def end_command(change: Change, command: Command) -> None:
    """Write down how a command ended (its state says so), with its audit row and event."""
    commands.save_command(
        change.uow, replace(command, inflight_epoch=None, next_attempt_at=None, ended_at=change.uow.now())
    )
    after = {"kind": command.kind.value, **command.payload, "attempts": command.attempts}
    told = {"error": command.error_class, "answer": command.answer}
    change.record(
        f"command:{command.state.value}",
        "command",
        command.id,
        after={**after, **{name: value for name, value in told.items() if value}},
        store_id=command.store_id,
    )


def _end_abandoned(session: PushSession) -> None:
    with session.runtime.database.read(session.scope.org_id) as uow:
        is_needed = bool(commands.open_commands(uow, [session.store.id]))
    if is_needed:
        with session.runtime.database.write(session.scope.org_id) as uow:
            session.require_lease(uow)
            end_abandoned(session.change(uow), session.store.id)
            uow.commit()


def _has_due(session: PushSession) -> bool:
    with session.runtime.database.read(session.scope.org_id) as uow:
        return commands.next_command(uow, session.store.id, uow.now()) is not None


def _claim(session: PushSession) -> Command | None:
    """Write down that the next command is about to be sent; one that was canceled or ran out meanwhile is not."""
    with session.runtime.database.write(session.scope.org_id) as uow:
        session.require_going(uow)
        now = uow.now()
        found = commands.next_command(uow, session.store.id, now)
        command = commands.find_command(uow, found.id, lock=True) if found else None
        if command is None or not may_send(command, now):
            return None
        claimed = replace(
            command,
            state=CommandState.SYNCING,
            attempts=command.attempts + 1,
            last_tried_at=now,
            next_attempt_at=None,
            inflight_epoch=session.lease.epoch,
        )
        commands.save_command(uow, claimed)
        session.runtime.reached("commands:claiming")
        uow.commit()
    session.runtime.reached("commands:claimed")
    return claimed


def _deliver(session: PushSession, command: Command) -> None:
    session.report.label_calls += 1
    try:
        session.runtime.reached("commands:sending")
        answer = _send(session, command)
        session.runtime.reached("commands:sent")
    except _FAILURES as error:
        _fail(session, command, error)
        return
    refused = answer.get("refused", {})
    verdict = judge_answer(command, refused)
    ended = replace(command, answer=answer, error_class=None, error_text=None)
    if verdict.state is CommandState.FAILED:
        words = sorted(set(refused.values()))
        is_missing = all("NOT_FOUND" in word for word in words)
        ended = replace(
            ended,
            error_class=LabelNotFound.code if is_missing else AimsRejected.code,
            error_text=f"AIMS took it for none of the labels: {', '.join(words)}.",
        )
    _end(session, ended, verdict)


def _send(session: PushSession, command: Command) -> dict[str, Any]:
    """Give the order and return what AIMS said of it."""
    ask, store = AimsInspector(session.client), session.store.code
    if command.kind is CommandKind.BLINK:
        color, duration = Color(command.payload["color"]), str(command.payload["duration"])
        items = let_blink(ask, store, command.labels, color, duration)
        contents = _contents(session, command) if items else ()
        refused = {item.id.upper(): redact(item.message, contents) for item in items}
        return {"refused": refused}
    return {"sent": ask.resend(store, command.labels or None)}


def _contents(session: PushSession, command: Command) -> list[Content | None]:
    """Return what AIMS may quote when it speaks of the labels of a command: the articles they show and are to show."""
    with session.runtime.database.read(session.scope.org_id) as uow:
        wishes = [wish for code in command.labels if (wish := labels.find_wish(uow, code))]
        ids = {name for wish in wishes for name in (wish.desired_article, wish.acked_article) if name}
        return [row.base for row in ledger.rows_by_id(uow, session.store.id, ids).values()]


def _fail(session: PushSession, command: Command, failure: ElectisError) -> None:
    """Judge a try that failed; all but a plain refusal is also the store's or the account's trouble."""
    contents = _contents(session, command)
    error = without_values(failure, contents)
    fault = next(_FAULTS[kind] for kind in type(error).__mro__ if kind in _FAULTS)
    with session.runtime.database.read(session.scope.org_id) as uow:
        now = uow.now()
    verdict = judge_failed_try(
        command,
        fault,
        now=now,
        fraction=session.runtime.draw(),
        least_wait=timedelta(seconds=float(error.details.get("retry_after", 0))),
    )
    is_missing = isinstance(error, AimsRejected) and is_about_missing_labels(error)
    code = LabelNotFound.code if is_missing else error.code
    _end(session, replace(command, error_class=code, error_text=error.why or error.message), verdict)
    if fault is not Fault.REJECTED:
        raise Trouble(error, contents=contents, is_aside=fault is Fault.AMBIGUOUS) from failure


def _end(session: PushSession, tried: Command, verdict: CommandVerdict) -> None:
    """Write down what a try came to; raises LeaseLost when somebody else took over and has judged it."""
    with session.runtime.database.write(session.scope.org_id) as uow:
        session.require_lease(uow)
        change = session.change(uow)
        current = commands.find_command(uow, tried.id, lock=True)
        if current is None or current.inflight_epoch != session.lease.epoch:
            raise LeaseLost
        judged = replace(
            tried, state=verdict.state, next_attempt_at=verdict.next_attempt_at, inflight_epoch=None
        )
        if judged.state is CommandState.PENDING:
            commands.save_command(uow, judged)
        else:
            end_command(change, judged)
        if judged.kind is CommandKind.RESEND and (judged.answer or {}).get("sent"):
            follow_again(change, judged.store_id, judged.labels)
        session.runtime.reached("commands:acknowledging")
        uow.commit()
    session.runtime.reached("commands:acknowledged")
    if judged.state is CommandState.DONE:
        session.report.commands_sent += 1
    elif judged.state is not CommandState.PENDING:
        session.report.commands_failed += 1
