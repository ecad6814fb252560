"""The whitelist of a store: in one that has it switched on, only listed labels may be linked (contract 5.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from electis_cli.domain.access import Action
from electis_cli.domain.labels import has_valid_checksum, normalize_label_code
from electis_cli.services.at_aims import at_aims
from electis_cli.services.change import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitelisted:
    """A label that may be linked in a store."""

    label_code: str
    store: str
    model: str | None
    created: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhitelistChange:
    """One label that was put on a whitelist or taken off it; AIMS takes a list whole or not at all."""

    label_code: str
    store: str
    change: str
    dry_run: bool
    checksum_fits: bool


def list_whitelist(
    scope: Scope, *, store: str | None = None, unassigned: bool = False, limit: int | None = None
) -> Iterator[Whitelisted]:
    """Yield the labels that may be linked, or those of them that show nothing. Raises StoreNotFound."""
    with at_aims(scope, store=store) as at:
        found = (
            Whitelisted(label_code=row.label_code, store=place.code, model=row.model, created=row.created)
            for place in at.places
            for row in at.ask.whitelist(place.code, unassigned=unassigned)
        )
        yield from islice(found, limit)


def change_whitelist(
    scope: Scope, labels: Sequence[str], *, add: bool, store: str | None = None, dry_run: bool = False
) -> list[WhitelistChange]:
    """Put labels on a store's whitelist, or take them off; links that exist stay.

    Repeating it changes nothing more. Raises InvalidInput, StoreNotFound, UsageProblem, AimsRefused.
    """
    codes = list(dict.fromkeys(normalize_label_code(label) for label in labels))
    with at_aims(scope, Action.CHANGE_FACTS, store=store, one_store=True) as at:
        if not dry_run:
            action = "aims:whitelist_added" if add else "aims:whitelist_removed"
            with at.writing(action, "store", at.place.code, after={"labels": codes}, place=at.place):
                at.ask.change_whitelist(at.place.code, codes, add=add)
        return [
            WhitelistChange(
                label_code=code,
                store=at.place.code,
                change="added" if add else "removed",
                dry_run=dry_run,
                checksum_fits=has_valid_checksum(code),
            )
            for code in codes
        ]
