"""`electis mail`: the outbox."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import open_scope
from electis_cli.commands.exit_codes import EXIT_CODES
from electis_cli.commands.options import DryRun, Fields, Limit, OrgCode, Output, OutputFormat
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import PartialFailure

app = new_app()
_TABLE = ("id", "kind", "recipient", "state", "attempts", "next_attempt_at", "error")


@app.command("list", cls=Command)
def list_(
    limit: Limit = None, org: OrgCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List the outbox, newest first; texts stay sealed."""
    with open_scope(org=org) as scope:
        from electis_cli.services import mail

        views = mail.list_mail(scope, limit=limit)
        show_many(views, output, fields=fields, table=_TABLE, empty="The outbox is empty.")


@app.command("send", cls=Command)
def send(org: OrgCode = None, output: Output = OutputFormat.TABLE) -> None:
    """Send the mails whose time has come, as the daemon does; exit 3 when one did not go out."""
    with open_scope(org=org) as scope:
        from electis_cli.services import mail

        counts = mail.send_mail_now(scope)
        show_one(counts, output)
    if counts.postponed:
        raise typer.Exit(EXIT_CODES[PartialFailure])


@app.command("retry", cls=Command)
def retry(
    mail_id: Annotated[str, typer.Argument(metavar="ID", help="The mail, from `electis mail list`.")],
    org: OrgCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Make a mail due now, also one that was given up."""
    with open_scope(org=org) as scope:
        from electis_cli.services import mail

        show_one(mail.retry_mail(scope, mail_id, dry_run=dry_run), output, fields=fields)
