"""Conflicts: what two sides said, and a person's choice between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from electis_cli.db import ledger, runs
from electis_cli.domain.access import Action
from electis_cli.domain.articles import changed_columns, content_hash
from electis_cli.domain.errors import CannotTakeIn, NotFound
from electis_cli.domain.queue import LedgerRow, State, with_known
from electis_cli.services.adopting import adopt_columns
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.taking_in import remove_here, take_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column in which the sides differ; absent is `""`."""

    column: str
    base: str
    ours: str
    aims: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictView:
    """One conflict: what both sides agreed on before, what each says, and what was chosen."""

    id: str
    store: str
    article_id: str
    at: datetime
    open: bool
    why: str | None
    choice: str
    decided_at: datetime | None
    decided_by: str | None
    deleted_here: bool
    deleted_at_aims: bool
    fields: Sequence[Field]


def list_conflicts(
    scope: Scope, *, store: str | None = None, decided: bool = False, limit: int | None = None
) -> list[ConflictView]:
    """Return what waits for a person, newest first; `decided` lists what was chosen in the last 90 days as well."""
    with reading(scope) as read:
        places = {place.id: place.code for place in read.stores(store)}
        waiting = ledger.rows_in_states(read.uow, list(places), [State.CONFLICT, State.HELD])
        found: list[ConflictView] = []
        newest: set[tuple[str, str]] = set()
        for kept in runs.list_conflicts(read.uow, list(places)):
            place = (kept["store_id"], kept["article_id"])
            row = waiting.get(place) if place not in newest else None
            newest.add(place)
            if row is not None or decided:
                found.append(_view(kept, places[kept["store_id"]], row))
    return found[:limit] if limit is not None else found


def _view(kept: Mapping[str, Any], store: str, row: LedgerRow | None) -> ConflictView:
    base, ours, aims = kept["base"] or {}, kept["local"] or {}, kept["remote"] or {}
    columns = sorted({*changed_columns(ours, aims), *changed_columns(base, aims)})
    return ConflictView(
        id=kept["id"],
        store=store,
        article_id=kept["article_id"],
        at=kept["at"],
        open=row is not None,
        why=row.error_text if row is not None else None,
        choice=kept["choice"],
        decided_at=kept["decided_at"],
        decided_by=kept["decided_by"],
        deleted_here=kept["local"] is None,
        deleted_at_aims=kept["remote"] is None,
        fields=[
            Field(
                column=column, base=base.get(column, ""), ours=ours.get(column, ""), aims=aims.get(column, "")
            )
            for column in columns
        ],
    )


def resolve_conflict(
    scope: Scope,
    article_id: str,
    *,
    take_ours: bool,
    store: str | None = None,
    dry_run: bool = False,
) -> ConflictView:
    """Choose a side for an article that waits for a person; it goes back into the queue.

    What lost stays in the list of conflicts. If AIMS shows yet another value by now, the push finds that out before it
    writes. Raises NotFound, and CannotTakeIn when the database can not hold AIMS's side.
    """
    with changing(scope, Action.SYNC, dry_run=dry_run) as change:
        place = change.store(store)
        row = ledger.rows_by_id(change.uow, place.id, [article_id], lock=True).get(article_id)
        kept = runs.newest_conflict(change.uow, place.id, article_id)
        if row is None or row.state not in {State.CONFLICT, State.HELD} or kept is None:
            raise NotFound(
                f"The article {article_id} does not wait for a decision.",
                fix="electis sync conflicts",
            )
        is_deleted = kept["local"] is None
        if not take_ours:
            is_deleted = _take_aims_side(change, place.id, row, kept)
        # Seen and answered for: this value is what both sides start from now.
        remote = kept["remote"]
        ledger.update_rows(
            change.uow,
            place.id,
            [
                {
                    "article_id": article_id,
                    "base": remote,
                    "base_hash": content_hash(remote),
                    "known": with_known(row, [] if remote is None else [content_hash(remote)], change.now),
                    "echo": None,
                    "echo_rounds": 0,
                    "odd_hash": None,
                    "odd_since": None,
                    "missing_since": None,
                }
            ],
        )
        ledger.bump(change.uow, place.id, {article_id: is_deleted}, change.now)
        decision = {
            "choice": "database" if take_ours else "aims",
            "decided_at": change.now,
            "decided_by": scope.actor.email,
        }
        runs.decide_conflict(change.uow, kept["id"], decision)
        change.record(
            "sync:resolved",
            "article",
            article_id,
            after={"choice": decision["choice"]},
            store_id=place.id,
        )
        return _view({**kept, **decision}, place.code, None)


def _take_aims_side(change: Change, store_id: str, row: LedgerRow, kept: Mapping[str, Any]) -> bool:
    """Write AIMS's side into the database; True when the article is to be deleted."""
    organization, article_id = change.organization(), row.article_id
    local, remote = kept["local"], kept["remote"]
    if remote is None:
        done = remove_here(change, store_id, article_id)
    elif local is None:
        done = take_in(change, organization, store_id, article_id, remote)
    else:
        columns = {column: remote.get(column, "") for column in changed_columns(local, remote)}
        done = adopt_columns(change, organization, store_id, article_id, columns)
    if not done:
        raise CannotTakeIn(
            f"The database can not hold what AIMS shows for {article_id}.",
            why="A conference room is said here only, and nobody loses their seat because an article is gone.",
            fix=f"electis sync resolve {article_id} --ours",
        )
    return remote is None
