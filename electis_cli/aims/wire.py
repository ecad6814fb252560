"""JSON of AIMS <-> values: tolerant where clients have seen AIMS vary (contract 7), pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from electis_cli.domain.articles import Article, clean_text
from electis_cli.domain.organizations import ArticleFormat

_ENVELOPE = {"data", "responseCode", "responseMessage", "returnCode", "returnMsg"}
_SUCCESS = {"", "200", "202", "206", "0000", "SUCCESS", "OK"}  # Q2


class UnreadableError(ValueError):
    """A row breaks the interface in a way that must not be taken for emptiness."""


class RemoteArticle(NamedTuple):
    """An article as AIMS lists it; `labels` is None when the row does not tell (Q17)."""

    article_id: str
    name: str
    nfc_url: str
    data: Mapping[str, Any]
    labels: tuple[str, ...] | None = None
    last_updated: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLabel:
    """A label as AIMS lists it; unknown fields are kept in `raw`."""

    label_code: str
    article_ids: tuple[str, ...] = ()
    update_status: str | None = None
    battery: str | None = None
    signal: str | None = None
    gateway: str | None = None
    model: str | None = None
    is_online: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAnswer:
    """What AIMS said to an article write: how many records it took, and the batch they travel in."""

    batch_id: str | None = None
    valid: int | None = None
    invalid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecord:
    """One record of a batch that AIMS did not take, and why."""

    article_id: str | None
    index: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStore:
    """A store as AIMS lists it."""

    code: str
    name: str
    labels: int | None = None
    articles: int | None = None


def response_code(body: Any) -> str:
    """Return the envelope's code as text, or `""` when the answer has none."""
    if not isinstance(body, Mapping):
        return ""
    return clean_text(body.get("responseCode", body.get("returnCode", "")))


def response_message(body: Any) -> str:
    """Return the envelope's message when it is text."""
    if not isinstance(body, Mapping):
        return ""
    message = body.get("responseMessage", body.get("returnMsg", body.get("message", "")))
    return message if isinstance(message, str) else ""


def is_success(body: Any) -> bool:
    """Tell whether the envelope reports success (Q2, Q3)."""
    return response_code(body).upper() in _SUCCESS


def payload_of(body: Any) -> Any:
    """Return what an answer carries, wherever it is put: beside the codes, in `responseMessage` or `data` (Q1)."""
    if isinstance(body, Mapping):
        message = body.get("responseMessage")
        if isinstance(message, (Mapping, list)):
            return message
        # Under `data` only when nothing but the envelope stands beside it: articles have a `data` of their own.
        inside = body.get("data")
        if isinstance(inside, (Mapping, list)) and not set(body) - _ENVELOPE:
            return inside
    return body


def rows_of(body: Any, *names: str) -> list[Mapping[str, Any]] | None:
    """Return the list an answer carries under one of its names; None when there is no list at all."""
    payload = payload_of(body)
    if isinstance(payload, list):
        return _as_rows(payload)
    if not isinstance(payload, Mapping):
        return None
    for name in (*names, "content", "data"):
        value = payload.get(name)
        if isinstance(value, list):
            return _as_rows(value)
        if isinstance(value, Mapping) and name == "data":
            return rows_of(value, *names)
    return None


def _as_rows(items: list[Any]) -> list[Mapping[str, Any]]:
    """Return a list's rows; a bare code stands for a row that says nothing else (Q29)."""
    if all(type(item) is dict for item in items):
        return items
    return [item if isinstance(item, Mapping) else {"code": item} for item in items if item is not None]


def first_of(row: Mapping[str, Any], *names: str) -> Any:
    """Return the first of several spellings that a row has (Q11)."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    return None


def _optional_text(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = first_of(value, "name", "macAddress")
    return clean_text(value) or None


_ARTICLE_FIELDS = {
    "articleId", "article_id", "articleName", "article_name", "nfcUrl", "nfc", "data", "assignedLabel", "eans", "EANs",
    "generateDate", "lastUpdated", "lastModified", "last_modified", "articleStoreCode", "store", "storeCode",
    "labelCount", "responseCode", "responseMessage",
}  # fmt: skip


def decode_article(row: Mapping[str, Any]) -> RemoteArticle | None:
    """Return an article from a listing's row, or None when it has no id (such a row can not be compared)."""
    # A full sync does this for every article there is: spellings are looked up one by one, and what most rows have is
    # told by its type before anybody asks what else it may be.
    get = row.get
    given = get("articleId")
    article_id = clean_text(get("article_id") if given is None else given)  # Q14: may be a number
    if not article_id:
        return None
    inside = get("data")
    if type(inside) is not dict and inside is not None and inside != "" and not isinstance(inside, Mapping):
        raise UnreadableError
    data: Mapping[str, Any] = inside or {}
    if not row.keys() <= _ARTICLE_FIELDS:  # Q13: columns beside `data`
        data = {**{key: value for key, value in row.items() if key not in _ARTICLE_FIELDS}, **data}
    name, nfc_url, labels, updated = (
        get("articleName"),
        get("nfcUrl"),
        get("assignedLabel"),
        get("lastUpdated"),
    )
    if labels is None:
        labels = get("assignedLabels")
    if updated is None:
        updated = first_of(row, "lastModified", "last_modified")
    return RemoteArticle(
        article_id=article_id,
        name=clean_text(get("article_name") if name is None else name),
        nfc_url=clean_text(get("nfc") if nfc_url is None else nfc_url),
        data=data,
        labels=tuple(map(_label_code, labels)) if isinstance(labels, list) else None,
        last_updated=clean_text(updated) or None if type(updated) is str else _optional_text(updated),
    )


