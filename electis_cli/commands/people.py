"""`electis people`: people and where they sit."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.bulk_lists import ListFile, do_list, is_list
from electis_cli.commands.bulk_result import show_bulk
from electis_cli.commands.columns import show_row
from electis_cli.commands.exporting import add_export
from electis_cli.commands.importing import STANDARD_INPUT, OnError, Rejects, add_import
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
from electis_cli.commands.people_lists import both, deletes, seat_list, unassign_everybody, updates
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.bulk.nouns import KEY, SPACE, Noun

app = new_app()
_TABLE = ("external_id", "store", "space", "status", "data")
PersonId = Annotated[str, typer.Argument(metavar="PERSON", help="The person's id.")]
PersonOrList = Annotated[
    str | None,
    typer.Argument(metavar="[PERSON]", help="The person's id; - reads ids from standard input."),
]
SpaceOfOne = Annotated[str | None, typer.Argument(metavar="[SPACE]", help="The space's id, as on the label.")]


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
    person: PersonOrList = None,
    file: ListFile = None,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Delete a person, or all of a list; the spaces they sat in become free."""
    if is_list(person, file):
        confirm(f"Delete the people listed in {file or STANDARD_INPUT}?", yes=yes or dry_run)
        do_list(
            Noun.PERSON,
            file,
            verb="deleted",
            only=(KEY,),
            demand=deletes,
            store=store,
            dry_run=dry_run,
            output=output,
            fields=fields,
        )
        return
    assert person is not None
    confirm(f"Delete person {person}?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.delete_person(scope, person, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


@app.command("assign", cls=Command)
def assign(
    person: PersonOrList = None,
    space: SpaceOfOne = None,
    file: ListFile = None,
    on_error: OnError = "stop",
    rejects: Rejects = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Seat a person in a space, out of the one they have; or all rows of a file, with columns person and space."""
    if file is not None:
        seat_list(person, file, "assigned", store, dry_run, output, fields, on_error, rejects)
        return
    person, space = both(person, space)
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.assign_person(scope, person, space, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


@app.command("unassign", cls=Command)
def unassign(
    person: PersonOrList = None,
    file: ListFile = None,
    all_: Annotated[bool, typer.Option("--all", help="Everybody of the store.")] = False,
    on_error: OnError = "stop",
    rejects: Rejects = None,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Take a person out of their space; or all of a list, or everybody."""
    if all_:
        unassign_everybody(person, file, store, yes, dry_run, output, fields)
        return
    if is_list(person, file):
        do_list(
            Noun.PERSON,
            file,
            verb="unassigned",
            only=(KEY, SPACE),
            constants={SPACE: ""},
            demand=updates,
            store=store,
            dry_run=dry_run,
            output=output,
            fields=fields,
            on_error=on_error,
            rejects=rejects,
        )
        return
    assert person is not None
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.unassign_person(scope, person, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


@app.command("move", cls=Command)
def move(
    person: PersonOrList = None,
    space: SpaceOfOne = None,
    file: ListFile = None,
    on_error: OnError = "stop",
    rejects: Rejects = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Move a person who has a space to another one; or all rows of a file, with columns person and space."""
    if file is not None:
        seat_list(person, file, "moved", store, dry_run, output, fields, on_error, rejects)
        return
    person, space = both(person, space)
    with open_scope() as scope:
        from electis_cli.services import people

        view = people.assign_person(
            scope, person, space, moving=True, store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields)


@app.command("swap", cls=Command)
def swap(
    one: Annotated[str, typer.Argument(metavar="A", help="A person's id.")],
    other: Annotated[str, typer.Argument(metavar="B", help="The other person's id.")],
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Let two people exchange their spaces, at once."""
    with open_scope() as scope:
        from electis_cli.services.bulk import seating

        view = seating.swap_people(scope, one, other, store=default_store(store), dry_run=dry_run)
        show_bulk(view, output, fields=fields)


add_import(app, Noun.PERSON)
add_export(app, Noun.PERSON)
