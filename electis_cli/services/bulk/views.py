"""What people are shown of a bulk change: counts, the first differences, and what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from electis_cli.domain.bulk.changes import RowChange
from electis_cli.domain.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row before and after, field by field."""

    noun: str
    key: str
    change: str
    fields: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkView:
    """What a bulk change did, or with `dry_run` would do.

    `deleted` counts rows, `label_redraws` labels; `changeset` is the id to undo it by, None when nothing was written.
    `brake` says why the plan would be refused as it stands. `differences` are the first ones, `problems` what was wrong
    with the first rows that were left out.
    """

    file: str | None
    store: str | None
    created: int
    updated: int
    unchanged: int
    deleted: int
    rejected: int
    label_redraws: int
    dry_run: bool
    changeset: str | None
    brake: str | None = None
    differences: list[Difference] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A row that is left as it is, and why."""

    noun: str
    key: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoView:
    """What taking a change back did, or with `dry_run` would do: rows `restored`, and `kept` as they are."""

    id: str
    action: str
    store: str | None
    created: int
    updated: int
    deleted: int
    kept: int
    label_redraws: int
    dry_run: bool
    changeset: str | None
    kept_rows: list[Kept] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def difference_of(change: RowChange) -> Difference:
    """Return a row's change field by field; where a person sits is the field `space`."""
    before, after = dict(change.before or {}), dict(change.after or {})
    if change.space_before != change.space_after:
        before["space"], after["space"] = change.space_before, change.space_after
    verb = "create" if change.before is None else "delete" if change.after is None else "update"
    return Difference(
        noun=change.noun.value,
        key=change.key,
        change=verb,
        fields={
            name: {"before": before.get(name), "after": after.get(name)}
            for name in dict.fromkeys([*before, *after])
            if before.get(name) != after.get(name)
        },
    )
