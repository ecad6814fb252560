"""One request and one answer as plain values: all that passes between a transport and the simulator."""

from dataclasses import dataclass, field
from typing import Literal

How = Literal["whole", "hang", "reset", "cut"]


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived; header names are lower case, the path carries no query."""

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a transport must hand over an answer (contract 9.5).

    `whole` is the normal case; `hang` never answers while fault `fault_id` stands; `reset` ends the connection
    with a RST; `cut` announces the full length and stops in the middle. `delay` seconds pass before any of them.
    """

    how: How = "whole"
    delay: float = 0.0
    fault_id: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back; an empty body with status 204 carries no content type."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Delivery = Delivery()
