"""Claiming articles: what is due, what to do with each, and the intent written down before any call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from electis_cli.db import claims, labels, ledger
from electis_cli.db.organizations import Organization
from electis_cli.domain.articles import ABSENT, looks_altered
from electis_cli.domain.merge import resolve
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import LabelWish, LedgerRow, Push, State, decide_push, known_hashes, with_known
from electis_cli.domain.reconcile import is_echo
from electis_cli.services.adopting import adopt_columns, keep_conflict
from electis_cli.services.change import Change
from electis_cli.services.fighting import hold_fight
from electis_cli.services.push.session import PushSession
from electis_cli.services.remote import Shown, as_agreed
from electis_cli.services.rendering import Rendered, render_articles

LOADS_AHEAD = 20


class Claimed(NamedTuple):
    """One article about to be sent: its ledger row and what the database wants (None: its absence)."""

    row: LedgerRow
    wanted: Rendered | None

    @property
    def hash(self) -> str:
        """The hash of what is sent."""
        return self.wanted.hash if self.wanted else ABSENT


def due_articles(session: PushSession) -> dict[str, datetime | None]:
    """Return a load of what is due in the store, deletions aside, and when each was sent without an answer yet.

    The database is asked for many loads at once: a claim looks again whether they are still due, and what is edited
    meanwhile comes after them anyway.
    """
    if not session.ahead:
        now = session.runtime.clock()
        with session.runtime.database.read(session.scope.org_id) as uow:
            limit = ahead_limit(session.batch_size, is_trial=session.is_trial)
            session.ahead.extend(claims.due_ids(uow, session.store.id, now, limit=limit, tombstones=False))
    return dict(session.ahead.popleft() for _ in range(min(session.batch_size, len(session.ahead))))


def ahead_limit(batch_size: int, *, is_trial: bool) -> int:
    """Return how many articles are looked up at once: many loads, but after a trial of one the others go in batches."""
    return batch_size * (1 if is_trial else LOADS_AHEAD)


def due_tombstones(session: PushSession) -> dict[str, datetime | None]:
    """Return a load of due deletions, and when each was sent without an answer yet."""
    now = session.runtime.clock()
    with session.runtime.database.read(session.scope.org_id) as uow:
        due = dict(claims.due_ids(uow, session.store.id, now, limit=session.batch_size, tombstones=True))
        if not due:
            return due
        # A deletion waits for labels that are on their way to another article, else AIMS would break their links.
        wishes = [
            wish
            for wish in labels.list_wishes(uow, [session.store.id], article_ids=due)
            if wish.state is State.ACTIVE and wish.next_attempt_at is None and wish.acked_article is not None
        ]
        targets = ledger.rows_by_id(uow, session.store.id, [wish.desired_article or "" for wish in wishes])
    leaving = {
        wish.acked_article
        for wish in wishes
        if wish.desired_article != wish.acked_article
        and _can_leave(targets.get(wish.desired_article or ""), wish)
    }
    return {article_id: tried for article_id, tried in due.items() if article_id not in leaving}


def _can_leave(target: LedgerRow | None, wish: LabelWish) -> bool:
    """Tell whether a label will get away by itself: to no article, or to one that is not stuck."""
    if wish.desired_article is None:
        return True
    return target is not None and target.state is State.ACTIVE and not target.desired_deleted


def claim(session: PushSession, ids: Sequence[str], *, tombstones: bool) -> dict[Push, list[Claimed]]:
    """Decide on what is still due, and write down what is about to be sent before it is."""
    store_id, groups = session.store.id, {push: list[Claimed]() for push in Push}
    with session.runtime.database.write(session.scope.org_id) as uow:
        organization = session.require_going(uow)
        change = session.change(uow)
        rows = claims.due_rows(uow, store_id, change.now, tombstones=tombstones, ids=ids)
        wanted = {} if tombstones else render_articles(uow, organization, store_id, ids)
        items = []
        for row in rows:
            item = Claimed(row=row, wanted=wanted.get(row.article_id))
            if not tombstones and item.wanted is None:
                _hold(change, session, row, "Neither a space nor a conference room has this article.")
                continue
            seen = session.view.articles.get(row.article_id)
            if seen is not None:
                ours = item.wanted.content if item.wanted else None
                session.view.articles[row.article_id] = _in_our_form(seen, row, ours)
            items.append(item)
        for item in items:
            shows = session.view.hash_of(item.row.article_id)
            is_odd = shows not in {item.row.base_hash, ABSENT}
            push = decide_push(
                item.row,
                local_hash=item.hash,
                remote_hash=shows,
                known=known_hashes(item.row, change.now) if is_odd else (),
                now=change.now,
                settle=session.runtime.tuning.settle,
                believe_at_once=session.is_first_contact,
            )
            if push is Push.RESOLVE:
                push = _resolve(change, session, organization, item)
            groups[push].append(item)
        number = _write_down(session, change, groups)
        session.runtime.reached("push:claiming")
        uow.commit()
    session.number, session.checked_at = number, change.now
    session.runtime.reached("push:claimed")
    session.report.agreed += len(groups[Push.AGREE])
    session.report.waiting += len(groups[Push.WAIT])
    return groups


def _in_our_form(seen: Shown, row: LedgerRow, ours: Mapping[str, str] | None) -> Shown:
    """Return what AIMS shows as we know it; what AIMS made of our own value is that value, and nobody's edit."""
    article = as_agreed(seen, row, ours)
    if article.hash == row.base_hash:
        return article
    if row.inflight_content is not None and looks_altered(row.inflight_content, article.content):
        return article._replace(content=row.inflight_content, known_hash=row.inflight_hash)
    if is_echo(row, article.content):
        return article._replace(content=row.base or {}, known_hash=row.base_hash)
    return article


