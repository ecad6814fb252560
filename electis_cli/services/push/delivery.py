"""One batch of articles: sent, answered, acknowledged; one that is refused is halved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from electis_cli.aims.wire import RefusedRecord, WriteAnswer
from electis_cli.db import acknowledging, ledger
from electis_cli.domain.articles import Content
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsRejected,
    AimsThrottled,
    AimsUnreachable,
    ElectisError,
    UnreliableListing,
)
from electis_cli.domain.queue import Push, judge_rejection
from electis_cli.domain.redaction import without_values
from electis_cli.services.push.claim import Claimed
from electis_cli.services.push.session import LeaseLost, PushSession, Trouble
from electis_cli.services.recording import keep_exchange
from electis_cli.services.runtime import at_once

CALL_FAILURES = (AimsUnreachable, AimsAmbiguous, AimsThrottled, AimsLoginRefused, AimsCompanyRefused)
GONE = "ARTICLE_ID_NOT_FOUND"
STORE_WORDS = ("STORE_CODE_NOT_FOUND", "COMPANY_NOT_FOUND")


class Flight(NamedTuple):
    """A batch on its way to AIMS, and how to wait for the answer."""

    push: Push
    batch: Sequence[Claimed]
    answer: Callable[[], WriteAnswer]


def launch(session: PushSession, push: Push, batch: Sequence[Claimed]) -> Flight:
    """Send a batch; beside our own work when there is more of that."""
    session.make_sure()
    session.report.article_calls += 1
    session.runtime.reached("push:sending")
    has_more = session.ahead and push is not Push.DELETE
    begin = session.runtime.beside if has_more else at_once
    # It is written down with the acknowledgement: one commit less, and none from the thread that waits for AIMS.
    session.client.connection.hold_exchanges()
    return Flight(push=push, batch=batch, answer=begin(lambda: _send(session, push, batch)))


def _deliver(session: PushSession, push: Push, batch: Sequence[Claimed]) -> None:
    """Send a batch and see to its answer."""
    land(session, launch(session, push, batch))


def land(session: PushSession, flight: Flight) -> None:
    """Write down what became of a batch; a rejected one is halved until the one that AIMS does not take is alone."""
    try:
        _see_to(session, flight)
    finally:
        session.client.connection.tell_exchanges()


def _see_to(session: PushSession, flight: Flight) -> None:
    push, batch = flight.push, flight.batch
    try:
        answer = flight.answer()
        session.runtime.reached("push:sent")
    except AimsRejected as error:
        word = str(error.details.get("word", ""))
        if any(known in word for known in STORE_WORDS):
            raise _trouble(session, batch, error) from error
        if push is Push.DELETE and GONE in word and len(batch) == 1:
            acknowledge(session, push, batch)
        elif len(batch) == 1:
            _give_up(session, batch[0], error)
        else:
            middle = len(batch) // 2
            _deliver(session, push, batch[:middle])
            _deliver(session, push, batch[middle:])
        return
    except CALL_FAILURES as error:
        raise _trouble(session, batch, error) from error
    if answer.invalid:
        _sort_out(session, push, batch, answer)
    else:
        acknowledge(session, push, batch)


def _trouble(session: PushSession, batch: Sequence[Claimed], error: ElectisError) -> Trouble:
    contents = [content for item in batch for content in _contents(session, item)]
    return Trouble(error, rows=tuple(item.row for item in batch), contents=contents)


def _contents(session: PushSession, item: Claimed) -> list[Content | None]:
    """Return what AIMS may quote of an article: what was sent, what was agreed on before, and what it shows."""
    remote = session.view.articles.get(item.row.article_id)
    return [item.wanted.content if item.wanted else None, item.row.base, remote.content if remote else None]


def _send(session: PushSession, push: Push, batch: Sequence[Claimed]) -> WriteAnswer:
    if push is Push.DELETE:
        return session.client.delete_articles(session.store.code, [item.row.article_id for item in batch])
    articles = [item.wanted.article for item in batch if item.wanted]
    return session.client.push_articles(session.store.code, articles, merge=push is Push.UPDATE)


def acknowledge(session: PushSession, push: Push, batch: Sequence[Claimed]) -> None:
    """Write down that AIMS took a batch; rows that changed meanwhile stay dirty, another epoch's rows untouched."""
    # If a crash of the server takes it back, the rows are in flight once more, and read before anything is sent.
    with session.runtime.database.write(session.scope.org_id, is_durable=False) as uow:
        now = session.runtime.clock()
        number = acknowledging.acknowledge(
            uow,
            session.store.id,
            session.lease,
            [item.row.article_id for item in batch],
            are_deleted=push is Push.DELETE,
            now=now,
            verify_after=now + session.runtime.tuning.settle,
        )
        if number is None:
            raise LeaseLost
        for exchange in session.client.connection.held_exchanges:
            keep_exchange(uow, exchange, session.runtime.sealer, session.runtime.new_id)
        session.runtime.reached("push:acknowledging")
        uow.commit()
    session.client.connection.forget_exchanges()
    session.runtime.reached("push:acknowledged")
    session.last_write_at = now
    for item in batch:
        session.view.wrote(item.row.article_id, item.wanted.content if item.wanted else None, item.hash)
    report = session.report
    if push is Push.CREATE:
        report.created += len(batch)
    elif push is Push.UPDATE:
        report.updated += len(batch)
    else:
        report.deleted += len(batch)


