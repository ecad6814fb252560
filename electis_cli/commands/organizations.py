"""`electis org`: the tenants of this database."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import open_platform, open_scope
from electis_cli.commands.options import DryRun, Fields, Limit, Output, OutputFormat
from electis_cli.commands.output import show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.organizations import Strategy

app = new_app()
_TABLE = ("code", "name", "aims_company", "aims_base_url", "room_prefix", "strategy")
OrgArgument = Annotated[
    str | None, typer.Argument(metavar="[CODE]", help="The organization; your own when none is named.")
]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="The organization's name.")]


@app.command("create", cls=Command)
def create(
    code: Annotated[str, typer.Argument(metavar="CODE", help="3 to 20 of A-Z and 0-9.")],
    name: Name = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Create an organization; for platform admins."""
    with open_platform() as (runtime, actor):
        from electis_cli.services import organizations

        view = organizations.create_organization(runtime, actor, code, name=name, dry_run=dry_run)
        show_one(view, output, fields=fields)
        if not dry_run and output is OutputFormat.TABLE:
            talk(f"next: electis user create EMAIL --role admin --org {code}")


@app.command("list", cls=Command)
def list_(limit: Limit = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """List the organizations you may see: your own, or all of them for platform roles."""
    with open_platform() as (runtime, actor):
        from electis_cli.services import organizations

        views = organizations.list_organizations(runtime, actor)[:limit]
        show_many(views, output, fields=fields, table=_TABLE, empty="There are no organizations yet.")


@app.command("show", cls=Command)
def show(code: OrgArgument = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show an organization."""
    with open_scope(org=code) as scope:
        from electis_cli.services import organizations

        show_one(organizations.show_organization(scope), output, fields=fields)


@app.command("update", cls=Command)
def update(
    code: OrgArgument = None,
    name: Name = None,
    room_prefix: Annotated[
        str | None,
        typer.Option(
            "--room-prefix", metavar="PREFIX", help="What conference rooms' article ids begin with."
        ),
    ] = None,
    strategy: Annotated[
        Strategy | None,
        typer.Option("--strategy", help="Who wins when the database and AIMS both changed."),
    ] = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Change an organization's settings."""
    with open_scope(org=code) as scope:
        from electis_cli.services import organizations

        view = organizations.update_organization(
            scope, name=name, room_prefix=room_prefix, strategy=strategy, dry_run=dry_run
        )
        show_one(view, output, fields=fields)
