"""The whitelist of a store: in one that has it switched on, only listed labels may be linked (contract 5.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from electis_cli.db import labels
from electis_cli.domain.access import Action
from electis_cli.domain.label_refusals import is_about_whitelist
from electis_cli.domain.labels import has_valid_checksum, normalize_label_code
from electis_cli.domain.queue import State
from electis_cli.services.at_aims import AtAims, at_aims, system_of
from electis_cli.services.change import Change, Scope
from electis_cli.services.queue import retry_wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitelisted:
    """A label that may be linked in a store."""

    label_code: str
    store: str
    model: str | None
    created: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhitelistChange:
    """One label that was put on a whitelist or taken off it; AIMS takes a list whole or not at all.

    `retried` when AIMS had refused to link it before, because it was on no whitelist, and the queue tries again.
    """

    label_code: str
    store: str
    change: str
    dry_run: bool
    checksum_fits: bool
    retried: bool = False


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
    scope: Scope, label_codes: Sequence[str], *, add: bool, store: str | None = None, dry_run: bool = False
) -> list[WhitelistChange]:
    """Put labels on a store's whitelist, or take them off; links that exist stay.

    Repeating it changes nothing more. Raises InvalidInput, StoreNotFound, UsageProblem, AimsRefused.
    """
    codes = list(dict.fromkeys(normalize_label_code(code) for code in label_codes))
    with at_aims(scope, Action.CHANGE_FACTS, store=store, one_store=True) as at:
        if not dry_run:
            action = "aims:whitelist_added" if add else "aims:whitelist_removed"
            with at.writing(action, "store", at.place.code, after={"labels": codes}, place=at.place):
                at.ask.change_whitelist(at.place.code, codes, add=add)
        revived = _revive(at, codes) if add and not dry_run else frozenset()
        return [
            WhitelistChange(
                label_code=code,
                store=at.place.code,
                change="added" if add else "removed",
                dry_run=dry_run,
                checksum_fits=has_valid_checksum(code),
                retried=code in revived,
            )
            for code in codes
        ]


def _revive(at: AtAims, codes: Sequence[str]) -> frozenset[str]:
    """Let the queue try again what AIMS refused because of the whitelist, and return which labels that is."""
    with at.scope.runtime.database.write(at.scope.org_id) as uow:
        change = Change(uow=uow, scope=system_of(at.scope), now=at.scope.runtime.clock())
        refused = [
            wish.label_code
            for wish in labels.wishes_by_code(uow, codes).values()
            if wish.store_id == at.place.id
            and wish.state is State.FAILED
            and is_about_whitelist(wish.error_text)
        ]
        revived = retry_wishes(change, at.place, refused)
        uow.announce_work(at.place.id)
        uow.commit()
    return frozenset(revived)
