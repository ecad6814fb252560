"""The one executor of staged changes, with the changeset, the audit row and the event of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from electis_cli.db import changesets
from electis_cli.db.staged.carrying_out import Writer
from electis_cli.db.stores import Store
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.services.change import Change

ENTITIES = {
    Noun.SPACE: "space",
    Noun.PERSON: "person",
    Noun.ROOM: "conference",
    Noun.LABEL: "label",
    Noun.USER: "user",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is being done, for those who read about it later: `verb` is imported, applied, undone, and so on."""

    changeset_id: str
    noun: Noun
    verb: str
    file: str | None = None
    sha256: str | None = None
    undoes: str | None = None

    @property
    def action(self) -> str:
        """The deed as the audit log names it."""
        return f"{ENTITIES[self.noun]}:{self.verb}"


def carry_out(change: Change, place: Store, deed: Deed, counts: Mapping[str, int], *, batch: int = 0) -> None:
    """Write the staged changes of a batch, and their rows of the changeset. Raises ChangedMeanwhile."""
    reached = change.scope.runtime.reached
    Writer(change.uow, place.id, change.organization().room_prefix, change.now, batch).run()
    reached("bulk:written")
    changesets.insert_staged_rows(change.uow, deed.changeset_id, batch=batch)
    changesets.insert_changeset(
        change.uow,
        {
            "id": deed.changeset_id,
            "store_id": place.id,
            "noun": deed.noun.value,
            "action": deed.action,
            "file": deed.file,
            "file_sha256": deed.sha256,
            "counts": dict(counts),
            "digest": changesets.digest_of_staged(change.uow, up_to=batch),
            "undoes": deed.undoes,
            **change.author(),
        },
    )
    reached("bulk:recorded")


def announce(change: Change, place: Store, deed: Deed, counts: Mapping[str, int]) -> None:
    """Write the one audit row and the one event of a bulk change: digests and counts, no names."""
    found = changesets.find_changeset(change.uow, deed.changeset_id)
    about = {"file": deed.file, "sha256": deed.sha256, "undoes": deed.undoes}
    change.audit(
        deed.action,
        "changeset",
        deed.changeset_id,
        after={
            **{name: value for name, value in about.items() if value},
            "digest": found.digest if found else "",
            **counts,
        },
        store_id=place.id,
    )
    change.emit(
        deed.action,
        {"id": deed.changeset_id, "entity": ENTITIES[deed.noun], **counts},
        store_id=place.id,
    )
