"""Writing articles (contract 5.2): POST replaces, PUT merges, both create; DELETE takes a list of ids."""

from dataclasses import dataclass, field

import orjson

from electis_cli.simulator import stock
from electis_cli.simulator.call import BAD_BODY, Call, Refused, Reply, mint_uuid
from electis_cli.simulator.devices import Json
from electis_cli.simulator.model import Batch, ValidationError
from electis_cli.simulator.stored_form import as_stored

NFC_URL_AT_MOST = 254


@dataclass(slots=True)
class Sorted:
    """Records of a push after the checks of contract 9.3."""

    good: dict[str, dict[str, Json]] = field(default_factory=dict)
    taken: int = 0
    errors: list[ValidationError] = field(default_factory=list)


def post_articles(call: Call) -> Reply:
    """Replace or create."""
    return _push(call, merge=False)


def put_articles(call: Call) -> Reply:
    """Merge or create."""
    return _push(call, merge=True)


def delete_articles(call: Call) -> Reply:
    """Delete by id; unknown ids count as gone unless the settings say otherwise (contract 9.8, 5)."""
    sent = [one if isinstance(one, str) else str(one) for one in call.items("articleDeleteList")]
    ids = [call.article_id(one) for one in within_limit(call, sent)]
    _check_poison(call, [(one, {}) for one in ids])
    known = [one for one in dict.fromkeys(ids) if one in call.store.articles]
    if call.settings.unknown_delete == "refuse" and len(known) < len(set(ids)):
        raise Refused(405, "ARTICLE_ID_NOT_FOUND")
    batch = Batch(mint_uuid(call.world), "ARTICLE", call.store.code, call.now, len(ids), len(ids), 0)
    stock.delete(call.company, call.store, batch, known, call.now, call.settings.update_seconds)
    call.world.counters.article_writes += 1
    call.world.counters.articles_deleted += len(known)
    return Reply({"customBatchId": batch.id})


def _push(call: Call, *, merge: bool) -> Reply:
    records: list[Json] = call.body
    if not records:
        raise Refused(405, BAD_BODY)
    sent, records = len(records), within_limit(call, records)
    if call.settings.ids_ignore_case:
        records = [_spelled(call, one) for one in records]
    _check_poison(call, [(one.get("articleId"), one) for one in records if isinstance(one, dict)])
    checked = _check_records(call, records)
    if call.settings.post_unlinks and not merge:
        _unlink(call, checked)
    valid, invalid = checked.taken, len(records) - checked.taken
    batch = Batch(mint_uuid(call.world), "ARTICLE", call.store.code, call.now, len(records), valid, invalid)
    faults = call.faults_of("partial", "partial-push")
    if any("wrong" in one.form for one in faults):
        # The counts claim that all went well.
        batch.success, batch.fail, valid, invalid = len(records), 0, len(records), 0
    if not any("no-log" in one.form for one in faults):
        batch.errors = checked.errors
    for error in batch.errors:
        error.shown_from = call.now + max((one.seconds for one in faults), default=0.0)
    stock.upsert(
        call.company,
        call.store,
        batch,
        list(checked.good.values()),
        merge=merge,
        now=call.now,
        seconds=call.settings.update_seconds,
    )
    _count(call, sent)
    return Reply({"customBatchId": batch.id, "validCount": valid, "invalidCount": invalid})


def within_limit(call: Call, sent: list[Json]) -> list[Json]:
    """What is taken of a list above the limit per call (contract 9.8, 1)."""
    limit = call.settings.record_limit
    if not limit or len(sent) <= limit or call.settings.over_limit == "accept":
        return sent
    if call.settings.over_limit == "refuse":
        raise Refused(405, f"ARTICLE_COUNT_CAN_NOT_BE_GREATER_THAN_MAX_COUNT({limit})")
    return sent[:limit]


def _spelled(call: Call, record: Json) -> Json:
    """The record under the id AIMS knows the article by."""
    return record | {"articleId": call.article_id(record["articleId"])} if _has_id(record) else record


def _unlink(call: Call, checked: Sorted) -> None:
    for id_ in checked.good:
        for code in list(call.store.holders(id_)):
            label = call.store.labels[code]
            seconds = call.settings.update_seconds
            stock.release(call.company, call.store, label, call.now, seconds, "")
    call.store.links_changed()


