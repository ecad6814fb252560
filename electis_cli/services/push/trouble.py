"""Whose fault was it? What a failed call means for the rows, the store and the account (design 5.2)."""

from __future__ import annotations

from typing import Any

from electis_cli.db import accounts, alerts, claims, commands, label_queue, labels, ledger, stores
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsRejected,
    AimsThrottled,
    AimsUnreachable,
    ElectisError,
    Unreachable,
)
from electis_cli.domain.queue import LabelWish, LedgerRow, Verdict, judge_doubt
from electis_cli.domain.redaction import without_values
from electis_cli.domain.timing import backoff_delay
from electis_cli.services.change import Change
from electis_cli.services.ping import hold_back, note_ping
from electis_cli.services.push.report import Ending
from electis_cli.services.push.session import LeaseLost, PushSession, Trouble

_FORGET_INFLIGHT = {
    "inflight_version": None,
    "inflight_hash": None,
    "inflight_content": None,
    "inflight_epoch": None,
}


def handle_trouble(session: PushSession, trouble: Trouble) -> None:
    """Write down what a failed call means, so that the right one of row, store and account waits."""
    error, report = trouble.error, session.report
    report.ending, report.error_code, report.error = Ending.TROUBLE, error.code, error.why or error.message
    is_transport = isinstance(error, (AimsUnreachable, AimsAmbiguous))
    # A transport failure is followed by a ping at once: is it this call, this store, or AIMS as a whole?
    ping_error = _ping(session) if is_transport else None
    if ping_error is not None and not isinstance(ping_error, Unreachable):
        # AIMS is there, and says itself what keeps the account waiting.
        report.error_code, report.error = ping_error.code, ping_error.why or ping_error.message
    try:
        with session.runtime.database.write(session.scope.org_id) as uow:
            session.require_lease(uow)
            change = session.change(uow)
            _judge_rows(session, change, trouble, aims_is_well=is_transport and ping_error is None)
            if isinstance(error, (AimsThrottled, AimsLoginRefused, AimsCompanyRefused)):
                report.until = hold_back(change, error)
            elif is_transport:
                note_ping(change, ping_error)
                if ping_error is not None:
                    report.until = hold_back(change, ping_error)
                elif trouble.is_aside:
                    report.until = change.now
                else:
                    _back_off_store(session, change)
            else:
                _back_off_store(session, change)
                _alert_store(session, change, error)
            session.runtime.reached("push:judging")
            uow.commit()
        session.runtime.reached("push:judged")
    except LeaseLost:
        report.ending, report.was_overtaken = Ending.BUSY, True


def note_success(session: PushSession) -> None:
    """AIMS took a trial write: the breaker closes and the batches are full again."""
    with session.runtime.database.write(session.scope.org_id) as uow:
        change = session.change(uow)
        accounts.save_account(
            uow, {"breaker": "closed", "breaker_reason": None, "breaker_since": None, "backoff_until": None}
        )
        for place in stores.list_stores(uow):
            claims.wake_rows(uow, place.id)
            label_queue.wake_wishes(uow, place.id)
            commands.wake_commands(uow, place.id)
        alerts.close_alert(uow, "aims:breaker", change.now)
        session.runtime.reached("push:recovering")
        uow.commit()
    session.runtime.reached("push:recovered")
    session.is_trial, session.batch_size = False, session.runtime.tuning.batch_size


def _ping(session: PushSession) -> ElectisError | None:
    try:
        session.client.ping()
    except ElectisError as error:
        return without_values(error, None)
    return None


def _judge_rows(session: PushSession, change: Change, trouble: Trouble, *, aims_is_well: bool) -> None:
    together = len(trouble.rows) + len(trouble.wishes)
    if not isinstance(trouble.error, AimsAmbiguous):
        # AIMS refused, or was never asked: nothing of this was applied, so nothing is in doubt.
        ledger.update_rows(
            change.uow,
            session.store.id,
            [{"article_id": row.article_id, **_FORGET_INFLIGHT} for row in trouble.rows],
        )
        for wish in trouble.wishes:
            # An earlier call of theirs may still be in doubt.
            labels.update_wish(change.uow, wish.label_code, {"inflight_version": wish.inflight_version})
        return
    # Somebody may have changed a row during the call: what is wanted now never failed, and is tried on its own merits.
    current = ledger.rows_by_id(
        change.uow, session.store.id, [row.article_id for row in trouble.rows], lock=True
    )
    moved = {row.article_id for row in trouble.rows if _is_newer(current.get(row.article_id), row)}
    updates = []
    for row in trouble.rows:
        if row.article_id in moved:
            continue
        verdict = _verdict(session, change, row, together=together, aims_is_well=aims_is_well)
        updates.append({"article_id": row.article_id, **_values(verdict, trouble.error)})
        if verdict.is_dead:
            session.bury(
                change, kind="article", subject=row.article_id, error=trouble.error, attempts=verdict.attempts
            )
    ledger.update_rows(change.uow, session.store.id, updates)
    ledger.update_rows(
        change.uow,
        session.store.id,
        [{"article_id": article_id, **_told(trouble.error)} for article_id in sorted(moved)],
    )
    wishes = labels.wishes_by_code(change.uow, [wish.label_code for wish in trouble.wishes], lock=True)
    for wish in trouble.wishes:
        now = wishes.get(wish.label_code)
        if now is None or now.version != wish.version:
            labels.update_wish(change.uow, wish.label_code, _told(trouble.error))
            continue
        verdict = _verdict(session, change, wish, together=together, aims_is_well=aims_is_well)
        labels.update_wish(change.uow, wish.label_code, _values(verdict, trouble.error))
        if verdict.is_dead:
            session.bury(
                change, kind="label", subject=wish.label_code, error=trouble.error, attempts=verdict.attempts
            )


def _is_newer(current: LedgerRow | None, claimed: LedgerRow) -> bool:
    return current is None or current.desired_version != claimed.desired_version


def _verdict(
    session: PushSession, change: Change, row: LedgerRow | LabelWish, *, together: int, aims_is_well: bool
) -> Verdict:
    last_write = session.last_write_at or session.store.last_write_at
    # Since its last try that failed: the time of a try that succeeded is no measure of another write's success.
    since = row.last_tried_at if row.doubts > 0 else None
    return judge_doubt(
        row,
        was_alone=together == 1,
        store_writes_since=last_write is not None and since is not None and last_write > since,
        aims_is_well=aims_is_well,
        now=change.now,
        fraction=session.runtime.draw(),
        sent_together=together,
        batch_size=session.runtime.tuning.batch_size,
    )


def _values(verdict: Verdict, error: ElectisError) -> dict[str, Any]:
    return {
        "state": verdict.state.value,
        "attempts": verdict.attempts,
        "doubts": verdict.doubts,
        "next_attempt_at": verdict.next_attempt_at,
        **_told(error),
    }


def _told(error: ElectisError) -> dict[str, Any]:
    return {"error_class": error.code, "error_text": error.why or error.message}


def _back_off_store(session: PushSession, change: Change) -> None:
    count = session.store.backoff_count
    until = change.now + backoff_delay(count, session.runtime.draw())
    stores.update_store(change.uow, session.store.id, {"backoff_until": until, "backoff_count": count + 1})
    session.report.until = until


def _alert_store(session: PushSession, change: Change, error: ElectisError) -> None:
    if isinstance(error, AimsRejected):
        alerts.raise_alert(
            change.uow,
            alert_id=change.new_id(),
            cause=f"store-rejected:{session.store.code}",
            text=f"Store {session.store.code}: {error.why or error.message}",
            store_id=session.store.id,
            now=change.now,
        )
