"""The steps to AIMS below HTTP, against real sockets: a listener, a proxy, a TLS server with made-up certificates."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import trustme

from electis_cli.aims import probe as probing
from electis_cli.aims.address import normalize_address
from electis_cli.aims.connection import Timeouts
from electis_cli.aims.deadline import authorities
from electis_cli.aims.probe import Probe, judge_doorstep
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsAnswerBroken,
    AimsThrottled,
    AimsUnreachable,
    Misconfigured,
)
from tests.world.tls import tls_server

NOW = datetime.now(UTC)


def make_probe(url, **options):
    defaults = {"timeouts": Timeouts(connect=1.0, call=2.0), "clock": lambda: datetime.now(UTC)}
    return Probe(normalize_address(url), **{**defaults, **options})


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


# --- name and connection --------------------------------------------------------------------------------------------


def test_a_name_that_does_not_resolve_is_named():
    with pytest.raises(AimsUnreachable) as caught:
        make_probe("https://nowhere.invalid").resolve()
    assert "nowhere.invalid" in caught.value.message
    assert "configure" in caught.value.fix


def test_a_name_resolves_to_its_addresses():
    assert make_probe("http://127.0.0.1:9").resolve() == ("127.0.0.1",)


def test_a_resolver_that_is_silent_costs_a_bounded_time(monkeypatch):
    forever = threading.Event()
    monkeypatch.setattr(probing, "_DNS_SECONDS", 0.1)
    monkeypatch.setattr(probing.socket, "getaddrinfo", lambda *_, **__: forever.wait(5) and [])
    with pytest.raises(AimsUnreachable) as caught:
        make_probe("https://slow.example").resolve()
    forever.set()
    assert "No answer" in caught.value.why


def test_a_port_nobody_listens_on_is_refused():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(AimsUnreachable) as caught:
        make_probe(f"http://127.0.0.1:{port}").connect()
    assert f"port {port}" in caught.value.message
    assert "refused" in caught.value.why


def test_a_listener_takes_the_connection(simulator_server):
    assert make_probe(simulator_server.base_url).connect() == simulator_server.base_url.removeprefix(
        "http://"
    )


# --- the certificate ------------------------------------------------------------------------------------------------


def test_plain_http_has_no_certificate(simulator_server):
    assert make_probe(simulator_server.base_url).days_left() is None


def test_the_days_a_certificate_has_left(authority, ca_file):
    leaf = authority.issue_cert("localhost", not_after=NOW + timedelta(days=10, hours=1))
    with tls_server(leaf) as port:
        days = make_probe(f"https://localhost:{port}", ca_file=ca_file).days_left()
    assert 9.9 < days < 10.2


@pytest.mark.parametrize(
    ("host", "lifetime", "trusted", "message"),
    [
        ("localhost", (-20, -1), True, "has expired"),
        ("localhost", (1, 20), True, "not valid yet"),
        ("elsewhere.example", (-1, 20), True, "for another host"),
        ("localhost", (-1, 20), False, "not to be trusted"),
    ],
)
def test_a_bad_certificate_says_what_is_bad(authority, ca_file, host, lifetime, trusted, message):
    begins, ends = (NOW + timedelta(days=days) for days in lifetime)
    leaf = authority.issue_cert(host, not_before=begins, not_after=ends)
    with tls_server(leaf) as port, pytest.raises(AimsUnreachable) as caught:
        make_probe(f"https://localhost:{port}", ca_file=ca_file if trusted else None).days_left()
    assert message in caught.value.message
    assert caught.value.why
    assert caught.value.fix


def test_a_server_that_speaks_no_tls(simulator_server):
    url = simulator_server.base_url.replace("http://", "https://")
    with pytest.raises(AimsUnreachable) as caught:
        make_probe(url).days_left()
    assert "TLS" in caught.value.message


def test_a_server_that_never_shakes_hands_costs_a_bounded_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(AimsUnreachable):
            make_probe(f"https://127.0.0.1:{port}").days_left()
    assert time.monotonic() - began < 5


# --- a proxy --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def connect_proxy(answer=b"HTTP/1.1 200 OK\r\n\r\n", to=None):
    """Serve one CONNECT; with `to` what follows is passed on to that port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def copy(source, target):
            with contextlib.suppress(OSError):
                while piece := source.recv(65536):
                    target.sendall(piece)
                target.shutdown(socket.SHUT_WR)

        def serve():
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                with client:
                    client.recv(65536)
                    client.sendall(answer)
                    if to is not None:
                        with socket.create_connection(("127.0.0.1", to)) as target:
                            back = threading.Thread(target=copy, args=(target, client), daemon=True)
                            back.start()
                            copy(client, target)
                            back.join()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join(5)


