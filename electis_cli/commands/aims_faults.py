"""`electis aims fault`: trouble on demand, at a simulator on this machine."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from electis_cli.commands.access import open_scope
from electis_cli.commands.options import DryRun, Fields, Output, OutputFormat, StoreCode
from electis_cli.commands.output import show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem

app = new_app()
_TABLE = ("id", "kind", "form", "method", "path", "count", "seen", "fired", "settings")


@app.command("add", cls=Command)
def add(
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="What goes wrong: fault list --kinds.")],
    form: Annotated[
        str | None, typer.Option("--form", metavar="FORM", help="Which form of the kind.")
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", metavar="METHOD", help="Only calls of this method.")
    ] = None,
    path: Annotated[
        str | None,
        typer.Option("--path", metavar="GLOB", help="Only calls of this path below /api/v2/common."),
    ] = None,
    code: Annotated[
        int | None, typer.Option("--code", metavar="N", help="The status or code to answer.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, metavar="N", help="Only so many calls; default: no end.")
    ] = None,
    after: Annotated[
        int | None, typer.Option("--after", min=0, metavar="N", help="So many matching calls pass first.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", min=0, metavar="S", help="How long, where the kind has a time."),
    ] = None,
    probability: Annotated[
        float | None, typer.Option("--probability", min=0, max=1, metavar="P", help="Meets a call by chance.")
    ] = None,
    store: StoreCode = None,
    article: Annotated[
        list[str] | None, typer.Option("--article", metavar="ID", help="Only this article; may be repeated.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Any other field of the simulator; may be repeated."
        ),
    ] = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Put a fault in force; it meets everybody's calls until its count is used up or it is cleared."""
    given = {
        "kind": kind, "form": form, "method": method and method.upper(), "path": path, "code": code, "count": count,
        "after": after, "seconds": seconds, "probability": probability, "articles": article,
    }  # fmt: skip
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for item in set_ or ():
        name, sign, value = item.partition("=")
        if not sign or not name.strip():
            raise UsageProblem(f"{item!r} does not say which field to set to what.", fix="--set NAME=VALUE")
        values[name.strip()] = value
    with open_scope() as scope:
        from electis_cli.services import aims_faults

        view = aims_faults.add_fault(scope, values, store=store, dry_run=dry_run)
        show_one(view, output, fields=fields)
        if view.settings.get("idle"):
            talk(
                f"warning: AIMS has no path {view.path}, so this meets nothing; paths are as in: electis aims last"
            )


@app.command("list", cls=Command)
def list_(
    kinds: Annotated[bool, typer.Option("--kinds", help="The kinds there are, with their forms.")] = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """List the faults in force, how many calls each has seen and how many it met."""
    with open_scope() as scope:
        from electis_cli.services import aims_faults

        if kinds:
            show_many(aims_faults.list_kinds(scope), output, fields=fields)
        else:
            found = aims_faults.list_faults(scope)
            show_many(
                found, output, fields=fields, table=_TABLE, empty="The simulator has no faults in force."
            )


@app.command("clear", cls=Command)
def clear(
    number: Annotated[
        int | None, typer.Argument(metavar="[NUMBER]", help="The fault to end; without it all of them.")
    ] = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """End one fault or all of them; calls that hang on it are let go."""
    with open_scope() as scope:
        from electis_cli.services import aims_faults

        cleared = aims_faults.clear_faults(scope, number, dry_run=dry_run)
        if output is OutputFormat.NAME and not fields:
            show_many([{"id": one} for one in cleared.ended], output, name="id")
        else:
            show_one(cleared, output, fields=fields)
