"""Reading one open file from several places at once."""

from __future__ import annotations

import io
import os
from typing import BinaryIO

_BUFFER = 1 << 17


class Portion(io.RawIOBase):
    """A file's bytes from an offset on, with a place of its own: closing it, or reading another, does not matter."""

    def __init__(self, file: BinaryIO, offset: int = 0, end: int | None = None) -> None:
        """`end` is the offset of the byte before which it ends; by itself it ends with the file."""
        super().__init__()
        self._file, self.offset, self._end = file, offset, end

    def readable(self) -> bool:
        """Tell that it can be read, as TextIOWrapper asks."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # the buffers of our callers are that
        """Fill a buffer with the next bytes and return how many they are."""
        if self._end is not None:
            buffer = buffer[: max(0, self._end - self.offset)]
        count = os.preadv(self._file.fileno(), [buffer], self.offset)
        self.offset += count
        return count

    def text(self, encoding: str, errors: str = "strict") -> io.TextIOWrapper:
        """Return it as text with its line ends as they are."""
        return io.TextIOWrapper(
            io.BufferedReader(self, _BUFFER), encoding=encoding, errors=errors, newline=""
        )
