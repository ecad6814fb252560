"""What support asks AIMS about, one tolerant decoder per entity (contract 7, Q11 and Q18 to Q20).

Every decoder takes the spellings that sources and clients have seen, answers None for a row without its id, and keeps
the fields it does not know in `extra`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from electis_cli.aims.wire import first_of, number_of
from electis_cli.domain.articles import clean_text

_ENVELOPE = frozenset({"responseCode", "responseMessage", "returnCode", "returnMsg"})
_ONLINE = frozenset({"CONNECTED", "ONLINE", "TRUE", "YES"})
_OFFLINE = frozenset({"DISCONNECTED", "OFFLINE", "NOT_READY", "FALSE", "NO"})
_LOW_WORDS = frozenset({"BAD", "LOW", "REPLACE"})  # the last two from the on-premise variant (contract 8)
_LOW_PERCENT = 30  # contract 5.5
_WORST_FIRST = ("TIMEOUT", "PROCESSING", "SUCCESS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway; `status` is AIMS's word, `online` None when it has none that is known."""

    mac: str
    store: str | None = None
    name: str | None = None
    status: str | None = None
    online: bool | None = None
    version: str | None = None
    model: str | None = None
    ip_address: str | None = None
    channel: int | None = None
    labels: int | None = None
    unassigned_labels: int | None = None
    last_reboot: str | None = None
    last_connection: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """A label as any of AIMS's label lists shows it; None is "AIMS did not tell"."""

    label_code: str
    articles: tuple[str, ...] | None = None
    update_status: str | None = None
    online: bool | None = None
    battery: str | None = None
    low_battery: bool | None = None
    signal: str | None = None
    gateway: str | None = None
    model: str | None = None
    last_response: str | None = None
    store: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """One page of a label and how its transfer went."""

    page: int | None
    state: str | None
    processed_at: str | None = None
    answered_at: str | None = None
    batch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDetail:
    """The pages a label holds; `state` is that of the page it shows, else the worst of all (Q20)."""

    label_code: str
    active_page: int | None = None
    state: str | None = None
    width: int | None = None
    height: int | None = None
    pages: tuple[PageState, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent:
    """One thing a label was told to do."""

    at: str | None
    kind: str | None
    batch: str | None
    pages: tuple[PageState, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDevice:
    """What kind of device a label is; a width or height of 0 is unknown (Q19) and comes as None."""

    model: str | None = None
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    color: str | None = None
    nfc: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhitelistRow:
    """A label that may be linked in a store."""

    label_code: str
    mac: str | None = None
    model: str | None = None
    created: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """One item of a partial answer (206): only those that failed are listed."""

    id: str
    code: str | None
    message: str


class Row:
    """Takes fields out of a row by their spellings (Q11) and knows what is left."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row
        self._taken: set[str] = set(_ENVELOPE)

    def raw(self, *names: str) -> Any:
        """Return the first spelling that is there, as it came."""
        self._taken.update(names)
        return first_of(self._row, *names)

    def text(self, *names: str) -> str | None:
        """Return it as text; of an object its name, of a list nothing."""
        value = self.raw(*names)
        if isinstance(value, Mapping):  # a gateway as an object (Q11)
            value = first_of(value, "name", "macAddress", "mac")
        return (clean_text(value) or None) if not isinstance(value, list) else None

    def word(self, *names: str) -> str | None:
        """Return it as one of AIMS's words: in upper case."""
        text = self.text(*names)
        return text.upper() if text else None

    def number(self, *names: str) -> int | None:
        """Return it as a whole number, also when it came as text."""
        return number_of(self.raw(*names))

    def list(self, *names: str) -> list[Any] | None:
        """Return it when it is a list."""
        value = self.raw(*names)
        return value if isinstance(value, list) else None

    @property
    def rest(self) -> dict[str, Any]:
        """What nobody has taken: the fields that are not known."""
        return {name: value for name, value in self._row.items() if name not in self._taken}


def decode_gateway(row: Mapping[str, Any]) -> Gateway | None:
    """Return a gateway from a list or from its detail, whose typos are the wire's own (contract 4)."""
    take = Row(row)
    mac = take.word("macAddress", "mac", "gatewayMac", "GatewayMac", "gateway")
    if mac is None:
        return None
    status = take.word("networkStatus", "status")
    return Gateway(
        mac=mac,
        store=take.text("store", "storeCode", "code"),
        name=take.text("name", "gatewayName"),
        status=status,
        online=online_of(status),
        version=take.text("version", "firmwareVersion"),
        model=take.text("model"),
        ip_address=take.text("ipAddress", "ip"),
        channel=take.number("dataChannel", "dataChennal"),
        labels=take.number("labelCount"),
        unassigned_labels=take.number("unassignedLabelCount"),
        last_reboot=take.text("lastRebootTime"),
        last_connection=take.text("lastConnectionDate"),
        extra=take.rest,
    )


def decode_label_row(row: Mapping[str, Any]) -> LabelRow | None:
    """Return a label from any label list."""
    take = Row(row)
    code = take.word("labelCode", "label_code", "code")
    if code is None:
        return None
    battery = take.word("battery", "batteryStatus")
    articles = take.list("articleList", "articleId", "articleIdList")
    # `status` may be the network's or the update's (Q11): the first is a yes or no, the second a word.
    network, status = take.raw("networkStatus", "network"), take.raw("status")
    update_status = take.word("updateStatus") or (take.word("status") if isinstance(status, str) else None)
    return LabelRow(
        label_code=code,
        articles=None
        if articles is None
        else tuple(text for item in articles if (text := _article_id(item))),
        update_status=update_status,
        online=online_of(network if network is not None else status),
        battery=battery,
        low_battery=is_low(battery),
        signal=take.word("signal", "signalStrength"),
        gateway=take.text("gateway", "gatewayMac", "GatewayMac"),
        model=take.text("type", "labelModel", "labelType"),
        last_response=take.text("lastResponsetime", "lastResponseTime"),
        store=take.text("store", "storeCode", "code"),
        extra=take.rest,
    )


def decode_label_detail(row: Mapping[str, Any], label_code: str) -> LabelDetail:
    """Return the pages of a label; an answer without images has no pages and no state (Q20)."""
    take = Row(row)
    images = take.list("currentImage", "currentImages") or []
    pages = tuple(_page_state(image) for image in images if isinstance(image, Mapping))
    active = take.number("activePage")
    return LabelDetail(
        label_code=take.word("labelCode", "label_code") or label_code,
        active_page=active,
        state=_worst(pages, active),
        width=take.number("width") or None,
        height=take.number("height") or None,
        pages=pages,
        extra=take.rest,
    )


def decode_label_event(row: Mapping[str, Any]) -> LabelEvent:
    """Return one row of a label's history."""
    take = Row(row)
    pages = take.list("pageInfo", "pages") or []
    return LabelEvent(
        at=take.text("created", "batchEventTime"),
        kind=take.word("requestType", "type"),
        batch=take.text("inputBatchId", "batchId", "customBatchId"),
        pages=tuple(_page_state(page) for page in pages if isinstance(page, Mapping)),
        extra=take.rest,
    )


def decode_device(row: Mapping[str, Any]) -> LabelDevice:
    """Return what kind of device a label is; NFC comes as a flag or a text, the color in two fields (Q19)."""
    take = Row(row)
    take.raw("labelCode")
    return LabelDevice(
        model=take.text("name", "labelModel", "type"),
        width=take.number("displayWidth", "width") or None,
        height=take.number("displayHeight", "height") or None,
        pages=take.number("totalPage", "totalPages"),
        color=take.word("color", "colorType"),
        nfc=online_of(take.raw("nfc")),
        extra=take.rest,
    )


def decode_whitelisted(row: Mapping[str, Any]) -> WhitelistRow | None:
    """Return a whitelisted label."""
    take = Row(row)
    code = take.word("labelCode", "label_code")
    if code is None:
        return None
    return WhitelistRow(
        label_code=code,
        mac=take.word("labelMac", "mac"),
        model=take.text("labelModel", "type", "labelType"),
        created=take.text("createdTime", "created"),
        extra=take.rest,
    )


def decode_item(row: Mapping[str, Any]) -> ItemResult:
    """Return one item that a partial success did not take."""
    take = Row(row)
    code = clean_text(first_of(row, "responseCode", "code", "errorCode"))
    message = clean_text(first_of(row, "message", "responseMessage", "errorMessage"))
    return ItemResult(
        id=take.text("labelCode", "articleId", "gateway", "mac", "label_code") or "",
        code=code or None,
        message=message or "refused without a reason",
    )


def online_of(value: Any) -> bool | None:
    """Return a flag that may come as a boolean or a word; None when it says nothing."""
    if isinstance(value, bool):
        return value
    word = clean_text(value).upper()
    return True if word in _ONLINE else False if word in _OFFLINE else None


def is_low(battery: str | None) -> bool | None:
    """Tell whether a battery is low: AIMS says a word or a percentage (Q18); None when it says nothing."""
    if battery is None:
        return None
    if re.fullmatch(r"\d{1,3}(\.\d+)?%?", battery):
        return float(battery.rstrip("%")) < _LOW_PERCENT
    return battery.upper() in _LOW_WORDS


def _article_id(item: Any) -> str:
    return clean_text(first_of(item, "articleId", "article_id") if isinstance(item, Mapping) else item)


def _page_state(row: Mapping[str, Any]) -> PageState:
    take = Row(row)
    return PageState(
        page=take.number("index", "pageNumber", "page"),
        state=take.word("state", "status"),
        processed_at=_moment(take.text("processUpdateTime")),
        answered_at=_moment(
            take.text("statusUpdateTime", "statusUpdatetime", "lastUpdated", "lastModified", "last_modified")
        ),
        batch=take.text("batchId", "inputBatchId"),
    )


def _moment(text: str | None) -> str | None:
    """Return a time as AIMS writes it; the beginning of time stands for "never"."""
    return None if text is not None and text.startswith("1970-01-01") else text


def _worst(pages: tuple[PageState, ...], active: int | None) -> str | None:
    shown = [page.state for page in pages if active is not None and page.page == active]
    states = [state for state in (shown or [page.state for page in pages]) if state]
    known = [state for state in _WORST_FIRST if state in states]
    return next(iter(known or states), None)
