"""Sending articles: read, claim, call, acknowledge; a batch that is refused is halved."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from electis_cli.aims.client import IDS_PER_CALL
from electis_cli.aims.wire import RefusedRecord, WriteAnswer
from electis_cli.db import acknowledging, claims, comparing, ledger
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
from electis_cli.domain.queue import Push, cut_batches, judge_rejection
from electis_cli.domain.redaction import without_values
from electis_cli.services.push.claim import Claimed, claim, due_articles, due_tombstones
from electis_cli.services.push.session import Halted, LeaseLost, PushSession, Trouble
from electis_cli.services.recording import keep_exchange
from electis_cli.services.runtime import at_once

CALL_FAILURES = (AimsUnreachable, AimsAmbiguous, AimsThrottled, AimsLoginRefused, AimsCompanyRefused)
GONE = "ARTICLE_ID_NOT_FOUND"
FEW = 3 * IDS_PER_CALL
"""How many articles are read with as many calls as the shortest listing takes: a page, the empty one and the count."""
_LONGEST_TURN = timedelta(seconds=2)
"""After it labels and commands have their turn, however many articles are ahead."""
_OUTDATED = timedelta(seconds=5)
"""After it a load is looked at and claimed once more: somebody may have edited it, here or at AIMS."""
STORE_WORDS = ("STORE_CODE_NOT_FOUND", "COMPANY_NOT_FOUND")


def push_due_articles(
    session: PushSession,
    *,
    tombstones: bool,
    one_load: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Push a load of due tombstones, or of all others one load after another while more of them were seen ahead.

    Only one load with `one_load`, as labels or commands wait for their turn.

    While AIMS works on one batch the next is claimed; never more than one write is on its way, a read may be beside it.
    Raises Trouble, LeaseLost, Halted.
    """
    began = session.runtime.clock()
    with _Pipeline(session) as pipeline:
        while due := due_tombstones(session) if tombstones else due_articles(session):
            pipeline.push_load(due, tombstones=tombstones, should_stop=should_stop)
            is_long = session.runtime.clock() - began > _LONGEST_TURN
            # Deletions are not asked for ahead: those on their way would be found once more.
            if tombstones or one_load or not session.ahead or is_long or should_stop():
                break


class _Pipeline:
    """One batch at most is on its way to AIMS; whatever stops the push, its answer is seen to first."""

    def __init__(self, session: PushSession) -> None:
        self._session = session
        self._flight: _Flight | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, Exception):
            self._land()

    def push_load(
        self, due: Mapping[str, datetime | None], *, tombstones: bool, should_stop: Callable[[], bool]
    ) -> None:
        """Claim a load, see to the answer of the batch before, and send the load; its last batch stays on its way."""
        session = self._session
        groups = _claim_load(session, due, tombstones=tombstones)
        if self._flight is not None:
            claimed_at = session.runtime.clock()
            try:
                self._land()
            except Exception:
                _withdraw(session, groups)
                raise
            if should_stop():
                _withdraw(session, groups)
                return
            # Somebody may have paused the store, or opened the breaker, since the claim looked.
            session.checked_at = None
            if session.runtime.clock() - claimed_at > _OUTDATED:
                groups = _claim_load(session, due, tombstones=tombstones)
        try:
            for push, batch in _batches(session, groups):
                self._land()
                self._flight = _launch(session, push, batch)
        except Halted:
            _withdraw(session, groups)
            raise

    def _land(self) -> None:
        landing, self._flight = self._flight, None
        if landing is not None:
            _land(self._session, landing)


def _claim_load(
    session: PushSession, due: Mapping[str, datetime | None], *, tombstones: bool
) -> dict[Push, list[Claimed]]:
    """Read what AIMS shows of a load, and claim what is to be sent of it."""
    # What a call in doubt did is seen only by a read after it.
    tried = {article_id: at for article_id, at in due.items() if at is not None}
    try:
        session.view.read(due, session.runtime.clock(), after=tried, expected=lambda: _expected(session, due))
    except (*CALL_FAILURES, AimsRejected, UnreliableListing) as error:
        raise Trouble(error) from error
    return claim(session, list(due), tombstones=tombstones)


