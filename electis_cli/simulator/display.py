"""What a label displays, and the delay between an order and the picture (contract 6: 200 proves nothing)."""

from dataclasses import replace

import orjson

from electis_cli.simulator.devices import Json, Label, Order, Shown, progress
from electis_cli.simulator.model import Company, Store, UpdateRow

MEETING_PAGE = 2
ORDERS_KEPT = 20
SKIPPED = "SKIP CASE DUE TO IMAGE PUSH"


def status(label: Label, now: float) -> str:
    """SUCCESS, PROCESSING or TIMEOUT (contract 5.5)."""
    if now < label.started:
        return _earlier(label, now)
    if label.coming is None:
        return label.result
    return progress(label.order_outcome or label.outcome, label.due, label.late, now)


def _earlier(label: Label, now: float) -> str:
    """The state before the present order, for reads that look back."""
    order = next((one for one in reversed(label.orders) if one.at <= now), None)
    return "SUCCESS" if order is None else progress(order.outcome, order.due, order.late, now)


def visible(label: Label, now: float) -> Shown:
    """The picture on the display: the new one only after the label acknowledged it."""
    if label.coming is not None and status(label, now) == "SUCCESS":
        return label.coming
    return label.shown


def content(company: Company, store: Store, label: Label) -> Shown:
    """The picture a label should get from its articles and the company's format."""
    shown = Shown(page=label.page, articles=list(label.articles), images=dict(label.images))
    for article_id in label.articles:
        article = store.articles[article_id]
        shown.names.append(article.name)
        for column in columns(company, article.data):
            value = as_text(article.data.get(column))
            if value:
                shown.columns.append([column, value])
    return shown


def columns(company: Company, data: dict[str, Json]) -> list[str]:
    """Columns that may show: those of the format but the store's, or all when there is no format."""
    if company.format is None:
        return list(data)
    store = company.format.get("mappingInfo", {}).get("store")
    return [column for column in company.format.get("articleData", []) if column != store]


def begin(
    company: Company,
    label: Label,
    picture: Shown,
    now: float,
    seconds: float,
    batch: str = "",
    *,
    kind: str = "ARTICLE",
) -> None:
    """Order a new picture; an unfinished order of an earlier batch ends as OLD TX SEQUENCE."""
    settle(label, now)
    if batch and label.coming is not None and label.batch in company.batches:
        for row in company.batches[label.batch].rows:
            if row.label == label.code and row.state(now) == "PROCESSING":
                row.result = "OLD TX SEQUENCE"
    label.coming = picture
    label.batch = batch or label.batch
    _note(label, kind, batch, now, seconds)


def flip(label: Label, page: int, now: float, seconds: float) -> None:
    """Order another page of the newest picture."""
    settle(label, now)
    label.page = page
    label.coming = replace(label.coming or label.shown, page=page)
    _note(label, "PAGE", "", now, seconds)


def _note(label: Label, kind: str, batch: str, now: float, seconds: float) -> None:
    """Start the clock of the order that was just given, and keep it for the label's history."""
    if label.orders and label.orders[-1].state(now) == "PROCESSING":
        label.orders[-1].result = "OLD TX SEQUENCE"
    label.started, label.due = now, now + seconds
    label.order_outcome = ""
    label.serial += 1
    tx = f"{label.code}{label.serial:06d}"
    outcome = label.outcome
    label.orders.append(Order(kind, batch, tx, label.page, now, now + seconds, outcome, label.late))
    del label.orders[:-ORDERS_KEPT]


def settle(label: Label, now: float) -> None:
    """Write down how a finished order ended."""
    state = status(label, now)
    if label.coming is not None and state != "PROCESSING":
        label.shown, label.result = visible(label, now), state
        label.coming = None
        if label.orders:
            label.orders[-1].result = state


def answer_as(company: Company, label: Label, outcome: str, now: float, late: float = 0.0) -> None:
    """Set how a label ends its orders from now on, also one still open (a late answer, contract 9.5)."""
    settle(label, now)
    _bend(company, label, outcome, late, now)
    label.outcome = outcome


def answer_order_as(company: Company, label: Label, outcome: str, late: float, now: float) -> None:
    """Set how a label ends the order it works on, and no other."""
    _bend(company, label, outcome, late, now)
    label.order_outcome = outcome


def _bend(company: Company, label: Label, outcome: str, late: float, now: float) -> None:
    rows = company.batches[label.batch].rows if label.batch in company.batches else []
    open_ones: list[UpdateRow | Order] = [one for one in rows if one.label == label.code]
    open_ones += label.orders[-1:]
    for one in open_ones:
        if one.state(now) == "PROCESSING":
            one.outcome, one.late = outcome, late
    label.late = late
    label.order_outcome = ""


def row(label: Label, article_id: str, result: str = "") -> UpdateRow:
    """A label's row in the batch that just ordered its picture."""
    return UpdateRow(article_id, label.code, label.started, label.due, label.outcome, result, late=label.late)


def describe(store: Store, label: Label, now: float) -> dict[str, Json]:
    """What stands on the display, for people and tests.

    Page 1 is the free layout, without the meeting columns; page 2 begins with them; empty values show nothing.
    """
    shown = visible(label, now)
    meeting = [line for line in shown.columns if is_meeting(line[0])]
    plain = [line for line in shown.columns if not is_meeting(line[0])]
    if shown.page == 1:
        lines = plain
    else:
        lines = meeting + plain if shown.page == MEETING_PAGE else list(shown.columns)
    return {
        "label": label.code,
        "store": store.code,
        "model": label.model,
        "page": shown.page,
        "status": status(label, now),
        "article_id": shown.articles[0] if shown.articles else None,
        "article_ids": list(shown.articles),
        "name": shown.names[0] if shown.names else "",
        "lines": lines,
        "image": str(shown.page) in shown.images,
    }


def is_meeting(column: str) -> bool:
    """Whether a column belongs to the meeting page."""
    return "MEETING" in column.upper() or column.upper() == "PARTICIPANTS"


def as_text(value: Json) -> str:
    """A column's value as the display prints it; null and missing print nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
