"""Labels: codes, and the wish that a label shows an article on a page."""

from __future__ import annotations

import functools
import operator
import re

from electis_cli.domain.errors import InvalidInput

_CODE = re.compile(r"^(?:[0-9A-F]{12}|[0-9A-F]{14})$")


def normalize_label_code(text: str) -> str:
    """Return a label code as AIMS writes it: 12 or 14 upper-case hexadecimal digits, no colons (contract 4).

    Raises InvalidInput for anything else.
    """
    code = re.sub(r"[\s:.\-]", "", text).upper()
    if not _CODE.match(code):
        raise InvalidInput(
            f"{text!r} is not a label code.",
            why="It has 12 (rarely 14) hexadecimal digits, as printed on the label.",
        )
    return code


def has_valid_checksum(code: str) -> bool:
    """Tell whether the last digit is the XOR of all others (contract 4); only a hint, some codes break it."""
    digits = [int(digit, 16) for digit in code]
    return functools.reduce(operator.xor, digits[:-1]) == digits[-1]
