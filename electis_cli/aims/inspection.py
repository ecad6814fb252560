"""What support asks of AIMS beyond what the sync needs; every call goes over the sync client's own connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from electis_cli.aims import entities, histories, wire
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Answer
from electis_cli.aims.failures import broken_answer
from electis_cli.aims.listed import listed_article
from electis_cli.domain.errors import AimsAmbiguous, AimsRejected, UnreliableListing

Entity = TypeVar("Entity")

READ_METHODS = frozenset({"GET", "HEAD"})
_MOST_PAGES = 20_000
_STAMP = "%Y-%m-%d %H:%M:%S"

RESULTS = (
    # In the order in which a label goes through them: a row that moves while we read is met twice, never missed.
    "PROCESSING", "TIMEOUT", "OLD TX SEQUENCE", "FAILED TO TRANSMIT", "NO CHANGES IN PRODUCT DATA",
    "SKIP CASE DUE TO IMAGE PUSH", "ERROR IN TEMPLATE", "TEMPLATE NOT FOUND", "FAIL TO UPDATE",
    "PAGE ERROR IN ARTICLE IMAGE DATA", "NO IMAGE FOUND", "NO WIFICONFIG FOUND", "NO SEGMENT CONFIG FOUND",
    "PRICE RANGE NOT SUPPORTED", "SUCCESS",
)  # fmt: skip
"""The states a label of a batch can be in; without one AIMS may show the successful ones only (contract 5.4)."""
_ALWAYS_KNOWN = frozenset({"PROCESSING", "TIMEOUT", "SUCCESS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """An answer as it came: status, milliseconds, the pages it was read from, and its body."""

    status: int
    milliseconds: int
    pages: int
    body: Any


class AimsInspector:
    """Asks one company's AIMS for what support wants to see; safe to share between threads like its client."""

    def __init__(self, client: AimsClient) -> None:
        self._connection = client.connection

    # --- articles ---------------------------------------------------------------------------------------------------

    def articles(self, store: str, *, name: str | None = None) -> Iterator[wire.RemoteArticle]:
        """Yield a store's articles page by page, each once; `name` is contained in their names."""
        query = {"store": store, "sort": "articleId,asc", **({"articleName": name} if name else {})}
        seen: set[str] = set()
        for row in self._connection.pages("/common/config/article/info", query, "articleList"):
            article = listed_article(row)
            if article is not None and article.article_id not in seen:
                seen.add(article.article_id)
                yield article

    def article(self, store: str, article_id: str) -> wire.RemoteArticle | None:
        """Return one article with its labels, or None; any id AIMS may hold, also one with a comma."""
        query = {"store": store, "articleId": article_id, "page": 0, "size": 10}
        answer = self._connection.read("/common/config/article/info", query)
        for row in self._connection.rows(answer, "articleList"):
            found = listed_article(row)
            if found is not None and found.article_id == article_id:
                return found
        return None

    def linked_articles(self, store: str) -> Iterator[histories.LinkedArticle]:
        """Yield the articles that have labels."""
        query = {"store": store, "sort": "articleId,asc"}
        return self._decoded("/common/articles/linked", query, histories.decode_linked, "articleList")

    def article_history(self, store: str, article_id: str) -> Iterator[histories.ArticleVersion]:
        """Yield the times an article was written."""
        query = {"store": store, "article": article_id}
        return self._decoded(
            "/common/articles/update/history", query, histories.decode_version, "articleHistoryList"
        )

    def article_version(self, store: str, article_id: str, upload: str) -> wire.RemoteArticle | None:
        """Return an article as it was after one upload, or None."""
        # The two descriptions name the parameter differently (contract 5.4).
        query = {"store": store, "articleId": article_id, "article": article_id, "uploadId": upload}
        row = object_of(self._connection.read("/common/articles/update/history/detail", query).body)
        return listed_article({"articleId": article_id, **row}) if row else None

    # --- batches ----------------------------------------------------------------------------------------------------

    def batches(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        kind: str | None = None,
        store: str | None = None,
        batch: str | None = None,
    ) -> Iterator[histories.Batch]:
        """Yield writes, newest first: of a time range, or the one with an id. `store` narrows kind ASSIGN only."""
        query = {
            "name": batch,
            "start": start.strftime(_STAMP) if start else None,
            "end": end.strftime(_STAMP) if end else None,
            "requestDataType": kind,
            "store": store if kind == "ASSIGN" else None,
            "sort": "created,desc",
        }
        given = {name: value for name, value in query.items() if value is not None}
        return self._decoded(
            "/common/articles/history", given, histories.decode_batch, "articleFileHistoryList"
        )

    def batch_rows(self, batch: str) -> list[histories.BatchRow]:
        """Return the labels of a batch in every state, each state asked for explicitly (contract 5.4).

        An installation that knows fewer states refuses the others; those are left out.
        """
        found: dict[tuple[str | None, str | None], histories.BatchRow] = {}
        for result in RESULTS:
            query = {"name": batch, "result": result}
            try:
                rows = self._connection.pages(
                    "/common/articles/history/detail", query, "updateDetailList", "updateHistoryList"
                )
                for row in map(histories.decode_batch_row, rows):
                    found[row.article_id, row.label_code] = row
            except AimsRejected:
                if result in _ALWAYS_KNOWN:
                    raise
        return sorted(found.values(), key=lambda row: (row.article_id or "", row.label_code or ""))

    def refused_records(self, batch: str) -> Iterator[histories.ValidationRow]:
        """Yield the records of a batch that were not taken. Raises AimsRejected where there is no such log (Q30)."""
        query = {"inputBatchId": batch}
        return self._decoded(
            "/common/articles/validationerror/logs", query, histories.decode_validation, "data"
        )

    # --- gateways, stores, whitelist --------------------------------------------------------------------------------

    def gateways(self, store: str, *, online: bool | None = None) -> list[entities.Gateway]:
        """Return the gateways of a store."""
        query: dict[str, Any] = {"store": store, "ipAddress": "YES"}
        if online is not None:
            query["network"] = "online" if online else "offline"
        found = self._decoded("/common/gateway", query, entities.decode_gateway, "gatewayList")
        return [gateway for gateway in found if online is None or gateway.online in {online, None}]

    def gateway(self, store: str, mac: str) -> entities.Gateway | None:
        """Return one gateway; of one that can not be reached AIMS tells only what its list holds."""
        query = {"store": store, "gateway": mac}
        row = object_of(self._connection.read("/common/gateway/detail", query).body)
        detail = entities.decode_gateway(row) if row else None
        if detail is not None and detail.mac == mac:
            return detail
        return next((gateway for gateway in self.gateways(store) if gateway.mac == mac), None)

    def reboot_gateway(self, store: str, mac: str) -> None:
        """Tell a gateway to reboot: one call, never repeated (contract 6). Raises AimsAmbiguous when it may have."""
        query = {"store": store, "gateway": mac}
        self._connection.call("PATCH", "/common/gateway", query, is_write=True, subjects=[mac])

    def store_rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield the company's stores as AIMS lists them."""
        return self._connection.pages("/common/store", {"sort": "store,asc"}, "stores")

    def store_summary(self, store: str) -> dict[str, Any]:
        """Return a store's counters and settings as AIMS names them, without the envelope."""
        row = object_of(self._connection.read("/common/store/summary", {"store": store}).body)
        return {name: value for name, value in row.items() if name not in {"responseCode", "responseMessage"}}

    def whitelist(self, store: str, *, unassigned: bool = False) -> Iterator[entities.WhitelistRow]:
        """Yield the labels that may be linked in a store, or those of them that show nothing."""
        path = "/common/whitelist/unassigned" if unassigned else "/common/whitelist"
        return self._decoded(
            path, {"store": store}, entities.decode_whitelisted, "whiteList", "unassignedWhiteList"
        )

    def change_whitelist(self, store: str, label_codes: Sequence[str], *, add: bool) -> None:
        """Put labels on a store's whitelist, or take them off; existing links stay."""
        body = {"labelList": list(label_codes)}
        method = "POST" if add else "DELETE"
        self._connection.call(
            method, "/common/whitelist", {"store": store}, body, is_write=True, subjects=label_codes
        )

    # --- labels -----------------------------------------------------------------------------------------------------

    def labels(
        self,
        store: str,
        *,
        unassigned_only: bool = False,
        online: bool | None = None,
        battery: str | None = None,
    ) -> list[entities.LabelRow]:
        """Return the labels of a store, by code; the two lists of AIMS are read as one (contract 5.5)."""
        query: dict[str, Any] = {"store": store}
        if online is not None:
            query["network"] = "true" if online else "false"
        if battery is not None:
            query["battery"] = battery
        answer = self._connection.read("/common/labels/unassigned", query)
        rows: list[Mapping[str, Any]] = [
            {"articleList": [], **row} for row in self._connection.rows(answer, "labelList")
        ]
        if not unassigned_only:
            rows += self._connection.pages("/common/labels", {**query, "sort": "labelCode,asc"}, "labelList")
        found = {label.label_code: label for label in map(entities.decode_label_row, rows) if label}
        return [found[code] for code in sorted(found)]

    def label(self, store: str, label_code: str) -> entities.LabelRow | None:
        """Return one label of a store, linked or not, or None when AIMS does not know it there."""
        query = {"store": store, "label": label_code}
        # Read to the end where need be: AIMS finds parts of codes too, and an installation may find everything.
        for row in self._connection.pages("/common/labels", {**query, "sort": "labelCode,asc"}, "labelList"):
            found = entities.decode_label_row(row)
            if found is not None and found.label_code == label_code:
                return found
        answer = self._connection.read("/common/labels/unassigned", query)
        rows = (
            entities.decode_label_row({"articleList": [], **row})
            for row in self._connection.rows(answer, "labelList")
        )
        return next((row for row in rows if row is not None and row.label_code == label_code), None)

    def labels_of_article(self, store: str, article_id: str) -> tuple[str, ...]:
        """Return the codes of the labels that AIMS has linked to an article. Raises AimsRejected without that one."""
        query = {"store": store, "articleId": article_id}
        rows = self._connection.pages("/common/labels/article", query, "labelsList", "labelList")
        return tuple(sorted({row.label_code for row in map(entities.decode_label_row, rows) if row}))

    def store_of_label(self, label_code: str) -> str | None:
        """Return the store that AIMS has a label in, or None when it has it in none or does not tell (Q30)."""
        try:
            answer = self._connection.read("/common/labels/store", {"labelCode": label_code})
        except (AimsRejected, AimsAmbiguous):
            return None
        row = entities.decode_label_row({"labelCode": label_code, **object_of(answer.body)})
        return row.store if row is not None and row.label_code == label_code else None

    def label_detail(self, store: str, label_code: str) -> entities.LabelDetail | None:
        """Return the pages of a label, linked or not, or None when AIMS does not know it there."""
        refusal: AimsRejected | None = None
        for path in ("/common/labels/detail", "/common/labels/unassigned/detail"):
            try:
                row = object_of(self._connection.read(path, {"store": store, "label": label_code}).body)
            except AimsRejected as error:
                refusal = error  # some installations know only one of the two (Q30)
                continue
            if row:
                return entities.decode_label_detail(row, label_code)
        if refusal is not None:
            raise refusal
        return None

    def label_history(self, store: str, label_code: str) -> list[entities.LabelEvent] | None:
        """Return what a label was told to do, newest first, or None when AIMS knows nothing of it there."""
        answer = self._connection.read("/common/labels/history", {"store": store, "label": label_code})
        if answer.body is None:
            return None
        rows = wire.rows_of(answer.body, "timelineInfo", "timeLineInfo", "historyList")
        return [entities.decode_label_event(row) for row in rows or ()]

    def device(self, label_code: str) -> entities.LabelDevice | None:
        """Return what kind of device a label is, or None when this installation does not tell."""
        try:
            row = object_of(self._connection.read("/common/labels/type/info", {"labelCode": label_code}).body)
        except (AimsRejected, AimsAmbiguous):
            return None  # missing on some installations, with a 404, a page or a 500 (Q30)
        return entities.decode_device(row) if row else None

    def blink(
        self, store: str, label_codes: Sequence[str], *, color: str, duration: str
    ) -> list[entities.ItemResult]:
        """Let labels blink (`0s` stops them); returns those that AIMS did not take."""
        body = {
            "ledBlinkList": [
                {"labelCode": code, "color": color, "duration": duration, "patternId": 0, "multiLed": False}
                for code in label_codes
            ]
        }
        query = {"store": store, "isPartial": "true"}
        answer = self._connection.call(
            "PUT", "/common/labels/led", query, body, is_write=True, subjects=label_codes
        )
        return [entities.decode_item(row) for row in _items(answer)]

    def push_image(
        self, store: str, label_code: str, *, image: str, page: int, front_page: int, dithering: bool
    ) -> str | None:
        """Put an image (base64) on a label's page; returns the batch it travels in."""
        body: dict[str, Any] = {
            "labelCode": label_code,
            "page": page,
            "frontPage": front_page,
            "image": image,
        }
        if dithering:
            body["dithering"] = True
        query = {"store": store, "cbId": "yes"}
        answer = self._connection.call(
            "POST", "/common/labels/image", query, body, is_write=True, subjects=[label_code]
        )
        return wire.decode_write(answer.body).batch_id

    def resend(self, store: str, label_codes: Sequence[str] | None) -> bool:
        """Let AIMS send its last image again to labels that timed out (None: all of the store).

        False when none of them had timed out.
        """
        if label_codes is None:
            path, query, body = (
                "/common/labels/resend/timeout/all",
                {"store": store, "labelType": "TIMEOUT"},
                None,
            )
        elif not label_codes:
            return False  # AIMS takes an empty list for all labels
        else:
            path, query, body = (
                "/common/labels/resend/timeout",
                {"store": store},
                {"labelList": list(label_codes)},
            )
        # Not as a write, whose answer is never empty: here nothing is an answer, and sending twice does no harm.
        answer = self._connection.call("PUT", path, query, body, subjects=label_codes or ())
        if answer.body is None and not self._connection.is_nothing(answer):
            raise broken_answer("The answer to a resend is empty.")
        return answer.body is not None

    # --- the article format -----------------------------------------------------------------------------------------

    def raw_format(self) -> dict[str, Any] | None:
        """Return the article format with everything AIMS keeps in it, or None when there is none."""
        row = object_of(self._connection.read("/common/articles/upload/format", {}).body)
        return {
            name: value for name, value in row.items() if name not in {"responseCode", "responseMessage"}
        } or None

    def replace_format(self, body: Mapping[str, Any]) -> None:
        """Replace the company's article format, for all its stores."""
        self._connection.call("POST", "/common/articles/upload/format", {}, dict(body), is_write=True)

    # --- anything else ----------------------------------------------------------------------------------------------

    def raw(self, method: str, path: str, query: Mapping[str, Any], body: Any = None) -> RawAnswer:
        """Do one call as it is given; a write is sent once."""
        began = time.monotonic()
        if method == "GET":
            answer = self._connection.read(path, query)
        else:
            answer = self._connection.call(method, path, query, body, is_write=method not in READ_METHODS)
        return RawAnswer(status=answer.status, milliseconds=_since(began), pages=1, body=answer.body)

    def raw_pages(self, path: str, query: Mapping[str, Any], *, size: int = 500) -> RawAnswer:
        """Read all pages of a list and return its rows; a call that knows no pages is read once."""
        began, rows, status = time.monotonic(), list[Any](), 200
        last: list[Any] | None = None
        for page in range(_MOST_PAGES):
            answer = self._connection.read(path, {"size": size, **query, "page": page})
            status = answer.status if page == 0 else status
            listed = list_in(answer.body)
            if page == 0 and listed is None:  # an object, or nothing at all
                return RawAnswer(status=status, milliseconds=_since(began), pages=1, body=answer.body)
            if not listed or listed == last:  # the same page again: this call is not paged
                return RawAnswer(status=status, milliseconds=_since(began), pages=max(page, 1), body=rows)
            rows += listed
            last = listed
            pages = wire.number_of(answer.headers.get("x-totalpages"))
            if pages is not None and page >= pages - 1:
                return RawAnswer(status=status, milliseconds=_since(began), pages=page + 1, body=rows)
        raise UnreliableListing(why=f"The list did not end after {_MOST_PAGES} pages.")

    def url(self, path: str, query: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return where a call would go, and its query with the company."""
        return self._connection.url(path, query)

    def _decoded(
        self,
        path: str,
        query: Mapping[str, Any],
        decode: Callable[[Mapping[str, Any]], Entity | None],
        *names: str,
    ) -> Iterator[Entity]:
        for row in self._connection.pages(path, query, *names):
            decoded = decode(row)
            if decoded is not None:
                yield decoded


def object_of(body: Any) -> dict[str, Any]:
    """Return the one object an answer carries, wherever it is put (Q1); empty when there is none."""
    payload = wire.payload_of(body)
    if isinstance(payload, list):
        payload = next((row for row in payload if isinstance(row, Mapping)), {})
    if not isinstance(payload, Mapping):
        return {}
    inside = payload.get("data")
    # `data` wraps an answer only when nothing but the codes stands beside it: an article has a `data` of its own.
    if set(payload) <= {"data", "responseCode", "responseMessage"} and inside is not None:
        return object_of(inside)
    return dict(payload) if set(payload) - {"responseCode", "responseMessage"} else {}


def list_in(body: Any) -> list[Any] | None:
    """Return the list of an answer whose name is not known: a bare one, or the first that stands in it."""
    payload = wire.payload_of(body)
    if isinstance(payload, list):
        return payload
    if not isinstance(payload, Mapping):
        return None
    for value in payload.values():
        if isinstance(value, list):
            return value
    inside = payload.get("data")
    return list_in(inside) if isinstance(inside, Mapping) else None


def _items(answer: Answer) -> Iterable[Mapping[str, Any]]:
    """Return the items of a partial success; a full one lists none."""
    return wire.rows_of(answer.body, "data", "failedList") or ()


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
