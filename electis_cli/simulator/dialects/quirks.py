"""Smaller oddities of single answers that clients met (contract 7): Q11, Q16, Q18 to Q20, Q28, Q29."""

from collections.abc import Callable

from electis_cli.simulator.devices import Json
from electis_cli.simulator.surface import Operation

BATTERIES = {"GOOD": 92, "BAD": 11}
SIGNALS = {"EXCELLENT": -52, "GOOD": -71, "BAD": -91}
STATES = {"updateStatus": "status"}
DETAILS = frozenset({"getLabelsDetail", "getLabelsUnassignedDetail"})
BLANK_PAGE = -1
"""The page of a label that shows nothing (Q28)."""


def quoted(payload: dict[str, Json]) -> dict[str, Json]:
    """Columns as they come from files: outer quotes kept, inner ones doubled (Q16)."""

    def change(value: Json) -> Json:
        return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else value

    def columns(data: dict[str, Json]) -> Json:
        return {name: change(value) for name, value in data.items()}

    return _walk(
        payload,
        lambda row: row | {"data": columns(row["data"])} if isinstance(row.get("data"), dict) else row,
    )


def measured(payload: dict[str, Json]) -> dict[str, Json]:
    """Battery and signal as numbers, the update state under another name (Q18)."""

    def change(row: dict[str, Json]) -> dict[str, Json]:
        made = {STATES.get(name, name): value for name, value in row.items()}
        for name, numbers in (("battery", BATTERIES), ("signal", SIGNALS)):
            if made.get(name) in numbers:
                made[name] = numbers[made[name]]
        return made

    return _walk(payload, change)


def odd_device(payload: dict[str, Json], operation: Operation) -> dict[str, Json]:
    """Unknown measures, a flag in words, a color in small letters (Q19)."""
    if operation.id != "getLabelsTypeInfo":
        return payload
    sizes = {"displayWidth": 0, "displayHeight": 0}
    return payload | sizes | {"nfc": str(payload["nfc"]).lower(), "color": payload["color"].lower()}


def odd_detail(payload: dict[str, Json], operation: Operation) -> dict[str, Json]:
    """No active page, and a page that timed out beside the older one that went well (Q20, Q28)."""
    if operation.id not in DETAILS:
        return payload
    if operation.id == "getLabelsUnassignedDetail":
        return payload | {"activePage": BLANK_PAGE}
    images = payload["currentImage"]
    late = [image | {"state": "TIMEOUT", "statusUpdateTime": None} for image in images[:1]]
    return payload | {"activePage": None, "currentImage": [*late, *images]}


def no_images(payload: dict[str, Json], operation: Operation) -> dict[str, Json]:
    """A detail without the list of its pages (Q20)."""
    if operation.id not in DETAILS:
        return payload
    return {name: value for name, value in payload.items() if name != "currentImage"}


def bare_stores(payload: dict[str, Json], operation: Operation) -> dict[str, Json]:
    """Stores as their codes alone (Q29)."""
    if operation.id != "getStore":
        return payload
    return payload | {"stores": [row["store"] for row in payload["stores"]]}


def other_gateways(payload: dict[str, Json]) -> dict[str, Json]:
    """A label's gateway as a text where it is an object, and the other way round (Q11)."""

    def change(row: dict[str, Json]) -> dict[str, Json]:
        found = row.get("gateway")
        if isinstance(found, dict):
            return row | {"gateway": found.get("name")}
        return row | {"gateway": {"name": found}} if isinstance(found, str) else row

    return _walk(payload, change)


def _walk(payload: dict[str, Json], change: Callable[[dict[str, Json]], dict[str, Json]]) -> dict[str, Json]:
    """The change made to the payload itself and to the rows of its lists."""
    made = {
        name: [change(one) if isinstance(one, dict) else one for one in value]
        if isinstance(value, list)
        else value
        for name, value in payload.items()
    }
    return change(made)