def _is_verbatim(session: PushSession, item: Claimed) -> bool:
    """Tell whether AIMS shows just what is agreed on: only then any other form of it is somebody's edit."""
    seen = session.view.articles.get(item.row.article_id)
    return seen is None or seen.is_verbatim


def _write_down(session: PushSession, change: Change, groups: dict[Push, list[Claimed]]) -> int:
    """Write down what was decided and return the number it has in the ledger."""
    uow, store_id, now = change.uow, session.store.id, change.now
    sent = [item for push in (Push.CREATE, Push.UPDATE, Push.DELETE) for item in groups[push]]
    # AIMS broke the links of articles it lost; the labels are linked again once they are back.
    lost = [item.row.article_id for item in sent if session.view.hash_of(item.row.article_id) == ABSENT]
    labels.forget_links(uow, store_id, lost, now)
    intents: list[claims.Intent] = [
        {
            "article_id": item.row.article_id,
            "version": item.row.desired_version,
            "hash": item.hash,
            "content": item.wanted.content if item.wanted else None,
            # Known as ours before the network call: whatever becomes of it, it is recognized later.
            "known": with_known(item.row, [item.hash], now),
        }
        for item in sent
    ]
    number = claims.note_intents(uow, store_id, intents, epoch=session.lease.epoch, now=now)
    ledger.update_rows(
        uow,
        store_id,
        [
            {
                **acknowledged(session, item, number, change),
                # Shown again later, what both sides agree on is an old value of ours and nobody's edit.
                "known": with_known(item.row, [item.hash], now),
                "read_equal_at": now if _is_verbatim(session, item) else None,
                "last_seen_remote_at": now,
            }
            for item in groups[Push.AGREE]
        ],
    )
    gone = [item.row.article_id for item in groups[Push.AGREE] if item.wanted is None]
    labels.forget_links(uow, store_id, gone, now)
    settle = session.runtime.tuning.settle
    waiting = []
    for item in groups[Push.WAIT]:
        seen = session.view.hash_of(item.row.article_id)
        since = item.row.odd_since if item.row.odd_hash == seen and item.row.odd_since else now
        waiting.append(
            {
                "article_id": item.row.article_id,
                "odd_hash": seen,
                "odd_since": since,
                "next_attempt_at": since + settle,
            }
        )
    ledger.update_rows(uow, store_id, waiting)
    return number


