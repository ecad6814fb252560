"""The stores AIMS has, and how the labels of ours are doing there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from electis_cli.domain.articles import clean_text
from electis_cli.services.at_aims import at_aims
from electis_cli.services.change import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAtAims:
    """A store as AIMS lists it; `ours` is True when electis works with it."""

    store: str
    name: str
    ours: bool
    labels: int | None
    gateways: int | None
    articles: int | None
    timezone: str | None
    country: str | None
    city: str | None
    updated: str | None
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSummary:
    """A store's counters; None where this installation does not count. `settings` are AIMS's own words."""

    store: str
    name: str
    labels: int | None
    updated: int | None
    in_progress: int | None
    not_updated: int | None
    online: int | None
    offline: int | None
    low_battery: int | None
    bad_signal: int | None
    gateways_online: int | None
    gateways_offline: int | None
    gateways_not_ready: int | None
    articles: int | None
    articles_with_labels: int | None
    whitelist: bool | None
    settings: Mapping[str, Any]


_COUNTERS = {
    "labels": "totalLabelCount",
    "updated": "updatedLabelCount",
    "in_progress": "inProgressLabelCount",
    "not_updated": "notUpdatedLabelCount",
    "online": "onlineLabelCount",
    "offline": "offlineLabelCount",
    "low_battery": "lowBatteryCount",
    "bad_signal": "badSignalLabelCount",
    "gateways_online": "onlineGwCount",
    "gateways_offline": "offlineGwCount",
    "gateways_not_ready": "notReadyGwCount",
    "articles": "totalProductCount",
    "articles_with_labels": "totalAssignedProductCount",
}
_CODE, _NAME = ("store", "storeCode", "code"), ("storeName", "name")
"""What sources and clients call a store's code and its name (Q11)."""
_LISTED = frozenset(
    {*_CODE, *_NAME, "labelCount", "gatewayCount", "articleCount", "zoneId"}
    | {"country", "city", "lastUpdateTime", "company"}
)


def list_stores(scope: Scope, *, ours_only: bool = False) -> list[StoreAtAims]:
    """Return the stores of the company; somebody who is limited to one store sees that one only."""
    from electis_cli.aims.wire import first_of, number_of  # noqa: PLC0415 - a refusal needs no HTTP client

    with at_aims(scope) as at:
        mine = {place.code for place in at.places}
        is_limited = ours_only or scope.actor.store_id is not None
        found = []
        for row in at.ask.store_rows():
            code = clean_text(first_of(row, *_CODE))
            if not code or (is_limited and code not in mine):
                continue
            found.append(
                StoreAtAims(
                    store=code,
                    name=clean_text(first_of(row, *_NAME)),
                    ours=code in mine,
                    labels=number_of(row.get("labelCount")),
                    gateways=number_of(row.get("gatewayCount")),
                    articles=number_of(row.get("articleCount")),
                    timezone=clean_text(row.get("zoneId")) or None,
                    country=clean_text(row.get("country")) or None,
                    city=clean_text(row.get("city")) or None,
                    updated=clean_text(row.get("lastUpdateTime")) or None,
                    extra={name: value for name, value in row.items() if name not in _LISTED},
                )
            )
        return found


def summarize_stores(
    scope: Scope, *, store: str | None = None, tell_unknown: Callable[[str], None] = lambda _: None
) -> list[StoreSummary]:
    """Return the counters of a store, or of all that the actor may see; `tell_unknown` hears of those AIMS has not.

    Raises StoreNotFound.
    """
    with at_aims(scope, store=store) as at:
        return at.of_each(
            lambda place: [_summary(place.code, place.name, at.ask.store_summary(place.code))], tell_unknown
        )


def _summary(store: str, name: str, body: Mapping[str, Any]) -> StoreSummary:
    from electis_cli.aims.entities import online_of  # noqa: PLC0415 - a refusal needs no HTTP client
    from electis_cli.aims.wire import first_of, number_of  # noqa: PLC0415

    known = {"company", *_CODE, *_NAME, "whiteListEnable", *_COUNTERS.values()}
    return StoreSummary(
        store=store,
        name=clean_text(first_of(body, *_NAME)) or name,
        **{field: number_of(body.get(theirs)) for field, theirs in _COUNTERS.items()},
        whitelist=online_of(body.get("whiteListEnable")),
        settings={key: value for key, value in body.items() if key not in known},
    )
