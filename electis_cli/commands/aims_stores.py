"""`electis aims store`: the stores of the company at AIMS."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.options import DebugHttp, Fields, Output, OutputFormat, StoreCode
from electis_cli.commands.output import show_many
from electis_cli.commands.tree import Command, new_app
from electis_cli.commands.unknown_stores import end_without

app = new_app()


@app.command("list", cls=Command)
def list_(
    ours: Annotated[bool, typer.Option("--ours", help="Only those electis works with.")] = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List the stores AIMS has for the company, and which of them electis works with."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_stores

        found = aims_stores.list_stores(scope, ours_only=ours)
        table = ("store", "name", "ours", "labels", "gateways", "articles", "timezone", "city")
        show_many(found, output, fields=fields, table=table, empty="AIMS has no such store.")


@app.command("summary", cls=Command)
def summary(
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Count the labels, gateways and articles of each store as AIMS does."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_stores

        unknown: list[str] = []
        found = aims_stores.summarize_stores(scope, store=default_store(store), tell_unknown=unknown.append)
        table = (
            "store", "labels", "updated", "in_progress", "not_updated", "online", "offline", "low_battery",
            "bad_signal", "gateways_online", "gateways_offline", "articles", "whitelist",
        )  # fmt: skip
        show_many(found, output, fields=fields, table=table, empty="There is no store yet.")
        end_without(unknown)