def _withdraw(session: PushSession, groups: Mapping[Push, Sequence[Claimed]]) -> None:
    """Take back the intents of a load that is certainly not sent; what was in doubt before stays so."""
    ids = [
        item.row.article_id
        for push in (Push.UPDATE, Push.CREATE, Push.DELETE)
        for item in groups[push]
        if item.row.inflight_version is None
    ]
    # Whatever stops us matters more: at worst they are read once more before they are sent.
    with (
        contextlib.suppress(ElectisError),
        session.runtime.database.write(session.scope.org_id) as uow,
    ):
        claims.withdraw_intents(uow, session.store.id, ids, epoch=session.lease.epoch)
        session.runtime.reached("push:withdrawing")
        uow.commit()
    session.runtime.reached("push:withdrew")


def _batches(
    session: PushSession, groups: Mapping[Push, Sequence[Claimed]]
) -> Iterator[tuple[Push, list[Claimed]]]:
    # An update goes before a creation: what is cleared on one label was there before it is filled in on another.
    for push in (Push.UPDATE, Push.CREATE, Push.DELETE):
        claimed = {item.row.article_id: item for item in groups[push]}
        for rows in cut_batches([item.row for item in groups[push]], session.batch_size):
            yield push, [claimed[row.article_id] for row in rows]


def _expected(session: PushSession, due: Collection[str]) -> tuple[int, int]:
    """Return how many articles are due in the store, and how many it has: many due ones are cheaper as one listing."""
    if len(due) < min(session.batch_size, FEW):
        return len(due), FEW  # these are all there are, and no listing takes fewer calls
    with session.runtime.database.read(session.scope.org_id) as uow:
        count = claims.count_due(uow, session.store.id, session.runtime.clock())
        return count, comparing.count_rows(uow, session.store.id)


class _Flight(NamedTuple):
    """A batch on its way to AIMS, and how to wait for the answer."""

    push: Push
    batch: Sequence[Claimed]
    answer: Callable[[], WriteAnswer]


def _launch(session: PushSession, push: Push, batch: Sequence[Claimed]) -> _Flight:
    """Send a batch; beside our own work when there is more of that."""
    session.make_sure()
    session.report.article_calls += 1
    session.runtime.reached("push:sending")
    has_more = session.ahead and push is not Push.DELETE
    begin = session.runtime.beside if has_more else at_once
    # It is written down with the acknowledgement: one commit less, and none from the thread that waits for AIMS.
    session.client.connection.hold_exchanges()
    return _Flight(push=push, batch=batch, answer=begin(lambda: _send(session, push, batch)))


def _deliver(session: PushSession, push: Push, batch: Sequence[Claimed]) -> None:
    """Send a batch and see to its answer."""
    _land(session, _launch(session, push, batch))


def _land(session: PushSession, flight: _Flight) -> None:
    """Write down what became of a batch; a rejected one is halved until the one that AIMS does not take is alone."""
    try:
        _see_to(session, flight)
    finally:
        session.client.connection.tell_exchanges()


def _see_to(session: PushSession, flight: _Flight) -> None:
    push, batch = flight.push, flight.batch
    try:
        answer = flight.answer()
        session.runtime.reached("push:sent")
    except AimsRejected as error:
        word = str(error.details.get("word", ""))
        if any(known in word for known in STORE_WORDS):
            raise _trouble(session, batch, error) from error
        if push is Push.DELETE and GONE in word and len(batch) == 1:
            _acknowledge(session, push, batch)
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
        _acknowledge(session, push, batch)


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


def _acknowledge(session: PushSession, push: Push, batch: Sequence[Claimed]) -> None:
    """Write down that AIMS took a batch; rows that changed meanwhile stay dirty, another epoch's rows untouched."""
    with session.runtime.database.write(session.scope.org_id) as uow:
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
    session.number = number
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
        _acknowledge(session, push, accepted)
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
