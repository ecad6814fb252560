"""Changing gateways (contract 5.8): register, set, reboot, give free. An answer proves only that it was queued."""

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.devices import Gateway, Json

HEX = frozenset("0123456789ABCDEFabcdef")


def post_gateway(call: Call) -> Reply:
    """Give a floating gateway to the store; it needs a while to be ready."""
    mac = call.body.get("gateway")
    if not mac:
        raise Refused(405, "FIELD_IS_MISSING")
    if not HEX.issuperset(mac):
        raise Refused(405, "GATEWAY_MAC_MUST_BE_HEXADECIMAL")
    gateway = call.company.floating.pop(mac.upper(), None)
    if gateway is None:
        raise Refused(400, "NO_UNREGISTERED_GATEWAY_FOUND")
    gateway.ready_at = call.now + call.settings.register_seconds
    call.store.gateways[gateway.mac] = gateway
    return Reply({})


def put_gateway(call: Call) -> Reply:
    """Set gateways; when only some of a list are known the answer is 206."""
    known, unknown = _named(call, call.text("gateway"))
    if not known:
        raise Refused(405, "NO_REGISTERED_GATEWAY_FOUND")
    for gateway in known:
        gateway.settings.update({name: value for name, value in call.body.items() if name != "dataChannel"})
        gateway.name = call.body.get("name") or gateway.name
        gateway.channel = call.body.get("dataChannel") or gateway.channel
    if not unknown:
        return Reply({})
    rows: Json = [
        {"gateway": mac, "responseCode": "422", "message": "NO_REGISTERED_GATEWAY_FOUND"} for mac in unknown
    ]
    return Reply({"data": rows}, "Partial Success", 206)


def patch_gateway(call: Call) -> Reply:
    """Reboot; a list of gateways, split by commas, is taken whole or not at all."""
    for gateway in _all(call, call.text("gateway")):
        gateway.last_reboot = call.now
        gateway.down_until = call.now + call.settings.reboot_seconds
    return Reply({})


def delete_gateway(call: Call) -> Reply:
    """Take gateways from the store; they float. Both spellings of the parameter are read (contract 5.8)."""
    for gateway in _all(call, call.text("gateway") or call.text("gateways")):
        del call.store.gateways[gateway.mac]
        call.company.floating[gateway.mac] = gateway
        for label in call.store.labels.values():
            if label.gateway == gateway.mac:
                label.gateway = min(call.store.gateways, default="")
    return Reply({})


def _all(call: Call, text: str) -> list[Gateway]:
    known, unknown = _named(call, text)
    if unknown or not known:
        raise Refused(405, "NO_REGISTERED_GATEWAY_FOUND")
    return known


def _named(call: Call, text: str) -> tuple[list[Gateway], list[str]]:
    macs = list(dict.fromkeys(mac for mac in text.split(",") if mac))
    found = call.store.gateways
    return [found[mac] for mac in macs if mac in found], [mac for mac in macs if mac not in found]


HANDLERS = {
    "postGateway": post_gateway,
    "putGateway": put_gateway,
    "patchGateway": patch_gateway,
    "deleteGateway": delete_gateway,
}