def acknowledged(session: PushSession, item: Claimed, number: int, change: Change) -> dict[str, Any]:
    """Return what an acknowledged row says: both sides agree on this content, which nobody read back yet."""
    is_same = item.hash == item.row.base_hash
    return {
        "article_id": item.row.article_id,
        "touched_seq": number,
        "synced_version": item.row.desired_version,
        "read_equal_at": None,
        "last_seen_remote_at": None,
        "echo": item.row.echo if is_same else None,
        "echo_rounds": item.row.echo_rounds if is_same else 0,
        "base": dict(item.wanted.content) if item.wanted else None,
        "base_hash": item.hash,
        "inflight_version": None,
        "inflight_hash": None,
        "inflight_content": None,
        "inflight_epoch": None,
        "attempts": 0,
        "doubts": 0,
        "next_attempt_at": None,
        "error_class": None,
        "error_text": None,
        "acked_at": change.now,
        "verify_after": change.now + session.runtime.tuning.settle,
        "missing_since": None,
        "odd_hash": None,
        "odd_since": None,
    }


def _resolve(change: Change, session: PushSession, organization: Organization, item: Claimed) -> Push:
    """Let the strategy decide between our change and somebody else's edit that stayed for the settle window."""
    row, remote = item.row, session.view.articles.get(item.row.article_id)
    if remote is None or item.wanted is None:
        return _resolve_tombstone(change, session, organization, row, remote)
    strategy = organization.strategy
    if item.wanted.is_room and strategy is Strategy.MERGE:
        strategy = Strategy.DATABASE_WINS
    outcome = resolve(row.base, item.wanted.content, remote.content, strategy)
    undecided = outcome.undecided or (
        bool(outcome.adopt)
        and not adopt_columns(change, organization, session.store.id, row.article_id, outcome.adopt)
    )
    keep_conflict(
        change,
        session.store.id,
        row.article_id,
        base=row.base,
        local=item.wanted.content,
        remote=remote.content,
        choice="undecided" if undecided else strategy.value,
    )
    values: dict[str, Any] = {
        "article_id": row.article_id,
        "odd_hash": None,
        "odd_since": None,
        "next_attempt_at": None,
    }
    if undecided:
        values |= {
            "state": State.CONFLICT.value,
            "error_text": "AIMS and the database both changed this article.",
        }
    else:
        # Seen and answered for: from now on this value is what both sides start from.
        values |= {"base": dict(remote.content), "base_hash": remote.hash, "echo": None}
        values["known"] = with_known(row, [remote.hash], change.now)
        if outcome.push:
            hold_fight(
                change, session.store, row.article_id, remote.content, lambda _, held: values.update(held)
            )
    ledger.update_rows(change.uow, session.store.id, [values])
    if not undecided and outcome.adopt and values.get("state") is None:
        ledger.bump(change.uow, session.store.id, {row.article_id: False}, change.now)
    session.report.waiting += 1
    return Push.RESOLVE


def _resolve_tombstone(
    change: Change, session: PushSession, organization: Organization, row: LedgerRow, remote: Shown | None
) -> Push:
    """A deletion against somebody else's value: deleted when the database wins, else a person decides; it is kept."""
    database_wins = organization.strategy in {Strategy.MERGE, Strategy.DATABASE_WINS}
    keep_conflict(
        change,
        session.store.id,
        row.article_id,
        base=row.base,
        local=None,
        remote=remote.content if remote else None,
        choice="database" if database_wins else "undecided",
    )
    if database_wins:
        return Push.DELETE
    values = {"article_id": row.article_id, "state": State.CONFLICT.value}
    values["error_text"] = "The article was deleted here and changed at AIMS."
    ledger.update_rows(change.uow, session.store.id, [values])
    session.report.waiting += 1
    return Push.RESOLVE


def _hold(change: Change, session: PushSession, row: LedgerRow, why: str) -> None:
    ledger.update_rows(
        change.uow,
        session.store.id,
        [{"article_id": row.article_id, "state": State.HELD.value, "error_text": why}],
    )
    session.report.failed += 1
