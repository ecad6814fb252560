"""The form in which AIMS keeps what it takes: as it was sent, or altered by AIMS itself (contract 9.8)."""

import re
from collections.abc import Callable

from electis_cli.simulator.devices import Json

CUT_AT = 40
"""Characters that are left of a text that is cut."""
_NUMBER = re.compile(r"-?\d+")


def _with_decimals(value: str) -> str:
    return f"{value}.00" if _NUMBER.fullmatch(value) else value


def _with_single_blanks(value: str) -> str:
    return re.sub(r"\s+", " ", value)


def _cut(value: str) -> str:
    return value[:CUT_AT]


FORMS: dict[str, Callable[[str], str]] = {
    "as-sent": lambda value: value,
    "numbers": _with_decimals,
    "blanks": _with_single_blanks,
    "cut": _cut,
}
"""What becomes of a column's text."""


def as_stored(record: dict[str, Json], form: str, columns: set[str]) -> dict[str, Json]:
    """The record with these columns of its data in the form AIMS keeps them in; its name goes with them.

    But for numbers: a name is no number, so the name stays as it was sent beside the column that repeats it.
    """
    if form == "as-sent":
        return record
    alter = FORMS[form]
    data = {
        name: alter(value) if name in columns and isinstance(value, str) else value
        for name, value in record["data"].items()
    }
    name = record["articleName"]
    return record | {"articleName": name if form == "numbers" else alter(name), "data": data}
