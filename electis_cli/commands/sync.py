"""`electis sync`: comparing whole stores with AIMS."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.exit_codes import EXIT_CHANGES_PENDING
from electis_cli.commands.options import (
    DebugHttp,
    DryRun,
    Fields,
    Limit,
    Output,
    OutputFormat,
    StoreCode,
    Timeout,
)
from electis_cli.commands.output import plain, show_many, show_one, talk
from electis_cli.commands.queue import drain_exit_code
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem
from electis_cli.domain.organizations import Strategy

if TYPE_CHECKING:
    from electis_cli.services.differing import Difference

app = new_app()
AllStores = Annotated[bool, typer.Option("--all-stores", help="Every store, whatever the profile says.")]
NoWindow = Annotated[
    bool, typer.Option("--no-window", help="Believe what AIMS shows at once, without the settle window.")
]
PushAfterwards = Annotated[bool, typer.Option("--push/--no-push", help="Push what became dirty afterwards.")]
WhoWins = Annotated[Strategy | None, typer.Option("--strategy", help="Who wins conflicts in this run.")]
TakeIn = Annotated[
    bool, typer.Option("--import", help="Take in what others made at AIMS, as spaces and rooms.")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as in `sync history`.")]


@app.command("full", cls=Command)
def full(
    store: StoreCode = None,
    all_stores: AllStores = False,
    push: PushAfterwards = True,
    no_window: NoWindow = False,
    strategy: WhoWins = None,
    max_deletes: Annotated[
        int | None,
        typer.Option(
            "--max-deletes", min=0, metavar="N", help="Hold the plan when it deletes more than N articles."
        ),
    ] = None,
    take_in: TakeIn = False,
    timeout: Timeout = 60.0,
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
        from electis_cli.services.full_sync import Choice

        view = syncing.sync_stores(
            scope,
            store=None if all_stores else default_store(store),
            dry_run=dry_run,
            push=push,
            choice=Choice(
                strategy=strategy,
                believe_at_once=no_window,
                take_in=take_in,
                most_deletions=max_deletes,
            ),
            timeout=timedelta(seconds=timeout),
            wait=time.sleep,
        )
        if output is OutputFormat.TABLE and not fields:
            _show_plan(view)
        elif output is OutputFormat.NAME and not fields:
            show_many(view.stores, output, name="store")
        else:
            show_one(view, output, fields=fields)
        if view.push is not None:
            raise typer.Exit(drain_exit_code(view.push))


def _show_plan(view: object) -> None:
    from electis_cli.services.syncing import FullSyncView

    assert isinstance(view, FullSyncView)
    summary: dict[str, object] = {"state": view.state, "counts": view.counts, "writes": view.writes}
    if view.brakes:
        summary |= {"would be held:": _told_by_store(view.brakes), "digest": view.digest}
    if view.push is not None:
        summary["pushed"] = {name: count for name, count in view.push.pushed.items() if count}
        summary["queue_empty"] = view.push.empty
    show_one(summary, OutputFormat.TABLE)
    if view.actions:
        show_many(view.actions, OutputFormat.TABLE)


def _told_by_store(brakes: Sequence[Mapping[str, Any]]) -> str:
    """Return the brakes in words, store by store."""
    from electis_cli.services.full_sync import tell_brakes

    stores = sorted({str(brake["store"]) for brake in brakes})
    told = {store: tell_brakes([brake for brake in brakes if brake["store"] == store]) for store in stores}
    return "; ".join(f"store {store}: {text}" for store, text in told.items())


@app.command("status", cls=Command)
def status(store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show how each store's syncs stand."""
    with open_scope() as scope:
        from electis_cli.services import syncing

        views = syncing.sync_status(scope, store=default_store(store))
        table = (
            "store", "state", "last_sync_at", "last_run_state", "counts", "labels_accepted", "labels_displayed",
            "labels_timed_out", "last_solum_ping", "breaker",
        )  # fmt: skip
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
        from electis_cli.services.full_sync import tell_brakes

        view = syncing.show_run(scope, run)
        if output is not OutputFormat.TABLE or fields:
            show_one(view, output, fields=fields)
            return
        record = plain(view)
        actions = record.pop("actions")
        show_one({**record, "brakes": tell_brakes(view.brakes)}, output)
        if actions:
            show_many(actions, output)


