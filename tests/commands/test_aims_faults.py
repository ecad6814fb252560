"""`electis aims fault`: trouble on demand, at a simulator on this machine and nowhere else."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading

import pytest
import sqlalchemy as sa

from electis_cli.aims.simulator_control import SimulatorControl
from electis_cli.db.engine import Database
from electis_cli.db.tables import organizations
from electis_cli.domain.errors import AimsUnreachable, Misconfigured
from electis_cli.simulator.faults.kinds import KINDS
from tests.world.command_line import CommandLine, until


def point_to(desk, base_url: str) -> None:
    """Make another address the account's."""
    database = Database(f"sqlite:///{desk.electis.home}/data/electis.db")
    with database.engine.begin() as connection:
        connection.execute(sa.update(organizations).values(aims_base_url=base_url))
    database.close()
    desk.electis.extra["ELECTIS_AIMS_HOSTS"] = base_url


def test_a_fault_hits_the_calls_it_is_for_and_is_counted(desk):
    made = desk.json(
        "aims", "fault", "add", "--kind", "status", "--code", "503", "--path", "/store/summary", "--count", "1",
    )  # fmt: skip
    assert {name: made[name] for name in ("kind", "path", "count", "fired")} == {
        "kind": "status",
        "path": "/store/summary",
        "count": 1,
        "fired": 0,
    }
    assert made["settings"] == {"code": 503}
    desk("aims", "api", "GET", "/store/summary", "--query", "store=001", check=None)
    (standing,) = desk.json("aims", "fault", "list")
    assert (standing["id"], standing["fired"]) == (made["id"], 1)


def test_a_fault_is_met_by_doctor_and_gone_when_it_is_cleared(desk):
    desk("aims", "fault", "add", "--kind", "login-refused")
    steps = {step["name"]: step["status"] for step in desk.json("aims", "doctor", check=13)["steps"]}
    assert steps["login"] == "FAIL"
    desk("aims", "fault", "clear")
    desk("aims", "doctor")
    assert desk.json("aims", "fault", "list") == []


def test_every_option_reaches_the_simulator(desk):
    desk(
        "aims", "fault", "add", "--kind", "reject-article", "--method", "post", "--after", "2", "--seconds", "1.5",
        "--probability", "0.5", "--store", "001", "--article", "4-1", "--article", "4-2", "--set", "seed=7",
        "--set", "message=NO",
    )  # fmt: skip
    (fault,) = desk.cloud.faults.listing()
    assert fault["articles"] == ("4-1", "4-2")
    assert (fault["method"], fault["after"], fault["seconds"], fault["probability"]) == ("POST", 2, 1.5, 0.5)
    assert (fault["store"], fault["company"], fault["seed"], fault["message"]) == ("001", "ACME", 7, "NO")


LOCKING = {"hang", "latency", "refuse"}
"""What a call waits for, or finds closed, until the fault is cleared."""
FORMS = [
    pytest.param(kind, form, id=f"{kind}-{form}")
    for kind, known in KINDS.items()
    for form in (known.forms if kind in {*LOCKING, "cut"} else known.forms[:1])
]


@pytest.mark.parametrize(("kind", "form"), FORMS)
def test_a_fault_of_every_kind_is_listed_and_cleared_while_it_strikes(desk, kind, form):
    values = {"seconds": 30} if kind == "latency" else {}
    desk.cloud.faults.add(kind, form=form, **values)
    with contextlib.ExitStack() as stack:
        for method, path in (("GET", "/store"), ("GET", "/config/article/info"), ("PUT", "/articles")):
            stack.enter_context(asked_without_waiting(desk, method, path))
        if kind in LOCKING:
            until(lambda: desk.cloud.faults.listing()[0]["fired"], "the fault to strike")

        (standing,) = desk.json("aims", "fault", "list")
        assert (standing["kind"], standing["form"]) == (kind, form or None)
        desk("aims", "fault", "clear")

        assert desk.json("aims", "fault", "list") == []
        assert desk.json("aims", "ping")["ok"] is True


@contextlib.contextmanager
def asked_without_waiting(desk, method, path):
    """Send a request and leave the answer alone; a port that is closed already is asked in vain."""
    with socket.socket() as asking:
        with contextlib.suppress(ConnectionError):
            asking.connect(("127.0.0.1", desk.server.port))
            line = f"{method} /common/api/v2/common{path}?company=ACME&store=001 HTTP/1.1"
            asking.sendall(f"{line}\r\nAuthorization: Bearer none\r\nContent-Length: 0\r\n\r\n".encode())
        yield


def test_a_closed_port_takes_everything_that_faults_are_about_and_nothing_else(desk):
    desk("aims", "fault", "add", "--kind", "refuse", "--path", "/store")
    unreachable = desk("aims", "api", "GET", "/store", "-o", "json", check=12).error
    assert unreachable["code"] == "E-AIMS-UNREACHABLE"

    assert desk("aims", "ping", "-o", "json", check=12).json["ok"] is False
    second = desk.json("aims", "fault", "add", "--kind", "latency")["id"]
    assert desk.json("aims", "fault", "list", "--kinds")
    desk("aims", "fault", "clear", str(second))
    assert desk("aims", "ping", check=12).out, "another fault was cleared: the port stays closed"

    desk("aims", "fault", "clear")
    desk("aims", "ping")


