"""What a person may say about how a file is to be read and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from electis_cli.domain.errors import UsageProblem


class Mode(StrEnum):
    """What a file's rows may do: create and change, only one of the two, or be the whole truth."""

    UPSERT = "upsert"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How many rows may be wrong before nothing at all is done: `count` rows, or `share` of all rows read."""

    count: int | None = None
    share: float | None = None

    def allows(self, wrong: int, rows: int) -> bool:
        """Tell whether so many wrong rows out of `rows` are few enough."""
        if self.count is not None and wrong > self.count:
            return False
        return self.share is None or wrong <= self.share * rows


def parse_tolerance(text: str) -> Tolerance:
    """Return what `--max-errors` says: `20` or `5%`. Raises UsageProblem."""
    number = text.strip().removesuffix("%").strip()
    if not number.isascii() or not number.isdigit():
        raise UsageProblem(f"{text!r} is no number of errors.", fix="--max-errors 20, or --max-errors 5%")
    if text.strip().endswith("%"):
        if int(number) > 100:
            raise UsageProblem(f"{text!r} is more than everything.", fix="--max-errors 5%")
        return Tolerance(share=int(number) / 100)
    return Tolerance(count=int(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file of rows is imported.

    `renames` maps headers of the file to fields, `key` names the header of the key column. `constants` are set in
    every row, over what the file says; only rows with the `wanted` values are read, and `max_rows` of them at most.
    With `skip_errors` rows that are wrong are left out, as far as `tolerance` allows, else one of them stops it all.
    `batch` rows at most are written in one transaction, each batch for itself; None writes all in one.
    `unassign` lets a space go that somebody sits in; `max_deletes` replaces the brake's own limit.
    """

    mode: Mode = Mode.UPSERT
    renames: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    wanted: Mapping[str, str] = field(default_factory=dict)
    max_rows: int | None = None
    skip_errors: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)
    batch: int | None = None
    unassign: bool = False
    max_deletes: int | None = None

    def check(self) -> None:
        """Raise UsageProblem for what can not be wanted together."""
        if self.mode is Mode.REPLACE and self.batch is not None:
            raise UsageProblem(
                "A file that replaces everything is written at once.",
                fix="leave out --batch or --mode replace",
            )
        if self.mode is Mode.REPLACE and (self.wanted or self.max_rows is not None):
            raise UsageProblem(
                "A file of which only some rows are read can not replace everything.",
                why="Whatever is in none of these rows would be deleted.",
                fix="leave out --where and --max-rows, or --mode replace",
            )
        if self.mode is Mode.REPLACE and self.skip_errors:
            raise UsageProblem(
                "A file with wrong rows can not replace everything.",
                why="What a skipped row is about would be deleted.",
                fix="leave out --on-error skip, or --mode replace",
            )


MOST_DELETES_FLOOR = 10
MOST_DELETES_SHARE = 0.10


def brake_on_deletes(deleted: int, present: int, asked: int | None) -> str | None:
    """Return why so many deletions are too many, or None when they are not."""
    most = most_deletes(present, asked)
    if deleted <= most:
        return None
    return f"would delete {deleted} of {present}; at most {most} go without being told."


def most_deletes(present: int, asked: int | None) -> int:
    """Return how many rows a replacing import may delete without being told: the brake of full syncs (design 5.3)."""
    return asked if asked is not None else max(MOST_DELETES_FLOOR, int(present * MOST_DELETES_SHARE))
