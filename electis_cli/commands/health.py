"""`electis health`: is everything there that electis needs? For the operator, without a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands.access import open_runtime, settings_in_force
from electis_cli.commands.exit_codes import EXIT_CODES
from electis_cli.commands.options import Output, OutputFormat
from electis_cli.commands.output import show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import DatabaseProblem, Unreachable

if TYPE_CHECKING:
    from electis_cli.services.health import HealthView

app = new_app()


@app.command("health", cls=Command)
def health(
    live: Annotated[
        bool, typer.Option("--live", help="Ask AIMS now, whatever the daemon's last ping says.")
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Check database, AIMS and, when configured, Redis and the receiver of alerts; list the open alerts.

    Exit 12, or 17 for the database, when one is in error.
    """
    view = _check(live=live)
    if output is OutputFormat.TABLE:
        rows = [
            {"component": name, "status": status, "problem": view.problems.get(name)}
            for name, status in view.components.items()
        ]
        show_many(rows, output)
        talk(view.status)
        for alert in view.alerts:
            talk(f"alert of {alert.organization}: {alert.text} Begin with: {alert.fix}")
    else:
        show_one(view, output, name="status")
    if view.components["database"] != "ok":
        raise typer.Exit(EXIT_CODES[DatabaseProblem])
    if view.status != "ok":
        raise typer.Exit(EXIT_CODES[Unreachable])


def _check(*, live: bool) -> HealthView:
    from electis_cli.services.health import check_health, database_down

    try:
        with open_runtime() as runtime:
            return check_health(runtime, live=live)
    except DatabaseProblem as error:
        from electis_cli.wiring import redis_ping

        return database_down(error, redis_ping(settings_in_force()))
