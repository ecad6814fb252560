"""Where many people sit, changed at once: everybody up, two who exchange their spaces, lists of ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from electis_cli.db import people
from electis_cli.db.staged import tables
from electis_cli.db.stores import Store
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain import people as seating
from electis_cli.domain.access import Action, require
from electis_cli.domain.bulk.nouns import KEY, Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.bulk.planning import Notes
from electis_cli.domain.bulk.problems import Findings
from electis_cli.domain.errors import PersonNotFound, UsageProblem
from electis_cli.services.bulk.checking import Demand
from electis_cli.services.bulk.doing import Work, do_work
from electis_cli.services.bulk.holding import bulk_work
from electis_cli.services.bulk.staging import following_ids
from electis_cli.services.bulk.views import BulkView
from electis_cli.services.change import Reading, Scope, reading

Seats = Iterable[tuple[str, str]]
"""People and the spaces they are to sit in; an empty one is none."""


def unassign_everybody(scope: Scope, *, store: str | None = None, dry_run: bool = False) -> BulkView:
    """Take everybody of a store out of their spaces."""
    return seat_people(
        scope,
        lambda _read, _place: [],
        store=store,
        dry_run=dry_run,
        verb="unassigned",
        source="everybody",
        others_stand_up=True,
    )


def swap_people(
    scope: Scope, one: str, other: str, *, store: str | None = None, dry_run: bool = False
) -> BulkView:
    """Let two people exchange their spaces, in one transaction and so in one push.

    Raises PersonNotFound, PersonNotAssigned when one of them has none, UsageProblem for one person twice.
    """
    if one == other:
        raise UsageProblem("One person can not swap with themselves.", fix="electis people swap A B")

    def exchanged(read: Reading, place: Store) -> Seats:
        seats = []
        for key in (one, other):
            person = people.find_person(read.uow, place.id, key)
            if person is None:
                raise PersonNotFound(f"There is no person {key} in store {place.code}.")
            if person.assigned_space is None:
                raise seating.has_no_space(key, "SPACE")
            seats.append(person.assigned_space)
        return [(one, seats[1]), (other, seats[0])]

    return seat_people(scope, exchanged, store=store, dry_run=dry_run, verb="swapped", source=None)


def seat_people(
    scope: Scope,
    choose: Callable[[Reading, Store], Seats],
    *,
    verb: str,
    source: str | None,
    store: str | None = None,
    dry_run: bool = False,
    others_stand_up: bool = False,
    skip_errors: bool = False,
) -> BulkView:
    """Seat people as `choose` says, all at once; with `others_stand_up` everybody else gives up their space.

    With `skip_errors` who can not be seated is left out and told, else nothing is done. Raises ImportRejected.
    """
    require(scope.actor, Action.CHANGE_FACTS)
    with reading(scope) as read:
        organization, place = read.organization(), read.store(store)
        seats = list(choose(read, place))
    findings = Findings(source or "The change", most=None)

    def load(uow: UnitOfWork) -> int:
        ids = following_ids(scope.runtime.new_id())
        rows = ((line, key, next(ids), "{}", space) for line, (key, space) in enumerate(seats, start=1))
        return tables.load_rows(uow, rows)

    work = Work(
        source=source,
        verb=verb,
        demand=Demand(noun=Noun.PERSON, mode=Mode.UPDATE, others_stand_up=others_stand_up),
        notes=Notes(noun=Noun.PERSON, key=KEY, places={}, findings=findings),
        load=load,
        skip_errors=skip_errors,
        dry_run=dry_run,
    )
    with bulk_work(scope, place) as bench:
        return do_work(scope, bench, organization, place, work)
