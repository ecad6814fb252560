"""`electis login`, `logout` and `whoami`."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import (
    open_runtime,
    read_password,
    session_store,
    settings_in_force,
)
from electis_cli.commands.options import Output, OutputFormat
from electis_cli.commands.output import show_one, talk
from electis_cli.commands.tree import Command, new_app

app = new_app()


@app.command("login", cls=Command)
def login(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Who logs in.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Log in on this machine."""
    with open_runtime() as runtime:
        from electis_cli.adapters.session_store import StoredSession
        from electis_cli.services.auth import log_in
        from electis_cli.services.identity import describe_user

        settings = settings_in_force()
        done = log_in(runtime, email, read_password("Password", from_stdin=password_stdin))
        place = session_store(settings).save(
            StoredSession(
                access_token=done.access_token, refresh_token=done.refresh_token, email=done.user.email
            )
        )
        show_one(describe_user(runtime, done.user), output, name="email")
        if place != "keyring" and output is OutputFormat.TABLE:
            talk(f"No keyring answers here, so the login is kept in {place}, readable by you only.")
        if done.user.must_change_password:
            talk("next: electis password change")


@app.command("logout", cls=Command)
def logout(output: Output = OutputFormat.TABLE) -> None:
    """Log out on this machine; the session ends in the database too."""
    with open_runtime() as runtime:
        from electis_cli.services.auth import log_out

        show_one({"logged_out": log_out(runtime, session_store(settings_in_force()))}, output)


@app.command("whoami", cls=Command)
def whoami(output: Output = OutputFormat.TABLE) -> None:
    """Show who is logged in, in which organization and role."""
    with open_runtime() as runtime:
        from electis_cli.services.auth import current_user
        from electis_cli.services.identity import describe_user

        user = current_user(runtime, session_store(settings_in_force()))
        show_one(describe_user(runtime, user), output, name="email")
