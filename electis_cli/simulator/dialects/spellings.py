"""Names that differ between the two descriptions (contract 5.1, 5.4, 5.5) and those clients met (Q11)."""

from electis_cli.simulator.devices import Json

BY_OPERATION: dict[str, dict[str, dict[str, str]]] = {
    "F": {
        "getLabelsDetail": {"statusUpdateTime": "statusUpdatetime"},
        "getLabelsUnassignedDetail": {"statusUpdateTime": "statusUpdatetime"},
    },
    "A": {
        "getArticlesHistory": {"lastModified": "last_modified"},
        "getArticlesHistoryDetail": {"updateDetailList": "updateHistoryList"},
        "getArticlesAssignSearch": {"articleInfo": "articleList"},
        "getLabelsLink": {"assignList": "timelineInfo"},
    },
}
VALUES = {"A": {"getArticlesHistory": {"FAILED": "FAIL"}}}
SEEN = {
    "version": "firmwareVersion",
    "store": "storeCode",
    "articleId": "article_id",
    "articleName": "article_name",
    "labelCode": "label_code",
    "nfcUrl": "nfc",
    "lastModified": "last_modified",
    "lastUpdated": "last_modified",
    "firmwareVersion": "version",
    "macAddress": "mac",
    "labelModel": "labelType",
    "battery": "batteryStatus",
    "signal": "signalStrength",
}
OTHER = {
    "lastUpdated": "lastModified",
    "store": "code",
    "storeName": "name",
    "networkStatus": "status",
    "macAddress": "gatewayMac",
    "type": "labelModel",
    "labelModel": "type",
    "result": "status",
}
MET = {"seen": SEEN, "other": OTHER}


def renamed(payload: dict[str, Json], spelling: str, operation: str) -> dict[str, Json]:
    """The payload with the names and the values of a spelling; columns of articles keep theirs."""
    names = MET.get(spelling) or BY_OPERATION.get(spelling, {}).get(operation, {})
    values = VALUES.get(spelling, {}).get(operation, {})
    if not names and not values:
        return payload
    made: dict[str, Json] = _walk(payload, names, values)
    return made


def _walk(node: Json, names: dict[str, str], values: dict[str, str]) -> Json:
    if isinstance(node, dict):
        return {
            _spelled(name, node, names): value
            if name == "data" and isinstance(value, dict)
            else _walk(value, names, values)
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [_walk(one, names, values) for one in node]
    return values.get(node, node) if isinstance(node, str) else node


def _spelled(name: str, node: dict[str, Json], names: dict[str, str]) -> str:
    """The other name, unless the object has a field of that name, or another one that takes it first."""
    other = names.get(name, name)
    rivals = [one for one in node if one == other or names.get(one) == other]
    return other if rivals[0] == name and other not in node else name
