"""Pushing articles, one load after another: read, claimed, sent; the next one is claimed while AIMS works."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Self

from electis_cli.aims.client import IDS_PER_CALL
from electis_cli.db import claims, comparing
from electis_cli.domain.errors import AimsRejected, ElectisError, UnreliableListing
from electis_cli.domain.queue import Push, cut_batches
from electis_cli.services.push.claim import Claimed, claim, due_articles, due_tombstones
from electis_cli.services.push.delivery import CALL_FAILURES, Flight, land, launch
from electis_cli.services.push.session import Halted, PushSession, Trouble

FEW = 3 * IDS_PER_CALL
"""How many articles are read with as many calls as the shortest listing takes: a page, the empty one and the count."""
_LONGEST_TURN = timedelta(seconds=2)
"""After it labels and commands have their turn, however many articles are ahead."""
_OUTDATED = timedelta(seconds=5)
"""After it a load is looked at and claimed once more: somebody may have edited it, here or at AIMS."""


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
        self._flight: Flight | None = None

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
                self._flight = launch(session, push, batch)
        except Halted:
            _withdraw(session, groups)
            raise

    def _land(self) -> None:
        landing, self._flight = self._flight, None
        if landing is not None:
            land(self._session, landing)


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
