"""`electis undo` and `electis apply`: a change taken back, and a plan carried out."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from electis_cli.commands.access import confirm, open_scope
from electis_cli.commands.bulk_result import exit_partial, show_bulk
from electis_cli.commands.importing import MaxDeletes
from electis_cli.commands.options import DryRun, Fields, Output, OutputFormat, Quiet, Yes
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem

app = new_app()


@app.command("undo", cls=Command)
def undo(
    change: Annotated[str, typer.Argument(metavar="ID", help="The change's id, as in electis history list.")],
    yes: Yes = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Take a change back: rows, seats and links as they were, unless somebody changed them since (exit 3)."""
    confirm(f"Take change {change} back?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services.bulk import undoing

        view = undoing.undo(scope, change, dry_run=dry_run)
        show_bulk(view, output, fields=fields, quiet=quiet)
    exit_partial(view)


@app.command("apply", cls=Command)
def apply(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="What --plan wrote; - is standard input.")],
    max_deletes: MaxDeletes = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Carry out a plan exactly as it is, or not at all when its rows changed since (exit 7)."""
    with _opened(plan) as (file, name):
        from electis_cli.services.bulk import plan_files

        deletions = plan_files.count_deletions(file)
        if deletions:
            confirm(f"The plan deletes {deletions} rows. Carry it out?", yes=yes or dry_run)
        with open_scope() as scope:
            view = plan_files.apply_plan(scope, file, source=name, max_deletes=max_deletes, dry_run=dry_run)
            show_bulk(view, output, fields=fields, quiet=quiet)


@contextlib.contextmanager
def _opened(plan: str) -> Iterator[tuple[BinaryIO, str]]:
    """Open a plan so that it can be read several times."""
    if plan == "-":
        with tempfile.TemporaryFile() as file:
            while block := sys.stdin.buffer.read(1 << 16):
                file.write(block)
            yield file, "<stdin>"
        return
    try:
        opened = Path(plan).open("rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageProblem(f"The plan {plan} can not be read.", why=f"{reason}.") from error
    with opened as file:
        yield file, Path(plan).name
