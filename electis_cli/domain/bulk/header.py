"""A file's header: which field each of its columns is for, however people spell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from electis_cli.domain.bulk.nouns import Fields
from electis_cli.domain.bulk.spelling import Spellings, squeeze, tidy
from electis_cli.domain.errors import Problem

REJECT_COLUMNS = ("_line", "_column", "_code", "_message", "_hint")
"""What a reject file carries beside its original columns: ignored, so that it can be imported again as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What each column of a file is for.

    `targets` has a field for every place, or None for a column that is not read. `unnamed` are the places (from 0)
    without a name: they may be there as long as their cells are empty. `width` is how many cells a row has.
    `problems` is what is wrong with the header.
    """

    targets: tuple[str | None, ...]
    width: int
    unnamed: frozenset[int]
    has_key: bool
    problems: tuple[Problem, ...] = ()


def match_header(
    header: Sequence[str], fields: Fields, *, renames: Mapping[str, str], key: str | None, line: int = 1
) -> Layout:
    """Return what the columns of a header are for; `line` is where it stands, for what is wrong with it.

    `renames` maps headers of the file to fields (to nothing: not read), `key` is the header of the key column. A
    header without the key is no problem here: whether a file needs it, the caller knows.
    """
    spellings = Spellings(fields)
    problems: list[Problem] = []
    wanted = _read_renames(header, spellings, fields, renames, problems)
    wanted |= _read_key(header, spellings, fields, key, problems)
    targets: list[str | None] = []
    for place, name in enumerate(header, start=1):
        if squeeze(name) in wanted:
            target = wanted[squeeze(name)]
        elif not tidy(name) or tidy(name) in REJECT_COLUMNS:
            target = None
        else:
            target = _match(name, place, line, spellings, fields, problems)
        if target is not None and target in targets:
            first = targets.index(target)
            problems.append(
                Problem(
                    code="E-COLUMN-TWICE",
                    message=f"Column {place} ({tidy(name)}) repeats column {first + 1} ({tidy(header[first])}).",
                    line=line,
                    column=place,
                    field=target,
                    hint="rename one of them in the file"
                    if squeeze(name) == squeeze(header[first])
                    else f"leave one of them out, such as with --map '{tidy(name)}='",
                )
            )
            target = None
        targets.append(target)
    return Layout(
        targets=tuple(targets),
        width=len(targets),
        unnamed=frozenset(place for place, name in enumerate(header) if not tidy(name)),
        has_key=fields.key in targets,
        problems=tuple(problems),
    )


def _match(
    name: str, place: int, line: int, spellings: Spellings, fields: Fields, problems: list[Problem]
) -> str | None:
    meant = spellings.find(name)
    if len(meant) == 1:
        return meant[0]
    name = tidy(name)
    if meant:
        code, message = "E-COLUMN-AMBIGUOUS", f"{name!r} can be {' or '.join(meant)}."
        hint = f"say which with --map '{name}={meant[0]}'"
    elif fields.is_open:
        code, message = (
            "E-COLUMN-UNKNOWN",
            f"{name!r} is not a column name: it is made of letters, digits and _.",
        )
        hint = f"give it a name with --map '{name}=COLUMN'"
    else:
        code, message = "E-COLUMN-UNKNOWN", f"A {fields.noun} has no column {name!r}."
        near = spellings.nearest(name)
        known = f"its columns are {', '.join(fields.known)}; "
        hint = f"perhaps --map '{name}={near}'" if near else f"{known}say which with --map '{name}=COLUMN'"
        hint += f", or leave it out with --map '{name}='"
    problems.append(Problem(code=code, message=message, line=line, column=place, field=name, hint=hint))
    return None


def _read_renames(
    header: Sequence[str],
    spellings: Spellings,
    fields: Fields,
    renames: Mapping[str, str],
    problems: list[Problem],
) -> dict[str, str | None]:
    present = {squeeze(name) for name in header}
    wanted: dict[str, str | None] = {}
    for name, target in renames.items():
        meant = spellings.find(target)
        if squeeze(name) not in present:
            message, hint = f"The file has no column {name!r}.", _columns_of(header)
        elif target and not meant:
            message = f"A {fields.noun} has no column {target!r}."
            hint = f"its columns are {', '.join(fields.known)}"
        elif len(meant) > 1:
            message, hint = f"{target!r} can be {' or '.join(meant)}.", "write it as it is written here"
        else:
            wanted[squeeze(name)] = meant[0] if meant else None
            continue
        problems.append(Problem(code="E-MAP", message=message, field=name, hint=hint))
    return wanted


def _read_key(
    header: Sequence[str], spellings: Spellings, fields: Fields, key: str | None, problems: list[Problem]
) -> dict[str, str | None]:
    if key is None:
        return {}
    if any(squeeze(name) == squeeze(key) for name in header):
        return {squeeze(key): fields.key}
    # `--key external_id` is also right for a file that calls it otherwise.
    if spellings.find(key) != (fields.key,):
        message = f"The file has no column {key!r} to take the key from."
        problems.append(
            Problem(code="E-COLUMN-MISSING", message=message, field=key, hint=_columns_of(header))
        )
    return {}


def _columns_of(header: Sequence[str]) -> str:
    return "its columns are " + ", ".join(tidy(name) for name in header if tidy(name))


def looks_like_header(cells: Iterable[str | None], fields: Fields) -> int:
    """Return how many of a row's cells are names of fields."""
    # Whatever is a plain name would do for an open noun, so that every row of data looked like a header.
    spellings = Spellings(
        Fields(noun=fields.noun, key=fields.key, known=fields.known, aliases=fields.aliases)
    )
    return sum(1 for cell in cells if cell and spellings.find(cell))


def find_header(
    header: Sequence[str], following: Iterable[tuple[int, Sequence[str | None]]], fields: Fields
) -> Problem | None:
    """Return the problem that the header stands further down, among the first rows that follow; None if it does not."""
    best, found = looks_like_header(header, fields), None
    for line, cells in following:
        if (count := looks_like_header(cells, fields)) > best:
            best, found = count, line
    if found is None:
        return None
    return Problem(
        code="E-HEADER-LINE",
        message=f"The header seems to be in line {found}.",
        line=found,
        hint=f"add --skip-rows {found - 1}",
    )


def check_width(layout: Layout, record: Sequence[str | None]) -> Problem | None:
    """Return what is wrong with the number of a row's cells, if anything is; its line is for the caller to add.

    To be asked for rows that are not as wide as the layout, and for all when it has unnamed columns. Empty cells
    beyond the header do not matter; a missing cell does, because nobody knows which one it is.
    """
    width = layout.width
    beyond = [place for place in range(width, len(record)) if (record[place] or "").strip()]
    if len(record) < width or beyond:
        count = beyond[-1] + 1 if beyond else len(record)
        cells = "one cell" if count == 1 else f"{count} cells"
        return Problem(
            code="E-CELLS",
            message=f"The row has {cells}, the header has {width}.",
            column=beyond[0] + 1 if beyond else len(record) + 1,
            hint="give every row a cell for each column; quote a cell that holds the separator",
        )
    for place in sorted(layout.unnamed):
        if (record[place] or "").strip():
            return Problem(
                code="E-CELLS",
                message=f"Column {place + 1} has no name, but here it has a value.",
                column=place + 1,
                hint="give the column a name, or empty it",
            )
    return None
