"""`electis user`: who may log in."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands.access import open_scope
from electis_cli.commands.exporting import add_export
from electis_cli.commands.importing import add_import
from electis_cli.commands.options import DryRun, Fields, Limit, OrgCode, Output, OutputFormat
from electis_cli.commands.output import show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.access import Role
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.errors import UsageProblem

if TYPE_CHECKING:
    from electis_cli.services.views import UserView

app = new_app()
_TABLE = ("email", "role", "store", "first_name", "last_name", "is_active", "last_login_at")


class OrganizationRole(StrEnum):
    """The roles within one organization."""

    ADMIN = "admin"
    MANAGER = "manager"
    VIEWER = "viewer"


Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's email address.")]
StoreLimit = Annotated[
    str | None, typer.Option("--store", metavar="CODE", help="Limit a manager or viewer to one store.")
]
FirstName = Annotated[str | None, typer.Option("--first-name", metavar="NAME", help="First name.")]
LastName = Annotated[str | None, typer.Option("--last-name", metavar="NAME", help="Last name.")]


@app.command("create", cls=Command)
def create(
    email: Email,
    role: Annotated[OrganizationRole, typer.Option("--role", help="What the user may do.")],
    store: StoreLimit = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    org: OrgCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Create a user; a temporary password goes out by mail, or is shown when no mail server is set."""
    with open_scope(org=org) as scope:
        from electis_cli.services import users

        view = users.create_user(
            scope,
            email,
            role=Role(role.value),
            store=store,
            first_name=first_name,
            last_name=last_name,
            dry_run=dry_run,
        )
        _show(view, output, fields)


@app.command("list", cls=Command)
def list_(
    limit: Limit = None, org: OrgCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List the organization's users."""
    with open_scope(org=org) as scope:
        from electis_cli.services import users

        show_many(users.list_users(scope, limit=limit), output, fields=fields, table=_TABLE)


@app.command("show", cls=Command)
def show(
    email: Email, org: OrgCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """Show one user."""
    with open_scope(org=org) as scope:
        from electis_cli.services import users

        _show(users.show_user(scope, email), output, fields)


@app.command("update", cls=Command)
def update(
    email: Email,
    role: Annotated[OrganizationRole | None, typer.Option("--role", help="What the user may do.")] = None,
    store: StoreLimit = None,
    all_stores: Annotated[bool, typer.Option("--all-stores", help="Not limited to one store.")] = False,
    first_name: FirstName = None,
    last_name: LastName = None,
    org: OrgCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Change a user's role, store or names; it holds from their next command on."""
    if store is not None and all_stores:
        raise UsageProblem("A user is limited to one store or to none.", fix="--store CODE, or --all-stores")
    with open_scope(org=org) as scope:
        from electis_cli.services import users

        view = users.update_user(
            scope,
            email,
            role=Role(role.value) if role else None,
            store=store,
            all_stores=all_stores,
            first_name=first_name,
            last_name=last_name,
            dry_run=dry_run,
        )
        _show(view, output, fields)


def _on_one_user(name: str, service: str, help_: str) -> Callable[..., None]:
    """Make a command that does one thing to one user."""

    @app.command(name, cls=Command, help=help_)
    def command(
        email: Email,
        org: OrgCode = None,
        dry_run: DryRun = False,
        output: Output = OutputFormat.TABLE,
        fields: Fields = None,
    ) -> None:
        with open_scope(org=org) as scope:
            from electis_cli.services import users

            _show(getattr(users, service)(scope, email, dry_run=dry_run), output, fields)

    return command


deactivate = _on_one_user("deactivate", "deactivate_user", "Let a user in no more; ends all their sessions.")
activate = _on_one_user("activate", "activate_user", "Let a deactivated user in again.")
unlock = _on_one_user("unlock", "unlock_user", "Forget a user's failed logins.")
reset_password = _on_one_user(
    "reset-password", "reset_password", "Give a user a new temporary password; ends all their sessions."
)


def _show(view: UserView, output: OutputFormat, fields: str | None) -> None:
    show_one(view, output, fields=fields)
    if view.temporary_password and output is OutputFormat.TABLE:
        talk("The temporary password is shown this once; it must be changed at the first login.")


add_import(app, Noun.USER)
add_export(app, Noun.USER)
