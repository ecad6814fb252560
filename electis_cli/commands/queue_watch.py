"""`electis queue watch`: the queue as it moves, live on a terminal, a line per change in a pipe."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from electis_cli.commands.access import default_store, open_scopes
from electis_cli.commands.debug_http import printable
from electis_cli.commands.exit_codes import EXIT_FAILED
from electis_cli.commands.options import Fields, Output, OutputFormat, StoreCode
from electis_cli.commands.output import Stream
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.timing import iso

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from electis_cli.services.watching import Look

app = new_app()

_ALWAYS = ("pending", "synced", "failed")
_COUNTS = (
    "pending", "syncing", "synced", "held", "conflict", "failed", "labels_pending", "labels_failed", "commands",
)  # fmt: skip
_FRAME = 7
"""Lines of the screen that are no store and no item: title, heads, blank lines, and the one the cursor is on."""
_LEAST_ITEMS = 3


@app.command("watch", cls=Command)
def watch(
    until_empty: Annotated[
        bool,
        typer.Option("--until-empty", help="End when nothing waits any more; exit 3 when something failed."),
    ] = False,
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Watch the queue until Ctrl-C: live on a terminal, else a line per change; `-o jsonl` is an object per change."""
    with open_scopes() as scope:
        from electis_cli.services import watching

        looks = watching.watch_queue(
            scope, store=default_store(store), until_empty=until_empty, wait=time.sleep
        )
        is_live = output is OutputFormat.TABLE and not fields and _is_screen()
        last = _show_live(looks) if is_live else show_changes(looks, output, fields)
        if last is not None and last.has_failed:
            raise typer.Exit(EXIT_FAILED)


def _is_screen() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in {"dumb", "unknown"}


def show_changes(looks: Iterable[Look], output: OutputFormat, fields: str | None) -> Look | None:
    """Write every change as it comes, and return the last look."""
    stream, last = Stream(output, line=_line, fields=fields, name="id"), None
    try:
        for last in looks:
            for change in last.changes:
                stream.write(change)
    except KeyboardInterrupt:
        stream.close()
        raise
    stream.close()
    return last


def _line(change: Mapping[str, Any]) -> str:
    moved = f"{change['before']} -> {change['status']}" if change["before"] else str(change["status"])
    words = [
        change["at"],
        change["store"],
        change["kind"],
        change["id"],
        moved,
        change["detail"],
        change["error"],
    ]
    return printable("  ".join(str(word).replace("\n", " ") for word in words if word))


def _show_live(looks: Iterable[Look]) -> Look | None:
    """Draw every look over the one before, and return the last."""
    from rich.console import Console
    from rich.live import Live

    console, last = Console(), None
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for last in looks:
            live.update(_screen(last, console.height), refresh=True)
    return last


def _screen(look: Look, height: int) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from electis_cli.services.watching import standing

    # What is zero everywhere only takes room.
    counts = [name for name in _COUNTS if name in _ALWAYS or any(getattr(one, name) for one in look.stores)]
    stores = _table("store", *counts, last="queue")
    for status in look.stores:
        stores.add_row(status.store, *(str(getattr(status, name)) for name in counts), standing(status))
    room = max(_LEAST_ITEMS, height - _FRAME - len(look.stores))
    items = _table("kind", "id", "store", "status", "attempts", "next try", "detail", last="error")
    for item in look.items[:room]:
        cells = (item.kind.value, item.id, item.store, item.status.value, str(item.attempts))
        items.add_row(*map(_cell, (*cells, iso(item.next_attempt_at), item.detail, item.error)))
    more = len(look.items) - room
    left = f"and {more} more" if more > 0 else "" if look.items else "The queue is empty."
    title = Text(f"electis queue at {iso(look.at)}; Ctrl-C ends", style="dim")
    return Group(title, stores, Text(), *([items] if look.items else []), Text(left))


def _table(*columns: str, last: str) -> Table:
    """Return an empty table whose last column gives way when the terminal is narrow."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.upper(), no_wrap=True, overflow="ellipsis")
    table.add_column(last.upper())
    return table


def _cell(value: str | None) -> RenderableType:
    """Return what is shown of a value: as it is, never as markup, on one line, harmless to the terminal."""
    from rich.text import Text

    return Text(printable((value or "").replace("\n", " ")), no_wrap=True, overflow="ellipsis")
