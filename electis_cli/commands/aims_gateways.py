"""`electis aims gateway`: the radios that labels hear."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.exit_codes import EXIT_FAILED
from electis_cli.commands.options import DebugHttp, DryRun, Fields, Output, OutputFormat, StoreCode, Yes
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.commands.unknown_stores import end_without

app = new_app()
_TABLE = (
    "mac", "store", "name", "status", "version", "ip_address", "labels", "unassigned_labels", "last_reboot",
    "last_connection",
)  # fmt: skip
Gateway = Annotated[
    str, typer.Argument(metavar="GATEWAY", help="A gateway's address, with colons or without.")
]


@app.command("list", cls=Command)
def list_(
    online: Annotated[
        bool | None, typer.Option("--online/--offline", help="Only those that are connected, or are not.")
    ] = None,
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List gateways, their state and how many labels they serve."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_gateways

        unknown: list[str] = []
        found = aims_gateways.list_gateways(
            scope, store=default_store(store), online=online, tell_unknown=unknown.append
        )
        show_many(found, output, fields=fields, table=_TABLE, empty="AIMS knows no such gateway.")
        end_without(unknown)


@app.command("show", cls=Command)
def show(
    gateway: Gateway,
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Show one gateway with its settings."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_gateways

        show_one(
            aims_gateways.show_gateway(scope, gateway, store=default_store(store)), output, fields=fields
        )


@app.command("reboot", cls=Command)
def reboot(
    gateways: Annotated[
        list[str], typer.Argument(metavar="GATEWAY...", help="Addresses, with colons or without.")
    ],
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Reboot gateways; their labels are out of reach for some minutes. Each is asked once, whatever happens."""
    confirm(f"Reboot {', '.join(gateways)}?", yes=yes or dry_run)
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_gateways

        done = aims_gateways.reboot_gateways(scope, gateways, store=default_store(store), dry_run=dry_run)
        show_many(done, output, fields=fields)
        if any(item.error for item in done):
            raise typer.Exit(EXIT_FAILED)
