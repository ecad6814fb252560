"""What a file can hold, and which fields its rows have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from electis_cli.domain.organizations import ArticleFormat, ColumnMapping

KEY = "external_id"
SPACE = "space"
ROOM_COLUMNS = ("room_name", "has_meeting", "meeting_name", "start_time", "end_time", "participants")
LABEL_KEY = "label"
LABEL_COLUMNS = ("article",)
USER_KEY = "email"
USER_COLUMNS = ("role", "first_name", "last_name", "store")


class Noun(StrEnum):
    """What a file holds; the word is the one that people read."""

    SPACE = "space"
    PERSON = "person"
    ROOM = "conference room"
    LABEL = "label"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields that rows of a noun have, and how else people write them.

    `known` are the fields' own names, the key first. `aliases` maps other spellings to them. With `is_open` the
    article format is not known yet, so that any plain name is taken for one of its columns; `accepts_private` takes
    names that start with `_`, which are kept and never shown on a label.
    """

    noun: Noun
    key: str
    known: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    accepts_private: bool = False
    is_open: bool = False


def fields_of(noun: Noun, article_format: ArticleFormat | None, mapping: ColumnMapping) -> Fields:
    """Return the fields of a noun in an organization: its article format's columns, and what people call them."""
    if noun is Noun.LABEL:
        aliases = {"label_code": LABEL_KEY, "article_id": "article", "space": "article"}
        return Fields(noun=noun, key=LABEL_KEY, known=(LABEL_KEY, *LABEL_COLUMNS), aliases=aliases)
    if noun is Noun.USER:
        return Fields(noun=noun, key=USER_KEY, known=(USER_KEY, *USER_COLUMNS))
    aliases = {"id": KEY}
    if article_format is not None:
        aliases[article_format.id_column] = KEY
    if noun is Noun.ROOM:
        return Fields(noun=noun, key=KEY, known=(KEY, *ROOM_COLUMNS), aliases={**aliases, "room": KEY})
    own = (KEY, SPACE) if noun is Noun.PERSON else (KEY,)
    if noun is Noun.PERSON:
        aliases["person"] = KEY
    columns = (
        [column for column in article_format.content_columns if column != article_format.id_column]
        if article_format is not None
        else []
    )
    for column in columns:
        for name in mapping.friendly_names.get(column, {}).values():
            if name and name not in own and name not in columns:
                aliases.setdefault(name, column)
    return Fields(
        noun=noun,
        key=KEY,
        known=(*own, *(column for column in columns if column not in own)),
        aliases=aliases,
        accepts_private=True,
        is_open=article_format is None,
    )
