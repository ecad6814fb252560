"""Reading labels (contract 5.5)."""

from collections.abc import Callable

from electis_cli.simulator import display
from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.devices import Json, Label
from electis_cli.simulator.heartbeats import is_online, last_seen
from electis_cli.simulator.label_code import fault_of
from electis_cli.simulator.operations import label_rows
from electis_cli.simulator.paging import one_page, ordered, whole


def get_labels(call: Call) -> Reply:
    """Assigned labels of a store."""
    rows = _found(call, lambda label: bool(label.articles))
    return one_page(call, "labelList", rows, lambda one: label_rows.listed(call, one))


def get_unassigned(call: Call) -> Reply:
    """Labels a gateway of the store has seen that show no article; not paged."""
    rows = _found(call, lambda label: not label.articles)
    return whole(call, "labelList", rows, lambda one: label_rows.unassigned(call, one), "OK")


def get_labels_of_article(call: Call) -> Reply:
    """Labels that show one article."""
    rows = _found(call, lambda label: call.text("articleId") in label.articles)
    return one_page(call, "labelsList", rows, lambda one: label_rows.of_article(call, one))


def get_detail(call: Call) -> Reply:
    """The pages of an assigned label and how their transfer went."""
    label = call.store.labels.get(call.text("label"))
    if label is None or not label.articles:
        return Reply()
    return Reply(label_rows.detail(call, label), "OK")


def get_unassigned_detail(call: Call) -> Reply:
    """The pages of a label that shows no article."""
    label = call.store.labels.get(call.text("label"))
    if label is None or label.articles:
        return Reply()
    return Reply(label_rows.detail(call, label), "OK")


def get_unassigned_status(call: Call) -> Reply:
    """Unassigned labels in the form of `/labels`, with their update state; paged."""
    rows = _found(call, lambda label: not label.articles)
    return one_page(call, "labelList", rows, lambda one: label_rows.listed(call, one))


def get_labels_of_gateway(call: Call) -> Reply:
    """Labels one gateway hears; not paged."""
    assigned = call.flag("isAssigned")
    rows = _found(call, lambda label: assigned in (None, bool(label.articles)))
    return whole(call, "labelList", rows, lambda one: label_rows.heard(call, one))


def get_type_info(call: Call) -> Reply:
    """What kind of device a label is; needs no company."""
    code = call.text("labelCode")
    problem = fault_of(code)
    if problem is not None:
        raise Refused(405, problem)
    for company in call.cluster.companies.values():
        for store in company.stores.values():
            if code in store.labels:
                return Reply(label_rows.device(store.labels[code]))
    return Reply()


def get_types(call: Call) -> Reply:
    """Names of the models a store has."""
    rows = sorted({label.model for label in call.store.labels.values()})
    return whole(call, "labelTypeList", rows, lambda model: model)


def get_models(call: Call) -> Reply:
    """Linked labels per model and store."""
    payload = []
    for store in call.stores():
        linked: dict[str, int] = {}
        for label in store.labels.values():
            linked[label.model] = linked.get(label.model, 0) + bool(label.articles)
        kinds = [{"type": model, "linked": linked[model]} for model in sorted(linked)]
        payload.append({"store": store.code, "labelTypes": kinds})
    return whole(call, "labelTypeSummary", payload, lambda row: row)


def get_summary(call: Call) -> Reply:
    """How many assigned labels of each store are in a state, lately when `duration` minutes are given."""
    state, duration = call.text("status") or "PROCESSING", call.text("duration")
    if duration and not (duration.isdigit() and 10 <= int(duration) <= 120):
        raise Refused(405, "DURATION_IS_INVALID")
    since = call.now - 60.0 * int(duration) if duration else 0.0

    def render(store_labels: tuple[str, list[Label]]) -> Json:
        code, labels = store_labels
        count = sum(display.status(label, call.now) == state and label.started >= since for label in labels)
        return {"store": code, "count": count, "total": len(labels)}

    rows = [
        (store.code, [label for label in store.labels.values() if label.articles]) for store in call.stores()
    ]
    return whole(call, "labelSummary", rows, render)


def _found(call: Call, belongs: Callable[[Label], bool]) -> list[Label]:
    labels = call.store.labels
    rows = [labels[code] for code in sorted(labels) if belongs(labels[code])]
    rows = [label for label in rows if _passes(call, label)]
    keys = {
        "labelCode": lambda label: label.code,
        "lastResponseTime": lambda label: last_seen(label, call.now),
    }
    return list(ordered(call, rows, keys, "labelCode,asc"))


def _passes(call: Call, label: Label) -> bool:
    exact = (
        ("gateway", label.gateway),
        ("type", label.model),
        ("battery", label.battery),
        ("signal", label.signal),
        ("template", label.template),
    )
    if any(call.text(name) not in ("", value) for name, value in exact):
        return False
    if call.text("status") not in ("", display.status(label, call.now)):
        return False
    network = call.flag("network")
    return (
        network in (None, is_online(call.store, label, call.now)) and call.text("label").upper() in label.code
    )


HANDLERS = {
    "getLabels": get_labels,
    "getLabelsUnassigned": get_unassigned,
    "getLabelsUnassignedDetail": get_unassigned_detail,
    "getLabelsUnassignedStatus": get_unassigned_status,
    "getLabelsGateway": get_labels_of_gateway,
    "getLabelsArticle": get_labels_of_article,
    "getLabelsDetail": get_detail,
    "getLabelsTypeInfo": get_type_info,
    "getLabelsType": get_types,
    "getLabelsModel": get_models,
    "getLabelsSummaryStatus": get_summary,
}
