"""`electis daemon`: the companion that pushes, syncs and pings without anybody watching."""

from __future__ import annotations

import typer

from electis_cli.commands.launch import become_daemon
from electis_cli.commands.tree import Command, new_app

app = new_app()


@app.callback()
def daemon() -> None:
    """The companion daemon."""


@app.command("run", cls=Command)
def run(
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Log warnings and errors only."),
) -> None:
    """Run in the foreground until SIGTERM: queue, full syncs, pings and housekeeping of all organizations."""
    become_daemon(["--quiet"] if quiet else [])
