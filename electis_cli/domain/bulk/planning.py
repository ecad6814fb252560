"""What a file's rows would make of rows that are few: conference rooms and label links, planned in memory.

Spaces and people are compared inside the database (`db.staged.comparing`). All use the rules of single writes, so that
both ways give the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from electis_cli.domain.articles import clean_text, room_article_id
from electis_cli.domain.bulk.cells import CellRow
from electis_cli.domain.bulk.changes import RowChange, label_change, room_change
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.bulk.problems import Findings
from electis_cli.domain.conference import Meeting, Room, default_room_name
from electis_cli.domain.errors import ArticleIdTaken, ElectisError, InvalidInput, InvalidTime, Problem
from electis_cli.domain.labels import normalize_label_code
from electis_cli.domain.rooms import check_room_id, clean_field, hold_meeting, name_room
from electis_cli.domain.timing import parse_time_of_day

_YES = frozenset({"yes", "y", "true", "t", "1", "on", "כן"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "", "לא"})
_MEETING = ("meeting_name", "start_time", "end_time", "participants")
_TIMES = ("start_time", "end_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """Where planners write down what is wrong with a row's cell; `places` are the file's columns (from 1) by field."""

    noun: Noun
    key: str
    places: Mapping[str, int]
    findings: Findings

    def add(self, line: int, name: str, code: str, message: str, hint: str = "") -> None:
        """Note a problem of one cell."""
        self.findings.add(
            Problem(
                code=code, message=message, line=line, column=self.places.get(name), field=name, hint=hint
            )
        )

    def error(self, line: int, name: str, error: ElectisError) -> None:
        """Note what a rule of the domain said about a cell."""
        self.findings.add_error(error, line, self.places.get(name), name)

    def twice(self, line: int, first: int, key: str) -> None:
        """Note that two rows are about the same thing: the first one stands."""
        self.add(
            line,
            self.key,
            "E-KEY-TWICE",
            f"Lines {first} and {line} are both about {self.noun} {key}; keep one of them.",
        )

    def seated_twice(self, line: int, first: int, space: str) -> None:
        """Note that two rows seat somebody in one space: the first one stands."""
        self.add(
            line,
            "space",
            "E-SPACE-TWICE",
            f"Lines {first} and {line} both seat somebody in space {space}; keep one of them.",
        )

    def there_already(self, line: int, key: str) -> None:
        """Note that a row that may only create is about something that is there."""
        self.add(
            line,
            self.key,
            "E-EXISTS",
            f"There is a {self.noun} {key} already; nothing is to be changed (--mode create).",
            "use --mode upsert to change it",
        )

    def not_there(self, line: int, key: str) -> None:
        """Note that a row that may only change is about something that is not there."""
        self.add(
            line,
            self.key,
            "E-UNKNOWN",
            f"There is no {self.noun} {key}; nothing is to be created here.",
            f"correct the id, or create the {self.noun} first",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What plans stand on: the store, the organization's room prefix, a source of ids, and what rows may do."""

    store_id: str
    room_prefix: str
    new_id: Callable[[], str]
    mode: Mode


def plan_rooms(
    rows: Iterable[CellRow],
    current: Mapping[str, Room],
    spaces: Collection[str],
    ground: Ground,
    notes: Notes,
) -> Iterator[RowChange | None]:
    """Yield what each good row of a file changes, None where it changes nothing; `spaces` are the store's ids.

    With `Mode.REPLACE` the deletions of all other rooms follow.
    """
    seen: set[str] = set()
    for key, row in _keyed(rows, notes, lambda given: check_room_id(given, ground.room_prefix)):
        seen.add(key)
        before = current.get(key)
        if not _may(ground.mode, before is not None, key, row.line, notes):
            continue
        article_id = room_article_id(key, ground.room_prefix)
        if before is None and article_id in spaces:
            taken = ArticleIdTaken(
                f"The article id {article_id} of conference room {key} is the id of a space."
            )
            notes.error(row.line, notes.key, taken)
            continue
        start = before or Room(
            id=ground.new_id(), store_id=ground.store_id, external_id=key, room_name=default_room_name(key)
        )
        after = _changed_room(start, row, notes)
        if after is not None:
            yield None if after == before else room_change(before, after)
    if ground.mode is Mode.REPLACE:
        yield from (room_change(room, None) for key, room in sorted(current.items()) if key not in seen)


