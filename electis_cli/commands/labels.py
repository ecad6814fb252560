"""`electis label`: which label shows which article. The commands note wishes; the queue brings them to AIMS."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands import label_actions, label_display
from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.exit_codes import exit_code_of
from electis_cli.commands.exporting import add_export
from electis_cli.commands.importing import add_import
from electis_cli.commands.options import DebugHttp, DryRun, Fields, Limit, Output, OutputFormat, StoreCode
from electis_cli.commands.output import show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.errors import UsageProblem
from electis_cli.domain.labels import has_valid_checksum

app = new_app()
app.add_typer(label_actions.app)
_TABLE = ("label_code", "store", "article", "page", "acked_article", "acked_page", "status", "error")
LabelCode = Annotated[str, typer.Argument(metavar="LABEL", help="The label's code, as printed on it.")]
ArticleId = Annotated[
    str, typer.Argument(metavar="ARTICLE_ID", help="A space's id, or prefix and id of a room, as in C3.")
]

Again = Annotated[
    bool,
    typer.Option(
        "--again", help="Send it also when AIMS took it before, as somebody changed the label there since."
    ),
]


@app.command("list", cls=Command)
def list_(
    unassigned: Annotated[
        bool, typer.Option("--unassigned", help="Ask AIMS: only labels that show nothing.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask AIMS: only labels out of reach.")] = False,
    low_battery: Annotated[
        bool, typer.Option("--low-battery", help="Ask AIMS: only labels with a low battery.")
    ] = False,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List labels, what they should show and what AIMS acknowledged; or labels of a kind, as AIMS knows them."""
    if unassigned or offline or low_battery:
        label_actions.show_labels_of_aims(
            default_store(store),
            unassigned=unassigned,
            offline=offline,
            low_battery=low_battery,
            limit=limit,
            output=output,
            fields=fields,
            debug_http=debug_http,
        )
        return
    with open_scope() as scope:
        from electis_cli.services import labels

        views = labels.list_labels(scope, store=default_store(store), limit=limit)
        show_many(views, output, fields=fields, table=_TABLE, empty="There are no labels yet.")


@app.command("show", cls=Command)
def show(
    label: LabelCode,
    svg: Annotated[
        str | None,
        typer.Option(
            "--svg", metavar="FILE", help="Write a drawing of the label into a file; - is standard output."
        ),
    ] = None,
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Show what a label displays, as AIMS tells it, beside what the database would have it display.

    When AIMS does not answer, the database's side is shown; a drawing is then made of that, and the exit code is
    that of AIMS's failure.
    """
    if svg == "-" and (output is not OutputFormat.TABLE or fields):
        raise UsageProblem(
            "Only one of the two can go to standard output.", fix=f"electis label show {label} --svg FILE"
        )
    with open_scope(debug_http=debug_http) as scope:
        if svg is None:
            from electis_cli.services.showing.showing import show_label

            label_display.show(scope, show_label(scope, label, store=default_store(store)), output, fields)
            return
        from electis_cli.services.showing.drawing import draw_label

        drawing = draw_label(scope, label, store=default_store(store))
        label_display.write_drawing(drawing, svg)
        if svg != "-":
            label_display.show(scope, drawing.view, output, fields)
    if drawing.note:
        talk(f"warning: {drawing.note}")
    if drawing.failure is not None:
        raise typer.Exit(exit_code_of(drawing.failure))


@app.command("link", cls=Command)
def link(
    label: LabelCode,
    article: ArticleId,
    again: Again = False,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Let a label show a space or a conference room, instead of what it shows now."""
    with open_scope() as scope:
        from electis_cli.services import labels

        view = labels.link_label(
            scope, label, article, store=default_store(store), again=again, dry_run=dry_run
        )
        show_one(view, output, fields=fields)
    if not has_valid_checksum(view.label_code):
        talk(f"warning: the last digit of {view.label_code} does not fit the others; is the code right?")


@app.command("unlink", cls=Command)
def unlink(
    label: LabelCode,
    again: Again = False,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Let a label show nothing."""
    with open_scope() as scope:
        from electis_cli.services import labels

        view = labels.unlink_label(scope, label, store=default_store(store), again=again, dry_run=dry_run)
        show_one(view, output, fields=fields)


add_import(app, Noun.LABEL)
add_export(app, Noun.LABEL)
