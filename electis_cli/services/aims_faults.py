"""Faults of a simulated AIMS, for trying by hand what electis does under them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from electis_cli.db.organizations import Organization
from electis_cli.domain.access import Action
from electis_cli.domain.errors import NotFound
from electis_cli.services.at_aims import at_aims
from electis_cli.services.change import Scope

if TYPE_CHECKING:
    from electis_cli.aims.simulator_control import SimulatorControl

_SHOWN = {"id", "kind", "form", "method", "path", "count", "seen", "fired"}
_USUAL: Mapping[str, Any] = {"probability": 1.0, "body": "json", "burst": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """One fault: which calls it meets, how many it has seen and met, and what else was said about it."""

    id: int | None
    kind: str
    form: str | None
    method: str
    path: str
    count: int | None
    seen: int
    fired: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """A kind of fault and its forms, the usual one first."""

    kind: str
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """Which faults were ended, or would be."""

    ended: tuple[int, ...]
    dry_run: bool


def add_fault(
    scope: Scope, values: Mapping[str, Any], *, store: str | None = None, dry_run: bool = False
) -> FaultView:
    """Put a fault in force at the simulator: for one of our stores, or for all calls of everybody who uses it.

    Raises InvalidInput for a kind or a field it does not know, Misconfigured when AIMS is no simulator, StoreNotFound.
    """
    with _control(scope, Action.CHANGE_SETTINGS, store=store) as (control, organization):
        if store is not None:
            # Other companies have stores of the same code.
            company = organization.aims_company or organization.code
            values = {**values, "store": store, "company": company}
        if dry_run:
            return _view(dict(values))
        number = control.add_fault(values)
        return next(
            (_view(row) for row in control.faults() if row["id"] == number), _view({**values, "id": number})
        )


def list_faults(scope: Scope) -> list[FaultView]:
    """Return the faults in force."""
    with _control(scope, Action.READ_SETTINGS) as (control, _):
        return [_view(row) for row in control.faults()]


def list_kinds(scope: Scope) -> list[FaultKind]:
    """Return the kinds of faults the simulator knows."""
    with _control(scope, Action.READ_SETTINGS) as (control, _):
        return [FaultKind(kind=name, forms=tuple(forms)) for name, forms in control.fault_kinds().items()]


def clear_faults(scope: Scope, number: int | None = None, *, dry_run: bool = False) -> Cleared:
    """End one fault, or all of them. Raises NotFound for a number that no fault has."""
    with _control(scope, Action.CHANGE_SETTINGS) as (control, _):
        standing = tuple(row["id"] for row in control.faults() if number in {None, row["id"]})
        if number is not None and not standing:
            raise NotFound(f"No fault has the number {number}.", fix="electis aims fault list")
        if not dry_run and number is not None:
            control.end_fault(number)
        elif not dry_run:
            control.end_faults()
        return Cleared(ended=standing, dry_run=dry_run)


@contextlib.contextmanager
def _control(
    scope: Scope, action: Action, *, store: str | None = None
) -> Iterator[tuple[SimulatorControl, Organization]]:
    with at_aims(scope, action, store=store) as at:
        from electis_cli.aims.simulator_control import SimulatorControl  # noqa: PLC0415 - brings httpx

        # The client is not called; that it could be made says that the operator allows this address.
        with contextlib.closing(SimulatorControl(at.client.connection.address.origin)) as control:
            yield control, at.organization


def _view(row: Mapping[str, Any]) -> FaultView:
    said = {
        name: value
        for name, value in row.items()
        if name not in _SHOWN and value not in (None, "", 0, [], {}) and value != _USUAL.get(name)
    }
    return FaultView(
        id=row.get("id"),
        kind=str(row["kind"]),
        form=row.get("form") or None,
        method=str(row.get("method") or "*"),
        path=str(row.get("path") or "*"),
        count=row.get("count"),
        seen=int(row.get("seen") or 0),
        fired=int(row.get("fired") or 0),
        settings=said,
    )
