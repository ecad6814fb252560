"""The simulator on a loopback socket: HTTP/1.1 with keep-alive, one thread per connection.

A server of our own over plain sockets, because faults need the socket itself: an RST, half a body, no answer.
"""

import contextlib
import selectors
import socket
import struct
import sys
import threading
import traceback
from types import TracebackType
from typing import Self

from electis_cli.simulator.call import refusal
from electis_cli.simulator.control import PREFIX
from electis_cli.simulator.messages import Request, Response
from electis_cli.simulator.simulator import Simulator
from electis_cli.simulator.wire import BadRequest, head_of, read_request

HANG_LOOK = 0.1
"""Seconds between two looks of a hanging call at the server's end."""
BACKLOG = 128


class SimulatorServer:
    """Serves a simulator while its `with` block lasts; `stop` ends it like a power cut."""

    def __init__(self, simulator: Simulator | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.simulator = simulator or Simulator()
        self._host = host
        self._wanted_port = port
        self.port = port
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._acceptor: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """Where clients reach it, without a cluster prefix."""
        return f"http://{self._host}:{self.port}"

    def start(self) -> Self:
        """Listen and serve in the background; OSError when the port is taken."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._wanted_port))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        self.port = self._wanted_port = listener.getsockname()[1]
        self._stopping.clear()
        wake, self._waker = socket.socketpair()
        self._acceptor = threading.Thread(
            target=self._accept, args=(listener, wake), name="aims-accept", daemon=True
        )
        self._acceptor.start()
        return self

    def stop(self) -> None:
        """Refuse new connections, break the open ones, and free the port; a second stop does nothing."""
        if self._acceptor is None:
            return
        self._stopping.set()
        self._waker.close()
        self._acceptor.join()
        self._acceptor = None
        with self._guard:
            connections = list(self._open.items())
        for connection, _ in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in connections:
            thread.join(5.0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _accept(self, listener: socket.socket, wake: socket.socket) -> None:
        with listener, wake, selectors.DefaultSelector() as selector:
            listener.settimeout(0)
            selector.register(listener, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select()
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    self._begin(connection)

    def _begin(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(
            target=self._converse, args=(connection,), name="aims-connection", daemon=True
        )
        with self._guard:
            self._open[connection] = thread
        thread.start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection.makefile("rb") as reader, connection.makefile("wb") as writer:
                while not self._stopping.is_set():
                    request = read_request(reader, writer)
                    if request is None or not self._answer(connection, request):
                        return
        except (BadRequest, OSError):
            return
        finally:
            with self._guard:
                self._open.pop(connection, None)
            connection.close()

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        """Hand over one answer; False when the connection must end."""
        if request.path.startswith(PREFIX):
            return self._send(connection, request, self._control(connection, request))
        with self.simulator.in_flight():
            response = self._handle(request)
            delivery = response.delivery
            if delivery.delay and self._stopping.wait(delivery.delay):
                return False
            if delivery.how == "hang":
                self._hang(delivery.fault_id)
                return False
            if delivery.how == "reset":
                # Zero linger turns close into a RST.
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
            return self._send(connection, request, response)

    @staticmethod
    def _send(connection: socket.socket, request: Request, response: Response) -> bool:
        keep = request.headers.get("connection", "").lower() != "close"
        keep = keep and response.delivery.how == "whole"
        body = b"" if request.method == "HEAD" else response.body
        if response.delivery.how == "cut":
            body = body[: len(body) // 2]
        connection.sendall(head_of(response, keep_alive=keep) + body)
        return keep

    def _control(self, connection: socket.socket, request: Request) -> Response:
        # The control interface knows no login, so it is for this machine alone.
        if not connection.getpeername()[0].startswith("127."):
            return refusal(403, "LOOPBACK_ONLY")
        return self._handle(request)

    def _handle(self, request: Request) -> Response:
        try:
            return self.simulator.handle(request)
        except Exception:  # noqa: BLE001 - a mistake in the simulator must show as one, not as a dead connection
            traceback.print_exc(file=sys.stderr)
            return refusal(500, "SIMULATOR_MISTAKE")

    def _hang(self, fault_id: int) -> None:
        while not self._stopping.is_set():
            if self.simulator.faults.wait_gone(fault_id, HANG_LOOK):
                return
