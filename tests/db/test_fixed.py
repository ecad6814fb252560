"""Statements that are recognized by where they are made."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from electis_cli.db.fixed import fixed


def first():
    return sa.select(sa.literal(1, sa.Integer()) + sa.bindparam("more", type_=sa.Integer()))


def second():
    return sa.select(sa.literal(100, sa.Integer()) + sa.bindparam("more", type_=sa.Integer()))


def test_each_is_itself_however_often_and_in_which_order_they_are_asked(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        found = [
            uow.execute(fixed(make), {"more": more}).scalar_one()
            for make, more in ((first, 1), (second, 1), (first, 2), (second, 2), (first, 1))
        ]
    assert found == [2, 101, 3, 102, 2]


def test_one_that_depends_on_what_is_around_it_is_refused():
    def make(number):
        return fixed(lambda: sa.select(sa.literal(number)))

    with pytest.raises(TypeError, match="number"):
        make(1)
