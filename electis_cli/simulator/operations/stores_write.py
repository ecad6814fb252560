"""Making, changing and deleting stores (contract 5.9)."""

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.devices import Json
from electis_cli.simulator.model import Store

PLACE = ("country", "region", "city")
KEPT = ("storeDescription", "ipNtpServer", "lbsEnabled")


def post_store(call: Call) -> Reply:
    """A new store without labels; refused above the quota, where it exists, or in an unknown area when set so."""
    code = call.body.get("store")
    if not code:
        raise Refused(405, "FIELD_IS_MISSING")
    stores = call.company.stores
    if code in stores:
        raise Refused(call.settings.store_exists_status, "STORE_ALREADY_EXISTS")
    if len(stores) >= call.company.store_quota:
        raise Refused(403, "STORE_QUOTA_REACHED")
    places = {(one.country, one.region, one.city) for one in stores.values()}
    if call.settings.known_areas_only and tuple(call.body.get(name) for name in PLACE) not in places:
        raise Refused(405, "AREA_NOT_FOUND")
    store = Store(code, f"Store {code}", "", "", "", "UTC", call.now, call.now)
    _write(store, call.body, call.now)
    stores[code] = store
    return Reply({})


def put_store(call: Call) -> Reply:
    """Change what is sent; the rest stays."""
    _write(call.store, call.body, call.now)
    return Reply({})


def delete_stores(call: Call) -> Reply:
    """Delete stores with all they hold; their gateways float from then on."""
    codes = dict.fromkeys(call.items("storeList"))
    if any(code not in call.company.stores for code in codes):
        raise Refused(405, "STORE_CODE_NOT_FOUND")
    for code in codes:
        call.company.floating.update(call.company.stores.pop(code).gateways)
    return Reply({})


def _write(store: Store, body: dict[str, Json], now: float) -> None:
    # A's request spells the object storeConifg (contract 5.9).
    config = {**body.get("storeConifg", {}), **body.get("storeConfig", {})}
    store.name = body.get("storeName", store.name)
    store.country, store.region, store.city = (body.get(name, getattr(store, name)) for name in PLACE)
    store.zone = body.get("zoneId", store.zone)
    store.address = body.get("address", store.address)
    store.whitelist_on = body.get("whiteListEnable", config.pop("whiteListEnable", store.whitelist_on))
    store.settings |= {name: body[name] for name in KEPT if name in body}
    store.settings["storeConfig"] = store.settings.get("storeConfig", {}) | config
    store.updated = now


HANDLERS = {"postStore": post_store, "putStore": put_store, "deleteStore": delete_stores}
