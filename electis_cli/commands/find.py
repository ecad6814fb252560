"""`electis find`: anything, by a piece of any of its values."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import open_scope
from electis_cli.commands.options import Fields, Limit, Output, OutputFormat, StoreCode
from electis_cli.commands.output import show_many, talk
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

        found = list(finding.find(scope, text, store=store, limit=limit))
        table = ("noun", "id", "store", "field", "value", "show")
        show_many(found, output, fields=fields, table=table, name="id", empty=f"Nothing holds {text!r}.")
    why = next((match.explain for match in found if match.explain), None)
    if why is not None and output is OutputFormat.TABLE:
        talk(f"why its label shows what it shows: {why}")
