"""Faults that reach into the data while a call is worked (contract 9.5).

Another writer at work (Q24), links that change, rows that move between pages, labels that get stuck, and reads
that see an older state.
"""

from dataclasses import replace
from functools import partial

from electis_cli.simulator import display, past, stock
from electis_cli.simulator.call import Call, Reply, mint_uuid
from electis_cli.simulator.devices import Json
from electis_cli.simulator.faults.fault import Fault
from electis_cli.simulator.faults.standing import Standing
from electis_cli.simulator.model import Article, Batch, Store

STRIKES_AT_MOST = 1_000
"""So often the clock's faults act in one go, however long nobody called."""


def before(call: Call, standing: list[Standing]) -> None:
    """What happens between the arrival of a call and its work."""
    if call.found_store is None:
        return
    for one in standing:
        if one.fault.kind in CLOCKWORK:
            period = one.fault.seconds
            due = int((call.now - one.began) // period) if period else one.struck + 1
            one.struck = max(one.struck, due - STRIKES_AT_MOST)
            while one.struck < due:
                one.struck += 1
                CLOCKWORK[one.fault.kind](call, one)
    lag = call.settings.visibility_seconds
    if lag and call.request.method == "GET":
        then = call.now - lag
        _look_back(call, lambda note: not note.is_link and note.at > then)
    for one in standing:
        if one.fault.kind == "stale-read":
            call.now -= one.fault.seconds
            _look_back(call, partial(_is_newer, call.now, one))
        elif one.fault.kind == "delayed-visibility" and _hides(call, one.fault):
            _look_back(call, partial(_is_hidden, call.now, one))


def after(call: Call, standing: list[Standing], reply: Reply) -> None:
    """What happens right after a call was worked."""
    if call.found_store is None:
        return
    for one in standing:
        if one.fault.kind == "stuck-label":
            _stick(call, one.fault)
        elif one.fault.kind == "page-shift" and reply.rows:
            _shift(call, one)


def _is_newer(then: float, one: Standing, note: past.Note) -> bool:
    """Newer than the age of the snapshot; without seconds the snapshot is as old as the fault."""
    return note.at > then if one.fault.seconds else note.order > one.order


def _is_hidden(now: float, one: Standing, note: past.Note) -> bool:
    """Written under the fault, and not long enough ago; without seconds it never shows."""
    seconds = one.fault.seconds
    return not note.is_link and note.order > one.order and (not seconds or note.at > now - seconds)


def _hides(call: Call, fault: Fault) -> bool:
    """Whether the page read is one of those that lag behind."""
    if fault.form != "pages":
        return True
    page = call.text("page") or "0"
    return page.isdigit() and (int(page) + 1) % (fault.every or 2) == 0


def _look_back(call: Call, undo: past.Undo) -> None:
    """Let the call see a copy of its store without the notes that `undo` names."""
    store = call.store
    articles = dict(store.articles)
    old_links: dict[str, list[str]] = {}
    past.put_back(reversed(store.past), undo, articles, old_links)
    labels = dict(store.labels)
    for code, held in old_links.items():
        if code in labels:
            labels[code] = replace(labels[code], articles=held)
    for code, label in labels.items():
        if not articles.keys() >= set(label.articles):
            labels[code] = replace(label, articles=[one for one in label.articles if one in articles])
    call.found_store = replace(store, articles=articles, labels=labels)
    call.found_store.articles_changed()
    call.found_store.links_changed()


def _chosen(one: Standing, store: Store) -> str | None:
    """The article the other writer takes next."""
    fault = one.fault
    known = (
        [id_ for id_ in fault.articles if id_ in store.articles] if fault.articles else store.article_order()
    )
    if not fault.articles and fault.every:
        known = known[fault.every - 1 :: fault.every]
    return known[one.chance.randrange(len(known))] if known else None


def _write(call: Call, one: Standing) -> None:
    """One edit, revert or deletion by another program."""
    id_ = _chosen(one, call.store)
    if id_ is None:
        return
    article, form = call.store.articles[id_], one.fault.shape
    if form == "delete":
        stock.delete(call.company, call.store, _batch(call), [id_], call.now, call.settings.update_seconds)
        return
    if form == "revert" and len(article.versions) > 1:
        older = article.versions[-2]
        name, data = older.name, older.data
    elif form == "revert":
        return
    else:
        name, data = f"foreign {one.struck}", article.data
    _put(call, article, name, data)


def _put(call: Call, article: Article, name: str, data: dict[str, Json]) -> None:
    record: dict[str, Json] = {"articleId": article.id, "articleName": name, "data": data}
    column = (call.company.format or {}).get("mappingInfo", {}).get("articleName")
    if column:
        record["data"] = data | {column: name}
    record |= {"nfcUrl": article.nfc_url, "eans": article.eans}
    seconds = call.settings.update_seconds
    stock.upsert(call.company, call.store, _batch(call), [record], merge=False, now=call.now, seconds=seconds)


def _flap(call: Call, one: Standing) -> None:
    """One label loses its link, or gets it back."""
    store = call.store
    named = one.fault.labels or tuple(sorted(code for code, label in store.labels.items() if label.articles))
    if one.lost:
        code, held = one.lost.popitem()
        held = [id_ for id_ in held if id_ in store.articles]
    else:
        codes = [code for code in named if code in store.labels and store.labels[code].articles]
        if not codes:
            return
        code, held = codes[one.chance.randrange(len(codes))], []
        one.lost[code] = list(store.labels[code].articles)
    if code not in store.labels:
        return
    store.note_link(code, call.now)
    label = store.labels[code]
    label.articles = held
    store.links_changed()
    picture = display.content(call.company, store, label)
    kind = "ASSIGN" if held else "UNASSIGN"
    display.begin(call.company, label, picture, call.now, call.settings.update_seconds, kind=kind)


def _stick(call: Call, fault: Fault) -> None:
    outcome = {"": "STUCK", "late": "LATE", "timeout": "TIMEOUT"}[fault.form]
    ordered = [
        label
        for code, label in sorted(call.store.labels.items())
        if label.started == call.now
        and label.coming is not None
        and (not fault.labels or code in fault.labels)
    ]
    for place, label in enumerate(ordered):
        if fault.labels or not fault.every or (place + 1) % fault.every == 0:
            display.answer_order_as(call.company, label, outcome, fault.seconds, call.now)


def _shift(call: Call, one: Standing) -> None:
    """A row before the page just read comes or goes, so that the next page starts one row off."""
    store = call.store
    if one.fault.shape == "delete":
        order = store.article_order()
        if order:
            seconds = call.settings.update_seconds
            stock.delete(call.company, store, _batch(call), order[:1], call.now, seconds)
        return
    id_ = f"!shift-{one.fired:06d}"
    _put(call, Article(id_, "", "", [], {}, call.now, call.now), "shifted", {})


def _batch(call: Call) -> Batch:
    return Batch(mint_uuid(call.world), "ARTICLE", call.store.code, call.now, 1, 1, 0)


CLOCKWORK = {"foreign-writer": _write, "label-flap": _flap}
