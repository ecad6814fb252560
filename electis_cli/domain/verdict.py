"""Why does this label show that? The chain from a row to a label, and the first link of it that is broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from electis_cli.domain.label_verdict import LabelFacts, Verdict, judge_label, judge_waiting
from electis_cli.domain.queue import Status
from electis_cli.domain.reconcile import Step
from electis_cli.domain.timing import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """The pushes of an article that AIMS did not take, since the last one it took."""

    count: int = 0
    since: datetime | None = None
    last_at: datetime | None = None
    next_at: datetime | None = None
    """When the queue may try again; None when nothing keeps it from trying now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Everything that lies between a row and its labels, each as it was just read."""

    subject: str  # "space 4-117"
    article_id: str | None
    noun: str
    identifier: str
    store: str
    is_configured: bool
    has_format: bool
    is_enabled: bool
    is_restored: bool
    is_paused: bool
    paused_why: str | None
    breaker: str
    breaker_reason: str | None
    has_ledger_row: bool
    status: Status | None
    error: str | None
    tries: Tries
    has_worker: bool
    has_daemon: bool
    aims_error: str | None
    is_listed: bool | None  # None: AIMS could not be asked
    differing: Sequence[str]
    is_known_value: bool
    is_settling: bool
    next_step: Step | None
    restore: str
    labels: Sequence[LabelFacts]


def judge(chain: Chain) -> Verdict:
    """Return the first broken link from the row to the label, as support staff would name it."""
    for look in (_row, _account, _store, _queue, _aims, _labels):
        verdict = look(chain)
        if verdict is not None:
            return verdict
    count = len(chain.labels)
    shown = "its label shows" if count == 1 else f"its {count} labels show"
    return Verdict(link="none", text=f"Everything agrees: {shown} what the database says.", fix="")


def _row(chain: Chain) -> Verdict | None:
    if chain.article_id is None and chain.noun == "label":
        shown = next((verdict for label in chain.labels if (verdict := judge_label(label))), None)
        return shown or Verdict(
            link="row",
            text=f"Nothing is wished of {chain.subject}: {_at_aims(chain)}.",
            fix=f"electis label link {chain.identifier} ARTICLE_ID",
        )
    if chain.article_id is None:
        return Verdict(
            link="row",
            text=f"The {chain.subject} has no space, so no label shows them.",
            fix=f"electis people assign {chain.identifier} SPACE",
        )
    return None


def _at_aims(chain: Chain) -> str:
    """Return what AIMS has on a label that nothing is wished of."""
    shown = " and ".join(article for label in chain.labels for article in label.linked_to or ())
    if not shown:
        return "no article is linked to it"
    return f"somebody linked it to {shown} at AIMS, which the database does not have, or not alone"


def _account(chain: Chain) -> Verdict | None:
    if not chain.is_configured:
        return Verdict(
            link="account",
            text="The organization has no AIMS account, so nothing is pushed.",
            fix="electis aims configure --base-url URL --company CODE --username NAME",
        )
    if not chain.has_format:
        return Verdict(
            link="account",
            text="The organization has no article format yet.",
            fix="electis aims format fetch",
        )
    if chain.breaker == "open" and (chain.status is not Status.SYNCED or _held_up(chain)):
        fixes = {"format": "electis aims format fetch", "login": "electis aims configure --replace"}
        return Verdict(
            link="account",
            text=_named(
                chain, f"The queue is stopped for all stores ({chain.breaker_reason}), so the change waits."
            ),
            fix=fixes.get(chain.breaker_reason or "", "electis aims doctor"),
        )
    return None


def _store(chain: Chain) -> Verdict | None:
    if not chain.is_enabled:
        return Verdict(
            link="store",
            text=f"Syncing is turned off for store {chain.store}.",
            fix=f"electis store update {chain.store} --sync-enabled",
        )
    if chain.is_restored:
        return Verdict(
            link="store",
            text=f"The database was restored from a backup; store {chain.store} is not pushed until it was compared.",
            fix=f"electis sync full --store {chain.store}",
        )
    if chain.is_paused and (chain.status is not Status.SYNCED or _held_up(chain)):
        why = f": {_sentence(chain.paused_why)}" if chain.paused_why else "."
        return Verdict(
            link="store",
            text=_named(chain, f"Somebody paused the queue of store {chain.store}{why}"),
            fix=f"electis queue resume --store {chain.store}",
        )
    return None


def _queue(chain: Chain) -> Verdict | None:
    article = chain.article_id
    if not chain.has_ledger_row:
        return Verdict(
            link="queue", text=f"The article {article} was never put into the queue.", fix="electis sync full"
        )
    if chain.status is Status.FAILED:
        return Verdict(
            link="queue",
            text=f"AIMS refused the article {article} for good: {chain.error}",
            fix=f"electis queue retry {article}",
        )
    if chain.status in {Status.CONFLICT, Status.HELD}:
        return Verdict(
            link="queue",
            text=f"The article {article} waits for a decision: {chain.error}",
            fix=f"electis queue retry {article}",
        )
    if chain.status not in {Status.SYNCING, Status.PENDING}:
        return None
    return Verdict(link="queue", text=_waiting(chain), fix="electis queue drain")


def _waiting(chain: Chain) -> str:
    """Return why an article that is not synced yet is where it is: in the queue, on its way, or sent in vain."""
    article, tries = chain.article_id, chain.tries
    again = f" AIMS did not take it before: {_sentence(chain.error)}" if chain.error else ""
    # Between two tries the row is still marked as sent: only a worker with the store in its hands sends anything.
    if chain.status is Status.SYNCING and chain.has_worker and tries.next_at is None:
        return f"The article {article} is being sent right now.{again}"
    if tries.count:
        times = "once" if tries.count == 1 else f"{tries.count} times"
        since = f" since {iso(tries.since)}" if tries.count > 1 else f", at {iso(tries.since)}"
        why = _sentence(chain.error) if chain.error else "it gave no usable answer."
        return f"AIMS has not taken the article {article} yet: {why} It was tried {times}{since}; {_next(chain)}."
    if chain.status is Status.SYNCING:
        return (
            f"Whoever sent the article {article} at {iso(tries.last_at)} stopped before AIMS answered;"
            f" {_next(chain)}. It begins by reading what AIMS took."
        )
    return f"The change waits in the queue; {_next(chain)}."


def _next(chain: Chain) -> str:
    if chain.tries.next_at is not None:
        return f"the next try is at {iso(chain.tries.next_at)}"
    return "the next try is due" + (
        "" if chain.has_worker or chain.has_daemon else ", but no daemon is running"
    )


def _sentence(text: str | None) -> str:
    return f"{(text or '').rstrip().rstrip('.')}."


def _aims(chain: Chain) -> Verdict | None:
    article = chain.article_id
    if chain.is_listed is None:
        return Verdict(
            link="aims", text=f"AIMS could not be asked: {chain.aims_error}", fix="electis aims doctor"
        )
    if not chain.is_listed:
        if chain.is_settling:
            return Verdict(
                link="aims",
                text=f"AIMS took the article {article} just now but does not list it; it may take two minutes.",
                fix=f"electis wait --for=displayed --store {chain.store}",
            )
        return Verdict(
            link="aims",
            text=f"AIMS took the article {article} but does not have it any more.",
            fix=f"electis sync full --store {chain.store} --no-window",
        )
    return _difference(chain) if chain.differing else None


def _difference(chain: Chain) -> Verdict:
    columns = ", ".join(chain.differing)
    # A value that was never ours is no delay of AIMS's.
    if chain.is_settling and chain.is_known_value:
        return Verdict(
            link="aims",
            text=f"AIMS took the last change but does not show it yet ({columns}); it may take two minutes.",
            fix=f"electis wait --for=displayed --store {chain.store}",
        )
    sync = f"electis sync full --store {chain.store} --no-window"
    owner = "an older value of ours" if chain.is_known_value else "a value somebody wrote there"
    if chain.next_step is Step.ADOPT:
        return Verdict(
            link="aims",
            text=f"AIMS shows {owner} in {columns}. A full sync takes it into the database; what follows it here"
            " puts ours back.",
            fix=f"{sync} && {chain.restore}" if chain.restore else sync,
        )
    return Verdict(
        link="aims", text=f"AIMS shows {owner} in {columns}.{_then(chain)}", fix=_settling(chain) or sync
    )


_THEN = {
    Step.PUSH_AGAIN: " A full sync sends ours again.",
    Step.BUMP: " A full sync sends ours.",
    Step.SETTLING: " The full sync that still sees it two minutes after another one sends ours again.",
    Step.CONFLICT: " After a full sync a person must choose.",
    Step.HOLD: " AIMS alters it anew each time: a full sync holds it for a person.",
    Step.ECHO: " AIMS puts it into a form of its own: a full sync takes that for equal.",
}


def _then(chain: Chain) -> str:
    """Return which side wins at the next full sync, in a sentence."""
    return _THEN.get(chain.next_step, "") if chain.next_step is not None else ""


def _settling(chain: Chain) -> str:
    """Return what mends a difference that one full sync only notes, or leaves to a person; `""` for any other."""
    sync = f"electis sync full --store {chain.store}"
    if chain.next_step is Step.CONFLICT:
        return f"{sync} --no-window && electis sync resolve {chain.article_id} --ours --store {chain.store}"
    return f"{sync} && sleep 120 && {sync}" if chain.next_step is Step.SETTLING else ""


def _labels(chain: Chain) -> Verdict | None:
    if not chain.labels:
        return Verdict(
            link="labels",
            text=f"AIMS has the article {chain.article_id}, but no label is linked to it.",
            fix=f"electis label link LABEL {chain.article_id}",
        )
    # What AIMS refused comes first: another label may wait for that very one.
    found = sorted(chain.labels, key=lambda label: (label.status is not Status.FAILED, label.label_code))
    return next((verdict for label in found if (verdict := judge_label(label))), None)


def _named(chain: Chain, why: str) -> str:
    """Return why nothing is written, with the label that waits for it when the article does not."""
    label = _held_up(chain) if chain.status is Status.SYNCED or chain.article_id is None else None
    return why if label is None else judge_waiting(label, why)


def _held_up(chain: Chain) -> LabelFacts | None:
    """Return a label whose change waits in the queue, though its article is as it should be."""
    return next((label for label in chain.labels if label.is_waiting), None)
