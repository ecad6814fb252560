"""A forward proxy: plain http requests and CONNECT tunnels, counted; it can ask for a login, refuse, hang or drip."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

_LONGEST_HEAD = 64 * 1024


@dataclass(frozen=True)
class Passed:
    """One request as the proxy saw it; of what goes through a tunnel it sees nothing."""

    method: str
    target: str
    authorization: str


class ForwardProxy:
    """A proxy on loopback; every connection carries one request, or one tunnel."""

    def __init__(self, *, login: str = "", hosts: Mapping[str, int] | None = None) -> None:
        """`login` is the `USER:PASSWORD` it asks for; `hosts` maps `HOST:PORT` to a port of this machine."""
        self.requests: list[Passed] = []
        self.answer = b""
        """Given to every request in place of passing it on."""
        self.drip = 0.0
        """Seconds between the bytes of such an answer."""
        self.is_silent = False
        """Takes requests and never answers."""
        self.hangs_up = False
        """Ends every connection that brought a request."""
        self._login = login
        self.hosts = dict(hosts or {})
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.1)
        self.port = int(self._listening.getsockname()[1])
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def name(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address, as ELECTIS_AIMS_PROXY takes it, with the login it asks for."""
        return f"http://{self._login}@{self.name}" if self._login else f"http://{self.name}"

    @property
    def methods(self) -> list[str]:
        """The methods of the requests, in order."""
        return [one.method for one in self.requests]

    def stop(self) -> None:
        """End all connections and take no more."""
        self._stopping.set()
        self._acceptor.join(5)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._listening.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(30)
            head, rest = _read_head(client)
            if not head:
                return
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            fields = (line.partition(":") for line in lines[1:])
            headers = {name.lower(): value.strip() for name, _, value in fields}
            login, length = headers.get("proxy-authorization", ""), int(headers.get("content-length", "0"))
            # An answer to a request that is not read to its end would be lost with a reset.
            while len(rest) < length and (piece := client.recv(65536)):
                rest += piece
            self.requests.append(Passed(method, target, login))
            if self.hangs_up:
                return
            if self.is_silent:
                self._stopping.wait(30)
            elif self.answer:
                self._give(client)
            elif self._login and login != "Basic " + base64.b64encode(self._login.encode()).decode():
                client.sendall(
                    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            elif method == "CONNECT":
                with self._reach(target) as server:
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    _exchange(client, server, rest)
            else:
                self._forward(client, lines, rest)

    def _forward(self, client: socket.socket, lines: list[str], rest: bytes) -> None:
        """Pass a request on with its own path, as the last one of the connection, and without the proxy's headers."""
        method, target, version = lines[0].split(" ")
        parts = urlsplit(target)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        kept = [line for line in lines[1:] if not line.lower().startswith(("proxy-", "connection:"))]
        head = "\r\n".join([f"{method} {path} {version}", *kept, "Connection: close", "", ""])
        with self._reach(parts.netloc) as server:
            server.sendall(head.encode("latin-1") + rest)
            _exchange(client, server, b"")

    def _reach(self, name: str) -> socket.socket:
        host, _, port = name.rpartition(":")
        address = ("127.0.0.1", self.hosts[name]) if name in self.hosts else (host, int(port))
        return socket.create_connection(address, timeout=5)

    def _give(self, client: socket.socket) -> None:
        if not self.drip:
            client.sendall(self.answer)
            return
        for byte in self.answer:
            client.sendall(bytes([byte]))
            if self._stopping.wait(self.drip):
                return


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return a request's head without its empty line, and what came after it already."""
    read = b""
    while b"\r\n\r\n" not in read and len(read) < _LONGEST_HEAD:
        piece = client.recv(4096)
        if not piece:
            return b"", b""
        read += piece
    head, _, rest = read.partition(b"\r\n\r\n")
    return head, rest


def _exchange(client: socket.socket, server: socket.socket, rest: bytes) -> None:
    """Copy both ways until the server has said all."""
    up = threading.Thread(target=_copy, args=(client, server), daemon=True)
    if rest:
        server.sendall(rest)
    up.start()
    _copy(server, client)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
    up.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def forward_proxy() -> Iterator[ForwardProxy]:
    """A proxy that asks for no login."""
    proxy = ForwardProxy()
    yield proxy
    proxy.stop()
