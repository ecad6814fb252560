"""What changed between two looks at the queue."""

from __future__ import annotations

from electis_cli.domain.watching import Key, Seen, differences

A, B = Key("001", "article", "A"), Key("001", "label", "A")
PENDING, FAILED = Seen(status="pending"), Seen(status="failed", error="no")


def test_two_equal_looks_differ_in_nothing():
    assert differences({}, {}) == []
    assert differences({A: PENDING, B: FAILED}, {B: FAILED, A: PENDING}) == []


def test_what_came_moved_and_went_is_told_once_each():
    (came,) = differences({}, {A: PENDING})
    assert (came.key, came.before, came.after) == (A, None, PENDING)
    (moved,) = differences({A: PENDING, B: PENDING}, {A: FAILED, B: PENDING})
    assert (moved.key, moved.before, moved.after) == (A, PENDING, FAILED)
    (gone,) = differences({A: PENDING}, {})
    assert (gone.key, gone.before, gone.after) == (A, PENDING, None)


def test_another_error_is_a_change_too():
    (told,) = differences({A: FAILED}, {A: Seen(status="failed", error="still no")})
    assert told.after.error == "still no"


def test_what_is_there_comes_first_and_in_its_order():
    told = differences({A: PENDING}, {B: PENDING, Key("001", "article", "C"): PENDING})
    assert [one.key.id for one in told] == ["A", "C", "A"]
    assert told[-1].after is None
