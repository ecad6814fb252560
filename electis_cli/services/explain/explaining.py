"""`explain`: one screen that follows the chain from a row to its labels, and names the first broken link."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from electis_cli.db import labels
from electis_cli.domain.articles import changed_columns, fold_own_fields
from electis_cli.domain.errors import LabelNotFound
from electis_cli.domain.label_verdict import LabelFacts
from electis_cli.domain.labels import follow_display
from electis_cli.domain.queue import LabelWish, LedgerRow, Status, status_of_row, status_of_wish
from electis_cli.domain.reconcile import Step, Subject, Terms, decide
from electis_cli.domain.verdict import Chain, Tries, judge
from electis_cli.services.change import Reading, Scope, reading
from electis_cli.services.explain.asking import Remote, ask
from electis_cli.services.explain.looking import Local, look_up, look_up_unknown
from electis_cli.services.showing.showing import show_label


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainView:
    """The whole chain of one thing; keys are stable for scripts."""

    noun: str
    id: str
    store: str
    row: Mapping[str, Any]
    article: Mapping[str, Any] | None
    ledger: Mapping[str, Any] | None
    last_push: Mapping[str, Any] | None
    remote: Mapping[str, Any] | None
    labels: Sequence[Mapping[str, Any]]
    verdict: str
    link: str
    fix: str


def explain(scope: Scope, noun: str, identifier: str, *, store: str | None = None) -> ExplainView:
    """Return the chain of a space, person, conference room or label, and the verdict on it.

    Reads AIMS uncached and changes nothing. Raises SpaceNotFound, PersonNotFound, RoomNotFound, LabelNotFound.
    """
    local = _look_up(scope, noun, identifier, store)
    remote = ask(scope, local)
    with reading(scope) as read:
        facts = _labels(local, remote, _wishes(read, local, remote))
    verdict = judge(_chain(local, remote, facts))
    return ExplainView(
        noun=noun,
        id=local.identifier,
        store=local.place.code,
        row=local.row,
        article=dict(local.rendered.article.data) if local.rendered else None,
        ledger=_ledger(local.ledger, local.tries) if local.ledger else None,
        last_push=_push(local, remote),
        remote=_compare(local, remote),
        labels=[_label(fact, local, remote) for fact in facts],
        verdict=verdict.text,
        link=verdict.link,
        fix=verdict.fix,
    )


def _look_up(scope: Scope, noun: str, identifier: str, store: str | None) -> Local:
    """Return what the database knows; of a label it never heard of AIMS is asked. Raises the noun's NotFound."""
    with reading(scope) as read:
        try:
            return look_up(read, noun, identifier, store)
        except LabelNotFound:
            pass
    view = show_label(scope, identifier, store=store)
    shown = view.aims.articles if view.aims and view.aims.articles else ()
    with reading(scope) as read:
        # A label on several articles is not ours to understand.
        return look_up_unknown(
            read, read.store(view.store), view.label_code, shown[0] if len(shown) == 1 else None
        )


def _wishes(read: Reading, local: Local, remote: Remote) -> dict[str, tuple[LabelWish, str]]:
    """Return what is wished of the labels, and the store: also of those that AIMS shows it on and should not."""
    visible = {place.id: place.code for place in read.stores(None)}
    others = labels.wishes_by_code(read.uow, remote.linked)
    wishes = {**others, **{wish.label_code: wish for wish in local.wishes}}
    return {code: (wish, visible[wish.store_id]) for code, wish in wishes.items() if wish.store_id in visible}


def _labels(local: Local, remote: Remote, wishes: Mapping[str, tuple[LabelWish, str]]) -> list[LabelFacts]:
    """Return the labels that are to show the article, and those that show it: as acknowledged, or as AIMS says."""
    asked = [local.identifier] if local.noun == "label" else []
    return [
        _facts(local, remote, code, *wishes.get(code, (None, local.place.code)))
        for code in sorted({*remote.linked, *wishes, *asked})
    ]


def _facts(local: Local, remote: Remote, code: str, wish: LabelWish | None, store: str) -> LabelFacts:
    told, is_told = remote.labels.get(code), code in remote.labels
    linked_to = told.articles if told else () if is_told else None
    if linked_to is None and code in remote.linked and local.article_id is not None:
        linked_to = (local.article_id,)
    return LabelFacts(
        label_code=code,
        store=store,
        in_database=wish is not None,
        article=wish.desired_article if wish else None,
        acked_article=wish.acked_article if wish else None,
        status=status_of_wish(wish) if wish else Status.SYNCED,
        error=wish.error_text if wish else None,
        page=wish.desired_page if wish else None,
        is_room=local.rendered is not None and local.rendered.is_room,
        waits_for=wish.waits_for if wish else None,
        is_known=told is not None if is_told else None,
        linked_to=linked_to,
        at_store=remote.elsewhere.get(code),
        has_image=told is not None and told.image,
        update_status=told.update_status if told else None,
        is_online=told.online if told else None,
        has_low_battery=told.low_battery if told else None,
        shown_page=told.page if told else None,
    )


