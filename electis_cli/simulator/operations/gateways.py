"""Reading gateways (contract 5.8): list, detail, states and the ones without a store."""

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.clock import parse_stamp, stamp
from electis_cli.simulator.devices import Gateway, Json
from electis_cli.simulator.heartbeats import is_connected, status
from electis_cli.simulator.model import Store
from electis_cli.simulator.operations.remainder import shaped
from electis_cli.simulator.paging import one_page, whole

BUCKET = 300.0
BUCKETS_AT_MOST = 2_016
"""Five-minute buckets of a week."""


def get_gateways(call: Call) -> Reply:
    """Gateways of a store with their state."""
    wanted, network = call.text("gateway"), call.text("network")
    rows = [
        gateway
        for mac, gateway in sorted(call.store.gateways.items())
        if wanted in ("", mac) and network in ("", _network(gateway, call.now))
    ]
    return one_page(call, "gatewayList", rows, lambda one: _row(call, call.store, one), message="OK")


def get_gateway(call: Call) -> Reply:
    """One gateway's settings; 204 when it is unknown or cannot be reached (contract 5.8)."""
    gateway = call.store.gateways.get(call.text("gateway"))
    if gateway is None or not is_connected(gateway, call.now):
        return Reply()
    known = {
        "name": gateway.name,
        "dataChennal": str(gateway.channel),
        "wakeupChennal": str(gateway.channel + 1),
        "aliveChannel": gateway.channel + 2,
        "scanChannel": gateway.channel + 3,
        "company": call.company.code,
        "store": call.store.code,
        "networkStatus": status(gateway, call.now),
        "macAddress": gateway.mac,
        "mac": gateway.mac,
        "ipAddress": gateway.ip,
        "version": gateway.version,
        "lastUpdateTime": stamp(gateway.last_reboot, 0),
        "lastConnectionDate": stamp(call.now, 0),
        "result": True,
        **gateway.settings,
    }
    return Reply(shaped(call.operation.answer) | known, "OK")


def get_statuses(call: Call) -> Reply:
    """Gateways of one store or of all by their state; without `network` the offline ones (contract 5.8)."""
    wanted, network = call.text("gateway"), call.text("network") or "offline"
    rows = [
        (store, gateway)
        for store in call.stores()
        for mac, gateway in sorted(store.gateways.items())
        if wanted in ("", mac) and network in ("both", _network(gateway, call.now))
    ]
    return one_page(call, "gatewayList", rows, lambda row: _row(call, *row), message="OK")


def get_buckets(call: Call) -> Reply:
    """A gateway's state in steps of five minutes; only its last reboot is remembered."""
    gateway = call.store.gateways.get(call.text("gateway"))
    try:
        start, end = parse_stamp(call.text("startTime")), parse_stamp(call.text("endTime"))
    except ValueError as error:
        raise Refused(405, "TIME_IS_INVALID") from error
    steps = min(int((min(end, call.now) - start) // BUCKET), BUCKETS_AT_MOST)
    times = [start + BUCKET * place for place in range(steps)] if gateway is not None else []

    def render(time: float) -> Json:
        assert gateway is not None
        down = gateway.last_reboot <= time < gateway.down_until
        state = "DISCONNECTED" if down else "CONNECTED"
        return {"timeInterval": stamp(time, 0) + "+00:00", "status": state, "count": 1}

    return whole(call, "status", times, render)


def get_floating(call: Call) -> Reply:
    """Gateways registered to the company but to no store."""
    mac = call.text("mac")
    rows = [gateway for key, gateway in sorted(call.company.floating.items()) if mac in ("", key)]

    def render(gateway: Gateway) -> Json:
        return {
            "company": call.company.code,
            "macAddress": gateway.mac,
            "name": gateway.name,
            "version": gateway.version,
        }

    return whole(call, "gatewayList", rows, render)


def get_debug(call: Call) -> Reply:
    """Where a gateway's logs lie."""
    gateway = call.store.gateways.get(call.text("gateway"))
    rows = [] if gateway is None else ["system.log", "radio.log"]

    def render(name: str) -> Json:
        return {"name": name, "url": f"https://blob.example/{call.text('gateway')}/{name}"}

    return whole(call, "gatewayDebugInfo", rows, render)


def _network(gateway: Gateway, now: float) -> str:
    return "online" if is_connected(gateway, now) else "offline"


def _row(call: Call, store: Store, gateway: Gateway) -> Json:
    labels = [label for label in store.labels.values() if label.gateway == gateway.mac]
    assigned = sum(bool(label.articles) for label in labels)
    lost = gateway.last_reboot if gateway.silent_since is None else gateway.silent_since
    seen = call.now if is_connected(gateway, call.now) else lost
    return {
        "company": call.company.code,
        "store": store.code,
        "labelCount": assigned,
        "unassignedLabelCount": len(labels) - assigned,
        "networkStatus": status(gateway, call.now),
        "macAddress": gateway.mac,
        "deviceId": gateway.mac + call.company.code,
        "name": gateway.name,
        "version": gateway.version,
        "dataChannel": gateway.channel,
        "lastRebootTime": stamp(gateway.last_reboot, 3),
        "lastConnectionDate": stamp(seen, 0),
        "ipAddress": gateway.ip,
        "model": gateway.model,
    }


HANDLERS = {
    "getGateway": get_gateways,
    "getGatewayDetail": get_gateway,
    "getGatewayStatus": get_statuses,
    "getGatewayStatusSummary": get_buckets,
    "getGatewayFloating": get_floating,
    "getGatewayDebugInfo": get_debug,
}