def _check_poison(call: Call, records: list[tuple[Json, dict[str, Json]]]) -> None:
    for fault in call.faults_of("reject-article"):
        for one, record in records:
            if one in fault.articles or not fault.articles:
                raise Refused(405, _worded(fault.message, record) or f"ARTICLE_DATA_IS_INVALID({one})")


def _worded(message: str, record: dict[str, Json]) -> str:
    """A fault's message, with the record's own values quoted where it has `{COLUMN}`."""
    data = record.get("data")
    for name, value in data.items() if isinstance(data, dict) else ():
        message = message.replace("{" + name + "}", str(value))
    return message


def _check_records(call: Call, records: list[Json]) -> Sorted:
    result = Sorted()
    column = stock.store_column(call.company)
    last = {one.get("articleId"): place for place, one in enumerate(records) if _has_id(one)}
    partial, lost = call.faults_of("partial", "partial-push"), call.faults_of("lost-push")
    has_format = call.company.format is not None
    is_strict, drops = (has_format and call.settings.unknown_keys == word for word in ("reject", "drop"))
    for place, record in enumerate(records):
        problem = record_problem(record, call.store.code, column)
        if problem is None and last[record["articleId"]] != place:
            problem = "duplicate articleId, the last one is taken"
        if problem is None:
            named = [one for one in partial if one.names(record["articleId"], place)]
            problem = (_worded(named[0].message, record) or "record not valid") if named else None
        if problem is None and is_strict:
            problem = _outside(call, record)
        if problem is not None:
            result.errors.append(_error(call, record, place, problem))
            continue
        result.taken += 1
        if not any(one.names(record["articleId"], place) for one in lost):
            kept = _within_format(call, record) if drops else record
            result.good[record["articleId"]] = as_stored(
                kept, call.settings.stored_form, _altered_columns(call)
            )
    return result


def _altered_columns(call: Call) -> set[str]:
    """The columns AIMS may keep in a form of its own: all but the store's and the id's."""
    mapped = (call.company.format or {}).get("mappingInfo", {})
    return _columns(call) - {mapped.get("store"), mapped.get("articleId")}


def _columns(call: Call) -> set[str]:
    return set((call.company.format or {}).get("articleData", []))


def _outside(call: Call, record: Json) -> str | None:
    """Why a record with keys outside the format is dropped (contract 9.8, 7)."""
    strange = sorted(set(record["data"]) - _columns(call))
    return f"data key {strange[0]!r} is not in the article format" if strange else None


def _within_format(call: Call, record: dict[str, Json]) -> dict[str, Json]:
    known = _columns(call)
    return record | {"data": {name: value for name, value in record["data"].items() if name in known}}


def record_problem(record: Json, store: str, column: str) -> str | None:
    """Why AIMS drops a record, or None."""
    if not _has_id(record):
        return "articleId is missing or not a text"
    if not isinstance(record.get("articleName"), str):
        return "articleName is missing"
    data = record.get("data")
    if not isinstance(data, dict):
        return "data is missing"
    nfc_url = record.get("nfcUrl")
    if nfc_url is not None and (not isinstance(nfc_url, str) or len(nfc_url) > NFC_URL_AT_MOST):
        return "nfcUrl is longer than 254 characters or not a text"
    eans = record.get("eans")
    if eans is not None and not (isinstance(eans, list) and all(isinstance(e, str) for e in eans)):
        return "eans is not a list of texts"
    sent = data.get(column) if column else None
    return None if sent in (None, "", store) else "store not valid"


def _has_id(record: Json) -> bool:
    if not isinstance(record, dict):
        return False
    found = record.get("articleId")
    return isinstance(found, str) and found != ""


def _error(call: Call, record: Json, place: int, problem: str) -> ValidationError:
    found = record.get("articleId") if isinstance(record, dict) else None
    return ValidationError(
        call.store.code,
        f"{problem}, index {place}",
        found if isinstance(found, str) and found else None,
        place,
        orjson.dumps(record).decode(),
        call.now,
    )


def _count(call: Call, records: int) -> None:
    counters = call.world.counters
    counters.article_writes += 1
    counters.records += records
    counters.records_max = max(counters.records_max, records)
    size = str(records)
    counters.pushes_by_size[size] = counters.pushes_by_size.get(size, 0) + 1


HANDLERS = {
    "postArticles": post_articles,
    "putArticles": put_articles,
    "deleteArticles": delete_articles,
}
