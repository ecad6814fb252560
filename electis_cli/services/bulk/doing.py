"""From staged rows to written changes: planned, braked, shown, and carried out at once or batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from electis_cli.db.engine import Workbench
from electis_cli.db.organizations import Organization
from electis_cli.db.staged import articles, comparing, tables
from electis_cli.db.stores import Store
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.access import Action
from electis_cli.domain.bulk.changes import RowChange
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import Mode, brake_on_deletes
from electis_cli.domain.bulk.planning import Notes
from electis_cli.domain.errors import BrakeTripped, ChangedMeanwhile
from electis_cli.services.bulk.carrying_out import Deed, announce, carry_out
from electis_cli.services.bulk.checking import Demand, check_rows, plan_rows
from electis_cli.services.bulk.views import BulkView, difference_of
from electis_cli.services.change import Change, Scope, changing_on

MOST_SHOWN = 20
_TRIES = 3
STAGED = (Noun.SPACE, Noun.PERSON)
"""The nouns whose rows are compared inside the database; the others are few, and planned in memory."""

Progress = Callable[[str, int, int | None], None]
"""Told which step a bulk change is in, how many rows are done, and how many there are (None: nobody knows)."""

SavePlan = Callable[[Change, Store, Iterator[RowChange]], None]
"""Told the whole plan instead of carrying it out."""


def keep_quiet(step: str, done: int, total: int | None) -> None:
    """Tell nobody."""


def allow_all() -> None:
    """Find nothing to object to."""


@dataclass(slots=True)
class Written:
    """What is safely written so far, for whoever has to say so when the rest was interrupted."""

    batches: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One piece of bulk work: where its rows come from, what they ask for, and how it is to be done.

    `load` stages rows and returns how many were read; with `plan` changes are planned in memory instead, and it returns
    how many rows change nothing. `check` may object, once everything wrong is known. `source` and `sha256` tell what
    rows come from, `verb` what it is called in history. With `save_plan` the plan is handed over, not carried out.
    """

    source: str | None
    verb: str
    demand: Demand
    notes: Notes
    load: Callable[[UnitOfWork], int]
    plan: Callable[[Change], int] | None = None
    check: Callable[[], None] = allow_all
    sha256: str | None = None
    skip_errors: bool = False
    batch: int | None = None
    max_deletes: int | None = None
    dry_run: bool = False
    progress: Progress = keep_quiet
    save_plan: SavePlan | None = None
    written: Written = field(default_factory=Written)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    created: int
    updated: int
    unchanged: int
    deleted: int
    redraws: int
    brake: str | None

    @property
    def changes(self) -> int:
        return self.created + self.updated + self.deleted

    def as_mapping(self) -> dict[str, int]:
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "deleted": self.deleted,
        }


def do_work(scope: Scope, bench: Workbench, organization: Organization, place: Store, work: Work) -> BulkView:
    """Do a piece of bulk work in one store and return what it did.

    Raises ImportRejected with every problem found, BrakeTripped when a file that is the whole truth would delete too
    much, ChangedMeanwhile.
    """
    return _Doer(scope, bench, organization, place, work).run()


