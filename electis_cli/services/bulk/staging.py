"""From a file to staged rows: the header matched, every record checked, nothing of the whole file in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from electis_cli.adapters.tables.table import Record, Table
from electis_cli.db.organizations import Organization
from electis_cli.db.staged.tables import StagedTuple
from electis_cli.domain.articles import merge_data
from electis_cli.domain.bulk.cells import CellRow, RowReader, Selection, read_cells
from electis_cli.domain.bulk.header import Layout, find_header, match_header
from electis_cli.domain.bulk.nouns import SPACE, Fields, Noun, fields_of
from electis_cli.domain.bulk.options import ImportOptions, Mode
from electis_cli.domain.bulk.planning import Notes
from electis_cli.domain.bulk.problems import MOST_PROBLEMS, Findings
from electis_cli.domain.errors import ImportRejected, InvalidInput, Problem, UsageProblem
from electis_cli.domain.people import made_up_id
from electis_cli.services.bulk.doing import Progress

_OFTEN = 1000
_MOST_SKIPPED = 100_000
_LOOK_AHEAD = 5


@dataclass(slots=True, kw_only=True)
class Intake:
    """A file on its way into the stage: its rows, and what was found wrong with them."""

    table: Table
    options: ImportOptions
    fields: Fields
    layout: Layout
    findings: Findings
    notes: Notes
    progress: Progress
    wanted: Mapping[int, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    read: int = 0
    """How many records were read so far."""

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield the records that are to be imported, wherever the file says nothing against it."""
        selection = Selection(self.wanted) if self.wanted else None
        told = len(self.table.problems)
        records = self.table.records()
        for line, record in records:
            if len(self.table.problems) > told:
                for problem in self.table.problems[told:]:
                    self.findings.add(problem)
                told = len(self.table.problems)
                if line in self.findings.lines:
                    self.read += 1
                    continue
            if selection is not None and not selection.takes(record):
                continue
            if self.read == self.options.max_rows:
                break
            self.read += 1
            if self.read % _OFTEN == 0:
                self._tell()
            yield line, record
        self.progress("reading", self.read, self.read)

    def _tell(self) -> None:
        share = self.table.position()
        self.progress("reading", self.read, round(self.read / share) if share > 0 else None)

    def staged(self, organization: Organization, first_id: str) -> Iterator[StagedTuple]:
        """Yield the good rows of a file of spaces or people, each with an id for the case that it is new."""
        reader = RowReader(
            self.layout,
            self.fields,
            article_format=organization.article_format,
            constants=self.constants,
            findings=self.findings,
        )
        read, ids = reader.read, following_ids(first_id)
        for line, record in self.records():
            row = read(line, record)
            if row is not None:
                row_id = next(ids)
                yield line, row.key or made_up_id(row_id), row_id, row.patch, row.space

    def cells(self) -> Iterator[CellRow]:
        """Yield the rows of a file of a noun that is planned in memory."""
        for line, record in self.records():
            row = read_cells(self.layout, self.fields, self.constants, self.findings, line, record)
            if row is not None:
                yield row


def following_ids(first: str) -> Iterator[str]:
    """Yield ids that follow one another, after one that was drawn: a million need no million draws.

    They share its time and most of its chance, and count on in its last twelve digits.
    """
    start = int(first[24:], 16)
    head = first[:24]
    for number in range(start, start + (1 << 47)):
        yield f"{head}{number & 0xFFFFFFFFFFFF:012x}"


