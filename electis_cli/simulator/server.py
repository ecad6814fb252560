"""The simulator on a loopback socket: HTTP/1.1 with keep-alive, one thread per connection.

A server of our own over plain sockets, because faults need the socket itself: an RST, half a body, no answer.
"""

import contextlib
import selectors
import socket
import ssl
import struct
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from electis_cli.simulator.call import refusal
from electis_cli.simulator.control import PREFIX
from electis_cli.simulator.messages import Delivery, Request, Response
from electis_cli.simulator.simulator import Simulator
from electis_cli.simulator.wire import BadRequest, head_of, read_request

HANG_LOOK = 0.1
"""Seconds between two looks of a hanging call at the server's end."""
BACKLOG = 128
BODY_PARTS = 4
"""A slow body comes in so many parts."""
DOORS = ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.2"))
"""Where the control interface is while the port refuses: other addresses of this machine, with the same port number."""
WITHOUT_DOOR = 30.0
"""So many seconds the port refuses at most where no door could be opened."""


class SimulatorServer:
    """Serves a simulator while its `with` block lasts; `stop` ends it like a power cut."""

    def __init__(
        self,
        simulator: Simulator | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.simulator = simulator or Simulator()
        self._tls = tls
        self._host = host
        self._wanted_port = port
        self.port = port
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._acceptor: threading.Thread | None = None
        self._refusing: Delivery | None = None
        self._shut = threading.Event()
        self._shut_by = 0
        """The fault that closed the port last."""
        self._listening = threading.Event()

    @property
    def base_url(self) -> str:
        """Where clients reach it, without a cluster prefix."""
        return f"{'http' if self._tls is None else 'https'}://{self._host}:{self.port}"

    def start(self) -> Self:
        """Listen and serve in the background; OSError when the port is taken."""
        listener = self._listen()
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

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._wanted_port))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        return listener

    def _accept(self, listener: socket.socket, wake: socket.socket) -> None:
        with wake:
            while True:
                self._accept_until_woken(listener, wake)
                if self._stopping.is_set() or self._refusing is None:
                    return
                refusing = self._refusing
                self._shut_by = refusing.fault_id
                self._listening.clear()
                with self._doors() as doors:
                    self._shut.set()
                    self._wait_gone(refusing, doors, at_most=float("inf") if doors else WITHOUT_DOOR)
                self._refusing = None
                if self._stopping.is_set():
                    return
                listener = self._listen()
                self._listening.set()

    @contextlib.contextmanager
    def _doors(self) -> Iterator[list[socket.socket]]:
        """Other addresses of this machine to be told at that the port may open again; not every machine has them."""
        with contextlib.ExitStack() as stack:
            doors = []
            for family, host in DOORS:
                with contextlib.suppress(OSError):
                    door = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    door.bind((host, self.port))
                    door.listen(BACKLOG)
                    door.settimeout(0)
                    doors.append(door)
            yield doors

    def _accept_until_woken(self, listener: socket.socket, wake: socket.socket) -> None:
        with listener, selectors.DefaultSelector() as selector:
            listener.settimeout(0)
            selector.register(listener, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while not self._stopping.is_set():
                if any(key.fileobj is wake for key, _ in selector.select()):
                    wake.recv(1)
                    return
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    self._begin(connection)

    def _begin(self, connection: socket.socket, *, at_door: bool = False) -> None:
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(
            target=self._converse,
            args=(connection,),
            kwargs={"at_door": at_door},
            name="aims-connection",
            daemon=True,
        )
        with self._guard:
            self._open[connection] = thread
        thread.start()

    def _converse(self, plain: socket.socket, *, at_door: bool) -> None:
        connection = plain
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
                with self._guard:
                    self._open[connection] = self._open.pop(plain)
            with connection.makefile("rb") as reader, connection.makefile("wb") as writer:
                while not self._stopping.is_set():
                    request = read_request(reader, writer)
                    if request is None or not self._answer(connection, request, at_door=at_door):
                        return
        except (BadRequest, OSError):
            return
        finally:
            with self._guard:
                self._open.pop(connection, None)
            connection.close()
            plain.close()

    def _answer(self, connection: socket.socket, request: Request, *, at_door: bool) -> bool:
        """Hand over one answer; False when the connection must end."""
        if request.path.startswith(PREFIX):
            response = self._control(connection, request)
            self._wait_open(at_door=at_door)
            return self._send(connection, request, response)
        if at_door:
            return False
        with self.simulator.in_flight():
            response = self._handle(request)
            delivery = response.delivery
            if delivery.delay and self._stopping.wait(delivery.delay):
                return False
            if delivery.how == "stall":
                connection.sendall(head_of(response, keep_alive=False))
            if delivery.how in ("hang", "stall"):
                self._wait_gone(delivery)
                return False
            if delivery.how == "refuse":
                self._refuse(delivery)
            if delivery.how in ("reset", "refuse"):
                # Zero linger turns close into a RST.
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
            return self._send(connection, request, response)

    def _send(self, connection: socket.socket, request: Request, response: Response) -> bool:
        keep = request.headers.get("connection", "").lower() != "close"
        keep = keep and response.delivery.how == "whole"
        head, pause = head_of(response, keep_alive=keep), response.delivery.pause
        body = b"" if request.method == "HEAD" else _part(response)
        if not pause or not body:
            connection.sendall(head + body)
            return keep
        connection.sendall(head)
        step = -(-len(body) // BODY_PARTS)
        for start in range(0, len(body), step):
            if self._stopping.wait(pause):
                return False
            connection.sendall(body[start : start + step])
        return keep

    def _control(self, connection: socket.socket, request: Request) -> Response:
        # The control interface knows no login, so it is for this machine alone.
        peer = connection.getpeername()[0]
        if peer != "::1" and not peer.startswith("127."):
            return refusal(403, "LOOPBACK_ONLY")
        return self._handle(request)

    def _handle(self, request: Request) -> Response:
        try:
            return self.simulator.handle(request)
        except Exception:  # noqa: BLE001 - a mistake in the simulator must show as one, not as a dead connection
            traceback.print_exc(file=sys.stderr)
            return refusal(500, "SIMULATOR_MISTAKE")

    def _refuse(self, delivery: Delivery) -> None:
        """Close the port; it is closed when this returns."""
        with self._guard:
            if self._refusing is not None:
                return
            self._shut.clear()
            self._refusing = delivery
        self._waker.send(b"r")
        self._shut.wait(HANG_LOOK * 10)

    def _wait_gone(
        self, delivery: Delivery, doors: Sequence[socket.socket] = (), *, at_most: float = float("inf")
    ) -> None:
        """Wait for the end of a fault, of its time, or of the server; who comes to a door meanwhile is let in."""
        end = time.monotonic() + min(delivery.seconds or float("inf"), at_most)
        while not self._stopping.is_set():
            for door in doors:
                with contextlib.suppress(OSError):
                    self._begin(door.accept()[0], at_door=True)
            look = min(HANG_LOOK, end - time.monotonic())
            if look <= 0 or self.simulator.faults.wait_gone(delivery.fault_id, look):
                return

    def _wait_open(self, *, at_door: bool) -> None:
        """Who ended the fault at a door finds the port open when the answer comes."""
        if at_door and self.simulator.faults.wait_gone(self._shut_by, 0.0):
            self._listening.wait(HANG_LOOK * 10)


def _part(response: Response) -> bytes:
    """The body as far as it is sent."""
    how, body = response.delivery.how, response.body
    half = body[: len(body) // 2]
    if how == "chunked":
        # The first of two chunks; the second and the end never come.
        return b"%x\r\n%s\r\n" % (len(half), half) if half else b""
    return half if how in ("cut", "close") else body
