"""Taking one-shot commands back; nothing else in the queue can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from electis_cli.db import commands, labels, ledger
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.commands import Command, CommandState, state_at
from electis_cli.domain.errors import Conflict, NotFound
from electis_cli.services.change import Change, Scope, changing
from electis_cli.services.dead_letters import label_code_or_same
from electis_cli.services.push.commands import end_command


def cancel_commands(
    scope: Scope, ids: Sequence[str] | None, *, store: str | None = None, dry_run: bool = False
) -> int:
    """Take commands back that have not been sent (None: all of one store) and return how many.

    Raises NotFound, UsageProblem (which store?), and Conflict for what can not be taken back: then nothing is.
    """
    with changing(scope, Action.SYNC, dry_run=dry_run) as change:
        now = change.uow.now()
        if ids is None:
            found = commands.open_commands(change.uow, [change.store(store).id], lock=True)
            wanted = [command for command in found if state_at(command, now) is CommandState.PENDING]
        else:
            places = change.stores(store)
            # Locked in one order by everybody: two people who cancel the same ones wait instead of deadlocking.
            wanted = [_cancelable(change, places, one, now) for one in sorted(set(ids))]
        for command in wanted:
            end_command(change, replace(command, state=CommandState.CANCELED))
        return len(wanted)


def _cancelable(change: Change, places: Sequence[Store], identifier: str, now: datetime) -> Command:
    command = commands.find_command(change.uow, identifier, lock=True)
    if command is None or command.store_id not in {place.id for place in places}:
        raise _no_command(change, places, identifier)
    state = state_at(command, now)
    if state is CommandState.SYNCING:
        raise Conflict(
            f"The command {identifier} is being sent right now.",
            why="What is on its way can not be taken back.",
            fix=f"electis queue show {identifier}",
        )
    if state is not CommandState.PENDING:
        raise Conflict(
            f"The command {identifier} has ended already ({state.value}).",
            fix=f"electis queue show {identifier}",
        )
    return command


def _no_command(change: Change, places: Sequence[Store], identifier: str) -> NotFound | Conflict:
    """Return why an id can not be canceled: desired state is changed in the database, never taken out of the queue."""
    ids = {place.id for place in places}
    wish = labels.find_wish(change.uow, label_code_or_same(identifier))
    for place in places:
        if ledger.rows_by_id(change.uow, place.id, [identifier]):
            return Conflict(
                f"{identifier} is an article: only one-shot commands can be canceled.",
                why="The queue brings AIMS to what the database says; taking an article out of it would leave its "
                "labels wrong.",
                fix=f"change what it should show, or hold the store back: electis queue pause --store {place.code}",
            )
    if wish is not None and wish.store_id in ids:
        return Conflict(
            f"{wish.label_code} is the wish of a label: only one-shot commands can be canceled.",
            why="The queue brings the label to what is wished; another wish replaces this one.",
            fix=f"electis label link {wish.label_code} ARTICLE_ID, or electis label unlink {wish.label_code}",
        )
    return NotFound(f"There is no command {identifier}.", fix="electis queue list --kind command")
