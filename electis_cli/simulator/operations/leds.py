"""LED blinking (contract 5.6), by label and by article."""

from collections.abc import Iterator

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json, Led
from electis_cli.simulator.label_code import fault_of
from electis_cli.simulator.model import Store
from electis_cli.simulator.paging import one_page, ordered

NOT_LINKED = "ARTICLE_NOT_LINKED_TO_LABEL"


def put_labels_led(call: Call) -> Reply:
    """Blink labels; `0s` stops, a new command overrides."""
    return _blink(call, "labelCode")


def put_articles_led(call: Call) -> Reply:
    """Blink all labels of articles."""
    return _blink(call, "articleId")


def get_leds(call: Call) -> Reply:
    """Commands still blinking."""
    code = call.text("labelCode")
    rows = [
        (store, led)
        for store in call.stores()
        for led in (store.leds[key] for key in sorted(store.leds))
        if code in ("", led.label) and led.at + led.duration > call.now
    ]
    keys = {"labelCode": lambda row: row[1].label, "store": lambda row: row[0].code}
    found = ordered(call, rows, keys, "labelCode,asc")
    return one_page(call, "ledBlinkList", found, lambda row: _led(call, *row))


def _blink(call: Call, key: str) -> Reply:
    good: list[tuple[Json, list[str]]] = []
    bad: list[dict[str, Json]] = []
    for entry in call.items("ledBlinkList"):
        id_ = entry.get(key)
        if not id_ or not entry.get("color") or not entry.get("duration"):
            raise Refused(405, "FIELD_IS_MISSING")
        problem, codes = _labels(call, key, id_)
        if problem:
            bad.append({key: id_, "responseCode": "422", "message": problem})
        else:
            good.append((entry, codes))
    if bad and not call.flag("isPartial"):
        raise Refused(405, bad[0]["message"])
    for entry, codes in good:
        for code in codes:
            call.store.leds[code] = Led(
                code,
                entry["color"],
                _seconds(entry["duration"]),
                entry.get("patternId") or 0,
                call.now,
            )
    return Reply({"data": bad}, "Partial Success", 206) if bad else Reply({})


def _labels(call: Call, key: str, id_: str) -> tuple[str, list[str]]:
    if key == "articleId":
        if id_ not in call.store.articles:
            return "ARTICLE_ID_NOT_FOUND", []
        codes = call.store.holders(id_)
        return ("" if codes else NOT_LINKED), list(codes)
    problem = fault_of(id_)
    if problem is None and id_ not in call.store.labels:
        problem = "LABEL_CODE_NOT_FOUND"
    return problem or "", [id_]


def _seconds(text: str) -> float:
    return float(text[:-1]) * (60.0 if text.endswith("m") else 1.0)


def _led(call: Call, store: Store, led: Led) -> Json:
    answered = led.at + call.settings.update_seconds
    done = answered <= call.now
    return {
        "articles": list(_products(store, led.label)),
        "labelCode": led.label,
        "ledColor": led.color,
        "status": "SUCCESS" if done else "PROCESSING",
        "requestTime": stamp(led.at),
        "statusUpdateTime": stamp(answered if done else led.at),
    }


def _products(store: Store, code: str) -> Iterator[Json]:
    label = store.labels.get(code)
    for article_id in label.articles if label is not None else []:
        name = store.articles[article_id].name
        yield {"productCode": article_id, "productName": name, "labelCode": code}


HANDLERS = {
    "getLabelsLed": get_leds,
    "putLabelsLed": put_labels_led,
    "putArticlesLed": put_articles_led,
}