class _Doer:
    def __init__(
        self, scope: Scope, bench: Workbench, organization: Organization, place: Store, work: Work
    ) -> None:
        self._scope, self._bench, self._organization, self._place = scope, bench, organization, place
        self._work, self._findings = work, work.notes.findings
        self._read = 0

    def run(self) -> BulkView:
        with self._bench.prepare() as uow:
            tables.create(uow)
            self._read = self._work.load(uow)
            uow.commit()
        told = list(self._findings.problems)
        for attempt in range(1, _TRIES + 1):
            try:
                return self._plan_and_write()
            except ChangedMeanwhile:
                # Somebody edited one of the rows between our look and our lock: look again.
                if attempt == _TRIES or self._work.written.batches:
                    raise
                self._findings.forget(told)
        raise AssertionError

    @property
    def _keeps(self) -> bool:
        """Whether everything stays as it is."""
        return self._work.dry_run or self._work.save_plan is not None

    def _plan_and_write(self) -> BulkView:
        work, batches = self._work, 1
        with changing_on(self._bench, self._scope, Action.CHANGE_FACTS, dry_run=self._keeps) as change:
            work.progress("comparing", self._read, self._read)
            unchanged = self._plan(change)
            work.check()
            if work.batch is not None:
                batches = comparing.divide(change.uow, work.batch)
            counts = self._count(change, unchanged)
            view = self._view(change, counts)
            if work.save_plan is not None:
                work.save_plan(change, self._place, tables.staged_changes(change.uow))
            if self._keeps:
                return view
            if counts.brake is not None:
                raise BrakeTripped(
                    counts.brake, fix=f"look at it with --dry-run, then add --max-deletes {counts.deleted}"
                )
            if not counts.changes:
                return view
            deed = self._deed(change)
            work.progress("writing", 0, counts.changes)
            if batches == 1:
                carry_out(change, self._place, deed, counts.as_mapping())
                announce(change, self._place, deed, counts.as_mapping())
                self._scope.runtime.reached("bulk:committing")
        if batches == 1:
            self._scope.runtime.reached("bulk:committed")
            work.progress("writing", counts.changes, counts.changes)
        else:
            self._write_batches(deed, counts, batches)
        return replace(view, changeset=deed.changeset_id)

    def _plan(self, change: Change) -> int:
        """Stage the changes and return how many good rows change nothing."""
        uow, work = change.uow, self._work
        if work.plan is not None:
            tables.clear_changes(uow)
            unchanged = work.plan(change)
            if not work.skip_errors:
                self._findings.check()
            return unchanged
        while True:
            tables.clear_changes(uow)
            noted = len(self._findings.problems)
            check_rows(uow, self._place.id, self._organization.room_prefix, work.demand, work.notes)
            plan_rows(uow, self._place.id, work.demand, self._findings.add)
            wrong = self._findings.problems[noted:]
            if not work.skip_errors:
                self._findings.check()
            if not wrong:
                return comparing.count_unchanged(uow, work.demand.noun)
            # Without these rows others may be wrong: who was to leave a space stays.
            comparing.drop_lines(uow, [problem.line for problem in wrong if problem.line is not None])

    def _count(self, change: Change, unchanged: int) -> _Counts:
        uow, demand = change.uow, self._work.demand
        created, updated, deleted = comparing.count_changes(uow)
        articles.find_touched(uow, self._organization.room_prefix)
        brake = None
        if demand.mode is Mode.REPLACE and deleted:
            present = comparing.count_present(uow, demand.noun, self._place.id)
            brake = brake_on_deletes(deleted, present, self._work.max_deletes)
            brake = f"The file {brake}" if brake is not None else None
        return _Counts(
            created=created,
            updated=updated,
            unchanged=unchanged,
            deleted=deleted,
            redraws=articles.count_redraws(uow, self._place.id),
            brake=brake,
        )

    def _deed(self, change: Change) -> Deed:
        return Deed(
            changeset_id=change.new_id(),
            noun=self._work.demand.noun,
            verb=self._work.verb,
            file=self._work.source,
            sha256=self._work.sha256,
        )

    def _write_batches(self, deed: Deed, counts: _Counts, batches: int) -> None:
        written = self._work.written
        for batch in range(batches):
            with changing_on(self._bench, self._scope, Action.CHANGE_FACTS) as change:
                rows = comparing.size_of_batch(change.uow, batch)
                if not rows:
                    continue
                # History tells what is written by now, also when there comes no more.
                created, updated, deleted = comparing.count_changes(change.uow, up_to=batch)
                so_far = replace(counts, created=created, updated=updated, deleted=deleted)
                carry_out(change, self._place, deed, so_far.as_mapping(), batch=batch)
                announce(change, self._place, deed, {"batch": batch + 1, "rows": rows})
                self._scope.runtime.reached("bulk:committing")
            self._scope.runtime.reached("bulk:committed")
            written.batches += 1
            written.rows += rows
            self._work.progress("writing", written.rows, counts.changes)

    def _view(self, change: Change, counts: _Counts) -> BulkView:
        return BulkView(
            file=self._work.source,
            store=self._place.code,
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            deleted=counts.deleted,
            rejected=len(self._findings.lines),
            label_redraws=counts.redraws,
            dry_run=self._keeps,
            changeset=None,
            brake=counts.brake,
            differences=[difference_of(one) for one in tables.staged_changes(change.uow, limit=MOST_SHOWN)],
            problems=list(self._findings.in_order()[:MOST_SHOWN]),
        )
