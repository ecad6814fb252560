"""Label wishes: unlinks first, links once their article is there, page flips last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from electis_cli.db import intents, label_queue, labels, ledger
from electis_cli.domain.articles import Content
from electis_cli.domain.errors import AimsRejected, ElectisError
from electis_cli.domain.label_refusals import refusal_of, why_refused
from electis_cli.domain.labels import Display
from electis_cli.domain.queue import LabelWish, LedgerRow, State, judge_rejection
from electis_cli.domain.redaction import without_values
from electis_cli.services.push.delivery import CALL_FAILURES, STORE_WORDS
from electis_cli.services.push.session import PushSession, Trouble

MOST_PER_CALL = 100


def push_due_wishes(session: PushSession, *, unlink: bool) -> None:
    """Bring due label wishes to AIMS: unlinks, or links and then pages. Raises Trouble, LeaseLost."""
    if unlink:
        wishes = [wish for wish in _due(session) if wish.wants_unlink]
        _in_batches(
            session, wishes, _unlink, lambda _: {"acked_article": None, "acked_page": None}, "unlinked"
        )
        return
    due = _due(session)
    ready = _with_article(session, [wish for wish in due if wish.wants_link])
    # After a link AIMS may show any page: it is not known until we flip it.
    _in_batches(
        session,
        ready,
        _link,
        lambda wish: {"acked_article": wish.desired_article, "acked_page": None},
        "linked",
    )
    if ready:  # what is linked by now may want a page
        due = _due(session)
    waiting = [wish for wish in due if wish.wants_page and not wish.wants_link]
    ready = _with_article(session, waiting)
    check_at = session.runtime.clock() + session.runtime.tuning.settle
    _in_batches(
        session,
        ready,
        _flip,
        lambda wish: {"acked_page": wish.desired_page, "page_check_at": check_at},
        "flipped",
    )


def _due(session: PushSession) -> list[LabelWish]:
    now = session.runtime.clock()
    with session.runtime.database.read(session.scope.org_id) as uow:
        wishes = label_queue.unsettled_wishes(uow, session.store.id)
    return [wish for wish in wishes if wish.next_attempt_at is None or wish.next_attempt_at <= now]


def _with_article(session: PushSession, wishes: Sequence[LabelWish]) -> list[LabelWish]:
    """Return the wishes whose article AIMS has acknowledged; a tombstone's wishes are dormant."""
    wanted = {wish.desired_article for wish in wishes if wish.desired_article}
    if not wanted:
        return []
    with session.runtime.database.read(session.scope.org_id) as uow:
        rows = ledger.rows_by_id(uow, session.store.id, wanted)
    return [wish for wish in wishes if _is_there(rows.get(wish.desired_article or ""))]


def _is_there(row: LedgerRow | None) -> bool:
    return row is not None and row.has_base and not row.desired_deleted and not row.is_dirty


def _unlink(session: PushSession, batch: Sequence[LabelWish]) -> None:
    session.client.unlink_labels(session.store.code, [wish.label_code for wish in batch])


def _link(session: PushSession, batch: Sequence[LabelWish]) -> None:
    links = [(wish.label_code, [wish.desired_article or ""]) for wish in batch]
    session.client.link_labels(session.store.code, links)


def _flip(session: PushSession, batch: Sequence[LabelWish]) -> None:
    pages = [(wish.label_code, wish.desired_page or 1) for wish in batch]
    session.client.flip_pages(session.store.code, pages)


Send = Callable[[PushSession, Sequence[LabelWish]], None]
Acked = Callable[[LabelWish], Mapping[str, Any]]


def _in_batches(
    session: PushSession, wishes: Sequence[LabelWish], send: Send, acked: Acked, counter: str
) -> None:
    size = min(session.batch_size, MOST_PER_CALL)
    for start in range(0, len(wishes), size):
        _deliver(session, wishes[start : start + size], send, acked, counter)
        if session.is_trial:
            return  # one is enough to see that AIMS is back; the others go in full batches after it


