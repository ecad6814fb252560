"""The facts of an organization as one value: what is compared before and after a change, without ids and versions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from electis_cli.db import conferences, labels, ledger, people, spaces, stores
from electis_cli.db.tables import metadata
from electis_cli.domain.bulk.changes import image_of_room
from electis_cli.domain.conference import PAGE_FREE
from electis_cli.domain.queue import LedgerRow
from electis_cli.services.change import Scope

Facts = dict[str, dict[Any, Any]]


def facts_of(scope: Scope) -> Facts:
    """Return an organization's spaces, people with their seats, rooms, and labels with article and page."""
    with scope.runtime.database.read(scope.org_id) as uow:
        places = {store.id: store.code for store in stores.list_stores(uow)}
        ids = list(places)
        return {
            "spaces": {
                (places[one.store_id], one.external_id): dict(one.data)
                for one in spaces.list_spaces(uow, ids)
            },
            "people": {
                (places[one.store_id], one.external_id): (dict(one.data), one.assigned_space)
                for one in people.list_people(uow, ids)
            },
            "rooms": {
                (places[one.store_id], one.external_id): image_of_room(one)
                for one in conferences.list_rooms(uow, ids)
            },
            "labels": {
                # Who never showed a room has no wish for a page; who left one is wished back to the first (page 1).
                one.label_code: (places[one.store_id], one.desired_article, one.desired_page or PAGE_FREE)
                for one in labels.list_wishes(uow, ids)
                if one.desired_article is not None
            },
        }


def ledger_of(scope: Scope, code: str = "001") -> dict[str, LedgerRow]:
    """Return the ledger of a store by article id."""
    with scope.runtime.database.read(scope.org_id) as uow:
        place = stores.find_store(uow, code=code)
        assert place is not None
        return ledger.all_rows(uow, place.id)


def bumped(before: dict[str, LedgerRow], after: dict[str, LedgerRow]) -> dict[str, int]:
    """Return how often each article became dirty between two looks at the ledger."""
    counts = {
        key: row.desired_version - (before[key].desired_version if key in before else 0)
        for key, row in after.items()
    }
    return {key: count for key, count in counts.items() if count}


def every_row(scope: Scope) -> dict[str, list[str]]:
    """Return every row of an organization in every table: what is equal was not touched at all."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return {
            table.name: sorted(map(repr, uow.execute(sa.select(table).where(table.c.org_id == scope.org_id))))
            for table in metadata.sorted_tables
            if "org_id" in table.c
        }
