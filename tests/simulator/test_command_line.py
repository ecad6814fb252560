import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from electis_cli.simulator.cli import run
from tests.simulator.cloud import SCOPE, record


@contextmanager
def process(*options: str) -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    """The simulator as its own process: the process, its ready line and its address."""
    command = [sys.executable, "-m", "electis_cli.simulator", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            line = child.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line + child.communicate()[1]
            yield child, line, found.group()
        finally:
            child.kill()


def token(url: str, password: str = "p") -> httpx.Response:
    body = {"username": "u", "password": password}
    return httpx.post(f"{url}/common/api/v2/token", json=body, trust_env=False)


def test_it_says_when_it_is_ready_and_ends_with_zero(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with process("--labels-per-store", "3", "--state", str(state)) as (child, line, url):
        assert line == (
            f"AIMS simulator ready at {url} (company ACME; stores 001, 002, 003; any user name and password)\n"
        )
        answer = token(url).json()["responseMessage"]
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        articles = f"{url}/common/api/v2/common/articles"
        sent = httpx.post(articles, params=SCOPE, json=[record("1")], headers=headers, trust_env=False)
        assert sent.status_code == 200
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
        assert child.stdout is not None
        assert child.stdout.read() == ""
    port = url.rpartition(":")[2]
    with process("--port", port, "--state", str(state)) as (child, line, again):
        assert again == url
        articles = f"{again}/common/api/v2/common/articles"
        found = httpx.get(articles, params=SCOPE, headers=headers, trust_env=False)
        assert found.json()["totalArticleCnt"] == 1
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0


def test_options_reach_the_world(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s\n")
    options = ["--company", "BETA", "--store", "7", "--store", "8", "--username", "u"]
    options += ["--password-file", str(secret), "--fault", "kind=status,code=503,path=/store,count=1"]
    options += ["--dialect", "code=0000,path=/store", "--load", "stores=1,articles=4"]
    options += ["--set", "whitelist_status=403"]
    with process(*options, "--token-seconds", "9") as (_, line, url):
        assert line.endswith("(company BETA; stores 7, 8; user u)\n")
        assert token(url).status_code == 401
        answer = token(url, "s").json()["responseMessage"]
        assert answer["expires_in"] == 9
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        stores = f"{url}/common/api/v2/common/store"
        answers = [
            httpx.get(stores, params={"company": "BETA"}, headers=headers, trust_env=False) for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [503, 200]
        assert answers[1].json()["responseCode"] == "0000"
        assert [row["articleCount"] for row in answers[1].json()["stores"]] == [4, 0]


def test_what_cannot_work_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state.json"
    state.write_text("{}")
    assert run(["--state", str(state)]) == 8
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"error[E-SIMULATOR-FILE] The state file {state} can not be read."
    assert told[-1].startswith("fix: ")
    assert run(["--username", "u", "--password-file", str(tmp_path / "none")]) == 8
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        capsys.readouterr()
        assert run(["--port", str(port)]) == 16
    assert capsys.readouterr().err.splitlines() == [
        f"error[E-SIMULATOR-ADDRESS] The simulator can not listen on port {port} of 127.0.0.1.",
        "Address already in use.",
        "fix: electis aims simulate --port 0",
    ]
    bad = (
        ["--username", "u"],
        ["--fault", "kind=odd"],
        ["--port", "x"],
        ["--dialect", "wrap=odd"],
        ["--load", "odd"],
        ["--set", "odd=1"],
    )
    for options in bad:
        with pytest.raises(SystemExit) as ended:
            run(options)
        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith("error[E-USAGE] ")
