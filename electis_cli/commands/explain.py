"""`electis explain`: why a label shows what it shows, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.columns import friendly_names, titled
from electis_cli.commands.options import DebugHttp, Fields, Output, OutputFormat, StoreCode
from electis_cli.commands.output import plain, show_one
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.organizations import column_title

if TYPE_CHECKING:
    from electis_cli.services.explain.explaining import ExplainView

app = new_app()


class Noun(StrEnum):
    """What can be explained."""

    SPACE = "space"
    PERSON = "person"
    CONFERENCE = "conference"
    LABEL = "label"
    PEOPLE = "people"
    ROOM = "room"


_MEANT = {Noun.PEOPLE: Noun.PERSON, Noun.ROOM: Noun.CONFERENCE}
"""What other commands, and people, call some of them."""


@app.command("explain", cls=Command)
def explain(
    noun: Annotated[Noun, typer.Argument(help="space, person (or people), conference (or room), label.")],
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the label's code.")],
    store: StoreCode = None,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Follow the chain from a row to its labels and name the first link that is broken."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services.explain.explaining import explain as explain_one

        view = explain_one(scope, _MEANT.get(noun, noun).value, identifier, store=default_store(store))
        if output is OutputFormat.TABLE and not fields:
            _show(view, friendly_names(scope))
        else:
            show_one(view, output, fields=fields, name="verdict")


def _show(view: ExplainView, names: Mapping[str, Mapping[str, str]]) -> None:
    record: dict[str, Any] = plain(view)
    if "data" in record["row"]:
        record["row"]["data"] = titled(record["row"]["data"], names)
    width = max(
        (len(column_title(field["column"], names)) for field in record["remote"]["fields"]), default=0
    )
    print(f"{view.noun} {view.id} in store {view.store}\n")
    for title, part in (("row", "row"), ("queue", "ledger"), ("last push", "last_push")):
        print(f"{title}")
        _facts(record[part], nothing="  nothing is known")
    print("article: ours, and what AIMS holds now")
    remote = record["remote"]
    if remote["error"]:
        print(f"  AIMS was not asked: {remote['error']}")
    elif not remote["present"]:
        print("  AIMS has no such article")
    for field in remote["fields"]:
        mark = " " if field["equal"] else "*"
        shown = field["ours"] if field["equal"] else f"{field['ours']!r}, AIMS: {field['aims']!r}"
        print(f"  {mark} {column_title(field['column'], names):<{max(16, width)}} {shown}")
    print("labels")
    for label in record["labels"]:
        facts = {name: value for name, value in label.items() if name != "label" and value not in (None, "")}
        print(f"  {label['label']}  " + ", ".join(f"{name}={_word(value)}" for name, value in facts.items()))
    if not record["labels"]:
        print("  none")
    print(f"\n{view.verdict}")
    if view.fix:
        print(f"fix: {view.fix}")


def _facts(part: dict[str, Any] | None, *, nothing: str) -> None:
    if not part:
        print(nothing)
        return
    for name, value in part.items():
        if value not in (None, "", [], {}):
            print(f"  {name:<16} {_word(value)}")


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return "; ".join(str(item) for item in value) if isinstance(value, list) else str(value)
