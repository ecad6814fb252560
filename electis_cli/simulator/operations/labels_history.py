"""What labels went through (contract 5.5): orders, signs of life, internal states, and the store they are in."""

from electis_cli.simulator import display
from electis_cli.simulator.call import Call, Reply
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json, Label, Order
from electis_cli.simulator.heartbeats import beats
from electis_cli.simulator.model import Store
from electis_cli.simulator.paging import one_page, ordered

BEAT_PAGE = 92
"""The internal page number of heartbeat rows (contract 5.5)."""
BEATS_SHOWN = 96
"""A day of signs of life."""
NUMBERS = {"SUCCESS": 1, "PROCESSING": 0, "TIMEOUT": 2}
"""Update states as the numbers of `/labels/status` and the status history (I: no source lists them)."""


def get_history(call: Call) -> Reply:
    """The last orders of a label, newest first."""
    label = call.store.labels.get(call.text("label"))
    if label is None or not label.orders:
        return Reply()

    def render(order: Order) -> Json:
        state = order.state(call.now)
        last = order.at if state == "PROCESSING" else order.due
        page = {"pageNumber": order.page, "status": state, "lastUpdated": stamp(last)}
        return {
            "inputBatchId": order.batch,
            "txSequence": order.tx,
            "created": stamp(order.at),
            "pageInfo": [page],
            "requestType": order.kind,
        }

    rows = [render(order) for order in reversed(label.orders)]
    return Reply({"labelCode": label.code, "timelineInfo": rows}, rows="timelineInfo")


def get_alive_history(call: Call) -> Reply:
    """Signs of life of a day."""
    store, label = _anywhere(call, call.text("label"))
    times = beats(label, call.now, BEATS_SHOWN) if label is not None else []

    def render(time: float) -> Json:
        assert label is not None
        return {
            "page": BEAT_PAGE,
            "lastUpdatedOn": stamp(time),
            "updateTime": stamp(time),
            "gateway": label.gateway,
            "store": store,
            "currentPage": display.visible(label, call.now).page,
        }

    found = ordered(call, times[::-1], {"lastUpdatedOn": lambda time: time}, "lastUpdatedOn,desc")
    return one_page(call, "aliveHistory", found, render)


def get_status_history(call: Call) -> Reply:
    """Signs of life and answers to orders; `aliveReport=true` leaves the signs of life alone."""
    label = call.store.labels.get(call.text("label"))
    if label is None:
        return Reply()
    rows = [_beat(call, label, time) for time in beats(label, call.now, BEATS_SHOWN)]
    if not call.flag("aliveReport"):
        rows += [_answered(call, label, order) for order in label.orders]
    wanted = (("page", "statusPage"), ("gateway", "gatewayMac"), ("txSequence", "txSequence"))
    rows = [row for row in rows if all(call.text(asked) in ("", str(row[name])) for name, asked in wanted)]
    found = ordered(call, rows, {"lastUpdatedOn": lambda row: row["lastUpdatedOn"]}, "lastUpdatedOn,desc")
    return one_page(call, "aliveHistory", found, lambda row: row)


def get_status(call: Call) -> Reply:
    """The internal state of a label (A only)."""
    label = call.store.labels.get(call.text("labelCode"))
    if label is None:
        return Reply()
    state = NUMBERS.get(display.status(label, call.now), 0)
    tx = label.orders[-1].tx if label.orders else ""
    begun = stamp(label.started)
    pages = [
        {"page": page, "status": state, "insertTime": begun, "txSeq": tx}
        for page in range(1, label.pages + 1)
    ]
    found = {
        "store": call.store.code,
        "txSeq": tx,
        "labelCode": label.code,
        "status": state,
        "unassign": int(not label.articles),
        "insertTime": begun,
        "checkTime": stamp(call.now),
        "processTime": stamp(label.due),
        "pages": pages,
    }
    return Reply({"labelStatus": found})


def get_store_of(call: Call) -> Reply:
    """Which store of the company has a label."""
    store, label = _anywhere(call, call.text("labelCode"))
    if label is None:
        return Reply()
    found = {
        "labelCode": label.code,
        "labelModel": label.model,
        "store": store,
        "gateway": label.gateway,
        "articleId": list(label.articles),
    }
    return Reply(found)


def _anywhere(call: Call, code: str) -> tuple[str, Label | None]:
    stores: list[Store] = list(call.company.stores.values())
    return next(((one.code, one.labels[code]) for one in stores if code in one.labels), ("", None))


def _beat(call: Call, label: Label, time: float) -> dict[str, Json]:
    return _row(call, label, time, "", BEAT_PAGE) | {"updateStatus": NUMBERS["SUCCESS"]}


def _answered(call: Call, label: Label, order: Order) -> dict[str, Json]:
    state = order.state(call.now)
    time = order.at if state == "PROCESSING" else order.due
    return _row(call, label, time, order.tx, order.page) | {"updateStatus": NUMBERS.get(state, 2)}


def _row(call: Call, label: Label, time: float, tx: str, page: int) -> dict[str, Json]:
    return {
        "txSequence": tx,
        "page": page,
        "lastUpdatedOn": stamp(time),
        "updateTime": stamp(time),
        "gateway": label.gateway,
        "store": call.store.code,
        "currentPage": display.visible(label, call.now).page,
        "dataChannelRssi": label.rssi,
        "batteryLevel": label.battery_level,
        "intBatteryValue": int(label.battery_level, 16) * 100 // 255,
        "batteryStatus": label.battery,
        "signalStrength": label.signal,
    }


HANDLERS = {
    "getLabelsHistory": get_history,
    "getLabelsAliveHistory": get_alive_history,
    "getLabelsStatusHistory": get_status_history,
    "getLabelsStatus": get_status,
    "getLabelsStore": get_store_of,
}
