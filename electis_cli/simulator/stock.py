"""The rules behind article writes (contract 5.2, 9.3), for API calls and the foreign writer alike."""

from electis_cli.simulator import display
from electis_cli.simulator.devices import Json, Label, Shown
from electis_cli.simulator.model import Article, Batch, Company, Store, Version

VERSIONS_KEPT = 5
CLEARING_SECONDS = 7_200.0
"""AIMS drops the record of an unlinked label that stays silent for about two hours (contract 5.6)."""
BATCHES_KEPT = 2_000
"""The oldest batches fall out; AIMS itself shows the last day unless asked (contract 5.4)."""


def store_column(company: Company) -> str:
    """The data column AIMS fills with the store code, empty when no format says so."""
    found = (company.format or {}).get("mappingInfo", {}).get("store")
    return found if isinstance(found, str) else ""


def upsert(
    company: Company,
    store: Store,
    batch: Batch,
    records: list[dict[str, Json]],
    *,
    merge: bool,
    now: float,
    seconds: float,
) -> None:
    """Store checked records and send every changed article to its labels."""
    column = store_column(company)
    changed: list[str] = []
    for record in records:
        if _put(store, record, column, batch.id, merge=merge, now=now):
            changed.append(record["articleId"])
        else:
            _note_unchanged(store, batch, record["articleId"], now)
    if changed:
        store.updated = now
    _update_labels(company, store, batch, changed, now, seconds)
    keep_batch(company, batch)


def delete(company: Company, store: Store, batch: Batch, ids: list[str], now: float, seconds: float) -> None:
    """Delete known articles; labels that show nothing else become unassigned (Q25)."""
    touched = {code for one in ids for code in store.holders(one)}
    for one in ids:
        store.note_article(one, now)
        del store.articles[one]
    for code in sorted(touched):
        store.note_link(code, now)
        label = store.labels[code]
        label.articles = [held for held in label.articles if held in store.articles]
        if label.articles:
            display.begin(company, label, display.content(company, store, label), now, seconds)
        else:
            release(company, store, label, now, seconds, batch.id)
    if ids:
        store.updated = now
    store.articles_changed()
    store.links_changed()
    keep_batch(company, batch)


def release(company: Company, store: Store, label: Label, now: float, seconds: float, batch: str) -> None:
    """Make a label unassigned; its display clears when it answers."""
    store.note_link(label.code, now)
    label.articles = []
    label.images = {}
    label.page = 1
    label.template = ""
    label.unassigned_on = now
    store.clearing[label.code] = now + CLEARING_SECONDS
    display.begin(company, label, Shown(), now, seconds, batch, kind="UNASSIGN")


def drop_silent(store: Store, now: float) -> None:
    """Forget the unlinked labels that never cleared their display (contract 5.6)."""
    for code, deadline in list(store.clearing.items()):
        label = store.labels.get(code)
        if label is None or label.articles or display.status(label, now) == "SUCCESS":
            del store.clearing[code]
        elif now >= deadline:
            del store.clearing[code], store.labels[code]
            store.leds.pop(code, None)


def keep_batch(company: Company, batch: Batch) -> None:
    """Add a batch to the histories, dropping the oldest beyond the limit."""
    company.batches[batch.id] = batch
    while len(company.batches) > BATCHES_KEPT:
        del company.batches[next(iter(company.batches))]


def _put(store: Store, record: dict[str, Json], column: str, batch: str, *, merge: bool, now: float) -> bool:
    """Write one article; False when nothing about it changed, and then its date stays too."""
    id_: str = record["articleId"]
    found = store.articles.get(id_)
    data = {column: store.code} if column else {}
    if merge and found is not None:
        data |= found.data
    data |= record["data"]
    if column:
        data[column] = store.code
    kept = found if merge else None
    nfc_url = record.get("nfcUrl")
    if nfc_url is None:
        nfc_url = kept.nfc_url if kept else ""
    eans = record.get("eans")
    if eans is None:
        eans = kept.eans if kept else []
    if found is None:
        store.note_article(id_, now)
        found = Article(id_, record["articleName"], nfc_url, eans, data, now, now)
        store.articles[id_] = found
        store.articles_changed()
    elif (found.name, found.nfc_url, found.eans, found.data) == (
        record["articleName"],
        nfc_url,
        eans,
        data,
    ):
        return False
    else:
        store.note_article(id_, now)
    found.name, found.nfc_url, found.eans, found.data = record["articleName"], nfc_url, eans, data
    found.updated = now
    found.versions.append(Version(batch, now, found.name, nfc_url, data))
    del found.versions[:-VERSIONS_KEPT]
    return True


def _note_unchanged(store: Store, batch: Batch, article_id: str, now: float) -> None:
    for code in store.holders(article_id):
        _note_skipped(batch, store.labels[code], article_id, "NO CHANGES IN PRODUCT DATA", now)


def _note_skipped(batch: Batch, label: Label, article_id: str, result: str, now: float) -> None:
    row = display.row(label, article_id, result)
    row.started = row.due = now
    batch.rows.append(row)


def _update_labels(
    company: Company, store: Store, batch: Batch, changed: list[str], now: float, seconds: float
) -> None:
    for code in dict.fromkeys(code for one in changed for code in store.holders(one)):
        label = store.labels[code]
        if label.images:
            continue
        picture = display.content(company, store, label)
        display.begin(company, label, picture, now, seconds, batch.id)
    for article_id in changed:
        for code in store.holders(article_id):
            label = store.labels[code]
            if label.images:
                _note_skipped(batch, label, article_id, display.SKIPPED, now)
            else:
                batch.rows.append(display.row(label, article_id))
