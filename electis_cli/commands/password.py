"""`electis password`: changing one's own password."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from electis_cli.commands.access import open_runtime, read_password, session_store, settings_in_force
from electis_cli.commands.options import Output, OutputFormat
from electis_cli.commands.output import show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import InvalidInput

app = new_app()


@app.callback()
def password() -> None:
    """Your password."""


@app.command("change", cls=Command)
def change(
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read two lines: the old password and the new one."),
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Change your password; ends all your sessions, so log in again."""
    with open_runtime() as runtime:
        from electis_cli.services.auth import change_password, current_user

        store = session_store(settings_in_force())
        user = current_user(runtime, store)
        old = read_password("Old password", from_stdin=password_stdin)
        new = read_password("New password", from_stdin=password_stdin)
        if not password_stdin and sys.stdin.isatty():
            again = read_password("New password, again", from_stdin=False)
            if again != new:
                raise InvalidInput("The two new passwords differ; nothing was changed.")
        ended = change_password(runtime, user, old, new)
        store.forget()
        show_one({"email": user.email, "sessions_ended": ended}, output)
        talk(f"next: electis login {user.email}")
