"""A deadline for a whole call: httpx's own timeouts are per read, so a dripping answer would outlive them."""

from __future__ import annotations

import functools
import ssl
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpcore
import httpx

from electis_cli.aims.proxy import Proxy
from electis_cli.domain.errors import Misconfigured

_KEPT_SECONDS = 4.0
"""How long a connection that nobody uses stays open. Some servers close theirs after 5 s, and a write that is sent just
then would be one without an answer."""


class Deadline(threading.local):
    """When the call of the current thread must be over, in seconds of `time.monotonic`."""

    at: float = float("inf")

    def left(self, timeout: float | None) -> float:
        """Return how long a single operation may take; raises ReadTimeout when nothing is left."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline of the whole call is over")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._inner = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._deadline)


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's transport over connections that keep a deadline; certificates are always verified.

    A proxy's answers and silence count against the same deadline.
    """

    def __init__(self, deadline: Deadline, *, ca_file: str | None, proxy: Proxy | None) -> None:
        trusted = authorities(ca_file)
        super().__init__(verify=trusted)
        options: dict[str, Any] = {
            "ssl_context": trusted,
            "max_connections": 16,
            "max_keepalive_connections": 8,
            "keepalive_expiry": _KEPT_SECONDS,
            "network_backend": _Backend(deadline),
        }
        # httpx has no door for a network backend; the pool is all that differs.
        self._pool.close()
        if proxy is None:
            self._pool = httpcore.ConnectionPool(**options)
        else:
            # httpcore leaves out the login of a proxy's URL without a word, so it is given by itself.
            url = httpcore.URL(scheme=b"http", host=proxy.host.encode(), port=proxy.port, target=b"/")
            self._pool = httpcore.HTTPProxy(proxy_url=url, proxy_auth=proxy.login, **options)


def authorities(ca_file: str | None) -> ssl.SSLContext:
    """Return the certificates to trust: shared by all clients, and read again when the operator's file was replaced.

    Raises Misconfigured when that file can not be read, or has none.
    """
    if not ca_file:
        return _usual_authorities()
    try:
        found = Path(ca_file).stat()
        return _authorities_in(ca_file, (found.st_ino, found.st_size, found.st_mtime_ns))
    except OSError as error:  # of which a file without certificates is one
        raise Misconfigured(
            "The file of trusted certificate authorities can not be used.",
            why=f"{ca_file}: {error.strerror or type(error).__name__}.",
            fix="set ELECTIS_AIMS_CA_FILE to a file of certificates in PEM form",
        ) from error


# A daemon makes a client for every push, and reading the authorities takes longer than a short push.
@functools.lru_cache(maxsize=1)
def _usual_authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@functools.lru_cache(maxsize=8)
def _authorities_in(ca_file: str, _version: tuple[int, ...]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
