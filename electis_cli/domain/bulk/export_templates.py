"""What people read about the columns of a file that is theirs to fill in."""

from __future__ import annotations

from typing import NamedTuple

from electis_cli.domain.bulk.exports import data_columns, own_fields
from electis_cli.domain.bulk.nouns import KEY, SPACE, Fields, Noun
from electis_cli.domain.organizations import ArticleFormat, ColumnMapping

ABOUT_HEADER = ("column", "also called", "what it is for")
_MEANINGS = {
    Noun.SPACE: {KEY: "The space's id, as on its label; it decides which space the row is about."},
    Noun.PERSON: {
        KEY: "The person's id, such as a personnel number; it decides whom the row is about.",
        SPACE: "The id of the space where the person sits; empty: in none.",
    },
    Noun.ROOM: {
        KEY: "The room's id; it decides which room the row is about.",
        "room_name": "What the room is called; empty: Conference and its id.",
        "has_meeting": "yes while there is a meeting, no when the room is free.",
        "meeting_name": "What the meeting is called.",
        "start_time": "When it begins: hours and minutes, such as 09:30.",
        "end_time": "When it ends: hours and minutes, such as 10:15.",
        "participants": "Who takes part, with a semicolon between the names.",
    },
    Noun.LABEL: {
        "label": "The label's code, as printed on it: 12 (rarely 14) hexadecimal digits.",
        "article": "The id of the space that it shows, or of a conference room with its prefix; empty: nothing.",
    },
    Noun.USER: {
        "email": "The user's email address; it decides whom the row is about.",
        "role": "admin, manager or viewer.",
        "first_name": "The user's first name.",
        "last_name": "The user's last name.",
        "store": "The code of the only store that the user may see; empty: all stores.",
    },
}


class About(NamedTuple):
    """One column of a template: its name, what else an import knows it as, and what it is for."""

    column: str
    also_called: str
    meaning: str


def template_columns(
    fields: Fields, article_format: ArticleFormat | None, mapping: ColumnMapping
) -> list[About]:
    """Return the columns of a noun's template, the key first."""
    has_data = fields.noun in {Noun.SPACE, Noun.PERSON}
    names = (*own_fields(fields.noun), *data_columns(fields)) if has_data else fields.known
    return [
        About(
            name,
            ", ".join(alias for alias, field in fields.aliases.items() if field == name),
            _MEANINGS[fields.noun].get(name) or _meaning(name, article_format, mapping),
        )
        for name in names
    ]


def _meaning(column: str, article_format: ArticleFormat | None, mapping: ColumnMapping) -> str:
    meeting = {
        mapping.meeting.name: "a meeting's name",
        mapping.meeting.time: "a meeting's time",
        mapping.meeting.participants: "a meeting's participants",
    }
    if article_format is not None and column == article_format.name_column:
        return "A column of the article format: the name that AIMS shows for the article."
    if article_format is not None and column == article_format.nfc_column:
        return "A column of the article format: the address that a telephone opens at the label."
    if column in meeting:
        return (
            f"A column of the article format; on the labels of conference rooms it shows {meeting[column]}."
        )
    return "A column of the article format, shown where the label's template has it."
