"""The values of a JSON array or of JSON lines, one after the other, never all in memory."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

_STEP = 1 << 20
_BLANKS = re.compile(r"[ \t\r\n]*")
# An error that close to the end of what was read may be the end alone: `1.`, `\u05`, half of `null`.
_NEAR_THE_END = 16


class NotJson(Exception):
    """A value is not JSON: its number, or its line, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value of JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def read_lines(text: io.TextIOWrapper) -> Iterator[tuple[int, Any]]:
    """Yield the value in each line with the line's number; blank lines are left out. Raises NotJson."""
    for number, line in enumerate(text, start=1):
        if not line.isspace():
            try:
                yield number, _DECODER.decode(line)
            except (ValueError, RecursionError) as error:
                raise NotJson(number, _reason(error)) from error


def read_array(text: io.TextIOWrapper) -> Iterator[tuple[int, Any]]:
    """Yield the values of an array with their numbers, from 1. Raises NotJson."""
    buffer = _Buffer(text)
    buffer.expect("[", 1)
    if buffer.peek() == "]":
        buffer.expect("]", 1)
    else:
        for number in _count_from_one():
            yield number, buffer.value(number)
            if buffer.peek() != ",":
                buffer.expect("]", number, "a comma or the end of the list is missing after it")
                break
            buffer.expect(",", number)
    if buffer.peek():
        raise NotJson(1, "more follows after the list's end")


def _count_from_one() -> Iterator[int]:
    number = 0
    while True:
        yield (number := number + 1)


class _Buffer:
    """The part of a text that is being looked at."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self._part, self._at, self._ended = text, "", 0, False

    def peek(self) -> str:
        """Return the next sign that is no blank; `""` is the end."""
        while True:
            match = _BLANKS.match(self._part, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._part) or not self._read_on():
                return self._part[self._at : self._at + 1]

    def expect(self, sign: str, number: int, reason: str = "it does not begin with a list") -> None:
        """Go past a sign that must come next."""
        if self.peek() != sign:
            raise NotJson(number, reason)
        self._at += 1

    def value(self, number: int) -> Any:
        """Return the value that comes next."""
        self.peek()
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._part, self._at)
            except (ValueError, RecursionError) as error:
                if not self._is_cut(error) or not self._read_on():
                    raise NotJson(number, _reason(error)) from error
            else:
                return value

    def _is_cut(self, error: Exception) -> bool:
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated") or error.pos >= len(self._part) - _NEAR_THE_END

    def _read_on(self) -> bool:
        """Read more of the text, as much again as is waiting, so that long values take no longer than their length."""
        if self._ended:
            return False
        waiting = self._part[self._at :]
        more = self._text.read(max(_STEP, len(waiting)))
        self._ended = not more
        self._part, self._at = waiting + more, 0
        return bool(more)


def _reason(error: Exception) -> str:
    # Not the place that the parser tells: it counts from where we began to read.
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
