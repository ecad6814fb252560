"""What an export holds: the fields that an import takes, and each row's cells as the import would read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from electis_cli.domain.articles import room_article_id, room_external_id
from electis_cli.domain.bulk.header import REJECT_COLUMNS
from electis_cli.domain.bulk.nouns import KEY, SPACE, Fields, Noun
from electis_cli.domain.bulk.spelling import Spellings
from electis_cli.domain.conference import Room
from electis_cli.domain.errors import UsageProblem

PARTICIPANTS = "participants"
_SEPARATOR = ";"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The columns of an export, in their order, and what has to be said of those that it does not have."""

    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()


def own_fields(noun: Noun) -> tuple[str, ...]:
    """Return the fields of a space or a person that are no columns of their data."""
    return (KEY, SPACE) if noun is Noun.PERSON else (KEY,)


def data_columns(fields: Fields) -> tuple[str, ...]:
    """Return the columns of the article format that an export of spaces or people always has."""
    own, spellings = own_fields(fields.noun), Spellings(fields)
    return tuple(name for name in fields.known if name not in own and _is_read_as_written(name, spellings))


def outline_facts(fields: Fields, others: Collection[str]) -> Outline:
    """Return the outline of an export of spaces or people; `others` are columns in use beside `data_columns`.

    A column that an import would refuse, or take for another one, is left out: the file must do nothing when it is
    imported again.
    """
    own, spellings = own_fields(fields.noun), Spellings(fields)
    taken = [name for name in sorted(others) if name not in own and _is_read_as_written(name, spellings)]
    left_out = sorted(set(others).difference(taken))
    return Outline(
        columns=(*own, *data_columns(fields), *taken),
        notes=tuple(_why_left_out(name, spellings, fields) for name in left_out),
    )


def outline_rooms(fields: Fields, rooms: Iterable[Room]) -> Outline:
    """Return the outline of an export of conference rooms.

    Participants are left out when somebody's name holds what stands between participants.
    """
    odd = [room.external_id for room in rooms if any(_SEPARATOR in name for name in room.participants)]
    if not odd:
        return Outline(columns=fields.known)
    note = (
        f"The column {PARTICIPANTS} is left out: a name in conference room {odd[0]} holds a semicolon, which stands"
        " between names."
    )
    return Outline(columns=tuple(name for name in fields.known if name != PARTICIPANTS), notes=(note,))


def choose(outline: Outline, wanted: Sequence[str] | None) -> Outline:
    """Return an outline of the wanted columns alone, in the wanted order. Raises UsageProblem for others."""
    if wanted is None:
        return outline
    for name in wanted:
        if name not in outline.columns:
            why = "The fields are: " + ", ".join(outline.columns) + "."
            raise UsageProblem(f"There is no field {name!r} to export.", why=why, fix="--fields A,B")
    return Outline(columns=tuple(dict.fromkeys(wanted)))


def room_cells(room: Room, prefix: str) -> Mapping[str, str | None]:
    """Return a conference room's cells by field; what no meeting has is absent."""
    identifier = room.external_id
    if room_external_id(identifier, prefix) != identifier:
        # An import takes the prefix off: an id that starts with it is written with one more.
        identifier = room_article_id(identifier, prefix)
    cells = {KEY: identifier, "room_name": room.room_name, "has_meeting": "yes" if room.has_meeting else "no"}
    if not room.has_meeting:
        return cells
    return {
        **cells,
        "meeting_name": room.meeting_name,
        "start_time": room.start_time,
        "end_time": room.end_time,
        PARTICIPANTS: _SEPARATOR.join(room.participants) or None,
    }


def _is_read_as_written(name: str, spellings: Spellings) -> bool:
    return name not in REJECT_COLUMNS and spellings.find(name) == (name,)


def _why_left_out(name: str, spellings: Spellings, fields: Fields) -> str:
    meant = spellings.find(name)
    if name in REJECT_COLUMNS:
        why = "an import passes over columns of that name, which its files of rejects have"
    elif name in own_fields(fields.noun) or (meant and meant != (name,)):
        why = f"an import would take it for {' or '.join(meant)}"
    elif fields.is_open:
        why = "that is no name of a column"
    else:
        why = "the article format does not have it, so that an import would refuse it"
    return f"The column {name} is left out: {why}."
