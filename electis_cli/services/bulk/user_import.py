"""Importing users, and taking changes of users back: planned in memory, written in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from electis_cli.adapters.password_hashing import hash_password
from electis_cli.db import changesets, trail
from electis_cli.db import users as user_rows
from electis_cli.db.changesets import Changeset
from electis_cli.domain.access import Action
from electis_cli.domain.bulk.cells import CellRow
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import Mode, most_deletes
from electis_cli.domain.bulk.users import UserFacts, UserGround, UserPlan, UserStep, plan_undo, plan_users
from electis_cli.domain.errors import (
    BrakeTripped,
    ChangedMeanwhile,
    ChangesetNotFound,
    Conflict,
    UsageProblem,
)
from electis_cli.services.bulk.carrying_out import ENTITIES, Deed
from electis_cli.services.bulk.doing import MOST_SHOWN
from electis_cli.services.bulk.importing import Import, write_rejects
from electis_cli.services.bulk.staging import Intake, open_intake, refuse_too_many
from electis_cli.services.bulk.views import BulkView, Difference, Kept, UndoView, difference_of
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.mail import PASSWORD_MAILS, WELCOME
from electis_cli.services.users import (
    insert_facts,
    lock_users,
    mail_password,
    read_users,
    store_ids,
    write_facts,
)

_TRIES = 3
# A hash takes one core for 18 ms and 19 MiB; more threads than cores of a small machine would only take memory.
_HASHING = 4
_NO_STORE = ""  # users are the organization's


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryPassword:
    """A new user's password, to be told to them and changed at their first login; kept out of representations."""

    email: str
    temporary_password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserImportView(BulkView):
    """What an import of users did or would do; `deleted` counts those who were deactivated, `store` is empty.

    `temporary_passwords` are there only when no mail server is configured that would carry them.
    """

    temporary_passwords: list[TemporaryPassword] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class _Password:
    text: str = field(repr=False)
    hashed: str = field(repr=False)


def import_users(scope: Scope, job: Import) -> UserImportView:
    """Create and change the organization's users as a file says; a replacing file deactivates all others.

    New users get a temporary password each, by mail. Raises ImportRejected with every problem found, BrakeTripped when
    a replacing file would deactivate too many, UsageProblem, ChangedMeanwhile.
    """
    job.options.check()
    if job.save_plan is not None:
        raise UsageProblem(
            "A file of users can not be saved as a plan.",
            why="New users get passwords, which no plan may hold.",
            fix="look at it with --dry-run, then import the file",
        )
    if job.options.batch is not None:
        raise UsageProblem("A file of users is written at once.", fix="leave out --batch")
    with reading(scope, Action.CHANGE_USERS) as read:
        organization = read.organization()
    intake = open_intake(job.table, Noun.USER, organization, job.options, job.progress, only=job.only)
    try:
        return _UserImport(scope, job, intake, list(intake.cells())).run()
    finally:
        write_rejects(job, intake)