@pytest.mark.slow
def test_a_simulator_that_refuses_from_its_start_is_let_go(desk, tmp_path):
    """The simulator is a process of its own, and so is everybody who asks it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = CommandLine(desk.electis.home, desk.electis.extra)
    simulator = command.start("aims", "simulate", "--port", str(port), "--fault", "kind=refuse,path=/store")
    try:
        until(lambda: is_open(port), "the simulator")
        point_to(desk, f"http://127.0.0.1:{port}")
        command.extra |= desk.electis.extra
        command("aims", "api", "GET", "/store", check=12)
        assert command("aims", "fault", "list", "-o", "json").json[0]["kind"] == "refuse"
        command("aims", "fault", "clear")
        command("aims", "api", "GET", "/store")
    finally:
        simulator.close()


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_one_of_several_is_cleared(desk):
    first, second = (desk.json("aims", "fault", "add", "--kind", kind)["id"] for kind in ("latency", "hang"))
    assert desk.json("aims", "fault", "clear", str(first)) == {"ended": [first], "dry_run": False}
    assert [fault["id"] for fault in desk.cloud.faults.listing()] == [second]
    assert (
        desk("aims", "fault", "clear", str(first), "-o", "json", check=6).error["fix"]
        == "electis aims fault list"
    )


def test_the_names_of_what_was_cleared_are_its_numbers(desk):
    numbers = [str(desk.json("aims", "fault", "add", "--kind", kind)["id"]) for kind in ("html", "cut")]
    assert desk("aims", "fault", "clear", "-o", "name").out.split() == numbers
    assert desk("aims", "fault", "clear", "-o", "name").out == ""


def test_a_dry_run_changes_nothing(desk):
    planned = desk.json("aims", "fault", "add", "--kind", "status", "--code", "500", "-n")
    assert (planned["id"], planned["settings"]) == (None, {"code": 500})
    assert desk.cloud.faults.listing() == []
    desk("aims", "fault", "add", "--kind", "latency")
    (number,) = desk.json("aims", "fault", "clear", "--dry-run")["ended"]
    assert [fault["id"] for fault in desk.cloud.faults.listing()] == [number]


def test_an_unknown_kind_or_field_is_explained(desk):
    error = desk("aims", "fault", "add", "--kind", "flood", "-o", "json", check=8).error
    assert "unknown fault kind 'flood'" in error["why"]
    assert error["fix"] == "electis aims fault list --kinds"
    kinds = {row["kind"]: row["forms"] for row in desk.json("aims", "fault", "list", "--kinds")}
    assert {"status", "latency", "hang", "reject-article"} <= set(kinds)
    assert desk("aims", "fault", "list").err == "The simulator has no faults in force.\n"


@pytest.mark.parametrize(
    "base_url", ["https://eu.common.solumesl.com", "http://10.0.0.7:80", "https://127.0.0.1:9"]
)
@pytest.mark.parametrize("line", ["add --kind status", "list", "clear"])
def test_only_a_simulator_on_this_machine_is_asked(desk, base_url, line):
    point_to(desk, base_url)
    error = desk("aims", "fault", *line.split(), "-o", "json", check=16).error
    assert "no simulator on this machine" in error["message"]
    assert "electis aims simulate" in error["fix"]


@pytest.mark.parametrize("role", ["viewer", "manager"])
def test_faults_are_for_those_who_set_up_aims(desk, role):
    other = desk.log_in_as(role)
    other("aims", "fault", "add", "--kind", "hang", check=5)
    other("aims", "fault", "clear", check=5)
    other("aims", "fault", "list", check=0 if role == "manager" else 5)
    assert desk.cloud.faults.listing() == []


# --- the control itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "[::1]", "localhost"])
def test_every_name_of_this_machine_is_known(host):
    SimulatorControl(f"http://{host}:8080").close()


@pytest.mark.parametrize(
    "origin", ["http://localhost.example", "http://0.0.0.0:1", "ftp://127.0.0.1", "http://"]
)
def test_no_other_host_passes_for_this_machine(origin):
    with pytest.raises(Misconfigured):
        SimulatorControl(origin)


def test_a_simulator_that_is_gone_is_unreachable():
    control = SimulatorControl("http://127.0.0.1:9")
    try:
        with pytest.raises(AimsUnreachable):
            control.faults()
    finally:
        control.close()


class SomethingElse(http.server.BaseHTTPRequestHandler):
    """A web server on this machine that is no simulator."""

    def do_GET(self) -> None:
        body = b"<html>hello</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_another_server_on_this_machine_is_no_simulator():
    with http.server.HTTPServer(("127.0.0.1", 0), SomethingElse) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        control = SimulatorControl(f"http://127.0.0.1:{server.server_port}")
        try:
            with pytest.raises(Misconfigured, match="no simulator"):
                control.faults()
        finally:
            control.close()
            server.shutdown()
            thread.join()


def test_a_fault_for_a_path_that_aims_does_not_have_says_so(desk):
    added = desk("aims", "fault", "add", "--kind", "status", "--path", "/artikels")
    assert added.err.startswith("warning: AIMS has no path /artikels, so this meets nothing")
    assert desk("aims", "fault", "add", "--kind", "status", "--path", "/labels*").err == ""
    desk("aims", "fault", "clear")


def test_the_path_of_a_login_is_given_without_the_api(desk):
    assert desk("aims", "fault", "add", "--kind", "status", "--code", "503", "--path", "/token").err == ""
    desk("aims", "doctor", check=12)
    assert desk.json("aims", "fault", "list")[0]["fired"] > 0
    desk("aims", "fault", "clear")
