"""`electis people`: people and where they sit."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.columns import show_row
from electis_cli.commands.importing import ImportFile, run_import
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

app = new_app()
_TABLE = ("external_id", "store", "space", "status", "data")
PersonId = Annotated[str, typer.Argument(metavar="PERSON", help="The person's id.")]
SpaceId = Annotated[str, typer.Argument(metavar="SPACE", help="The space's id, as on the label.")]


@app.command("create", cls=Command)
def create(
    person: Annotated[
        str | None, typer.Argument(metavar="[PERSON]", help="The person's id; made up when not given.")
    ] = None,
    set_: SetColumns = None,
    space: Annotated[
        str | None, typer.Option("--space", metavar="SPACE", help="Where the person sits.")
    ] = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Create a person and, with --space, seat them."""
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.create_person(
            scope,
            person,
            data=column_changes(set_),
            space=space,
            store=default_store(store),
            dry_run=dry_run,
        )
        show_one(view, output, fields=fields)


@app.command("list", cls=Command)
def list_(
    store: StoreCode = None, limit: Limit = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List people, where they sit and how their labels stand."""
    with open_scope() as scope:
        from electis_cli.services import people

        views = people.list_people(scope, store=default_store(store), limit=limit)
        show_many(views, output, fields=fields, table=_TABLE, empty="There are no people yet.")


@app.command("show", cls=Command)
def show(
    person: PersonId, store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """Show one person."""
    with open_scope() as scope:
        from electis_cli.services import people

        show_row(scope, people.show_person(scope, person, store=default_store(store)), output, fields=fields)


@app.command("update", cls=Command)
def update(
    person: PersonId,
    set_: SetColumns = None,
    unset: UnsetColumns = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Change columns of a person."""
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.update_person(
            scope, person, data=column_changes(set_, unset), store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields)


@app.command("delete", cls=Command)
def delete(
    person: PersonId,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Delete a person; the space they sat in becomes free."""
    confirm(f"Delete person {person}?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.delete_person(scope, person, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


@app.command("assign", cls=Command)
def assign(
    person: PersonId,
    space: SpaceId,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Seat a person in a space, out of the one they have."""
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.assign_person(scope, person, space, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


@app.command("unassign", cls=Command)
def unassign(
    person: PersonId,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Take a person out of their space."""
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.unassign_person(scope, person, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


@app.command("move", cls=Command)
def move(
    person: PersonId,
    space: SpaceId,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Move a person who has a space to another one."""
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.assign_person(
            scope, person, space, moving=True, store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields)


@app.command("import", cls=Command)
def import_(
    file: ImportFile,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Create and change people, and seat them, as a CSV file says; one error and nothing is written."""
    run_import("people", file, store=store, dry_run=dry_run, output=output, fields=fields)
