"""`electis label replace`, `flip`, `blink`, `image`, `history` and `resend`: what is done to labels besides links."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.exit_codes import EXIT_FAILED
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
from electis_cli.commands.output import show_many, show_one, talk
from electis_cli.commands.queued_orders import show_order
from electis_cli.commands.tree import Command, new_app
from electis_cli.commands.unknown_stores import end_without
from electis_cli.domain.commands import Color
from electis_cli.domain.errors import UsageProblem
from electis_cli.domain.labels import has_valid_checksum

if TYPE_CHECKING:
    from electis_cli.aims.entities import LabelRow

app = new_app()
LabelCode = Annotated[str, typer.Argument(metavar="LABEL", help="The label's code, as printed on it.")]
Queued = Annotated[
    bool,
    typer.Option(
        "--queue",
        help="Write it down and try it at once; while AIMS or the store is stopped it waits, 5 minutes at most.",
    ),
]
_WISH = ("label_code", "store", "article", "page", "acked_article", "acked_page", "status", "error")
_REMOTE = (
    "label_code", "store", "articles", "update_status", "online", "battery", "signal", "gateway", "model",
    "last_response",
)  # fmt: skip


def show_labels_of_aims(  # what `label list` shows when it is asked for labels of a kind
    store: str | None,
    *,
    unassigned: bool,
    offline: bool,
    low_battery: bool,
    limit: int | None,
    output: OutputFormat,
    fields: str | None,
    debug_http: bool = False,
) -> None:
    """Ask AIMS for labels that are all of what was asked for, and show them."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import label_orders

        unknown: list[str] = []
        found: Sequence[LabelRow] = label_orders.find_labels(
            scope,
            store=store,
            unassigned=unassigned,
            offline=offline,
            low_battery=low_battery,
            tell_unknown=unknown.append,
        )
        kinds = {"shows nothing": unassigned, "is out of reach": offline, "has a low battery": low_battery}
        asked = " and ".join(kind for kind, is_asked in kinds.items() if is_asked)
        show_many(found[:limit], output, fields=fields, table=_REMOTE, empty=f"No label {asked}, AIMS says.")
        end_without(unknown)


@app.command("replace", cls=Command)
def replace(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The label that is taken away.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The free label that takes its place.")],
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Let a new label show what an old one shows; the old one shows nothing any more."""
    with open_scope() as scope:
        from electis_cli.services import label_actions

        views = label_actions.replace_label(scope, old, new, store=default_store(store), dry_run=dry_run)
        show_many(views, output, fields=fields, table=_WISH)
    if not has_valid_checksum(views[0].label_code):
        talk(f"warning: the last digit of {views[0].label_code} does not fit the others; is the code right?")


@app.command("flip", cls=Command)
def flip(
    label: LabelCode,
    page: Annotated[int, typer.Argument(metavar="PAGE", help="The page, from 1.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also a conference room's, until its meeting changes.")
    ] = False,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Let a label show another of its pages."""
    with open_scope() as scope:
        from electis_cli.services import label_actions

        view = label_actions.flip_label(
            scope, label, page, store=default_store(store), force=force, dry_run=dry_run
        )
        show_one(view, output, fields=fields)


@app.command("blink", cls=Command)
def blink(
    labels: Annotated[
        list[str], typer.Argument(metavar="LABEL...", help="Label codes, as printed on the labels.")
    ],
    color: Annotated[
        Color, typer.Option("--color", case_sensitive=False, help="The light's color.")
    ] = Color.GREEN,
    duration: Annotated[
        str,
        typer.Option(
            "--duration", metavar="TIME", help="10s 30s 1m 2m 5m 10m 15m 20m 30m 60m; 0s stops the blinking."
        ),
    ] = "30s",
    queue: Queued = False,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Let labels blink, to find them: at once and past the queue, or with --queue as soon as it can be."""
    if queue:
        with open_scope(debug_http=debug_http) as scope:
            from electis_cli.services import queued_commands

            order = queued_commands.queue_blink(
                scope,
                labels,
                color=color,
                duration=duration,
                store=default_store(store),
                dry_run=dry_run,
                wait=time.sleep,
            )
            raise typer.Exit(show_order(order, output, fields=fields))
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import label_orders

        done = label_orders.blink_labels(
            scope,
            labels,
            color=color,
            duration=duration,
            store=default_store(store),
            dry_run=dry_run,
        )
        show_many(done, output, fields=fields)
        if any(item.error for item in done):
            raise typer.Exit(EXIT_FAILED)


@app.command("image", cls=Command)
def image(
    label: LabelCode,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A PNG, JPEG, BMP or GIF as large as the label.")
    ],
    page: Annotated[int, typer.Option("--page", metavar="N", help="The page it is put on, and shown.")] = 1,
    dither: Annotated[
        bool, typer.Option("--dither", help="Let AIMS fit it to the label's size and colors.")
    ] = False,
    store: StoreCode = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Put an image on a label, at once and past the queue; later changes of its article do not reach it any more."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageProblem(f"The file {file} can not be read.", why=error.strerror or str(error)) from error
    confirm(f"Cover what label {label} shows with this image?", yes=yes or dry_run)
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import label_orders

        view = label_orders.push_image(
            scope, label, content, page=page, dither=dither, store=default_store(store), dry_run=dry_run
        )
        show_one(view, output, fields=fields)
    if not dry_run:
        again = f"/labels/regenerate/images?store={view.store}&regenerateType=LABEL"
        talk(
            f"""its article is shown again after: electis aims api POST '{again}' --body '["{view.label_code}"]'"""
        )


@app.command("history", cls=Command)
def history(
    label: LabelCode,
    store: StoreCode = None,
    limit: Limit = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """List what AIMS told a label to do, and how it went, newest first."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import label_orders

        found = label_orders.label_history(scope, label, store=default_store(store), limit=limit)
        show_many(found, output, fields=fields, name="batch", empty="AIMS never told it anything.")


@app.command("resend", cls=Command)
def resend(
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="LABEL...", help="Label codes, as printed on the labels.")
    ] = None,
    timeouts: Annotated[
        bool, typer.Option("--timeouts", help="All labels of the store that did not answer.")
    ] = False,
    queue: Queued = False,
    store: StoreCode = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Let AIMS send once more to labels that did not answer: at once, or with --queue as soon as it can be."""
    if bool(labels) == timeouts:
        raise UsageProblem("Say which labels, or --timeouts.", fix="electis label resend LABEL")
    if queue:
        with open_scope(debug_http=debug_http) as scope:
            from electis_cli.services import queued_commands

            order = queued_commands.queue_resend(
                scope, labels or None, store=default_store(store), dry_run=dry_run, wait=time.sleep
            )
            raise typer.Exit(show_order(order, output, fields=fields))
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import label_orders

        view = label_orders.resend_labels(scope, labels or None, store=default_store(store), dry_run=dry_run)
        show_one(view, output, fields=fields)
    if not view.sent and not dry_run:
        talk("nothing was sent: none of them had timed out")
