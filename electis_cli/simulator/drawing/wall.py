"""The wall of labels: one web page, the data it asks for every second, and the pictures in it."""

import zlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import orjson

from electis_cli.simulator import display
from electis_cli.simulator.call import JSON_TYPE
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json, Label
from electis_cli.simulator.drawing.label_picture import draw
from electis_cli.simulator.heartbeats import is_connected, is_online, last_seen
from electis_cli.simulator.messages import Response
from electis_cli.simulator.model import Company, Store

if TYPE_CHECKING:
    from electis_cli.simulator.control import Ask

SHOWN_AT_MOST = 300
"""More labels than anybody can look at; the page says how many it leaves out."""
SVG_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PAGE_POLICY = (
    "default-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def page(_: "Ask") -> Response:
    """The page itself."""
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": PAGE_POLICY}
    return Response(200, headers, _html())


def data(ask: "Ask") -> Response:
    """The labels a page asked for; 204 when nothing has changed since the revision it knows."""
    cluster = ask.simulator.world.clusters[ask.query("cluster") or "common"]
    company = cluster.companies.get(ask.query("company") or next(iter(cluster.companies), ""))
    stores = [] if company is None else list(company.stores.values())
    found = [(store, label) for store in stores for label in _asked(ask, store)]
    shown = found[:SHOWN_AT_MOST]
    content: dict[str, Json] = {
        "cluster": cluster.name,
        "clusters": list(ask.simulator.world.clusters),
        "company": company.code if company else "",
        "companies": list(cluster.companies),
        "stores": [{"code": store.code, "name": store.name} for store in stores],
        "counts": _counts(stores, ask.now),
        "found": len(found),
        "labels": [_card(store, label, ask.now) for store, label in shown],
    }
    revision = f"{zlib.crc32(orjson.dumps(content)):08x}"
    headers = {"cache-control": "no-store"}
    if ask.query("since") == revision:
        return Response(204, headers)
    body = orjson.dumps({"revision": revision, "now": stamp(ask.now, 0), **content})
    return Response(200, headers | {"content-type": JSON_TYPE}, body)


def picture(ask: "Ask", code: str) -> Response | None:
    """One label as SVG; None when there is no such label. A `v` in the query lets browsers keep it."""
    found = _find(ask, code)
    if found is None:
        return None
    headers = {
        "content-type": "image/svg+xml; charset=utf-8",
        "content-security-policy": SVG_POLICY,
        "cache-control": "max-age=3600" if ask.query("v") else "no-store",
    }
    return Response(200, headers, draw(*found, ask.now).encode())


def _find(ask: "Ask", code: str) -> tuple[Store, Label] | None:
    clusters = ask.simulator.world.clusters
    named = ask.query("cluster")
    for cluster in [clusters[named]] if named else clusters.values():
        companies: list[Company] = list(cluster.companies.values())
        for company in companies:
            if ask.query("company") not in ("", company.code):
                continue
            for store in company.stores.values():
                if ask.query("store") in ("", store.code) and code in store.labels:
                    return store, store.labels[code]
    return None


def _asked(ask: "Ask", store: Store) -> list[Label]:
    if ask.query("store") not in ("", store.code):
        return []
    text, also_free = ask.query("q").casefold().strip(), ask.query("free") == "yes"
    rows = []
    for code in sorted(store.labels):
        label = store.labels[code]
        shown = display.visible(label, ask.now)
        # A label that still shows an article counts as in use, also after it was unlinked.
        if not (also_free or label.articles or shown.articles or shown.images):
            continue
        words = (code, *label.articles, *shown.articles, *shown.names)
        if not text or any(text in word.casefold() for word in words):
            rows.append(label)
    return rows


def _counts(stores: list[Store], now: float) -> dict[str, int]:
    counts = dict.fromkeys(
        ("assigned", "unassigned", "updating", "timeout", "offline", "low", "gateways_down"), 0
    )
    for store in stores:
        counts["gateways_down"] += sum(not is_connected(one, now) for one in store.gateways.values())
        for label in store.labels.values():
            if not label.articles:
                counts["unassigned"] += 1
                continue
            state = display.status(label, now)
            counts["assigned"] += 1
            counts["updating"] += state == "PROCESSING"
            counts["timeout"] += state == "TIMEOUT"
            counts["offline"] += not is_online(store, label, now)
            counts["low"] += label.battery != "GOOD"
    return counts


def _card(store: Store, label: Label, now: float) -> Json:
    found = display.describe(store, label, now)
    led = store.leds.get(label.code)
    blinks = led is not None and led.at + led.duration > now
    picture_of = (found["lines"], found["name"], found["page"], found["article_ids"], found["image"])
    return {
        "code": label.code,
        "store": store.code,
        "model": label.model,
        "width": label.width,
        "height": label.height,
        "status": found["status"],
        "page": found["page"],
        "articles": found["article_ids"],
        "linked": label.articles,
        "name": found["name"],
        "online": is_online(store, label, now),
        "seen": stamp(last_seen(label, now), 0),
        "battery": label.battery,
        "signal": label.signal,
        "gateway": label.gateway,
        "led": led.color if led is not None and blinks else "",
        "v": f"{zlib.crc32(repr(picture_of).encode()):08x}",
    }


@cache
def _html() -> bytes:
    return files(__package__).joinpath("wall.html").read_bytes()
