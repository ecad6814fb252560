"""`electis aims last`: what was asked of AIMS lately, what it answered, and the same as a file to pass on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.debug_http import printable
from electis_cli.commands.options import Fields, Limit, Output, OutputFormat, StoreCode
from electis_cli.commands.output import show_many, show_one
from electis_cli.domain.errors import UsageProblem

_TABLE = ("at", "store", "method", "path", "status", "milliseconds", "answer", "error_class", "id")


def last(
    failed: Annotated[bool, typer.Option("--failed", help="Only calls that were no success.")] = False,
    writes: Annotated[bool, typer.Option("--writes", help="Only calls that write, and logins.")] = False,
    store: StoreCode = None,
    limit: Limit = None,
    show: Annotated[
        str | None, typer.Option("--show", metavar="ID", help="One call, with the body of an error answer.")
    ] = None,
    har: Annotated[
        Path | None,
        typer.Option(
            "--har", metavar="FILE", help="Write an HTTP archive without contents, credentials and names."
        ),
    ] = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """List the last calls to AIMS, newest first: of each store the last 200 reads and as many writes."""
    if show is not None and (har is not None or failed or writes or limit is not None):
        raise UsageProblem(
            "--show is about one call and takes no other choice.", fix="electis aims last --show ID"
        )
    with open_scope() as scope:
        from electis_cli.services import recording

        if show is not None:
            view = recording.show_exchange(scope, show)
            if output is OutputFormat.TABLE and view.answer_body:
                from dataclasses import replace

                view = replace(view, answer_body=printable(view.answer_body))
            show_one(view, output, fields=fields, name="id")
            return
        views = recording.last_exchanges(
            scope, store=default_store(store), failed=failed, writes=writes, limit=limit
        )
        if har is not None:
            from electis_cli.services.har import make_har, write_har

            write_har(har, make_har(scope, views))
            show_one({"file": str(har), "entries": len(views)}, output)
            return
        is_narrowed = failed or writes or store is not None
        empty = "No call to AIMS was like that." if is_narrowed else "Nothing was asked of AIMS yet."
        show_many(views, output, fields=fields, table=_TABLE, name="id", empty=empty)