def _deliver(
    session: PushSession, batch: Sequence[LabelWish], send: Send, acked: Acked, counter: str
) -> None:
    """Send a batch; AIMS refuses lists as a whole, so a refused one is halved until the culprit is alone."""
    session.renew()
    session.report.label_calls += 1
    _write_down(session, batch)
    try:
        session.runtime.reached("labels:sending")
        send(session, batch)
        session.runtime.reached("labels:sent")
    except AimsRejected as error:
        if any(known in str(error.details.get("word", "")) for known in STORE_WORDS):
            raise Trouble(error, wishes=tuple(batch), contents=_contents(session, batch)) from error
        if len(batch) == 1:
            _give_up(session, batch[0], error)
        else:
            middle = len(batch) // 2
            _deliver(session, batch[:middle], send, acked, counter)
            _deliver(session, batch[middle:], send, acked, counter)
        return
    except CALL_FAILURES as error:
        raise Trouble(error, wishes=tuple(batch), contents=_contents(session, batch)) from error
    with session.runtime.database.write(session.scope.org_id) as uow:
        session.require_lease(uow)
        now = session.runtime.clock()
        for wish in batch:
            values = {**acked(wish), "inflight_version": None, "attempts": 0, "doubts": 0, "acked_at": now}
            values |= {"next_attempt_at": None, "error_class": None, "error_text": None, "updated_at": now}
            values |= {"display": Display.PROCESSING.value, "display_since": now, "resent_at": None}
            # What AIMS took stays true even if the wish changed meanwhile; then it is simply due again.
            labels.update_wish(uow, wish.label_code, {**values, "synced_version": wish.version})
        session.runtime.reached("labels:acknowledging")
        uow.commit()
    session.runtime.reached("labels:acknowledged")
    setattr(session.report, counter, getattr(session.report, counter) + len(batch))


def _write_down(session: PushSession, batch: Sequence[LabelWish]) -> None:
    with session.runtime.database.write(session.scope.org_id) as uow:
        session.require_going(uow)
        now = session.runtime.clock()
        # What a label shows until now is ours, too, however old: when the call gets lost, AIMS goes on showing it.
        shown = [(wish.label_code, wish.acked_article) for wish in batch if wish.acked_article]
        for kind, asked in (
            ("link", [*shown, *((wish.label_code, wish.desired_article or "-") for wish in batch)]),
            ("page", [(wish.label_code, str(wish.desired_page or 0)) for wish in batch]),
        ):
            intents.remember_intents(uow, session.store.id, asked, now, kind=kind)
        for wish in batch:
            # A call that gets no answer may have flipped the page: until it is acknowledged it is not known.
            labels.update_wish(
                uow,
                wish.label_code,
                {"inflight_version": wish.version, "acked_page": None, "last_tried_at": now},
            )
        session.runtime.reached("labels:claiming")
        uow.commit()
    session.runtime.reached("labels:claimed")


def _contents(session: PushSession, batch: Sequence[LabelWish]) -> list[Content | None]:
    """Return what AIMS may quote when it speaks of labels: the articles they show and are to show."""
    ids = {name for wish in batch for name in (wish.desired_article, wish.acked_article) if name}
    with session.runtime.database.read(session.scope.org_id) as uow:
        return [row.base for row in ledger.rows_by_id(uow, session.store.id, ids).values()]


def _give_up(session: PushSession, wish: LabelWish, error: ElectisError) -> None:
    refusal = refusal_of(str(error.details.get("word", "")))
    error = without_values(error, _contents(session, [wish]))
    if (why := why_refused(refusal)) and why not in error.why:
        error = type(error)(error.message, why=f"{error.why} {why}".strip(), fix=error.fix, **error.details)
    verdict = judge_rejection(wish)
    with session.runtime.database.write(session.scope.org_id) as uow:
        session.require_lease(uow)
        change = session.change(uow)
        current = labels.find_wish(uow, wish.label_code, lock=True)
        values: dict[str, Any] = {"inflight_version": wish.inflight_version, "updated_at": change.now}
        if current is not None and current.version == wish.version:
            values |= {
                "state": State.FAILED.value,
                "attempts": verdict.attempts,
                "error_class": error.code,
                "error_text": error.why or error.message,
            }
            session.bury(
                change, kind="label", subject=wish.label_code, error=error, attempts=verdict.attempts
            )
        labels.update_wish(uow, wish.label_code, values)
        uow.commit()
    session.report.failed += 1
