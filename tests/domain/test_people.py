"""Who may sit where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from electis_cli.domain.errors import Conflict, PersonNotAssigned, SpaceTaken
from electis_cli.domain.people import Person, assign, unassign
from electis_cli.domain.spaces import Space

DANA = Person(id="1", store_id="st", external_id="P1")
NOA = Person(id="2", store_id="st", external_id="P2", assigned_space="4-2")
FREE = Space(id="s1", store_id="st", external_id="4-1")
TAKEN = Space(id="s2", store_id="st", external_id="4-2")


def test_seating_somebody_fills_one_article():
    assignment = assign(DANA, FREE, occupant=None)

    assert assignment.after == replace(DANA, assigned_space="4-1")
    assert assignment.touched == ["4-1"]


def test_seating_a_seated_person_moves_them_and_clears_before_it_fills():
    assert assign(NOA, FREE, occupant=None).touched == ["4-2", "4-1"]


def test_a_taken_space_is_refused_naming_who_sits_there():
    with pytest.raises(SpaceTaken) as caught:
        assign(DANA, TAKEN, occupant=NOA)

    assert "P2" in caught.value.why


def test_seating_somebody_where_they_sit_changes_nothing():
    assignment = assign(NOA, TAKEN, occupant=NOA)

    assert not assignment.is_change
    assert assignment.touched == []


def test_stores_are_not_mixed():
    with pytest.raises(Conflict):
        assign(DANA, replace(FREE, store_id="other"), occupant=None)


def test_moving_demands_a_space_to_move_from():
    with pytest.raises(PersonNotAssigned):
        assign(DANA, FREE, occupant=None, moving=True)


def test_unassigning_clears_one_article_and_the_second_time_nothing():
    assignment = unassign(NOA)

    assert assignment.touched == ["4-2"]
    assert not unassign(assignment.after).is_change