@app.command("approve", cls=Command)
def approve(
    run: RunId,
    push: PushAfterwards = True,
    timeout: Timeout = 60.0,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Let a held run go on, with exactly the plan that was held, then push."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import syncing

        view = syncing.approve_and_push(
            scope, run, dry_run=dry_run, push=push, timeout=timedelta(seconds=timeout), wait=time.sleep
        )
        show_one(view, output, fields=fields, name="run")
        if view.push is not None:
            raise typer.Exit(drain_exit_code(view.push))


@app.command("diff", cls=Command)
def diff(
    store: StoreCode = None,
    all_stores: AllStores = False,
    no_window: NoWindow = False,
    strategy: WhoWins = None,
    take_in: TakeIn = False,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Show where AIMS and the database differ, field by field; exit 10 when a full sync would write something."""
    if all_stores and store:
        raise UsageProblem("--store and --all-stores contradict each other.", fix="choose one of them")
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.domain.reconcile import CHANGES
        from electis_cli.services.differing import diff_stores
        from electis_cli.services.full_sync import Choice

        found = diff_stores(
            scope,
            store=None if all_stores else default_store(store),
            choice=Choice(believe_at_once=no_window, strategy=strategy, take_in=take_in),
        )
        if output is OutputFormat.TABLE and not fields:
            _show_differences(found[:limit] if limit is not None else found)
        else:
            show_many(found[:limit] if limit is not None else found, output, fields=fields, name="article_id")
        if any(difference.step in {step.value for step in CHANGES} for difference in found):
            raise typer.Exit(EXIT_CHANGES_PENDING)


def _show_differences(found: Sequence[Difference]) -> None:
    rows: list[dict[str, str]] = []
    for difference in found:
        where = {"store": difference.store, "article_id": difference.article_id, "step": difference.step}
        nothing = {"column": "", "base": "", "ours": "", "aims": ""}
        rows.extend({**where, **plain(field)} for field in difference.fields)
        if not difference.fields:
            rows.append({**where, **nothing})
    show_many(rows, OutputFormat.TABLE, empty="AIMS shows what the database says.")
    for step in sorted({difference.step for difference in found}):
        reason = next(one.reason for one in found if one.step == step)
        talk(f"{step}: {reason}")


@app.command("conflicts", cls=Command)
def conflicts(
    store: StoreCode = None,
    decided: Annotated[
        bool, typer.Option("--decided", help="Those of the last 90 days that were decided, too.")
    ] = False,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """List what waits for a person: both sides of it, and what they agreed on before."""
    with open_scope() as scope:
        from electis_cli.services.conflicts import list_conflicts

        found = list_conflicts(scope, store=default_store(store), decided=decided, limit=limit)
        table = ("article_id", "store", "at", "open", "choice", "why", "fields")
        show_many(
            found, output, fields=fields, table=table, name="article_id", empty="Nothing waits for a person."
        )


@app.command("resolve", cls=Command)
def resolve(
    article_id: Annotated[str, typer.Argument(metavar="ARTICLE", help="As in `sync conflicts`.")],
    ours: Annotated[bool, typer.Option("--ours", help="AIMS gets what the database says.")] = False,
    theirs: Annotated[bool, typer.Option("--theirs", help="The database takes what AIMS shows.")] = False,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Choose a side for an article that waits for a person."""
    if ours == theirs:
        raise UsageProblem(
            "Say which side is right.",
            why="Either --ours or --theirs.",
            fix=f"electis sync resolve {article_id} --ours",
        )
    with open_scope() as scope:
        from electis_cli.services.conflicts import resolve_conflict

        view = resolve_conflict(
            scope, article_id, take_ours=ours, store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields, name="article_id")
