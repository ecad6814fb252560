"""Gateways: the radios that labels hear; listed, shown, and rebooted exactly once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from electis_cli.domain.access import Action
from electis_cli.domain.errors import AimsAmbiguous, ElectisError, InvalidInput, NotFound
from electis_cli.services.at_aims import DONE, REFUSED, UNKNOWN, AtAims, at_aims, may_have_happened
from electis_cli.services.change import Scope

if TYPE_CHECKING:
    from electis_cli.aims.entities import Gateway

_MAC = re.compile(r"^[0-9A-F]{12}(?:[0-9A-F]{4})?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot:
    """What came of telling one gateway to reboot: planned, done, refused or unknown."""

    gateway: str
    store: str
    outcome: str
    error: str | None = None


def normalize_mac(text: str) -> str:
    """Return a gateway's address as AIMS writes it: upper-case digits without signs. Raises InvalidInput."""
    mac = re.sub(r"[\s:.\-]", "", text).upper()
    if not _MAC.match(mac):
        raise InvalidInput(
            f"{text!r} is not the address of a gateway.",
            why="It has 16 hexadecimal digits and starts with D02544FFFE.",
            fix="electis aims gateway list",
        )
    return mac


def list_gateways(
    scope: Scope,
    *,
    store: str | None = None,
    online: bool | None = None,
    tell_unknown: Callable[[str], None] = lambda _: None,
) -> list[Gateway]:
    """Return the gateways of a store, or of all that the actor may see; `tell_unknown` hears of those AIMS has not.

    Raises StoreNotFound.
    """
    with at_aims(scope, store=store) as at:
        return at.of_each(lambda place: at.ask.gateways(place.code, online=online), tell_unknown)


def show_gateway(scope: Scope, gateway: str, *, store: str | None = None) -> Gateway:
    """Return one gateway with its settings; of a silent one AIMS tells less. Raises NotFound, InvalidInput."""
    mac = normalize_mac(gateway)
    with at_aims(scope, store=store) as at:
        for place in at.places:
            found = at.ask.gateway(place.code, mac)
            if found is not None:
                return replace(found, store=found.store or place.code)
    raise _unknown(mac)


def reboot_gateways(
    scope: Scope, gateways: Sequence[str], *, store: str | None = None, dry_run: bool = False
) -> list[Reboot]:
    """Tell gateways of one store to reboot, each with a call of its own that is never repeated.

    One that fails does not stop the others; the answer says what came of each. A single gateway's failure is raised:
    AimsRefused, or AimsAmbiguous when nobody knows whether it reboots. Raises NotFound before anything is sent.
    """
    macs = list(dict.fromkeys(normalize_mac(gateway) for gateway in gateways))
    with at_aims(scope, Action.CHANGE_SETTINGS, store=store, one_store=True) as at:
        known = {gateway.mac for gateway in at.ask.gateways(at.place.code)}
        for mac in macs:
            if mac not in known:
                raise _unknown(mac)
        if dry_run:
            return [Reboot(gateway=mac, store=at.place.code, outcome="planned") for mac in macs]
        if len(macs) == 1:
            _reboot(at, macs[0])
            return [Reboot(gateway=macs[0], store=at.place.code, outcome=DONE)]
        return [_try(at, mac) for mac in macs]


def _reboot(at: AtAims, mac: str) -> None:
    with at.writing("aims:gateway_rebooted", "gateway", mac, place=at.place):
        try:
            at.ask.reboot_gateway(at.place.code, mac)
        except AimsAmbiguous as error:
            fix = f"look at last_reboot before you repeat it: electis aims gateway show {mac} --store {at.place.code}"
            raise may_have_happened(error, fix=fix) from error


def _try(at: AtAims, mac: str) -> Reboot:
    outcome, failure = DONE, None
    try:
        _reboot(at, mac)
    except AimsAmbiguous as error:
        outcome, failure = UNKNOWN, error.why
    except ElectisError as error:
        outcome, failure = REFUSED, error.why or error.message
    return Reboot(gateway=mac, store=at.place.code, outcome=outcome, error=failure)


def _unknown(mac: str) -> NotFound:
    return NotFound(
        f"AIMS knows no gateway {mac} in this store.",
        why="It may be registered to another store, or to none.",
        fix="electis aims gateway list",
    )
