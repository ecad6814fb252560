"""The queue's decisions (design 5.1 and 5.2): what a ledger row is, what to push, and what a failure means."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from electis_cli.domain.articles import ABSENT
from electis_cli.domain.labels import Display
from electis_cli.domain.timing import backoff_delay

MOST_OWN_FAILURES = 8
KNOWN_FOR = timedelta(days=7)
MOST_KNOWN = 50


class State(StrEnum):
    """What a ledger row or label wish is held by; everything else is read from its versions."""

    ACTIVE = "active"
    FAILED = "failed"
    HELD = "held"
    CONFLICT = "conflict"


class Status(StrEnum):
    """What people are shown."""

    SYNCED = "synced"
    PENDING = "pending"
    SYNCING = "syncing"
    HELD = "held"
    CONFLICT = "conflict"
    FAILED = "failed"


_WORST_FIRST = (Status.FAILED, Status.CONFLICT, Status.HELD, Status.SYNCING, Status.PENDING, Status.SYNCED)


class LedgerRow(NamedTuple):
    """What the ledger knows of one article (table `articles`); a tuple, as a push makes one of each row it claims."""

    article_id: str
    desired_version: int
    desired_seq: int
    desired_deleted: bool
    synced_version: int
    base: Mapping[str, str] | None = None
    base_hash: str | None = None
    state: State = State.ACTIVE
    inflight_version: int | None = None
    inflight_hash: str | None = None
    inflight_content: Mapping[str, str] | None = None
    inflight_epoch: int | None = None
    attempts: int = 0
    doubts: int = 0
    last_tried_at: datetime | None = None
    next_attempt_at: datetime | None = None
    error_class: str | None = None
    error_text: str | None = None
    acked_at: datetime | None = None
    verify_after: datetime | None = None
    last_seen_remote_at: datetime | None = None
    missing_since: datetime | None = None
    odd_hash: str | None = None
    odd_since: datetime | None = None
    touched_seq: int = 0
    read_equal_at: datetime | None = None
    remote_updated: str | None = None
    echo: Mapping[str, str] | None = None
    echo_rounds: int = 0
    known: str | None = None
    """Hashes of what was ever sent or agreed on, and when each was last (design 5.1): `HASH:SECONDS HASH:SECONDS`.

    Unix seconds of ten digits, the newest last. It is one text, as each claim writes it and hardly any looks into it.
    """

    @property
    def is_dirty(self) -> bool:
        """True while AIMS has not acknowledged what the database wants."""
        return self.desired_version > self.synced_version

    @property
    def has_base(self) -> bool:
        """True when both sides agreed on a content that is still there."""
        return self.base_hash not in {None, ABSENT}


def known_hashes(row: LedgerRow | None, now: datetime) -> frozenset[str]:
    """Return the contents of an article that are ours: shown again, they are an old value and nobody's edit."""
    if row is None or not row.known:
        return frozenset()
    _, since = _known_seconds(now)
    return frozenset(entry[:-_STAMP] for entry in row.known.split() if entry[-_DIGITS:] >= since)


def with_known(row: LedgerRow, hashes: Sequence[str], now: datetime) -> str:
    """Return the known contents of an article with those that become known now; the oldest are forgotten.

    What both sides agreed on until now is made known once more: when the write that replaces it gets lost, or a late
    one arrives, that is what AIMS shows. An agreed absence is known by its deletion alone.
    """
    at, since = _known_seconds(now)
    has_base = row.base_hash is not None and row.base_hash != ABSENT
    newest = [row.base_hash or "", *hashes] if has_base and row.base_hash not in hashes else hashes
    known = [
        entry
        for entry in (row.known.split() if row.known else ())
        if entry[-_DIGITS:] >= since and entry[:-_STAMP] not in newest
    ]
    known += [f"{hash_}:{at}" for hash_ in newest]
    return " ".join(known[-MOST_KNOWN:])


_DIGITS, _STAMP = 10, 11
"""How long the seconds of an entry are, without and with the colon before them: ten digits from 2001 to 2286."""


