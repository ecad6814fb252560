"""`electis history`: what was changed, by whom, and whether it was taken back."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.options import Fields, Limit, Output, OutputFormat, StoreCode
from electis_cli.commands.output import plain, show_many, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.bulk.nouns import Noun

app = new_app()
_TABLE = ("id", "at", "actor", "action", "file", "created", "updated", "deleted", "undone")


@app.command("list", cls=Command)
def list_(
    noun: Annotated[
        Noun | None, typer.Option("--noun", help="Only changes of spaces, people, and so on.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=36500, metavar="N", help="Only of the last N days.")
    ] = None,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """List changes, newest first; each can be taken back with undo."""
    with open_scope() as scope:
        from electis_cli.services.bulk import history

        views = history.list_history(scope, store=default_store(store), noun=noun, days=days, limit=limit)
        if output is OutputFormat.TABLE and not fields:
            rows = [{**plain(view), **dict.fromkeys(_TABLE[5:8], ""), **view.counts} for view in views]
            show_many(rows, output, table=_TABLE, empty="Nothing was changed yet.")
            return
        show_many(views, output, fields=fields, empty="Nothing was changed yet.")


@app.command("show", cls=Command)
def show(
    change: Annotated[str, typer.Argument(metavar="ID", help="The change's id, as in the list.")],
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Show one change with its rows, before and after."""
    with open_scope() as scope:
        from electis_cli.services.bulk import history

        view = history.show_history(
            scope, change, limit=limit or (50 if output is OutputFormat.TABLE else None)
        )
        if output is not OutputFormat.TABLE or fields:
            show_one(view, output, fields=fields, name="id")
            return
        from electis_cli.commands.bulk_result import show_differences

        record = plain(view)
        record.pop("rows")
        record.update(record.pop("counts"))
        show_one({key: value for key, value in record.items() if value is not None}, output)
        show_differences(view.rows, view.counts)
