"""`ELECTIS_AIMS_PROXY` as an operator meets it: every command goes through it, and the doctor finds what is wrong."""

from __future__ import annotations

import pytest
import trustme

from tests.flows.in_process import InProcess
from tests.servers.proxy import ForwardProxy
from tests.world.planted import AIMS_PASSWORD, PROXY_PASSWORD
from tests.world.tls import tls_server

NAME = "https://aims.example"


@pytest.fixture
def proxy():
    proxy = ForwardProxy(login=f"agent:{PROXY_PASSWORD}")
    yield proxy
    proxy.stop()


def office_at(home, base_url, proxy_url, **extra):
    """Return the command line of the shop with an account at an AIMS behind a proxy."""
    office = InProcess(home, {"ELECTIS_AIMS_HOSTS": base_url, "ELECTIS_AIMS_PROXY": proxy_url, **extra})
    office(
        "aims", "configure", "--base-url", base_url, "--company", "ACME", "--username", "tester",
        "--password-stdin", stdin=AIMS_PASSWORD + "\n",
    )  # fmt: skip
    return office


@pytest.fixture
def office(shop, simulator_server, proxy):
    """AIMS over plain http, so that a proxy sees and counts every call."""
    return office_at(shop.home, simulator_server.base_url, proxy.url)


@pytest.fixture
def far_office(shop, simulator_server, proxy, tmp_path):
    """AIMS over https, by a name that only the proxy knows."""
    authority, ca_file = trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(ca_file)
    with tls_server(authority.issue_cert("aims.example"), to=simulator_server.port) as port:
        proxy.hosts["aims.example:443"] = port
        yield office_at(shop.home, NAME, proxy.url, ELECTIS_AIMS_CA_FILE=str(ca_file))


def with_proxy(office, url):
    return InProcess(office.home, {**office.extra, "ELECTIS_AIMS_PROXY": url})


def examined(office, *, check):
    """Return the doctor's steps by name, after a look that no secret is shown."""
    shown = office("aims", "doctor", "-o", "json", check=check)
    assert PROXY_PASSWORD not in shown.out + shown.err
    assert "agent" not in shown.out + shown.err
    return {step["name"]: step for step in shown.json["steps"]}


def first_failure(steps):
    return next(step for step in steps.values() if step["status"] == "FAIL")


def test_every_call_goes_through_the_proxy(office, proxy, cloud):
    office("space", "create", "4-117", "--set", "TITLE=Corner")
    before = len(proxy.requests), len(cloud.journal.after())
    office("aims", "ping")
    office("queue", "drain")
    office("sync", "full")
    passed = proxy.requests[before[0] :]
    assert len(passed) == len(cloud.journal.after()) - before[1] > 5
    assert "4-117" in cloud.store("ACME", "001").articles


@pytest.mark.parametrize("kind", ["office", "far_office"])
def test_the_doctor_says_that_there_is_a_proxy_and_goes_through_it(request, proxy, kind):
    office = request.getfixturevalue(kind)
    before = len(proxy.requests)
    steps = examined(office, check=0)
    assert {step["status"] for step in steps.values()} == {"PASS"}, steps
    assert steps["configuration"]["cause"].endswith(f"through the proxy {proxy.name}")
    assert steps["dns"]["cause"] == "127.0.0.1"
    assert steps["tcp"]["cause"] == proxy.name
    assert len(proxy.requests) > before


@pytest.mark.parametrize("kind", ["office", "far_office"])
def test_the_doctor_names_a_proxy_that_is_dead(request, proxy, kind):
    office = request.getfixturevalue(kind)
    proxy.stop()
    steps = examined(office, check=12)
    failed = first_failure(steps)
    assert failed["name"] == "tcp"
    assert failed["cause"].startswith("The proxy 127.0.0.1 takes no connection")
    assert "ELECTIS_AIMS_PROXY" in failed["fix"]
    assert steps["dns"]["status"] == "PASS"
    assert {steps[name]["status"] for name in ("tls", "base_path", "login")} == {"SKIP"}


def test_the_doctor_names_a_proxy_whose_name_does_not_resolve(office):
    office = with_proxy(office, f"http://agent:{PROXY_PASSWORD}@nowhere.invalid:3128")
    failed = first_failure(examined(office, check=12))
    assert failed["name"] == "dns"
    assert "proxy nowhere.invalid" in failed["cause"]
    assert "ELECTIS_AIMS_PROXY" in failed["fix"]


@pytest.mark.parametrize(("kind", "step"), [("office", "base_path"), ("far_office", "tls")])
@pytest.mark.parametrize("trouble", ["407", "502", "silent", "gone", "nonsense"])
def test_the_doctor_names_a_proxy_that_gives_no_way(request, proxy, kind, step, trouble):
    """Over https it is asked for a way before the certificate is seen, over http with the first request."""
    office = request.getfixturevalue(kind)
    office.extra |= {"ELECTIS_CALL_SECONDS": "1", "ELECTIS_CONNECT_SECONDS": "0.5"}
    if trouble == "407":
        office = with_proxy(office, f"http://agent:{PROXY_PASSWORD}-not@{proxy.name}")
    proxy.is_silent = trouble == "silent"
    answers = {"502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "nonsense": b"hello\r\n\r\n"}
    proxy.answer = answers.get(trouble, b"")
    proxy.hangs_up = trouble == "gone"
    failed = first_failure(examined(office, check=12))
    assert failed["name"] == step
    assert proxy.name in failed["cause"]
    assert trouble in failed["cause"] or not trouble.isdigit()


def test_what_is_no_proxy_is_a_matter_of_configuration(office):
    office = with_proxy(office, f"socks5://agent:{PROXY_PASSWORD}@127.0.0.1:1080")
    failed = first_failure(examined(office, check=16))
    assert failed["name"] == "configuration"
    assert "ELECTIS_AIMS_PROXY" in failed["fix"]
    for command in (("aims", "ping"), ("sync", "full")):
        shown = office(*command, "-o", "json", check=16)
        assert shown.error["fix"] == "export ELECTIS_AIMS_PROXY=http://HOST:PORT"
        assert PROXY_PASSWORD not in shown.out + shown.err


def test_no_command_shows_the_proxys_login(office, proxy):
    office("space", "create", "4-117")
    wrong = with_proxy(office, f"http://agent:{PROXY_PASSWORD}-not@{proxy.name}")
    for line in (
        ("aims", "ping"),
        ("queue", "drain"),
        ("queue", "status"),
        ("sync", "full"),
        ("sync", "history"),
        ("explain", "4-117"),
        ("health",),
        ("aims", "last"),
        ("aims", "ping", "--debug-http"),
    ):
        for output in ("table", "json"):
            shown = wrong(*line, "-o", output, check=None)
            assert PROXY_PASSWORD not in shown.out + shown.err, line
            assert "agent" not in shown.out + shown.err, line
    # Wherever the trouble is told, the proxy is named.
    assert proxy.name in wrong("aims", "ping", check=12).out
    assert proxy.name in wrong("sync", "full", check=12).err


@pytest.mark.slow
def test_the_daemon_goes_through_the_proxy_too(office, proxy, shop):
    office("space", "create", "4-117")
    daemon = InProcess(shop.home, office.extra).start_daemon()
    try:
        daemon.wait_for("queue:turn subject=001 outcome=done created=1")
        proxy.stop()
        daemon.wait_for("outcome=E-AIMS-UNREACHABLE")
        assert daemon.stop() == 0
    finally:
        daemon.close()
    assert "POST" in proxy.methods
    assert PROXY_PASSWORD not in daemon.log
