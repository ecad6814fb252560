"""`electis wait`: for scripts that go on when labels show the change."""

from __future__ import annotations

import time
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from electis_cli.commands import exit_codes
from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.options import DebugHttp, Fields, Output, OutputFormat, StoreCode, Timeout
from electis_cli.commands.output import show_one
from electis_cli.commands.tree import Command, new_app

app = new_app()


class Goal(StrEnum):
    """What can be waited for."""

    QUEUE_EMPTY = "queue-empty"
    DISPLAYED = "displayed"


@app.command("wait", cls=Command)
def wait(
    goal: Annotated[Goal, typer.Option("--for", help="What to wait for.")] = Goal.QUEUE_EMPTY,
    store: StoreCode = None,
    timeout: Timeout = 60.0,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Wait until the queue is empty, or labels have drawn what AIMS accepted; exit 18 when the time is up."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import waiting

        view = waiting.wait_for(
            scope,
            waiting.Goal(goal.value),
            store=default_store(store),
            timeout=timedelta(seconds=timeout),
            pause=time.sleep,
        )
        show_one(view, output, fields=fields)
        if not view.is_over:
            raise typer.Exit(exit_codes.EXIT_TIME_UP)
        if view.failed or (goal is Goal.DISPLAYED and view.timed_out):
            raise typer.Exit(exit_codes.EXIT_FAILED)
