"""Ways of reading a file's header, kept under a name: the next export of the same system needs no `--map`."""

from __future__ import annotations

from collections.abc import Mapping

from electis_cli.db import snapshots
from electis_cli.domain.access import Action
from electis_cli.domain.articles import clean_text
from electis_cli.domain.errors import InvalidInput, NotFound
from electis_cli.services.change import Scope, changing, reading


def save_mapping(scope: Scope, name: str, renames: Mapping[str, str], key: str | None) -> None:
    """Keep which column is meant by which header under a name; one of the same name is replaced."""
    cleaned = clean_text(name)
    if not cleaned or not cleaned.isprintable():
        raise InvalidInput(f"{name!r} is no name.", fix="--save-mapping NAME")
    with changing(scope, Action.CHANGE_FACTS) as change:
        values = {"created_by": scope.actor.email, "created_at": change.now}
        snapshots.save_mapping(change.uow, cleaned, renames, key, values)
        change.record("import_mapping:saved", "import_mapping", cleaned, after={"columns": len(renames)})


def load_mapping(scope: Scope, name: str) -> tuple[dict[str, str], str | None]:
    """Return what was kept under a name: headers and their fields, and the header of the key column.

    Raises NotFound.
    """
    with reading(scope) as read:
        found = snapshots.find_mapping(read.uow, clean_text(name))
        if found is None:
            known = snapshots.list_mappings(read.uow)
            raise NotFound(
                f"There is no import mapping {name}.",
                why=f"Saved are: {', '.join(known)}." if known else "None was saved yet.",
                fix="add --map 'HEADER=COLUMN' and --save-mapping NAME once",
            )
        return found
