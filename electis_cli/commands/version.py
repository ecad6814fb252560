"""`electis version`."""

from __future__ import annotations

import platform

from electis_cli.commands.options import Output, OutputFormat
from electis_cli.commands.output import show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.version import VERSION

app = new_app()


@app.command("version", cls=Command)
def version(output: Output = OutputFormat.TABLE) -> None:
    """Show the version of electis and of the Python it runs on."""
    show_one({"version": VERSION, "python": platform.python_version()}, output)
