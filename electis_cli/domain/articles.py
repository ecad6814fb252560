"""From a row to an article (design section 4): rendering, comparing and hashing."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import orjson

from electis_cli.domain.conference import Room
from electis_cli.domain.errors import InvalidInput, UnknownColumn
from electis_cli.domain.organizations import ArticleFormat, ColumnMapping
from electis_cli.domain.people import Person
from electis_cli.domain.spaces import Space

Content = Mapping[str, str]
"""The non-empty columns of an article: what two sides are compared by."""

ABSENT = "-"
"""The hash of an article that is not there."""

LONGEST_ID = 50
LONGEST_NFC_URL = 254  # contract 5.2
_NAME_KEY = "articleName"
_NFC_KEY = "nfcUrl"
_OWN_KEYS = frozenset({_NAME_KEY, _NFC_KEY})


class Article(NamedTuple):
    """An article as AIMS takes it; `data` carries every column of the format, empty ones as `""`."""

    article_id: str
    name: str
    nfc_url: str
    data: Mapping[str, str]


def clean_text(value: object) -> str:
    """Return a value as it is stored: text, NFC-normalized, trimmed. None is `""`; 0 and false are kept."""
    if type(value) is str and value.isascii():
        return value.strip()
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return unicodedata.normalize("NFC", text).strip()


def check_external_id(text: str, *, noun: str) -> str:
    """Return an external id as it is stored; raises InvalidInput when it can not be an article id.

    A comma is refused because AIMS takes lists of ids with commas between them (contract 5.1, `articleIdsList`).
    """
    identifier = clean_text(text)
    if not identifier:
        raise InvalidInput(f"The id of a {noun} can not be empty.")
    if len(identifier) > LONGEST_ID:
        raise InvalidInput(
            f"The id of a {noun} has at most {LONGEST_ID} characters; this one has {len(identifier)}."
        )
    if "," in identifier or any(unicodedata.category(character) == "Cc" for character in identifier):
        raise InvalidInput(f"The id {identifier!r} of a {noun} holds a comma or a control character.")
    return identifier


def check_column(column: str, article_format: ArticleFormat | None) -> str:
    """Return the column's name; raises UnknownColumn when the format lacks it. Keys starting with `_` are private."""
    if column.startswith("_") or article_format is None or column in article_format.content_columns:
        return column
    if column == article_format.store_column:
        raise UnknownColumn(f"The column {column} is filled by AIMS itself.", fix="electis aims format show")
    raise UnknownColumn(
        f"The article format has no column {column!r}.",
        why="Its columns are: " + ", ".join(article_format.content_columns) + ".",
    )


def merge_data(
    current: Mapping[str, str],
    changes: Mapping[str, object],
    article_format: ArticleFormat | None,
) -> dict[str, str]:
    """Return `current` with `changes` put on it: an empty value takes the key away; unknown columns are refused.

    Raises UnknownColumn, and InvalidInput for a value that AIMS would refuse or a label could not show.
    """
    merged = dict(current)
    for column, raw in changes.items():
        check_column(column, article_format)
        if article_format is not None and column == article_format.id_column:
            raise InvalidInput(f"The column {column} is the id itself and can not be set apart from it.")
        value = clean_text(raw)
        if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in value):
            raise InvalidInput(f"The value of {column} holds a control character.")
        if (
            article_format is not None
            and column == article_format.nfc_column
            and len(value) > LONGEST_NFC_URL
        ):
            raise InvalidInput(
                f"The value of {column} has {len(value)} characters; AIMS takes {LONGEST_NFC_URL}."
            )
        if value:
            merged[column] = value
        else:
            merged.pop(column, None)
    return merged


def _article(article_id: str, values: Mapping[str, str], article_format: ArticleFormat) -> Article:
    data = dict(article_format.empty_data)
    for column, value in values.items():
        if column in data:
            data[column] = clean_text(value)
    data[article_format.id_column] = article_id
    return Article(
        article_id=article_id,
        name=data.get(article_format.name_column, "") if article_format.name_column else "",
        nfc_url=data.get(article_format.nfc_column, "") if article_format.nfc_column else "",
        data=data,
    )


