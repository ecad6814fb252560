"""Cells that start no formula in a spreadsheet, and the way back."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.bulk.neutral import (
    FORMULA_STARTS,
    PROTECTED,
    RESTORABLE_BYTES,
    neutralize,
    restore,
    shield,
)

STARTS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001
CELLS = st.text(alphabet=STARTS + "'01459.:/eE- דa", max_size=8) | st.text(max_size=30)


@pytest.mark.parametrize(
    ("cell", "neutral", "shielded"),
    [
        ("", "", ""),
        ("Dana", "Dana", "Dana"),
        ("'Dana", "'Dana", "'Dana"),
        ("'", "'", "'"),
        ("=1+1", "'=1+1", "=1+1"),
        ("'=1+1", "''=1+1", "''=1+1"),
        ("''=1+1", "'''=1+1", "'''=1+1"),
        ("-5", "'-5", "-5"),
        ("+972 3 555 0101", "'+972 3 555 0101", "+972 3 555 0101"),
        ("@here", "'@here", "@here"),
        ("\t=1", "'\t=1", "\t=1"),
        ("\r=1", "'\r=1", "\r=1"),
        ("\n=1", "'\n=1", "\n=1"),
        ("＝1", "'＝1", "＝1"),  # noqa: RUF001
        # What a spreadsheet would make a number or a date of.
        ("007", "'007", "007"),
        ("'007", "''007", "''007"),
        ("09:30", "'09:30", "09:30"),
        ("4-12", "'4-12", "4-12"),
        ("1/2", "'1/2", "1/2"),
        ("1.10", "'1.10", "1.10"),
        ("1E5", "'1E5", "1E5"),
        ("123456789012", "'123456789012", "123456789012"),
        # What stays what it is.
        ("0", "0", "0"),
        ("7", "7", "7"),
        ("12345678901", "12345678901", "12345678901"),
        ("10:30", "10:30", "10:30"),
        ("4-12a", "4-12a", "4-12a"),
        ("007 Bond", "007 Bond", "007 Bond"),
        ("a=1", "a=1", "a=1"),
        ("Levi-Cohen", "Levi-Cohen", "Levi-Cohen"),
    ],
)
def test_cells_a_spreadsheet_would_change_get_an_apostrophe_that_is_taken_off_again(cell, neutral, shielded):
    assert (neutralize(cell), shield(cell)) == (neutral, shielded)
    assert (restore(neutral), restore(shielded)) == (cell, cell)


def test_an_apostrophe_that_somebody_else_put_before_a_formula_or_a_number_is_taken_off():
    assert [restore(cell) for cell in ("'=1", "'007", "'Dana", "=1", "007")] == [
        "=1",
        "007",
        "'Dana",
        "=1",
        "007",
    ]


def test_ten_thousand_formulas_come_back_and_none_of_them_starts():
    chance = random.Random(5)
    signs = [*STARTS, *"'\"0123456789abcXYZ אב(),.!|:;", "=cmd|' /C calc'!A0", "HYPERLINK"]
    for _ in range(10_000):
        cell = chance.choice(STARTS) + "".join(chance.choices(signs, k=chance.randrange(12)))
        cell = "'" * chance.choice((0, 0, 0, 1, 2)) + cell
        neutral = neutralize(cell)
        assert neutral[0] not in FORMULA_STARTS
        assert restore(neutral) == cell
        assert restore(shield(cell)) == cell


@given(CELLS)
def test_any_cell_comes_back(cell):
    neutral = neutralize(cell)

    assert restore(neutral) == cell
    assert restore(shield(cell)) == cell
    assert not neutral or neutral[0] not in FORMULA_STARTS
    assert neutral in {cell, "'" + cell}
    assert shield(cell) in {cell, "'" + cell}


@given(CELLS)
def test_a_file_that_needs_restoring_is_told_by_its_bytes(cell):
    if restore(cell) != cell:
        assert RESTORABLE_BYTES.search(cell.encode(errors="replace"))


def test_the_pattern_is_one_that_postgresql_reads_the_same_way():
    """No look-behind, possessive or named group, which its regular expressions do not have."""
    assert not re.search(r"\(\?[^:!=]|\*\+|\+\+|\\Z", PROTECTED)
