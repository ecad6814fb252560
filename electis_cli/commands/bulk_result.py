"""How the result of a bulk change is shown: counts, the first differences, and rows that were left out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from electis_cli.commands.exit_codes import EXIT_FAILED
from electis_cli.commands.failure import MACHINE_FORMATS
from electis_cli.commands.options import OutputFormat
from electis_cli.commands.output import plain, show_one, talk

if TYPE_CHECKING:
    from electis_cli.domain.errors import Problem
    from electis_cli.services.bulk.views import BulkView, Difference, UndoView

_LISTS = ("differences", "problems", "kept_rows", "temporary_passwords")


def show_bulk(
    view: BulkView | UndoView, output: OutputFormat, *, fields: str | None = None, quiet: bool = False
) -> None:
    """Show what a bulk change did, or would do."""
    if output is OutputFormat.NAME and not fields and view.changeset is None:
        return  # what changed nothing has no name: a pipe into undo gets nothing
    passwords = getattr(view, "temporary_passwords", ())
    if output is not OutputFormat.TABLE or fields:
        show_one(view, output, fields=fields, name="changeset")
        if passwords and (fields or output not in MACHINE_FORMATS):
            # They are told this once, and there is no mail server to tell them otherwise.
            talk(
                f"{len(passwords)} temporary passwords are not shown here; electis mail list has their mails."
            )
        return
    record = plain(view)
    lists = {name: record.pop(name) for name in _LISTS if name in record}
    show_one(_Counts(record), output)
    for item in lists.get("temporary_passwords") or ():
        print(f"{item['email']}  {item['temporary_password']}")
    if quiet:
        return
    # What happens is worth reading before it does; afterwards history has it.
    if view.dry_run:
        show_differences(view.differences, record)
    sys.stdout.flush()  # what was left out comes after the counts, also where both go into one pipe
    for item in lists.get("kept_rows") or ():
        print(f"left as it is: {item['noun']} {item['key']}: {item['why']}", file=sys.stderr)
    for item in getattr(view, "problems", ()):
        print(f"left out: {place_of(item)}{item.message}", file=sys.stderr)


class _Counts(dict[str, Any]):
    """The counts of a bulk change as a table shows them: without what is not there."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        super().__init__({key: value for key, value in record.items() if value is not None})


def show_differences(differences: list[Difference], record: Mapping[str, Any]) -> None:
    """Show rows before and after; `record` counts how many there are in all."""
    if not differences:
        return
    print()
    for one in differences:
        changes = "; ".join(
            f"{name}: {_value(sides['before'])} -> {_value(sides['after'])}"
            for name, sides in one.fields.items()
        )
        if one.change == "create":
            changes = "; ".join(f"{name}: {_value(sides['after'])}" for name, sides in one.fields.items())
        print(f"{one.change} {one.noun} {one.key}{f'  {changes}' if one.change != 'delete' else ''}".rstrip())
    total = sum(int(record.get(name) or 0) for name in ("created", "updated", "deleted"))
    if total > len(differences):
        print(f"... and {total - len(differences):,} more")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(str(item) for item in value) or "(empty)"
    return "(empty)" if value is None or value == "" else str(value)


def place_of(problem: Problem) -> str:
    """Return the place of a problem, as a message begins with it."""
    return f"{problem.where}: " if problem.where else ""


def exit_partial(view: BulkView | UndoView) -> None:
    """End with exit code 3 when some rows were left out."""
    if getattr(view, "rejected", 0) or getattr(view, "kept", 0):
        raise typer.Exit(EXIT_FAILED)
