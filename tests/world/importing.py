"""Importing what a test has in its hands, as the commands import a file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from electis_cli.adapters.tables.opening import open_table
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import ImportOptions
from electis_cli.services.bulk.importing import Import, import_file
from electis_cli.services.bulk.views import BulkView
from electis_cli.services.change import Scope


def import_content(
    noun: Noun,
    scope: Scope,
    content: bytes,
    *,
    source: str = "file.csv",
    store: str | None = None,
    dry_run: bool = False,
    progress: Any = None,
    only: tuple[str, ...] | None = None,
    job: Mapping[str, Any] | None = None,
    opening: Mapping[str, Any] | None = None,
    **options: Any,
) -> BulkView:
    """Import a file's bytes; `options` are those of the rows, `opening` those of the file, `job` the rest."""
    more = {**(job or {}), **({"progress": progress} if progress is not None else {})}
    with open_table(None, io.BytesIO(content), name=source, **(opening or {})) as table:
        return import_file(
            scope,
            Import(
                noun=noun,
                table=table,
                options=ImportOptions(**options),
                store=store,
                dry_run=dry_run,
                only=only,
                **more,
            ),
        )


def import_spaces(scope: Scope, content: bytes, **more: Any) -> BulkView:
    return import_content(Noun.SPACE, scope, content, **more)


def import_people(scope: Scope, content: bytes, **more: Any) -> BulkView:
    return import_content(Noun.PERSON, scope, content, **more)


def import_rooms(scope: Scope, content: bytes, **more: Any) -> BulkView:
    return import_content(Noun.ROOM, scope, content, **more)


def import_labels(scope: Scope, content: bytes, **more: Any) -> BulkView:
    return import_content(Noun.LABEL, scope, content, **more)