def render_space(
    article_id: str,
    space: Mapping[str, str],
    person: Mapping[str, str] | None,
    article_format: ArticleFormat,
    mapping: ColumnMapping,
) -> Article:
    """Return a space's article from its own data, and its person's over it when somebody sits there."""
    return _article(article_id, _values_of(space, person, mapping), article_format)


def _values_of(
    space: Mapping[str, str], person: Mapping[str, str] | None, mapping: ColumnMapping
) -> Mapping[str, str]:
    return space if person is None else {**mapping.defaults, **space, **person}


def render_room(room: Room, prefix: str, article_format: ArticleFormat, mapping: ColumnMapping) -> Article:
    """Return a conference room's article; its meeting columns are empty while it is free."""
    values: dict[str, str] = {}
    if article_format.name_column:
        values[article_format.name_column] = room.room_name
    if room.has_meeting:
        meeting = mapping.meeting
        if meeting.name:
            values[meeting.name] = room.meeting_name or ""
        if meeting.time and room.start_time and room.end_time:
            values[meeting.time] = f"{room.start_time} - {room.end_time}"
        if meeting.participants:
            values[meeting.participants] = ", ".join(room.participants)
    return _article(room_article_id(room.external_id, prefix), values, article_format)


def room_article_id(external_id: str, prefix: str) -> str:
    """Return the article id of the conference room with this external id."""
    return prefix + external_id


def room_external_id(given: str, prefix: str) -> str:
    """Return the external id a person meant: an id given with the prefix is accepted and stored without it."""
    return given[len(prefix) :] if given.startswith(prefix) and len(given) > len(prefix) else given


def content_of(
    name: str | None, nfc_url: str | None, data: Mapping[str, object], article_format: ArticleFormat
) -> dict[str, str]:
    """Return what an article (ours or AIMS's) is compared by: the non-empty columns of the format.

    AIMS's own name and NFC fields repeat mapped columns; only where they differ from them they are kept as columns of
    their own, so that an edit of one of the two is seen.
    """
    columns = article_format.empty_data
    content = {
        column: text
        for column, value in data.items()
        if value != "" and column in columns and value is not None and (text := clean_text(value))
    }
    for key, own, column in (
        (_NAME_KEY, clean_text(name), article_format.name_column),
        (_NFC_KEY, clean_text(nfc_url), article_format.nfc_column),
    ):
        if column is None or (shown := content.get(column, "")) == own:
            continue
        if shown != _quoted(own):
            if column in data:
                content[key] = own
            elif own:
                content[column] = own
    return content


def content_of_article(article: Article) -> dict[str, str]:
    """Return what an article we rendered is compared by: its name and NFC fields repeat columns, all is clean text."""
    return {column: value for column, value in article.data.items() if value}


def content_of_space(
    article_id: str,
    space: Mapping[str, str],
    person: Mapping[str, str] | None,
    article_format: ArticleFormat,
    mapping: ColumnMapping,
) -> dict[str, str]:
    """Return what the article of a space is compared by, from the data of both: `render_space` without the article."""
    columns = article_format.empty_data
    content = {
        column: text
        for column, value in _values_of(space, person, mapping).items()
        if column in columns and (text := clean_text(value))
    }
    content[article_format.id_column] = article_id
    return content


def undo_quoting(remote: Content, *ours: Content | None) -> dict[str, str]:
    """Return a remote content with CSV quotes taken off where they are all that differs from a value of ours.

    Values that AIMS loaded from files keep their outer quotes, with inner ones doubled and empty ones as `""` (Q16).
    """
    plain = dict(remote)
    if not any(value.startswith('"') for value in remote.values()):
        return plain
    for column, value in remote.items():
        own_values = {(content or {}).get(column, "") for content in ours}
        if value in own_values:
            continue  # a value of ours may have quotes of its own
        for own in own_values | {""}:
            if value == _quoted(own):
                plain[column] = own
    return {column: value for column, value in plain.items() if value or not remote[column]}


def _quoted(value: str) -> str:
    """Return a value as a CSV file holds it."""
    return '"' + value.replace('"', '""') + '"'


