"""The control interface of a simulated AIMS on this machine: faults on demand, outside the paths of the API."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from electis_cli.domain.articles import clean_text
from electis_cli.domain.errors import AimsUnreachable, InvalidInput, Misconfigured

_SECONDS = 5.0
_HTTP_PORT = 80
_OK, _NOT_UNDERSTOOD = 200, 400
_FAULTS = "/_simulator/faults"
_DOORS = ("[::1]", "127.0.0.2")
"""Where a simulator whose port refuses connections still listens to its control interface, with the same port."""
_SERVER = "aims-simulator"


class SimulatorControl:
    """Asks one simulator; anything that is no simulator on this machine is refused before it is called."""

    def __init__(self, origin: str) -> None:
        """`origin` is scheme, host and port of the configured base URL. Raises Misconfigured."""
        parts = urlsplit(origin)
        if parts.scheme != "http" or not _is_this_machine(parts.hostname or ""):
            raise _no_simulator(origin, "Faults are for a simulator: plain http, on this machine.")
        self._origin = origin
        # Never through a proxy of the environment: it is this machine that is meant.
        self._http = httpx.Client(timeout=_SECONDS, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def add_fault(self, values: Mapping[str, Any]) -> int:
        """Put a fault in force and return its number. Raises InvalidInput with the simulator's reason."""
        return int(self._ask("POST", _FAULTS, body=values)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults in force, with how many calls each has seen and met."""
        return [dict(row) for row in self._ask("GET", _FAULTS)["faults"]]

    def fault_kinds(self) -> dict[str, list[str]]:
        """Return the kinds of faults with their forms, the usual form first."""
        return {
            str(name): list(forms)
            for name, forms in self._ask("GET", "/_simulator/fault-kinds")["kinds"].items()
        }

    def end_fault(self, number: int) -> bool:
        """End one fault; False when there is none of this number."""
        return bool(self._ask("DELETE", f"{_FAULTS}?id={number}")["ended"])

    def end_faults(self) -> None:
        """End all faults."""
        self._ask("DELETE", _FAULTS)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        content = None if body is None else orjson.dumps(dict(body))
        try:
            answer = self._send(method, path, content)
        except httpx.HTTPError as error:
            raise AimsUnreachable(
                f"The simulator at {self._origin} could not be reached.",
                why=str(error) or type(error).__name__,
                fix="electis aims simulate --port N",
            ) from error
        try:
            told = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            told = None
        if answer.status_code == _NOT_UNDERSTOOD and isinstance(told, dict) and "error" in told:
            why = clean_text(told["error"]).removeprefix("ValueError: ")
            raise InvalidInput(
                "The simulator does not take this fault.", why=why, fix="electis aims fault list --kinds"
            )
        if answer.status_code != _OK or not isinstance(told, dict):
            raise _no_simulator(
                self._origin, f"It answers {path.partition('?')[0]} with {answer.status_code}."
            )
        return told

    def _send(self, method: str, path: str, content: bytes | None) -> httpx.Response:
        """Ask at the address, and where nobody answers it at the doors. Raises httpx.HTTPError."""
        try:
            return self._http.request(method, self._origin + path, content=content)
        except httpx.ConnectError:
            for host in _DOORS:
                with contextlib.suppress(httpx.HTTPError):
                    door = f"http://{host}:{urlsplit(self._origin).port or _HTTP_PORT}"
                    answer = self._http.request(method, door + path, content=content)
                    if answer.headers.get("server") == _SERVER:
                        return answer
            raise


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _no_simulator(origin: str, why: str) -> Misconfigured:
    return Misconfigured(
        f"AIMS at {origin} is no simulator on this machine.",
        why=why,
        fix="electis aims simulate --port N, then electis aims configure --replace --base-url http://127.0.0.1:N",
    )
