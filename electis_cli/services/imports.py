"""Imports of spaces, people and conference rooms: the whole file or nothing, and the one executor of plans."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from electis_cli.db import conferences, labels, ledger, people, spaces
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.conference import Room
from electis_cli.domain.errors import ChangedMeanwhile
from electis_cli.domain.imports import Findings, Noun, Table, read_table
from electis_cli.domain.people import Person
from electis_cli.domain.planning import Ground, plan_people, plan_rooms, plan_spaces
from electis_cli.domain.plans import Fact, Plan
from electis_cli.domain.spaces import Space
from electis_cli.services.change import Change, Scope, changing

Kind = TypeVar("Kind", Space, Person, Room)
Progress = Callable[[str, int, int], None]
"""Told which step an import is in, how many rows are done and how many there are."""

_PIECE = 2000
_ENTITY = {Noun.SPACE: "space", Noun.PERSON: "person", Noun.ROOM: "conference"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """What an import did, or with `dry_run` would do."""

    file: str
    store: str
    created: int
    updated: int
    unchanged: int
    deleted: int
    rejected: int
    dry_run: bool


def import_spaces(
    scope: Scope,
    content: bytes,
    *,
    source: str,
    store: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportView:
    """Create and change the spaces of one store as a CSV file says, all or nothing.

    `source` names the file in messages. Raises ImportRejected with every problem found.
    """
    return _import(Noun.SPACE, scope, _Source(content, source, progress), store, dry_run=dry_run)


def import_people(
    scope: Scope,
    content: bytes,
    *,
    source: str,
    store: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportView:
    """Create and change the people of one store, and seat them, as a CSV file says, all or nothing.

    People may exchange spaces within the file. Raises ImportRejected with every problem found.
    """
    return _import(Noun.PERSON, scope, _Source(content, source, progress), store, dry_run=dry_run)


def import_rooms(
    scope: Scope,
    content: bytes,
    *,
    source: str,
    store: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportView:
    """Create and change the conference rooms of one store as a CSV file says, all or nothing.

    Raises ImportRejected with every problem found.
    """
    return _import(Noun.ROOM, scope, _Source(content, source, progress), store, dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class _Source:
    content: bytes
    name: str
    progress: Progress | None

    def tell(self, step: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(step, done, total)


def _import(noun: Noun, scope: Scope, file: _Source, store: str | None, *, dry_run: bool) -> ImportView:
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place, findings = change.store(store), Findings(file.name)
        table = read_table(file.content, noun, change.organization().article_format, findings)
        file.tell("checking", 0, len(table.rows))
        plan = _plan(change, place, table, findings)
        findings.check()
        file.tell("checking", len(table.rows), len(table.rows))
        if plan.changes and not dry_run:
            _execute(change, plan, file)
            _record(change, place, plan, noun, file)
            scope.runtime.reached("import:committing")
    scope.runtime.reached("import:committed")
    return ImportView(
        file=file.name,
        store=place.code,
        created=len(plan.created),
        updated=len(plan.updated),
        unchanged=plan.unchanged,
        deleted=0,
        rejected=0,
        dry_run=dry_run,
    )


def _plan(change: Change, place: Store, table: Table, findings: Findings) -> Plan:
    """Return the plan of a file, made while the rows it is about are locked."""
    organization, uow = change.organization(), change.uow
    ground = Ground(
        store_id=place.id,
        article_format=organization.article_format,
        room_prefix=organization.room_prefix,
        new_id=change.new_id,
    )
    if table.noun is Noun.SPACE:
        rooms = {room.external_id for room in conferences.list_rooms(uow, [place.id])}
        return plan_spaces(table, spaces.lock_spaces(uow, place.id), rooms, ground, findings)
    if table.noun is Noun.PERSON:
        # People before spaces, as `assign_person` locks them.
        current = people.lock_people(uow, place.id)
        return plan_people(table, current, spaces.lock_spaces(uow, place.id), ground, findings)
    found = spaces.list_spaces(uow, [place.id])
    taken = {space.external_id for space in found}
    return plan_rooms(table, conferences.lock_rooms(uow, place.id), taken, ground, findings)


def _execute(change: Change, plan: Plan, file: _Source) -> None:
    """Write everything a plan says, in few statements, with one bump of every article it touches.

    Raises ChangedMeanwhile when a row is no longer what the plan was made from.
    """
    uow, now = change.uow, change.now
    total, done = len(plan.changes), 0

    def write(rows: Sequence[Kind], save: Callable[[Sequence[Kind]], bool | None]) -> None:
        nonlocal done
        for start in range(0, len(rows), _PIECE):
            piece = rows[start : start + _PIECE]
            if save(piece) is False:
                raise ChangedMeanwhile
            done += len(piece)
            file.tell("writing", done, total)

    # Spaces come before the people who sit in them; whoever moves stands up before anybody sits down.
    write(_only(Space, plan.created), lambda rows: spaces.insert_spaces(uow, rows, now))
    write(_only(Space, plan.updated), lambda rows: spaces.save_spaces(uow, rows, now))
    people.vacate(uow, plan.store_id, [person.id for person in plan.moved_people])
    write(_only(Person, plan.updated), lambda rows: people.save_people(uow, rows, now))
    write(_only(Person, plan.created), lambda rows: people.insert_people(uow, rows, now))
    write(_only(Room, plan.created), lambda rows: conferences.insert_rooms(uow, rows, now))
    write(_only(Room, plan.updated), lambda rows: conferences.save_rooms(uow, rows, now))
    change.bump(plan.store_id, plan.articles)
    # Noted remote values belonged to whoever sat there before; looking once more costs only a settle window.
    ledger.forget_observations(change.uow, plan.store_id, plan.articles)
    labels.wish_pages(uow, plan.store_id, plan.pages, now)


def _only(kind: type[Kind], facts: Iterable[Fact]) -> list[Kind]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _record(change: Change, place: Store, plan: Plan, noun: Noun, file: _Source) -> None:
    """Write the one audit row and event of an import: the file's digest and counts, no names."""
    entity, counts = _ENTITY[noun], {"created": len(plan.created), "updated": len(plan.updated)}
    counts["unchanged"] = plan.unchanged
    import_id = change.new_id()
    change.audit(
        f"{entity}:imported",
        "import",
        import_id,
        after={"file": file.name, "sha256": hashlib.sha256(file.content).hexdigest(), **counts},
        store_id=place.id,
    )
    change.emit(f"{entity}:imported", {"id": import_id, "entity": entity, **counts}, store_id=place.id)
