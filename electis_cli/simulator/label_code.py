"""The shape of a label code (contract 4): hex digits whose last is the XOR of all others."""

from functools import reduce
from operator import xor

LENGTHS = (12, 14)
"""Twelve digits, rarely fourteen."""

_DIGITS = "0123456789ABCDEF"


def check_digit(body: str) -> str:
    """The digit that makes `body` a label code."""
    return _DIGITS[reduce(xor, (_DIGITS.index(digit) for digit in body), 0)]


def fault_of(code: str) -> str | None:
    """The 405 word for a code AIMS refuses (contract 3.2), or None when it is sound."""
    if len(code) not in LENGTHS:
        return "LABEL_CODE_LENGTH_IS_NOT_VALID"
    if any(digit not in _DIGITS for digit in code) or check_digit(code[:-1]) != code[-1]:
        return "LABEL_CODE_CHECKSUM_IS_NOT_VALID"
    return None
