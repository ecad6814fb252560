"""Importing a file: its header and its rows understood, then done like any bulk work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from electis_cli.adapters.tables.rejects import open_rejects
from electis_cli.adapters.tables.table import Table
from electis_cli.adapters.whole_file import check_writable
from electis_cli.db import conferences, labels, spaces, stores
from electis_cli.db.organizations import Organization
from electis_cli.db.staged import tables
from electis_cli.db.stores import Store
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.access import Action, require
from electis_cli.domain.bulk.cells import CellRow
from electis_cli.domain.bulk.changes import RowChange
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import ImportOptions
from electis_cli.domain.bulk.planning import Ground, plan_labels, plan_rooms
from electis_cli.domain.errors import Problem
from electis_cli.services.bulk.checking import Demand
from electis_cli.services.bulk.doing import STAGED, Progress, SavePlan, Work, Written, do_work, keep_quiet
from electis_cli.services.bulk.holding import bulk_work
from electis_cli.services.bulk.staging import Intake, open_intake, refuse_too_many
from electis_cli.services.bulk.views import BulkView
from electis_cli.services.change import Change, Scope, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file to be imported, and how.

    `only` names the fields that may be set, `verb` what it is called in history. `demand` is what its rows ask for when
    that is not what `options` say of an ordinary import. With `save_plan` the plan is handed over, not carried out.
    `rejects` is where rows that are wrong are written, whether the others are imported or not.
    """

    noun: Noun
    table: Table
    options: ImportOptions = field(default_factory=ImportOptions)
    store: str | None = None
    dry_run: bool = False
    progress: Progress = keep_quiet
    only: tuple[str, ...] | None = None
    verb: str = "imported"
    demand: Demand | None = None
    save_plan: SavePlan | None = None
    written: Written = field(default_factory=Written)
    rejects: Path | None = None


def import_file(scope: Scope, job: Import) -> BulkView:
    """Create and change rows of one store as a file says.

    People may exchange spaces within the file. Raises ImportRejected with every problem found, BrakeTripped when a
    replacing file would delete too much, LockHeld while another bulk change runs, ChangedMeanwhile.
    """
    job.options.check()
    if job.rejects is not None:
        check_writable(job.rejects)  # before anything is written: not to learn of it afterwards
    require(scope.actor, Action.CHANGE_FACTS)
    with reading(scope) as read:
        organization, place = read.organization(), read.store(job.store)
    intake = open_intake(job.table, job.noun, organization, job.options, job.progress, only=job.only)
    cells: list[CellRow] = []

    def load(uow: UnitOfWork) -> int:
        if job.noun in STAGED:
            tables.load_rows(uow, intake.staged(organization, scope.runtime.new_id()))
        else:
            cells.extend(intake.cells())
        return intake.read

    plan = None if job.noun in STAGED else _planner(cells, organization, place, job, intake)
    try:
        with bulk_work(scope, place) as bench:
            return do_work(scope, bench, organization, place, _work(job, intake, load, plan))
    finally:
        write_rejects(job, intake)


def write_rejects(job: Import, intake: Intake) -> None:
    """Write the rows that are wrong into the file that is asked for: the imported file is read once more.

    Without any it has its header alone, in place of what an earlier import left there.
    """
    if job.rejects is None:
        return
    found: dict[int, list[Problem]] = {}
    for problem in intake.findings.in_order():
        found.setdefault(problem.line or 0, []).append(problem)
    with open_rejects(job.rejects, job.table) as writer:
        for line, record in job.table.records() if found else ():
            if line in found:
                first = found[line][0]
                message = " ".join(problem.message for problem in found[line])
                writer.write(line, first.column, first.code, message, first.hint, record)


def _work(
    job: Import, intake: Intake, load: Callable[[UnitOfWork], int], plan: Callable[[Change], int] | None
) -> Work:
    return Work(
        source=job.table.name,
        sha256=job.table.sha256,
        verb=job.verb,
        demand=job.demand
        or Demand(
            noun=job.noun,
            mode=job.options.mode,
            unassign=job.options.unassign,
            has_key=intake.layout.has_key,
        ),
        notes=intake.notes,
        load=load,
        plan=plan,
        check=lambda: refuse_too_many(intake),
        skip_errors=job.options.skip_errors,
        batch=job.options.batch,
        max_deletes=job.options.max_deletes,
        dry_run=job.dry_run,
        progress=job.progress,
        save_plan=job.save_plan,
        written=job.written,
    )


def _planner(
    cells: Iterable[CellRow], organization: Organization, place: Store, job: Import, intake: Intake
) -> Callable[[Change], int]:
    """Return what plans the rows of a noun that is planned in memory, with the rows it is about locked."""

    def plan(change: Change) -> int:
        uow, prefix = change.uow, organization.room_prefix
        ground = Ground(store_id=place.id, room_prefix=prefix, new_id=change.new_id, mode=job.options.mode)
        ids = {space.external_id for space in spaces.list_spaces(uow, [place.id])}
        if job.noun is Noun.ROOM:
            current = conferences.lock_rooms(uow, place.id)
            planned = list(plan_rooms(cells, current, ids, ground, intake.notes))
        else:
            ids |= {prefix + room.external_id for room in conferences.list_rooms(uow, [place.id])}
            mine, elsewhere = _linked_labels(uow, place)
            planned = list(plan_labels(cells, mine, elsewhere, ids, ground, intake.notes))
        changes: list[RowChange] = [one for one in planned if one is not None]
        tables.load_changes(uow, changes)
        return len(planned) - len(changes)

    return plan


def _linked_labels(uow: UnitOfWork, place: Store) -> tuple[dict[str, str | None], dict[str, str]]:
    """Return the labels of a store and what they are to show, and the labels of other stores and those stores."""
    codes = {one.id: one.code for one in stores.list_stores(uow)}
    found = [
        wish for wish in labels.list_wishes(uow, list(codes)) if wish.desired_article or wish.wants_unlink
    ]
    mine = {wish.label_code: wish.desired_article for wish in found if wish.store_id == place.id}
    elsewhere = {wish.label_code: codes[wish.store_id] for wish in found if wish.store_id != place.id}
    return mine, elsewhere
