"""One change of one organization's facts: its transaction, its audit row, its event and its ledger bumps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from electis_cli.db import changesets, ledger, stores, trail
from electis_cli.db.engine import Workbench
from electis_cli.db.organizations import Organization, own_organization
from electis_cli.db.stores import Store
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.access import Action, Actor, is_allowed, require
from electis_cli.domain.bulk.changes import RowChange
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.errors import StoreNotFound, UsageProblem
from electis_cli.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Who acts, in which organization, with which means; the first argument of every service."""

    runtime: Runtime
    actor: Actor
    org_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A permitted read of one organization."""

    uow: UnitOfWork
    scope: Scope

    def organization(self) -> Organization:
        """Return the organization."""
        return own_organization(self.uow)

    def stores(self, code: str | None) -> list[Store]:
        """Return the store with this code, or all that the actor may see. Raises StoreNotFound."""
        visible = [
            store
            for store in stores.list_stores(self.uow)
            if is_allowed(self.scope.actor, Action.READ, store_id=store.id)
        ]
        if code is None:
            return visible
        found = [store for store in visible if store.code == code]
        if not found:
            raise StoreNotFound(f"There is no store {code}.")
        return found

    def store(self, code: str | None) -> Store:
        """Return the one store that is meant. Raises StoreNotFound, and UsageProblem when it is not clear which."""
        found = self.stores(code)
        if len(found) == 1:
            return found[0]
        if not found:
            raise StoreNotFound("There is no store yet.", fix="electis store create CODE --name NAME")
        raise UsageProblem(
            "Say which store is meant.",
            why="The organization has several: " + ", ".join(store.code for store in found) + ".",
            fix="add --store CODE",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Reading):
    """A permitted write of one organization; everything recorded here commits or vanishes together.

    `noted` are the rows it changes, with which it can be taken back; `actions` what was recorded of it so far.
    """

    now: datetime
    noted: dict[tuple[Noun, str], RowChange] = field(default_factory=dict)
    actions: list[tuple[str, str | None]] = field(default_factory=list)

    def new_id(self) -> str:
        """Return a new id."""
        return self.scope.runtime.new_id()

    def audit(
        self,
        action: str,
        entity: str,
        entity_id: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        store_id: str | None = None,
    ) -> None:
        """Append an audit row."""
        self.actions.append((action, store_id))
        trail.insert_audit(
            self.uow,
            {
                "id": self.new_id(),
                "store_id": store_id,
                "action": action,
                "actor_id": self.scope.actor.user_id,
                "actor_email": self.scope.actor.email,
                "source": self.scope.actor.source,
                "entity": entity,
                "entity_id": entity_id,
                "before": dict(before) if before is not None else None,
                "after": dict(after) if after is not None else None,
                "at": self.now,
            },
        )

    def emit(self, name: str, payload: Mapping[str, Any], *, store_id: str | None = None) -> None:
        """Append an event for front ends."""
        trail.insert_event(
            self.uow,
            {
                "id": self.new_id(),
                "store_id": store_id,
                "name": name,
                "payload": dict(payload),
                "at": self.now,
            },
        )

    def record(
        self,
        action: str,
        entity: str,
        entity_id: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        store_id: str | None = None,
    ) -> None:
        """Append the audit row and the event of one change; the event tells what, the audit row also the values."""
        self.audit(action, entity, entity_id, before=before, after=after, store_id=store_id)
        self.emit(action, {"entity": entity, "id": entity_id}, store_id=store_id)

    def note(self, *rows: RowChange) -> None:
        """Remember what a row was before this change, so that the change can be taken back.

        A row that is changed in several steps, such as somebody who is created and then seated, is one row of it.
        """
        for row in rows:
            first = self.noted.get((row.noun, row.key))
            if first is not None:
                row = row._replace(before=first.before, space_before=first.space_before)  # noqa: PLW2901
            self.noted[row.noun, row.key] = row

    def save_changeset(self) -> None:
        """Write what was noted, if anything was, as a changeset named after the first thing that was recorded."""
        rows = [row for row in self.noted.values() if row.is_change]
        if not rows:
            return
        action, store_id = self.actions[0]
        changeset_id = self.new_id()
        counts = {
            "created": sum(row.before is None for row in rows),
            "updated": sum(row.before is not None and row.after is not None for row in rows),
            "deleted": sum(row.after is None for row in rows),
        }
        changesets.insert_changeset(
            self.uow,
            {
                "id": changeset_id,
                "store_id": store_id,
                "noun": rows[0].noun.value,
                "action": action,
                "counts": counts,
                "digest": changesets.digest_of(rows),
                **self.author(),
            },
        )
        changesets.insert_rows(self.uow, changeset_id, rows)

    def author(self) -> dict[str, Any]:
        """Return who makes this change, how and when, as the columns of a changeset."""
        actor = self.scope.actor
        return {
            "actor_id": actor.user_id,
            "actor_email": actor.email,
            "source": actor.source,
            "at": self.now,
        }

    def bump(self, store_id: str, article_ids: Iterable[str], *, deleted: Iterable[str] = ()) -> None:
        """Make articles dirty, in the order they must be pushed; `deleted` ones become tombstones, and come last."""
        gone = dict.fromkeys(deleted, True)
        changes = {article_id: False for article_id in article_ids if article_id not in gone}
        ledger.bump(self.uow, store_id, {**changes, **gone}, self.now)


@contextlib.contextmanager
def reading(scope: Scope, action: Action = Action.READ) -> Iterator[Reading]:
    """Open a read that the actor must be allowed to do. Raises PermissionRefused."""
    require(scope.actor, action)
    with scope.runtime.database.read(scope.org_id) as uow:
        yield Reading(uow=uow, scope=scope)


@contextlib.contextmanager
def changing(scope: Scope, action: Action, *, dry_run: bool = False) -> Iterator[Change]:
    """Open a change that the actor must be allowed to do; it commits unless an error is raised or `dry_run` is set.

    Raises PermissionRefused.
    """
    require(scope.actor, action)
    with scope.runtime.database.write(scope.org_id) as uow:
        change = Change(uow=uow, scope=scope, now=scope.runtime.clock())
        yield change
        if not dry_run:
            change.save_changeset()
            uow.commit()


@contextlib.contextmanager
def changing_on(bench: Workbench, scope: Scope, action: Action, *, dry_run: bool = False) -> Iterator[Change]:
    """Open a change like `changing`, on a connection that keeps its temporary tables; it writes its own changeset.

    Raises PermissionRefused.
    """
    require(scope.actor, action)
    with bench.write() as uow:
        yield Change(uow=uow, scope=scope, now=scope.runtime.clock())
        if not dry_run:
            uow.commit()
