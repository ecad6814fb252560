"""`electis queue dead`: what was given up, cause by cause, and what is to be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.options import DryRun, Fields, Limit, Output, OutputFormat, StoreCode, Yes
from electis_cli.commands.output import show_many, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem

if TYPE_CHECKING:
    from electis_cli.services.dead_letters import Choice

app = new_app()

Subjects = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Article ids or label codes.")]
Cause = Annotated[
    str | None,
    typer.Option("--cause", metavar="CAUSE", help="Only of this cause, as `queue dead group` shows it."),
]
Articles = Annotated[
    list[str] | None, typer.Option("--article", metavar="ID", help="Only this article; may be repeated.")
]
Labels = Annotated[
    list[str] | None, typer.Option("--label", metavar="LABEL", help="Only this label; may be repeated.")
]
Everything = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.command("list", cls=Command)
def list_(
    cause: Cause = None,
    article: Articles = None,
    label: Labels = None,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """List dead letters nobody has dealt with."""
    with open_scope() as scope:
        from electis_cli.services import dead_letters

        letters = dead_letters.dead_letters(
            scope, _choice((), cause, article, label), store=default_store(store), limit=limit
        )
        table = ("subject", "kind", "store", "cause", "error", "attempts", "at")
        show_many(
            letters, output, fields=fields, table=table, name="subject", empty="There are no dead letters."
        )


@app.command("group", cls=Command)
def group(store: StoreCode = None, output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show the causes of dead letters, the most frequent first."""
    with open_scope() as scope:
        from electis_cli.services import dead_letters

        groups = dead_letters.group_dead_letters(scope, store=default_store(store))
        show_many(groups, output, fields=fields, name="cause", empty="There are no dead letters.")


@app.command("retry", cls=Command)
def retry(
    ids: Subjects = None,
    cause: Cause = None,
    article: Articles = None,
    label: Labels = None,
    everything: Everything = False,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Push dead letters once more, with today's content: some, those of a cause, or all."""
    choice = _chosen(ids, cause, article, label, everything=everything)
    if everything:
        confirm("Retry all dead letters?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services import dead_letters

        done = dead_letters.retry_dead_letters(scope, choice, store=default_store(store), dry_run=dry_run)
        show_one({"retried": done, "dry_run": dry_run}, output)


@app.command("discard", cls=Command)
def discard(
    ids: Subjects = None,
    cause: Cause = None,
    article: Articles = None,
    label: Labels = None,
    everything: Everything = False,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Silence dead letters, some, those of a cause, or all; their articles stay failed until somebody edits them."""
    choice = _chosen(ids, cause, article, label, everything=everything)
    if everything:
        confirm("Silence all dead letters?", yes=yes or dry_run)
    with open_scope() as scope:
        from electis_cli.services import dead_letters

        done = dead_letters.discard_dead_letters(scope, choice, store=default_store(store), dry_run=dry_run)
        show_one({"discarded": done, "dry_run": dry_run}, output)


def _chosen(
    ids: list[str] | None,
    cause: str | None,
    articles: list[str] | None,
    labels: list[str] | None,
    *,
    everything: bool,
) -> Choice:
    if bool(ids or cause or articles or labels) == everything:
        raise UsageProblem(
            "Say which ones, --cause CAUSE, or --all.", fix="see their causes with: electis queue dead group"
        )
    return _choice(ids or (), cause, articles, labels)


def _choice(
    ids: list[str] | tuple[()], cause: str | None, articles: list[str] | None, labels: list[str] | None
) -> Choice:
    from electis_cli.services.dead_letters import Choice

    return Choice(subjects=ids, cause=cause, articles=articles or (), labels=labels or ())
