"""`electis conference`: conference rooms and their meetings."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.exporting import add_export
from electis_cli.commands.importing import add_import
from electis_cli.commands.options import DryRun, Fields, Limit, Output, OutputFormat, StoreCode, Yes
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.conference import Meeting

app = new_app()
_TABLE = (
    "external_id", "store", "room_name", "has_meeting", "meeting_name", "start_time", "end_time", "status", "labels",
)  # fmt: skip
RoomId = Annotated[str, typer.Argument(metavar="ROOM", help="The room's id, with or without the prefix.")]
RoomName = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The room's name; empty is the default name.")
]


@app.command("create", cls=Command)
def create(
    room: RoomId,
    name: RoomName = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Create a conference room."""
    with open_scope() as scope:
        from electis_cli.services import conferences

        view = conferences.create_room(scope, room, name=name, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


@app.command("list", cls=Command)
def list_(
    store: StoreCode = None, limit: Limit = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List conference rooms, their meetings and how their labels stand."""
    with open_scope() as scope:
        from electis_cli.services import conferences

        views = conferences.list_rooms(scope, store=default_store(store), limit=limit)
        show_many(views, output, fields=fields, table=_TABLE, empty="There are no conference rooms yet.")


@app.command("show", cls=Command)
def show(
    room: RoomId, store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """Show one conference room."""
    with open_scope() as scope:
        from electis_cli.services import conferences

        show_one(conferences.show_room(scope, room, store=default_store(store)), output, fields=fields)


@app.command("update", cls=Command)
def update(
    room: RoomId,
    name: RoomName = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Rename a conference room; its meeting is changed with `toggle`."""
    with open_scope() as scope:
        from electis_cli.services import conferences

        view = conferences.update_room(scope, room, name=name, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


@app.command("toggle", cls=Command)
def toggle(
    room: RoomId,
    turn_on: Annotated[
        bool | None, typer.Option("--on/--off", help="Turn on or off; without either, flip.")
    ] = None,
    meeting_name: Annotated[
        str | None, typer.Option("--meeting-name", metavar="TEXT", help="What the meeting is called.")
    ] = None,
    start: Annotated[str | None, typer.Option("--start", metavar="HH:MM", help="When it starts.")] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="HH:MM", help="When it ends.")] = None,
    participants: Annotated[
        str | None, typer.Option("--participants", metavar='"A; B"', help="Who takes part.")
    ] = None,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Turn a room's meeting on or off; options that describe it mean on, and change a running meeting."""
    meeting = Meeting(
        name=meeting_name,
        start_time=start,
        end_time=end,
        participants=None if participants is None else participants.split(";"),
    )
    with open_scope() as scope:
        from electis_cli.services import conferences

        view = conferences.toggle_meeting(
            scope, room, turn_on=turn_on, meeting=meeting, store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields)


@app.command("delete", cls=Command)
def delete(
    room: RoomId,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Delete a conference room and its article; labels that show it are unlinked by AIMS."""
    confirm(f"Delete conference room {room}?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services import conferences

        view = conferences.delete_room(scope, room, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)


add_import(app, Noun.ROOM)
add_export(app, Noun.ROOM)
