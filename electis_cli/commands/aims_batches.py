"""`electis aims batch`: what became of the writes AIMS took."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.options import (
    DebugHttp,
    Fields,
    Limit,
    Output,
    OutputFormat,
    StoreCode,
    real_number,
)
from electis_cli.commands.output import plain, show_many, show_one
from electis_cli.commands.tree import Command, new_app

app = new_app()
BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="A batch's id, as `aims batch list` shows it.")]


class Kind(StrEnum):
    """What a batch is about."""

    ARTICLE = "ARTICLE"
    ASSIGN = "ASSIGN"
    IMAGEPUSH = "IMAGEPUSH"


@app.command("list", cls=Command)
def list_(
    hours: Annotated[
        float,
        typer.Option(
            "--hours", min=0, max=24 * 90, callback=real_number, metavar="N", help="How far to look back."
        ),
    ] = 24.0,
    kind: Annotated[
        Kind, typer.Option("--kind", case_sensitive=False, help="Article writes, links or pushed images.")
    ] = Kind.ARTICLE,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List the writes AIMS took, newest first, by whomever they were made."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_batches

        found = aims_batches.list_batches(
            scope, hours=hours, kind=kind.value, store=default_store(store), limit=limit
        )
        table = (
            "batch", "result", "total", "failed", "labels", "labels_done", "labels_failed", "stores", "created",
            "error",
        )  # fmt: skip
        show_many(found, output, fields=fields, table=table, empty="AIMS knows no such batch.")


@app.command("show", cls=Command)
def show(
    batch: BatchId,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Show one batch and every label it changed, in every state."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_batches

        view = plain(aims_batches.show_batch(scope, batch))
        record = {**view["batch"], **{name: value for name, value in view.items() if name != "batch"}}
        if output is not OutputFormat.TABLE or fields:
            show_one(record, output, fields=fields)
            return
        rows, refused = record.pop("rows"), record.pop("refused")
        show_one(record, output)
        show_many(
            rows,
            output,
            table=("article_id", "label_code", "result", "error", "at"),
            empty="It changed no label.",
        )
        if refused:
            show_many(refused, output, table=("index", "article_id", "store", "reason"))


@app.command("errors", cls=Command)
def errors(
    batch: BatchId,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List the records of a batch that AIMS did not take, and why."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_batches

        found = aims_batches.batch_errors(scope, batch)
        table = ("index", "article_id", "store", "reason", "at")
        show_many(found, output, fields=fields, table=table, name="reason", empty="AIMS took every record.")
