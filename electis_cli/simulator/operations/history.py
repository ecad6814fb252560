"""Batches, their details and their errors (contract 5.4)."""

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.clock import parse_stamp, stamp, zulu
from electis_cli.simulator.devices import Json
from electis_cli.simulator.model import Article, Batch, UpdateRow, ValidationError, Version
from electis_cli.simulator.paging import one_page, ordered, whole

DAY = 86_400.0
FAILURES = frozenset({"TIMEOUT"})


def get_history(call: Call) -> Reply:
    """Batches by id, or those of a time range (the last day unless asked), newest first."""
    name = call.text("name")
    kind = call.text("requestDataType") or ("" if name else "ARTICLE")
    start = _time(call, "start", 0.0 if name else call.now - DAY)
    end = _time(call, "end", call.now + 1.0)
    store = call.text("store") if kind == "ASSIGN" else ""
    rows = [
        batch
        for batch in call.company.batches.values()
        if name in ("", batch.id)
        and kind in ("", batch.kind)
        and store in ("", batch.store)
        and start <= batch.at <= end
    ]
    keys = {"name": lambda batch: batch.id, "created": lambda batch: batch.at}
    # Batches of one instant keep their order of arrival, also newest first.
    if (call.text("sort") or "created,desc") == "created,desc":
        rows.reverse()
    found = ordered(call, rows, keys, "created,desc")
    return one_page(call, "articleFileHistoryList", found, lambda one: _batch(one, call.now))


def get_detail(call: Call) -> Reply:
    """Labels of a batch; without `result` only the successful ones (contract 5.4)."""
    batch = call.company.batches.get(call.text("name"))
    result = call.text("result") or call.settings.detail_default_result
    store, article, label = call.text("store"), call.text("articleId"), call.text("labelCode")
    rows = [
        row
        for row in (batch.rows if batch is not None and store in ("", batch.store) else [])
        if result in ("", row.state(call.now))
        and article in ("", row.article_id)
        and label in ("", row.label)
    ]
    rows.sort(key=lambda row: (row.article_id, row.label))
    keys = {
        "articleId": lambda row: row.article_id,
        "labelCode": lambda row: row.label,
        "result": lambda row: row.state(call.now),
        "updateTime": lambda row: row.due,
    }
    found = ordered(call, rows, keys, "articleId,asc")
    return one_page(call, "updateDetailList", found, lambda row: _row(row, call.now))


def get_batch_detail(call: Call) -> Reply:
    """How many articles of a batch went to which store."""
    batch = call.company.batches.get(call.text("inputBatchId"))
    rows = [] if batch is None or not batch.success else [batch]

    def render(one: Batch) -> Json:
        return {"store": one.store, "count": one.success}

    return whole(call, "articleCountStoreWise", rows, render)


def get_errors(call: Call) -> Reply:
    """Records AIMS dropped."""
    batch_id, text, index = (call.text(key) for key in ("inputBatchId", "errorText", "errorIndex"))
    rows = [
        (batch.id, error)
        for batch in call.company.batches.values()
        if batch_id in ("", batch.id) and not call.text("fileName")
        for error in batch.errors
        if text in error.text and index in ("", str(error.index)) and error.shown_from <= call.now
    ]
    found = ordered(call, rows, {"insertTime": lambda row: row[1].at}, "insertTime,asc")
    return one_page(call, "data", found, _error)


def get_article_history(call: Call) -> Reply:
    """When an article changed."""
    article = _article(call, call.text("article"))
    versions = article.versions if article is not None else []
    found = ordered(call, versions, {"uploadDate": lambda one: one.at}, "uploadDate,asc")

    def render(version: Version) -> Json:
        return {
            "articleId": call.text("article"),
            "articleName": version.name,
            "uploadId": version.upload_id,
            "uploadDate": stamp(version.at),
        }

    return one_page(call, "articleHistoryList", found, render)


def get_article_version(call: Call) -> Reply:
    """An article as it was after one batch."""
    article = _article(call, call.text("articleId"))
    for version in article.versions if article is not None else []:
        if version.upload_id == call.text("uploadId"):
            return Reply(
                {
                    "articleId": call.text("articleId"),
                    "articleName": version.name,
                    "nfcUrl": version.nfc_url,
                    "data": version.data,
                }
            )
    return Reply()


def _article(call: Call, id_: str) -> Article | None:
    return call.store.articles.get(id_)


def _time(call: Call, name: str, default: float) -> float:
    text = call.text(name)
    try:
        return parse_stamp(text) if text else default
    except ValueError as error:
        raise Refused(405, f"{name.upper()}_IS_INVALID") from error


def _batch(batch: Batch, now: float) -> Json:
    states = [row.state(now) for row in batch.rows]
    if not batch.fail:
        result = "SUCCESS"
    else:
        result = "PARTIAL_SUCCESS" if batch.success else "FAILED"
    settled = [row.due for row in batch.rows if row.due <= now]
    return {
        "id": batch.id.replace("-", "")[:24],
        "name": batch.id,
        "result": result,
        "total": batch.total,
        "success": batch.success,
        "fail": batch.fail,
        "storeWiseData": [{"store": batch.store, "articleCount": batch.success}],
        "created": stamp(batch.at),
        "lastModified": stamp(max([batch.at, *settled])),
        "errorInfo": "; ".join(error.text for error in batch.errors[:5]),
        "totalImpacted": len(states),
        "successImpacted": sum(state not in FAILURES and state != "PROCESSING" for state in states),
        "failImpacted": sum(state in FAILURES for state in states),
    }


def _row(row: UpdateRow, now: float) -> Json:
    state = row.state(now)
    return {
        "articleId": row.article_id,
        "labelCode": row.label,
        "result": state,
        "errorCode": "0" if state not in FAILURES else "1",
        "updateTime": stamp(row.started if state == "PROCESSING" else row.due),
    }


def _error(found: tuple[str, ValidationError]) -> Json:
    batch_id, error = found
    return {
        "store": error.store,
        "inputBatchId": batch_id,
        "fileName": None,
        "errorText": error.text,
        "articleId": error.article_id,
        "errorIndex": error.index,
        "errorData": error.data,
        "insertTime": zulu(error.at),
    }


HANDLERS = {
    "getArticlesHistory": get_history,
    "getArticlesHistoryDetail": get_detail,
    "getArticlesBatchDetail": get_batch_detail,
    "getArticlesValidationerrorLogs": get_errors,
    "getArticlesUpdateHistory": get_article_history,
    "getArticlesUpdateHistoryDetail": get_article_version,
}
