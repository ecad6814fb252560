"""What the control interface changes in the world behind the client's back (contract 9.5, 9.6)."""

from typing import TYPE_CHECKING

from electis_cli.simulator import display, stock
from electis_cli.simulator.call import mint_uuid
from electis_cli.simulator.devices import Json, Label
from electis_cli.simulator.model import Batch, Store
from electis_cli.simulator.operations.articles_write import record_problem
from electis_cli.simulator.settings import CLUSTERS

if TYPE_CHECKING:
    from electis_cli.simulator.control import Ask

OUTCOMES = ("SUCCESS", "TIMEOUT", "LATE", "STUCK")
TRAITS = ("battery", "battery_level", "signal", "rssi", "online", "pages", "gateway", "color", "last_seen")
"""What may be set of a label as it is."""


class Unfit(ValueError):
    """The control request makes no sense."""


def foreign_writer(ask: "Ask") -> Json:
    """Another program at work in the same store (Q24): merges `upsert`, then deletes the ids of `delete`.

    `replace: true` makes the upsert a POST. Neither counters nor the journal count it as a client's write.
    """
    body = ask.body()
    cluster = ask.simulator.world.clusters[body.get("cluster", "common")]
    company = cluster.companies[body["company"]]
    store = company.stores[body["store"]]
    records, ids = body.get("upsert", []), body.get("delete", [])
    for record in records:
        problem = record_problem(record, store.code, stock.store_column(company))
        if problem is not None:
            raise Unfit(problem)
    seconds = ask.simulator.settings.update_seconds
    if records:
        batch = _batch(ask, store, len(records))
        merge = not body.get("replace", False)
        stock.upsert(company, store, batch, records, merge=merge, now=ask.now, seconds=seconds)
    known = [one for one in dict.fromkeys(ids) if one in store.articles]
    if known:
        batch = _batch(ask, store, len(known))
        stock.delete(company, store, batch, known, ask.now, seconds)
    return {"upserted": len(records), "deleted": len(known)}


def set_company(ask: "Ask") -> Json:
    """Change `licensed`, `label_quota` or `store_quota` of a company, in both clusters unless one is named."""
    body = ask.body()
    for cluster in [body["cluster"]] if "cluster" in body else CLUSTERS:
        company = ask.simulator.world.clusters[cluster].companies[body["company"]]
        company.licensed = bool(body.get("licensed", company.licensed))
        company.label_quota = int(body.get("label_quota", company.label_quota))
        company.store_quota = int(body.get("store_quota", company.store_quota))
    return {}


def set_store(ask: "Ask") -> Json:
    """Switch a store's `whitelist` on or off, and set how its labels answer (`outcome`)."""
    body, store = ask.body(), _store(ask)
    store.whitelist_on = bool(body.get("whitelist", store.whitelist_on))
    if "outcome" in body:
        for code in body.get("labels", sorted(store.labels)):
            _answer(ask, body, store.labels[code])
    return {}


def set_labels(ask: "Ask") -> Json:
    """Set traits of `labels`, or of all of a store: `silent`, `outcome`, battery, signal, pages and others."""
    body, store = ask.body(), _store(ask)
    unknown = set(body) - {
        "company",
        "store",
        "cluster",
        "labels",
        "silent",
        "outcome",
        "late_seconds",
        *TRAITS,
    }
    if unknown:
        raise Unfit(f"a label has no {min(unknown)}")
    for code in body.get("labels", sorted(store.labels)):
        label = store.labels[code]
        if "silent" in body:
            label.silent_since = ask.now if body["silent"] else None
        if "outcome" in body:
            _answer(ask, body, label)
        for name in TRAITS:
            if name in body:
                setattr(label, name, type(getattr(label, name))(body[name]))
    return {}


def set_gateways(ask: "Ask") -> Json:
    """Let `gateways`, or all of a store, fall `silent` or be heard again."""
    body, store = ask.body(), _store(ask)
    for mac in body.get("gateways", sorted(store.gateways)):
        store.gateways[mac].silent_since = ask.now if body["silent"] else None
    return {}


def _store(ask: "Ask") -> Store:
    body = ask.body()
    return ask.simulator.company(body["company"], body.get("cluster", "common")).stores[body["store"]]


def _answer(ask: "Ask", body: Json, label: Label) -> None:
    """How a label ends its orders from now on."""
    if body["outcome"] not in OUTCOMES:
        raise Unfit(f"outcome is one of {', '.join(OUTCOMES)}")
    company = ask.simulator.company(body["company"], body.get("cluster", "common"))
    display.answer_as(company, label, body["outcome"], ask.now, float(body.get("late_seconds", 0.0)))


def _batch(ask: "Ask", store: Store, count: int) -> Batch:
    return Batch(mint_uuid(ask.simulator.world), "ARTICLE", store.code, ask.now, count, count, 0)
