"""Verbs of `electis people` for whole lists: files of seats, everybody of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.bulk_lists import do_list, is_list
from electis_cli.commands.bulk_result import show_bulk
from electis_cli.commands.options import OutputFormat
from electis_cli.domain.bulk.nouns import KEY, SPACE, Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.errors import UsageProblem

if TYPE_CHECKING:
    from electis_cli.services.bulk.checking import Demand


def deletes() -> Demand:
    """Return that the listed people are to be deleted."""
    from electis_cli.services.bulk.checking import Demand

    return Demand(noun=Noun.PERSON, deletes=True)


def updates() -> Demand:
    """Return that the listed people are to be changed, and are there."""
    from electis_cli.services.bulk.checking import Demand

    return Demand(noun=Noun.PERSON, mode=Mode.UPDATE)


def _moves() -> Demand:
    from electis_cli.services.bulk.checking import Demand

    return Demand(noun=Noun.PERSON, mode=Mode.UPDATE, must_be_seated=True)


def seat_list(
    person: str | None,
    file: str,
    verb: str,
    store: str | None,
    dry_run: bool,
    output: OutputFormat,
    fields: str | None,
    on_error: str,
    rejects: str | None,
) -> None:
    """Seat all rows of a file: columns person and space."""
    is_list(person, file)
    do_list(
        Noun.PERSON,
        file,
        verb=verb,
        only=(KEY, SPACE),
        demand=_moves if verb == "moved" else updates,
        store=store,
        dry_run=dry_run,
        output=output,
        fields=fields,
        on_error=on_error,
        rejects=rejects,
    )


def both(person: str | None, space: str | None) -> tuple[str, str]:
    """Return who is to sit where. Raises UsageProblem when one of the two is not said."""
    if person is None or space is None:
        raise UsageProblem(
            "Say who is to sit where.", fix="electis people assign PERSON SPACE, or --file FILE"
        )
    return person, space


def unassign_everybody(
    person: str | None,
    file: str | None,
    store: str | None,
    yes: bool,
    dry_run: bool,
    output: OutputFormat,
    fields: str | None,
) -> None:
    """Take everybody of the store out of their spaces."""
    if person is not None or file is not None:
        raise UsageProblem("Everybody is meant, or somebody.", fix="leave out --all")
    confirm("Take everybody of the store out of their spaces?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services.bulk import seating

        view = seating.unassign_everybody(scope, store=default_store(store), dry_run=dry_run)
        show_bulk(view, output, fields=fields)
