"""The sign between the cells of a text file, told from its first lines."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

DELIMITERS = ",;\t|"
_MOST_LINES = 100
_MOST_CHARACTERS = 1 << 18


def first_lines(lines: Iterable[str]) -> list[str]:
    """Return as many of a file's first lines as it takes to tell its delimiter."""
    taken: list[str] = []
    size = 0
    for line in itertools.islice(lines, _MOST_LINES):
        taken.append(line)
        size += len(line)
        if size > _MOST_CHARACTERS:
            break
    return taken


def detect_delimiter(lines: Sequence[str]) -> str:
    """Return what separates the cells in lines of which the first is the header; a comma when nothing does.

    The right sign splits the header, and the rows after it into as many cells; a wrong one does so by chance only.
    """
    best, most = DELIMITERS[0], (False, 0.0, 1)
    for delimiter in DELIMITERS:
        widths = _widths(lines, delimiter)
        if not widths:
            continue
        splits_header = widths[0][1] > 1
        # A title above the header is one cell; then the other rows show how many there are.
        usual = Counter(filled for _, filled in widths).most_common(1)[0][0]
        expected = widths[0][1] if splits_header else usual
        alike = sum(1 for given, filled in widths if filled <= expected <= given) / len(widths)
        score = (splits_header, alike if expected > 1 else 0.0, expected)
        if score > most:
            best, most = delimiter, score
    return best


def _widths(lines: Sequence[str], delimiter: str) -> list[tuple[int, int]]:
    """Return how many cells each record has, and how many without the empty ones at its end."""
    widths = []
    try:
        for record in csv.reader(iter(lines), delimiter=delimiter):
            given = len(record)
            while record and not record[-1].strip():
                record.pop()
            if record:
                widths.append((given, len(record)))
    except csv.Error:
        pass
    # The lines end somewhere, and perhaps in the middle of a record.
    return widths[:-1] if len(widths) > 2 else widths