def open_intake(
    table: Table,
    noun: Noun,
    organization: Organization,
    options: ImportOptions,
    progress: Progress,
    *,
    only: tuple[str, ...] | None = None,
) -> Intake:
    """Return a file's intake, with its header understood; `only` names the fields that may be set.

    Raises ImportRejected for a header that is not right, UsageProblem for options that name what is not there.
    """
    findings = Findings(table.name, table.where, most=_MOST_SKIPPED if options.skip_errors else MOST_PROBLEMS)
    fields = fields_of(noun, organization.article_format, organization.mapping)
    if only is not None:
        fields = Fields(
            noun=noun,
            key=fields.key,
            known=tuple(name for name in fields.known if name in only),
            aliases={alias: name for alias, name in fields.aliases.items() if name in only},
        )
    layout = match_header(
        table.header, fields, renames=options.renames, key=options.key, line=table.header_line
    )
    constants = _constants(options.constants, fields, organization)
    # A list names who is meant, and may say more that does not matter here.
    problems = [one for one in layout.problems if only is None or one.code != "E-COLUMN-UNKNOWN"]
    makes_up_ids = noun is Noun.PERSON and options.mode is Mode.CREATE
    if not layout.has_key and not makes_up_ids and not problems:
        problems.append(_key_missing(table, fields))
    if problems:
        elsewhere = find_header(table.header, islice(table.records(), _LOOK_AHEAD), fields)
        for problem in [elsewhere] if elsewhere is not None else problems:
            findings.add(problem)
        findings.reject()
    places = {name: at + 1 for at, name in enumerate(layout.targets) if name is not None}
    return Intake(
        table=table,
        options=options,
        fields=fields,
        layout=layout,
        findings=findings,
        notes=Notes(noun=noun, key=fields.key, places=places, findings=findings),
        progress=progress,
        wanted=_wanted(options.wanted, table, layout, fields),
        constants=constants,
    )


def _key_missing(table: Table, fields: Fields) -> Problem:
    aliases = sorted(alias for alias, name in fields.aliases.items() if name == fields.key)
    others = f" (or {', '.join(aliases)})" if aliases else ""
    return Problem(
        code="E-COLUMN-MISSING",
        message=f"The header has no column {fields.key}{others}.",
        line=table.header_line,
        column=1,
        field=fields.key,
        hint="name the column that holds it with --key COLUMN",
    )


def _field_named(given: str, fields: Fields) -> str | None:
    """Return the field that a name of an option means, by the same spelling that a header may have."""
    return match_header([given], fields, renames={}, key=None).targets[0]


def _constants(given: Mapping[str, str], fields: Fields, organization: Organization) -> dict[str, str]:
    constants: dict[str, str] = {}
    for name, value in given.items():
        target = _field_named(name, fields)
        if target is None or target == fields.key:
            raise UsageProblem(
                f"{name!r} is no column that can be set in every row.",
                why="The columns are: " + ", ".join(one for one in fields.known if one != fields.key) + ".",
            )
        if target != SPACE and fields.noun in {Noun.SPACE, Noun.PERSON}:
            try:
                value = merge_data({}, {target: value}, organization.article_format).get(target, "")  # noqa: PLW2901
            except InvalidInput as error:
                raise UsageProblem(f"--set {name}: {error.message}", why=error.why) from error
        constants[target] = value
    return constants


def _wanted(given: Mapping[str, str], table: Table, layout: Layout, fields: Fields) -> dict[int, str]:
    wanted: dict[int, str] = {}
    plain = [name.strip().casefold() for name in table.header]
    for name, value in given.items():
        target = _field_named(name, fields)
        if target is not None and target in layout.targets:
            wanted[layout.targets.index(target)] = value
        elif name.strip().casefold() in plain:
            wanted[plain.index(name.strip().casefold())] = value
        else:
            raise UsageProblem(
                f"The file has no column {name!r} to choose rows by.",
                why="Its columns are: " + ", ".join(table.header) + ".",
            )
    return wanted


def refuse_too_many(intake: Intake) -> None:
    """Raise ImportRejected when rows are skipped, but more are wrong than a person wants to skip."""
    wrong, tolerance = len(intake.findings.lines), intake.options.tolerance
    if not tolerance.allows(wrong, intake.read):
        limit = f"{tolerance.count}" if tolerance.count is not None else f"{tolerance.share:.0%}"
        raise ImportRejected(
            f"{intake.table.name} has {wrong} wrong rows of {intake.read}; nothing was written.",
            why=f"At most {limit} may be left out (--max-errors).",
            fix="correct what is named above and import the file again",
            problems=intake.findings.in_order(),
            source=intake.table.name,
        )
