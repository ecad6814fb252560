"""The whitelist of a store (contract 5.7)."""

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json
from electis_cli.simulator.label_code import fault_of
from electis_cli.simulator.paging import one_page, ordered
from electis_cli.simulator.population import make_code

BOX_HOLDS = 20


def get_whitelist(call: Call) -> Reply:
    """Labels that may be linked in the store."""
    return _page(call, "whiteList", list(call.store.whitelist))


def get_whitelist_unassigned(call: Call) -> Reply:
    """Whitelisted labels that show no article."""
    labels = call.store.labels
    used = {code for code, label in labels.items() if label.articles}
    return _page(call, "unassignedWhiteList", [code for code in call.store.whitelist if code not in used])


def post_box(call: Call) -> Reply:
    """Allow all labels of a box; what is in it follows from its number."""
    box = call.text("boxid")
    if not (box.isascii() and box.isalnum()):
        raise Refused(405, "BOXID_IS_INVALID")
    codes = [make_code(f"{call.settings.seed}/box/{box}/{place}") for place in range(BOX_HOLDS)]
    for code in codes:
        call.store.whitelist.setdefault(code, call.now)
    return Reply({"macList": codes}, rows="macList")


def post_whitelist(call: Call) -> Reply:
    """Allow labels; all codes must be sound."""
    codes = call.items("labelList")
    for code in codes:
        problem = fault_of(code)
        if problem is not None:
            raise Refused(405, problem)
    for code in codes:
        call.store.whitelist.setdefault(code, call.now)
    return Reply({})


def delete_whitelist(call: Call) -> Reply:
    """Take labels off the list; links that exist stay."""
    for code in call.items("labelList"):
        call.store.whitelist.pop(code, None)
    return Reply({})


def _page(call: Call, key: str, codes: list[str]) -> Reply:
    listed = call.store.whitelist
    mac, model = call.text("labelMac"), call.text("labelModel")
    rows = [
        code
        for code in sorted(codes)
        if call.text("labelCode").upper() in code
        and code.startswith(mac)
        and model in ("", _model(call, code))
    ]
    found = ordered(call, rows, {"createdTime": lambda code: listed[code]}, "createdTime,desc")

    def render(code: str) -> Json:
        return {
            "labelCode": code,
            "labelMac": code[:8],
            "labelModel": _model(call, code),
            "createdTime": stamp(listed[code]),
        }

    return one_page(call, key, found, render)


def _model(call: Call, code: str) -> str:
    label = call.store.labels.get(code)
    return label.model if label is not None else ""


HANDLERS = {
    "getWhitelist": get_whitelist,
    "getWhitelistUnassigned": get_whitelist_unassigned,
    "postWhitelistBox": post_box,
    "postWhitelist": post_whitelist,
    "deleteWhitelist": delete_whitelist,
}
