"""`electis queue`: what waits to be pushed, and working it in the foreground."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands import exit_codes
from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.options import (
    DebugHttp,
    DryRun,
    Fields,
    Limit,
    Output,
    OutputFormat,
    StoreCode,
    Yes,
)
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import FormatChanged, FormatMissing, UsageProblem

if TYPE_CHECKING:
    from electis_cli.services.draining import DrainView

app = new_app()
dead_app = new_app()
app.add_typer(dead_app, name="dead", help="Dead letters: what was given up, and why.")

_STATUS_TABLE = (
    "store", "pending", "syncing", "synced", "held", "conflict", "failed", "labels_pending", "labels_failed",
    "paused", "breaker",
)  # fmt: skip
Timeout = Annotated[
    float, typer.Option("--timeout", min=0, metavar="SECONDS", help="How long to work at most.")
]


@app.command("status", cls=Command)
def status(store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show how many articles and label wishes wait, store by store."""
    with open_scope() as scope:
        from electis_cli.services import queue

        views = queue.queue_status(scope, store=default_store(store))
        show_many(
            views, output, fields=fields, table=_STATUS_TABLE, name="store", empty="There is no store yet."
        )


@app.command("list", cls=Command)
def list_(
    store: StoreCode = None, limit: Limit = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List what is not synced, in the order it is pushed."""
    with open_scope() as scope:
        from electis_cli.services import queue

        items = queue.queue_items(scope, store=default_store(store), limit=limit)
        show_many(items, output, fields=fields, name="id", empty="The queue is empty.")


@app.command("drain", cls=Command)
def drain(
    store: StoreCode = None,
    timeout: Timeout = 60.0,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Push everything that is due now, or wait for the worker that does; exit 0 means that the queue is empty."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import draining

        view = draining.drain(
            scope, store=default_store(store), timeout=timedelta(seconds=timeout), wait=time.sleep
        )
        show_one(view, output, fields=fields)
        raise typer.Exit(drain_exit_code(view))


def drain_exit_code(view: DrainView) -> int:
    """Return the exit code that tells why a queue is not empty (design section 6)."""
    left = view.left
    reasons = {store["breaker_reason"] for store in view.stores if store["breaker"] == "open"}
    codes = {store["error_code"] for store in view.stores}
    endings = {store["ending"] for store in view.stores}
    is_waiting = left["pending"] + left["syncing"] + left["labels_pending"] > 0
    is_configured = not ("format" in reasons or "no_format" in endings or codes & _FORMAT)
    stopped = bool(reasons) or bool(endings & {"paused", "breaker", "backoff"})
    has_failed = left["failed"] + left["labels_failed"] > 0
    is_stuck = left["held"] + left["conflict"] > 0
    # The first that holds says why.
    cases = (
        (is_waiting and ("health" in reasons or bool(codes & _UNREACHABLE)), exit_codes.EXIT_UNREACHABLE),
        (is_waiting and not is_configured, exit_codes.EXIT_CONFIGURATION),
        (is_waiting and stopped, exit_codes.EXIT_STOPPED),
        (has_failed, exit_codes.EXIT_FAILED),
        (is_stuck, exit_codes.EXIT_CONFLICT),
        (is_waiting, exit_codes.EXIT_TIME_UP),
    )
    return next((code for holds, code in cases if holds), 0)


_UNREACHABLE = {"E-AIMS-UNREACHABLE", "E-AIMS-AMBIGUOUS", "E-AIMS-CONTRACT"}
_FORMAT = {FormatMissing.code, FormatChanged.code}


@app.command("pause", cls=Command)
def pause(
    store: StoreCode = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever wonders.")] = "",
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Stop pushing a store; changes wait until somebody resumes it."""
    _pause(store, reason, output, fields, resume=False)


@app.command("resume", cls=Command)
def resume(store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Let a paused store go on."""
    _pause(store, "", output, fields, resume=True)


def _pause(store: str | None, reason: str, output: OutputFormat, fields: str | None, *, resume: bool) -> None:
    with open_scope() as scope:
        from electis_cli.services import queue

        views = queue.pause(scope, store=default_store(store), why=reason, resume=resume)
        show_many(views, output, fields=fields, table=_STATUS_TABLE, name="store")


Subjects = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Article ids or label codes.")]


@app.command("retry", cls=Command)
def retry(
    ids: Subjects = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that failed, is held or in conflict.")
    ] = False,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Push what failed, is held or in conflict once more: with today's content."""
    _retry(ids, everything, store, yes=yes, dry_run=dry_run, output=output)


def _retry(
    ids: list[str] | None,
    everything: bool,
    store: str | None,
    *,
    yes: bool,
    dry_run: bool,
    output: OutputFormat,
) -> None:
    if bool(ids) == everything:
        raise UsageProblem("Say which ones, or --all.", fix="electis queue retry ID")
    if everything:
        confirm("Retry everything that failed?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services import queue

        done = queue.retry(scope, ids or None, store=default_store(store), dry_run=dry_run)
        show_one({"retried": done, "dry_run": dry_run}, output)


@dead_app.command("list", cls=Command)
def list_dead(store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """List dead letters nobody has dealt with."""
    with open_scope() as scope:
        from electis_cli.services import queue

        letters = queue.dead_letters(scope, store=default_store(store))
        table = ("subject", "kind", "store", "error", "attempts", "at")
        show_many(
            letters, output, fields=fields, table=table, name="subject", empty="There are no dead letters."
        )


@dead_app.command("retry", cls=Command)
def retry_dead(
    ids: Subjects = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Push dead letters once more: with today's content."""
    _retry(ids, everything, store, yes=yes, dry_run=dry_run, output=output)


@dead_app.command("discard", cls=Command)
def discard_dead(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Article ids or label codes.")],
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Silence dead letters; the articles stay failed until somebody edits them."""
    with open_scope() as scope:
        from electis_cli.services import queue

        done = queue.discard(scope, ids, store=default_store(store), dry_run=dry_run)
        show_one({"discarded": done, "dry_run": dry_run}, output)