class _UserImport:
    def __init__(self, scope: Scope, job: Import, intake: Intake, rows: Sequence[CellRow]) -> None:
        self._scope, self._job, self._intake, self._rows = scope, job, intake, rows
        self._findings = intake.findings
        self._told = list(intake.findings.problems)
        self._passwords: dict[str, _Password] = {}

    def run(self) -> UserImportView:
        for attempt in range(1, _TRIES + 1):
            # Looked at without a lock first: only so it is known for whom the slow hashes are to be made.
            with reading(self._scope, Action.CHANGE_USERS) as read:
                read.stores(
                    self._job.store
                )  # users are no store's, but nobody is to name one that is not there
                ids = store_ids(read)
                plan, view = self._plan(read, read_users(read, ids), ids)
            if self._job.dry_run:
                return view
            _refuse_brake(view)
            if not plan.steps:
                return view
            self._make_passwords([facts.email for facts in plan.created])
            try:
                return self._write()
            except ChangedMeanwhile:
                if attempt == _TRIES:
                    raise
        raise AssertionError

    def _plan(
        self, read: Reading | Change, current: Mapping[str, UserFacts], ids: Mapping[str, str]
    ) -> tuple[UserPlan, UserImportView]:
        self._findings.forget(self._told)
        job = self._job
        ground = UserGround(
            stores=ids,
            is_taken=lambda email: user_rows.is_email_taken(read.uow, email),
            new_id=self._scope.runtime.new_id,
            mode=job.options.mode,
            acting=self._scope.actor.user_id,
        )
        job.progress("comparing", self._intake.read, self._intake.read)
        plan = plan_users(self._rows, current, ground, self._intake.notes)
        if plan.leaves_no_admin:
            self._findings.reject()
        if not job.options.skip_errors:
            self._findings.check()
        refuse_too_many(self._intake)
        return plan, self._view(plan, current)

    def _view(self, plan: UserPlan, current: Mapping[str, UserFacts]) -> UserImportView:
        brake = None
        if self._job.options.mode is Mode.REPLACE and plan.deactivated:
            active = sum(facts.is_active for facts in current.values())
            most = most_deletes(active, self._job.options.max_deletes)
            if plan.deactivated > most:
                brake = (
                    f"The file would deactivate {plan.deactivated} of {active} users; "
                    f"at most {most} go without being told."
                )
        return UserImportView(
            file=self._job.table.name,
            store=_NO_STORE,
            created=len(plan.created),
            updated=plan.updated,
            unchanged=plan.unchanged,
            deleted=plan.deactivated,
            rejected=len(self._findings.lines),
            label_redraws=0,
            dry_run=self._job.dry_run,
            changeset=None,
            brake=brake,
            differences=[_difference(step) for step in plan.steps[:MOST_SHOWN]],
            problems=list(self._findings.in_order()[:MOST_SHOWN]),
        )

    def _make_passwords(self, emails: Sequence[str]) -> None:
        """Make and hash the passwords of users who have none yet: outside of the transaction, on every core."""
        missing = [email for email in emails if email not in self._passwords]
        texts = [self._scope.runtime.new_password() for _ in missing]
        for done, (email, text, hashed) in enumerate(
            zip(missing, texts, _hashes(texts), strict=True), start=1
        ):
            self._passwords[email] = _Password(text, hashed)
            self._job.progress("making passwords", done, len(missing))

    def _write(self) -> UserImportView:
        reached = self._scope.runtime.reached
        with changing(self._scope, Action.CHANGE_USERS) as change:
            ids = store_ids(change)
            plan, view = self._plan(change, lock_users(change, ids), ids)
            _refuse_brake(view)
            if any(facts.email not in self._passwords for facts in plan.created):
                raise ChangedMeanwhile(
                    why="More users are new than a moment ago.", fix="run the command again"
                )
            if not plan.steps:
                return view
            self._job.progress("writing", 0, len(plan.steps))
            self._write_steps(change, plan.steps, ids)
            deed = Deed(
                changeset_id=change.new_id(),
                noun=Noun.USER,
                verb=self._job.verb,
                file=self._job.table.name,
                sha256=self._job.table.sha256,
            )
            counts = {
                "created": view.created,
                "updated": view.updated,
                "unchanged": view.unchanged,
                "deleted": view.deleted,
            }
            _record(change, deed, plan.steps, counts)
            reached("bulk:committing")
        reached("bulk:committed")
        self._job.progress("writing", len(plan.steps), len(plan.steps))
        return replace(view, changeset=deed.changeset_id, temporary_passwords=self._told_passwords(plan))

    def _write_steps(self, change: Change, steps: Sequence[UserStep], ids: Mapping[str, str]) -> None:
        organization = change.organization()
        for step in steps:
            if step.before is not None:
                write_facts(change, step.before, step.after, ids)
                continue
            password = self._passwords[step.after.email]
            insert_facts(change, step.after, ids, password.hashed)
            mail_password(change, organization, WELCOME, step.after.email, password.text)

    def _told_passwords(self, plan: UserPlan) -> list[TemporaryPassword]:
        if self._scope.runtime.tuning.mail_url:
            return []
        return [
            TemporaryPassword(email=facts.email, temporary_password=self._passwords[facts.email].text)
            for facts in plan.created
        ]


