"""`electis snapshot`: who sits where in a store, kept under a name and brought back."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.bulk_result import exit_partial, show_bulk
from electis_cli.commands.exit_codes import EXIT_CHANGES_PENDING
from electis_cli.commands.options import DryRun, Fields, Limit, Output, OutputFormat, Quiet, StoreCode, Yes
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app

app = new_app()
SnapshotName = Annotated[str, typer.Argument(metavar="NAME", help="What the arrangement is called.")]


@app.command("save", cls=Command)
def save(
    name: SnapshotName,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the one of the same name.")] = False,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Keep who sits where now."""
    with open_scope() as scope:
        from electis_cli.services.bulk import snapshots

        view = snapshots.save_snapshot(
            scope, name, store=default_store(store), replace=replace, dry_run=dry_run
        )
        show_one(view, output, fields=fields)


@app.command("list", cls=Command)
def list_(
    store: StoreCode = None, limit: Limit = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List saved arrangements, newest first."""
    with open_scope() as scope:
        from electis_cli.services.bulk import snapshots

        views = snapshots.list_snapshots(scope, store=default_store(store))[:limit]
        show_many(views, output, fields=fields, empty="No arrangement was saved yet.")


@app.command("diff", cls=Command)
def diff(
    name: SnapshotName,
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Show who sits elsewhere than in a saved arrangement; exit 10 when somebody does."""
    with open_scope() as scope:
        from electis_cli.services.bulk import snapshots

        found = snapshots.diff_snapshot(scope, name, store=default_store(store))
        show_many(found, output, fields=fields, empty="Everybody sits as in the snapshot.")
    if found:
        raise typer.Exit(EXIT_CHANGES_PENDING)


@app.command("restore", cls=Command)
def restore(
    name: SnapshotName,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Seat everybody as in a saved arrangement; who is not in it gives up their space. Undo takes it back."""
    confirm(f"Seat everybody as in {name}?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services.bulk import snapshots

        view = snapshots.restore_snapshot(scope, name, store=default_store(store), dry_run=dry_run)
        show_bulk(view, output, fields=fields, quiet=quiet)
    exit_partial(view)