def plan_labels(
    rows: Iterable[CellRow],
    current: Mapping[str, str | None],
    elsewhere: Mapping[str, str],
    article_ids: Collection[str],
    ground: Ground,
    notes: Notes,
) -> Iterator[RowChange | None]:
    """Yield what each good row of a file of label links changes, None where it changes nothing.

    `current` are the store's labels and the articles they are to show, `elsewhere` labels of other stores and those
    stores' codes, `article_ids` what there is to show. An empty article unlinks. With `Mode.REPLACE` all other labels
    of the store are unlinked.
    """
    seen: set[str] = set()
    for code, row in _keyed(rows, notes, normalize_label_code):
        seen.add(code)
        if code in elsewhere:
            message = f"Label {code} is linked in store {elsewhere[code]}."
            notes.add(row.line, notes.key, "E-CONFLICT", message, f"electis label unlink {code}")
            continue
        before = current.get(code)
        after = clean_text(row.cells["article"]) if "article" in row.cells else before or ""
        if before is None and "article" in row.cells and not after:
            yield None  # it shows nothing, as it is to
            continue
        if not _may(ground.mode, before is not None, code, row.line, notes):
            continue
        if after and after != before and after not in article_ids:
            message = f"There is no space and no conference room with the article id {after} in this store."
            hint = f"a conference room's article id starts with {ground.room_prefix}"
            notes.add(row.line, "article", "E-ARTICLE-NOT-FOUND", message, hint)
            continue
        yield None if (after or None) == before else label_change(code, before, after or None)
    if ground.mode is Mode.REPLACE:
        yield from (
            label_change(code, article, None)
            for code, article in sorted(current.items())
            if code not in seen and article is not None
        )


def _may(mode: Mode, is_there: bool, key: str, line: int, notes: Notes) -> bool:  # noqa: FBT001
    if mode is Mode.CREATE and is_there:
        notes.there_already(line, key)
        return False
    if mode is Mode.UPDATE and not is_there:
        notes.not_there(line, key)
        return False
    return True


def _keyed(
    rows: Iterable[CellRow], notes: Notes, check: Callable[[str], str]
) -> Iterator[tuple[str, CellRow]]:
    """Yield each row with its key as it is stored; of two rows for one key the first stands."""
    lines: dict[str, int] = {}
    for row in rows:
        try:
            key = check(row.key)
        except InvalidInput as error:
            notes.error(row.line, notes.key, error)
            continue
        if key in lines:
            notes.twice(row.line, lines[key], key)
            continue
        lines[key] = row.line
        yield key, row


def _changed_room(room: Room, row: CellRow, notes: Notes) -> Room | None:
    """Return a room as its row wants it, or None; what is wrong with the row is noted."""
    noted = len(notes.findings.problems)
    cells: dict[str, str] = {}
    for name, text in row.cells.items():
        try:
            cells[name] = clean_field(name, text)
            if name in _TIMES and cells[name]:
                parse_time_of_day(text)
        except InvalidInput as error:
            notes.error(row.line, name, error)
    turn_on = _wants_meeting(room, row, cells, notes)
    if len(notes.findings.problems) > noted:
        return None
    if "room_name" in cells:
        room = name_room(room, cells["room_name"])
    meeting = Meeting(
        name=cells.get("meeting_name"),
        start_time=cells.get("start_time"),
        end_time=cells.get("end_time"),
        participants=cells["participants"].split(";") if "participants" in cells else None,
    )
    try:
        return hold_meeting(room, turn_on=turn_on, meeting=meeting)
    except InvalidTime as error:
        name = next(
            name for name in ("end_time", "start_time", "has_meeting", notes.key) if name in notes.places
        )
        notes.error(row.line, name, error)
        return None


def _wants_meeting(room: Room, row: CellRow, cells: Mapping[str, str], notes: Notes) -> bool:
    """Return whether a row wants a meeting; without the column, a meeting's name, times or participants mean yes."""
    given = [name for name in _MEETING if cells.get(name)]
    if "has_meeting" not in cells:
        return room.has_meeting or bool(given)
    word = cells["has_meeting"].casefold()
    if word in _YES:
        return True
    if word not in _NO:
        notes.add(row.line, "has_meeting", "E-INPUT", f"{cells['has_meeting']!r} is neither yes nor no.")
        return True
    for name in given:
        notes.add(row.line, name, "E-INPUT", f"The row says that there is no meeting, but gives its {name}.")
    return False
