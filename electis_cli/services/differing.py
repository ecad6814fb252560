"""What a full sync would do, field by field and with the reason; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from electis_cli.domain.access import Action
from electis_cli.domain.reconcile import REASONS, Step
from electis_cli.services.applying import Sides
from electis_cli.services.change import Scope, reading
from electis_cli.services.conflicts import Field
from electis_cli.services.full_sync import Choice, plan_store

_EQUAL = frozenset({Step.IN_SYNC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One article in which the database and AIMS differ, and what a full sync would do about it."""

    store: str
    article_id: str
    step: str
    reason: str
    fields: Sequence[Field]


def diff_stores(scope: Scope, *, store: str | None = None, choice: Choice | None = None) -> list[Difference]:
    """Return every difference between the database and AIMS, of a store or of all; other people's articles too.

    Raises Unreachable, UnreliableListing, FormatMissing, StoreNotFound.
    """
    with reading(scope, Action.READ) as read:
        places = [place for place in read.stores(store) if place.sync_enabled or store is not None]
    found: list[Difference] = []
    for place in places:
        planned = plan_store(scope, place.id, choice)
        found.extend(
            Difference(
                store=place.code,
                article_id=action.article_id,
                step=action.step.value,
                reason=REASONS[action.step],
                fields=fields_of(planned.sides[action.article_id], action.columns),
            )
            for action in planned.plan.actions
            if action.step not in _EQUAL
        )
    return found


def fields_of(sides: Sides, columns: Sequence[str]) -> list[Field]:
    """Return the columns in which the sides of an article differ."""
    base = (sides.row.base if sides.row else None) or {}
    ours = sides.wanted.content if sides.wanted else {}
    aims = sides.remote.content if sides.remote else {}
    return [
        Field(column=column, base=base.get(column, ""), ours=ours.get(column, ""), aims=aims.get(column, ""))
        for column in columns
    ]
