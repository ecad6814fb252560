"""`import` of every noun: the options that all of them share, around one service call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from electis_cli.commands.access import confirm, default_store, open_scope
from electis_cli.commands.bulk_result import exit_partial, show_bulk
from electis_cli.commands.options import (
    DryRun,
    Fields,
    Output,
    OutputFormat,
    Quiet,
    StoreCode,
    Yes,
    column_changes,
)
from electis_cli.commands.progress import ProgressMode, ProgressOption, showing_progress
from electis_cli.commands.tree import Command
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import ImportOptions, Mode, Tolerance, parse_tolerance
from electis_cli.domain.errors import UsageProblem

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from electis_cli.adapters.tables.table import Table
    from electis_cli.services.bulk.doing import SavePlan
    from electis_cli.services.change import Scope

STANDARD_INPUT = "<stdin>"
_WORDS = {
    Noun.SPACE: "spaces",
    Noun.PERSON: "people",
    Noun.ROOM: "conference rooms",
    Noun.LABEL: "label links",
    Noun.USER: "users",
}

ImportFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="CSV, TSV, XLSX, JSON or JSONL, told by its content; - is standard input."
    ),
]
ImportMode = Annotated[
    Mode,
    typer.Option("--mode", help="Create and change, only one of both, or replace: what is missing goes."),
]
KeyColumn = Annotated[
    str | None, typer.Option("--key", metavar="HEADER", help="The column that holds the id.")
]
Renames = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="HEADER=COLUMN", help="What a column is for; nothing leaves it out. Repeatable."
    ),
]
SavedMapping = Annotated[
    str | None, typer.Option("--mapping", metavar="NAME", help="Use what --save-mapping kept.")
]
SaveMapping = Annotated[
    str | None, typer.Option("--save-mapping", metavar="NAME", help="Keep --map and --key for the next file.")
]
Constants = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="COLUMN=VALUE", help="Set a column in every row; may be repeated."),
]
Wanted = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="COLUMN=VALUE", help="Read only rows with this value; may be repeated."),
]
SkipRows = Annotated[
    int, typer.Option("--skip-rows", min=0, metavar="N", help="Lines above the header that are not read.")
]
MaxRows = Annotated[
    int | None, typer.Option("--max-rows", min=1, metavar="N", help="Read the first N rows only.")
]
Sheet = Annotated[
    str | None,
    typer.Option("--sheet", metavar="NAME", help="The sheet of a spreadsheet; the first if not said."),
]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="SIGN", help="What separates cells; detected if not said."),
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="The file's encoding; detected if not said.")
]
OnError = Annotated[
    str,
    typer.Option("--on-error", metavar="stop|skip", help="Stop at wrong rows, or skip them and do the rest."),
]
MaxErrors = Annotated[
    str | None,
    typer.Option(
        "--max-errors", metavar="N|P%", help="With --on-error skip: do nothing if more rows are wrong."
    ),
]
Rejects = Annotated[
    str | None,
    typer.Option("--rejects", metavar="FILE", help="Write the wrong rows there, with what is wrong."),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        "--batch", min=1, metavar="N", help="Write N rows at a time; each batch stays when the next fails."
    ),
]
PlanFile = Annotated[
    str | None,
    typer.Option("--plan", metavar="FILE", help="Write what would change there, for electis apply."),
]
MaxDeletes = Annotated[
    int | None,
    typer.Option(
        "--max-deletes", min=0, metavar="N", help="How many rows may be deleted (default: 10, or a tenth)."
    ),
]
Unassign = Annotated[bool, typer.Option("--unassign", help="Let people lose their space when it is deleted.")]


def add_import(app: typer.Typer, noun: Noun) -> None:
    """Add the command `import` to a noun's group."""

    def import_(
        file: ImportFile,
        mode: ImportMode = Mode.UPSERT,
        key: KeyColumn = None,
        map_: Renames = None,
        mapping: SavedMapping = None,
        save_mapping: SaveMapping = None,
        set_: Constants = None,
        where: Wanted = None,
        skip_rows: SkipRows = 0,
        max_rows: MaxRows = None,
        sheet: Sheet = None,
        delimiter: Delimiter = None,
        encoding: Encoding = None,
        on_error: OnError = "stop",
        max_errors: MaxErrors = None,
        rejects: Rejects = None,
        batch: BatchSize = None,
        plan: PlanFile = None,
        max_deletes: MaxDeletes = None,
        unassign: Unassign = False,
        store: StoreCode = None,
        yes: Yes = False,
        dry_run: DryRun = False,
        progress: ProgressOption = ProgressMode.AUTO,
        quiet: Quiet = False,
        output: Output = OutputFormat.TABLE,
        fields: Fields = None,
    ) -> None:
        skip_errors, tolerance = read_tolerance(on_error, max_errors)
        options = ImportOptions(
            mode=mode,
            renames=pairs(map_, "--map HEADER=COLUMN"),
            key=key,
            constants=column_changes(set_),
            wanted=pairs(where, "--where COLUMN=VALUE"),
            max_rows=max_rows,
            skip_errors=skip_errors,
            tolerance=tolerance,
            batch=batch,
            unassign=unassign,
            max_deletes=max_deletes,
        )
        if rejects is not None and file != "-" and Path(rejects).resolve() == Path(file).resolve():
            raise UsageProblem("The rejects would replace the file itself.", fix="--rejects ANOTHER-FILE")
        if mode is Mode.REPLACE:
            confirm(
                f"Delete all {_WORDS[noun]} that {file} does not hold?",
                yes=yes or dry_run or plan is not None,
            )
        with (
            open_scope() as scope,
            open_file(
                file, sheet=sheet, skip_rows=skip_rows, delimiter=delimiter, encoding=encoding
            ) as table,
            showing_progress(progress, quiet=quiet) as shown,
        ):
            from electis_cli.services.bulk import importing, mappings

            job = importing.Import(
                noun=noun,
                table=table,
                options=_with_mapping(scope, options, mapping, save_mapping),
                store=default_store(store),
                dry_run=dry_run,
                progress=shown.tell,
                save_plan=_plan_writer(plan, table, max_deletes),
                written=shown.written,
                rejects=Path(rejects) if rejects else None,
            )
            view = _service(noun)(scope, job)
            if save_mapping is not None and not view.dry_run:
                mappings.save_mapping(scope, save_mapping, job.options.renames, job.options.key)
            shown.end()
            show_bulk(view, output, fields=fields, quiet=quiet)
        if plan is not None and not quiet:
            print(f"The plan is in {plan}: electis apply {plan}", file=sys.stderr)
        exit_partial(view)

    import_.__doc__ = (
        f"Create and change {_WORDS[noun]} as a file says; --dry-run shows it, undo takes it back."
    )
    app.command("import", cls=Command)(import_)


