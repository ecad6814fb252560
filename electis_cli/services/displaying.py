"""Displayed, not just accepted: follows labels until they answer, sends once more, then tells somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from electis_cli.aims.client import AimsClient
from electis_cli.aims.wire import RemoteLabel
from electis_cli.db import accounts, alerts, label_displays, labels, organizations, stores
from electis_cli.db.stores import Store
from electis_cli.domain.access import system_actor
from electis_cli.domain.errors import ElectisError
from electis_cli.domain.labels import Display, DisplayStep, follow_display
from electis_cli.domain.queue import LabelWish
from electis_cli.services.change import Change, Scope
from electis_cli.services.runtime import Runtime

MOST_ASKED_AGAIN = 20
"""Of how many labels of a store that timed out AIMS is asked in one step: one call each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What following the labels of an organization came to."""

    displayed: int = 0
    resent: int = 0
    timed_out: int = 0


def follow_displays(runtime: Runtime, org_id: str) -> Followed:
    """Ask AIMS how far the labels are that have not answered yet; a time-out is resent once, then alerted."""
    with runtime.database.read(org_id) as uow:
        organization, account = organizations.own_organization(uow), accounts.find_account(uow)
        waiting = {
            store: label_displays.redrawing(uow, store.id)
            for store in stores.list_stores(uow)
            if store.sync_enabled
        }
    if organization.aims_base_url is None or account.breaker == "open" or not any(waiting.values()):
        return Followed()
    total = Followed()
    client = runtime.connect(organization)
    try:
        for store, wishes in waiting.items():
            if wishes:
                total = _add(total, _follow_store(runtime, org_id, client, store, wishes))
    except ElectisError:
        return total  # AIMS does not answer now; the labels are asked about again in the next step
    finally:
        client.close()
    return total


def _add(one: Followed, other: Followed) -> Followed:
    return Followed(
        displayed=one.displayed + other.displayed,
        resent=one.resent + other.resent,
        timed_out=one.timed_out + other.timed_out,
    )


def _follow_store(
    runtime: Runtime, org_id: str, client: AimsClient, store: Store, wishes: Sequence[LabelWish]
) -> Followed:
    shown = _shown(client, store, wishes)
    steps = {wish.label_code: _step(wish, shown) for wish in wishes}
    resend = [code for code, step in steps.items() if step.resend]
    if resend and store.paused_at is None:
        runtime.reached("displays:resending")
        client.resend_to_labels(store.code, resend)
        runtime.reached("displays:resent")
    with runtime.database.write(org_id) as uow:
        change = Change(
            uow=uow, scope=Scope(runtime=runtime, actor=system_actor(), org_id=org_id), now=runtime.clock()
        )
        for wish in wishes:
            step = steps[wish.label_code]
            if step.display is wish.display and not step.resend:
                continue
            values = {"display": step.display.value, "display_since": wish.display_since}
            if step.display is not wish.display:
                values["display_since"] = change.now
            if step.resend:
                values["resent_at"] = change.now
            labels.update_wish(uow, wish.label_code, values, if_version=wish.version)
        timed_out = [
            wish.label_code
            for wish in wishes
            if wish.display is not Display.TIMED_OUT and steps[wish.label_code].display is Display.TIMED_OUT
        ]
        if timed_out:
            _alert(change, store, timed_out)
        runtime.reached("displays:noting")
        uow.commit()
    runtime.reached("displays:noted")
    displayed = sum(1 for step in steps.values() if step.display is Display.DISPLAYED)
    return Followed(displayed=displayed, resent=len(resend), timed_out=len(timed_out))


def _shown(client: AimsClient, store: Store, wishes: Sequence[LabelWish]) -> dict[str, RemoteLabel]:
    """Return how labels are with their updates: of those that gave up some, in case they drew it late all the same."""
    if any(wish.display is Display.PROCESSING for wish in wishes):
        return {label.label_code: label for label in client.labels(store.code)}
    late = (client.label(store.code, wish.label_code) for wish in wishes[:MOST_ASKED_AGAIN])
    return {label.label_code: label for label in late if label is not None}


def _step(wish: LabelWish, shown: Mapping[str, RemoteLabel]) -> DisplayStep:
    label = shown.get(wish.label_code)
    status = label.update_status if label else None
    return follow_display(wish.display, status, was_resent=wish.resent_at is not None)


def _alert(change: Change, store: Store, codes: Sequence[str]) -> None:
    alerts.raise_alert(
        change.uow,
        alert_id=change.new_id(),
        cause=f"labels-timed-out:{store.code}",
        text=(
            f"Store {store.code}: {len(codes)} label{'' if len(codes) == 1 else 's'} did not draw what AIMS sent twice,"
            f" first {codes[0]}."
        ),
        store_id=store.id,
        now=change.now,
    )
    change.emit("label:timed_out", {"labels": list(codes)}, store_id=store.id)
