"""The order of the suite: nothing is left out, and long tests come first in each worker's piece."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.world.order import long_ones_first


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 6))
def test_every_test_is_run_once_and_long_ones_begin_the_pieces(kinds, workers):
    tests = list(enumerate(kinds))
    ordered = long_ones_first(tests, lambda test: test[1], workers)
    assert sorted(ordered) == tests
    long = [test for test in tests if test[1]]
    if len(long) * workers > len(tests):
        return  # more long ones than there are beginnings
    begin, pieces = 0, []
    for worker in range(workers):
        length = (len(tests) - begin) // (workers - worker)
        pieces.append(ordered[begin : begin + length])
        begin += length
    for piece in pieces:
        kinds_in_order = [is_long for _, is_long in piece]
        assert kinds_in_order == sorted(kinds_in_order, reverse=True)
        assert abs(sum(kinds_in_order) - len(long) / workers) < 1
