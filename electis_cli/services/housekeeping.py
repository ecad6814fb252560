"""One housekeeping step of one organization: verify what was accepted, send mails, forget what is too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from electis_cli.db import (
    accounts,
    alerts,
    commands,
    intents,
    label_displays,
    leases,
    ledger,
    organizations,
    runs,
    sessions,
    stores,
    trail,
)
from electis_cli.db.stores import Store
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.access import system_actor
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.errors import ElectisError
from electis_cli.domain.queue import KNOWN_FOR, known_hashes
from electis_cli.domain.reconcile import LEAST_BRAKED, was_seen_since
from electis_cli.services.change import Change, Scope
from electis_cli.services.displaying import follow_displays
from electis_cli.services.following import follow_batches
from electis_cli.services.mail import mail_alerts, send_due_mail
from electis_cli.services.page_checks import check_pages
from electis_cli.services.push.commands import end_abandoned
from electis_cli.services.remote import as_agreed, shown
from electis_cli.services.runtime import Runtime

MOST_VERIFIED = 500
CONFLICTS_FOR = timedelta(days=90)
SESSIONS_FOR = timedelta(days=30)
HEALTH_EVENTS_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """What a housekeeping step did."""

    refused: int = 0
    verified: int = 0
    drifted: int = 0
    displayed: int = 0
    resent: int = 0
    timed_out: int = 0
    pages_checked: int = 0
    pages_flipped: int = 0
    mails_sent: int = 0
    alerts_mailed: int = 0
    commands_ended: int = 0
    forgotten: int = 0


def keep_house(runtime: Runtime, org_id: str) -> Housekeeping:
    """Do one housekeeping step; of several workers one does it, the others find nothing left to do."""
    with runtime.database.write(org_id) as uow:
        lease = leases.take_lease(
            uow, f"housekeeping:{org_id}", runtime.holder, seconds=runtime.tuning.lease_seconds
        )
        runtime.reached("house:taking-lease")
        uow.commit()
    runtime.reached("house:took-lease")
    if lease is None:
        return Housekeeping()
    try:
        refused = follow_batches(runtime, org_id)
        verified, drifted = _verify(runtime, org_id)
        followed = follow_displays(runtime, org_id)
        pages_checked, pages_flipped = check_pages(runtime, org_id)
        alerts_mailed = mail_alerts(runtime, org_id)
        mails_sent = send_due_mail(runtime, org_id).sent
        return Housekeeping(
            refused=refused,
            verified=verified,
            drifted=drifted,
            displayed=followed.displayed,
            resent=followed.resent,
            timed_out=followed.timed_out,
            pages_checked=pages_checked,
            pages_flipped=pages_flipped,
            mails_sent=mails_sent,
            alerts_mailed=alerts_mailed,
            commands_ended=_end_commands(runtime, org_id),
            forgotten=_forget(runtime, org_id),
        )
    finally:
        with runtime.database.write(org_id) as uow:
            leases.release_lease(uow, lease)
            runtime.reached("house:releasing-lease")
            uow.commit()
        runtime.reached("house:released-lease")


def _verify(runtime: Runtime, org_id: str) -> tuple[int, int]:
    """Read articles again whose settle window is over; what AIMS does not show any more is pushed again."""
    with runtime.database.read(org_id) as uow:
        organization, account = organizations.own_organization(uow), accounts.find_account(uow)
        due = [
            (store, ledger.rows_to_verify(uow, store.id, runtime.clock(), MOST_VERIFIED))
            for store in stores.list_stores(uow)
            if store.sync_enabled and store.paused_at is None
        ]
    if account.breaker == "open" or organization.aims_base_url is None:
        return 0, 0
    verified = drifted = 0
    for store, rows in due:
        if not rows:
            continue
        try:
            one, other = _verify_store(runtime, org_id, store, [row.article_id for row in rows])
        except ElectisError:
            continue  # AIMS does not answer now; the rows stay due for the next step
        verified, drifted = verified + one, drifted + other
    return verified, drifted


def _verify_store(runtime: Runtime, org_id: str, store: Store, article_ids: list[str]) -> tuple[int, int]:
    with runtime.database.read(org_id) as uow:
        organization = organizations.own_organization(uow)
    article_format = organization.article_format
    if article_format is None:
        return 0, 0
    client = runtime.connect(organization)
    try:
        found = client.articles_by_id(store.code, article_ids)
    finally:
        client.close()
    with runtime.database.write(org_id) as uow:
        now = runtime.clock()
        change = Change(uow=uow, scope=Scope(runtime=runtime, actor=system_actor(), org_id=org_id), now=now)
        rows = ledger.rows_by_id(uow, store.id, article_ids, lock=True)
        fine, drifted, foreign, missing = [], {}, [], []
        for article_id, row in rows.items():
            remote = found.get(article_id)
            seen = as_agreed(shown(remote, article_format), row, None) if remote else None
            hash_ = seen.hash if seen else ABSENT
            if row.is_dirty or row.inflight_version is not None:
                continue  # changed meanwhile: the push reads before it writes
            if hash_ == row.base_hash:
                equal_at = row.read_equal_at if seen and not seen.is_verbatim else now
                fine.append((article_id, equal_at, remote.last_updated if remote else None))
            elif remote is None and was_seen_since(row):
                missing.append(
                    (article_id, row.missing_since or now)
                )  # deleted there: for the full sync to judge
            elif hash_ in known_hashes(row, now) or remote is None:
                drifted[article_id] = row.desired_deleted
            else:
                foreign.append((article_id, hash_))  # somebody else's edit: for the full sync to judge
        ledger.update_rows(
            uow,
            store.id,
            [
                {
                    "article_id": item,
                    "verify_after": None,
                    "last_seen_remote_at": now,
                    "read_equal_at": equal_at,
                    "remote_updated": updated,
                }
                for item, equal_at, updated in fine
            ],
        )
        ledger.update_rows(
            uow,
            store.id,
            [
                {"article_id": item, "verify_after": None, "odd_hash": hash_, "odd_since": now}
                for item, hash_ in foreign
            ],
        )
        ledger.update_rows(
            uow,
            store.id,
            [{"article_id": item, "verify_after": None, "missing_since": since} for item, since in missing],
        )
        ledger.update_rows(uow, store.id, [{"article_id": item, "verify_after": None} for item in drifted])
        if sum(drifted.values()) > LEAST_BRAKED:
            # So many deletions are for the full sync to plan, whose brakes hold them until a person approves.
            drifted = {article_id: False for article_id, is_deleted in drifted.items() if not is_deleted}
        ledger.bump(uow, store.id, drifted, now)
        if drifted:
            change.emit("sync:drift", {"articles": len(drifted)}, store_id=store.id)
        runtime.reached("house:verifying")
        uow.commit()
    runtime.reached("house:verified")
    return len(fine), len(drifted)


def _end_commands(runtime: Runtime, org_id: str) -> int:
    """End commands whose time is over, or whose worker died: also in stores that nobody may push right now."""
    with runtime.database.read(org_id) as uow:
        places = [place.id for place in stores.list_stores(uow)]
        waiting = {command.store_id for command in commands.open_commands(uow, places)}
    ended = 0
    for store_id in sorted(waiting):
        with runtime.database.write(org_id) as uow:
            scope = Scope(runtime=runtime, actor=system_actor(), org_id=org_id)
            ended += end_abandoned(Change(uow=uow, scope=scope, now=runtime.clock()), store_id)
            uow.commit()
    return ended


def _forget(runtime: Runtime, org_id: str) -> int:
    with runtime.database.write(org_id) as uow:
        before = runtime.clock() - KNOWN_FOR
        gone = ledger.forget_tombstones(uow, before) + intents.forget_intents(uow, before)
        gone += commands.forget_commands(uow, before)
        alerts.close_settled_alerts(uow, runtime.clock())
        _close_label_alerts(uow, runtime.clock())
        gone += runs.forget_conflicts(uow, runtime.clock() - CONFLICTS_FOR)
        gone += sessions.forget_sessions(uow, runtime.clock() - SESSIONS_FOR)
        gone += trail.forget_health_events(uow, runtime.clock() - HEALTH_EVENTS_FOR)
        runtime.reached("house:forgetting")
        uow.commit()
    runtime.reached("house:forgot")
    return gone


def _close_label_alerts(uow: UnitOfWork, now: datetime) -> None:
    """Close the alerts about a store's labels once there is none left that they are about, whatever ended it."""
    opened = {alert["cause"] for alert in alerts.list_alerts(uow)}
    for store in stores.list_stores(uow):
        for cause, is_still_so in (
            (f"labels-timed-out:{store.code}", label_displays.has_timed_out),
            (f"page-flips:{store.code}", label_displays.has_held),
        ):
            if cause in opened and not is_still_so(uow, store.id):
                alerts.close_alert(uow, cause, now)
