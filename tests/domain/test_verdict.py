"""What is said of an article that is not synced yet; the other links are broken in the tests of the service."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from electis_cli.domain.label_verdict import LabelFacts
from electis_cli.domain.queue import Status
from electis_cli.domain.verdict import Chain, Tries, judge

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=30)
CHAIN = Chain(
    subject="space 4-117",
    article_id="4-117",
    noun="space",
    identifier="4-117",
    store="001",
    is_configured=True,
    has_format=True,
    is_enabled=True,
    is_restored=False,
    is_paused=False,
    paused_why=None,
    breaker="closed",
    breaker_reason=None,
    has_ledger_row=True,
    status=Status.SYNCING,
    error=None,
    tries=Tries(),
    has_worker=False,
    has_daemon=False,
    aims_error=None,
    is_listed=True,
    differing=(),
    is_known_value=False,
    is_settling=False,
    next_step=None,
    restore="",
    labels=(),
)
LABEL = LabelFacts(
    label_code="0A",
    store="001",
    in_database=True,
    article="4-117",
    acked_article="4-117",
    status=Status.SYNCED,
    error=None,
    page=None,
)
BUSY = "AIMS answered 503: Service Unavailable."
IDLE = "the next try is due, but no daemon is running"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"has_worker": True}, "The article 4-117 is being sent right now."),
        (
            {"has_worker": True, "error": BUSY, "tries": Tries(count=2, since=NOW)},
            f"The article 4-117 is being sent right now. AIMS did not take it before: {BUSY}",
        ),
        (
            {"has_worker": True, "error": BUSY, "tries": Tries(count=2, since=NOW, next_at=SOON)},
            (
                f"AIMS has not taken the article 4-117 yet: {BUSY} It was tried 2 times since 2026-11-03T09:00:00Z; "
                "the next try is at 2026-11-03T09:00:30Z."
            ),
        ),
        (
            {"error": "No answer within 20 s", "tries": Tries(count=1, since=NOW)},
            (
                "AIMS has not taken the article 4-117 yet: No answer within 20 s. It was tried once, at "
                f"2026-11-03T09:00:00Z; {IDLE}."
            ),
        ),
        (
            {"tries": Tries(count=1, since=NOW, next_at=SOON), "status": Status.PENDING},
            (
                "AIMS has not taken the article 4-117 yet: it gave no usable answer. It was tried once, at "
                "2026-11-03T09:00:00Z; the next try is at 2026-11-03T09:00:30Z."
            ),
        ),
        (
            {"tries": Tries(last_at=NOW)},
            (
                "Whoever sent the article 4-117 at 2026-11-03T09:00:00Z stopped before AIMS answered; "
                f"{IDLE}. It begins by reading what AIMS took."
            ),
        ),
        ({"status": Status.PENDING}, f"The change waits in the queue; {IDLE}."),
        (
            {"status": Status.PENDING, "has_worker": True},
            "The change waits in the queue; the next try is due.",
        ),
        (
            {"status": Status.PENDING, "has_daemon": True},
            "The change waits in the queue; the next try is due.",
        ),
        (
            {"status": Status.PENDING, "tries": Tries(next_at=SOON)},
            "The change waits in the queue; the next try is at 2026-11-03T09:00:30Z.",
        ),
    ],
    ids=[
        "sent",
        "sent again",
        "503",
        "no daemon",
        "no answer",
        "died",
        "waits",
        "its turn",
        "a daemon",
        "held back",
    ],
)
def test_why_an_article_is_not_synced_yet(changes, text):
    verdict = judge(replace(CHAIN, **changes))
    assert (verdict.link, verdict.text, verdict.fix) == ("queue", text, "electis queue drain")


def test_a_restored_database_is_the_first_thing_to_look_at():
    verdict = judge(
        replace(CHAIN, is_restored=True, is_paused=True, status=Status.SYNCED, differing=("TITLE",))
    )
    assert (verdict.link, verdict.fix) == ("store", "electis sync full --store 001")
    assert "restored from a backup" in verdict.text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, "Label 0A is not linked at AIMS yet."),
        ("AIMS answered 503.", "Label 0A is not linked at AIMS yet: AIMS answered 503."),
    ],
)
def test_why_a_label_is_not_linked_yet(error, text):
    label = replace(LABEL, status=Status.SYNCING, error=error, acked_article=None)
    verdict = judge(replace(CHAIN, status=Status.SYNCED, labels=[label]))
    assert (verdict.link, verdict.text) == ("labels", text)


AFTER_A_PUSH = replace(CHAIN, status=Status.SYNCED, is_settling=True)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"differing": ("TITLE",), "is_known_value": True},
            "AIMS took the last change but does not show it yet (TITLE); it may take two minutes.",
        ),
        ({"differing": ("TITLE",)}, "AIMS shows a value somebody wrote there in TITLE."),
        (
            {"is_listed": False},
            "AIMS took the article 4-117 just now but does not list it; it may take two minutes.",
        ),
        (
            {"is_listed": False, "is_settling": False},
            "AIMS took the article 4-117 but does not have it any more.",
        ),
    ],
    ids=["an older value", "a foreign value", "absent", "absent for long"],
)
def test_what_is_seen_soon_after_a_push_is_a_delay_only_when_it_was_ours(changes, text):
    assert judge(replace(AFTER_A_PUSH, **changes)).text == text
