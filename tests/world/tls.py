"""A TLS server on loopback with a made-up certificate; behind it, when asked for, a plain HTTP server."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def tls_server(leaf: Any, *, to: int | None = None) -> Iterator[int]:
    """Serve a certificate of trustme on a free port; what comes through goes on to the port `to` of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    stopping = threading.Event()
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def accept() -> None:
            while not stopping.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    threads.append(
                        threading.Thread(target=_converse, args=(context, connection, to), daemon=True)
                    )
                    threads[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopping.set()
            acceptor.join(5)
            for thread in threads:
                thread.join(5)


def _converse(context: ssl.SSLContext, connection: socket.socket, to: int | None) -> None:
    """Pass one request on and its answer back, as often as the client asks on this connection."""
    with connection, contextlib.suppress(OSError):
        connection.settimeout(5)
        with context.wrap_socket(connection, server_side=True) as secured:
            if to is None:
                secured.recv(1)
                return
            with socket.create_connection(("127.0.0.1", to), timeout=5) as target:
                back = threading.Thread(target=_copy, args=(target, secured), daemon=True)
                back.start()
                _copy(secured, target)
                target.shutdown(socket.SHUT_WR)
                back.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
