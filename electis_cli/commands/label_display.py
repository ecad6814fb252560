"""What `electis label show` writes: both sides of a label, for people and for programs, and its drawing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from electis_cli.commands.columns import friendly_names
from electis_cli.commands.debug_http import printable
from electis_cli.commands.options import OutputFormat
from electis_cli.commands.output import plain, show_one, talk
from electis_cli.domain.organizations import column_title

if TYPE_CHECKING:
    from electis_cli.services.change import Scope
    from electis_cli.services.showing.drawing import LabelDrawing
    from electis_cli.services.showing.showing import LabelShown

_AT_AIMS = (
    "update_status", "updated_at", "image_at", "online", "battery", "signal", "gateway", "model", "last_response",
)  # fmt: skip
_IN_DATABASE = ("article", "page", "status", "display", "error")
_WORDS = {
    "store": "AIMS has it in store {store}",
    "link": "it is not linked as the database wants it",
    "page": "it is to show page {page}",
    "fields": "the fields marked * differ",
    "image": "an image covers its fields",
    "drawing": "it has not drawn the last update",
}


def show(scope: Scope, view: LabelShown, output: OutputFormat, fields: str | None) -> None:
    """Write a label: a page for people, with the friendly names of columns, the whole view for programs."""
    if output is not OutputFormat.TABLE or fields:
        show_one(view, output, fields=fields)
        return
    record = plain(view)
    print(f"label {view.label_code} in store {view.store}\n")
    _aims_side(record)
    print("in the database")
    if record["in_database"]:
        _facts({name: record[name] for name in _IN_DATABASE} | {"article": record["article"] or "none"})
    else:
        print("  nothing was ever wished of this label")
    names = friendly_names(scope) if record["articles"] else {}
    for article in record["articles"]:
        _article(article, names, is_told=record["aims"] is not None)
    _verdict(record)


def write_drawing(drawing: LabelDrawing, file: str) -> None:
    """Write a drawing into a file, whole or not at all, or to standard output (`-`). Raises InvalidInput."""
    if file == "-":
        sys.stdout.write(drawing.svg)
        return
    from electis_cli.adapters.whole_file import write_whole

    write_whole(Path(file), drawing.svg)
    talk(f"drawn into {file}")


def _aims_side(record: Mapping[str, Any]) -> None:
    aims, trouble = record["aims"], record["aims_error"]
    print("at AIMS")
    if trouble is not None:
        why = f": {trouble['message']} {trouble['why']}".rstrip()
        print(f"  {trouble['told']}{printable(why)}")
    elif aims is None:
        print("  AIMS does not know this label")
    else:
        linked = (
            "; ".join(aims["articles"]) or "none" if aims["articles"] is not None else "AIMS did not tell"
        )
        word = record["page_word"]
        page = (
            ""
            if aims["page"] is None
            else f"{aims['page']} ({word})"
            if word in {"free", "busy"}
            else aims["page"]
        )
        _facts({"linked to": linked, "page": page} | {name: aims[name] for name in _AT_AIMS})


def _article(article: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], *, is_told: bool) -> None:
    marks = []
    if article["linked"] is False:
        marks.append("not linked at AIMS")
    if article["at_aims"] is False:
        marks.append("AIMS has no such article")
    if article["wanted"] is False:
        marks.append("not wanted by the database")
    if not article["in_database"]:
        marks.append("not in the database")
    name = f": {article['name']}" if article["name"] else ""
    print(printable(f"article {article['article_id']}{name}" + (f" ({', '.join(marks)})" if marks else "")))
    titles = {field["field"]: printable(column_title(field["field"], names)) for field in article["fields"]}
    width = max(16, *map(len, titles.values())) if titles else 0
    for field in article["fields"]:
        held = field["aims"] if is_told and article["at_aims"] else field["ours"]
        if field["equal"] is False and article["at_aims"]:
            value = f"{_quoted(held)}, database: {_quoted(field['ours'])}"
        else:
            value = held or ""
        mark = "*" if field["equal"] is False else " "
        print(f"  {mark} {titles[field['field']]:<{width}} {printable(value)}")


def _verdict(record: Mapping[str, Any]) -> None:
    """Say how the sides differ, and which command tells why."""
    aims, trouble = record["aims"], record["aims_error"]
    if record["differences"]:
        places = {"store": aims["store"], "page": record["page"]}
        told = "; ".join(_WORDS[kind].format(**places) for kind in record["differences"])
        print(f"\nThe label is not as it should be: {told}.")
        _why(record)
    elif record["status"] in {"failed", "held", "conflict"}:
        print(printable(f"\nWhat is wished of this label is not done: {record['error'] or record['status']}"))
        _why(record)
    elif aims is None and trouble is None:
        print("\nAIMS does not know this label, so it can not show what the database wants.")
        _why(record)
    elif aims is not None and record["in_database"]:
        print("\nThe label shows what the database says.")
    if trouble is not None and trouble["fix"]:
        print(f"fix: {trouble['fix']}")


def _why(record: Mapping[str, Any]) -> None:
    if record["in_database"]:
        print(f"why: electis explain label {record['label_code']} --store {record['store']}")


def _facts(facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if value not in (None, ""):
            text = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
            print(f"  {name:<16} {printable(str(text))}")


def _quoted(value: str | None) -> str:
    return repr(value) if value else "empty"
