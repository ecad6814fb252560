"""What a file's rows would make of the rows that are there: pure planners, one per noun.

They use the rules of single writes (`merge_data`, `assign`, `toggle` and so on), so that both give the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from electis_cli.domain import people as seating
from electis_cli.domain.articles import (
    affected_by_person,
    affected_by_spaces,
    check_external_id,
    clean_text,
    merge_data,
    room_article_id,
    room_external_id,
)
from electis_cli.domain.conference import Meeting, Room, default_room_name, desired_page
from electis_cli.domain.errors import (
    ArticleIdTaken,
    Conflict,
    ElectisError,
    InvalidInput,
    InvalidTime,
    SpaceNotFound,
)
from electis_cli.domain.imports import KEY, SPACE, Findings, Row, Table
from electis_cli.domain.organizations import ArticleFormat
from electis_cli.domain.people import Person
from electis_cli.domain.plans import Plan, RowChange
from electis_cli.domain.rooms import check_room_id, clean_field, hold_meeting, name_room
from electis_cli.domain.spaces import Space
from electis_cli.domain.timing import parse_time_of_day

_YES = frozenset({"yes", "y", "true", "t", "1", "on", "כן"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "", "לא"})
_MEETING = ("meeting_name", "start_time", "end_time", "participants")
_TIMES = ("start_time", "end_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every plan stands on: the store, the organization's format and room prefix, and a source of ids."""

    store_id: str
    article_format: ArticleFormat | None
    room_prefix: str
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notes:
    """Where the planners write down what is wrong with a row's cell."""

    table: Table
    findings: Findings

    def add(self, row: Row, name: str, code: str, message: str) -> None:
        self.findings.add(code, message, row.line, self.table.places[name], name)

    def error(self, row: Row, name: str, error: ElectisError) -> None:
        self.findings.add_error(error, row.line, self.table.places[name], name)


def plan_spaces(
    table: Table, current: Mapping[str, Space], rooms: Collection[str], ground: Ground, findings: Findings
) -> Plan:
    """Return what a file of spaces changes; `rooms` are the external ids of the store's conference rooms."""
    notes = _Notes(table=table, findings=findings)
    changes: list[RowChange] = []
    unchanged = 0
    for key, row in _keyed(notes, lambda given: check_external_id(given, noun="space")):
        before = current.get(key)
        room = room_external_id(key, ground.room_prefix)
        if before is None and room != key and room in rooms:
            taken = ArticleIdTaken(f"The space id {key} is the article id of conference room {room}.")
            notes.error(row, KEY, taken)
            continue
        data = _merged(row, row.cells, before.data if before else {}, ground, notes)
        after = (
            replace(before, data=data)
            if before
            else Space(id=ground.new_id(), store_id=ground.store_id, external_id=key, data=data)
        )
        if after == before:
            unchanged += 1
        else:
            changes.append(RowChange(before=before, after=after))
    articles = [
        article
        for change in changes
        if isinstance(change.after, Space) and (change.before is None or isinstance(change.before, Space))
        for article in affected_by_spaces([(change.before, change.after)])
    ]
    return Plan(
        store_id=ground.store_id, changes=tuple(changes), unchanged=unchanged, articles=tuple(articles)
    )


def plan_people(
    table: Table,
    current: Mapping[str, Person],
    spaces: Mapping[str, Space],
    ground: Ground,
    findings: Findings,
) -> Plan:
    """Return what a file of people changes; `spaces` are the store's, by external id.

    A space may change hands within the file; who is not in it keeps theirs.
    """
    notes = _Notes(table=table, findings=findings)
    rows = list(_keyed(notes, lambda given: check_external_id(given, noun="person")))
    wanted = _wanted_spaces(rows, spaces, notes) if SPACE in table.places else {}
    seated = {person.assigned_space: person for person in current.values() if person.assigned_space}
    changes: list[RowChange] = []
    unchanged = 0
    for key, row in rows:
        before = current.get(key)
        cells = {name: text for name, text in row.cells.items() if name != SPACE}
        data = _merged(row, cells, before.data if before else {}, ground, notes)
        after = (
            replace(before, data=data)
            if before
            else Person(id=ground.new_id(), store_id=ground.store_id, external_id=key, data=data)
        )
        if key in wanted:
            after = _seat(after, row, wanted, seated, notes)
        if after == before:
            unchanged += 1
        else:
            changes.append(RowChange(before=before, after=after))
    return Plan(
        store_id=ground.store_id,
        changes=tuple(changes),
        unchanged=unchanged,
        articles=_clears_before_fills(changes),
    )


def plan_rooms(
    table: Table, current: Mapping[str, Room], spaces: Collection[str], ground: Ground, findings: Findings
) -> Plan:
    """Return what a file of conference rooms changes; `spaces` are the external ids of the store's spaces."""
    notes = _Notes(table=table, findings=findings)
    changes: list[RowChange] = []
    unchanged = 0
    pages: dict[str, int] = {}
    for key, row in _keyed(notes, lambda given: check_room_id(given, ground.room_prefix)):
        before = current.get(key)
        article_id = room_article_id(key, ground.room_prefix)
        if before is None and article_id in spaces:
            taken = ArticleIdTaken(
                f"The article id {article_id} of conference room {key} is the id of a space."
            )
            notes.error(row, KEY, taken)
            continue
        start = before or Room(
            id=ground.new_id(), store_id=ground.store_id, external_id=key, room_name=default_room_name(key)
        )
        after = _changed_room(start, row, notes)
        if after == before:
            unchanged += 1
        else:
            changes.append(RowChange(before=before, after=after))
            pages[article_id] = desired_page(after)
    return Plan(
        store_id=ground.store_id,
        changes=tuple(changes),
        unchanged=unchanged,
        articles=tuple(pages),
        pages=pages,
    )


