"""What is wrong with staged rows of spaces and people, in the words of the rules for single writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from electis_cli.db.staged import comparing
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain import people as seating
from electis_cli.domain import spaces as places
from electis_cli.domain.bulk.nouns import SPACE, Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.bulk.planning import Notes
from electis_cli.domain.errors import ArticleIdTaken, Problem, SpaceNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What staged rows ask for.

    With `deletes` they name what is to be deleted. `others_stand_up` unseats everybody who is not among them,
    `must_be_seated` refuses to move somebody who has no space. `unassign` lets people lose the space they sit in when
    that space is deleted. `has_key` is false when ids are made up, and then nothing can be there already.
    """

    noun: Noun
    mode: Mode = Mode.UPSERT
    deletes: bool = False
    others_stand_up: bool = False
    must_be_seated: bool = False
    unassign: bool = False
    has_key: bool = True

    @property
    def others_leave(self) -> bool:
        """Whether everybody who is not staged stands up or goes."""
        return self.others_stand_up or self.mode is Mode.REPLACE


def check_rows(uow: UnitOfWork, store_id: str, room_prefix: str, demand: Demand, notes: Notes) -> None:
    """Note what is wrong with staged rows."""
    for line, first, key in comparing.keys_twice(uow):
        notes.twice(line, first, key)
    if demand.mode is Mode.CREATE and demand.has_key:
        for line, key in comparing.known_keys(uow, demand.noun, store_id):
            notes.there_already(line, key)
    if demand.mode is Mode.UPDATE or demand.deletes:
        for line, key in comparing.unknown_keys(uow, demand.noun, store_id):
            notes.not_there(line, key)
    if demand.deletes:
        return
    if demand.noun is Noun.SPACE:
        for line, key, room in comparing.rooms_in_the_way(uow, store_id, room_prefix):
            taken = ArticleIdTaken(f"The space id {key} is the article id of conference room {room}.")
            notes.error(line, notes.key, taken)
    else:
        _check_seats(uow, store_id, demand, notes)


def _check_seats(uow: UnitOfWork, store_id: str, demand: Demand, notes: Notes) -> None:
    for line, space in comparing.spaces_missing(uow, store_id):
        notes.error(line, SPACE, SpaceNotFound(f"There is no space {space} in this store."))
    for line, first, space in comparing.spaces_twice(uow):
        notes.seated_twice(line, first, space)
    for line, space, occupant in comparing.spaces_taken(uow, store_id, others_leave=demand.others_leave):
        taken = seating.taken(space, occupant)
        notes.add(line, SPACE, taken.code, f"{taken.message} Person {occupant} sits there.", taken.fix)
    if demand.must_be_seated:
        for line, key, space in comparing.not_seated(uow, store_id):
            notes.error(line, notes.key, seating.has_no_space(key, space))


def plan_rows(uow: UnitOfWork, store_id: str, demand: Demand, problem: Callable[[Problem], None]) -> None:
    """Stage what the rows change. `problem` is told what stands against it that no line of a file is to blame for."""
    if not demand.deletes:
        comparing.plan_changes(uow, demand.noun, store_id)
    if demand.deletes or demand.mode is Mode.REPLACE:
        comparing.plan_deletions(uow, demand.noun, store_id, staged=demand.deletes)
    if demand.others_stand_up:
        comparing.plan_unseating(uow, store_id)
    if demand.noun is Noun.SPACE and demand.unassign:
        comparing.plan_unseating(uow, store_id, of_deleted=True)
    if demand.noun is Noun.SPACE:
        for place, space, person in comparing.occupied(uow, store_id):
            error = places.occupied_space(space)
            problem(
                Problem(
                    code=error.code,
                    message=f"{error.message} It is person {person}.",
                    line=place if demand.deletes else None,
                    field=space,
                    hint="add --unassign to let them lose it",
                )
            )
