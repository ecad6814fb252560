"""Organizations, stores and the article format their labels are made with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from electis_cli.domain.errors import InvalidInput

_ORG_CODE = re.compile(r"^[A-Z0-9]{3,20}$")
_STORE_CODE = re.compile(r"^[^\s,]{1,50}$")
_ROOM_PREFIX = re.compile(r"^[A-Za-z0-9_-]{1,5}$")
_NOT_IN_EMAIL = r"@\s,;:<>()\[\]\\\"\x00-\x1f\x7f"  # what would let one address be read as another
_EMAIL = re.compile(rf"^[^{_NOT_IN_EMAIL}]+@[^{_NOT_IN_EMAIL}]+\.[^{_NOT_IN_EMAIL}.]{{2,}}$")


class Strategy(StrEnum):
    """Who wins when the database and AIMS both changed (design 5.3)."""

    MERGE = "merge"
    DATABASE_WINS = "database-wins"
    AIMS_WINS = "aims-wins"
    MANUAL = "manual"


@dataclass(frozen=True, kw_only=True)
class ArticleFormat:
    """A company's article format: all columns, and which of them AIMS takes for its own four fields (contract 5.3)."""

    columns: tuple[str, ...]
    id_column: str
    name_column: str | None = None
    nfc_column: str | None = None
    store_column: str | None = None

    @cached_property  # asked for every cell of an import
    def content_columns(self) -> tuple[str, ...]:
        """The columns we fill: all but the store column, which AIMS fills itself."""
        return tuple(column for column in self.columns if column != self.store_column)

    @cached_property  # every article that is rendered begins as a copy of it
    def empty_data(self) -> Mapping[str, str]:
        """The columns we fill, in their order, all of them empty."""
        return dict.fromkeys(self.content_columns, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingColumns:
    """Which format columns show a conference room's meeting; None where the format has none."""

    name: str | None = None
    time: str | None = None
    participants: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """How our facts meet the format's columns: meeting columns, friendly names, constants of occupied spaces."""

    meeting: MeetingColumns = field(default_factory=MeetingColumns)
    friendly_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


def column_title(column: str, friendly_names: Mapping[str, Mapping[str, str]]) -> str:
    """Return a column as people read it: `ITEM_NAME (Name, שם)`, or its name alone where nobody calls it otherwise."""
    names = friendly_names.get(column, {})
    called = dict.fromkeys(
        names[language] for language in sorted(names) if names[language] not in {"", column}
    )
    return f"{column} ({', '.join(called)})" if called else column


def check_organization_code(code: str) -> str:
    """Return the code unchanged; raises InvalidInput unless it is 3 to 20 of `A-Z0-9`."""
    if not _ORG_CODE.fullmatch(code):
        raise InvalidInput(
            f"{code!r} is not an organization code.", why="It has 3 to 20 characters out of A-Z and 0-9."
        )
    return code


def check_store_code(code: str) -> str:
    """Return the code unchanged; leading zeros matter. Raises InvalidInput for blanks, commas and `MASTER`."""
    if not _STORE_CODE.fullmatch(code):
        raise InvalidInput(
            f"{code!r} is not a store code.", why="It has 1 to 50 characters, no blanks and no commas."
        )
    if code.upper() == "MASTER":
        raise InvalidInput(
            "A store can not be named MASTER.",
            why="AIMS copies what is sent to that name to every store of an area.",
        )
    return code


def check_room_prefix(prefix: str) -> str:
    """Return the prefix of conference rooms' article ids unchanged, or raise InvalidInput."""
    if not _ROOM_PREFIX.fullmatch(prefix):
        raise InvalidInput(f"{prefix!r} is not a room prefix.", why="It has 1 to 5 letters, digits, _ or -.")
    return prefix


def check_email(email: str) -> str:
    """Return an email address as it is stored: trimmed and casefolded. Raises InvalidInput when it is none."""
    folded = email.strip().casefold()
    if not _EMAIL.fullmatch(folded):
        raise InvalidInput(f"{email!r} is not an email address.", why="It looks like name@example.com.")
    return folded


def check_timezone(name: str, known: Sequence[str] | frozenset[str]) -> str:
    """Return the time zone's name unchanged; raises InvalidInput when it is not among the `known` ones."""
    if name not in known:
        raise InvalidInput(f"{name!r} is not a time zone.", why="It is a name such as Asia/Jerusalem or UTC.")
    return name


_MEETING_WORDS: dict[str, tuple[tuple[str, ...], ...]] = {
    # For each field the spellings seen in formats, most specific first; compared without case, blanks and signs.
    "name": (("MEETINGNAME", "MEETINGTITLE", "MEETINGSUBJECT"), ("MEETING", "SUBJECT")),
    "time": (("MEETINGTIME", "MEETINGHOURS"), ("MEETINGSCHEDULE",)),
    "participants": (("PARTICIPANTS", "MEETINGPARTICIPANTS", "ATTENDEES", "MEETINGATTENDEES"), ("INVITEES",)),
}


def propose_mapping(article_format: ArticleFormat) -> ColumnMapping:
    """Return the mapping a format suggests: meeting columns are recognized by their names."""
    squeezed = {
        re.sub(r"[^A-Z0-9]", "", column.upper()): column for column in reversed(article_format.columns)
    }
    found: dict[str, str | None] = {}
    for meaning, tiers in _MEETING_WORDS.items():
        spellings = [word for tier in tiers for word in tier]
        found[meaning] = next((squeezed[word] for word in spellings if word in squeezed), None)
    return ColumnMapping(meeting=MeetingColumns(**found))


def format_from_stored(stored: Mapping[str, Any]) -> ArticleFormat:
    """Return the article format from its stored form."""
    return ArticleFormat(
        columns=tuple(stored["columns"]),
        id_column=stored["id_column"],
        name_column=stored.get("name_column"),
        nfc_column=stored.get("nfc_column"),
        store_column=stored.get("store_column"),
    )


def format_to_stored(article_format: ArticleFormat) -> dict[str, Any]:
    """Return the stored form of an article format."""
    return {
        "columns": list(article_format.columns),
        "id_column": article_format.id_column,
        "name_column": article_format.name_column,
        "nfc_column": article_format.nfc_column,
        "store_column": article_format.store_column,
    }


def mapping_from_stored(stored: Mapping[str, Any] | None) -> ColumnMapping:
    """Return the column mapping from its stored form; nothing stored is an empty mapping."""
    if not stored:
        return ColumnMapping()
    return ColumnMapping(
        meeting=MeetingColumns(**stored.get("meeting", {})),
        friendly_names=stored.get("friendly_names", {}),
        defaults=stored.get("defaults", {}),
    )


def mapping_to_stored(mapping: ColumnMapping) -> dict[str, Any]:
    """Return the stored form of a column mapping."""
    return {
        "meeting": {
            "name": mapping.meeting.name,
            "time": mapping.meeting.time,
            "participants": mapping.meeting.participants,
        },
        "friendly_names": {column: dict(names) for column, names in mapping.friendly_names.items()},
        "defaults": dict(mapping.defaults),
    }
