"""A page flip is verified: when the settle window is over AIMS is asked which page the label shows (design 5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from electis_cli.aims.client import AimsClient
from electis_cli.db import accounts, alerts, label_displays, organizations, stores
from electis_cli.db.stores import Store
from electis_cli.domain.access import system_actor
from electis_cli.domain.errors import AimsRejected, ElectisError
from electis_cli.domain.queue import LabelWish, State
from electis_cli.services.change import Change, Scope
from electis_cli.services.fighting import MOST_ROUNDS
from electis_cli.services.runtime import Runtime

MOST_CHECKED = 100
"""Of how many labels of a store AIMS is asked in one step: one call each."""


def check_pages(runtime: Runtime, org_id: str) -> tuple[int, int]:
    """Ask which page flipped labels show and flip again those that show another; return both numbers.

    After three flips in a row that did not take, somebody else flips it back: the label is held, with an alert.
    """
    with runtime.database.read(org_id) as uow:
        organization, account = organizations.own_organization(uow), accounts.find_account(uow)
        due = [
            (store, label_displays.pages_to_check(uow, store.id, runtime.clock(), MOST_CHECKED))
            for store in stores.list_stores(uow)
            if store.sync_enabled and store.paused_at is None
        ]
    if (
        organization.aims_base_url is None
        or account.breaker == "open"
        or not any(due_in for _, due_in in due)
    ):
        return 0, 0
    verified = flipped_again = 0
    client = runtime.connect(organization)
    try:
        for store, wishes in due:
            if wishes:
                shown = {wish.label_code: _page(client, store, wish) for wish in wishes}
                again = _note(runtime, org_id, store, wishes, shown)
                verified, flipped_again = verified + len(wishes) - again, flipped_again + again
    except ElectisError:
        pass  # AIMS does not answer now; the labels stay due for the next step
    finally:
        client.close()
    return verified, flipped_again


def _page(client: AimsClient, store: Store, wish: LabelWish) -> int | None:
    """Return the page a label shows; an installation may not tell it (Q30), and of one it forgot there is none."""
    try:
        return client.label_page(store.code, wish.label_code)
    except AimsRejected:
        return None


def _note(
    runtime: Runtime, org_id: str, store: Store, wishes: Sequence[LabelWish], shown: Mapping[str, int | None]
) -> int:
    """Write down what AIMS said of flipped labels and return how many are flipped again, or held."""
    with runtime.database.write(org_id) as uow:
        scope = Scope(runtime=runtime, actor=system_actor(), org_id=org_id)
        change = Change(uow=uow, scope=scope, now=runtime.clock())
        again: list[str] = []
        held: list[str] = []
        for wish in wishes:
            page = shown[wish.label_code]
            if page is None or page == wish.desired_page:
                label_displays.note_page(uow, wish, {"page_rounds": 0}, change.now)
                continue
            rounds = wish.page_rounds + 1
            values: dict[str, object] = {"acked_page": None, "page_rounds": rounds}
            if rounds >= MOST_ROUNDS:
                why = f"Somebody else flips it to page {page} after each of our flips to page {wish.desired_page}."
                values |= {"state": State.HELD.value, "error_text": why}
            if label_displays.note_page(uow, wish, values, change.now):
                (held if rounds >= MOST_ROUNDS else again).append(wish.label_code)
        if held:
            _alert(change, store, held)
        if again:
            change.emit("sync:drift", {"pages": len(again)}, store_id=store.id)
            uow.announce_work(store.id)
        runtime.reached("pages:noting")
        uow.commit()
    runtime.reached("pages:noted")
    return len(again) + len(held)


def _alert(change: Change, store: Store, codes: Sequence[str]) -> None:
    alerts.raise_alert(
        change.uow,
        alert_id=change.new_id(),
        cause=f"page-flips:{store.code}",
        text=f"Store {store.code}: another program flips labels back to other pages, first seen on {codes[0]}.",
        store_id=store.id,
        now=change.now,
    )
    change.emit("label:held", {"labels": list(codes)}, store_id=store.id)
