"""`electis aims mapping`, and `electis aims format diff|push`: how our facts meet AIMS's columns."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands.access import confirm, open_scope
from electis_cli.commands.exit_codes import EXIT_CHANGES_PENDING, exit_code_of
from electis_cli.commands.options import DebugHttp, DryRun, Fields, Output, OutputFormat, Yes
from electis_cli.commands.output import plain, show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import InvalidInput, UsageProblem

app = new_app()
format_app = new_app()


@app.command("show", cls=Command)
def show(output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show the mapping: meeting columns, friendly names and defaults."""
    with open_scope() as scope:
        from electis_cli.services import mapping

        record = plain(mapping.show_mapping(scope))
        show_one({name: record[name] for name in _SHOWN}, output, fields=fields)


_SHOWN = ("meeting_name", "meeting_time", "participants", "friendly_names", "defaults")


@app.command("set", cls=Command)
def set_(
    meeting_name: Annotated[
        str | None,
        typer.Option("--meeting-name", metavar="COLUMN", help="Shows a meeting's name; '' for none."),
    ] = None,
    meeting_time: Annotated[
        str | None,
        typer.Option("--meeting-time", metavar="COLUMN", help="Shows a meeting's time; '' for none."),
    ] = None,
    participants: Annotated[
        str | None, typer.Option("--participants", metavar="COLUMN", help="Shows who meets; '' for none.")
    ] = None,
    friendly: Annotated[
        list[str] | None,
        typer.Option(
            "--friendly",
            metavar="COLUMN:he=NAME",
            help="What people call a column, in he or en; may be repeated.",
        ),
    ] = None,
    default: Annotated[
        list[str] | None,
        typer.Option(
            "--default", metavar="COLUMN=VALUE", help="What an occupied space shows where nothing is set."
        ),
    ] = None,
    no_default: Annotated[
        list[str] | None, typer.Option("--no-default", metavar="COLUMN", help="Take a default away.")
    ] = None,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
) -> None:
    """Change the mapping; every article that looks different with it is pushed again."""
    meeting = {"name": meeting_name, "time": meeting_time, "participants": participants}
    if not any([friendly, default, no_default, *(value is not None for value in meeting.values())]):
        raise UsageProblem("Say what to change.", fix="electis aims mapping set --meeting-name COLUMN")
    with open_scope() as scope:
        from electis_cli.services import mapping

        wanted = mapping.parse_change(
            meeting=meeting, friendly=friendly or (), defaults=default or (), no_defaults=no_default or ()
        )
        show_one(mapping.set_mapping(scope, wanted, dry_run=dry_run), output, fields=fields)


@app.command("validate", cls=Command)
def validate(output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """List what is wrong with the mapping for the article format; exit 8 when anything is more than odd."""
    with open_scope() as scope:
        from electis_cli.services import mapping

        problems = mapping.validate_mapping(scope)
        show_many(problems, output, fields=fields, name="field", empty="The mapping fits the article format.")
        if any(problem.severity == "error" for problem in problems):
            raise typer.Exit(exit_code_of(InvalidInput()))


@format_app.command("diff", cls=Command)
def diff_format(
    output: Output = OutputFormat.TABLE, fields: Fields = None, debug_http: DebugHttp = False
) -> None:
    """Compare AIMS's article format with ours; exit 0 when they are equal, 10 when not."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_formats

        found = aims_formats.diff_format(scope)
        show_many(found, output, fields=fields, name="subject", empty="Both sides have the same format.")
        if found:
            raise typer.Exit(EXIT_CHANGES_PENDING)


@format_app.command("push", cls=Command)
def push_format(
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Replace AIMS's article format by ours: for all stores of the company, also those of other tools."""
    confirm("Replace AIMS's article format, for all stores of the company?", yes=yes or dry_run)
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import aims_formats

        view = aims_formats.push_format(scope, dry_run=dry_run)
        show_one(view, output, fields=fields)
    if view.pushed:
        talk(
            f"warning: the format of company {view.company} changed, for all its stores and for every other tool"
        )
    elif not view.differences:
        talk("both sides have the same format; nothing was sent")
