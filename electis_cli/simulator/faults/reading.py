"""Faults from JSON and from command lines."""

from dataclasses import fields
from typing import Any, get_type_hints

from electis_cli.simulator.faults.fault import Fault

LISTS = ("articles", "labels")


def fault_from_values(values: dict[str, Any]) -> Fault:
    """A fault from JSON or keywords; raises ValueError for a field it does not have or cannot read."""
    known = {one.name for one in fields(Fault)}
    unknown = sorted(set(values) - known)
    if unknown or "kind" not in values:
        raise ValueError(f"unknown fault field {unknown[0]!r}" if unknown else "a fault needs a kind")
    hints = get_type_hints(Fault)
    return Fault(**{name: _read(hints[name], name, value) for name, value in values.items()})


def fault_from_text(text: str) -> Fault:
    """A fault from a command line: `kind=status,code=503,path=/articles,count=3`; `kind=` may be left out.

    Several article ids or labels are split by `|`; `header=Retry-After:7` adds a header.
    """
    values: dict[str, Any] = {}
    for place, part in enumerate(text.split(",")):
        name, mark, value = part.partition("=")
        if not mark:
            if place or not part:
                raise ValueError(f"{part!r} is not name=value")
            name, value = "kind", part
        if name == "header":
            title, _, content = value.partition(":")
            values.setdefault("headers", {})[title.strip()] = content.strip()
        else:
            values[name.strip()] = value.split("|") if name in LISTS else value
    return fault_from_values(values)


def _read(kind: Any, name: str, value: Any) -> Any:
    try:
        if kind is bool:
            return value if isinstance(value, bool) else str(value).lower() in ("true", "yes", "1")
        if kind is int or name == "count":
            return None if value is None else int(value)
        if kind is float:
            return float(value)
        if name in LISTS:
            return tuple(str(one) for one in ([value] if isinstance(value, str) else value))
        if name == "headers":
            return {str(title): str(content) for title, content in dict(value).items()}
        return str(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{value!r} is no value for {name}") from error
