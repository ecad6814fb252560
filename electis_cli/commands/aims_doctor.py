"""`electis aims doctor`: where the way from the database to the labels is broken, and the command that mends it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.debug_http import printable
from electis_cli.commands.exit_codes import exit_code_of
from electis_cli.commands.options import DebugHttp, Output, OutputFormat, StoreCode
from electis_cli.commands.output import show_many, show_one, talk

if TYPE_CHECKING:
    from electis_cli.services.steps import Step

_COLORS = {"PASS": "32", "WARN": "33", "FAIL": "1;31", "SKIP": "2"}
_NAME_WIDTH = 13


def doctor(
    store: StoreCode = None, output: Output = OutputFormat.TABLE, debug_http: DebugHttp = False
) -> None:
    """Examine the way to AIMS step by step, uncached, changing nothing; exits by the first step that fails."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services.doctor import diagnose

        is_table = output is OutputFormat.TABLE
        # Step by step, because the one that hangs is the one that is waited for.
        diagnosis = diagnose(scope, store=default_store(store), tell=_show if is_table else lambda _: None)
        view = diagnosis.view
        if is_table:
            counts = {status: sum(step.status == status for step in view.steps) for status in _COLORS}
            talk(", ".join(f"{count} {status}" for status, count in counts.items() if count))
        elif output is OutputFormat.JSON:
            show_one(view, output)
        else:
            show_many(view.steps, output, name="name")
        if diagnosis.failure is not None:
            raise typer.Exit(exit_code_of(diagnosis.failure))


def _show(step: Step) -> None:
    status = step.status.value
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        status = f"\033[{_COLORS[status]}m{status}\033[0m"
    line = f"{status}  {step.name:<{_NAME_WIDTH}}  {step.ms:>6} ms  {printable(step.cause)}"
    print(line.rstrip(), flush=True)
    if step.fix and step.status.value != "PASS":
        print(f"{'':4}  {'':{_NAME_WIDTH}}  {'':6}     fix: {printable(step.fix)}", flush=True)