def _label_code(item: Any) -> str:
    return clean_text(
        first_of(item, "labelCode", "label_code") if isinstance(item, Mapping) else item
    ).upper()


def decode_label(row: Mapping[str, Any]) -> RemoteLabel | None:
    """Return a label from a listing's row, or None when it has no code."""
    code = _label_code(row)
    if not code:
        return None
    articles = first_of(row, "articleList", "articleId")
    listed = articles if isinstance(articles, list) else []
    status = row.get("status")  # the network's yes or no, or the update's word (Q11)
    network = first_of(row, "networkStatus", "network", "status")
    return RemoteLabel(
        label_code=code,
        article_ids=tuple(
            clean_text(first_of(item, "articleId", "article_id") if isinstance(item, Mapping) else item)
            for item in listed
        ),
        update_status=_optional_text(first_of(row, "updateStatus"))
        or (status if isinstance(status, str) else None),
        battery=_optional_text(first_of(row, "battery", "batteryStatus")),
        signal=_optional_text(first_of(row, "signal", "signalStrength")),
        gateway=_optional_text(first_of(row, "gateway", "gatewayMac")),
        model=_optional_text(first_of(row, "type", "labelModel", "labelType")),
        is_online=network if isinstance(network, bool) else None,
        raw=dict(row),
    )


def decode_format(body: Any) -> ArticleFormat | None:
    """Return the article format, or None when the answer has no id column or no columns."""
    payload = payload_of(body)
    if isinstance(payload, Mapping) and isinstance(payload.get("data"), Mapping):
        payload = payload["data"]
    if not isinstance(payload, Mapping):
        return None
    mapping, columns = payload.get("mappingInfo"), payload.get("articleData")
    if not isinstance(mapping, Mapping) or not isinstance(columns, list):
        return None
    named = {key: _optional_text(mapping.get(key)) for key in ("store", "articleId", "articleName", "nfcUrl")}
    id_column = named["articleId"]
    if id_column is None:
        return None
    listed = [text for column in columns if (text := clean_text(column))]
    missing = [column for column in named.values() if column and column not in listed]
    return ArticleFormat(
        columns=tuple(dict.fromkeys([*listed, *missing])),
        id_column=id_column,
        name_column=named["articleName"],
        nfc_column=named["nfcUrl"],
        store_column=named["store"],
    )


def decode_store(row: Any) -> RemoteStore | None:
    """Return a store; some installations list bare codes (Q29)."""
    if not isinstance(row, Mapping):
        code = clean_text(row)
        return RemoteStore(code=code, name=code) if code else None
    code = clean_text(first_of(row, "store", "storeCode", "code"))
    name = clean_text(first_of(row, "storeName", "name"))
    return (
        RemoteStore(
            code=code,
            name=name,
            labels=number_of(row.get("labelCount")),
            articles=number_of(row.get("articleCount")),
        )
        if code
        else None
    )


def decode_write(body: Any) -> WriteAnswer:
    """Return what AIMS said to an article write."""
    payload = payload_of(body)
    rows = payload if isinstance(payload, Mapping) else {}
    return WriteAnswer(
        batch_id=_optional_text(first_of(rows, "customBatchId", "inputBatchId", "batchId")),
        valid=number_of(rows.get("validCount")),
        invalid=number_of(rows.get("invalidCount")) or 0,
    )


def decode_refused(row: Mapping[str, Any]) -> RefusedRecord:
    """Return one row of a batch's validation log."""
    return RefusedRecord(
        article_id=_optional_text(first_of(row, "articleId", "article_id")),
        index=number_of(row.get("errorIndex")),
        reason=clean_text(row.get("errorText")) or "refused without a reason",
    )


def number_of(value: Any) -> int | None:
    """Return a whole number that may have come as text, or None."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def encode_article(article: Article) -> dict[str, Any]:
    """Return one record of an article write."""
    return {
        "articleId": article.article_id,
        "articleName": article.name,
        "nfcUrl": article.nfc_url,
        "data": dict(article.data),
    }


def encode_links(links: Iterable[tuple[str, Sequence[str]]]) -> dict[str, Any]:
    """Return the body of a link call."""
    return {"assignList": [{"labelCode": code, "articleIdList": list(ids)} for code, ids in links]}


def encode_pages(pages: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """Return the body of a page flip."""
    return {"pageChangeList": [{"labelCode": code, "page": page} for code, page in pages]}