def undo_users(scope: Scope, changeset: Changeset, *, dry_run: bool = False) -> UndoView:
    """Take a change of users back, as far as nobody changed them since.

    Who was created is deactivated, not deleted, and the mail with their password is not sent any more; `deleted` counts
    those who are deactivated. Raises ChangesetNotFound, Conflict for a change that was taken back already or can not
    be, PermissionRefused.
    """
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        # Locked and looked at again: of two that take it back at once, one finds it taken back.
        found = _find_undoable(change, changeset.id)
        ids = store_ids(change)
        current = {facts.id: facts for facts in lock_users(change, ids).values()}
        rows = list(changesets.rows_of(change.uow, found.id))
        steps, left = plan_undo(rows, current, ids, scope.actor.user_id)
        kept = [Kept(noun=Noun.USER.value, key=email, why=why) for email, why in left]
        if not steps:
            raise Conflict(
                f"Nothing of change {found.id} can be taken back.",
                why="; ".join(f"{one.noun} {one.key}: {one.why}" for one in kept[:MOST_SHOWN]) + ".",
                fix=f"electis history show {found.id}",
            )
        deactivated = sum(step.deactivates for step in steps)
        deed = Deed(
            changeset_id=change.new_id(), noun=Noun.USER, verb="undone", file=found.file, undoes=found.id
        )
        counts = {"created": 0, "updated": len(steps) - deactivated, "deleted": deactivated}
        view = UndoView(
            id=found.id,
            action=found.action,
            store=_NO_STORE,
            **counts,
            kept=len(kept),
            label_redraws=0,
            dry_run=dry_run,
            changeset=None if dry_run else deed.changeset_id,
            kept_rows=kept[:MOST_SHOWN],
            differences=[_difference(step) for step in steps[:MOST_SHOWN]],
        )
        if not dry_run:
            created = {row.row_id for row in rows if row.before is None}
            for step in steps:
                assert step.before is not None
                write_facts(change, step.before, step.after, ids)
                if step.after.id in created:
                    trail.supersede_mail(change.uow, step.after.email, PASSWORD_MAILS)
            _record(change, deed, steps, {**counts, "kept": len(kept)})
            changesets.mark_undone(change.uow, found.id, deed.changeset_id)
    return view


def _find_undoable(change: Change, changeset_id: str) -> Changeset:
    found = changesets.find_changeset(change.uow, changeset_id, lock=True)
    if found is None:
        raise ChangesetNotFound(f"There is no change {changeset_id}.")
    if found.undone_by is not None:
        raise Conflict(
            f"Change {found.id} was taken back already.",
            why=f"By change {found.undone_by}.",
            fix=f"electis undo {found.undone_by}",
        )
    return found


def _record(change: Change, deed: Deed, steps: Sequence[UserStep], counts: Mapping[str, int]) -> None:
    """Write the changeset of steps, its one audit row and its one event: digests and counts, no emails."""
    rows = [step.row for step in steps]
    digest = changesets.digest_of(rows)
    changesets.insert_changeset(
        change.uow,
        {
            "id": deed.changeset_id,
            "store_id": None,
            "noun": deed.noun.value,
            "action": deed.action,
            "file": deed.file,
            "file_sha256": deed.sha256,
            "counts": dict(counts),
            "digest": digest,
            "undoes": deed.undoes,
            **change.author(),
        },
    )
    changesets.insert_rows(change.uow, deed.changeset_id, rows)
    about = {"file": deed.file, "sha256": deed.sha256, "undoes": deed.undoes}
    told = {name: value for name, value in about.items() if value}
    change.audit(deed.action, "changeset", deed.changeset_id, after={**told, "digest": digest, **counts})
    change.emit(deed.action, {"id": deed.changeset_id, "entity": ENTITIES[deed.noun], **counts})


def _hashes(texts: Sequence[str]) -> Iterator[str]:
    pool = ThreadPoolExecutor(_HASHING, thread_name_prefix="hashing")
    try:
        yield from pool.map(hash_password, texts)
    finally:
        # Who interrupts an import does not wait for the passwords that nobody gets.
        pool.shutdown(cancel_futures=True)


def _refuse_brake(view: UserImportView) -> None:
    if view.brake is not None:
        raise BrakeTripped(
            view.brake, fix=f"look at it with --dry-run, then add --max-deletes {view.deleted}"
        )


def _difference(step: UserStep) -> Difference:
    difference = difference_of(step.row)
    return replace(difference, change="deactivate") if step.deactivates else difference
