"""Exporting all rows of a noun, so that importing the file again changes nothing; and templates to fill in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from electis_cli.adapters.tables import wide_cells
from electis_cli.adapters.tables.signatures import Kind
from electis_cli.adapters.tables.table import Row
from electis_cli.adapters.tables.writing import open_writer
from electis_cli.adapters.whole_file import whole_file
from electis_cli.db import conferences, exporting, stores, users
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.bulk.export_templates import ABOUT_HEADER, About, template_columns
from electis_cli.domain.bulk.export_text import needs_care, read_records
from electis_cli.domain.bulk.exports import (
    Outline,
    choose,
    data_columns,
    outline_facts,
    outline_rooms,
    room_cells,
)
from electis_cli.domain.bulk.nouns import KEY, LABEL_COLUMNS, LABEL_KEY, SPACE, Fields, Noun, fields_of
from electis_cli.services.change import Reading, Scope, reading

if TYPE_CHECKING:
    from electis_cli.adapters.tables.writing_sheets import SheetFormat

_TEXT = {Kind.CSV: ",", Kind.TSV: "\t"}
_ABOUT_WIDTHS = (24, 32, 90)
_CHANGED = (
    "Rows changed while they were exported, so that the file may hold some as they were before and some as they are"
    " now; export again for one that fits together."
)

Cells = Mapping[str, str | None]
Rows = Callable[[], Generator[Any, None, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is to be exported, and how: `fields` are the only columns, in this order; `excel` see `open_writer`."""

    noun: Noun
    kind: Kind = Kind.CSV
    store: str | None = None
    fields: tuple[str, ...] | None = None
    excel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView:
    """What was exported: the store (None for users), how many rows, the columns, and what people should know."""

    store: str | None
    rows: int
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def export_rows(scope: Scope, job: Export, out: Path | BinaryIO) -> ExportView:
    """Write every row of a noun in one store, or every user, into a file (whole or not at all) or a stream.

    Values that an import would refuse are left out, and noted. Raises PermissionRefused, StoreNotFound, UsageProblem
    when it is not clear which store, or for a field that is not there, InvalidInput when the file can not be written.
    """
    with reading(scope, Action.READ_USERS if job.noun is Noun.USER else Action.READ) as read:
        organization = read.organization()
        place = None if job.noun is Noun.USER else read.store(job.store)
        few = _few_rows(read, job.noun, organization, place)
    with whole_file(out) if isinstance(out, Path) else contextlib.nullcontext(out) as file:
        if few is not None:
            outline, cells = few
            outline = choose(outline, job.fields)
            return _view(place, outline, _write_cells(file, job, outline, cells))
        assert place is not None
        return _Exporter(scope, job, organization, place, file).write()


def template_of(scope: Scope, noun: Noun) -> list[About]:
    """Return the columns that a file of a noun can have, the key first. Raises PermissionRefused."""
    with reading(scope) as read:
        organization = read.organization()
    known, mapping = organization.article_format, organization.mapping
    return template_columns(fields_of(noun, known, mapping), known, mapping)


def write_template(columns: Sequence[About], kind: Kind, out: Path | BinaryIO) -> None:
    """Write a header to fill in, into a file (whole or not at all) or a stream; a spreadsheet also says what is what.

    Raises InvalidInput when the file can not be written.
    """
    header = [column.column for column in columns]
    with whole_file(out) if isinstance(out, Path) else contextlib.nullcontext(out) as file:
        if kind is not Kind.XLSX:
            with open_writer(file, kind, header):
                return
        # Late: only who writes a spreadsheet pays for its library.
        from electis_cli.adapters.tables.writing_sheets import SheetFormat  # noqa: PLC0415

        form = SheetFormat(file, header)
        try:
            _add_about(form, columns)
            form.finish()
        finally:
            form.abandon()


