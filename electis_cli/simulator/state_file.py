"""The world in a file: written whole to a temporary file, synced, then renamed over the old one."""

import os
import tempfile
from collections.abc import Hashable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import orjson

from electis_cli.simulator.model import World

FORMAT = 1

T = TypeVar("T")


class StateUnreadable(Exception):
    """The state file is not one of this simulator."""


def encode(world: World) -> bytes:
    """The world as JSON; users are left out, because they carry a password and come from the settings."""
    return orjson.dumps({"format": FORMAT, "world": replace(world, users={})})


def decode(content: bytes) -> World:
    """The world back from JSON."""
    try:
        found = orjson.loads(content)
        if found["format"] != FORMAT:
            raise StateUnreadable(f"state format {found['format']} is not {FORMAT}")
        return build(World, found["world"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise StateUnreadable(str(error)) from error


def read(path: Path) -> World | None:
    """The world of a state file, None when there is none yet."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return decode(content)


def write(path: Path, content: bytes) -> None:
    """Replace the state file so that a crash leaves the old or the new one, never half of one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def build(kind: type[T], value: Any) -> T:
    """A dataclass from decoded JSON, following its annotations; unknown keys are left aside."""
    hints = _hints(cast("Hashable", kind))
    made = {name: _value(hints[name], value[name]) for name in hints if name in value}
    return kind(**made)


def _value(kind: Any, value: Any) -> Any:
    if value is None or kind is Any:
        return value
    origin = get_origin(kind)
    if origin is UnionType:
        return _value(next(one for one in get_args(kind) if one is not type(None)), value)
    if origin is list:
        item = get_args(kind)[0]
        return value if _plain(item) else [_value(item, one) for one in value]
    if origin is dict:
        item = get_args(kind)[1]
        return value if _plain(item) else {key: _value(item, one) for key, one in value.items()}
    return build(kind, value) if is_dataclass(kind) and isinstance(kind, type) else value


def _plain(kind: Any) -> bool:
    """Whether values of a kind are the same in JSON and in memory."""
    if kind in (str, int, float, bool, Any):
        return True
    return get_origin(kind) is list and _plain(get_args(kind)[0])


@cache
def _hints(kind: Any) -> dict[str, Any]:
    found = get_type_hints(kind)
    return {one.name: found[one.name] for one in fields(kind) if not one.name.startswith("_")}
