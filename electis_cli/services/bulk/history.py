"""What was changed, by whom, and whether it was taken back."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import changesets
from electis_cli.db.changesets import Changeset
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.access import Action, is_allowed
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.errors import ChangesetNotFound
from electis_cli.services.bulk.views import Difference, difference_of
from electis_cli.services.change import Scope, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesetView:
    """One change: what it was, who did it when, and the change that took it back, if any did."""

    id: str
    noun: str
    counts: Mapping[str, int]
    actor: str
    at: datetime
    undone: bool
    action: str
    store: str | None
    file: str | None
    undoes: str | None
    undone_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesetDetails(ChangesetView):
    """A change with its rows, before and after."""

    file_sha256: str | None
    digest: str
    rows: list[Difference] = field(default_factory=list)


def list_history(
    scope: Scope,
    *,
    store: str | None = None,
    noun: Noun | None = None,
    days: int | None = None,
    limit: int | None = None,
) -> list[ChangesetView]:
    """Return the changes of a store, or of all stores the actor may see, newest first."""
    with reading(scope) as read:
        places = {place.id: place.code for place in read.stores(store)}
        since = scope.runtime.clock() - timedelta(days=days) if days is not None else None
        found = changesets.list_changesets(
            read.uow,
            store_ids=list(places),
            noun=noun.value if noun else None,
            without=None if is_allowed(scope.actor, Action.READ_USERS) else Noun.USER.value,
            since=since,
            limit=limit,
        )
        return [ChangesetView(**_values(one, places)) for one in found]


def show_history(scope: Scope, changeset_id: str, *, limit: int | None = None) -> ChangesetDetails:
    """Return one change with its rows, or the first `limit` of them. Raises ChangesetNotFound."""
    with reading(scope) as read:
        places = {place.id: place.code for place in read.stores(None)}
        found = changesets.find_changeset(read.uow, changeset_id)
        if found is None or not may_see(scope, found, places):
            raise ChangesetNotFound(f"There is no change {changeset_id}.")
        return ChangesetDetails(
            **_values(found, places),
            file_sha256=found.file_sha256,
            digest=found.digest,
            rows=list(_rows(read.uow, found.id, limit)),
        )


def may_see(scope: Scope, changeset: Changeset, store_ids: Container[str]) -> bool:
    """Tell whether somebody may see a change: of a store they see, and of users only if they may read those."""
    if changeset.store_id is not None and changeset.store_id not in store_ids:
        return False
    return changeset.noun != Noun.USER or is_allowed(scope.actor, Action.READ_USERS)


def _rows(uow: UnitOfWork, changeset_id: str, limit: int | None) -> Iterator[Difference]:
    return (difference_of(row) for row in changesets.rows_of(uow, changeset_id, limit=limit))


def _values(one: Changeset, places: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "noun": one.noun,
        "counts": dict(one.counts),
        "actor": one.actor_email,
        "at": one.at,
        "undone": one.undone_by is not None,
        "action": one.action,
        "store": places.get(one.store_id or ""),
        "file": one.file,
        "undoes": one.undoes,
        "undone_by": one.undone_by,
    }
