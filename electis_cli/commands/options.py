"""Options that many commands share, each defined once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from electis_cli.domain.errors import UsageProblem


class OutputFormat(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    NAME = "name"


Output = Annotated[OutputFormat, typer.Option("-o", "--output", help="How to write the result.")]
Fields = Annotated[
    str | None, typer.Option("--fields", metavar="A,B", help="Only these fields, in this order.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most so many rows.")]
StoreCode = Annotated[str | None, typer.Option("--store", metavar="CODE", help="The store that is meant.")]
OrgCode = Annotated[str | None, typer.Option("--org", metavar="CODE", help="The organization that is meant.")]
DryRun = Annotated[bool, typer.Option("-n", "--dry-run", help="Show what would happen; change nothing.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what was asked for.")]
DebugHttp = Annotated[
    bool,
    typer.Option(
        "--debug-http",
        help="Show every call to AIMS as it happens, with what it carries: also people's names.",
    ),
]
LONGEST_TIMEOUT = 7 * 86400
"""Seconds that anything may be told to wait for at most: a week, and no number that no clock can hold."""


def real_number(value: float) -> float:
    """Return an option's value; `nan`, which is neither below the least nor above the most, is refused."""
    if math.isnan(value):
        raise typer.BadParameter(f"{value} is not a number.")
    return value


Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0,
        max=LONGEST_TIMEOUT,
        callback=real_number,
        metavar="SECONDS",
        help="How long to work or wait at most.",
    ),
]
SetColumns = Annotated[
    list[str] | None, typer.Option("--set", metavar="COLUMN=VALUE", help="Set a column; may be repeated.")
]
UnsetColumns = Annotated[
    list[str] | None, typer.Option("--unset", metavar="COLUMN", help="Clear a column; may be repeated.")
]


def column_changes(set_: Sequence[str] | None, unset: Sequence[str] | None = None) -> dict[str, str]:
    """Return the columns to change; an empty value clears one. Raises UsageProblem."""
    changes: dict[str, str] = {}
    for item in set_ or ():
        column, sign, value = item.partition("=")
        if not sign or not column.strip():
            raise UsageProblem(
                f"{item!r} does not say which column to set to what.", fix="--set COLUMN=VALUE"
            )
        changes[column.strip()] = value
    for column in unset or ():
        changes[column.strip()] = ""
    return changes
