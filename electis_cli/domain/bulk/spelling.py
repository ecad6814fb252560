"""How people spell the names of columns, and which field is meant."""

from __future__ import annotations

import difflib
import re
import unicodedata

from electis_cli.domain.bulk.nouns import Fields

# Byte order marks and the invisible marks that Hebrew spreadsheets put around text of the other direction.
_INVISIBLE = re.compile("[\ufeff\u200b\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_SEPARATORS = re.compile(r"[\s_-]+")
_PLAIN_NAME = re.compile(r"\w+")


def tidy(name: str) -> str:
    """Return a name as it looks: composed, without invisible marks, each run of blanks as one space."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", name)).split())


def squeeze(name: str) -> str:
    """Return a name as it is compared: also without case, blanks, underscores and hyphens."""
    return _SEPARATORS.sub("", tidy(name).casefold())


class Spellings:
    """All the names that a noun's fields go by."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._squeezed: dict[str, list[str]] = {}
        for name, field in [*((name, name) for name in fields.known), *fields.aliases.items()]:
            meant = self._squeezed.setdefault(squeeze(name), [])
            if field not in meant:
                meant.append(field)

    def find(self, name: str) -> tuple[str, ...]:
        """Return the field that a name means; none when nothing is called so, several when it is not clear."""
        name = tidy(name)
        if name in self._fields.known:
            return (name,)
        if name in self._fields.aliases:
            return (self._fields.aliases[name],)
        if self._fields.accepts_private and name.startswith("_"):
            return (name,)
        if meant := self._squeezed.get(squeeze(name)):
            return tuple(meant)
        return (name,) if self._fields.is_open and _PLAIN_NAME.fullmatch(name) else ()

    def nearest(self, name: str) -> str | None:
        """Return the field whose name is most like one that is unknown, if any is."""
        close = difflib.get_close_matches(squeeze(name), list(self._squeezed), n=1)
        return self._squeezed[close[0]][0] if close else None
