"""`electis store`: the stores of AIMS that an organization works with."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import confirm, open_scope
from electis_cli.commands.options import DryRun, Fields, Limit, OrgCode, Output, OutputFormat, Yes
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app

app = new_app()
_TABLE = (
    "code", "name", "timezone", "sync_enabled", "full_sync_minutes", "last_sync_at", "paused", "spaces", "people",
    "conference_rooms",
)  # fmt: skip
Code = Annotated[str, typer.Argument(metavar="CODE", help="The store's code at AIMS; leading zeros matter.")]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="The store's name.")]
Minutes = Annotated[
    int | None, typer.Option("--full-sync-minutes", metavar="N", help="Minutes between full syncs.")
]


@app.command("create", cls=Command)
def create(
    code: Code,
    name: Name = None,
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Such as Asia/Jerusalem.")
    ] = "UTC",
    full_sync_minutes: Annotated[
        int, typer.Option("--full-sync-minutes", metavar="N", help="Minutes between full syncs.")
    ] = 15,
    sync_enabled: Annotated[
        bool, typer.Option("--sync-enabled/--no-sync-enabled", help="Whether changes go to AIMS.")
    ] = True,
    org: OrgCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Create a store."""
    with open_scope(org=org) as scope:
        from electis_cli.services import stores

        view = stores.create_store(
            scope,
            code,
            name=name,
            timezone=timezone,
            full_sync_minutes=full_sync_minutes,
            sync_enabled=sync_enabled,
            dry_run=dry_run,
        )
        show_one(view, output, fields=fields)


@app.command("list", cls=Command)
def list_(
    limit: Limit = None, org: OrgCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List stores and how much they hold."""
    with open_scope(org=org) as scope:
        from electis_cli.services import stores

        views = stores.list_stores(scope)[:limit]
        show_many(views, output, fields=fields, table=_TABLE, empty="There are no stores yet.")


@app.command("show", cls=Command)
def show(code: Code, org: OrgCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show one store."""
    with open_scope(org=org) as scope:
        from electis_cli.services import stores

        show_one(stores.show_store(scope, code), output, fields=fields)


@app.command("update", cls=Command)
def update(
    code: Code,
    name: Name = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="Such as Asia/Jerusalem.")
    ] = None,
    full_sync_minutes: Minutes = None,
    sync_enabled: Annotated[
        bool | None,
        typer.Option(
            "--sync-enabled/--no-sync-enabled", help="Whether changes go to AIMS; without, they wait."
        ),
    ] = None,
    org: OrgCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Change a store's settings."""
    with open_scope(org=org) as scope:
        from electis_cli.services import stores

        view = stores.update_store(
            scope,
            code,
            name=name,
            timezone=timezone,
            full_sync_minutes=full_sync_minutes,
            sync_enabled=sync_enabled,
            dry_run=dry_run,
        )
        show_one(view, output, fields=fields)


@app.command("delete", cls=Command)
def delete(
    code: Code,
    force: Annotated[
        bool, typer.Option("--force", help="Also with its spaces, people and conference rooms.")
    ] = False,
    org: OrgCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Delete a store here; what AIMS shows stays as it is."""
    confirm(f"Delete store {code}?", yes=yes or dry_run)
    with open_scope(org=org) as scope:
        from electis_cli.services import stores

        show_one(stores.delete_store(scope, code, force=force, dry_run=dry_run), output, fields=fields)
