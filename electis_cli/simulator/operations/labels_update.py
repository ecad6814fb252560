"""Orders to labels besides links (contract 5.6): NFC, resend, regenerate, signs of life, deletion."""

from collections.abc import Iterable

from electis_cli.simulator import display, stock
from electis_cli.simulator.call import Call, Refused, Reply, mint_uuid
from electis_cli.simulator.devices import Label, Shown
from electis_cli.simulator.model import Batch
from electis_cli.simulator.operations.labels_link import known_label


def post_nfc(call: Call) -> Reply:
    """Set what the labels' NFC tags point to; all entries or none."""
    entries = [(known_label(call, one.get("labelCode")), one.get("nfcUrl")) for one in call.items("labels")]
    if any(not isinstance(url, str) for _, url in entries):
        raise Refused(405, "FIELD_IS_MISSING")
    for label, url in entries:
        label.nfc_url = url
        picture = label.coming or label.shown
        display.begin(call.company, label, picture, call.now, call.settings.update_seconds, kind="NFC")
    return Reply({})


def put_resend(call: Call) -> Reply:
    """Send again to the named labels whose last order timed out, or to all such; 204 when there are none."""
    codes = (call.body or {}).get("labelList") or []
    labels = [known_label(call, code) for code in codes] if codes else call.store.labels.values()
    return _send(call, [one for one in labels if display.status(one, call.now) == "TIMEOUT"], "RESEND")


def put_resend_all(call: Call) -> Reply:
    """Send again to every assigned label of the store, or to those that timed out."""
    only = call.text("labelType") or "TIMEOUT"
    labels = call.store.labels.values()
    return _send(
        call,
        [
            label
            for label in labels
            if (only == "ALL" and label.articles) or display.status(label, call.now) == "TIMEOUT"
        ],
        "RESEND",
    )


def post_regenerate(call: Call) -> Reply:
    """Make pictures anew from the articles, by label, by article or all; pushed images give way."""
    scope, ids = call.text("regenerateType"), call.body or []
    if scope != "ALL" and not ids:
        raise Refused(405, "FIELD_IS_MISSING")
    if scope == "LABEL":
        labels: Iterable[Label] = [known_label(call, code) for code in ids]
    elif scope == "ARTICLE":
        if any(one not in call.store.articles for one in ids):
            raise Refused(405, "ARTICLE_ID_NOT_FOUND")
        labels = [call.store.labels[code] for one in ids for code in call.store.holders(one)]
    else:
        labels = call.store.labels.values()
    assigned = [label for label in labels if label.articles]
    for label in assigned:
        label.images = {}
    _send(call, assigned, "REGENERATE")
    return Reply({})


def put_alive(call: Call) -> Reply:
    """Ask every label of the company for a sign of life; those that live answer."""
    for store in call.company.stores.values():
        for label in store.labels.values():
            if label.silent_since is None and label.online:
                label.last_seen = call.now
    return Reply({})


def delete_labels(call: Call) -> Reply:
    """Remove labels from the database; their displays keep what they show."""
    codes = dict.fromkeys(call.items("labelList"))
    for code in codes:
        known_label(call, code)
    for code in codes:
        del call.store.labels[code]
        call.store.leds.pop(code, None)
        call.store.clearing.pop(code, None)
    call.store.links_changed()
    batch = Batch(mint_uuid(call.world), "ASSIGN", call.store.code, call.now, len(codes), len(codes), 0)
    stock.keep_batch(call.company, batch)
    return Reply({"customBatchId": batch.id} if call.text("cbId") == "yes" else {})


def _send(call: Call, labels: list[Label], kind: str) -> Reply:
    for label in labels:
        picture = display.content(call.company, call.store, label) if label.articles else Shown()
        display.begin(call.company, label, picture, call.now, call.settings.update_seconds, kind=kind)
    return Reply({}) if labels else Reply()


HANDLERS = {
    "postLabelsNfc": post_nfc,
    "putLabelsResendTimeout": put_resend,
    "putLabelsResendTimeoutAll": put_resend_all,
    "postLabelsRegenerateImages": post_regenerate,
    "putLabelsForceAliveSignal": put_alive,
    "deleteLabels": delete_labels,
}
