"""`export` of every noun: all rows into a file or standard output, so that importing them again changes nothing."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.options import Fields, Quiet, StoreCode
from electis_cli.commands.output import talk
from electis_cli.commands.tree import Command
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.errors import UsageProblem

if TYPE_CHECKING:
    from electis_cli.adapters.tables.signatures import Kind

STANDARD_OUTPUT = "-"
_WORDS = {
    Noun.SPACE: "spaces",
    Noun.PERSON: "people",
    Noun.ROOM: "conference rooms",
    Noun.LABEL: "label links",
    Noun.USER: "users",
}


class FileFormat(StrEnum):
    """What a file of rows can be written as."""

    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    XLSX = "xlsx"


Out = Annotated[
    str | None,
    typer.Option(
        "--out", metavar="FILE", help="Where to; written whole or not at all. Else standard output."
    ),
]
Format = Annotated[
    FileFormat | None, typer.Option("--format", help="What to write; as the file's name ends, else csv.")
]
Excel = Annotated[
    bool,
    typer.Option("--excel", help="CSV or TSV that Excel opens rightly: letters, leading zeros, no formulas."),
]


def add_export(app: typer.Typer, noun: Noun) -> None:
    """Add the command `export` to a noun's group."""

    def export(
        out: Out = None,
        format: Format = None,
        excel: Excel = False,
        store: StoreCode = None,
        fields: Fields = None,
        quiet: Quiet = False,
    ) -> None:
        _run(noun, out, format, excel=excel, store=default_store(store), fields=fields, quiet=quiet)

    def export_users(
        out: Out = None,
        format: Format = None,
        excel: Excel = False,
        fields: Fields = None,
        quiet: Quiet = False,
    ) -> None:
        _run(noun, out, format, excel=excel, store=None, fields=fields, quiet=quiet)

    # Users belong to the organization; all others to a store.
    command = export_users if noun is Noun.USER else export
    place = "" if noun is Noun.USER else " of a store"
    command.__doc__ = f"Write all {_WORDS[noun]}{place} into a file; importing it again changes nothing."
    app.command("export", cls=Command)(command)


def _run(
    noun: Noun,
    out: str | None,
    format: FileFormat | None,
    *,
    excel: bool,
    store: str | None,
    fields: str | None,
    quiet: bool,
) -> None:
    from electis_cli.adapters.tables.signatures import Kind

    kind = Kind(format or format_of(out))
    if excel and kind is Kind.JSONL:
        raise UsageProblem("Excel does not open JSON lines.", fix="leave out --excel, or --format csv")
    names = tuple(name.strip() for name in fields.split(",") if name.strip()) if fields is not None else None
    if names == ():
        raise UsageProblem("--fields names no field.", fix="--fields A,B")
    target = open_target(out, kind)
    with open_scope() as scope:
        from electis_cli.services.bulk.exporting import Export, export_rows

        view = export_rows(
            scope, Export(noun=noun, kind=kind, store=store, fields=names, excel=excel), target
        )
    for note in view.notes:
        talk(f"note: {note}")
    if isinstance(target, Path) and not quiet:
        talk(f"{view.rows:,} {_WORDS[noun]} are in {target}.")


def format_of(out: str | None) -> FileFormat:
    """Return what a file is to be by the ending of its name, else CSV. Raises UsageProblem for what is not written."""
    ending = Path(out).suffix.casefold().removeprefix(".") if out else ""
    if ending in {"json", "xls", "ods"}:
        raise UsageProblem(
            f"A file of the kind .{ending} can not be written.", fix="--format csv|tsv|jsonl|xlsx"
        )
    return FileFormat(ending) if ending in set(FileFormat) else FileFormat.CSV


def open_target(out: str | None, kind: Kind) -> Path | BinaryIO:
    """Return the file to write, or standard output as bytes. Raises UsageProblem for a spreadsheet on a terminal."""
    if out not in {None, STANDARD_OUTPUT}:
        assert out is not None
        return Path(out)
    if kind == "xlsx" and sys.stdout.isatty():
        raise UsageProblem("A spreadsheet is nothing to read on a terminal.", fix="--out FILE.xlsx")
    return sys.stdout.buffer
