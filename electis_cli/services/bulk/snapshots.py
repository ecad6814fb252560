"""Saved arrangements: who sits where in a store, kept under a name, compared and brought back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from electis_cli.db import snapshots
from electis_cli.db.snapshots import Snapshot
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.articles import clean_text
from electis_cli.domain.errors import AlreadyExists, InvalidInput, SnapshotNotFound
from electis_cli.services.bulk.seating import Seats, seat_people
from electis_cli.services.bulk.views import BulkView
from electis_cli.services.change import Reading, Scope, changing, reading

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotView:
    """A saved arrangement: how many people sat in a space, and who saved it when."""

    name: str
    store: str
    seats: int
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatDifference:
    """Somebody who sits elsewhere than in the snapshot; None is no space."""

    person: str
    snapshot: str | None
    now: str | None


def save_snapshot(
    scope: Scope, name: str, *, store: str | None = None, replace: bool = False, dry_run: bool = False
) -> SnapshotView:
    """Keep who sits where under a name. Raises AlreadyExists unless `replace` is set, InvalidInput."""
    cleaned = clean_text(name)
    if not cleaned or len(cleaned) > _LONGEST_NAME or not cleaned.isprintable():
        raise InvalidInput(f"{name!r} is no name.", why=f"It has 1 to {_LONGEST_NAME} visible characters.")
    with changing(scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
        place = change.store(store)
        if not replace and snapshots.find_snapshot(change.uow, place.id, cleaned) is not None:
            raise AlreadyExists(f"Snapshot {cleaned} exists already.", fix="add --replace")
        snapshot = Snapshot(
            name=cleaned,
            store_id=place.id,
            seats=snapshots.seats_of(change.uow, place.id),
            created_by=scope.actor.email,
            created_at=change.now,
        )
        snapshots.save_snapshot(change.uow, snapshot)
        change.record(
            "snapshot:saved", "snapshot", cleaned, after={"seats": len(snapshot.seats)}, store_id=place.id
        )
        return _view(snapshot, place)


def list_snapshots(scope: Scope, *, store: str | None = None) -> list[SnapshotView]:
    """Return the snapshots of a store, or of all stores the actor may see, newest first."""
    with reading(scope) as read:
        places = {place.id: place for place in read.stores(store)}
        found = snapshots.list_snapshots(read.uow, list(places))
        return [_view(snapshot, places[snapshot.store_id]) for snapshot in found]


def diff_snapshot(scope: Scope, name: str, *, store: str | None = None) -> list[SeatDifference]:
    """Return who sits elsewhere than in a snapshot. Raises SnapshotNotFound."""
    with reading(scope) as read:
        place = read.store(store)
        then = dict(_require(read, place, name))
        now = dict(snapshots.seats_of(read.uow, place.id))
        return [
            SeatDifference(person=person, snapshot=then.get(person), now=now.get(person))
            for person in sorted({*then, *now})
            if then.get(person) != now.get(person)
        ]


def restore_snapshot(scope: Scope, name: str, *, store: str | None = None, dry_run: bool = False) -> BulkView:
    """Seat everybody as in a snapshot; who is not in it gives up their space.

    People and spaces that are gone since are left out and told. Raises SnapshotNotFound.
    """
    return seat_people(
        scope,
        lambda read, place: _require(read, place, name),
        store=store,
        dry_run=dry_run,
        verb="restored",
        source=clean_text(name),
        others_stand_up=True,
        skip_errors=True,
    )


def _require(read: Reading, place: Store, name: str) -> Seats:
    found = snapshots.find_snapshot(read.uow, place.id, clean_text(name))
    if found is None:
        raise SnapshotNotFound(f"There is no snapshot {name} of store {place.code}.")
    return [(person, space) for person, space in found.seats]


def _view(snapshot: Snapshot, place: Store) -> SnapshotView:
    return SnapshotView(
        name=snapshot.name,
        store=place.code,
        seats=len(snapshot.seats),
        created_by=snapshot.created_by,
        created_at=snapshot.created_at,
    )
