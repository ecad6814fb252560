"""Why AIMS does not take what is wished of a label, and the command that mends it (contract 3.2)."""

from __future__ import annotations

import re
from enum import StrEnum

_BETWEEN_WORDS = re.compile(r"[\s_\-]+")
_MOST_PAGES = re.compile(r"MAX_PAGES\((\d)\)")


class Refusal(StrEnum):
    """What AIMS refused a label for."""

    WHITELIST = "whitelist"  # the store asks for a whitelist, and the label is not on it
    CODE = "code"  # no label has this code
    PAGE = "page"  # it has not that many pages
    QUOTA = "quota"  # the company has as many labels as it pays for
    OTHER = "other"


_WHY = {
    Refusal.WHITELIST: "The store has a whitelist, and this label is not on it.",
    Refusal.CODE: "The code is not one of a label: it was mistyped or misread.",
    Refusal.PAGE: "The label holds fewer pages.",
    Refusal.QUOTA: "The company has linked as many labels as its license allows.",
}


def refusal_of(text: str | None) -> Refusal:
    """Return what a refusal is about, by AIMS's own word; of the whitelist it speaks in any casing."""
    word = (text or "").upper()
    if is_about_whitelist(word):
        return Refusal.WHITELIST
    if "LABEL_CODE_" in word and "NOT_VALID" in word:
        return Refusal.CODE
    if "MAX_PAGES" in word:
        return Refusal.PAGE
    return Refusal.QUOTA if "QUOTA" in word else Refusal.OTHER


def is_about_whitelist(text: str | None) -> bool:
    """Tell whether a refusal says that a label is not on the whitelist."""
    return "whitelist" in _BETWEEN_WORDS.sub("", text or "").casefold()


def why_refused(refusal: Refusal) -> str:
    """Return what a refusal means, in a sentence; `""` for one that is not known."""
    return _WHY.get(refusal, "")


def fix_of_refusal(
    text: str | None, code: str, *, store: str, page: int | None = None, is_room: bool = False
) -> str:
    """Return the command that mends what AIMS refused of a label; `page` when it refused that page."""
    refusal, there = refusal_of(text), f" --store {store}"
    if refusal is Refusal.WHITELIST:
        return f"electis aims whitelist add {code}{there}"
    if refusal is Refusal.CODE:
        return f"electis label unlink {code}{there}"
    if page is not None:
        most = _MOST_PAGES.search((text or "").upper())
        force = " --force" if is_room else ""
        return f"electis label flip {code} {most[1] if most else 1}{there}{force}"
    return f"electis queue retry {code}{there}"
