"""The highest ledger number this machine has seen of each organization: a database below it was restored."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from electis_cli.adapters.whole_file import write_whole
from electis_cli.domain.errors import InvalidInput

_FILE = "watermarks.json"


class WatermarkFile:
    """Remembers, outside of the database, how far each organization's ledger had come."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._last: tuple[object, dict[str, int]] = (None, {})  # which file was read last, and what it said

    def highest(self, org_id: str) -> int:
        """Return the highest number noted of an organization; 0 when there is none, or the file is damaged."""
        return self._read().get(org_id, 0)

    def note(self, org_id: str, number: int) -> None:
        """Note a number unless a higher one is noted; what can not be written is not noted.

        Two processes that note at once may forget one of the two numbers; the next turn notes it again.
        """
        noted = self._read()
        if noted.get(org_id, 0) < number:
            with contextlib.suppress(InvalidInput, OSError):
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_whole(self._path, json.dumps({**noted, org_id: number}))

    def _read(self) -> dict[str, int]:
        # Every push asks, and most find the file that they found before: it is never changed, but replaced.
        try:
            found = self._path.stat()
            mark = (found.st_ino, found.st_mtime_ns, found.st_size)
            last, noted = self._last
            if mark != last:
                noted = _numbers(json.loads(self._path.read_text(encoding="utf-8")))
                self._last = (mark, noted)
        except (OSError, ValueError):
            return {}
        return noted


def _numbers(noted: object) -> dict[str, int]:
    if not isinstance(noted, dict):
        return {}
    return {name: number for name, number in noted.items() if isinstance(number, int)}
