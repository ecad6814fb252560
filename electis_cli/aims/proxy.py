"""The HTTP proxy between here and AIMS: where it is, what it is told, and what it means when it gives no way."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from electis_cli.domain.errors import AimsAmbiguous, AimsUnreachable, Misconfigured

SETTING = "ELECTIS_AIMS_PROXY"
LOGIN_WANTED = 407

_PORT = 80
_FORBIDDEN = 403
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
# What a proxy answers by itself when it has no way to AIMS; so does a gateway of the vendor's own.
_NO_WAY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy; its user name and password never appear in a representation."""

    host: str
    port: int
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Proxy({self.name})"

    @property
    def name(self) -> str:
        """The proxy as it may be told: host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def login(self) -> tuple[bytes, bytes] | None:
        """The user name and password it asks for, or None."""
        return (self.username.encode(), self.password.encode()) if self.username else None

    @property
    def authorization(self) -> str:
        """The header that carries the login; empty without one."""
        if self.login is None:
            return ""
        return "Basic " + base64.b64encode(b":".join(self.login)).decode("ascii")


def parse_proxy(url: str) -> Proxy:
    """Return the proxy of `[http://][USER:PASSWORD@]HOST[:PORT]`; raises Misconfigured, without repeating the URL."""
    parts = _split(url.strip())
    return Proxy(
        host=parts.hostname or "",
        port=parts.port or _PORT,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            ipaddress.ip_address(host)
    except ValueError:
        pass  # brackets, a port or an address that are none
    else:
        is_named = ":" in host or _HOST.fullmatch(host)
        if parts.scheme == "http" and is_named and port != 0 and parts.path in {"", "/"} and not parts.query:
            return parts
    raise Misconfigured(
        "The URL of the proxy can not be read.",
        why=f"{SETTING} looks like http://HOST:PORT or http://USER:PASSWORD@HOST:PORT.",
        fix=f"export {SETTING}=http://HOST:PORT",
    )


def refused_way(proxy: Proxy, host: str, status: int | None) -> AimsUnreachable:
    """Return the error for a proxy that was reached and let nothing through to AIMS at `host`."""
    # It is named twice, because many places show only one of the two.
    why = f"The proxy {proxy.name} did not answer as a proxy does."
    if status:
        why = f"The proxy {proxy.name} answered {_in_words(status)}."
    if status == LOGIN_WANTED:
        what = "refuses the login it was given" if proxy.login else "asks for a login"
        return AimsUnreachable(
            f"The proxy {proxy.name} {what}.", why=why, fix=f"check the user name and password in {SETTING}"
        )
    return AimsUnreachable(
        f"The proxy {proxy.name} gives no way to AIMS at {host}.",
        why=why,
        fix=f"ask whoever runs the proxy, or check {SETTING}",
    )


def answered_for_aims(
    proxy: Proxy, host: str, status: int, *, is_page: bool = False
) -> AimsAmbiguous | AimsUnreachable | None:
    """Return the error for an answer, without a word of AIMS, that a proxy gave to a plain http call; None for others.

    Over https a proxy can not answer for AIMS. AIMS asks for no login of this kind, and forbids in words, not in pages:
    then nothing was passed on.
    """
    if status == LOGIN_WANTED or (status == _FORBIDDEN and is_page):
        return refused_way(proxy, host, status)
    if status in _NO_WAY:
        return AimsAmbiguous(
            f"The proxy {proxy.name}, or AIMS at {host} behind it, failed.",
            why=f"The proxy {proxy.name} answered {_in_words(status)}.",
            fix=f"ask whoever runs the proxy, or check {SETTING}",
        )
    return None


def _in_words(status: int) -> str:
    """Return a status with its name; the proxy's own words may say anything."""
    return f"{status} {httpx.codes.get_reason_phrase(status)}".rstrip()
