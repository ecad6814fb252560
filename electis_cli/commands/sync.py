"""`electis sync`: comparing whole stores with AIMS."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Annotated

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.options import DebugHttp, DryRun, Fields, Limit, Output, OutputFormat, StoreCode
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.queue import drain_exit_code
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem
from electis_cli.domain.organizations import Strategy

app = new_app()
RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as in `sync history`.")]


@app.command("full", cls=Command)
def full(
    store: StoreCode = None,
    all_stores: Annotated[
        bool, typer.Option("--all-stores", help="Every store, whatever the profile says.")
    ] = False,
    push: Annotated[bool, typer.Option("--push/--no-push", help="Push what became dirty afterwards.")] = True,
    no_window: Annotated[
        bool, typer.Option("--no-window", help="Believe what AIMS shows at once, without the settle window.")
    ] = False,
    strategy: Annotated[
        Strategy | None, typer.Option("--strategy", help="Who wins conflicts in this run.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0, metavar="SECONDS", help="For the push.")
    ] = 60.0,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Compare stores with AIMS, settle what differs, then push."""
    if all_stores and store:
        raise UsageProblem("--store and --all-stores contradict each other.", fix="choose one of them")
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import syncing

        view = syncing.sync_stores(
            scope,
            store=None if all_stores else default_store(store),
            dry_run=dry_run,
            push=push,
            believe_at_once=no_window,
            strategy=strategy,
            timeout=timedelta(seconds=timeout),
            wait=time.sleep,
        )
        if output is OutputFormat.TABLE and not fields:
            _show_plan(view)
        else:
            show_one(view, output, fields=fields)
        if view.push is not None:
            raise typer.Exit(drain_exit_code(view.push))


def _show_plan(view: object) -> None:
    from electis_cli.services.syncing import FullSyncView

    assert isinstance(view, FullSyncView)
    summary = {"state": view.state, "counts": view.counts, "writes": view.writes}
    if view.push is not None:
        summary["pushed"] = {name: count for name, count in view.push.pushed.items() if count}
        summary["queue_empty"] = view.push.empty
    show_one(summary, OutputFormat.TABLE)
    actions = [{"store": item.store, **action} for item in view.stores for action in item.actions]
    if actions:
        show_many(actions, OutputFormat.TABLE)


@app.command("status", cls=Command)
def status(store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show how each store's syncs stand."""
    with open_scope() as scope:
        from electis_cli.services import syncing

        views = syncing.sync_status(scope, store=default_store(store))
        table = ("store", "state", "last_sync_at", "last_run_state", "counts", "last_solum_ping", "breaker")
        show_many(views, output, fields=fields, table=table, name="store", empty="There is no store yet.")


@app.command("history", cls=Command)
def history(
    store: StoreCode = None, limit: Limit = None, output: Output = OutputFormat.TABLE, fields: Fields = None
) -> None:
    """List full sync runs, newest first."""
    with open_scope() as scope:
        from electis_cli.services import syncing

        runs = syncing.sync_history(scope, store=default_store(store), limit=limit)
        table = ("id", "store", "state", "started_at", "counts", "error_code")
        show_many(runs, output, fields=fields, table=table, name="id", empty="There was no full sync yet.")


@app.command("show", cls=Command)
def show(run: RunId, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show one run and what it planned."""
    with open_scope() as scope:
        from electis_cli.services import syncing

        show_one(syncing.show_run(scope, run), output, fields=fields)


@app.command("approve", cls=Command)
def approve(run: RunId, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Let a held run go on, with exactly the plan that was held."""
    with open_scope() as scope:
        from electis_cli.services.full_sync import approve_run

        show_one(approve_run(scope, run), output, fields=fields, name="run")
