"""`electis init`: the operator's first command."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import read_password, settings_in_force
from electis_cli.commands.options import Output, OutputFormat
from electis_cli.commands.output import show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.organizations import check_email, check_organization_code
from electis_cli.domain.passwords import require_strong

app = new_app()


@app.command("init", cls=Command)
def init(
    org_code: Annotated[str, typer.Option("--org-code", metavar="CODE", help="3 to 20 of A-Z and 0-9.")],
    org_name: Annotated[str, typer.Option("--org-name", metavar="NAME", help="The organization's name.")],
    admin_email: Annotated[str, typer.Option("--admin-email", metavar="EMAIL", help="Its first admin.")],
    admin_password_stdin: Annotated[
        bool, typer.Option("--admin-password-stdin", help="Read the admin's password from standard input.")
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Create the database, an organization and its admin; on a live database, add an organization."""
    check_organization_code(org_code)
    check_email(admin_email)
    password = read_password("Password of the admin", from_stdin=admin_password_stdin)
    # Checked before the key file is made: a refused init leaves nothing behind.
    require_strong(password, email=admin_email)

    from electis_cli.services.setup import initialize
    from electis_cli.wiring import make_runtime, open_database, prepare_master_key

    settings = settings_in_force()
    database = open_database(settings, check=False)
    sealer = prepare_master_key(settings, database)
    runtime = make_runtime(settings, database=database, sealer=sealer)
    result = initialize(
        runtime, org_code=org_code, org_name=org_name, admin_email=admin_email, admin_password=password
    )
    show_one(result, output, name="organization")
    if output is OutputFormat.TABLE:
        if not settings.secret_key:
            talk(f"The master key is in {settings.key_file}; keep a copy of it in a safe place.")
        talk(f"next: electis login {result.admin}")
