"""Which dialect an answer is written in: the words of contract 9.4, said for all operations or for a pattern."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any

CHOICES: dict[str, tuple[str, ...]] = {
    "wrap": ("envelope", "wrapped", "wrapped-rows", "data", "bare"),
    "code": ("200", "0000", "SUCCESS", "absent"),
    "message": ("SUCCESS", "OK"),
    "spelling": ("F", "A", "seen", "other"),
    "ids": ("text", "numeric"),
    "data": ("nested", "flat"),
    "empty": ("null", "missing", "text", "blank"),
    "labels": ("given", "omitted", "some"),
    "paging": ("on", "off", "mixed"),
    "nothing": ("204", "200"),
    "quoting": ("none", "csv"),
    "levels": ("words", "numbers"),
    "devices": ("usual", "odd"),
    "detail": ("usual", "odd", "none"),
    "stores": ("rows", "codes"),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How answers are written; a word left empty leaves that to AIMS's usual way."""

    wrap: str = ""
    """Where the payload is: beside the codes (`envelope`), in responseMessage, under `data`, or alone (`bare`).

    `wrapped-rows` puts the array of a list itself into responseMessage (Q1).
    """
    code: str = ""
    """The responseCode of success."""
    message: str = ""
    spelling: str = ""
    """F and A are the two descriptions' names (5.4, 5.5); `seen` and `other` are those clients met (Q11)."""
    ids: str = ""
    """`numeric`: article ids that are canonical numbers come as numbers (Q14)."""
    data: str = ""
    """`flat`: the columns beside the article's own fields (Q13)."""
    empty: str = ""
    """What stands for nothing: null, no name at all, empty text, or blanks around texts (Q15)."""
    labels: str = ""
    """`omitted`: no assignedLabel; `some`: only on every second row (Q17)."""
    paging: str = ""
    """The five headers: on, off, or in mixed case."""
    nothing: str = ""
    """The answer for nothing there: 204, or 200 without a body (Q4)."""
    quoting: str = ""
    """`csv`: columns come back with quotes around them (Q16)."""
    levels: str = ""
    """`numbers`: battery and signal as numbers, the state of a label as `status` (Q18)."""
    devices: str = ""
    """`odd`: a label type without measures, its flag in words (Q19)."""
    detail: str = ""
    """`odd`: a label's detail without an active page and with a page twice; `none`: without pages (Q20)."""
    stores: str = ""
    """`codes`: the list of stores holds codes (Q29)."""
    method: str = "*"
    path: str = "*"
    """A glob over the path below /api/v2/common."""

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            value = getattr(self, name)
            if value and value not in known:
                raise ValueError(f"{name}={value} is no dialect; known: {', '.join(known)}")

    def is_for(self, method: str, path: str) -> bool:
        """Whether an operation is meant."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is said, so that answers are written the usual way."""
        return not any(getattr(self, name) for name in CHOICES)


PLAIN = Dialect()


class Dialects:
    """The dialects in force; of several that say the same word for an operation, the last one counts."""

    def __init__(self, given: Iterable[Dialect] = ()) -> None:
        self._given = tuple(given)
        self._said = self._given
        self._found: dict[tuple[str, str], Dialect] = {}

    def set(self, dialect: Dialect | str, **words: str) -> None:
        """Put a dialect in force, in place of one for the same method and path."""
        if isinstance(dialect, str):
            dialect = dialect_from_text(dialect)
        dialect = replace(dialect, **words)
        scope = (dialect.method, dialect.path)
        kept = [one for one in self._said if (one.method, one.path) != scope]
        self._said = (*kept, dialect)
        self._found = {}

    def clear(self) -> None:
        """Back to those of the settings."""
        self._said = self._given
        self._found = {}

    def of(self, method: str, path: str) -> Dialect:
        """The dialect of an operation."""
        if not self._said:
            return PLAIN
        found = self._found.get((method, path))
        if found is None:
            words: dict[str, str] = {}
            for one in self._said:
                if one.is_for(method, path):
                    words |= {name: value for name in CHOICES if (value := getattr(one, name))}
            found = self._found[method, path] = Dialect(**words)
        return found

    def listing(self) -> list[dict[str, str]]:
        """What is said, for the control interface."""
        return [{name: value for name, value in asdict(one).items() if value} for one in self._said]


def dialect_from_text(text: str) -> Dialect:
    """A dialect from a command line: `wrap=wrapped,code=0000,path=/labels*`."""
    words: dict[str, Any] = {}
    for part in text.split(","):
        name, mark, value = part.partition("=")
        if not mark:
            raise ValueError(f"{part!r} is not name=value")
        words[name.strip()] = value.strip()
    return dialect_from_values(words)


def dialect_from_values(words: dict[str, Any]) -> Dialect:
    """A dialect from JSON; raises ValueError for a word it does not have."""
    known = {one.name for one in fields(Dialect)}
    unknown = sorted(set(words) - known)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no word of a dialect; known: {', '.join(sorted(known))}")
    return Dialect(**{name: str(value) for name, value in words.items()})
