"""`electis db`: the database's schema; for the operator, without a login."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from electis_cli.commands.access import settings_in_force
from electis_cli.commands.options import Output, OutputFormat
from electis_cli.commands.output import show_one
from electis_cli.commands.tree import Command, new_app

if TYPE_CHECKING:
    from electis_cli.db.engine import Database

app = new_app()


@contextlib.contextmanager
def _open_database() -> Iterator[Database]:
    from electis_cli.wiring import open_database

    with contextlib.closing(open_database(settings_in_force(), check=False)) as database:
        yield database


@app.command("upgrade", cls=Command)
def upgrade(output: Output = OutputFormat.TABLE) -> None:
    """Bring the schema up to date, in one transaction."""
    with _open_database() as database:
        from electis_cli.services.setup import upgrade_schema

        show_one(upgrade_schema(database), output, name="revision")


@app.command("current", cls=Command)
def current(output: Output = OutputFormat.TABLE) -> None:
    """Show the schema the database has and the one this program needs."""
    with _open_database() as database:
        from electis_cli.services.setup import schema_state

        show_one(schema_state(database), output, name="revision")


@app.command("check", cls=Command)
def check(output: Output = OutputFormat.TABLE) -> None:
    """Fail (exit 17) unless this program can work with the database."""
    with _open_database() as database:
        from electis_cli.services.setup import check_schema

        show_one(check_schema(database), output, name="revision")
