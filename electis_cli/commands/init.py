"""`electis init`: the operator's first command."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands.access import read_password, settings_in_force
from electis_cli.commands.options import Output, OutputFormat
from electis_cli.commands.output import show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem
from electis_cli.domain.organizations import check_email, check_organization_code
from electis_cli.domain.passwords import require_strong

if TYPE_CHECKING:
    from electis_cli.services.runtime import Runtime
    from electis_cli.services.setup import Installed

app = new_app()


@app.command("init", cls=Command)
def init(
    org_code: Annotated[
        str | None, typer.Option("--org-code", metavar="CODE", help="3 to 20 of A-Z and 0-9.")
    ] = None,
    org_name: Annotated[
        str | None, typer.Option("--org-name", metavar="NAME", help="The organization's name.")
    ] = None,
    admin_email: Annotated[
        str | None, typer.Option("--admin-email", metavar="EMAIL", help="Its first admin.")
    ] = None,
    platform_admin: Annotated[
        str | None,
        typer.Option(
            "--platform-admin",
            metavar="EMAIL",
            help="Make an admin of all organizations instead of an organization.",
        ),
    ] = None,
    admin_password_stdin: Annotated[
        bool, typer.Option("--admin-password-stdin", help="Read the admin's password from standard input.")
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Create the database, an organization and its admin; on a live database, add an organization."""
    if platform_admin is not None:
        if org_code or org_name or admin_email:
            raise UsageProblem(
                "A platform admin and an organization are made one after the other.",
                fix="run init twice: once with --platform-admin, once with --org-code and --admin-email",
            )
        email, code = check_email(platform_admin), ""
    elif org_code is None or admin_email is None:
        raise UsageProblem(
            "Say which organization to make, and who its admin is.",
            fix="electis init --org-code CODE --org-name NAME --admin-email EMAIL",
        )
    else:
        email, code = check_email(admin_email), check_organization_code(org_code)
    password = read_password("Password of the admin", from_stdin=admin_password_stdin)
    # Checked before the key file is made: a refused init leaves nothing behind.
    require_strong(password, email=email)

    def make(runtime: Runtime) -> Installed:
        from electis_cli.services import setup

        if not code:
            return setup.create_platform_admin(runtime, email=email, password=password)
        return setup.initialize(
            runtime, org_code=code, org_name=org_name or code, admin_email=email, admin_password=password
        )

    _install(make, output)


def _install(make: Callable[[Runtime], Installed], output: OutputFormat) -> None:
    from electis_cli.wiring import make_runtime, open_database, prepare_master_key

    settings = settings_in_force()
    with contextlib.closing(open_database(settings, check=False)) as database:
        sealer = prepare_master_key(settings, database)
        result = make(make_runtime(settings, database=database, sealer=sealer))
    show_one(result, output, name="admin" if result.organization is None else "organization")
    if output is OutputFormat.TABLE:
        if not settings.secret_key:
            talk(f"The master key is in {settings.key_file}; keep a copy of it in a safe place.")
        talk(f"next: electis login {result.admin}")
