"""`electis aims whitelist`: which labels may be linked where AIMS asks for a list."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.options import (
    DebugHttp,
    DryRun,
    Fields,
    Limit,
    Output,
    OutputFormat,
    StoreCode,
    Yes,
)
from electis_cli.commands.output import show_many, talk
from electis_cli.commands.tree import Command, new_app

app = new_app()
Labels = Annotated[
    list[str], typer.Argument(metavar="LABEL...", help="Label codes, as printed on the labels.")
]


@app.command("list", cls=Command)
def list_(
    unassigned: Annotated[bool, typer.Option("--unassigned", help="Only labels that show nothing.")] = False,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List the labels on the whitelist."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_whitelist

        found = aims_whitelist.list_whitelist(
            scope, store=default_store(store), unassigned=unassigned, limit=limit
        )
        show_many(found, output, fields=fields, empty="The whitelist is empty.")


@app.command("add", cls=Command)
def add(
    labels: Labels,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Put labels on a store's whitelist, so that AIMS lets them be linked."""
    _change(
        labels, store, yes=yes, dry_run=dry_run, output=output, fields=fields, debug_http=debug_http, add=True
    )


@app.command("remove", cls=Command)
def remove(
    labels: Labels,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Take labels off a store's whitelist; links that exist stay."""
    _change(
        labels,
        store,
        yes=yes,
        dry_run=dry_run,
        output=output,
        fields=fields,
        debug_http=debug_http,
        add=False,
    )


def _change(
    labels: list[str],
    store: str | None,
    *,
    yes: bool,
    dry_run: bool,
    output: OutputFormat,
    fields: str | None,
    debug_http: bool,
    add: bool,
) -> None:
    question = (
        f"Put {len(labels)} labels on the whitelist?"
        if add
        else f"Take {len(labels)} labels off the whitelist?"
    )
    confirm(question, yes=yes or dry_run)
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_whitelist

        done = aims_whitelist.change_whitelist(
            scope, labels, add=add, store=default_store(store), dry_run=dry_run
        )
        show_many(done, output, fields=fields)
        if revived := [item.label_code for item in done if item.retried]:
            talk(f"AIMS refused to link {', '.join(revived)} before; the queue tries again")
        for item in done:
            if not item.checksum_fits:
                talk(
                    f"warning: the last digit of {item.label_code} does not fit the others; is the code right?"
                )
