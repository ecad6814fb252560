"""Values of spreadsheets and JSON as the text that people see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any


def scalar_text(value: Any) -> str:
    """Return a value as text: `7` for 7.0, `true`, `2026-05-01`, `09:30`, `2026-05-01T09:30`; None is empty.

    Seconds are shown only where there are some; a length of time is hours and minutes, however many.
    """
    return _BY_TYPE.get(type(value), str)(value)


def _number(value: float) -> str:
    # Beyond that a float does not hold every whole number, and its digits would be made up.
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def _clock(value: time) -> str:
    return value.strftime("%H:%M:%S" if value.second else "%H:%M")


def _length(value: timedelta) -> str:
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")


_BY_TYPE: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    float: _number,
    datetime: lambda value: f"{value.date().isoformat()}T{_clock(value.time())}",
    date: date.isoformat,
    time: _clock,
    timedelta: _length,
}