# The same for all articles of a batch.
@functools.lru_cache(maxsize=8)
def _known_seconds(now: datetime) -> tuple[str, str]:
    """Return a moment in Unix seconds, and since when what is known then was known; their order is that of text."""
    return f"{int(now.timestamp())}", f"{int((now - KNOWN_FOR).timestamp())}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWish:
    """What a label should show and what AIMS acknowledged (table `label_links`)."""

    label_code: str
    store_id: str
    desired_article: str | None
    acked_article: str | None
    desired_page: int | None
    acked_page: int | None
    version: int
    synced_version: int
    inflight_version: int | None = None
    state: State = State.ACTIVE
    origin: str = "wish"
    attempts: int = 0
    doubts: int = 0
    last_tried_at: datetime | None = None
    next_attempt_at: datetime | None = None
    error_class: str | None = None
    error_text: str | None = None
    acked_at: datetime | None = None
    display: Display = Display.UNKNOWN
    display_since: datetime | None = None
    resent_at: datetime | None = None
    page_check_at: datetime | None = None
    page_rounds: int = 0
    waits_for: str | None = None

    @property
    def wants_link(self) -> bool:
        """True when the label must be linked: it shows another article, or may, as an earlier call is in doubt."""
        return self.desired_article is not None and (
            self.desired_article != self.acked_article or self.inflight_version not in {None, self.version}
        )

    @property
    def wants_unlink(self) -> bool:
        """True when the label must be unlinked: it shows an article, or may, as an earlier call is in doubt."""
        return self.desired_article is None and (
            self.acked_article is not None or self.inflight_version is not None
        )

    @property
    def wants_page(self) -> bool:
        """True when the label must show another page."""
        return (
            self.desired_article is not None
            and self.desired_page is not None
            and self.desired_page != self.acked_page
        )

    @property
    def is_dirty(self) -> bool:
        """True while a wish is not acknowledged."""
        return self.wants_link or self.wants_unlink or self.wants_page


def status_of_row(row: LedgerRow) -> Status:
    """Return the status of an article, read from its ledger row."""
    return _status(row.state, dirty=row.is_dirty, inflight=row.inflight_version is not None)


def status_of_wish(wish: LabelWish) -> Status:
    """Return the status of a label wish."""
    return _status(wish.state, dirty=wish.is_dirty, inflight=wish.inflight_version is not None)


def _status(state: State, *, dirty: bool, inflight: bool) -> Status:
    if state is not State.ACTIVE:
        return Status(state.value)
    if not dirty:
        return Status.SYNCED
    return Status.SYNCING if inflight else Status.PENDING


def worst(statuses: Collection[Status]) -> Status:
    """Return the worst of some statuses; nothing at all is synced."""
    return min(statuses, key=_WORST_FIRST.index, default=Status.SYNCED)


# --- what a listing shows of a label --------------------------------------------------------------------------------


class Sighting(StrEnum):
    """What to do about an article that AIMS shows on a label."""

    LEAVE = "leave"  # it is what we know, or a wish is on its way
    ADOPT = "adopt"  # linked with another tool: taken over like any remote fact
    REPEAT = "repeat"  # an old call of ours that arrived late: the wish is carried out again


def judge_sighting(wish: LabelWish | None, article_id: str, sent: Collection[str]) -> Sighting:
    """Return what to do about a label seen on an article; `sent` are the articles we ever linked it to ourselves."""
    if wish is None:
        return Sighting.ADOPT
    is_pending = wish.state is not State.ACTIVE or wish.is_dirty or wish.inflight_version is not None
    if wish.acked_article == article_id or (is_pending and wish.origin == "wish"):
        return Sighting.LEAVE
    return Sighting.REPEAT if wish.origin == "wish" and article_id in sent else Sighting.ADOPT


# --- what to push ---------------------------------------------------------------------------------------------------


class Push(StrEnum):
    """What one claimed key needs."""

    CREATE = "create"  # POST: new to AIMS
    UPDATE = "update"  # PUT: keeps columns that are not ours
    DELETE = "delete"
    AGREE = "agree"  # AIMS shows it already: acknowledge without a call
    WAIT = "wait"  # somebody else's edit: wait for the settle window
    RESOLVE = "resolve"  # it stayed: the conflict strategy decides


