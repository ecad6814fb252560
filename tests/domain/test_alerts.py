"""What an alert says to do, and what of it leaves the house."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from electis_cli.domain.alerts import Notice, fix_of, held_cause, held_text

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cause", "store", "fix"),
    [
        ("dead-letter:001:ITEM_NAME:TOO_LONG", "001", "electis queue dead list --store 001"),
        ("labels-timed-out:001", "001", "electis label resend --timeouts --store 001"),
        ("store-rejected:001", "001", "electis aims doctor --store 001"),
        ("another-writer:001", "001", "electis queue list --store 001"),
        ("aims:breaker", None, "electis aims doctor"),
        ("session:reuse:0192", None, "electis auth sessions"),
        ("something-new", "001", "electis queue status"),
        ("dead-letter:001:X", None, "electis queue status"),  # the store is deleted
    ],
)
def test_every_cause_has_a_command_to_begin_with(cause, store, fix):
    assert fix_of(cause, store, "Whatever happened. fix: electis space delete") == fix


def test_a_held_full_sync_names_the_command_that_lets_this_run_go_on():
    text = held_text("001", "deletions 12 of at most 10", "0192-ab")
    assert fix_of(held_cause("001"), "001", text) == "electis sync approve 0192-ab"


def test_a_notice_is_a_document_of_eight_plain_values():
    notice = Notice(
        cause="aims:breaker", text="Stopped.", organization="ACME", store=None, first=NOON, last=NOON, count=2
    )
    assert notice.document() == {
        "cause": "aims:breaker",
        "text": "Stopped.",
        "organization": "ACME",
        "store": None,
        "first": "2026-11-23T12:00:00Z",
        "last": "2026-11-23T12:00:00Z",
        "count": 2,
        "fix": "electis aims doctor",
    }