def _keyed(notes: _Notes, check: Callable[[str], str]) -> Iterator[tuple[str, Row]]:
    """Yield each row with its key as it is stored; of two rows for one key the first stands."""
    lines: dict[str, int] = {}
    for row in notes.table.rows:
        try:
            key = check(row.key)
        except InvalidInput as error:
            notes.error(row, KEY, error)
            continue
        if key in lines:
            about = f"Lines {lines[key]} and {row.line} are both about {notes.table.noun} {key}"
            notes.add(row, KEY, "E-KEY-TWICE", f"{about}; keep one of them.")
            continue
        lines[key] = row.line
        yield key, row


def _merged(
    row: Row, cells: Mapping[str, str], data: Mapping[str, str], ground: Ground, notes: _Notes
) -> dict[str, str]:
    try:
        return merge_data(data, cells, ground.article_format)
    except InvalidInput:
        # One cell or several are wrong: they are tried one by one, so that each is named.
        for name, text in cells.items():
            try:
                merge_data({}, {name: text}, ground.article_format)
            except InvalidInput as error:
                notes.error(row, name, error)
        return dict(data)


def _wanted_spaces(
    rows: list[tuple[str, Row]], spaces: Mapping[str, Space], notes: _Notes
) -> dict[str, Space | None]:
    """Return the space each person is to sit in (None: in none) as far as the file is right about it."""
    wanted: dict[str, Space | None] = {}
    lines: dict[str, int] = {}
    for key, row in rows:
        space_id = clean_text(row.cells[SPACE])
        wanted[key] = None
        if not space_id:
            continue
        if space_id not in spaces:
            notes.error(row, SPACE, SpaceNotFound(f"There is no space {space_id} in this store."))
        elif space_id in lines:
            both = f"Lines {lines[space_id]} and {row.line} both seat somebody in space {space_id}"
            notes.add(row, SPACE, "E-SPACE-TWICE", f"{both}; keep one of them.")
        else:
            lines[space_id] = row.line
            wanted[key] = spaces[space_id]
    return wanted


def _seat(
    person: Person,
    row: Row,
    wanted: Mapping[str, Space | None],
    seated: Mapping[str, Person],
    notes: _Notes,
) -> Person:
    space = wanted[person.external_id]
    if space is None:
        return seating.unassign(person).after
    occupant = seated.get(space.external_id)
    if occupant is not None and occupant.external_id in wanted:
        occupant = None  # the file says where they sit from now on
    try:
        return seating.assign(person, space, occupant=occupant).after
    except Conflict as error:
        notes.error(row, SPACE, error)
        return person


def _clears_before_fills(changes: list[RowChange]) -> tuple[str, ...]:
    """Return the articles that changes of people touch, those that end up free first, each once."""
    touched: dict[str, None] = {}
    filled: dict[str, None] = {}
    for change in changes:
        before, after = change.before, change.after
        if isinstance(after, Person) and (before is None or isinstance(before, Person)):
            touched.update(dict.fromkeys(sorted(affected_by_person(before, after))))
            if after.assigned_space:
                filled[after.assigned_space] = None
    cleared = [article for article in touched if article not in filled]
    return (*cleared, *(article for article in filled if article in touched))


def _changed_room(room: Room, row: Row, notes: _Notes) -> Room:
    """Return a room as its row wants it; what is wrong with the row is noted."""
    noted = len(notes.findings.problems)
    cells: dict[str, str] = {}
    for name, text in row.cells.items():
        try:
            cells[name] = clean_field(name, text)
            if name in _TIMES and cells[name]:
                parse_time_of_day(text)
        except InvalidInput as error:
            notes.error(row, name, error)
    turn_on = _wants_meeting(room, row, cells, notes)
    if len(notes.findings.problems) > noted:
        return room
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
            name for name in ("end_time", "start_time", "has_meeting", KEY) if name in notes.table.places
        )
        notes.error(row, name, error)
        return room


def _wants_meeting(room: Room, row: Row, cells: Mapping[str, str], notes: _Notes) -> bool:
    """Return whether a row wants a meeting; without the column, a meeting's name, times or participants mean yes."""
    given = [name for name in _MEETING if cells.get(name)]
    if "has_meeting" not in cells:
        return room.has_meeting or bool(given)
    word = cells["has_meeting"].casefold()
    if word in _YES:
        return True
    if word not in _NO:
        notes.add(row, "has_meeting", "E-INPUT", f"{cells['has_meeting']!r} is neither yes nor no.")
        return True
    for name in given:
        notes.add(row, name, "E-INPUT", f"The row says that there is no meeting, but gives its {name}.")
    return False
