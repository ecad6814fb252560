"""Faults of the connection itself (contract 9.5), one test per id."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
import time
from pathlib import Path

import httpx
import pytest

from electis_cli.simulator import SimulatorServer
from tests.simulator.cloud import Cloud, record, still_simulator
from tests.simulator.test_server import talk


def listed(cloud: Cloud) -> httpx.Response:
    return cloud.call("GET", "/articles")


def ask(cloud: Cloud) -> bytes:
    """All bytes of an answer until the connection ends."""
    head = f"GET /common/api/v2/common/articles?company=ACME&store=001 HTTP/1.1\r\nauthorization: Bearer {cloud.token}"
    return talk(cloud.server.port, f"{head}\r\nconnection: close\r\n\r\n".encode())


def test_cut_short_has_the_length_of_half_a_body(cloud: Cloud) -> None:
    cloud.push(record("1"))
    cloud.simulator.faults.add("cut", form="short", method="GET", count=1)
    answer = listed(cloud)
    assert int(answer.headers["content-length"]) == len(answer.content) > 0
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()
    assert listed(cloud).json()["totalArticleCnt"] == 1


def test_cut_chunked_ends_before_its_last_chunk(cloud: Cloud) -> None:
    cloud.push(record("1"))
    cloud.simulator.faults.add("cut", form="chunked", method="GET")
    with pytest.raises(httpx.RemoteProtocolError, match="chunk"):
        listed(cloud)
    assert b"transfer-encoding: chunked" in ask(cloud)
    assert not ask(cloud).endswith(b"0\r\n\r\n")


def test_cut_close_says_no_length(cloud: Cloud) -> None:
    cloud.push(record("1"))
    cloud.simulator.faults.add("cut", form="close", method="GET")
    answer = listed(cloud)
    assert "content-length" not in answer.headers
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


def test_hang_may_end_by_itself(cloud: Cloud) -> None:
    cloud.simulator.faults.add("hang", seconds=0.05, count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        listed(cloud)
    assert listed(cloud).status_code == 204


@pytest.mark.parametrize("applied", [True, False])
def test_hang_stalls_after_the_headers(cloud: Cloud, applied: bool) -> None:
    cloud.simulator.faults.add("hang", form="stall", method="POST", count=1, applied=applied)
    with pytest.raises(httpx.ReadTimeout):
        read_stalled(cloud)
    assert listed(cloud).status_code == (200 if applied else 204)


def read_stalled(cloud: Cloud) -> None:
    request = cloud.http.build_request(
        "POST",
        "/common/api/v2/common/articles",
        params={"company": "ACME", "store": "001"},
        headers={"Authorization": f"Bearer {cloud.token}"},
        json=[record("1")],
        timeout=httpx.Timeout(5, read=0.2),
    )
    answer = cloud.http.send(request, stream=True)
    try:
        assert answer.status_code == 200
        answer.read()
    finally:
        answer.close()


@pytest.mark.parametrize("applied", [True, False])
def test_refuse_closes_the_port_until_the_fault_ends(cloud: Cloud, applied: bool) -> None:
    # The control connection is open already; a closed port does not end it.
    id_ = cloud.control("POST", "faults", {"kind": "refuse", "method": "POST", "applied": applied})["id"]
    with httpx.Client(base_url=cloud.server.base_url, trust_env=False, timeout=5.0) as other:
        with pytest.raises(httpx.TransportError):
            other.post(
                "/common/api/v2/common/articles",
                params={"company": "ACME", "store": "001"},
                headers={"Authorization": f"Bearer {cloud.token}"},
                json=[record("1")],
            )
        with pytest.raises(httpx.ConnectError):
            other.get("/common")
        assert cloud.control("DELETE", "faults", id=id_) == {"ended": True}
        assert opened(cloud.server.port)
    assert listed(cloud).status_code == (200 if applied else 204)


def test_refuse_ends_after_its_seconds(cloud: Cloud) -> None:
    cloud.simulator.faults.add("refuse", seconds=0.05, count=1)
    with pytest.raises(httpx.TransportError):
        listed(cloud)
    assert opened(cloud.server.port)
    assert listed(cloud).status_code == 204


def test_refuse_ends_with_the_server(cloud: Cloud) -> None:
    cloud.simulator.faults.add("refuse", count=1)
    with pytest.raises(httpx.TransportError):
        listed(cloud)
    cloud.server.stop()
    cloud.server.start()
    assert listed(cloud).status_code == 204


def at_door(method: str, port: int, path: str) -> httpx.Response:
    """Ask where the control interface is while the port is closed."""
    for host in ("[::1]", "127.0.0.2"):
        with contextlib.suppress(httpx.ConnectError):
            return httpx.request(method, f"http://{host}:{port}{path}", trust_env=False)
    pytest.fail("there is no door")


def test_a_port_that_refuses_has_a_door_for_the_control_interface_alone(cloud: Cloud) -> None:
    port = cloud.server.port
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://[::1]:{port}/_simulator/faults", trust_env=False)
    cloud.simulator.faults.add("refuse")
    with pytest.raises(httpx.TransportError):
        listed(cloud)
    assert at_door("GET", port, "/_simulator/faults").json()["faults"][0]["kind"] == "refuse"
    with pytest.raises(httpx.RemoteProtocolError):
        at_door("GET", port, "/common/api/v2/common/articles")
    at_door("DELETE", port, "/_simulator/faults")
    assert listed(cloud).status_code == 204


def test_who_ends_the_refusal_finds_the_port_open(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    listen = SimulatorServer._listen

    def slowly(server: SimulatorServer) -> socket.socket:
        answered.wait(0.3)  # as long as a busy machine may take; the answer must not come meanwhile
        order.append("listens")
        return listen(server)

    answered = threading.Event()
    with SimulatorServer(still_simulator(labels_per_store=0)) as server:
        server.simulator.faults.add("refuse")
        monkeypatch.setattr(SimulatorServer, "_listen", slowly)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.base_url}/common", trust_env=False)
        at_door("DELETE", server.port, "/_simulator/faults")
        order.append("answers")
        answered.set()
        assert order == ["listens", "answers"]


def test_a_machine_without_other_addresses_is_not_locked_out_for_good(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("electis_cli.simulator.server.DOORS", ())
    monkeypatch.setattr("electis_cli.simulator.server.WITHOUT_DOOR", 0.05)
    cloud.simulator.faults.add("refuse", count=1)
    with pytest.raises(httpx.TransportError):
        listed(cloud)
    assert opened(cloud.server.port)
    assert listed(cloud).status_code == 204


def opened(port: int) -> bool:
    """Whether a port takes a connection within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionError:
            continue
        return True
    return False


def test_tls_is_for_the_harness_to_break(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    with SimulatorServer(still_simulator(labels_per_store=0), tls=context) as server:
        assert server.base_url.startswith("https://")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(server.base_url, trust_env=False)
        trusted = ssl.create_default_context(cafile=str(tmp_path / "pair.pem"))
        answer = httpx.get(f"{server.base_url}/_simulator/health", verify=trusted, trust_env=False)
        assert answer.json()["status"] == "ok"


def certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that no authority signed."""
    x509 = pytest.importorskip("cryptography.x509")
    from ipaddress import ip_address

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "pair.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