def _chain(local: Local, remote: Remote, facts: Sequence[LabelFacts]) -> Chain:
    row, account, place = local.ledger, local.account, local.place
    differing = _differing(local, remote)
    settle_until = row.verify_after if row else None
    return Chain(
        subject=f"{local.noun} {local.identifier}",
        article_id=local.article_id,
        noun=local.noun,
        identifier=local.identifier,
        store=place.code,
        is_configured=local.organization.aims_base_url is not None,
        has_format=local.organization.article_format is not None,
        is_enabled=place.sync_enabled,
        is_restored=place.restored_at is not None,
        is_paused=place.paused_at is not None,
        paused_why=place.paused_why,
        breaker=account.breaker,
        breaker_reason=account.breaker_reason,
        has_ledger_row=row is not None,
        status=status_of_row(row) if row else None,
        error=_refusal(local),
        tries=local.tries,
        has_worker=local.has_worker,
        has_daemon=local.has_daemon,
        aims_error=remote.error,
        is_listed=None if remote.error else remote.article is not None,
        differing=differing,
        is_known_value=remote.article is not None and remote.article.hash in local.known,
        is_settling=settle_until is not None and settle_until > local.now,
        next_step=_next_step(local, remote),
        restore=_restore(local, differing),
        labels=facts,
    )


def _next_step(local: Local, remote: Remote) -> Step | None:
    """Return what a full sync would do about the article that AIMS shows, by the planner's own rules."""
    if local.ledger is None or local.rendered is None or remote.article is None:
        return None
    subject = Subject(
        article_id=local.ledger.article_id,
        row=local.ledger,
        local=local.rendered.content,
        remote=remote.article.content,
        known=local.known,
        is_room=local.rendered.is_room,
    )
    terms = Terms(
        now=local.now, settle=local.settle, strategy=local.organization.strategy, believe_at_once=True
    )
    return decide(subject, terms).step


def _restore(local: Local, differing: Sequence[str]) -> str:
    """Return the command that writes our values anew where a full sync put AIMS's: to the person who sits there."""
    if local.rendered is None or local.rendered.is_room or local.article_id is None:
        return ""
    noun = f"people update {local.person}" if local.person else f"space update {local.article_id}"
    article_format = local.organization.article_format
    if article_format is None:
        return ""
    content = fold_own_fields(local.rendered.content, article_format)
    # AIMS's own name and NFC fields are no columns of a row: they are taken into the ones they are mapped to.
    written = fold_own_fields(dict.fromkeys(differing, "differs"), article_format)
    columns = [
        f"--set {shlex.quote(f'{column}={content[column]}')}"
        if content.get(column)
        else f"--unset {shlex.quote(column)}"
        for column in sorted(written)
    ]
    if not columns:  # what differs has no column here, so that nothing of it is taken in
        return ""
    return " ".join(["electis", noun, *columns, "--store", local.place.code])


def _refusal(local: Local) -> str | None:
    """Return why AIMS did not take the article: what its row says, else the answer to the last push."""
    if local.ledger is not None and local.ledger.error_text:
        return local.ledger.error_text
    push = local.last_push
    if not local.tries.count or push is None or push.status is None:
        return None
    return f"AIMS answered {push.answer or push.status}."


def _differing(local: Local, remote: Remote) -> list[str]:
    if remote.article is None or local.rendered is None:
        return []
    return changed_columns(local.rendered.content, remote.article.content)


def _ledger(row: LedgerRow, tries: Tries) -> dict[str, Any]:
    return {
        "status": status_of_row(row),
        "desired_version": row.desired_version,
        "synced_version": row.synced_version,
        "attempts": row.attempts,
        "last_tried_at": row.last_tried_at,
        "next_attempt_at": row.next_attempt_at,
        "acked_at": row.acked_at,
        "error": row.error_text,
        "tries": tries.count,
        "failing_since": tries.since,
        "next_try_at": tries.next_at,
    }


def _push(local: Local, remote: Remote) -> dict[str, Any] | None:
    push = local.last_push
    if push is None:
        return None
    return {
        "at": push.at,
        "call": f"{push.method} {push.path}",
        "status": push.status,
        "answer": push.answer,
        "milliseconds": push.milliseconds,
        "batch_id": push.batch_id,
        "batch_result": remote.batch_result,
        "error_class": push.error_class,
    }


def _compare(local: Local, remote: Remote) -> dict[str, Any]:
    if remote.error is not None:
        return {"error": remote.error, "present": None, "fields": []}
    ours = local.rendered.content if local.rendered else {}
    theirs = remote.article.content if remote.article else {}
    return {
        "error": None,
        "present": remote.article is not None,
        "last_updated": remote.article.last_updated if remote.article else None,
        "fields": [
            {
                "column": column,
                "ours": ours.get(column, ""),
                "aims": theirs.get(column, ""),
                "equal": ours.get(column, "") == theirs.get(column, ""),
            }
            for column in sorted({*ours, *theirs})
        ],
    }


def _label(fact: LabelFacts, local: Local, remote: Remote) -> dict[str, Any]:
    told = remote.labels.get(fact.label_code)
    wish = next((wish for wish in local.wishes if wish.label_code == fact.label_code), None)
    return {
        "label": fact.label_code,
        "status": fact.status,
        "article": fact.article,
        "linked_at_aims": _is_linked(fact, local),
        "linked_to": list(fact.linked_to) if fact.linked_to is not None else None,
        "image": fact.has_image or None,
        # AIMS was just asked; what the database noted may be older.
        "display": follow_display(wish.display, fact.update_status, was_resent=True).display
        if wish
        else None,
        "update_status": fact.update_status,
        "page": fact.shown_page,
        "desired_page": fact.page,
        "online": fact.is_online,
        "battery": told.battery if told else None,
        "signal": told.signal if told else None,
        "gateway": told.gateway if told else None,
        "error": fact.error,
    }


def _is_linked(fact: LabelFacts, local: Local) -> bool | None:
    """Tell whether AIMS has the label on the article that is explained; None when it did not tell."""
    return None if fact.linked_to is None else local.article_id in fact.linked_to