class _Exporter:
    """Writes the rows of a noun that can be many."""

    def __init__(
        self, scope: Scope, job: Export, organization: Organization, place: Store, file: BinaryIO
    ) -> None:
        self._scope, self._job, self._place, self._file = scope, job, place, file
        self._prefix = organization.room_prefix
        self._fields = fields_of(job.noun, organization.article_format, organization.mapping)
        self._database = scope.runtime.database

    def write(self) -> ExportView:
        if self._database.is_sqlite:
            before = self._state()
            view = self._write_rows(self._pages)
            if self._state() != before:
                view = _view(
                    self._place, Outline(columns=view.columns, notes=(*view.notes, _CHANGED)), view.rows
                )
            return view
        return self._write_rows(self._stream)

    def _write_rows(self, rows: Rows) -> ExportView:
        if self._job.noun is Noun.LABEL:
            return self._write_labels(rows)
        outline = choose(self._outline_facts(rows), self._job.fields)
        if self._job.kind in _TEXT and len(outline.columns) > 1 and not self._database.is_sqlite:
            return _view(self._place, outline, self._pass_on(outline.columns))
        with contextlib.closing(rows()) as found:
            cells = (_fact_cells(self._job.noun, row) for row in found)
            return _view(self._place, outline, _write_cells(self._file, self._job, outline, cells))

    def _pass_on(self, columns: Sequence[str]) -> int:
        """Let the database write the rows, pass them on, and return how many there were."""
        job, place, delimiter, count = self._job, self._place, _TEXT[self._job.kind], 0
        with (
            contextlib.ExitStack() as at_the_end,
            self._database.read(self._scope.org_id) as uow,
            open_writer(self._file, job.kind, columns, excel=job.excel) as writer,
            contextlib.closing(
                exporting.text_of_rows(uow, job.noun, place.id, columns, delimiter=delimiter)
            ) as found,
        ):
            wide_cells.allow()
            at_the_end.callback(wide_cells.disallow)
            for records in found:
                count += len(records)
                block = b"".join(records)
                if job.excel or needs_care(block, delimiter):
                    writer.write_many(read_records(records, delimiter))
                else:
                    self._file.write(block)
        return count

    def _write_labels(self, rows: Rows) -> ExportView:
        outline = choose(Outline(columns=self._fields.known), self._job.fields)
        (article,) = LABEL_COLUMNS
        gone: list[str] = []

        def cells(found: Iterable[exporting.LabelRow]) -> Iterator[Cells]:
            for code, article_id, is_there in found:
                if is_there:
                    yield {LABEL_KEY: code, article: article_id}
                else:
                    gone.append(code)

        with contextlib.closing(rows()) as found:
            count = _write_cells(self._file, self._job, outline, cells(found))
        return _view(self._place, Outline(columns=outline.columns, notes=_labels_gone(gone)), count)

    def _outline_facts(self, rows: Rows) -> Outline:
        known = data_columns(self._fields)
        base = outline_facts(self._fields, ())
        if self._job.fields is not None and set(self._job.fields) <= set(base.columns):
            return base
        return outline_facts(self._fields, self._columns_beside(known, rows))

    def _columns_beside(self, known: Sequence[str], rows: Rows) -> set[str]:
        if not self._database.is_sqlite:
            with self._database.read(self._scope.org_id) as uow:
                return exporting.columns_beside(uow, self._job.noun, self._place.id, known)
        found = set(known)
        for _, data, _ in rows():
            if not data.keys() <= found:
                found.update(data)
        return found.difference(known)

    def _state(self) -> tuple[Any, ...]:
        with self._database.read(self._scope.org_id) as uow:
            return exporting.state_of_rows(uow, self._job.noun, self._place.id)

    def _pages(self) -> Generator[Any, None, None]:
        # On SQLite an unfinished reader keeps everybody else from committing, so that each page is read for itself.
        after: str | None = None
        while True:
            with self._database.read(self._scope.org_id) as uow:
                page = exporting.page_of_rows(
                    uow, self._job.noun, self._place.id, after=after, room_prefix=self._prefix
                )
            yield from page
            if len(page) < exporting.PAGE:
                return
            after = page[-1][0]

    def _stream(self) -> Generator[Any, None, None]:
        with self._database.read(self._scope.org_id) as uow:
            yield from exporting.stream_rows(uow, self._job.noun, self._place.id, room_prefix=self._prefix)


def _few_rows(
    read: Reading, noun: Noun, organization: Organization, place: Store | None
) -> tuple[Outline, Iterable[Cells]] | None:
    """Return the outline and the cells of a noun whose rows are few, None for the others."""
    fields: Fields = fields_of(noun, organization.article_format, organization.mapping)
    if noun is Noun.ROOM and place is not None:
        rooms = conferences.list_rooms(read.uow, [place.id])
        return outline_rooms(fields, rooms), [room_cells(room, organization.room_prefix) for room in rooms]
    if noun is Noun.USER:
        codes = {store.id: store.code for store in stores.list_stores(read.uow)}
        cells = [
            {
                "email": user.email,
                "role": user.role.value,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "store": codes.get(user.store_id or ""),
            }
            for user in users.list_users(read.uow)
        ]
        return Outline(columns=fields.known), cells
    return None


def _fact_cells(noun: Noun, row: exporting.FactRow) -> Cells:
    key, data, space = row
    # Put into the row's own data, which nobody else has: a million copies would take their time.
    data[KEY] = key
    if noun is Noun.PERSON:
        data[SPACE] = space
    return data


def _write_cells(file: BinaryIO, job: Export, outline: Outline, found: Iterable[Cells]) -> int:
    """Write rows that come as cells by field, and return how many there were."""
    columns, count = outline.columns, 0

    def rows() -> Iterator[Row]:
        nonlocal count
        for cells in found:
            count += 1
            yield list(map(cells.get, columns))

    with open_writer(file, job.kind, columns, excel=job.excel) as writer:
        writer.write_many(rows())
    return count


def _view(place: Store | None, outline: Outline, rows: int) -> ExportView:
    return ExportView(
        store=place.code if place else None, rows=rows, columns=outline.columns, notes=outline.notes
    )


def _labels_gone(codes: Sequence[str]) -> tuple[str, ...]:
    if not codes:
        return ()
    which = f"Label {codes[0]} is" if len(codes) == 1 else f"{len(codes)} labels ({codes[0]}, ...) are"
    return (f"{which} left out: what is linked there is no space and no conference room of this store.",)


def _add_about(form: SheetFormat, columns: Sequence[About]) -> None:
    """Add a second sheet that says what the columns are for; an import reads the first one."""
    book = form._book  # noqa: SLF001 (the writer of sheets knows one sheet; this is the only file with two)
    sheet = book.add_worksheet("about")
    bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@", "text_wrap": True})
    for place, width in enumerate(_ABOUT_WIDTHS):
        sheet.set_column(place, place, width, text)
    sheet.freeze_panes(1, 0)
    for line, row in enumerate([ABOUT_HEADER, *columns]):
        for place, cell in enumerate(row):
            sheet.write_string(line, place, cell, text if line else bold)
