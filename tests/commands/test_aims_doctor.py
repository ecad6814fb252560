"""`electis aims doctor` and `--debug-http` as a user meets them."""

from __future__ import annotations

import io
import json
import re

import pytest

from electis_cli.aims.recorder import Exchange
from electis_cli.commands import aims_doctor
from electis_cli.commands.debug_http import Watcher, printable
from electis_cli.domain.access import Role
from electis_cli.services.steps import Step, Verdict
from tests.flows.in_process import InProcess
from tests.world.planted import AIMS_PASSWORD, PERSON

NAME = PERSON


@pytest.fixture
def clinic(shop, simulator_server):
    """The shop with an account at the simulator, in the test's own process."""
    clinic = InProcess(shop.home)
    clinic(
        "aims", "configure", "--base-url", simulator_server.base_url, "--company", "ACME", "--username", "tester",
        "--password-stdin", stdin=AIMS_PASSWORD + "\n",
    )  # fmt: skip
    return clinic


# --- doctor ---------------------------------------------------------------------------------------------------------


def test_all_is_well(clinic):
    view = clinic("aims", "doctor", "-o", "json").json
    assert list(view) == ["steps", "ok"]
    assert view["ok"] is True
    assert all(list(step) == ["name", "status", "ms", "cause", "fix"] for step in view["steps"])
    assert {step["status"] for step in view["steps"]} == {"PASS"}, view
    assert [step["name"] for step in view["steps"]][:3] == ["configuration", "dns", "tcp"]


def test_a_person_reads_a_line_for_every_step(clinic, cloud):
    cloud.company("ACME").licensed = False
    shown = clinic("aims", "doctor", check=13)
    lines = shown.out.splitlines()
    assert re.match(r"PASS  configuration +\d+ ms  http://127", lines[0])
    (company,) = (number for number, line in enumerate(lines) if line.startswith("FAIL"))
    assert "company" in lines[company]
    assert lines[company + 1].strip().startswith("fix: ")
    assert "\033" not in shown.out
    assert shown.err.strip() == "9 PASS, 1 FAIL, 5 SKIP"


@pytest.mark.parametrize(
    ("fault", "step", "code"),
    [
        ({"kind": "html"}, "base_path", 12),
        ({"kind": "status", "code": 503}, "base_path", 12),
        ({"kind": "status", "code": 401, "path": "/api/v2/token", "method": "POST"}, "login", 13),
        ({"kind": "status", "code": 429, "path": "/store"}, "company", 14),
        ({"kind": "empty-200", "path": "/articles/upload/format"}, "format", 16),
    ],
)
def test_the_exit_code_is_that_of_the_first_failure(clinic, cloud, fault, step, code):
    cloud.faults.add(fault.pop("kind"), **fault)
    view = clinic("aims", "doctor", "-o", "json", check=code).json
    assert next(item["name"] for item in view["steps"] if item["status"] == "FAIL") == step
    assert view["ok"] is False


def test_without_an_account(shop):
    view = InProcess(shop.home)("aims", "doctor", "-o", "json", check=16).json
    assert view["steps"][0]["fix"].startswith("electis aims configure")


def test_one_store_and_machine_formats(clinic):
    assert "store:001" in clinic("aims", "doctor", "--store", "001", "-o", "name").out.split()
    lines = clinic("aims", "doctor", "-o", "jsonl").out.splitlines()
    assert json.loads(lines[0])["name"] == "configuration"
    clinic("aims", "doctor", "--store", "909", check=6)


