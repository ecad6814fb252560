"""Following batches: what AIMS accepted with a batch id may still turn out refused (contract 5.2, Q23)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from electis_cli.aims.client import AimsClient
from electis_cli.aims.wire import RefusedRecord
from electis_cli.db import accounts, exchanges, ledger, organizations, stores
from electis_cli.db.exchanges import Batch
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.access import system_actor
from electis_cli.domain.errors import AimsRejected, ElectisError
from electis_cli.domain.queue import State
from electis_cli.domain.redaction import without_values
from electis_cli.services.change import Change, Scope
from electis_cli.services.push.burying import bury
from electis_cli.services.remote import as_agreed, shown
from electis_cli.services.rendering import require_format
from electis_cli.services.runtime import Runtime

FOLLOWED_FOR = timedelta(hours=1)
MOST_BATCHES = 20
UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    batch: Batch
    result: str
    refused: Sequence[RefusedRecord]
    shown: frozenset[str]  # refused ids that AIMS shows as agreed all the same: a later batch brought them


def follow_batches(runtime: Runtime, org_id: str) -> int:
    """Ask AIMS what became of batches whose settle window is over, and return how many articles it refused after all.

    Such an article is a dead letter like one that was refused at once: sending it again would not help.
    """
    with runtime.database.read(org_id) as uow:
        organization, account = organizations.own_organization(uow), accounts.find_account(uow)
        until = runtime.clock() - runtime.tuning.settle
        waiting = {
            store: exchanges.batches_to_follow(
                uow, store.code, since=runtime.clock() - FOLLOWED_FOR, until=until, limit=MOST_BATCHES
            )
            for store in stores.list_stores(uow)
            if store.sync_enabled and store.paused_at is None
        }
    is_ready = organization.aims_base_url is not None and organization.article_format is not None
    if not is_ready or account.breaker == "open" or not any(waiting.values()):
        return 0
    refused = 0
    client = runtime.connect(organization)
    try:
        for store, batches in waiting.items():
            for batch in batches:
                outcome = _ask(runtime, client, organization, store, batch)
                if outcome is not None:
                    refused += _write_down(runtime, org_id, store, outcome)
    except ElectisError:
        return refused  # AIMS does not answer now; the batches are asked about again in the next step
    finally:
        client.close()
    return refused


def _ask(
    runtime: Runtime, client: AimsClient, organization: Organization, store: Store, batch: Batch
) -> _Outcome | None:
    result = client.batch_result(batch.batch_id)
    if result is None:
        # A batch AIMS does not know yet is asked about again; one it never heard of not for ever.
        is_old = runtime.clock() - batch.at > FOLLOWED_FOR / 2
        return _Outcome(batch=batch, result=UNKNOWN, refused=(), shown=frozenset()) if is_old else None
    # Its counts may claim that all went well (Q23): the log has the word.
    records = [one for one in client.refused_records(batch.batch_id) if one.article_id in batch.subjects]
    if not records:
        return _Outcome(batch=batch, result=result, refused=(), shown=frozenset())
    ids = sorted({str(record.article_id) for record in records})
    found = client.articles_by_id(store.code, ids)
    article_format = require_format(organization)
    with runtime.database.read(organization.id) as uow:
        rows = ledger.rows_by_id(uow, store.id, ids)
    agreed = frozenset(
        article_id
        for article_id, row in rows.items()
        if article_id in found
        and as_agreed(shown(found[article_id], article_format), row, None).hash == row.base_hash
    )
    return _Outcome(batch=batch, result=result, refused=records, shown=agreed)


def _write_down(runtime: Runtime, org_id: str, store: Store, outcome: _Outcome) -> int:
    given_up = 0
    with runtime.database.write(org_id) as uow:
        change = Change(
            uow=uow, scope=Scope(runtime=runtime, actor=system_actor(), org_id=org_id), now=runtime.clock()
        )
        exchanges.set_batch_result(uow, outcome.batch.id, outcome.result)
        reasons = {str(record.article_id): record.reason for record in outcome.refused}
        rows = ledger.rows_by_id(uow, store.id, reasons, lock=True)
        for article_id, row in rows.items():
            is_over = row.is_dirty or row.state is not State.ACTIVE or row.inflight_version is not None
            if is_over or article_id in outcome.shown or row.desired_deleted:
                continue  # changed meanwhile, or AIMS shows it after all
            reason = reasons[article_id]
            error = without_values(
                AimsRejected(why=f"AIMS accepted it and refused it later: {reason}.", word=reason), [row.base]
            )
            ledger.bump(uow, store.id, {article_id: False}, change.now)
            ledger.update_rows(
                uow,
                store.id,
                [
                    {
                        "article_id": article_id,
                        "state": State.FAILED.value,
                        "verify_after": None,
                        "error_class": error.code,
                        "error_text": error.why or error.message,
                    }
                ],
            )
            bury(change, store, kind="article", subject=article_id, error=error, attempts=row.attempts + 1)
            given_up += 1
        uow.commit()
    return given_up
