"""Cells that a spreadsheet leaves as they are: no formula, no lost zero; and the exact way back.

One sign does all of it: an apostrophe in front. A spreadsheet that opens a CSV file shows `'=1+1` and `'007` as text,
never as a formula or the number 7, and saves them as they stand; people who know spreadsheets type the same sign to
the same end. (`="007"` would look nicer, and is a formula; a leading tab is on the list of what starts one.)

A cell is protected when, after any apostrophes it has of its own, it starts with a sign that begins a formula, or is
all digits and signs of numbers and dates and no plain whole number: `007`, `4-12` (the twelfth of April to Excel),
`1E5`, `1.10`, a 16-digit card number. Apostrophes of its own count because only so the way back is exact:

    neutralize   =1 -> '=1     '=1 -> ''=1     'Dana -> 'Dana
    restore      '=1 -> =1     ''=1 -> '=1     'Dana -> 'Dana

Whatever reads spreadsheets' files restores, so whatever writes them must at least `shield`: put the apostrophe before
those cells that restoring would change. A file by others that has `'=1` or `'007` in a cell is read as `=1` and `007`.
"""

from __future__ import annotations

import re

MARK = "'"
FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 (full-width forms start formulas too)
PROTECTED = (
    "^'*(?:[=+@\t\r\n＝＋－＠-]"  # noqa: RUF001
    "|0[0-9][0-9:.,/eE+ -]*$"
    "|(?![0-9]{1,11}$)[0-9][0-9.,/eE+ -]*$)"
)
"""A regular expression that the cells match that are protected; PostgreSQL understands it the same way."""

_PROTECTED = re.compile(PROTECTED.replace("$", r"\Z"))
_MAY_BE = FORMULA_STARTS | frozenset(MARK + "0123456789")
RESTORABLE_BYTES = re.compile(rb"'(?:['=+@\t\r\n0-9-]|\xef\xbc)")
"""What a file in UTF-8 or a one-byte encoding must hold somewhere when a cell of it can be restored."""


def neutralize(text: str) -> str:
    """Return a cell that starts no formula and keeps its digits in a spreadsheet; `restore` is its exact inverse."""
    return MARK + text if text and text[0] in _MAY_BE and _PROTECTED.match(text) else text


def restore(text: str) -> str:
    """Return what a cell was before it was neutralized or shielded."""
    return text[1:] if text and text[0] == MARK and _PROTECTED.match(text) else text


def shield(text: str) -> str:
    """Return a cell that `restore` turns into what it is now, and that is otherwise left alone."""
    return MARK + text if text and text[0] == MARK and _PROTECTED.match(text) else text
