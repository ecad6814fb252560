import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from electis_cli.simulator import Request, SimulatorServer
from tests.simulator.cloud import Cloud, record, still_simulator


def talk(port: int, sent: bytes) -> bytes:
    """All a server answers to some bytes until it closes."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.sendall(sent)
        while part := plain.recv(65_536):
            received += part
    return received


def test_a_connection_is_kept(cloud: Cloud) -> None:
    for _ in range(5):
        cloud.call("GET", "/articles")
    assert len(cloud.server._open) == 1


def test_a_stopped_server_refuses_and_its_port_is_free_at_once(cloud: Cloud) -> None:
    cloud.push(record("1"))
    port = cloud.server.port
    for _ in range(3):
        cloud.server.stop()
        with pytest.raises(httpx.TransportError):
            cloud.call("GET", "/articles")
        with pytest.raises(httpx.ConnectError):
            cloud.call("GET", "/articles")
        cloud.server.start()
        assert cloud.server.port == port
        assert cloud.call("GET", "/articles").status_code == 200
    cloud.server.stop()
    cloud.server.stop()


def test_a_taken_port_is_an_error(cloud: Cloud) -> None:
    with pytest.raises(OSError, match="in use"):
        SimulatorServer(still_simulator(labels_per_store=0), port=cloud.server.port).start()


def test_many_threads_lose_nothing(cloud: Cloud) -> None:
    def push(number: int) -> int:
        return cloud.call("POST", "/articles", [record(f"{number}")]).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(push, range(64))) == {200}
    assert cloud.call("GET", "/articles").json()["totalArticleCnt"] == 64
    assert cloud.control("GET", "counters")["parallel_peak"] >= 1


def test_bytes_that_are_no_request_end_the_connection(cloud: Cloud) -> None:
    port = cloud.server.port
    assert talk(port, b"nonsense\r\n\r\n") == b""
    assert talk(port, b"GET / HTTP/2\r\n\r\n") == b""
    assert talk(port, b"GET / HTTP/1.1\r\nbroken\r\n\r\n") == b""
    assert talk(port, b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n") == b""
    assert talk(port, b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n") == b""


def test_old_chunked_and_waiting_clients_are_served(cloud: Cloud) -> None:
    port = cloud.server.port
    assert talk(port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 OK")
    body = b'{"username":"u","password":"p"}'
    head = b"POST /common/api/v2/token HTTP/1.1\r\nconnection: close\r\n"
    parts = b"%x\r\n%s\r\n1\r\n%s\r\n0\r\n\r\n" % (len(body) - 1, body[:-1], body[-1:])
    chunked = talk(port, head + b"transfer-encoding: chunked\r\n\r\n" + parts)
    assert chunked.startswith(b"HTTP/1.1 200 OK")
    waiting = b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
    assert talk(port, head + waiting + body).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


def test_a_mistake_of_the_simulator_shows(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Request) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr(cloud.simulator, "handle", fail)
    answer = cloud.http.get("/")
    assert (answer.status_code, answer.json()["responseMessage"]) == (500, "SIMULATOR_MISTAKE")
    assert "RuntimeError: odd" in capsys.readouterr().err


def test_the_control_interface_is_for_this_machine_alone(cloud: Cloud) -> None:
    class Stranger:
        def getpeername(self) -> tuple[str, int]:
            return "192.0.2.1", 5

    request = Request("GET", "/_simulator/health")
    stranger: Any = Stranger()
    assert cloud.server._control(stranger, request).status == 403


def test_the_core_needs_no_socket() -> None:
    simulator = still_simulator(labels_per_store=0)
    request = Request("POST", "/common/api/v2/token", body=b'{"username":"u","password":"p"}')
    assert simulator.handle(request).status == 200
    assert simulator.handle(Request("GET", "/common/api/v2/common/articles"), now=0.0).status == 401
