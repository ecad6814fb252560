"""People: create, list, show, update, delete, and where they sit (flow 2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from electis_cli.db import ledger, people, spaces
from electis_cli.db.stores import Store
from electis_cli.domain import people as seating
from electis_cli.domain.access import Action
from electis_cli.domain.articles import affected_by_person, check_external_id, merge_data
from electis_cli.domain.bulk.changes import person_change
from electis_cli.domain.errors import AlreadyExists, ChangedMeanwhile, Conflict, PersonNotFound
from electis_cli.domain.people import Assignment, Person
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.spaces import require_space
from electis_cli.services.standing import standings
from electis_cli.services.views import PersonView, view_person


def create_person(
    scope: Scope,
    external_id: str | None,
    *,
    data: Mapping[str, str],
    space: str | None = None,
    store: str | None = None,
    dry_run: bool = False,
) -> PersonView:
    """Create a person, with a made-up id when none is given, and seat them when a space is.

    Raises InvalidInput, AlreadyExists, SpaceNotFound, SpaceTaken.
    """
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        identifier = check_external_id(external_id or seating.made_up_id(change.new_id()), noun="person")
        if people.find_person(change.uow, place.id, identifier) is not None:
            raise AlreadyExists(
                f"Person {identifier} exists already.",
                fix=f"electis people update {identifier} --set COLUMN=VALUE",
            )
        person = Person(
            id=change.new_id(),
            store_id=place.id,
            external_id=identifier,
            data=merge_data({}, data, change.organization().article_format),
        )
        people.insert_people(change.uow, [person], change.now)
        change.record("person:created", "person", identifier, after=_facts(person), store_id=place.id)
        change.note(person_change(None, person))
        if space is not None:
            person = _seat(change, place, person, space, moving=False)
        return _views(change, place, [person])[0]


def list_people(scope: Scope, *, store: str | None = None, limit: int | None = None) -> list[PersonView]:
    """Return the people of a store, or of all stores the actor may see."""
    with reading(scope) as read:
        places = read.stores(store)
        found = people.list_people(read.uow, [place.id for place in places], limit=limit)
        return [
            view
            for place in places
            for view in _views(read, place, [person for person in found if person.store_id == place.id])
        ]


def show_person(scope: Scope, external_id: str, *, store: str | None = None) -> PersonView:
    """Return one person. Raises PersonNotFound."""
    with reading(scope) as read:
        for place in read.stores(store):
            person = people.find_person(read.uow, place.id, external_id)
            if person is not None:
                return _views(read, place, [person])[0]
        raise PersonNotFound(f"There is no person {external_id}.")


def update_person(
    scope: Scope,
    external_id: str,
    *,
    data: Mapping[str, str],
    store: str | None = None,
    dry_run: bool = False,
) -> PersonView:
    """Change columns of a person; an empty value clears one. Raises PersonNotFound, InvalidInput."""
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        person = _require(change, place, external_id)
        changed = replace(person, data=merge_data(person.data, data, change.organization().article_format))
        if changed.data != person.data:
            _save(change, changed)
            change.bump(place.id, sorted(affected_by_person(person, changed)))
            change.record(
                "person:updated",
                "person",
                person.external_id,
                before=_facts(person),
                after=_facts(changed),
                store_id=place.id,
            )
            change.note(person_change(person, changed))
            changed = replace(changed, version=person.version + 1)
        return _views(change, place, [changed])[0]


def delete_person(
    scope: Scope, external_id: str, *, store: str | None = None, dry_run: bool = False
) -> PersonView:
    """Delete a person; the space they sat in is rendered without them. Raises PersonNotFound."""
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        person = _require(change, place, external_id)
        view = _views(change, place, [person])[0]
        if not people.delete_person(change.uow, person):
            raise ChangedMeanwhile
        change.bump(place.id, sorted(affected_by_person(person, None)))
        ledger.forget_observations(change.uow, place.id, affected_by_person(person, None))
        change.record(
            "person:deleted", "person", person.external_id, before=_facts(person), store_id=place.id
        )
        change.note(person_change(person, None))
        return view


def assign_person(
    scope: Scope,
    external_id: str,
    space: str,
    *,
    moving: bool = False,
    store: str | None = None,
    dry_run: bool = False,
) -> PersonView:
    """Seat a person in a space, out of the one they have; `moving` demands that they have one.

    Raises PersonNotFound, SpaceNotFound, SpaceTaken (nothing changes), PersonNotAssigned, Conflict across stores.
    """
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = _place_of(change, external_id, space, store)
        person = _require(change, place, external_id)
        return _views(change, place, [_seat(change, place, person, space, moving=moving)])[0]


def unassign_person(
    scope: Scope, external_id: str, *, store: str | None = None, dry_run: bool = False
) -> PersonView:
    """Take a person out of their space; nothing happens when they have none. Raises PersonNotFound."""
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        person = _require(change, place, external_id)
        assignment = seating.unassign(person)
        if assignment.is_change:
            person = _apply(change, place, assignment)
        return _views(change, place, [person])[0]


def _place_of(change: Change, person: str, space: str, store: str | None) -> Store:
    """Return the store of an assignment; person and space in two different stores are told apart from missing ones."""
    places = change.stores(store)
    if store is None and len(places) > 1:
        with_person = [place for place in places if people.find_person(change.uow, place.id, person)]
        with_space = [place for place in places if spaces.find_space(change.uow, place.id, space)]
        if len(with_person) == 1 and len(with_space) == 1 and with_person != with_space:
            raise Conflict(
                f"Person {person} belongs to store {with_person[0].code}, space {space} to store {with_space[0].code}.",
                why="A person is seated within the store they belong to.",
            )
        if len(with_person) == 1:
            return with_person[0]
    return change.store(store)


def _require(change: Change, place: Store, external_id: str) -> Person:
    person = people.find_person(change.uow, place.id, external_id, lock=True)
    if person is None:
        raise PersonNotFound(f"There is no person {external_id} in store {place.code}.")
    return person


def _save(change: Change, person: Person) -> None:
    if not people.save_person(change.uow, person, change.now):
        raise ChangedMeanwhile


def _seat(change: Change, place: Store, person: Person, space_id: str, *, moving: bool) -> Person:
    # The space's row is locked before looking who sits there: of two assignments at once, one sees the other.
    space = require_space(change, place.id, space_id, lock=True)
    occupant = people.occupants(change.uow, place.id, [space_id]).get(space_id)
    assignment = seating.assign(person, space, occupant=occupant, moving=moving)
    return _apply(change, place, assignment) if assignment.is_change else person


def _apply(change: Change, place: Store, assignment: Assignment) -> Person:
    _save(change, assignment.after)
    change.bump(place.id, assignment.touched)
    ledger.forget_observations(change.uow, place.id, assignment.touched)
    person = assignment.after
    before, after = {"space": assignment.before.assigned_space}, {"space": person.assigned_space}
    action = "person:assigned" if person.assigned_space else "person:unassigned"
    change.audit(action, "person", person.external_id, before=before, after=after, store_id=place.id)
    change.note(person_change(assignment.before, assignment.after))
    change.emit(
        action,
        {
            "id": person.external_id,
            "space": person.assigned_space,
            "previous_space": assignment.before.assigned_space,
        },
        store_id=place.id,
    )
    return replace(person, version=person.version + 1)


def _facts(person: Person) -> dict[str, object]:
    return {
        "external_id": person.external_id,
        "data": dict(person.data),
        "space": person.assigned_space,
        "version": person.version,
    }


def _views(read: Reading, place: Store, found: Sequence[Person]) -> list[PersonView]:
    standing = standings(
        read.uow, place.id, [person.assigned_space for person in found if person.assigned_space]
    )
    return [
        view_person(
            person,
            store=place.code,
            status=standing[person.assigned_space].status if person.assigned_space else None,
        )
        for person in found
    ]
