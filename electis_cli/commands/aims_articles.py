"""`electis aims article`: what AIMS holds, and how it differs from ours."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.options import DebugHttp, Fields, Limit, Output, OutputFormat, StoreCode
from electis_cli.commands.output import plain, show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app

app = new_app()
ArticleId = Annotated[
    str, typer.Argument(metavar="ARTICLE_ID", help="A space's id, or prefix and id of a room, as in C3.")
]


@app.command("list", cls=Command)
def list_(
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="Only names that hold this.")
    ] = None,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List the articles AIMS holds; says so when its own count is another."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_articles

        warnings: list[str] = []
        found = aims_articles.list_articles(
            scope, store=default_store(store), name=name, limit=limit, warn=warnings.append
        )
        table = ("article_id", "store", "name", "labels", "last_updated")
        show_many(found, output, fields=fields, table=table, empty="AIMS holds no such article.")
        for warning in warnings:
            talk(f"warning: {warning}")


@app.command("show", cls=Command)
def show(
    article: ArticleId,
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Show an article as the database wants it and as AIMS holds it, field by field."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_articles

        view = aims_articles.show_article(scope, article, store=default_store(store))
        if output is not OutputFormat.TABLE or fields:
            show_one(view, output, fields=fields)
            return
        record = plain(view)
        pairs = record.pop("fields")
        show_one(record, output)
        show_many(pairs, output, empty="Neither side has a value.")


@app.command("history", cls=Command)
def history(
    article: ArticleId,
    upload: Annotated[
        str | None, typer.Option("--upload", metavar="ID", help="One upload, with what it contained.")
    ] = None,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List when an article was written to AIMS, by whomever."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_articles

        found = aims_articles.article_history(
            scope, article, store=default_store(store), upload=upload, limit=limit
        )
        table = ("at", "upload", "store", "name", *(("data",) if upload else ()))
        show_many(found, output, fields=fields, table=table, name="upload")


@app.command("linked", cls=Command)
def linked(
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List the articles that labels show, and how many."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_articles

        found = aims_articles.linked_articles(scope, store=default_store(store), limit=limit)
        show_many(found, output, fields=fields, empty="No article has a label at AIMS.")
