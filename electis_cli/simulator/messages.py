"""One request and one answer as plain values: all that passes between a transport and the simulator."""

from dataclasses import dataclass, field
from typing import Literal

How = Literal["whole", "hang", "stall", "reset", "refuse", "cut", "chunked", "close"]


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

    `whole` is the normal case. `hang` never answers while fault `fault_id` stands, `stall` stops after the headers;
    `reset` ends the connection with a RST, `refuse` also closes the port for `seconds` or while the fault stands.
    `cut` announces the full length and stops in the middle; `chunked` and `close` stop there without a length.
    `delay` seconds pass before any of them, and `pause` before each part of the body.
    """

    how: How = "whole"
    delay: float = 0.0
    fault_id: int = 0
    seconds: float = 0.0
    """The longest time of a hang and a refusal; 0 for no end."""
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back; an empty body with status 204 carries no content type."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Delivery = Delivery()
