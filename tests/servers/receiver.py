"""A web server that takes alerts: `receiver`, one per test, on a loopback port of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass(frozen=True)
class Received:
    """One request: where it went, what its head said, and the document in it."""

    method: str
    target: str
    headers: dict[str, str]
    document: Any


class Receiver:
    """A server that keeps what it is told. It can refuse, stay silent, or answer one byte at a time."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 204
        self.is_silent = False
        self.drips = False
        self.over = threading.Event()
        self._arrived = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def documents(self) -> list[Any]:
        """What it was told, oldest first."""
        return [one.document for one in self.received]

    def keep(self, one: Received) -> None:
        """Keep what came in."""
        with self._arrived:
            self.received.append(one)
            self._arrived.notify_all()

    def wait_for(self, count: int, seconds: float = 20.0) -> list[Any]:
        """Wait until at least `count` documents have arrived, and return all of them."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.received) >= count, seconds):
                msg = f"{len(self.received)} of {count} documents arrived within {seconds} s"
                raise TimeoutError(msg)
            return self.documents

    def stop(self) -> None:
        """End it, and what hangs in it."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    receiver: Receiver
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        content = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.keep(Received(self.command, self.path, dict(self.headers.items()), json.loads(content)))
        if receiver.is_silent:
            receiver.over.wait()
            return
        if receiver.drips:
            self._drip()
            return
        self.send_response(receiver.status)
        if receiver.status // 100 == 3:
            self.send_header("Location", f"{receiver.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _drip(self) -> None:
        """Send one byte of a head without end every now and then, until the other side has had enough."""
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.server.receiver.over.wait(0.05):
                self.wfile.write(b".")
                self.wfile.flush()
        except OSError:
            self.server.receiver.over.set()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the standard library's name
        """Say nothing: what came in is in `received`."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of alerts for one test."""
    server = Receiver()
    yield server
    server.stop()
