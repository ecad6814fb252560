"""Calls through a proxy: a real one on loopback, to AIMS over plain http and, in a tunnel, over https."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass

import pytest
import trustme

from electis_cli.aims.address import normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials, Timeouts
from electis_cli.aims.proxy import parse_proxy
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsRejected,
    AimsUnreachable,
    ElectisError,
    Misconfigured,
)
from electis_cli.settings import Settings
from tests.servers.proxy import ForwardProxy
from tests.world.planted import PROXY_PASSWORD
from tests.world.tls import tls_server

NAME = "https://aims.example"
"""It resolves nowhere: only the proxy knows the way."""


@dataclass
class Way:
    """A proxy and the AIMS behind it, over http or https."""

    proxy: ForwardProxy
    base_url: str
    ca_file: str | None

    @property
    def is_tunnel(self):
        return self.base_url == NAME


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def make_way(simulator_server, authority, tmp_path):
    """Return how to put a proxy in front of the simulator."""
    opened = []

    def make(scheme, **options):
        if scheme == "http":
            way = Way(ForwardProxy(**options), simulator_server.base_url, None)
        else:
            ca_file = tmp_path / "authority.pem"
            authority.cert_pem.write_to_path(ca_file)
            server = tls_server(authority.issue_cert("aims.example"), to=simulator_server.port)
            opened.append(lambda: server.__exit__(None, None, None))
            hosts = {"aims.example:443": server.__enter__()}
            way = Way(ForwardProxy(hosts=hosts, **options), NAME, str(ca_file))
        opened.append(way.proxy.stop)
        return way

    yield make
    for close in reversed(opened):
        close()


@pytest.fixture
def make_client(clock):
    clients = []

    def make(way, **options):
        values = {"proxy": way.proxy.url, "ca_file": way.ca_file, "timeouts": Timeouts(connect=0.5, call=1.0)}
        client = AimsClient(
            normalize_address(way.base_url),
            Credentials(company="ACME", username="tester", password="secret"),
            clock=clock,
            pause=lambda _: None,
            **{**values, **options},
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


both = pytest.mark.parametrize("scheme", ["http", "https"])


def said(error):
    """Return everything that an error could end up saying, to people or in a log."""
    shown = traceback.format_exception(error, chain=True)
    return "\n".join([*shown, repr(error), error.message, error.why, error.fix, str(error.details)])


# --- through it -----------------------------------------------------------------------------------------------------


def test_plain_http_is_passed_on_with_the_whole_url(make_way, make_client, cloud):
    way = make_way("http")
    make_client(way).ping()
    assert way.proxy.methods == ["POST", "GET"]  # the login, and the question
    assert all(one.target.startswith(f"{way.base_url}/common/api/v2/") for one in way.proxy.requests)
    assert len(cloud.journal.after()) == 2


def test_https_goes_through_one_tunnel_and_stays_secret(make_way, make_client, cloud):
    way = make_way("https")
    client = make_client(way)
    client.ping()
    client.ping()
    assert [(one.method, one.target) for one in way.proxy.requests] == [("CONNECT", "aims.example:443")]
    assert len(cloud.journal.after()) == 3


@both
def test_a_proxy_gets_the_login_of_its_url(make_way, make_client, scheme):
    way = make_way(scheme, login=f"agent:{PROXY_PASSWORD}")
    make_client(way).ping()
    assert all(one.authorization for one in way.proxy.requests)


def test_signs_in_a_login_are_written_as_in_any_url(make_way, make_client):
    way = make_way("http", login="d@na:p/ss:wörd")
    make_client(way, proxy=f"http://d%40na:p%2Fss:w%C3%B6rd@{way.proxy.name}").ping()


@both
def test_the_certificate_behind_the_proxy_is_verified(make_way, make_client, scheme):
    way = make_way(scheme)
    client = make_client(way, ca_file=None)
    if way.is_tunnel:
        with pytest.raises(AimsUnreachable, match=r"through the proxy") as caught:
            client.ping()
        assert "CERTIFICATE" in caught.value.why
    else:
        client.ping()


# --- the proxy gives no way -----------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("given", ["", f"agent:{PROXY_PASSWORD}-not"])
def test_a_refused_login_names_the_proxy_and_tells_no_secret(make_way, make_client, scheme, given):
    way = make_way(scheme, login=f"agent:{PROXY_PASSWORD}")
    url = f"http://{given}@{way.proxy.name}" if given else f"http://{way.proxy.name}"
    with pytest.raises(AimsUnreachable) as caught:
        make_client(way, proxy=url).ping()
    error = caught.value
    assert error.message.startswith(f"The proxy {way.proxy.name} ")
    assert ("refuses the login" if given else "asks for a login") in error.message
    assert f"The proxy {way.proxy.name} answered 407" in error.why
    assert "ELECTIS_AIMS_PROXY" in error.fix
    assert PROXY_PASSWORD not in said(error)
    assert "agent" not in said(error)


@both
@pytest.mark.parametrize("status", [403, 502, 503, 504])
def test_a_proxy_that_lets_nothing_through_is_named(make_way, make_client, scheme, status):
    way = make_way(scheme)
    page = b"<html>denied</html>"
    # The proxy hangs up afterwards, and says so: else the next request could meet a connection that is just gone.
    way.proxy.answer = (
        b"HTTP/1.1 %d No\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
        % (status, len(page), page)
    )
    # In a tunnel it can not have been AIMS; and AIMS forbids in words, not in pages.
    expected = AimsUnreachable if way.is_tunnel or status == 403 else AimsAmbiguous
    with pytest.raises(ElectisError) as caught:
        make_client(way).ping()
    assert type(caught.value) is expected
    assert way.proxy.name in caught.value.message
    assert f"The proxy {way.proxy.name} answered {status}" in caught.value.why
    assert "ELECTIS_AIMS_PROXY" in caught.value.fix


@both
def test_what_aims_itself_says_is_not_put_on_the_proxy(make_way, make_client, cloud, scheme):
    way = make_way(scheme)
    client = make_client(way)
    client.ping()
    cloud.faults.add("status", code=502, path="/store", message="DATABASE_IS_AWAY")
    with pytest.raises(AimsAmbiguous) as caught:
        client.ping()
    assert "proxy" not in caught.value.message + caught.value.fix
    assert "DATABASE_IS_AWAY" in caught.value.why
    cloud.faults.clear()
    cloud.faults.add("status", code=405, path="/store", message="STORE_IS_ODD")
    with pytest.raises(AimsRejected):
        client.ping()


@both
def test_a_proxy_that_is_not_there_is_named(make_way, make_client, scheme):
    way = make_way(scheme, login=f"agent:{PROXY_PASSWORD}")
    way.proxy.stop()
    with pytest.raises(AimsUnreachable) as caught:
        make_client(way).ping()
    for words in (caught.value.message, caught.value.why):
        assert f"through the proxy {way.proxy.name}" in words
    assert PROXY_PASSWORD not in said(caught.value)


@both
def test_one_that_is_no_proxy_is_named_and_not_quoted(make_way, make_client, scheme):
    way = make_way(scheme)
    way.proxy.answer = b"SSH-2.0-Dana\r\n\r\n"
    with pytest.raises(AimsAmbiguous) as caught:
        make_client(way).ping()
    assert way.proxy.name in caught.value.message
    assert "Dana" not in caught.value.why


# --- the deadline of the whole call ---------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_proxy_that_hangs_does_not_outlive_the_deadline(make_way, make_client, scheme, how):
    """A single read of a dripping answer is always in time; the whole is not."""
    way = make_way(scheme)
    way.proxy.is_silent = how == "silent"
    way.proxy.answer = b"HTTP/1.1 200 OK\r\nX-Filling: " + b"x" * 1000
    way.proxy.drip = 0.05
    client, began = make_client(way), time.monotonic()
    with pytest.raises(AimsAmbiguous) as caught:
        client.check_login()
    assert time.monotonic() - began < 5
    for words in (caught.value.message, caught.value.why):
        assert f"through the proxy {way.proxy.name}" in words


# --- only the one that was named ------------------------------------------------------------------------------------


def test_proxies_of_the_environment_are_not_used(make_way, make_client, forward_proxy, monkeypatch, cloud):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, forward_proxy.url)
    way = make_way("http")
    make_client(way, proxy=None).ping()
    assert way.proxy.requests == []
    make_client(way).ping()
    assert len(way.proxy.requests) == 2
    assert forward_proxy.requests == []
    assert len(cloud.journal.after()) == 4


# --- the setting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name", "login"),
    [
        ("http://proxy.example:3128", "proxy.example:3128", None),
        ("proxy.example:3128", "proxy.example:3128", None),
        ("http://proxy.example/", "proxy.example:80", None),
        ("agent:p%40ss@10.0.0.1:3128", "10.0.0.1:3128", (b"agent", b"p@ss")),
        ("http://[::1]:3128", "[::1]:3128", None),
        (" http://proxy:3128 ", "proxy:3128", None),
    ],
)
def test_the_url_of_a_proxy(url, name, login):
    found = parse_proxy(url)
    assert (found.name, found.login) == (name, login)


@pytest.mark.parametrize(
    "url",
    [
        "https://agent:{}@proxy.example:3128",
        "socks5://agent:{}@proxy.example:1080",
        "http://agent:{}@proxy.example:port",
        "http://agent:{}@proxy.example:0",
        "http://agent:{}@",
        "http://agent:{}@[::g]:1",
        "http://agent:{}@proxy.example:3128/path",
        "http://agent:{}@prôxy.example",
        "://{}",
    ],
)
def test_what_is_no_proxy_is_refused_without_repeating_it(url):
    with pytest.raises(Misconfigured) as caught:
        parse_proxy(url.format(PROXY_PASSWORD))
    assert PROXY_PASSWORD not in said(caught.value)
    assert "ELECTIS_AIMS_PROXY" in caught.value.fix


def test_neither_a_proxy_nor_settings_show_a_password():
    proxy = parse_proxy(f"http://agent:{PROXY_PASSWORD}@proxy.example:3128")
    assert repr(proxy) == str(proxy) == "Proxy(proxy.example:3128)"
    held = dict.fromkeys(
        ("aims_proxy", "smtp_url", "redis_url", "database_url", "secret_key"), PROXY_PASSWORD
    )
    settings = Settings(**held)
    assert PROXY_PASSWORD not in repr(settings) + str(settings)
