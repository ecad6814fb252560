"""The full sync's plan, row by row of the design's table, and what no plan may ever do (design 5.3).

The same table over every case of a small world is in test_planner_exhaustive.py, whole lives in test_planner_random.py.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from electis_cli.domain.articles import ABSENT, content_hash
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import State
from electis_cli.domain.reconcile import CHANGES, Step, make_plan
from tests.world.planned import NOW, SEEN, A, B, C, W, known, odd, row, subject, terms, tombstone


def plan_of(one, **changes):
    plan = make_plan([one], terms(**changes))
    (action,) = plan.actions
    return action


def step(ledger_row, local, remote, **changes):
    circumstances = {
        name: changes.pop(name)
        for name in ("strategy", "first_contact", "believe_at_once", "take_in")
        if name in changes
    }
    return plan_of(subject(ledger_row, local, remote, **changes), **circumstances).step


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


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.MERGE, Step.PUSH_AGAIN),
        (Strategy.DATABASE_WINS, Step.PUSH_AGAIN),
        (Strategy.AIMS_WINS, Step.REMOVE),
        (Strategy.MANUAL, Step.CONFLICT),
    ],
)
def test_an_article_deleted_at_aims_follows_the_strategy(strategy, expected):
    assert step(row(A, **SEEN), A, None, strategy=strategy) is expected


@pytest.mark.parametrize("strategy", Strategy)
def test_what_nobody_saw_since_we_sent_it_was_lost_and_not_deleted(strategy):
    unseen = {**SEEN, "last_seen_remote_at": None}
    seen_before = {**SEEN, "last_seen_remote_at": NOW - 4 * W}
    assert step(row(A, **unseen), A, None, strategy=strategy) is Step.PUSH_AGAIN
    assert step(row(A, **seen_before), A, None, strategy=strategy) is Step.PUSH_AGAIN


@pytest.mark.parametrize("strategy", Strategy)
def test_an_absence_that_a_late_deletion_of_ours_explains_is_nobodys_wish(strategy):
    # Deleted and made again within a week: a frozen daemon's late request may have taken it away.
    assert step(row(A, **SEEN), A, None, known={ABSENT}, strategy=strategy) is Step.PUSH_AGAIN


@pytest.mark.parametrize("strategy", Strategy)
def test_an_edit_whose_bump_was_forgotten_beats_a_remote_delete_too(strategy):
    assert step(row(A, **SEEN), B, None, strategy=strategy) is Step.PUSH_AGAIN


def test_no_hurry_shortens_the_wait_for_a_removal_or_a_question():
    for strategy in (Strategy.AIMS_WINS, Strategy.MANUAL):
        young = row(A, **{**SEEN, "missing_since": NOW - W / 2})
        assert step(young, A, None, strategy=strategy, believe_at_once=True) is Step.MISSING
    assert step(row(A), A, None, believe_at_once=True) is Step.PUSH_AGAIN


def test_what_nobody_wants_and_nobody_deleted_is_reported_and_never_pushed_again():
    assert step(row(A), None, A) is Step.REPORT
    assert step(row(A, **SEEN), None, None) is Step.IN_SYNC


# --- AIMS's own "last updated", and its own forms of our values -------------------------------------------------------


def test_an_unknown_value_is_believed_when_aims_says_that_it_was_written_since():
    assert step(row(A), A, B, is_fresh=True) is Step.ADOPT


def test_while_a_push_settles_what_aims_says_was_written_since_may_be_our_own_push():
    assert step(row(A, acked_at=NOW - W / 2), A, B, is_fresh=True) is Step.OBSERVE


LONG = {"TITLE": "Facility management,  second floor"}
FORM = {"TITLE": "Facility management, second floor"}


def test_what_aims_made_of_a_value_that_was_never_read_equal_is_an_echo():
    assert step(row(LONG, **odd(FORM)), LONG, FORM) is Step.ECHO


def test_what_was_read_equal_once_was_changed_by_somebody():
    assert step(row(LONG, **odd(FORM), read_equal_at=NOW - 2 * W), LONG, FORM) is Step.ADOPT


def test_an_edit_before_our_first_look_is_no_echo():
    assert step(row(LONG, **odd(B)), LONG, B) is Step.ADOPT


def test_after_two_rounds_of_echoes_a_person_must_look():
    action = plan_of(subject(row(LONG, **odd(FORM), echo_rounds=1), LONG, FORM))
    assert action.step is Step.ECHO
    action = plan_of(subject(row(LONG, **odd(FORM), echo_rounds=2), LONG, FORM))
    assert (action.step, action.columns) == (Step.HOLD, ("TITLE",))


@pytest.mark.parametrize("strategy", Strategy)
def test_an_echo_never_enters_the_database_and_never_stands_in_the_way_of_an_edit(strategy):
    local = {**LONG, "PHONE": "1"}
    for rounds in range(4):
        noted = {**odd(FORM), "echo_rounds": rounds}
        assert step(row(LONG, dirty=True, **noted), local, FORM, strategy=strategy) is Step.PENDING
        assert step(row(LONG, **noted), local, FORM, strategy=strategy) is Step.BUMP


# --- the rest of the table --------------------------------------------------------------------------------------------


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


def test_a_deleted_article_that_is_still_listed_while_its_deletion_settles_is_a_stale_read():
    assert step(tombstone(acked_at=NOW - W / 2), None, A, known=known(A)) is Step.SETTLING


def test_a_deleted_id_that_somebody_uses_anew_is_not_believed_before_the_window_is_over():
    assert step(tombstone(), None, C, known=known(A)) is Step.OBSERVE


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.MERGE, Step.REPORT),
        (Strategy.DATABASE_WINS, Step.DELETE_AGAIN),
        (Strategy.AIMS_WINS, Step.REPORT),
        (Strategy.MANUAL, Step.CONFLICT),
    ],
)
def test_a_deleted_id_that_somebody_uses_anew_follows_the_strategy(strategy, expected):
    assert step(tombstone(**odd(C)), None, C, known=known(A), strategy=strategy) is expected
    if expected is Step.REPORT:
        assert step(tombstone(**odd(C)), None, C, strategy=strategy, take_in=True) is Step.IMPORT


def test_an_article_nobody_here_made_is_reported_and_never_touched():
    assert step(None, None, A) is Step.REPORT


def test_an_article_nobody_here_made_is_taken_in_when_asked_for():
    assert step(None, None, A, take_in=True) is Step.IMPORT


def test_a_space_that_never_met_the_ledger_is_bumped():
    assert step(None, A, None) is Step.BUMP
    assert step(None, A, B) is Step.BUMP


@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize("remote", [None, A, B])
def test_a_space_that_the_ledger_still_takes_for_deleted_is_bumped_and_never_deleted(dirty, remote):
    assert step(tombstone(dirty=dirty), A, remote, known=known(B)) is Step.BUMP


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
                ledger_row = ledger_row._replace(base_hash=ABSENT)
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
            # Somebody else's value is deleted only where the database wins everything, and after the window.
            stayed = one.row.odd_hash == remote_hash and NOW - one.row.odd_since >= W
            assert remote_hash in one.known or (stayed and strategy is Strategy.DATABASE_WINS), told
        if action.step is Step.REMOVE:
            assert strategy is Strategy.AIMS_WINS, told
            assert one.remote is None, told
            assert NOW - one.row.missing_since >= W, told
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


def test_a_plan_reads_the_same_in_any_order_and_counts_every_article():
    many = [
        replace(one, article_id=f"{place:05}", row=one.row._replace(article_id=f"{place:05}"))
        for place, one in enumerate(CASES[::37])
    ]
    forward, backward = make_plan(many, terms()), make_plan(many[::-1], terms())
    assert forward == backward
    assert forward.digest == backward.digest
    assert sum(forward.counts.values()) == len(many)
    assert forward.writes == sum(1 for action in forward.actions if action.step in CHANGES)