def _sort_out(session: PushSession, push: Push, batch: Sequence[Claimed], answer: WriteAnswer) -> None:
    """Find out which records AIMS did not take: from its log, else by reading what it shows now (Q23)."""
    try:
        refused = _named(batch, session.client.refused_records(answer.batch_id) if answer.batch_id else [])
        unexplained = answer.invalid - len(refused)
        accepted = [item for item in batch if item.row.article_id not in refused]
        doubtful: list[Claimed] = []
        if unexplained > 0:
            ids = [item.row.article_id for item in accepted]
            now = session.runtime.clock()
            session.view.read(ids, now, after=dict.fromkeys(ids, now))
            doubtful = [item for item in accepted if session.view.hash_of(item.row.article_id) != item.hash]
            accepted = [item for item in accepted if item not in doubtful]
    except (*CALL_FAILURES, AimsRejected, UnreliableListing) as error:
        raise _trouble(session, batch, error) from error
    if accepted:
        acknowledge(session, push, accepted)
    for item in batch:
        reason = refused.get(item.row.article_id)
        if reason is not None:
            _give_up(session, item, AimsRejected(why=f"AIMS did not take it: {reason}.", word=reason))
    if len(doubtful) == unexplained or len(doubtful) == 1:
        # As many as AIMS counted are not there: those are the ones it refused.
        for item in doubtful:
            _give_up(session, item, AimsRejected(why="AIMS counted it as invalid without saying why."))
    elif doubtful:
        middle = len(doubtful) // 2
        _deliver(session, push, doubtful[:middle])
        _deliver(session, push, doubtful[middle:])


def _named(batch: Sequence[Claimed], records: Collection[RefusedRecord]) -> dict[str, str]:
    """Return the refused articles by id; the log names them by id, else by their place in what was sent."""
    ids = [item.row.article_id for item in batch]
    found: dict[str, str] = {}
    for record in records:
        if record.article_id in ids:
            found[str(record.article_id)] = record.reason
        elif record.article_id is None and record.index is not None and 0 <= record.index < len(ids):
            found[ids[record.index]] = record.reason
    return found


def _give_up(session: PushSession, item: Claimed, error: ElectisError) -> None:
    """Make a row a dead letter, unless somebody changed it meanwhile."""
    error = without_values(error, _contents(session, item))
    verdict = judge_rejection(item.row)
    with session.runtime.database.write(session.scope.org_id) as uow:
        session.require_lease(uow)
        change = session.change(uow)
        current = ledger.rows_by_id(uow, session.store.id, [item.row.article_id], lock=True)[
            item.row.article_id
        ]
        cleared: dict[str, Any] = {
            "article_id": item.row.article_id,
            "inflight_version": None,
            "inflight_hash": None,
            "inflight_content": None,
            "inflight_epoch": None,
        }
        if current.desired_version == item.row.desired_version:
            cleared |= {
                "state": verdict.state.value,
                "attempts": verdict.attempts,
                "error_class": error.code,
                "error_text": error.why or error.message,
                "next_attempt_at": verdict.next_attempt_at,
            }
            if verdict.is_dead:
                session.bury(
                    change,
                    kind="article",
                    subject=item.row.article_id,
                    error=error,
                    attempts=verdict.attempts,
                )
        ledger.update_rows(uow, session.store.id, [cleared])
        session.runtime.reached("push:giving-up")
        uow.commit()
    session.runtime.reached("push:gave-up")
    session.report.failed += 1
