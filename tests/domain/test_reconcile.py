"""The full sync's plan, row by row of the design's table, and what no plan may ever do (design 5.3)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from electis_cli.domain.articles import ABSENT, content_hash
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import LedgerRow, State
from electis_cli.domain.reconcile import CHANGES, Step, Subject, Terms, make_plan

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
W = timedelta(seconds=120)
A, B, C = {"TITLE": "a"}, {"TITLE": "b"}, {"TITLE": "c"}


def row(base=A, *, dirty=False, **changes):
    values = {
        "article_id": "4-1", "desired_version": 5, "desired_seq": 1, "desired_deleted": False,
        "synced_version": 4 if dirty else 5, "base": base, "base_hash": content_hash(base) if base else None,
        "acked_at": NOW - 3 * W,
    }  # fmt: skip
    return LedgerRow(**{**values, **changes})


def tombstone(**changes):
    return row(None, desired_deleted=True, **{"base_hash": ABSENT, **changes})


def odd(content, age=W):
    return {"odd_hash": content_hash(content), "odd_since": NOW - age}


def subject(ledger_row, local, remote, **changes):
    article_id = changes.pop("article_id", "4-1")
    return Subject(article_id=article_id, row=ledger_row, local=local, remote=remote, **changes)


def terms(**changes):
    return Terms(**{"now": NOW, "settle": W, "strategy": Strategy.MERGE, **changes})


def plan_of(one, **changes):
    plan = make_plan([one], terms(**changes))
    (action,) = plan.actions
    return action


def step(ledger_row, local, remote, **changes):
    circumstances = {
        name: changes.pop(name)
        for name in ("strategy", "first_contact", "believe_at_once")
        if name in changes
    }
    return plan_of(subject(ledger_row, local, remote, **changes), **circumstances).step


def known(*contents):
    return frozenset(content_hash(content) for content in contents)


# --- the table, from the top ----------------------------------------------------------------------------------------


def test_remote_local_and_base_equal_is_in_sync():
    assert step(row(A), A, A) is Step.IN_SYNC


def test_a_clean_row_whose_database_moved_was_forgotten_and_is_bumped():
    assert step(row(A), B, A) is Step.BUMP


def test_a_dirty_row_whose_remote_is_the_base_is_a_push_on_its_way():
    assert step(row(A, dirty=True), B, A) is Step.PENDING


@pytest.mark.parametrize("state", [State.FAILED, State.HELD, State.CONFLICT])
def test_a_row_that_waits_for_a_person_is_not_bumped_behind_their_back(state):
    assert step(row(A, state=state), B, A) is Step.PENDING


@pytest.mark.parametrize("dirty", [False, True])
def test_a_remote_that_shows_what_we_want_becomes_the_base(dirty):
    assert step(row(A, dirty=dirty), B, B) is Step.AGREE


def test_a_value_we_once_pushed_is_a_stale_read_at_first():
    assert step(row(A), A, B, known=known(B)) is Step.SETTLING


def test_a_value_we_once_pushed_that_stays_is_drift_and_pushed_again():
    assert step(row(A, **odd(B)), A, B, known=known(B)) is Step.PUSH_AGAIN


@pytest.mark.parametrize("believe", ["first_contact", "believe_at_once"])
def test_a_stale_read_is_one_even_for_those_in_a_hurry(believe):
    assert step(row(A), A, B, known=known(B), **{believe: True}) is Step.SETTLING


def test_an_unknown_value_is_noted_when_first_seen():
    assert step(row(A), A, B) is Step.OBSERVE


def test_an_unknown_value_is_not_believed_before_the_window_is_over():
    assert step(row(A, **odd(B, W - timedelta(seconds=1))), A, B) is Step.OBSERVE


def test_an_unknown_value_that_changes_starts_its_window_anew():
    assert step(row(A, **odd(C)), A, B) is Step.OBSERVE


@pytest.mark.parametrize("believe", ["first_contact", "believe_at_once"])
def test_an_unknown_value_is_believed_at_once_on_first_contact_and_without_a_window(believe):
    assert step(row(A), A, B, **{believe: True}) is Step.ADOPT


def test_a_remote_edit_that_stayed_is_taken_into_the_database():
    action = plan_of(subject(row(A, **odd(B)), A, B))
    assert (action.step, dict(action.adopt), action.push) == (Step.ADOPT, {"TITLE": "b"}, False)
    assert action.columns == ("TITLE",)


def test_a_remote_edit_of_a_room_loses_against_the_database_by_default():
    action = plan_of(subject(row(A, **odd(B)), A, B, is_room=True))
    assert (action.step, action.push) == (Step.PUSH_AGAIN, True)


def test_a_remote_edit_of_a_room_follows_another_strategy():
    assert step(row(A, **odd(B)), A, B, is_room=True, strategy=Strategy.AIMS_WINS) is Step.ADOPT
    assert step(row(A, **odd(B)), A, B, is_room=True, strategy=Strategy.MANUAL) is Step.CONFLICT


@pytest.mark.parametrize(
    ("strategy", "expected", "push"),
    [
        (Strategy.MERGE, Step.PUSH_AGAIN, True),
        (Strategy.DATABASE_WINS, Step.PUSH_AGAIN, True),
        (Strategy.AIMS_WINS, Step.ADOPT, False),
        (Strategy.MANUAL, Step.CONFLICT, False),
    ],
)
def test_both_sides_changed_the_same_field_and_the_strategy_decides(strategy, expected, push):
    action = plan_of(subject(row(A, dirty=True, **odd(C)), B, C), strategy=strategy)
    assert (action.step, action.push) == (expected, push)


def test_both_sides_changed_different_fields_and_both_survive_a_merge():
    base = {"TITLE": "a", "PHONE": "1"}
    local, remote = {"TITLE": "b", "PHONE": "1"}, {"TITLE": "a", "PHONE": "2"}
    action = plan_of(subject(row(base, dirty=True, **odd(remote)), local, remote))
    assert (action.step, dict(action.adopt), action.push) == (Step.ADOPT, {"PHONE": "2"}, True)


def test_an_article_missing_once_is_only_noted():
    assert step(row(A), A, None) is Step.MISSING


def test_an_article_missing_in_two_listings_less_than_a_window_apart_is_not_believed_gone():
    assert step(row(A, missing_since=NOW - W / 2), A, None) is Step.MISSING


def test_an_article_missing_in_two_listings_a_window_apart_is_pushed_again():
    assert step(row(A, missing_since=NOW - W), A, None) is Step.PUSH_AGAIN


def test_an_article_never_there_with_a_clean_row_was_a_forgotten_bump():
    assert step(row(None), A, None) is Step.BUMP


def test_an_edit_beats_a_remote_delete():
    assert step(row(A, dirty=True, missing_since=NOW - W), B, None) is Step.PENDING


def test_a_deleted_article_that_is_gone_is_in_sync():
    assert step(tombstone(), None, None) is Step.IN_SYNC


def test_a_deleted_article_not_yet_deleted_at_aims_is_pending():
    assert step(tombstone(dirty=True), None, A) is Step.PENDING


def test_a_deleted_article_that_comes_back_with_a_value_of_ours_is_deleted_again():
    assert step(tombstone(), None, A, known=known(A)) is Step.DELETE_AGAIN


def test_a_deleted_id_that_somebody_uses_anew_is_reported():
    assert step(tombstone(), None, C, known=known(A)) is Step.REPORT


def test_an_article_nobody_here_made_is_reported_and_never_touched():
    assert step(None, None, A) is Step.REPORT


def test_a_space_that_never_met_the_ledger_is_bumped():
    assert step(None, A, None) is Step.BUMP
    assert step(None, A, B) is Step.BUMP


@pytest.mark.parametrize("local", [None, A, B])
@pytest.mark.parametrize("remote", [None, A, C])
def test_what_moved_or_flew_since_the_listing_began_is_left_for_the_next_run(local, remote):
    gone = local is None
    assert step(row(A, **odd(C), desired_deleted=gone), local, remote, was_moving=True) is Step.PENDING
    assert step(row(A, **odd(C), desired_deleted=gone, inflight_version=5), local, remote) is Step.PENDING


def test_a_conflict_that_waits_for_a_person_is_not_a_new_one_at_every_run():
    waiting = row(A, state=State.CONFLICT, dirty=True, **odd(C))
    plan = make_plan([subject(waiting, B, C)], terms(strategy=Strategy.MANUAL))
    assert plan.writes == 0


# --- every case of a small world ------------------------------------------------------------------------------------


def every_subject():
    contents = (None, A, B, C)
    odds = ({}, odd(A), odd(B), odd(C), odd(C, W / 2))
    for base, local, remote, dirty, deleted, one_odd, missing in itertools.product(
        contents, contents, contents, (False, True), (False, True), odds, (None, NOW - W)
    ):
        if deleted and local is not None:
            continue
        for state, flying, is_room, known_set in (
            (State.ACTIVE, None, False, ()),
            (State.ACTIVE, None, False, known(B)),
            (State.ACTIVE, None, True, known(C)),
            (State.ACTIVE, 5, False, known(B)),
            (State.CONFLICT, None, False, ()),
            (State.FAILED, None, False, known(B)),
        ):
            ledger_row = row(
                base,
                dirty=dirty,
                desired_deleted=deleted,
                missing_since=missing,
                state=state,
                inflight_version=flying,
                **one_odd,
            )
            if deleted and base is None and not dirty:
                ledger_row = replace(ledger_row, base_hash=ABSENT)
            yield subject(ledger_row, local, remote, is_room=is_room, known=known_set)


CASES = list(every_subject())


@pytest.mark.parametrize("strategy", Strategy)
def test_no_plan_breaks_a_promise(strategy):
    for one in CASES:
        action = plan_of(one, strategy=strategy)
        remote_hash = content_hash(one.remote)
        told = (one, action)
        if action.step is Step.DELETE_AGAIN:
            assert one.row.desired_deleted, told
            assert remote_hash in one.known, told
        if action.step is Step.ADOPT:
            assert one.local is not None, told
            assert remote_hash != one.row.base_hash, told
            assert remote_hash not in one.known, told
            assert one.row.odd_hash == remote_hash, told
            assert NOW - one.row.odd_since >= W, told
            assert all(one.remote.get(column, "") == value for column, value in action.adopt.items()), told
        if one.row.inflight_version is not None:
            assert action.step is Step.PENDING, told
        if one.row.state is not State.ACTIVE and one.local is not None and one.remote == one.row.base:
            assert action.step not in CHANGES, told
        # Somebody else's value is neither replaced nor believed before it has settled.
        foreign = one.remote is not None and remote_hash not in {
            one.row.base_hash, content_hash(one.local), *one.known,
        }  # fmt: skip
        settled = one.row.odd_hash == remote_hash and NOW - one.row.odd_since >= W
        if foreign and not settled:
            assert action.step not in CHANGES, told


@pytest.mark.parametrize("strategy", Strategy)
def test_nothing_to_do_plans_no_write(strategy):
    quiet = [
        subject(row(A), A, A, article_id="1"),
        subject(row(A, acked_at=NOW), A, A, article_id="2"),
        subject(tombstone(), None, None, article_id="3"),
        subject(None, None, C, article_id="4"),
        subject(row(A, state=State.HELD), A, A, article_id="5"),
    ]
    for flag in ({}, {"first_contact": True}, {"believe_at_once": True}):
        plan = make_plan(quiet, terms(strategy=strategy, **flag))
        assert plan.writes == 0
        assert plan.brakes == ()


def carried_out(one, action):
    """Return the subject as it is after its action was applied, and no push has happened yet."""
    ledger_row, local = one.row, one.local
    if action.step is Step.ADOPT:
        local = {column: value for column, value in {**one.local, **action.adopt}.items() if value}
    if action.step in {Step.AGREE, Step.ADOPT, Step.PUSH_AGAIN}:
        ledger_row = replace(
            ledger_row,
            base=one.remote,
            base_hash=content_hash(one.remote),
            odd_hash=None,
            odd_since=None,
            missing_since=None,
        )
    if action.step is Step.AGREE:
        ledger_row = replace(
            ledger_row, synced_version=ledger_row.desired_version, state=State.ACTIVE, missing_since=None
        )
    if action.step in {Step.BUMP, Step.PUSH_AGAIN, Step.DELETE_AGAIN} or action.push:
        ledger_row = replace(
            ledger_row, desired_version=ledger_row.desired_version + 1, state=State.ACTIVE, attempts=0
        )
    return replace(one, row=ledger_row, local=local)


@pytest.mark.parametrize("strategy", [one for one in Strategy if one is not Strategy.MANUAL])
def test_a_plan_carried_out_leaves_nothing_to_plan(strategy):
    for one in CASES:
        action = plan_of(one, strategy=strategy)
        again = plan_of(carried_out(one, action), strategy=strategy)
        assert again.step not in CHANGES, (one, action, again)


def test_a_plan_reads_the_same_in_any_order_and_counts_every_article():
    many = [
        replace(one, article_id=f"{place:05}", row=replace(one.row, article_id=f"{place:05}"))
        for place, one in enumerate(CASES[::37])
    ]
    forward, backward = make_plan(many, terms()), make_plan(many[::-1], terms())
    assert forward == backward
    assert forward.digest == backward.digest
    assert sum(forward.counts.values()) == len(many)
    assert forward.writes == sum(1 for action in forward.actions if action.step in CHANGES)


# --- the digest an approval is tied to ------------------------------------------------------------------------------


def test_an_approval_does_not_fit_a_plan_in_which_anything_moved():
    one = subject(row(A, **odd(B)), A, B)
    digest = make_plan([one], terms()).digest
    moved = subject(replace(one.row, desired_version=6, synced_version=6), A, B)
    other_value = subject(row(A, **odd(C)), A, C)
    more = subject(row(A), B, A, article_id="4-2")
    assert make_plan([moved], terms()).digest != digest
    assert make_plan([other_value], terms()).digest != digest
    assert make_plan([one, more], terms()).digest != digest


def test_an_approval_still_fits_when_only_quiet_articles_joined():
    one = subject(row(A, **odd(B)), A, B)
    quiet = subject(row(A), A, A, article_id="4-2")
    assert make_plan([one], terms()).digest == make_plan([one, quiet], terms()).digest


# --- brakes ---------------------------------------------------------------------------------------------------------


def many(count, make, first=0):
    return [make(f"{place:04}") for place in range(first, first + count)]


def in_sync(article_id):
    return subject(row(A, article_id=article_id), A, A, article_id=article_id)


def missing(article_id):
    return subject(row(A, article_id=article_id), A, None, article_id=article_id)


def forgotten(article_id):
    return subject(row(A, article_id=article_id), B, A, article_id=article_id)


def back_from_the_dead(article_id):
    return subject(tombstone(article_id=article_id), None, A, known=known(A), article_id=article_id)


def brakes(subjects, **changes):
    return {brake.name for brake in make_plan(subjects, terms(**changes)).brakes}


def test_ten_deletions_pass_and_eleven_hold_the_plan_of_a_small_store():
    assert brakes([*many(50, in_sync), *many(10, back_from_the_dead, 100)]) == set()
    assert brakes([*many(50, in_sync), *many(11, back_from_the_dead, 100)]) == {"deletions"}


def test_a_tenth_of_a_big_store_may_be_deleted_and_no_more():
    assert brakes([*many(300, in_sync), *many(30, back_from_the_dead, 500)]) == set()
    assert brakes([*many(300, in_sync), *many(31, back_from_the_dead, 500)]) == {"deletions"}


def test_an_empty_aims_holds_the_plan():
    assert brakes(many(40, missing)) == {"empty_remote"}


def test_an_empty_aims_holds_the_plan_although_one_article_is_just_being_edited():
    edited = subject(row(A, dirty=True, article_id="9999"), B, None, article_id="9999")
    assert "empty_remote" in brakes([*many(40, missing), edited])


def test_an_empty_database_holds_the_plan():
    emptied = many(
        40, lambda article_id: subject(row(A, article_id=article_id), None, A, article_id=article_id)
    )
    assert "empty_local" in brakes(emptied)


def test_overwriting_more_than_half_of_a_store_holds_the_plan():
    assert brakes([*many(50, in_sync), *many(50, forgotten, 100)]) == set()
    assert brakes([*many(49, in_sync), *many(51, forgotten, 100)]) == {"overwritten"}


def test_a_first_contact_knows_no_brakes_because_it_has_no_past():
    assert brakes(many(40, missing), first_contact=True) == set()
    assert brakes([]) == set()


def test_a_brake_says_how_much_and_how_much_would_have_been_fine():
    (brake,) = make_plan([*many(50, in_sync), *many(11, back_from_the_dead, 100)], terms()).brakes
    assert (brake.count, brake.limit) == (11, 10)
