"""Every command of the tree, as Typer resolves it, lazy groups included."""

from __future__ import annotations

from functools import cache
from typing import Any

import typer

from electis_cli.commands.main import app


@cache
def commands() -> dict[str, Any]:
    """Return all commands by their path, such as `queue dead list`."""
    found: dict[str, Any] = {}

    def walk(command: Any, path: tuple[str, ...]) -> None:
        if not hasattr(command, "list_commands"):
            found[" ".join(path)] = command
            return
        context = command.make_context("electis", [], resilient_parsing=True)
        for name in command.list_commands(context):
            walk(command.get_command(context, name), (*path, name))

    walk(typer.main.get_command(app), ())
    return found


def options(path: str) -> set[str]:
    """Return a command's options in all their spellings."""
    return {spelling for parameter in commands()[path].params for spelling in parameter.opts}
