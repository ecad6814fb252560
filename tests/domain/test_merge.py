"""Who wins when both sides changed: per field, as a value (design 5.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.merge import resolve
from electis_cli.domain.organizations import Strategy

CONTENT = st.dictionaries(st.sampled_from("XYZ"), st.sampled_from("123"))


def put_together(local, outcome):
    """Return what the database holds after a resolution."""
    merged = {**local, **outcome.adopt}
    return {column: value for column, value in merged.items() if value}


def test_a_field_that_only_aims_changed_is_taken_over():
    outcome = resolve({"X": "1"}, {"X": "1"}, {"X": "2"}, Strategy.MERGE)
    assert (dict(outcome.adopt), outcome.push, outcome.undecided) == ({"X": "2"}, False, False)


def test_a_field_that_only_the_database_changed_is_pushed():
    outcome = resolve({"X": "1"}, {"X": "2"}, {"X": "1"}, Strategy.MERGE)
    assert (dict(outcome.adopt), outcome.push) == ({}, True)


def test_the_database_wins_a_field_that_both_changed():
    outcome = resolve({"X": "1"}, {"X": "2"}, {"X": "3"}, Strategy.MERGE)
    assert (dict(outcome.adopt), outcome.push) == ({}, True)


def test_edits_of_different_fields_both_survive():
    base, local, remote = {"X": "1", "Y": "1"}, {"X": "2", "Y": "1"}, {"X": "1", "Y": "3"}
    outcome = resolve(base, local, remote, Strategy.MERGE)
    assert (dict(outcome.adopt), outcome.push) == ({"Y": "3"}, True)


def test_a_field_that_aims_cleared_is_cleared_here():
    outcome = resolve({"X": "1"}, {"X": "1"}, {}, Strategy.MERGE)
    assert dict(outcome.adopt) == {"X": ""}


def test_without_a_common_past_the_database_wins_what_it_says_and_takes_what_it_does_not_say():
    outcome = resolve(None, {"X": "1"}, {"X": "2", "Y": "2"}, Strategy.MERGE)
    assert (dict(outcome.adopt), outcome.push) == ({"Y": "2"}, True)


def test_without_a_common_past_a_field_that_aims_lacks_is_pushed():
    outcome = resolve(None, {"X": "1", "Y": "1"}, {"X": "1"}, Strategy.MERGE)
    assert (dict(outcome.adopt), outcome.push) == ({}, True)


def test_a_space_that_says_nothing_takes_over_all_that_aims_shows():
    outcome = resolve(None, {}, {"X": "2", "Y": "2"}, Strategy.MERGE)
    assert (dict(outcome.adopt), outcome.push) == ({"X": "2", "Y": "2"}, False)


def test_the_database_wins_everything_when_told_so():
    outcome = resolve({"X": "1"}, {"X": "1"}, {"X": "2"}, Strategy.DATABASE_WINS)
    assert (dict(outcome.adopt), outcome.push) == ({}, True)


def test_aims_wins_everything_when_told_so():
    outcome = resolve({"X": "1"}, {"X": "2", "Y": "1"}, {"X": "3"}, Strategy.AIMS_WINS)
    assert (dict(outcome.adopt), outcome.push) == ({"X": "3", "Y": ""}, False)


def test_manual_changes_nothing_and_asks():
    outcome = resolve({"X": "1"}, {"X": "2"}, {"X": "3"}, Strategy.MANUAL)
    assert (dict(outcome.adopt), outcome.push, outcome.undecided) == ({}, False, True)


@given(base=st.none() | CONTENT, local=CONTENT, remote=CONTENT, strategy=st.sampled_from(Strategy))
def test_after_a_decision_the_two_sides_are_equal_or_the_database_is_pushed(base, local, remote, strategy):
    outcome = resolve(base, local, remote, strategy)
    if outcome.undecided:
        assert not outcome.adopt
        assert not outcome.push
        return
    merged = put_together(local, outcome)
    assert outcome.push == (merged != remote), "pushed exactly when AIMS does not show it yet"
    assert all(outcome.adopt[column] == remote.get(column, "") for column in outcome.adopt)


@given(base=st.none() | CONTENT, local=CONTENT, remote=CONTENT)
def test_a_merge_is_three_way_in_every_field(base, local, remote):
    merged = put_together(local, resolve(base, local, remote, Strategy.MERGE))
    for column in "XYZ":
        was, ours, theirs = (side.get(column, "") for side in (base or {}, local, remote))
        assert merged.get(column, "") == (theirs if ours == was else ours)


@given(base=st.none() | CONTENT, content=CONTENT)
@pytest.mark.parametrize("strategy", [one for one in Strategy if one is not Strategy.MANUAL])
def test_equal_sides_have_nothing_to_settle(strategy, base, content):
    outcome = resolve(base, content, content, strategy)
    assert (dict(outcome.adopt), outcome.push, outcome.undecided) == ({}, False, False)
