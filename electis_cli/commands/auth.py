"""`electis auth`: the login on this machine, and one's sessions everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import open_runtime, session_store, settings_in_force
from electis_cli.commands.options import Fields, Output, OutputFormat
from electis_cli.commands.output import show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem

app = new_app()


@app.command("status", cls=Command)
def status(output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show who is logged in, where the login is kept and when it ends."""
    with open_runtime() as runtime:
        from electis_cli.services.sessions import describe_login

        view = describe_login(runtime, session_store(settings_in_force()))
        show_one(view, output, fields=fields)
        if view.kept_in != "keyring" and output is OutputFormat.TABLE:
            talk("No keyring answers here, so the login is kept in that file, readable by you only.")


@app.command("sessions", cls=Command)
def sessions(output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """List your sessions on all machines."""
    with open_runtime() as runtime:
        from electis_cli.services.sessions import list_sessions

        show_many(list_sessions(runtime, session_store(settings_in_force())), output, fields=fields)


@app.command("revoke", cls=Command)
def revoke(
    session: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The session, from `electis auth sessions`.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All your sessions, this one too.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """End one of your sessions, or all of them."""
    if (session is None) != all_:
        raise UsageProblem(
            "Say which session to end.", fix="electis auth revoke ID, or: electis auth revoke --all"
        )
    with open_runtime() as runtime:
        from electis_cli.services.sessions import revoke_sessions

        show_one({"revoked": revoke_sessions(runtime, session_store(settings_in_force()), session)}, output)
