"""`electis queue`: what waits to be pushed, working it in the foreground, and steering it."""

from __future__ import annotations

import time
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands import exit_codes, queue_dead, queue_watch
from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.options import (
    DebugHttp,
    DryRun,
    Fields,
    Limit,
    Output,
    OutputFormat,
    StoreCode,
    Timeout,
    Yes,
)
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem
from electis_cli.domain.watching import ItemKind

if TYPE_CHECKING:
    from electis_cli.services.draining import DrainView

app = new_app()
app.add_typer(queue_watch.app)
app.add_typer(queue_dead.app, name="dead", help="Dead letters: what was given up, and why.")

_STATUS_TABLE = (
    "store", "pending", "syncing", "synced", "held", "conflict", "failed", "labels_pending", "labels_failed",
    "commands", "paused", "breaker",
)  # fmt: skip
_ITEMS_TABLE = ("kind", "id", "store", "status", "detail", "attempts", "next_attempt_at", "error")


class ItemStatus(StrEnum):
    """How something that is in the queue can stand."""

    PENDING = "pending"
    SYNCING = "syncing"
    HELD = "held"
    CONFLICT = "conflict"
    FAILED = "failed"


@app.command("status", cls=Command)
def status(store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show how many articles, label wishes and one-shot commands wait, store by store."""
    with open_scope() as scope:
        from electis_cli.services import queue

        views = queue.queue_status(scope, store=default_store(store))
        show_many(
            views, output, fields=fields, table=_STATUS_TABLE, name="store", empty="There is no store yet."
        )


@app.command("list", cls=Command)
def list_(
    kind: Annotated[
        list[ItemKind] | None, typer.Option("--kind", help="Only these kinds; may be repeated.")
    ] = None,
    status: Annotated[
        list[ItemStatus] | None, typer.Option("--status", help="Only what stands so; may be repeated.")
    ] = None,
    error: Annotated[
        str | None,
        typer.Option(
            "--error", metavar="TEXT", help="Only with this error: its code, or a piece of its text."
        ),
    ] = None,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """List what is not synced, in the order it is pushed: articles, label wishes, one-shot commands."""
    with open_scope() as scope:
        from electis_cli.services import queue_items

        items = queue_items.queue_items(
            scope,
            store=default_store(store),
            kinds=kind or (),
            statuses=status or (),
            error=error,
            limit=limit,
        )
        is_narrowed = bool(kind or status or error)
        empty = "Nothing in the queue is like that." if is_narrowed else "The queue is empty."
        show_many(items, output, fields=fields, table=_ITEMS_TABLE, name="id", empty=empty)


@app.command("show", cls=Command)
def show(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="An article's id, a label's code or a command's id.")
    ],
    kind: Annotated[
        ItemKind | None, typer.Option("--kind", help="What it is, when several have this name.")
    ] = None,
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Show everything the queue knows of one article, label or command, synced and ended ones too."""
    with open_scope() as scope:
        from electis_cli.services import queue_details

        view = queue_details.show_item(scope, identifier, kind=kind, store=default_store(store))
        show_one(view, output, fields=fields, name="id")


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
        if output is OutputFormat.NAME and not fields:
            show_many(view.stores, output, name="store")
        else:
            show_one(view, output, fields=fields)
        raise typer.Exit(drain_exit_code(view))


def drain_exit_code(view: DrainView) -> int:
    """Return the exit code that tells why a queue is not empty (design section 6)."""
    left = view.left
    reasons = {store["breaker_reason"] for store in view.stores if store["breaker"] == "open"}
    met = {exit_codes.exit_code_for(store["error_code"]) for store in view.stores if store["error_code"]}
    endings = {store["ending"] for store in view.stores}
    is_waiting = left["pending"] + left["syncing"] + left["labels_pending"] + left["commands"] > 0
    is_configured = not (
        "format" in reasons or "no_format" in endings or exit_codes.EXIT_CONFIGURATION in met
    )
    stopped = (
        bool(reasons) or bool(endings & {"paused", "breaker", "backoff"}) or exit_codes.EXIT_STOPPED in met
    )
    has_failed = left["failed"] + left["labels_failed"] > 0
    is_stuck = left["held"] + left["conflict"] > 0
    # The first that holds says why.
    cases = (
        (
            is_waiting and ("health" in reasons or exit_codes.EXIT_UNREACHABLE in met),
            exit_codes.EXIT_UNREACHABLE,
        ),
        (is_waiting and not is_configured, exit_codes.EXIT_CONFIGURATION),
        (is_waiting and stopped, exit_codes.EXIT_STOPPED),
        (has_failed, exit_codes.EXIT_FAILED),
        (is_stuck, exit_codes.EXIT_CONFLICT),
        (is_waiting, exit_codes.EXIT_TIME_UP),
    )
    return next((code for holds, code in cases if holds), 0)


@app.command("pause", cls=Command)
def pause(
    store: StoreCode = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever wonders.")] = "",
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Stop pushing a store; changes wait until somebody resumes it."""
    _pause(store, reason, output, fields, resume=False, dry_run=dry_run)


@app.command("resume", cls=Command)
def resume(
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Let a paused store go on."""
    _pause(store, "", output, fields, resume=True, dry_run=dry_run)


def _pause(
    store: str | None, reason: str, output: OutputFormat, fields: str | None, *, resume: bool, dry_run: bool
) -> None:
    with open_scope() as scope:
        from electis_cli.services import queue

        views = queue.pause(scope, store=default_store(store), why=reason, resume=resume, dry_run=dry_run)
        show_many(views, output, fields=fields, table=_STATUS_TABLE, name="store")


@app.command("retry", cls=Command)
def retry(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Article ids or label codes.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that failed, is held or in conflict.")
    ] = False,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Push what failed, is held or in conflict once more: with today's content."""
    if bool(ids) == everything:
        raise UsageProblem("Say which ones, or --all.", fix="electis queue retry ID")
    if everything:
        confirm("Retry everything that failed?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services import queue

        done = queue.retry(scope, ids or None, store=default_store(store), dry_run=dry_run)
        show_one({"retried": done, "dry_run": dry_run}, output)


@app.command("cancel", cls=Command)
def cancel(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Command ids, as `queue list` shows them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every command of the store that waits.")] = False,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Take one-shot commands back that were not sent yet; articles and label wishes can not be canceled."""
    if bool(ids) == everything:
        raise UsageProblem("Say which ones, or --all.", fix="electis queue cancel ID")
    with open_scope() as scope:
        from electis_cli.services import canceling

        done = canceling.cancel_commands(scope, ids or None, store=default_store(store), dry_run=dry_run)
        show_one({"canceled": done, "dry_run": dry_run}, output)