def decide_push(
    row: LedgerRow,
    *,
    local_hash: str,
    remote_hash: str,
    known: Collection[str],
    now: datetime,
    settle: timedelta,
    believe_at_once: bool = False,
) -> Push:
    """Return what to do with a due key, given what AIMS shows right now (read before write).

    `local_hash` is `ABSENT` for a tombstone, `remote_hash` is `ABSENT` when AIMS has no such article. On first contact
    with a store what AIMS shows is believed at once.
    """
    if remote_hash == local_hash:
        # What we sent a moment ago may be there and not be shown yet: agreeing on its absence would leave it behind.
        is_hidden = local_hash == ABSENT and _may_be_hidden(row, now, settle)
        return Push.DELETE if is_hidden else Push.AGREE
    is_ours = remote_hash == row.base_hash or remote_hash in known or remote_hash == row.inflight_hash
    # Absence needs no owner: an article that is not there yet, or was deleted by us or by others, is written again,
    # because an edit beats a delete (design 5.3).
    if not is_ours and remote_hash != ABSENT:
        has_settled = (
            row.odd_hash == remote_hash and row.odd_since is not None and now - row.odd_since >= settle
        )
        return Push.RESOLVE if has_settled or believe_at_once else Push.WAIT
    if local_hash == ABSENT:
        return Push.DELETE
    # A read that misses an article may be stale; an update of one that is gone creates it all the same (contract 5.2).
    return Push.UPDATE if row.has_base or remote_hash != ABSENT else Push.CREATE


def _may_be_hidden(row: LedgerRow, now: datetime, settle: timedelta) -> bool:
    """Tell whether AIMS may have taken an article of ours that a read does not show yet."""
    if row.inflight_hash not in {None, ABSENT}:
        return True
    return row.has_base and row.acked_at is not None and now - row.acked_at < settle


# --- what a failure means -------------------------------------------------------------------------------------------


class Fault(StrEnum):
    """Whose failure it was, as the client classified it (design 5.2)."""

    UNREACHABLE = "unreachable"  # nothing was sent
    AMBIGUOUS = "ambiguous"  # sent, but no usable answer
    THROTTLED = "throttled"
    LOGIN = "login"
    LICENSE = "license"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one row after a failed write."""

    state: State
    attempts: int
    doubts: int
    next_attempt_at: datetime | None

    @property
    def is_dead(self) -> bool:
        """True when the row becomes a dead letter."""
        return self.state is State.FAILED


def judge_rejection(row: LedgerRow | LabelWish) -> Verdict:
    """Return the verdict on a row that AIMS named, or that was rejected alone: trying again would not help."""
    return Verdict(state=State.FAILED, attempts=row.attempts + 1, doubts=row.doubts, next_attempt_at=None)


def judge_doubt(
    row: LedgerRow | LabelWish,
    *,
    was_alone: bool,
    store_writes_since: bool,
    aims_is_well: bool,
    now: datetime,
    fraction: float,
    sent_together: int = 1,
    batch_size: int = 500,
) -> Verdict:
    """Return the verdict on a row whose write got no usable answer.

    It is the row's own failure only if it was alone in its batch while another write to its store succeeded since its
    last try; otherwise it is the store's or the account's, and the row stays due. Doubts while AIMS is well halve the
    batches the row travels in, until it is alone.
    """
    own = was_alone and store_writes_since
    attempts = row.attempts + 1 if own else row.attempts
    doubts = _next_doubts(row.doubts, sent_together, batch_size) if aims_is_well else row.doubts
    if attempts >= MOST_OWN_FAILURES:
        return Verdict(state=State.FAILED, attempts=attempts, doubts=doubts, next_attempt_at=None)
    delay = backoff_delay(attempts, fraction) if own else timedelta(0)
    return Verdict(
        state=State.ACTIVE, attempts=attempts, doubts=doubts, next_attempt_at=now + delay if own else None
    )


def _next_doubts(doubts: int, sent_together: int, batch_size: int) -> int:
    """Return a row's doubts after one more: from the second on, at most half of what was sent goes together again."""
    level = doubts + 1
    if doubts == 0 or sent_together == 1:
        return level
    while batch_limit(level, batch_size) > max(1, sent_together // 2):
        level += 1
    return level


def batch_limit(doubts: int, batch_size: int) -> int:
    """Return how many rows may travel with one that was in doubt that often: the batch halves from the second time."""
    return max(1, batch_size >> max(0, doubts - 1))


def cut_batches(rows: Sequence[LedgerRow], batch_size: int) -> list[list[LedgerRow]]:
    """Cut due rows into batches, in their order; a row in doubt makes its batch smaller."""
    batches: list[list[LedgerRow]] = []
    limit = batch_size
    for row in rows:
        own_limit = batch_limit(row.doubts, batch_size)
        if batches and len(batches[-1]) < min(limit, own_limit):
            batches[-1].append(row)
            limit = min(limit, own_limit)
        else:
            batches.append([row])
            limit = own_limit
    return batches