LEAST_CUT = 20
"""What AIMS cuts short is long: a shorter beginning of a value is somebody's edit."""


def looks_altered(ours: Content, theirs: Content) -> bool:
    """Tell whether `theirs` can be what AIMS itself made of `ours`: other blanks or quotes, a number, cut short."""
    differing = changed_columns(ours, theirs)
    # AIMS's own fields may keep what was sent while the columns they repeat were altered.
    sent = {ours.get(column, "") for column in differing} - {""}
    altered = [
        column for column in differing if column not in _OWN_KEYS or theirs.get(column, "") not in sent
    ]
    return bool(altered) and all(
        _is_form_of(ours.get(column, ""), theirs.get(column, "")) for column in altered
    )


def _is_form_of(own: str, shown: str) -> bool:
    if not own or not shown:
        return False
    if _bare(own) == _bare(shown):
        return True
    if own.startswith(shown) and len(shown) >= LEAST_CUT:
        return True
    try:
        return Decimal(own) == Decimal(shown)
    except InvalidOperation:
        return False


def _bare(value: str) -> str:
    return "".join(character for character in value if character not in "\"'" and not character.isspace())


def undo_echo(remote: Content, base: Content | None, echo: Content | None) -> dict[str, str]:
    """Return a remote content with the columns that AIMS itself put into another form as we agreed on them."""
    plain = dict(remote)
    if base is None or echo is None:
        return plain
    for column in changed_columns(base, echo):
        if plain.get(column, "") == echo.get(column, ""):
            if base.get(column, ""):
                plain[column] = base[column]
            else:
                plain.pop(column, None)
    return plain


def fold_own_fields(content: Content, article_format: ArticleFormat) -> dict[str, str]:
    """Return content with AIMS's own name and NFC fields put into their mapped columns, as a row can hold them."""
    folded = dict(content)
    for key, column in ((_NAME_KEY, article_format.name_column), (_NFC_KEY, article_format.nfc_column)):
        if key in folded:
            value = folded.pop(key)
            if column is not None:
                folded[column] = value
    return {column: value for column, value in folded.items() if value}


def data_to_take_in(article_id: str, content: Content, article_format: ArticleFormat) -> dict[str, str]:
    """Return what a space keeps of an article that others made; raises InvalidInput for an id or a value it refuses."""
    if check_external_id(article_id, noun="space") != article_id:
        raise InvalidInput(f"The id {article_id!r} would not be stored as AIMS has it.")
    values = {
        column: value
        for column, value in fold_own_fields(content, article_format).items()
        if column in article_format.content_columns and column != article_format.id_column
    }
    return merge_data({}, values, article_format)


def can_take_in(article_id: str, content: Content, article_format: ArticleFormat) -> bool:
    """Tell whether the database can hold an article that others made."""
    try:
        data_to_take_in(article_id, content, article_format)
    except InvalidInput:
        return False
    return True


def content_hash(content: Content | None) -> str:
    """Return a content's hash; None (no article) is `ABSENT`. Empty columns do not change it."""
    if content is None:
        return ABSENT
    filled = content
    if type(content) is not dict or not all(content.values()):
        filled = {key: value for key, value in content.items() if value}
    return hashlib.sha256(orjson.dumps(filled, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def changed_columns(left: Content | None, right: Content | None) -> list[str]:
    """Return the columns in which two contents differ, in order."""
    one, other = left or {}, right or {}
    return sorted(column for column in {*one, *other} if one.get(column, "") != other.get(column, ""))


def affected_by_person(before: Person | None, after: Person | None) -> set[str]:
    """Return the article ids that a change of a person touches: the spaces they sat and sit in."""
    spaces = {person.assigned_space for person in (before, after) if person and person.assigned_space}
    if before and after and before.assigned_space == after.assigned_space and before.data == after.data:
        return set()
    return {space for space in spaces if space}


def affected_by_spaces(changes: Iterable[tuple[Space | None, Space | None]]) -> set[str]:
    """Return the article ids that changes of spaces touch."""
    return {
        space.external_id
        for before, after in changes
        for space in (before, after)
        if space is not None and (before is None or after is None or before.data != after.data)
    }