def test_a_certificate_is_seen_through_a_proxy(authority, ca_file):
    leaf = authority.issue_cert("aims.example")
    with tls_server(leaf) as port, connect_proxy(to=port) as proxy:
        # The name does not resolve here: only the proxy is looked up and connected to.
        found = make_probe("https://aims.example", ca_file=ca_file, proxy=proxy)
        assert found.resolve() == ("127.0.0.1",)
        assert found.days_left() > 1


def test_a_proxy_that_refuses_is_named():
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    with connect_proxy(refusal) as proxy, pytest.raises(AimsUnreachable) as caught:
        make_probe("https://aims.example", proxy=proxy).days_left()
    assert "407" in caught.value.why


# --- the base path --------------------------------------------------------------------------------------------------


def test_aims_answers_at_its_base_path(simulator_server):
    assert make_probe(simulator_server.base_url).knock().status == 405


def test_a_web_page_at_the_base_path_is_the_wrong_path(simulator_server, cloud):
    """Q21: the host answers any other path with a page and 200; the other cluster is proposed when AIMS is there."""
    cloud.faults.add("html", cluster="common")
    with pytest.raises(AimsAnswerBroken) as caught:
        make_probe(simulator_server.base_url).knock()
    assert "--cluster c1" in caught.value.fix
    cloud.faults.add("html")
    with pytest.raises(AimsAnswerBroken) as caught:
        make_probe(simulator_server.base_url).knock()
    assert "--cluster" not in caught.value.fix


def test_a_server_that_never_answers_costs_a_bounded_time(simulator_server, cloud):
    cloud.faults.add("hang")
    began = time.monotonic()
    with pytest.raises(AimsUnreachable):
        make_probe(simulator_server.base_url).knock()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (200, {"content-type": "application/json"}, None),
        (204, {}, None),
        (400, {}, None),
        (401, {"content-type": "application/json"}, None),
        (403, {"content-type": "text/html"}, None),
        (405, {"content-type": "text/html"}, None),
        (200, {"content-type": "text/html; charset=utf-8"}, AimsAnswerBroken),
        (302, {"location": "https://login.example"}, AimsAnswerBroken),
        (404, {}, AimsAnswerBroken),
        (429, {"retry-after": "7"}, AimsThrottled),
        (503, {}, AimsAmbiguous),
    ],
)
def test_what_an_answer_at_the_base_path_means(status, headers, kind):
    problem = judge_doorstep(status, headers, now=NOW)
    assert (type(problem) if problem else None) is kind


def test_the_servers_time_is_read(monkeypatch):
    answer = httpx.Response(405, headers={"date": "Mon, 23 Nov 2026 06:00:00 GMT"})
    monkeypatch.setattr(httpx.Client, "head", lambda *_: answer)
    assert make_probe("http://127.0.0.1:1").knock().date == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    answer.headers["date"] = "yesterday"
    assert make_probe("http://127.0.0.1:1").knock().date is None


def test_the_authorities_believed_are_the_clients():
    assert authorities(None).verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_is_none_is_named_with_the_setting(tmp_path, content):
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Misconfigured) as caught:
        authorities(str(file))
    assert str(file) in caught.value.why
    assert "ELECTIS_AIMS_CA_FILE" in caught.value.fix
