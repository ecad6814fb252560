"""What tests of the sync ask of both sides: the ledger here, the articles and labels at AIMS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from electis_cli.db import accounts, alerts, labels, ledger, runs, stores, trail
from electis_cli.db.accounts import Account
from electis_cli.db.stores import Store
from electis_cli.domain.queue import LabelWish, LedgerRow, Status, status_of_row
from electis_cli.services.change import Scope
from electis_cli.services.full_sync import Choice, SyncView, full_sync
from electis_cli.services.push.report import PushReport
from electis_cli.services.push.store import push_store
from electis_cli.simulator import Simulator
from electis_cli.simulator.model import Article as RemoteArticle
from tests.world.databases import FakeClock

SETTLED = 121
"""Seconds after which the settle window is over."""


# --- this side ------------------------------------------------------------------------------------------------------


def store_of(scope: Scope, code: str = "001") -> Store:
    """Return a store of the organization."""
    with scope.runtime.database.read(scope.org_id) as uow:
        found = stores.find_store(uow, code=code)
    assert found is not None
    return found


def push(scope: Scope, **changes: Any) -> PushReport:
    """Push store 001 once."""
    return push_store(scope.runtime, scope.org_id, store_of(scope).id, **changes)


def sync(scope: Scope, *, dry_run: bool = False, **choice: Any) -> SyncView:
    """Run a full sync of store 001; `choice` is what a person chose for it."""
    return full_sync(scope, store_of(scope).id, dry_run=dry_run, choice=Choice(**choice))


def sync_twice(scope: Scope, clock: FakeClock, **choice: Any) -> SyncView:
    """Run two full syncs of store 001 that are a settle window apart and return the second."""
    sync(scope, **choice)
    clock.advance(SETTLED)
    return sync(scope, **choice)


def steps(view: SyncView) -> dict[str, str]:
    """Return what a run did with which article, quiet ones left out."""
    return {str(action["article_id"]): str(action["step"]) for action in view.actions}


def rows_of(scope: Scope) -> dict[str, LedgerRow]:
    """Return the ledger of store 001."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return ledger.all_rows(uow, store_of(scope).id)


def statuses(scope: Scope) -> dict[str, Status]:
    """Return the status of every article."""
    return {article_id: status_of_row(row) for article_id, row in rows_of(scope).items()}


def wish_of(scope: Scope, code: str) -> LabelWish:
    """Return what is wished of a label."""
    with scope.runtime.database.read(scope.org_id) as uow:
        found = labels.find_wish(uow, code)
    assert found is not None
    return found


def account_of(scope: Scope) -> Account:
    """Return the health of the AIMS account."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return accounts.find_account(uow)


def open_alerts(scope: Scope) -> list[dict[str, Any]]:
    """Return the alerts that are open."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return alerts.list_alerts(uow)


def letters_of(scope: Scope) -> list[dict[str, Any]]:
    """Return the dead letters nobody dealt with."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return alerts.list_dead_letters(uow, [store.id for store in stores.list_stores(uow)])


def conflicts_of(scope: Scope) -> list[dict[str, Any]]:
    """Return the conflicts that were kept, newest first."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return runs.list_conflicts(uow, [store_of(scope).id])


def runs_of(scope: Scope) -> list[dict[str, Any]]:
    """Return the full sync runs, newest first."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return runs.list_runs(uow, [store_of(scope).id])


def events_of(scope: Scope, name: str) -> list[dict[str, Any]]:
    """Return the events of a name, oldest first."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return trail.list_events(uow, name=name)


class Through:
    """A client that does something of its own around some calls; the others go through."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


def through(scope: Scope, wrapper: Callable[[Any], Any]) -> Scope:
    """Return the same scope with every AIMS client wrapped."""
    connect = scope.runtime.connect
    runtime = replace(scope.runtime, connect=lambda organization: wrapper(connect(organization)))
    return replace(scope, runtime=runtime)


# --- AIMS -----------------------------------------------------------------------------------------------------------


def article(cloud: Simulator, article_id: str) -> Any:
    """Return an article as AIMS holds it."""
    return cloud.store("ACME", "001").articles[article_id]


def articles_at(cloud: Simulator) -> list[str]:
    """Return the ids of the articles AIMS holds."""
    return sorted(cloud.store("ACME", "001").articles)


def edit(cloud: Simulator, article_id: str, *, name: str | None = None, **columns: str) -> None:
    """Change an article as another tool would."""
    with cloud.lock:
        found = article(cloud, article_id)
        found.data = {**found.data, **columns}
        if name is not None:
            found.name = name
            found.data = {**found.data, "ITEM_NAME": name}


def remove(cloud: Simulator, article_id: str) -> None:
    """Delete an article as another tool would: AIMS unlinks its labels."""
    with cloud.lock:
        store = cloud.store("ACME", "001")
        del store.articles[article_id]
        store.articles_changed()
        for label in store.labels.values():
            label.articles = [held for held in label.articles if held != article_id]
        store.links_changed()


def put(cloud: Simulator, article_id: str, *, name: str = "", **columns: str) -> None:
    """Make an article as another tool would."""
    with cloud.lock:
        store = cloud.store("ACME", "001")
        data = {"STORE_ID": "001", "ARTICLE_ID": article_id, "ITEM_NAME": name, **columns}
        store.articles[article_id] = RemoteArticle(article_id, name, "", [], data, 0.0, 0.0)
        store.articles_changed()


def label_codes(cloud: Simulator, count: int) -> list[str]:
    """Return codes of labels that AIMS knows in store 001."""
    return sorted(cloud.store("ACME", "001").labels)[:count]


def label(cloud: Simulator, code: str) -> Any:
    """Return a label as AIMS holds it."""
    return cloud.store("ACME", "001").labels[code]


def link(cloud: Simulator, code: str, article_id: str) -> None:
    """Link a label as another tool would."""
    with cloud.lock:
        label(cloud, code).articles = [article_id]
        cloud.store("ACME", "001").links_changed()


def calls(cloud: Simulator, method: str, path: str) -> list[Any]:
    """Return the calls of a kind in the journal, oldest first."""
    return [entry for entry in cloud.journal.after() if entry.method == method and entry.path.endswith(path)]


def article_writes(cloud: Simulator) -> int:
    """Return how many article writes AIMS took or refused."""
    return sum(len(calls(cloud, method, "/common/articles")) for method in ("POST", "PUT", "DELETE"))


def spaces_deleted(cloud: Simulator) -> list[str]:
    """Return the ids that AIMS was told to delete, in order."""
    return [
        article_id for entry in calls(cloud, "DELETE", "/common/articles") for article_id in entry.articles
    ]
