"""`electis space`: the places that labels are stuck to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.bulk_lists import ListFile, do_list, is_list
from electis_cli.commands.columns import show_row
from electis_cli.commands.exporting import add_export
from electis_cli.commands.importing import STANDARD_INPUT, add_import
from electis_cli.commands.options import (
    DryRun,
    Fields,
    Limit,
    Output,
    OutputFormat,
    SetColumns,
    StoreCode,
    UnsetColumns,
    Yes,
    column_changes,
)
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.bulk.nouns import KEY, Noun

if TYPE_CHECKING:
    from electis_cli.services.bulk.checking import Demand

app = new_app()
_TABLE = ("external_id", "store", "person", "status", "labels", "data")
SpaceId = Annotated[str, typer.Argument(metavar="SPACE", help="The space's id, as on the label.")]


@app.command("create", cls=Command)
def create(
    space: SpaceId,
    set_: SetColumns = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Create a space; the queue brings its article to AIMS."""
    with open_scope() as scope:
        from electis_cli.services import spaces

        view = spaces.create_space(
            scope, space, data=column_changes(set_), store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields)


@app.command("list", cls=Command)
def list_(
    store: StoreCode = None, limit: Limit = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List spaces, who sits there and how their labels stand."""
    with open_scope() as scope:
        from electis_cli.services import spaces

        views = spaces.list_spaces(scope, store=default_store(store), limit=limit)
        show_many(views, output, fields=fields, table=_TABLE, empty="There are no spaces yet.")


@app.command("show", cls=Command)
def show(
    space: SpaceId, store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """Show one space."""
    with open_scope() as scope:
        from electis_cli.services import spaces

        show_row(scope, spaces.show_space(scope, space, store=default_store(store)), output, fields=fields)


@app.command("update", cls=Command)
def update(
    space: SpaceId,
    set_: SetColumns = None,
    unset: UnsetColumns = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Change columns of a space."""
    with open_scope() as scope:
        from electis_cli.services import spaces

        view = spaces.update_space(
            scope, space, data=column_changes(set_, unset), store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields)


@app.command("delete", cls=Command)
def delete(
    space: Annotated[
        str | None,
        typer.Argument(metavar="[SPACE]", help="The space's id; - reads ids from standard input."),
    ] = None,
    file: ListFile = None,
    unassign: Annotated[bool, typer.Option("--unassign", help="Also when somebody sits there.")] = False,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Delete a space and its article, or all of a list; labels that show it are unlinked by AIMS."""
    if is_list(space, file):
        confirm(f"Delete the spaces listed in {file or STANDARD_INPUT}?", yes=yes or dry_run)
        do_list(
            Noun.SPACE,
            file,
            verb="deleted",
            only=(KEY,),
            demand=lambda: _deletes(unassign),
            store=store,
            dry_run=dry_run,
            output=output,
            fields=fields,
        )
        return
    assert space is not None
    confirm(f"Delete space {space}?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services import spaces

        view = spaces.delete_space(
            scope, space, unassign_person=unassign, store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields)


add_import(app, Noun.SPACE)
add_export(app, Noun.SPACE)


def _deletes(unassign: bool) -> Demand:
    from electis_cli.services.bulk.checking import Demand

    return Demand(noun=Noun.SPACE, deletes=True, unassign=unassign)
