"""Columns in tables for people: the name AIMS knows, and what people call it; in machine formats the name alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from electis_cli.commands.options import OutputFormat
from electis_cli.commands.output import plain, show_one
from electis_cli.domain.organizations import column_title

if TYPE_CHECKING:
    from electis_cli.services.change import Scope


def friendly_names(scope: Scope) -> Mapping[str, Mapping[str, str]]:
    """Return what people call the columns, by column and language."""
    from electis_cli.services.mapping import show_mapping

    return show_mapping(scope).friendly_names


def titled(data: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return a row's data under the titles of its columns."""
    return {column_title(column, names): value for column, value in data.items()}


def show_row(scope: Scope, view: Any, output: OutputFormat, *, fields: str | None) -> None:
    """Write one thing that has `data`."""
    record = plain(view)
    if output is OutputFormat.TABLE and not fields:
        record["data"] = titled(record["data"], friendly_names(scope))
    show_one(record, output, fields=fields)
