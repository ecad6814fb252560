"""The queue's decisions: what to push, whose failure it was, and how batches shrink (design 5.1, 5.2)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import (
    KNOWN_FOR,
    MOST_KNOWN,
    MOST_OWN_FAILURES,
    LabelWish,
    LedgerRow,
    Push,
    State,
    Status,
    batch_limit,
    cut_batches,
    decide_push,
    judge_doubt,
    judge_rejection,
    known_hashes,
    status_of_row,
    status_of_wish,
    with_known,
    worst,
)

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
W = timedelta(seconds=120)
HASHES = (ABSENT, "a", "b", "c")


def row(**changes):
    values = {
        "article_id": "4-1", "desired_version": 2, "desired_seq": 1, "desired_deleted": False, "synced_version": 1,
    }  # fmt: skip
    return LedgerRow(**{**values, **changes})


def wish(**changes):
    values = {
        "label_code": "0123456789AB", "store_id": "S", "desired_article": "A", "acked_article": None,
        "desired_page": None, "acked_page": None, "version": 1, "synced_version": 0,
    }  # fmt: skip
    return LabelWish(**{**values, **changes})


def decide(ledger_row, local, remote, known=(), **options):
    return decide_push(
        ledger_row, local_hash=local, remote_hash=remote, known=frozenset(known), now=NOW, settle=W, **options
    )


def every_case():
    """Yield all of a small world: base, what flew, what AIMS shows, what is known, what was noted as odd."""
    odd = [(None, None), *((value, NOW - age) for value in ("b", "c") for age in (W / 2, W, W * 3))]
    known_sets = ((), ("b",), ("c",), ("b", "c"), (ABSENT,))
    for base, inflight, local, remote, known, (odd_hash, odd_since) in itertools.product(
        (None, ABSENT, "a", "b"), (None, "a", "c"), HASHES, HASHES, known_sets, odd
    ):
        ledger_row = row(
            base_hash=base,
            inflight_hash=inflight,
            odd_hash=odd_hash,
            odd_since=odd_since,
            desired_deleted=local == ABSENT,
        )
        yield ledger_row, local, remote, known, decide(ledger_row, local, remote, known)


def test_an_article_that_shows_what_we_want_is_never_sent():
    for ledger_row, local, remote, _, push in every_case():
        # But a deletion goes out while something of ours may be there that is not shown yet.
        is_hidden = local == ABSENT and ledger_row.inflight_hash is not None
        assert (push is Push.AGREE) == (local == remote and not is_hidden)


def test_a_deletion_right_after_a_push_is_sent_although_a_read_misses_the_article():
    pushed = row(base_hash="a", desired_deleted=True, acked_at=NOW - W / 2)
    assert decide(pushed, ABSENT, ABSENT) is Push.DELETE
    assert decide(pushed._replace(acked_at=NOW - W), ABSENT, ABSENT) is Push.AGREE


def test_only_absence_or_a_value_of_ours_is_ever_written_over():
    for ledger_row, _, remote, known, push in every_case():
        if push in {Push.CREATE, Push.UPDATE, Push.DELETE}:
            ours = {ABSENT, ledger_row.base_hash, ledger_row.inflight_hash, *known}
            assert remote in ours, (ledger_row, remote, known)


def test_somebody_elses_value_waits_for_the_window_and_no_longer():
    for ledger_row, local, remote, known, push in every_case():
        foreign = remote not in {ABSENT, local, ledger_row.base_hash, ledger_row.inflight_hash, *known}
        stayed = ledger_row.odd_hash == remote and NOW - (ledger_row.odd_since or NOW) >= W
        assert (push is Push.WAIT) == (foreign and not stayed)
        assert (push is Push.RESOLVE) == (foreign and stayed)


def test_a_tombstone_only_ever_deletes_and_nothing_else_does():
    for _, local, _, _, push in every_case():
        if push is Push.DELETE:
            assert local == ABSENT
        if local == ABSENT:
            assert push in {Push.AGREE, Push.DELETE, Push.WAIT, Push.RESOLVE}


def test_an_article_new_to_aims_is_created_and_one_with_a_base_is_updated():
    for ledger_row, _, remote, _, push in every_case():
        has_base = ledger_row.base_hash not in {None, ABSENT}
        if push is Push.CREATE:
            assert remote == ABSENT
            assert not has_base
        if push is Push.UPDATE:
            assert has_base or remote != ABSENT


def test_an_article_that_others_deleted_is_written_again_because_an_edit_beats_a_delete():
    # By an update: the read that missed it may be stale, and a creation would drop the columns that are not ours.
    assert decide(row(base_hash="a"), "b", ABSENT) is Push.UPDATE
    assert decide(row(base_hash=ABSENT), "b", ABSENT) is Push.CREATE
    assert decide(row(base_hash=None), "b", ABSENT) is Push.CREATE


def test_on_first_contact_what_aims_shows_is_met_at_once():
    assert decide(row(base_hash=None), "b", "x") is Push.WAIT
    assert decide(row(base_hash=None), "b", "x", believe_at_once=True) is Push.RESOLVE


def test_a_value_seen_odd_a_moment_ago_starts_over_when_it_changes():
    settled = row(base_hash="a", odd_hash="x", odd_since=NOW - W)
    assert decide(settled, "b", "x") is Push.RESOLVE
    assert decide(settled, "b", "y") is Push.WAIT


# --- failures -------------------------------------------------------------------------------------------------------


def doubt(subject, **changes):
    values = {
        "was_alone": True, "store_writes_since": True, "aims_is_well": True, "now": NOW, "fraction": 0.5,
    }  # fmt: skip
    return judge_doubt(subject, **{**values, **changes})


def after(subject, verdict):
    changes = {
        "state": verdict.state,
        "attempts": verdict.attempts,
        "doubts": verdict.doubts,
        "next_attempt_at": verdict.next_attempt_at,
    }
    return subject._replace(**changes) if isinstance(subject, LedgerRow) else replace(subject, **changes)


@pytest.mark.parametrize("subject", [row(), wish()], ids=["article", "label"])
def test_an_outage_of_any_length_is_nobodys_fault(subject):
    for number in range(500):
        verdict = doubt(subject, was_alone=bool(number % 2), store_writes_since=False, aims_is_well=False)
        subject = after(subject, verdict)
    assert (subject.state, subject.attempts, subject.doubts) == (State.ACTIVE, 0, 0)
    assert subject.next_attempt_at is None, "the row stays due: the store or the account waits"


@pytest.mark.parametrize("subject", [row(), wish()], ids=["article", "label"])
def test_the_eighth_failure_of_its_own_ends_a_row_and_none_before(subject):
    for number in range(1, MOST_OWN_FAILURES + 1):
        verdict = doubt(subject)
        assert verdict.is_dead == (number == 8), number
        assert verdict.attempts == number
        subject = after(subject, verdict)
    assert subject.state is State.FAILED
    assert subject.next_attempt_at is None


@given(
    alone=st.booleans(),
    others=st.booleans(),
    well=st.booleans(),
    attempts=st.integers(0, 7),
    fraction=st.floats(0, 1),
)
def test_a_failure_counts_only_alone_and_while_others_succeed(alone, others, well, attempts, fraction):
    verdict = doubt(
        row(attempts=attempts),
        was_alone=alone,
        store_writes_since=others,
        aims_is_well=well,
        fraction=fraction,
    )
    own = alone and others
    assert verdict.attempts == attempts + own
    assert verdict.doubts == int(well)
    assert verdict.is_dead == (verdict.attempts >= 8)
    if own and not verdict.is_dead:
        longest = min(timedelta(minutes=15), timedelta(seconds=2 * 4**verdict.attempts))
        wait = verdict.next_attempt_at - NOW
        assert timedelta(seconds=0.5) <= wait <= max(longest, timedelta(seconds=0.5))
    else:
        assert verdict.next_attempt_at is None


def test_a_row_that_aims_names_is_given_up_at_once():
    verdict = judge_rejection(row(attempts=2, doubts=3))
    assert (verdict.is_dead, verdict.attempts, verdict.doubts) == (True, 3, 3)
    assert verdict.next_attempt_at is None


# --- batches --------------------------------------------------------------------------------------------------------


def test_the_first_doubt_keeps_a_batch_whole_and_each_further_one_halves_it():
    assert [batch_limit(doubts, 500) for doubts in range(12)] == [
        500, 500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1,
    ]  # fmt: skip


@given(doubts=st.lists(st.integers(0, 14), max_size=60), size=st.integers(1, 40))
def test_batches_keep_the_order_lose_nothing_and_respect_every_row_in_them(doubts, size):
    rows = [row(article_id=str(place), doubts=count) for place, count in enumerate(doubts)]
    batches = cut_batches(rows, size)
    assert [item for batch in batches for item in batch] == rows
    for batch in batches:
        assert 1 <= len(batch) <= min(batch_limit(item.doubts, size) for item in batch)


@given(poison=st.integers(0, 499))
@settings(max_examples=40)
def test_a_poison_that_gets_no_answer_ends_up_alone_after_a_few_calls(poison):
    rows = [row(article_id=str(place)) for place in range(500)]
    calls = 0
    while calls < 20:
        calls += 1
        batch = next(
            batch for batch in cut_batches(rows, 500) if any(one.article_id == str(poison) for one in batch)
        )
        if len(batch) == 1:
            break
        doubted = {one.article_id for one in batch}
        rows = [one._replace(doubts=one.doubts + 1) if one.article_id in doubted else one for one in rows]
    assert calls <= 12
    assert len(batch) == 1


def test_a_doubted_row_does_not_slow_down_those_that_go_well():
    rows = [row(article_id="bad", doubts=20), *(row(article_id=str(place)) for place in range(100))]
    assert [len(batch) for batch in cut_batches(rows, 500)] == [1, 100]


# --- statuses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize("flying", [False, True])
def test_a_status_is_read_from_state_versions_and_flight(state, dirty, flying):
    status = status_of_row(
        row(state=state, synced_version=1 if dirty else 2, inflight_version=2 if flying else None)
    )
    if state is not State.ACTIVE:
        assert status.value == state.value
    elif not dirty:
        assert status is Status.SYNCED
    else:
        assert status is (Status.SYNCING if flying else Status.PENDING)


def test_the_worst_status_of_an_article_and_its_labels_is_shown():
    order = [Status.SYNCED, Status.PENDING, Status.SYNCING, Status.HELD, Status.CONFLICT, Status.FAILED]
    for better, worse in itertools.combinations(order, 2):
        assert worst([better, worse]) is worst([worse, better]) is worse
    assert worst([]) is Status.SYNCED


def test_a_wish_is_open_until_article_and_page_are_what_was_wished():
    for desired, acked, page, acked_page in itertools.product(
        (None, "A", "B"), (None, "A", "B"), (None, 1, 2), (None, 1, 2)
    ):
        one = wish(
            desired_article=desired, acked_article=acked, desired_page=page, acked_page=acked_page, version=1
        )
        fulfilled = desired == acked and (desired is None or page is None or page == acked_page)
        assert one.is_dirty == (not fulfilled)
        assert not (one.wants_link and one.wants_unlink)
        assert one.wants_unlink == (desired is None and acked is not None)
        assert (status_of_wish(one) is Status.SYNCED) == fulfilled


def test_a_label_that_shows_nothing_minds_no_page():
    assert not wish(desired_article=None, desired_page=2).is_dirty


# --- what is known as ours ------------------------------------------------------------------------------------------


def knowing(one, hashes, now):
    return one._replace(known=with_known(one, hashes, now))


def test_what_was_sent_is_known_for_a_week_since_it_was_last_sent():
    one = knowing(row(), ["old", "again", ABSENT], NOW)
    one = knowing(one, ["again"], NOW + timedelta(days=6))
    assert known_hashes(one, NOW + KNOWN_FOR) == {"old", "again", ABSENT}
    assert known_hashes(one, NOW + KNOWN_FOR + timedelta(seconds=1)) == {"again"}
    assert known_hashes(row(), NOW) == known_hashes(None, NOW) == frozenset()


def test_what_is_too_old_is_dropped_when_something_is_added():
    one = knowing(row(), ["old"], NOW)
    later = NOW + KNOWN_FOR + timedelta(seconds=1)
    assert with_known(one, ["new"], later) == f"new:{int(later.timestamp())}"


def test_at_most_fifty_contents_of_an_article_are_known_the_newest():
    one = row()
    for number in range(MOST_KNOWN + 5):
        one = knowing(one, [f"h{number}"], NOW + timedelta(seconds=number))
    assert known_hashes(one, NOW) == {f"h{number}" for number in range(5, MOST_KNOWN + 5)}


def test_what_was_agreed_on_until_now_is_made_known_however_old_and_an_agreed_absence_is_not():
    one = knowing(row(base_hash="base"), ["base"], NOW)
    one = knowing(one, ["next"], NOW + timedelta(days=6, hours=23))
    assert known_hashes(one, NOW + timedelta(days=13)) == {"base", "next"}
    assert known_hashes(knowing(row(base_hash=ABSENT), ["next"], NOW), NOW) == {"next"}
