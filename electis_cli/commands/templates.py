"""`electis import template`: files with nothing but a header, to fill in and import."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from electis_cli.commands.access import open_scope
from electis_cli.commands.exporting import Out, open_target
from electis_cli.commands.options import Quiet
from electis_cli.commands.output import talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.bulk.nouns import KEY, SPACE, Noun

app = new_app()


class TemplateNoun(StrEnum):
    """What a template is for, as the groups are called."""

    PEOPLE = "people"
    SPACE = "space"
    CONFERENCE = "conference"
    LABEL = "label"
    USER = "user"


class TemplateFormat(StrEnum):
    """What a template can be."""

    CSV = "csv"
    XLSX = "xlsx"


_NOUNS = {
    TemplateNoun.PEOPLE: Noun.PERSON,
    TemplateNoun.SPACE: Noun.SPACE,
    TemplateNoun.CONFERENCE: Noun.ROOM,
    TemplateNoun.LABEL: Noun.LABEL,
    TemplateNoun.USER: Noun.USER,
}
ForNoun = Annotated[
    TemplateNoun, typer.Argument(metavar="NOUN", help="people, space, conference, label or user.")
]
Output = Annotated[
    TemplateFormat | None,
    typer.Option("-o", "--output", help="What to write; as the file's name ends, else csv."),
]


@app.command("template", cls=Command)
def template(
    noun: ForNoun,
    output: Output = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Write a file with a header alone, to fill in; an xlsx also says what each column is for."""
    from electis_cli.adapters.tables.signatures import Kind

    if output is None:
        output = TemplateFormat.XLSX if out and out.casefold().endswith(".xlsx") else TemplateFormat.CSV
    kind = Kind(output)
    target = open_target(out, kind)
    with open_scope() as scope:
        from electis_cli.services.bulk.exporting import template_of, write_template

        columns = template_of(scope, _NOUNS[noun])
        write_template(columns, kind, target)
    if {column.column for column in columns} <= {KEY, SPACE}:
        talk("note: There is no article format yet, so that its columns are missing; electis aims configure.")
    if isinstance(target, Path) and not quiet:
        talk(f"The template is in {target}: electis {noun} import {target}")
