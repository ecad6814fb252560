"""How spreadsheets name their cells."""

from __future__ import annotations


def column_letters(column: int) -> str:
    """Return the letters of a column that is counted from 1: A, Z, AA."""
    letters = ""
    while column > 0:
        column, place = divmod(column - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


def column_number(letters: str) -> int:
    """Return the number of a column, from 1, by its letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def cell_name(line: int, column: int) -> str:
    """Return a cell's name, such as C17."""
    return f"{column_letters(column)}{line}"


def range_name(first: tuple[int, int], last: tuple[int, int]) -> str:
    """Return a range's name, such as B1:D1, from the line and column of its first and last cell."""
    return f"{cell_name(*first)}:{cell_name(*last)}"
