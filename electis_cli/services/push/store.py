"""Pushing one store: the gate before it, the lease around it, and rounds until nothing is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from electis_cli.aims.client import AimsClient
from electis_cli.db import claims, leases, stores
from electis_cli.db.due import Due, what_is_due
from electis_cli.db.gates import Ground, find_ground
from electis_cli.db.leases import Lease
from electis_cli.domain.access import system_actor
from electis_cli.domain.errors import AimsNotConfigured, ElectisError, HostNotAllowed, StoreNotFound
from electis_cli.services.change import Scope
from electis_cli.services.leasing import KeptLease, renewing
from electis_cli.services.push.articles import push_due_articles
from electis_cli.services.push.claim import ahead_limit
from electis_cli.services.push.commands import send_due_commands
from electis_cli.services.push.labels import push_due_wishes
from electis_cli.services.push.report import Ending, PushReport
from electis_cli.services.push.session import Halted, LeaseLost, PushSession, Trouble
from electis_cli.services.push.trouble import handle_trouble, note_success
from electis_cli.services.remote import RemoteView
from electis_cli.services.rendering import require_format
from electis_cli.services.restoring import is_set_back, note_pushed, stop_after_restore
from electis_cli.services.runtime import Runtime


def lease_name(store_id: str) -> str:
    """Return the name of the lease that lets one worker at a time push a store."""
    return leases.push_resource(store_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """How a push begins: what it stands on, and the lease (None: somebody else's, or the gate is shut)."""

    ground: Ground
    is_set_back: bool
    ending: Ending | None
    lease: Lease | None
    taken_at: datetime
    ahead: Sequence[tuple[str, datetime | None]]


def push_store(
    runtime: Runtime, org_id: str, store_id: str, *, should_stop: Callable[[], bool] = lambda: False
) -> PushReport:
    """Push what is due in one store and return what happened; raises only for a broken database or a bug.

    Whatever dies in between, the next push goes on: intents are written before each call, acknowledgements after.
    """
    opening = _open(runtime, org_id, store_id)
    if opening.is_set_back:
        # It pauses the store, which is what the second look finds.
        stop_after_restore(runtime, org_id)
        opening = _open(runtime, org_id, store_id)
    ground, lease = opening.ground, opening.lease
    report = PushReport(store=ground.store.code)
    if lease is None:
        report.ending = opening.ending or Ending.BUSY
        report.error, report.until = _why_shut(ground, report.ending, opening.taken_at)
        return report
    runtime.reached("push:took-lease")
    try:
        client = runtime.connect(ground.organization)
    except (AimsNotConfigured, HostNotAllowed, ElectisError) as error:
        _release(runtime, org_id, lease)
        report.ending, report.error_code, report.error = Ending.NO_ACCOUNT, error.code, error.message
        return report
    session = _session(
        runtime=runtime, ground=ground, lease=lease, taken_at=opening.taken_at, client=client, report=report
    )
    session.ahead.extend(opening.ahead)
    try:
        with renewing(runtime, org_id, KeptLease(lease)):
            try:
                _work(session, ground.due, should_stop)
            except Trouble as trouble:
                handle_trouble(session, trouble)
    except LeaseLost:
        report.ending, report.was_overtaken = Ending.BUSY, True
    except Halted as halted:
        report.ending, report.error = halted.ending, halted.why
    finally:
        client.close()
        note_pushed(runtime, org_id, session.number)
        _release(runtime, org_id, session.lease)
    return report


def _open(runtime: Runtime, org_id: str, store_id: str) -> _Opening:
    """Look at the gate, take the lease and see what is due, in one transaction. Raises StoreNotFound."""
    now, lease = runtime.clock(), None
    ahead: list[tuple[str, datetime | None]] = []
    # Nothing is sent before a claim, which is durable and makes the lease so, too.
    with runtime.database.write(org_id, is_durable=False) as uow:
        ground = find_ground(uow, store_id, now)
        if ground is None:
            raise StoreNotFound
        is_old = is_set_back(runtime, org_id, ground.last_number)
        ending = _gate(ground, now)
        if ending is None and not is_old:
            if not ground.due:
                ending = Ending.DONE
            else:
                seconds = runtime.tuning.lease_seconds
                values = leases.lease_values(uow, lease_name(store_id), runtime.holder, seconds=seconds)
                limit = ahead_limit(_batch_size(runtime, ground), is_trial=_is_trial(ground))
                epoch, ahead = claims.take_lease_and_look(uow, store_id, values, now, limit=limit)
                lease = leases.lease_of(epoch, values)
                runtime.reached("push:taking-lease")
        # Also when nothing was written: see `_ending` in `db/engine.py`.
        uow.commit()
    return _Opening(ground=ground, is_set_back=is_old, ending=ending, lease=lease, taken_at=now, ahead=ahead)


def _is_trial(ground: Ground) -> bool:
    return ground.account.breaker == "half-open"


def _batch_size(runtime: Runtime, ground: Ground) -> int:
    """Return how many articles go in one call; half-open after an outage one of one proves that AIMS is back."""
    return 1 if _is_trial(ground) else runtime.tuning.batch_size


def _gate(ground: Ground, now: datetime) -> Ending | None:
    """Return why a store must not be pushed now, or None. Open or paused means no write at all."""
    store, organization = ground.store, ground.organization
    cases = (
        (not store.sync_enabled, Ending.DISABLED),
        (store.paused_at is not None, Ending.PAUSED),
        (organization.aims_base_url is None, Ending.NO_ACCOUNT),
        (organization.article_format is None, Ending.NO_FORMAT),
        (ground.account.breaker == "open", Ending.BREAKER),
        (_backs_off_until(ground, now) is not None, Ending.BACKOFF),
    )
    return next((ending for holds, ending in cases if holds), None)


def _backs_off_until(ground: Ground, now: datetime) -> datetime | None:
    moments = (ground.account.backoff_until, ground.store.backoff_until)
    return next((until for until in moments if until is not None and until > now), None)


def _why_shut(ground: Ground, ending: Ending, now: datetime) -> tuple[str | None, datetime | None]:
    """Return the reason a person or the account was given, and when a back-off is over."""
    if ending is Ending.PAUSED:
        return ground.store.paused_why, None
    if ending is Ending.BREAKER:
        return ground.account.breaker_reason, None
    return None, _backs_off_until(ground, now) if ending is Ending.BACKOFF else None


def _session(
    *,
    runtime: Runtime,
    ground: Ground,
    lease: Lease,
    taken_at: datetime,
    client: AimsClient,
    report: PushReport,
) -> PushSession:
    return PushSession(
        runtime=runtime,
        scope=Scope(runtime=runtime, actor=system_actor(), org_id=ground.organization.id),
        store=ground.store,
        client=client,
        view=RemoteView(
            client=client,
            store=ground.store.code,
            article_format=require_format(ground.organization),
            fresh=timedelta(seconds=runtime.tuning.listing_fresh_seconds),
        ),
        report=report,
        lease=lease,
        renewed_at=taken_at,
        batch_size=_batch_size(runtime, ground),
        is_trial=_is_trial(ground),
    )


def _work(session: PushSession, due: Due, should_stop: Callable[[], bool]) -> None:
    report = session.report
    if session.store.listed_at is None and (due.articles or due.tombstones):
        try:
            _meet(session)
        except ElectisError as error:
            raise Trouble(error) from error
    while due or session.ahead:
        before = report.moved + report.waiting
        if due.wishes:
            push_due_wishes(session, unlink=True)
        if (due.articles or session.ahead) and not should_stop():
            waits = due.wishes or due.commands
            push_due_articles(session, tombstones=False, one_load=waits, should_stop=should_stop)
        if due.wishes and not should_stop():
            push_due_wishes(session, unlink=False)
        if due.tombstones and not should_stop():
            push_due_articles(session, tombstones=True)
        if session.is_trial and report.moved:
            note_success(session)
        # Last in every round, not after all of them: a command lives for minutes, a long import may take longer.
        if due.commands and not should_stop():
            send_due_commands(session, should_stop)
        if should_stop():
            report.ending = Ending.STOPPED
            return
        # A load that was found settled meanwhile moves nothing, and others may be ahead.
        if report.moved + report.waiting == before and not session.ahead:
            return
        with session.runtime.database.read(session.scope.org_id) as uow:
            due = what_is_due(uow, session.store.id, session.runtime.clock())


def _meet(session: PushSession) -> None:
    """First contact: believe the listing at once, so that articles made with other tools are met, not replaced."""
    now = session.runtime.clock()
    session.view.list_all(now)
    session.is_first_contact = True
    session.renew()
    with session.runtime.database.write(session.scope.org_id) as uow:
        session.require_lease(uow)
        stores.update_store(uow, session.store.id, {"listed_at": now})
        session.runtime.reached("push:meeting")
        uow.commit()
    session.runtime.reached("push:met")


def _release(runtime: Runtime, org_id: str, lease: Lease) -> None:
    with runtime.database.write(org_id) as uow:
        leases.release_lease(uow, lease)
        runtime.reached("push:releasing-lease")
        uow.commit()
    runtime.reached("push:released-lease")
