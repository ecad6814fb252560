"""Stores (contract 5.9): list, summary and label counts."""

from collections import Counter

from electis_cli.simulator import display
from electis_cli.simulator.call import Call, Reply
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json
from electis_cli.simulator.heartbeats import ALIVE_HOURS, is_connected, is_online, is_ready
from electis_cli.simulator.model import Store
from electis_cli.simulator.paging import one_page, ordered, whole


def get_stores(call: Call) -> Reply:
    """Stores of a company."""
    rows = [
        store
        for _, store in sorted(call.company.stores.items())
        if call.text("store") in ("", store.code)
        and all(
            call.text(name) in ("", value)
            for name, value in (
                ("country", store.country),
                ("region", store.region),
                ("city", store.city),
            )
        )
        and call.text("storeName").casefold() in store.name.casefold()
    ]
    keys = {
        "store": lambda store: store.code,
        "storeName": lambda store: store.name,
        "region": lambda store: store.region,
        "country": lambda store: store.country,
        "labelCount": lambda store: len(store.labels),
        "gatewayCount": lambda store: len(store.gateways),
        "lastUpdateTime": lambda store: store.updated,
    }
    found = ordered(call, rows, keys, "store,asc")
    return one_page(call, "stores", found, lambda store: _row(call, store))


def get_summary(call: Call) -> Reply:
    """The counters of one store."""
    store = call.store
    labels = [label for label in store.labels.values() if label.articles]
    states = Counter(display.status(label, call.now) for label in labels)
    signals = Counter(label.signal for label in labels)
    good = sum(label.battery == "GOOD" for label in labels)
    online = sum(is_online(store, label, call.now) for label in labels)
    up = sum(is_connected(gateway, call.now) for gateway in store.gateways.values())
    starting = sum(not is_ready(gateway, call.now) for gateway in store.gateways.values())
    payload: dict[str, Json] = {
        "company": call.company.code,
        "store": store.code,
        "storeName": store.name,
        "country": store.country,
        "region": store.region,
        "city": store.city,
        "zoneId": store.zone,
        **_settings(store),
        "updatedLabelCount": states["SUCCESS"],
        "inProgressLabelCount": states["PROCESSING"],
        "notUpdatedLabelCount": states["TIMEOUT"],
        "totalUpdatedLabelCount": sum(states.values()),
        "totalLabelCount": len(labels),
        "goodBatteryCount": good,
        "lowBatteryCount": len(labels) - good,
        "onlineLabelCount": online,
        "offlineLabelCount": len(labels) - online,
        "excellentSignalLabelCount": signals["EXCELLENT"],
        "goodSignalLabelCount": signals["GOOD"],
        "badSignalLabelCount": signals["BAD"],
        "onlineGwCount": up,
        "offlineGwCount": len(store.gateways) - up - starting,
        "notReadyGwCount": starting,
        "misUsedLabelCount": 0,
        "totalAssignedProductCount": sum(bool(store.holders(one)) for one in store.articles),
        "totalProductCount": len(store.articles),
    }
    return Reply(payload, "OK")


def get_settings(call: Call) -> Reply:
    """The settings of one store without its counters."""
    store = call.store
    place = {
        "address": _address(store),
        "country": store.country,
        "region": store.region,
        "city": store.city,
        "zoneId": store.zone,
    }
    return Reply(place | _settings(store), "OK")


def get_label_counts(call: Call) -> Reply:
    """Assigned and unassigned labels of every store."""

    def render(store: Store) -> Json:
        assigned = sum(bool(label.articles) for label in store.labels.values())
        return {
            "store": store.code,
            "name": store.name,
            "assignedLabels": assigned,
            "unassignedLabels": len(store.labels) - assigned,
        }

    rows = [store for _, store in sorted(call.company.stores.items())]
    return whole(call, "storeList", rows, render)


def _settings(store: Store) -> dict[str, Json]:
    config = {"aliveInterval": ALIVE_HOURS, "lostTime": 0, **store.settings.get("storeConfig", {})}
    return {
        "lbsEnabled": False,
        **store.settings,
        "whiteListEnable": store.whitelist_on,
        "storeConfig": config | {"whiteListEnable": store.whitelist_on},
    }


def _address(store: Store) -> str:
    return store.address or f"1 {store.name} Street"


def _row(call: Call, store: Store) -> Json:
    return {
        "lastUpdateTime": stamp(store.updated),
        "createdTime": stamp(store.created),
        "store": store.code,
        "storeName": store.name,
        "region": store.region,
        "city": store.city,
        "company": call.company.code,
        "country": store.country,
        "labelCount": len(store.labels),
        "gatewayCount": len(store.gateways),
        "articleCount": len(store.articles),
        "address": _address(store),
        "zoneId": store.zone,
    }


HANDLERS = {
    "getStore": get_stores,
    "getStoreSummary": get_summary,
    "getStoreSettingSummary": get_settings,
    "getStoreLabelsCount": get_label_counts,
}
