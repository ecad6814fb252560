"""Labels: codes, and the wish that a label shows an article on a page."""

from __future__ import annotations

import functools
import operator
import re
from dataclasses import dataclass
from enum import StrEnum

from electis_cli.domain.errors import InvalidInput

_CODE = re.compile(r"^(?:[0-9A-F]{12}|[0-9A-F]{14})$")


class Display(StrEnum):
    """How far a label is with drawing what AIMS accepted."""

    UNKNOWN = "unknown"
    PROCESSING = "processing"  # AIMS accepted it; the label has not answered yet
    DISPLAYED = "displayed"
    TIMED_OUT = "timed_out"  # the label did not answer, also not after a resend


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayStep:
    """What a label's update status means: how it stands now, and whether AIMS must send once more."""

    display: Display
    resend: bool = False


def follow_display(current: Display, update_status: str | None, *, was_resent: bool) -> DisplayStep:
    """Return what AIMS's word about a label's update means (contract 5.5): a time-out is sent again once."""
    word = (update_status or "").upper()
    if word == "SUCCESS":
        return DisplayStep(display=Display.DISPLAYED)
    if word == "TIMEOUT":
        if was_resent:
            return DisplayStep(display=Display.TIMED_OUT)
        return DisplayStep(display=Display.PROCESSING, resend=True)
    if word == "PROCESSING":
        return DisplayStep(display=Display.PROCESSING)
    return DisplayStep(display=current)


def normalize_label_code(text: str) -> str:
    """Return a label code as AIMS writes it: 12 or 14 upper-case hexadecimal digits, no colons (contract 4).

    Raises InvalidInput for anything else.
    """
    code = re.sub(r"[\s:.\-]", "", text).upper()
    if not _CODE.fullmatch(code):
        raise InvalidInput(
            f"{text!r} is not a label code.",
            why="It has 12 (rarely 14) hexadecimal digits, as printed on the label.",
        )
    return code


def has_valid_checksum(code: str) -> bool:
    """Tell whether the last digit is the XOR of all others (contract 4); only a hint, some codes break it."""
    digits = [int(digit, 16) for digit in code]
    return functools.reduce(operator.xor, digits[:-1]) == digits[-1]
