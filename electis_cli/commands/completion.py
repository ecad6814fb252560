"""`electis completion`: the script that makes a shell complete electis's commands and options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from electis_cli.commands.tree import Command, new_app

app = new_app()
PROGRAM = "electis"
VARIABLE = "_ELECTIS_COMPLETE"


class Shell(StrEnum):
    """The shells Typer knows."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


@app.command("completion", cls=Command)
def completion(shell: Annotated[Shell, typer.Argument(help="The shell to write the script for.")]) -> None:
    """Print the completion script of a shell."""
    # Typer's own module for this; what it exports elsewhere asks which shell it runs in.
    from typer._completion_shared import get_completion_script

    print(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value))


def answer_shells() -> None:
    """Let Typer answer a shell that asks what may come next."""
    from typer._completion_classes import completion_init

    completion_init()
