"""How a label looks in each of AIMS's answers, with the wire's own spellings (contract 4, 5.5)."""

from electis_cli.simulator import display
from electis_cli.simulator.call import Call
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json, Label
from electis_cli.simulator.heartbeats import is_online, last_seen


def listed(call: Call, label: Label) -> Json:
    """A row of `/labels`; `lastResponsetime` is the wire's spelling here."""
    articles = call.store.articles
    return {
        "labelCode": label.code,
        "updateStatus": display.status(label, call.now),
        "articleList": [{"articleId": one, "articleName": articles[one].name} for one in label.articles],
        "lastResponsetime": stamp(last_seen(label, call.now)),
        "battery": label.battery,
        "batteryLevel": label.battery_level,
        "signal": label.signal,
        "dataChannelRssi": label.rssi,
        "gateway": {"name": label.gateway, "lastConnectionDate": stamp(call.now, 0)},
        "type": label.model,
        "firmwareVersion": "20",
        "networkStatus": is_online(call.store, label, call.now),
        "templateName": [label.template] if label.template else [],
        "isRailTag": False,
    }


def unassigned(call: Call, label: Label) -> Json:
    """A row of `/labels/unassigned`; the gateway is a text here."""
    return {
        "labelCode": label.code,
        "unAssignedOn": stamp(label.unassigned_on),
        "labelMac": label.code[:8],
        "firmwareVersion": "20",
        "signal": label.signal,
        "battery": label.battery,
        "networkStatus": is_online(call.store, label, call.now),
        "lastResponseTime": stamp(last_seen(label, call.now)),
        "labelModel": label.model,
        "temperature": 21,
        "gateway": label.gateway,
        "store": call.store.code,
    }


def of_article(call: Call, label: Label) -> Json:
    """A row of `/labels/article`."""
    return {**heard(call, label), "gatewayMac": label.gateway}


def heard(call: Call, label: Label) -> dict[str, Json]:
    """A row of `/labels/gateway`."""
    return {
        "labelCode": label.code,
        "labelMac": label.code[:8],
        "firmwareVersion": "20",
        "signal": label.signal,
        "battery": label.battery,
        "networkStatus": is_online(call.store, label, call.now),
        "lastResponseTime": stamp(last_seen(label, call.now)),
        "labelModel": label.model,
        "temperature": 21,
    }


def device(label: Label) -> dict[str, Json]:
    """The answer of `/labels/type/info`."""
    return {
        "labelCode": label.code,
        "name": label.model,
        "displayWidth": label.width,
        "displayHeight": label.height,
        "totalPage": label.max_pages,
        "colorType": "TERNARY",
        "resolution": 112,
        "nfc": label.nfc,
        "color": label.color,
    }


def detail(call: Call, label: Label) -> dict[str, Json]:
    """The answer of `/labels/detail`: one image per loaded page."""
    state = display.status(label, call.now)
    images = [_image(label, page, state) for page in range(1, label.pages + 1)]
    return {
        "labelCode": label.code,
        "activePage": display.visible(label, call.now).page,
        "width": label.width,
        "height": label.height,
        "previousImage": [],
        "currentImage": images,
    }


def _image(label: Label, page: int, state: str) -> Json:
    answered = state == "SUCCESS"
    return {
        "index": page,
        "state": state,
        "content": f"https://blob.example/{label.code}-{page}.png",
        "processUpdateTime": stamp(label.started, 3),
        # Null until the label answered (contract 5.5).
        "statusUpdateTime": stamp(label.due, 3) if answered else None,
        "batchId": label.batch,
        "txSequence": label.orders[-1].tx if label.orders else f"{label.code}{page:02d}",
    }
