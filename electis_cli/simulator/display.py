"""What a label displays, and the delay between an order and the picture (contract 6: 200 proves nothing)."""

from dataclasses import replace

import orjson

from electis_cli.simulator.model import Company, Json, Label, Shown, Store, UpdateRow

MEETING_PAGE = 2


def status(label: Label, now: float) -> str:
    """SUCCESS, PROCESSING or TIMEOUT (contract 5.5)."""
    if label.coming is None:
        return label.result
    if label.outcome == "STUCK" or now < label.due:
        return "PROCESSING"
    return label.outcome


def visible(label: Label, now: float) -> Shown:
    """The picture on the display: the new one only after the label acknowledged it."""
    if label.coming is not None and status(label, now) == "SUCCESS":
        return label.coming
    return label.shown


def content(company: Company, store: Store, label: Label) -> Shown:
    """The picture a label should get from its articles and the company's format."""
    shown = Shown(page=label.page, articles=list(label.articles))
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
    company: Company, label: Label, picture: Shown, now: float, seconds: float, batch: str = ""
) -> None:
    """Order a new picture; an unfinished order of an earlier batch ends as OLD TX SEQUENCE."""
    settle(label, now)
    if batch and label.coming is not None and label.batch in company.batches:
        for row in company.batches[label.batch].rows:
            if row.label == label.code and row.state(now) == "PROCESSING":
                row.result = "OLD TX SEQUENCE"
    label.coming = picture
    label.started, label.due = now, now + seconds
    label.batch = batch or label.batch


def flip(label: Label, page: int, now: float, seconds: float) -> None:
    """Order another page of the newest picture."""
    settle(label, now)
    label.page = page
    label.coming = replace(label.coming or label.shown, page=page)
    label.started, label.due = now, now + seconds


def settle(label: Label, now: float) -> None:
    """Write down how a finished order ended."""
    state = status(label, now)
    if label.coming is not None and state != "PROCESSING":
        label.shown, label.result = visible(label, now), state
        label.coming = None


def answer_as(company: Company, label: Label, outcome: str, now: float) -> None:
    """Set how a label ends its orders from now on, also one still open (a late answer, contract 9.5)."""
    settle(label, now)
    for one in company.batches[label.batch].rows if label.batch in company.batches else []:
        if one.label == label.code and one.state(now) == "PROCESSING":
            one.outcome = outcome
    label.outcome = outcome


def row(label: Label, article_id: str, result: str = "") -> UpdateRow:
    """A label's row in the batch that just ordered its picture."""
    return UpdateRow(article_id, label.code, label.started, label.due, label.outcome, result)


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
    }


def is_meeting(column: str) -> bool:
    """Whether a column belongs to the meeting page."""
    return "MEETING" in column.upper() or column.upper() == "PARTICIPANTS"


def as_text(value: Json) -> str:
    """A column's value as the display prints it; null and missing print nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
