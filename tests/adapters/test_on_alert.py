"""The operator's receiver of alerts: what it gets, and that nothing it does takes longer than the limit."""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import time
from pathlib import Path

import pytest

from electis_cli.adapters.on_alert import check_receiver, hand_over
from electis_cli.domain.errors import Misconfigured, ReceiverFailed
from tests.world.command_line import until

DOCUMENT = {"cause": "dead-letter:001:X", "text": 'שלום \u2028 "quoted"', "store": None, "count": 3}


def script(folder: Path, *lines: str) -> str:
    """Return the command line of a program with these lines, in a folder whose name has a blank."""
    file = folder / "on alert.py"
    file.write_text("\n".join(("import os, signal, subprocess, sys, time", *lines)) + "\n", encoding="utf-8")
    return shlex.join([sys.executable, "-S", str(file), "with a blank"])


def is_running(process_id: int) -> bool:
    """Tell whether a process runs; one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


# --- a command ------------------------------------------------------------------------------------------------------


def test_a_command_gets_the_document_on_standard_input_and_its_own_words(tmp_path):
    out = tmp_path / "out.json"
    copy = f"open({str(out)!r}, 'wb').write(sys.argv[1].encode() + b'|' + sys.stdin.buffer.read())"
    command = script(tmp_path, copy)

    hand_over(command, DOCUMENT)

    word, _, text = out.read_text(encoding="utf-8").partition("|")
    assert word == "with a blank"
    assert json.loads(text) == DOCUMENT
    assert (text[-1], text.count("\n")) == ("\n", 1)


def test_no_shell_reads_the_command(tmp_path):
    target = tmp_path / "made-by-a-shell"

    hand_over(f"true ; touch {shlex.quote(str(target))}", DOCUMENT)
    hand_over(f"true $(touch {shlex.quote(str(target))})", DOCUMENT)

    assert not target.exists()


def test_a_command_gets_no_secret_of_the_daemons_environment(tmp_path, monkeypatch):
    out = tmp_path / "environment"
    for name in ("ELECTIS_SECRET_KEY", "ELECTIS_DATABASE_URL", "ELECTIS_SMTP_URL", "PGPASSWORD", "LC_ALL"):
        monkeypatch.setenv(name, "planted")

    hand_over(script(tmp_path, f"open({str(out)!r}, 'w').write(repr(dict(os.environ)))"), DOCUMENT)

    told = eval(out.read_text())  # noqa: S307 - our own words
    assert told["PATH"] == os.environ["PATH"]
    assert [name for name, value in told.items() if value == "planted"] == ["LC_ALL"]


def test_a_command_that_reads_nothing_is_well_too():
    hand_over("true", {**DOCUMENT, "text": "x" * 300_000})


@pytest.mark.parametrize(
    ("command", "why"), [("false", "the exit code 1"), ("no-such-program-at-all", "can not be started")]
)
def test_a_command_that_fails_says_how(command, why):
    with pytest.raises(ReceiverFailed) as caught:
        hand_over(command, DOCUMENT)
    assert why in caught.value.why
    assert caught.value.code == "E-ON-ALERT"


def test_a_command_that_does_not_end_is_ended_with_all_it_started(tmp_path):
    """Its group goes with it: a child that ignores SIGTERM and holds what it was given."""
    pids = tmp_path / "pids"
    command = script(
        tmp_path,
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])",
        f"open({str(pids)!r} + '.new', 'w').write(f'{{os.getpid()}} {{child.pid}}')",
        f"os.rename({str(pids)!r} + '.new', {str(pids)!r})",
        "time.sleep(600)",
    )
    began = time.monotonic()

    with pytest.raises(ReceiverFailed, match="did not take") as caught:
        hand_over(command, DOCUMENT, seconds=1.0)

    assert time.monotonic() - began < 5
    assert caught.value.why == "It did not end within 1 seconds."
    for process_id in map(int, pids.read_text().split()):
        until(lambda process_id=process_id: not is_running(process_id), f"the end of {process_id}")


# --- an address -----------------------------------------------------------------------------------------------------


def test_a_url_gets_the_document_posted(receiver):
    hand_over(f"{receiver.url}/hooks/7?key=a%20b", DOCUMENT)

    (one,) = receiver.received
    assert (one.method, one.target) == ("POST", "/hooks/7?key=a%20b")
    assert one.headers["Content-Type"] == "application/json"
    assert one.document == DOCUMENT
    assert "Authorization" not in one.headers


def test_a_login_in_the_url_is_sent_as_one(receiver):
    hand_over(receiver.url.replace("//", "//dana:p%40ss@"), DOCUMENT)

    (one,) = receiver.received
    assert one.target == "/"
    assert one.headers["Authorization"] == "Basic ZGFuYTpwQHNz"
    assert "dana" not in one.headers["Host"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_a_failure_and_followed_nowhere(receiver, status):
    receiver.status = status
    with pytest.raises(ReceiverFailed) as caught:
        hand_over(f"{receiver.url}/?key=planted", DOCUMENT)
    assert caught.value.why == f"It answered with the status {status}."
    assert len(receiver.received) == 1


@pytest.mark.parametrize("how", ["is_silent", "drips"])
def test_a_server_that_does_not_finish_is_left_when_the_time_is_up(receiver, how):
    """The limit is for the whole call: a byte now and then does not prolong it, and the connection is broken off."""
    setattr(receiver, how, True)
    began = time.monotonic()
    with pytest.raises(ReceiverFailed) as caught:
        hand_over(receiver.url, DOCUMENT, seconds=0.5)
    assert time.monotonic() - began < 3
    assert caught.value.why == "It did not answer within 0.5 seconds."
    if how == "drips":
        assert receiver.over.wait(10), "the connection is still open"


def test_nobody_at_the_address_is_a_failure_that_does_not_quote_it():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ReceiverFailed) as caught:
        hand_over(f"http://127.0.0.1:{port}/?key=planted", DOCUMENT)
    assert caught.value.why == "It could not be reached: ConnectionRefusedError."
    assert "planted" not in f"{caught.value} {caught.value.why} {caught.value.fix}"


def test_the_environments_proxy_is_not_used(receiver, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    hand_over(receiver.url, DOCUMENT)
    assert len(receiver.received) == 1


# --- the setting ----------------------------------------------------------------------------------------------------


NEITHER = (
    "http://", "https://[x/", "http://h:99999/", "http://h:0/", "http://h/ x", "http://h/\x7f", "http://h\u00f6st/",
    " ", "'open", "a\0b",
)  # fmt: skip


@pytest.mark.parametrize("setting", NEITHER)
def test_a_setting_that_is_neither_is_told(setting):
    with pytest.raises(Misconfigured) as caught:
        check_receiver(setting)
    assert "ELECTIS_ON_ALERT" in caught.value.message
    with pytest.raises(Misconfigured):
        hand_over(setting, DOCUMENT)


@pytest.mark.parametrize(
    "setting", ["http://10.0.0.1:8080/x", "HTTPS://pager.internal/", "/opt/page --all 'a b'"]
)
def test_private_hosts_and_commands_are_fine(setting):
    check_receiver(setting)
