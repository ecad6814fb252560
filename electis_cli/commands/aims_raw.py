"""`electis aims api`: any call to AIMS, as it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from electis_cli.commands.access import confirm, open_scope
from electis_cli.commands.options import DebugHttp, Fields, Output, OutputFormat, Yes
from electis_cli.commands.output import show_many, show_one, talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import UsageProblem

app = new_app()


@app.command("api", cls=Command)
def api(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, HEAD, POST, PUT, PATCH or DELETE.")],
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="The path below /api/v2/common, such as /labels.")
    ],
    query: Annotated[
        list[str] | None, typer.Option("--query", metavar="NAME=VALUE", help="A parameter; may be repeated.")
    ] = None,
    body: Annotated[
        str | None,
        typer.Option("--body", metavar="JSON", help="The body: JSON, @FILE, or - for standard input."),
    ] = None,
    all_pages: Annotated[
        bool, typer.Option("--all-pages", help="Read the list to its end and write its rows.")
    ] = False,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("-n", "--dry-run", help="Print the call as curl, without the token; send nothing.")
    ] = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Call AIMS as you write it; the company is added, the token kept to itself. Anything but a GET changes AIMS."""
    from electis_cli.services.aims_raw import call_aims, parse_call

    call = parse_call(method, path, query=query or (), body=_read(body), all_pages=all_pages)
    if not call.is_read:
        confirm(f"Send {call.method} {call.path} to AIMS?", yes=yes or dry_run)
    with open_scope(debug_http=debug_http) as scope:
        view = call_aims(scope, call, all_pages=all_pages, dry_run=dry_run)
    if all_pages and isinstance(view.body, list) and output in _ROWS:
        show_many(_same_columns(view.body), output, fields=fields, empty="The list is empty.")
    elif output is not OutputFormat.TABLE or fields:
        show_one(view, output, fields=fields)
    elif view.curl is not None:
        print(view.curl)
    else:
        talk(f"{view.status} in {view.milliseconds} ms" + (f", {view.pages} pages" if all_pages else ""))
        if view.body is not None:
            print(json.dumps(view.body, ensure_ascii=False, indent=2))
    if not call.is_read and not dry_run:
        talk("what was written past electis is taken by the next full sync for somebody else's edit")


_ROWS = frozenset({OutputFormat.CSV, OutputFormat.JSONL, OutputFormat.NAME})
"""What is written row by row; JSON keeps the call and its answer around the list."""


def _same_columns(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the rows of a list with the columns of all of them; one that is no object is a `value`."""
    records = [row if isinstance(row, dict) else {"value": row} for row in rows]
    columns = dict.fromkeys(name for record in records for name in record)
    return [{name: record.get(name) for name in columns} for record in records]


def _read(body: str | None) -> str | None:
    """Return the text of the body option. Raises UsageProblem for a file that can not be read."""
    if body == "-":
        return sys.stdin.read()
    if body is None or not body.startswith("@"):
        return body
    try:
        return Path(body[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(
            f"The file {body[1:]} can not be read.", why=str(error), fix="--body @FILE"
        ) from error
