"""Gateways (contract 5.8): list, detail and reboot."""

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.model import Gateway, Json
from electis_cli.simulator.paging import one_page


def get_gateways(call: Call) -> Reply:
    """Gateways of a store with their state."""
    wanted, network = call.text("gateway"), call.text("network")
    rows = [
        gateway
        for mac, gateway in sorted(call.store.gateways.items())
        if wanted in ("", mac) and network in ("", _network(gateway, call.now))
    ]
    return one_page(call, "gatewayList", rows, lambda one: _row(call, one), message="OK")


def get_gateway(call: Call) -> Reply:
    """One gateway's settings; 204 when it is unknown or cannot be reached (contract 5.8)."""
    gateway = call.store.gateways.get(call.text("gateway"))
    if gateway is None or not connected(gateway, call.now):
        return Reply()
    return Reply(
        {
            "name": gateway.name,
            "dataChennal": str(gateway.channel),
            "wakeupChennal": str(gateway.channel + 1),
            "aliveChannel": gateway.channel + 2,
            "scanChannel": gateway.channel + 3,
            "company": call.company.code,
            "store": call.store.code,
            "networkStatus": _status(gateway, call.now),
            "macAddress": gateway.mac,
            "mac": gateway.mac,
            "ipAddress": gateway.ip,
            "version": gateway.version,
            "lastConnectionDate": stamp(call.now, 0),
            "result": True,
        },
        "OK",
    )


def patch_gateway(call: Call) -> Reply:
    """Reboot; a list of gateways, split by commas, is taken whole or not at all."""
    macs = [mac for mac in call.text("gateway").split(",") if mac]
    if any(mac not in call.store.gateways for mac in macs):
        raise Refused(405, "NO_REGISTERED_GATEWAY_FOUND")
    for mac in macs:
        gateway = call.store.gateways[mac]
        gateway.last_reboot = call.now
        gateway.down_until = call.now + call.settings.reboot_seconds
    return Reply({})


def connected(gateway: Gateway, now: float) -> bool:
    """Whether a gateway is up."""
    return now >= gateway.down_until


def _status(gateway: Gateway, now: float) -> str:
    return "CONNECTED" if connected(gateway, now) else "DISCONNECTED"


def _network(gateway: Gateway, now: float) -> str:
    return "online" if connected(gateway, now) else "offline"


def _row(call: Call, gateway: Gateway) -> Json:
    labels = [label for label in call.store.labels.values() if label.gateway == gateway.mac]
    assigned = sum(bool(label.articles) for label in labels)
    seen = call.now if connected(gateway, call.now) else gateway.last_reboot
    return {
        "company": call.company.code,
        "store": call.store.code,
        "labelCount": assigned,
        "unassignedLabelCount": len(labels) - assigned,
        "networkStatus": _status(gateway, call.now),
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
    "patchGateway": patch_gateway,
}
