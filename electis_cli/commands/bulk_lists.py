"""Verbs that take a whole list: a file of rows with `--file`, or ids from standard input in place of one id."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.bulk_result import exit_partial, show_bulk
from electis_cli.commands.importing import STANDARD_INPUT, open_file, read_tolerance
from electis_cli.commands.options import OutputFormat
from electis_cli.commands.progress import ProgressMode, showing_progress
from electis_cli.domain.bulk.nouns import KEY, Noun
from electis_cli.domain.bulk.options import ImportOptions, Mode
from electis_cli.domain.errors import UsageProblem

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from electis_cli.adapters.tables.table import Table
    from electis_cli.services.bulk.checking import Demand

ListFile = Annotated[
    str | None,
    typer.Option("--file", metavar="FILE", help="All rows of a file at once; - is standard input."),
]


def is_list(one: str | None, file: str | None) -> bool:
    """Tell whether a command is about a list: `--file`, or ids on standard input for `-`. Raises UsageProblem."""
    if one is None and file is None:
        raise UsageProblem(
            "Say who or what is meant.", fix="an id, - for ids on standard input, or --file FILE"
        )
    if one is not None and file is not None:
        raise UsageProblem("An id and --file can not go together.", fix="leave out one of them")
    return file is not None or one == "-"


def do_list(
    noun: Noun,
    file: str | None,
    *,
    verb: str,
    only: tuple[str, ...],
    demand: Callable[[], Demand],
    store: str | None,
    dry_run: bool,
    output: OutputFormat,
    fields: str | None,
    constants: dict[str, str] | None = None,
    on_error: str = "stop",
    rejects: str | None = None,
) -> None:
    """Do to all rows of a list, in one transaction, what a command does to one."""
    skip_errors, tolerance = read_tolerance(on_error, None)
    with (
        open_scope() as scope,
        open_file(file) if file is not None else _ids_on_standard_input() as table,
        showing_progress(ProgressMode.AUTO) as shown,
    ):
        from electis_cli.services.bulk import importing

        view = importing.import_file(
            scope,
            importing.Import(
                noun=noun,
                table=table,
                options=ImportOptions(
                    mode=Mode.UPDATE,
                    constants=constants or {},
                    skip_errors=skip_errors,
                    tolerance=tolerance,
                ),
                store=default_store(store),
                dry_run=dry_run,
                progress=shown.tell,
                written=shown.written,
                only=only,
                verb=verb,
                demand=demand(),
                rejects=Path(rejects) if rejects else None,
            ),
        )
        shown.end()
        show_bulk(view, output, fields=fields)
    exit_partial(view)


def _ids_on_standard_input() -> AbstractContextManager[Table]:
    """Open the ids on standard input, one a line as `-o name` writes them."""
    from electis_cli.adapters.tables.opening import open_table

    try:
        lines = sys.stdin.buffer.read().decode().splitlines()
    except UnicodeDecodeError as error:
        raise UsageProblem("Standard input is not text in UTF-8.") from error
    # As JSON lines, since an id may hold quotes and whatever else separates cells.
    rows = "".join(json.dumps({KEY: line.strip()}) + "\n" for line in lines if line.strip())
    if not rows:
        raise UsageProblem("Standard input holds no ids.", fix="electis people list -o name | ...")
    return open_table(None, io.BytesIO(rows.encode()), name=STANDARD_INPUT)
