"""Pushing one store: the gate before it, the lease around it, and rounds until nothing is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from electis_cli.aims.client import AimsClient
from electis_cli.db import accounts, leases, ledger, organizations, stores
from electis_cli.db.accounts import Account
from electis_cli.db.leases import Lease
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.access import system_actor
from electis_cli.domain.errors import AimsNotConfigured, ElectisError, HostNotAllowed, StoreNotFound
from electis_cli.services.change import Scope
from electis_cli.services.leasing import KeptLease, renewing
from electis_cli.services.push.articles import push_due_articles
from electis_cli.services.push.commands import send_due_commands
from electis_cli.services.push.labels import push_due_wishes
from electis_cli.services.push.report import Ending, PushReport
from electis_cli.services.push.session import Halted, LeaseLost, PushSession, Trouble
from electis_cli.services.push.trouble import handle_trouble, note_success
from electis_cli.services.remote import RemoteView
from electis_cli.services.rendering import require_format
from electis_cli.services.restoring import note_pushed, watch_for_restore
from electis_cli.services.runtime import Runtime


def lease_name(store_id: str) -> str:
    """Return the name of the lease that lets one worker at a time push a store."""
    return leases.push_resource(store_id)


def push_store(
    runtime: Runtime, org_id: str, store_id: str, *, should_stop: Callable[[], bool] = lambda: False
) -> PushReport:
    """Push what is due in one store and return what happened; raises only for a broken database or a bug.

    Whatever dies in between, the next push goes on: intents are written before each call, acknowledgements after.
    """
    watch_for_restore(runtime, org_id)
    organization, store, account = _read(runtime, org_id, store_id)
    report = PushReport(store=store.code)
    ending = _gate(runtime, organization, store, account, report)
    if ending is not None:
        report.ending = ending
        return report
    taken_at = runtime.clock()
    with runtime.database.write(org_id) as uow:
        lease = leases.take_lease(
            uow, lease_name(store_id), runtime.holder, seconds=runtime.tuning.lease_seconds
        )
        runtime.reached("push:taking-lease")
        uow.commit()
    runtime.reached("push:took-lease")
    if lease is None:
        report.ending = Ending.BUSY
        return report
    try:
        client = runtime.connect(organization)
    except (AimsNotConfigured, HostNotAllowed, ElectisError) as error:
        _release(runtime, org_id, lease)
        report.ending, report.error_code, report.error = Ending.NO_ACCOUNT, error.code, error.message
        return report
    session = _session(
        runtime=runtime,
        organization=organization,
        store=store,
        account=account,
        lease=lease,
        taken_at=taken_at,
        client=client,
        report=report,
    )
    try:
        with renewing(runtime, org_id, KeptLease(lease)):
            try:
                _work(session, should_stop)
            except Trouble as trouble:
                handle_trouble(session, trouble)
    except LeaseLost:
        report.ending = Ending.BUSY
    except Halted as halted:
        report.ending, report.error = halted.ending, halted.why
    finally:
        client.close()
        note_pushed(runtime, org_id, session.number)
        _release(runtime, org_id, session.lease)
    return report


def _read(runtime: Runtime, org_id: str, store_id: str) -> tuple[Organization, Store, Account]:
    with runtime.database.read(org_id) as uow:
        store = stores.find_store(uow, store_id=store_id)
        if store is None:
            raise StoreNotFound
        return organizations.own_organization(uow), store, accounts.find_account(uow)


def _gate(
    runtime: Runtime, organization: Organization, store: Store, account: Account, report: PushReport
) -> Ending | None:
    """Return why a store must not be pushed now, or None. Open or paused means no write at all."""
    now = runtime.clock()
    if not store.sync_enabled:
        return Ending.DISABLED
    if store.paused_at is not None:
        report.error = store.paused_why
        return Ending.PAUSED
    if organization.aims_base_url is None or organization.article_format is None:
        return Ending.NO_ACCOUNT if organization.aims_base_url is None else Ending.NO_FORMAT
    if account.breaker == "open":
        report.error = account.breaker_reason
        return Ending.BREAKER
    for until in (account.backoff_until, store.backoff_until):
        if until is not None and until > now:
            report.until = until
            return Ending.BACKOFF
    return None


def _session(
    *,
    runtime: Runtime,
    organization: Organization,
    store: Store,
    account: Account,
    lease: Lease,
    taken_at: datetime,
    client: AimsClient,
    report: PushReport,
) -> PushSession:
    return PushSession(
        runtime=runtime,
        scope=Scope(runtime=runtime, actor=system_actor(), org_id=organization.id),
        store=store,
        client=client,
        view=RemoteView(
            client=client,
            store=store.code,
            article_format=require_format(organization),
            fresh=timedelta(seconds=runtime.tuning.listing_fresh_seconds),
        ),
        report=report,
        lease=lease,
        renewed_at=taken_at,
        # Half-open after an outage: one batch of one proves that AIMS is back, then everything goes.
        batch_size=1 if account.breaker == "half-open" else runtime.tuning.batch_size,
        is_trial=account.breaker == "half-open",
    )


def _work(session: PushSession, should_stop: Callable[[], bool]) -> None:
    report = session.report
    if session.store.listed_at is None and _has_work(session):
        try:
            _meet(session)
        except ElectisError as error:
            raise Trouble(error) from error
    while True:
        before = report.moved + report.waiting
        push_due_wishes(session, unlink=True)
        if not should_stop():
            push_due_articles(session, tombstones=False)
        if not should_stop():
            push_due_wishes(session, unlink=False)
        if not should_stop():
            push_due_articles(session, tombstones=True)
        if session.is_trial and report.moved:
            note_success(session)
        # Last in every round, not after all of them: a command lives for minutes, a long import may take longer.
        if not should_stop():
            send_due_commands(session, should_stop)
        if should_stop():
            report.ending = Ending.STOPPED
            return
        # A load that was found settled meanwhile moves nothing, and others may be ahead.
        if report.moved + report.waiting == before and not session.ahead:
            return


def _has_work(session: PushSession) -> bool:
    with session.runtime.database.read(session.scope.org_id) as uow:
        return ledger.count_due(uow, session.store.id, session.runtime.clock()) > 0


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
