"""Taking a change back: its inverse, for every row that nobody changed since."""

from __future__ import annotations

from electis_cli.db import changesets
from electis_cli.db.changesets import Changeset
from electis_cli.db.staged import articles, comparing, tables
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action, require
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.errors import ChangesetNotFound, Conflict
from electis_cli.services.bulk.carrying_out import Deed, announce, carry_out
from electis_cli.services.bulk.doing import MOST_SHOWN
from electis_cli.services.bulk.history import may_see
from electis_cli.services.bulk.holding import bulk_work
from electis_cli.services.bulk.obstacles import find_obstacles
from electis_cli.services.bulk.user_import import undo_users
from electis_cli.services.bulk.views import UndoView, difference_of
from electis_cli.services.change import Change, Reading, Scope, changing_on, reading


def undo(scope: Scope, changeset_id: str, *, dry_run: bool = False) -> UndoView:
    """Take a change back: rows, seats and links as they were before it, as far as nobody changed them since.

    Raises ChangesetNotFound, Conflict for a change that was taken back already or can not be, LockHeld.
    """
    with reading(scope) as read:
        organization = read.organization()
        found = _find(read, changeset_id)
    if found.noun == Noun.USER:
        return undo_users(scope, found, dry_run=dry_run)
    require(scope.actor, Action.CHANGE_FACTS)
    with reading(scope) as read:
        place = _place_of(read, found)
    with bulk_work(scope, place) as bench:
        with bench.prepare() as uow:
            tables.create(uow)
            uow.commit()
        with changing_on(bench, scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
            # Locked and looked at again: of two that take it back at once, one finds it taken back.
            changeset = _find(change, changeset_id, lock=True)
            if changeset.undone_by is not None:
                raise Conflict(
                    f"Change {changeset.id} was taken back already.",
                    why=f"By change {changeset.undone_by}.",
                    fix=f"electis undo {changeset.undone_by}",
                )
            changesets.stage_inverse(change.uow, changeset.id)
            tables.take_stock(change.uow, "staged_changes")
            kept = find_obstacles(change, place, organization)
            created, updated, deleted = comparing.count_changes(change.uow)
            articles.find_touched(change.uow, organization.room_prefix)
            counts = {"created": created, "updated": updated, "deleted": deleted}
            is_change = created or updated or deleted
            if not is_change:
                raise Conflict(
                    f"Nothing of change {changeset.id} can be taken back.",
                    why="; ".join(f"{one.noun} {one.key}: {one.why}" for one in kept[:MOST_SHOWN]) + ".",
                    fix=f"electis history show {changeset.id}",
                )
            deed = Deed(
                changeset_id=change.new_id(),
                noun=Noun(changeset.noun),
                verb="undone",
                file=changeset.file,
                undoes=changeset.id,
            )
            view = UndoView(
                id=changeset.id,
                action=changeset.action,
                store=place.code,
                created=created,
                updated=updated,
                deleted=deleted,
                kept=len(kept),
                label_redraws=articles.count_redraws(change.uow, place.id),
                dry_run=dry_run,
                changeset=None if dry_run else deed.changeset_id,
                kept_rows=kept[:MOST_SHOWN],
                differences=[
                    difference_of(row) for row in tables.staged_changes(change.uow, limit=MOST_SHOWN)
                ],
            )
            if not dry_run:
                carry_out(change, place, deed, {**counts, "kept": len(kept)})
                announce(change, place, deed, {**counts, "kept": len(kept)})
                changesets.mark_undone(change.uow, changeset.id, deed.changeset_id)
                scope.runtime.reached("bulk:committing")
        scope.runtime.reached("bulk:committed")
    return view


def _find(read: Reading, changeset_id: str, *, lock: bool = False) -> Changeset:
    found = changesets.find_changeset(read.uow, changeset_id, lock=lock)
    visible = {place.id for place in read.stores(None)}
    if found is None or not may_see(read.scope, found, visible):
        raise ChangesetNotFound(f"There is no change {changeset_id}.")
    return found


def _place_of(read: Reading | Change, changeset: Changeset) -> Store:
    for place in read.stores(None):
        if place.id == changeset.store_id:
            return place
    raise Conflict(
        f"Change {changeset.id} is about {changeset.noun}s, which are no store's.",
        why="Only changes of spaces, people, conference rooms and labels can be taken back.",
        fix="electis user list",
    )
