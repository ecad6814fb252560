"""What is wrong with one label of an article, and the command that mends it: the last links of `explain`'s chain."""

from __future__ import annotations

from dataclasses import dataclass

from electis_cli.domain.label_refusals import Refusal, fix_of_refusal, refusal_of
from electis_cli.domain.queue import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The first broken link in a sentence, and the command that mends it."""

    link: str  # row, account, store, queue, aims, labels, none
    text: str
    fix: str

    @property
    def is_fine(self) -> bool:
        """True when nothing is broken."""
        return self.link == "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFacts:
    """One label of the article: what was wished, and what AIMS says of it (None: AIMS did not tell).

    `store` is where the database has it, `at_store` another store where AIMS has it. Of a label that the database
    never heard of there is no article of either kind.
    """

    label_code: str
    store: str
    in_database: bool
    article: str | None
    acked_article: str | None
    status: Status
    error: str | None
    page: int | None
    is_room: bool = False
    waits_for: str | None = None
    is_known: bool | None = None
    linked_to: tuple[str, ...] | None = None
    at_store: str | None = None
    has_image: bool = False
    update_status: str | None = None
    is_online: bool | None = None
    has_low_battery: bool | None = None
    shown_page: int | None = None

    @property
    def is_waiting(self) -> bool:
        """True while the queue has something to bring to AIMS for it."""
        return self.status in {Status.PENDING, Status.SYNCING}

    @property
    def is_linked_otherwise(self) -> bool:
        """True when AIMS took what the database wants of it, and shows something else now."""
        wanted = (self.article,) if self.article is not None else ()
        is_settled = self.in_database and self.status is Status.SYNCED
        return is_settled and self.linked_to is not None and self.linked_to != wanted


def judge_label(label: LabelFacts) -> Verdict | None:
    """Return what is broken about a label, or None: first what AIMS did not take, then what it shows instead."""
    for look in (_stuck, _waiting, _linked_otherwise, _covered, _drawing):
        verdict = look(label)
        if verdict is not None:
            return verdict
    return None


def judge_waiting(label: LabelFacts, why: str) -> str:
    """Return what keeps a label whose change waits in a queue that somebody, or something, stopped."""
    return f"{why} Label {label.label_code} waits for it."


def _stuck(label: LabelFacts) -> Verdict | None:
    code = label.label_code
    if label.status in {Status.HELD, Status.CONFLICT}:
        return _broken(
            f"Label {code} waits for a decision: {label.error}",
            f"electis queue retry {code} --store {label.store}",
        )
    if label.status is not Status.FAILED:
        return None
    what = f"the link of label {code}"
    page = label.page if label.article is not None and label.article == label.acked_article else None
    if label.article is None:
        what = f"to unlink label {code}"
    elif page is not None:
        what = f"page {page} of label {code}"
    fix = fix_of_refusal(label.error, code, store=label.store, page=page, is_room=label.is_room)
    hint = ""
    if refusal_of(label.error) is Refusal.CODE:
        hint = " Unlink it, then link the one that hangs there."
    elif refusal_of(label.error) is Refusal.QUOTA:
        hint = " Unlink labels nobody needs before it is tried again."
    return _broken(f"AIMS refused {what}: {_sentence(label.error)}{hint}", fix)


def _waiting(label: LabelFacts) -> Verdict | None:
    code = label.label_code
    if not label.is_waiting:
        return None
    if label.article is None and label.waits_for is not None:
        return _broken(
            f"Label {code} keeps {_now(label)} until {label.waits_for}, which replaces it, is linked.",
            f"electis explain label {label.waits_for} --store {label.store}",
        )
    why = f": {_sentence(label.error)}" if label.error else "."
    return _broken(_what_waits(label) + why, f"electis queue drain --store {label.store}")


def _what_waits(label: LabelFacts) -> str:
    """Return what the queue has to bring to AIMS for a label, beside what AIMS shows meanwhile."""
    code, now = label.label_code, _now(label)
    if label.article is None:
        return f"Label {code} still shows {now} at AIMS; that it shows nothing waits in the queue"
    if label.linked_to is not None and label.article in label.linked_to:
        if label.page is not None and label.shown_page not in {None, label.page}:
            return f"Label {code} shows page {label.shown_page}; that it shows page {label.page} waits in the queue"
        return f"What label {code} is to show waits in the queue"
    if now:
        return f"Label {code} still shows {now} at AIMS; that it shows {label.article} waits in the queue"
    return f"Label {code} is not linked at AIMS yet"


def _now(label: LabelFacts) -> str:
    """Return what AIMS shows on a label whose change waits; what it acknowledged when it does not tell."""
    if label.linked_to is not None:
        return " and ".join(label.linked_to)
    return label.acked_article or ""


def _linked_otherwise(label: LabelFacts) -> Verdict | None:
    if not label.is_linked_otherwise:
        return None
    code, shown = label.label_code, " and ".join(label.linked_to or ())
    if label.article is None:
        return _broken(
            f"Somebody linked label {code} to {shown} at AIMS; the database wants nothing on it. A full sync would take"
            " that over.",
            f"electis label unlink {code} --store {label.store} --again",
        )
    again = f"electis label link {code} {label.article} --store {label.store} --again"
    if shown:
        text = (
            f"Somebody linked label {code} to {shown} at AIMS; the database wants {label.article} on it."
            " A full sync would take that over."
        )
    elif label.at_store is not None:
        text = f"AIMS has label {code} in store {label.at_store}; the database wants it here, on {label.article}."
    elif label.is_known is False:
        text = f"AIMS does not know label {code} any more; the database wants {label.article} on it."
    else:
        text = f"Somebody unlinked label {code} at AIMS; the database wants {label.article} on it."
    return _broken(text, again)


def _covered(label: LabelFacts) -> Verdict | None:
    shown = label.article or next(iter(label.linked_to or ()), None)
    if not label.has_image or shown is None:
        return None
    return _broken(
        f"An image covers what label {label.label_code} would show: somebody put it there, and changes of {shown} do"
        " not reach the label. Linking it again takes the image away.",
        f"electis label link {label.label_code} {shown} --store {label.store} --again",
    )


def _drawing(label: LabelFacts) -> Verdict | None:
    code, word = label.label_code, (label.update_status or "").upper()
    if label.is_online is False:
        return _broken(
            f"Label {code} is offline: no gateway hears it.",
            f"electis aims gateway list --store {label.store}",
        )
    if word == "TIMEOUT":
        low = " Its battery is low." if label.has_low_battery else ""
        return _broken(
            f"Label {code} did not answer the last update.{low}",
            f"electis label resend {code} --store {label.store}",
        )
    if word == "PROCESSING":
        return _broken(
            f"Label {code} is drawing the last update.",
            f"electis wait --for=displayed --store {label.store}",
        )
    pages = (label.page, label.shown_page)
    if None not in pages and label.page != label.shown_page:
        return _broken(
            f"Label {code} shows page {label.shown_page} instead of {label.page}, which AIMS took.",
            f"electis label link {code} {label.article} --store {label.store} --again",
        )
    return None


def _broken(text: str, fix: str) -> Verdict:
    return Verdict(link="labels", text=text, fix=fix)


def _sentence(text: str | None) -> str:
    return f"{(text or '').rstrip().rstrip('.')}."