def _service(noun: Noun) -> Any:
    from electis_cli.services.bulk import importing

    if noun is Noun.USER:
        from electis_cli.services.bulk.user_import import import_users

        return import_users
    return importing.import_file


def open_file(
    file: str,
    *,
    sheet: str | None = None,
    skip_rows: int = 0,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> AbstractContextManager[Table]:
    """Open a file of rows, or standard input for `-`."""
    from electis_cli.adapters.tables.opening import open_table

    if file == "-":
        return open_table(
            None,
            sys.stdin.buffer,
            name=STANDARD_INPUT,
            sheet=sheet,
            skip_rows=skip_rows,
            delimiter=delimiter,
            encoding=encoding,
        )
    path = Path(file)
    return open_table(
        path,
        None,
        name=path.name,
        sheet=sheet,
        skip_rows=skip_rows,
        delimiter=delimiter,
        encoding=encoding,
    )


def read_tolerance(on_error: str, max_errors: str | None) -> tuple[bool, Tolerance]:
    """Return whether wrong rows are skipped, and how many may be. Raises UsageProblem."""
    if on_error not in {"stop", "skip"}:
        raise UsageProblem(f"{on_error!r} is not what can happen on an error.", fix="--on-error stop|skip")
    if max_errors is None:
        return on_error == "skip", Tolerance()
    if on_error != "skip":
        raise UsageProblem("Without --on-error skip no row may be wrong.", fix="add --on-error skip")
    return True, parse_tolerance(max_errors)


def pairs(items: list[str] | None, form: str) -> dict[str, str]:
    """Return the `A=B` of an option that may be repeated. Raises UsageProblem."""
    found: dict[str, str] = {}
    for item in items or ():
        name, sign, value = item.partition("=")
        if not sign or not name.strip():
            raise UsageProblem(f"{item!r} is not of the form {form.rsplit(maxsplit=1)[-1]}.", fix=form)
        found[name.strip()] = value.strip()
    return found


def _with_mapping(scope: Scope, options: ImportOptions, use: str | None, keep: str | None) -> ImportOptions:
    """Return the options with a saved mapping under them; what is to be kept is kept once it served."""
    from dataclasses import replace

    from electis_cli.services.bulk import mappings

    if use is not None:
        renames, key = mappings.load_mapping(scope, use)
        options = replace(options, renames={**renames, **options.renames}, key=options.key or key)
    if keep is not None and not options.renames and options.key is None:
        raise UsageProblem("There is no --map and no --key to keep.", fix="--map HEADER=COLUMN")
    return options


def _plan_writer(plan: str | None, table: Table, max_deletes: int | None) -> SavePlan | None:
    if plan is None:
        return None
    from electis_cli.services.bulk.plan_files import plan_writer

    return plan_writer(Path(plan), table.name, table.sha256, max_deletes=max_deletes)
