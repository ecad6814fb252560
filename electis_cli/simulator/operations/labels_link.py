"""Linking labels to articles and back (contract 5.6)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from electis_cli.simulator import display, stock
from electis_cli.simulator.call import Call, Refused, Reply, mint_uuid
from electis_cli.simulator.devices import Json, Label
from electis_cli.simulator.label_code import fault_of
from electis_cli.simulator.model import Batch, Company, Store
from electis_cli.simulator.paging import whole
from electis_cli.simulator.population import make_label

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """A checked entry of an assignList."""

    code: str
    articles: tuple[str, ...]
    template: str


def get_link(call: Call) -> Reply:
    """The articles of one label, in the order they are shown."""
    code = call.text("labelCode")
    rows = [
        (store, article_id, place)
        for store in call.stores()
        if code in store.labels
        for place, article_id in enumerate(store.labels[code].articles)
    ]

    def render(row: tuple[Store, str, int]) -> Json:
        store, article_id, place = row
        return {
            "store": store.code,
            "articleId": article_id,
            "labelCode": code,
            "articleName": store.articles[article_id].name,
            "articleIndex": str(place),
        }

    return whole(call, "assignList", rows, render)


def post_link(call: Call) -> Reply:
    """Link labels; no unlink is needed before."""
    wishes, refused = each(call, call.items("assignList"), lambda entry: _checked(call, entry))
    latest = {wish.code: wish for wish in wishes}
    _check_quota(call, set(latest))
    batch = _batch(call, len(latest))
    for wish in latest.values():
        _link(call, wish, batch)
    call.store.links_changed()
    return _answer(call, batch, refused)


def post_unlink(call: Call) -> Reply:
    """Make labels unassigned; one that already is stays so."""
    labels, refused = each(call, call.items("unAssignList"), lambda code: known_label(call, code))
    found = {label.code: label for label in labels}
    batch = _batch(call, len(found))
    for label in found.values():
        if label.articles:
            seconds = call.settings.update_seconds
            stock.release(call.company, call.store, label, call.now, seconds, batch.id)
    call.store.links_changed()
    return _answer(call, batch, refused)


def each(call: Call, entries: list[Json], check: Callable[[Json], T]) -> tuple[list[T], Refused | None]:
    """The good entries of a list and what is said of the bad ones; raises when the list counts as one."""
    good: list[T] = []
    refused: Refused | None = None
    for entry in entries:
        try:
            good.append(check(entry))
        except Refused as problem:
            refused = refused or problem
    if refused is not None and (call.settings.list_mode == "whole" or not good):
        raise refused
    return good, refused if call.settings.list_mode == "parts-405" else None


def _link(call: Call, wish: Wish, batch: Batch) -> None:
    label = take(call.company, call.store, wish.code, call.now)
    articles = list(wish.articles)
    if label.articles != articles:
        label.page = 1
    call.store.note_link(wish.code, call.now)
    label.images = {}
    label.articles, label.template = articles, wish.template or _template(label)
    picture = display.content(call.company, call.store, label)
    seconds = call.settings.update_seconds
    display.begin(call.company, label, picture, call.now, seconds, batch.id, kind="ASSIGN")
    batch.rows.extend(display.row(label, one) for one in articles)


def known_label(call: Call, code: Json) -> Label:
    """A label of the store, or the 405 word for what is wrong with the code."""
    if not isinstance(code, str) or not code:
        raise Refused(405, "FIELD_IS_MISSING")
    problem = fault_of(code)
    if problem is None and code not in call.store.labels:
        problem = "LABEL_CODE_NOT_FOUND"
    if problem is not None:
        raise Refused(405, problem)
    return call.store.labels[code]


def take(company: Company, store: Store, code: str, now: float) -> Label:
    """The label as one of this store: a new one is entered, one of another store moves over."""
    if code in store.labels:
        return store.labels[code]
    for other in company.stores.values():
        label = other.labels.pop(code, None)
        if label is not None:
            other.leds.pop(code, None)
            other.links_changed()
            label.gateway = min(store.gateways, default="")
            break
    else:
        label = make_label(code, sorted(store.gateways), now)
    store.labels[code] = label
    return label


def _checked(call: Call, entry: Json) -> Wish:
    code, articles = entry.get("labelCode"), entry.get("articleIdList")
    if not code or not articles:
        raise Refused(405, "FIELD_IS_MISSING")
    wish = Wish(code, tuple(map(call.article_id, articles)), entry.get("templateName") or "")
    problem = fault_of(wish.code)
    if problem is not None:
        raise Refused(405, problem)
    if any(one not in call.store.articles for one in wish.articles):
        raise Refused(405, "ARTICLE_ID_NOT_FOUND")
    if call.store.whitelist_on and wish.code not in call.store.whitelist:
        raise Refused(call.settings.whitelist_status, call.settings.whitelist_text)
    return wish


def _check_quota(call: Call, codes: set[str]) -> None:
    for store in call.company.stores.values():
        codes |= {code for code, label in store.labels.items() if label.articles}
    if len(codes) > call.company.label_quota:
        raise Refused(403, "LABEL_QUOTA_REACHED")


def _batch(call: Call, count: int) -> Batch:
    batch = Batch(mint_uuid(call.world), "ASSIGN", call.store.code, call.now, count, count, 0)
    stock.keep_batch(call.company, batch)
    return batch


def _answer(call: Call, batch: Batch, refused: Refused | None) -> Reply:
    if refused is not None:
        return Reply({}, refused.message, refused.status)
    # The batch id comes back only when asked for (contract 3).
    return Reply({"customBatchId": batch.id} if call.text("cbId") == "yes" else {})


def _template(label: Label) -> str:
    size = "_".join(label.model.split("_")[2:4])
    return f"{size}_default.xsl"


HANDLERS = {
    "getLabelsLink": get_link,
    "postLabelsLink": post_link,
    "postLabelsUnlink": post_unlink,
}
