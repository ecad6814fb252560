"""`electis find`: anything, by a piece of any of its values."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import open_scope
from electis_cli.commands.options import Fields, Limit, Output, OutputFormat, StoreCode
from electis_cli.commands.output import show_many
from electis_cli.commands.tree import Command, new_app

app = new_app()


@app.command("find", cls=Command)
def find(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="A piece of a name, an id, a label's code: anything.")
    ],
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Find spaces, people, rooms, labels, stores and users by any of their values, whatever its case and accents."""
    with open_scope() as scope:
        from electis_cli.services import finding

        found = finding.find(scope, text, store=store, limit=limit)
        show_many(found, output, fields=fields, name="id", empty=f"Nothing holds {text!r}.")