def test_colors_are_for_terminals(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    step = Step(name="login", status=Verdict.FAIL, ms=3, cause="no\x1b[2J", fix="do")

    def shown(**environment):
        monkeypatch.setattr("sys.stdout", out := Terminal())
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        aims_doctor._show(step)
        return out.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\033[1;31mFAIL\033[0m" in shown()
    assert "\x1b[2J" not in shown()
    assert "\033" not in shown(NO_COLOR="1")


# --- --debug-http ---------------------------------------------------------------------------------------------------


def test_calls_are_shown_as_they_happen(clinic, simulator_server, cloud):
    clinic("space", "create", "4-117", "--set", f"ITEM_NAME={NAME}")
    shown = clinic("queue", "drain", "--debug-http")
    assert (
        f"> POST {simulator_server.base_url}/common/api/v2/common/articles?company=ACME&store=001"
        in shown.err
    )
    assert '"articleName": "Dana Planted-Levi"' in shown.err
    assert re.search(r"< 200 in \d+ ms", shown.err)
    for secret in (AIMS_PASSWORD, "Bearer", *cloud.world.tokens, *cloud.world.refresh_tokens):
        assert secret not in shown.err
    assert NAME not in clinic("queue", "drain").err


@pytest.mark.parametrize(
    "command",
    [
        ("aims", "ping"),
        ("aims", "doctor"),
        ("aims", "format", "fetch"),
        ("sync", "full"),
    ],
)
def test_every_command_that_calls_aims_can_show_it(clinic, command):
    shown = clinic(*command, "--debug-http", "-o", "json")
    assert "> GET http" in shown.err
    assert "> POST" in shown.err  # the login, without what it carries
    assert AIMS_PASSWORD not in shown.err
    assert "access_token" not in shown.err
    assert shown.json


def test_explain_shows_the_calls_it_rests_on(clinic):
    clinic("space", "create", "4-1")
    assert "> GET http" in clinic("explain", "space", "4-1", "--debug-http", "-o", "json").err
    assert clinic("wait", "--for", "displayed", "--timeout", "0", "--debug-http", check=18).out


def test_configuring_shows_no_password(clinic, simulator_server):
    shown = clinic(
        "aims", "configure", "--base-url", simulator_server.base_url, "--company", "ACME", "--username", "tester",
        "--password-stdin", "--replace", "--debug-http", stdin=AIMS_PASSWORD + "\n",
    )  # fmt: skip
    assert "/articles/upload/format" in shown.err
    assert AIMS_PASSWORD not in shown.err + shown.out


def make_exchange(clock, **values):
    defaults = {
        "method": "PUT",
        "path": "/api/v2/common/articles",
        "query": {"store": "001"},
        "milliseconds": 3,
    }
    return Exchange(
        at=clock(), **{**defaults, "request_body": b'{"articleName": "Dana"}', "status": 200, **values}
    )


def test_who_sees_one_store_sees_no_contents_of_others(bench, clock, capsys):
    scope = bench.organization(store_codes=("001", "002"))
    watcher = Watcher()
    watcher(make_exchange(clock))  # nobody is admitted yet
    watcher.admit(bench.as_role(scope, Role.MANAGER, store="001"))
    watcher(make_exchange(clock, query={"store": "002"}))
    watcher(make_exchange(clock, query={}))
    assert "Dana" not in capsys.readouterr().err
    watcher(make_exchange(clock))
    assert "Dana" in capsys.readouterr().err
    watcher.admit(bench.as_role(scope, Role.VIEWER))
    watcher(make_exchange(clock, query={"store": "002"}))
    assert "Dana" in capsys.readouterr().err


def test_what_is_shown_is_cut_and_harmless(clock, capsys, bench, scope):
    watcher = Watcher()
    watcher.admit(scope)
    watcher(make_exchange(clock, answer_body=json.dumps({"rows": ["x" * 90] * 200}).encode()))
    cut = capsys.readouterr().err
    assert "characters more" in cut
    assert len(cut) < 6000
    watcher(make_exchange(clock, answer_body=b"<html>\x1b[2J</html>", status=502, error="E-AIMS-AMBIGUOUS"))
    page = capsys.readouterr().err
    assert "\x1b" not in page
    assert "< 502 in 3 ms E-AIMS-AMBIGUOUS" in page
    watcher(make_exchange(clock, status=None, error="E-AIMS-UNREACHABLE"))
    assert "< no answer in 3 ms E-AIMS-UNREACHABLE" in capsys.readouterr().err
    assert printable("נועה\u202e\n") == "נועה\\u202e\n"
