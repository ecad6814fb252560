"""Logging in, staying logged in and changing the password, as processes (flows 1.1, 1.2, 5.2)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import sqlite3
import stat
import subprocess
import sys
import termios

import pytest

from tests.world.planted import PASSWORD

EMAIL = "admin@acme.example"
LONG_AGO = "2020-01-01T00:00:00.000000+00:00"
pytestmark = pytest.mark.slow


def login(electis, email=EMAIL, password=PASSWORD, check=0):
    return electis("login", email, "--password-stdin", "-o", "json", stdin=password + "\n", check=check)


def execute(electis, statement, *values):
    """Change the database behind everybody's back."""
    with contextlib.closing(sqlite3.connect(electis.home / "data" / "electis.db")) as connection, connection:
        return connection.execute(statement, values).fetchall()


def session_file(electis):
    return electis.home / "state" / "session.json"


def test_a_login_is_kept_for_its_owner_only_and_ended_by_logout(electis):
    """Flow 1.1 at the command line."""
    view = login(electis)
    assert list(view.json) == [
        "email", "role", "organization", "store", "must_change_password", "last_login_at",
    ]  # fmt: skip
    assert stat.S_IMODE(session_file(electis).stat().st_mode) == 0o600
    assert electis("whoami", "-o", "json").json["email"] == EMAIL
    status = electis("auth", "status", "-o", "json").json
    assert status["kept_in"] == str(session_file(electis))
    assert status["access_expires_at"] < status["refresh_expires_at"]
    assert [one["is_current"] for one in electis("auth", "sessions", "-o", "json").json] == [True, False]

    assert electis("logout", "-o", "json").json == {"logged_out": True}

    assert not session_file(electis).exists()
    for command in (("whoami",), ("auth", "status"), ("user", "list"), ("password", "change")):
        assert electis(*command, "-o", "json", check=4).error["code"] == "E-LOGIN-REQUIRED"


def test_unknown_users_and_wrong_passwords_get_one_answer_until_it_is_too_many(electis):
    """Flow 1.1, the other ends: exit 4 with the same words, then exit 14 with the time to wait."""
    unknown = login(electis, "nobody@acme.example", check=4)
    wrong = login(electis, EMAIL, "wrong password 1", check=4)
    assert unknown.err == wrong.err
    assert unknown.out == wrong.out == ""
    execute(electis, "UPDATE login_attempts SET failures = 9")

    assert login(electis, EMAIL, "wrong password 1", check=4).error["code"] == "E-LOGIN-WRONG"
    blocked = login(electis, EMAIL, PASSWORD, check=14).error

    assert (blocked["code"], blocked["retryable"]) == ("E-LOGIN-THROTTLED", True)
    assert 850 < int(blocked["why"].split()[3]) <= 901
    electis("user", "unlock", EMAIL)
    login(electis)


def test_an_expired_access_token_is_refreshed_without_a_word(electis):
    """Flow 1.2 at the command line."""
    before = json.loads(session_file(electis).read_text())
    execute(electis, "UPDATE sessions SET access_expires_at = ?", LONG_AGO)

    done = electis("whoami")

    after = json.loads(session_file(electis).read_text())
    assert done.err == ""
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert stat.S_IMODE(session_file(electis).stat().st_mode) == 0o600
    execute(electis, "UPDATE sessions SET access_expires_at = ?", LONG_AGO)
    execute(electis, "UPDATE refresh_tokens SET expires_at = ?", LONG_AGO)
    assert electis("whoami", "-o", "json", check=4).error["code"] == "E-SESSION-EXPIRED"


def test_commands_that_refresh_at_once_do_not_log_out(electis):
    execute(electis, "UPDATE sessions SET access_expires_at = ?", LONG_AGO)

    running = [
        subprocess.Popen(
            [sys.executable, "-m", "electis_cli", "whoami", "-o", "json"],
            env=electis.environment,
            cwd=electis.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ends = [(process.communicate(timeout=100), process.returncode) for process in running]

    assert [code for _, code in ends] == [0, 0, 0], ends
    assert electis("whoami", "-o", "json").json["email"] == EMAIL
    assert execute(electis, "SELECT count(*) FROM alerts") == [(0,)]


def test_a_refresh_token_used_twice_ends_the_session(electis):
    """Flow 1.2, reuse: a copied session file stops working on both machines."""
    copied = session_file(electis).read_text()
    execute(electis, "UPDATE sessions SET access_expires_at = ?", LONG_AGO)
    electis("whoami")
    kept = session_file(electis).read_text()
    session_file(electis).write_text(copied)

    assert electis("whoami", "-o", "json", check=4).error["code"] == "E-SESSION-REVOKED"

    session_file(electis).write_text(kept)
    assert electis("whoami", "-o", "json", check=4).error["code"] == "E-SESSION-REVOKED"
    assert execute(electis, "SELECT count(*) FROM alerts WHERE closed_at IS NULL") == [(1,)]


def test_changing_the_password(electis):
    """Flow 5.2 at the command line."""

    def change(old, new, check):
        return electis(
            "password", "change", "--password-stdin", "-o", "json", stdin=f"{old}\n{new}\n", check=check
        )

    assert change("wrong password 1", "better battery 10", 4).error["code"] == "E-LOGIN-WRONG"
    weak = change(PASSWORD, "short", 8).error
    assert (weak["code"], weak["why"]) == (
        "E-PASSWORD-WEAK", "It has 5 characters; at least 10 are needed.",
    )  # fmt: skip
    electis("whoami")

    done = change(PASSWORD, "better battery 10", 0)

    assert done.json == {"email": EMAIL, "sessions_ended": 1}
    assert f"electis login {EMAIL}" in done.err
    assert not session_file(electis).exists()
    login(electis, password=PASSWORD, check=4)
    login(electis, password="better battery 10")


def test_one_new_password_line_too_few_changes_nothing(electis):
    refused = electis("password", "change", "--password-stdin", stdin=PASSWORD + "\n", check=2)

    assert refused.err.startswith("error[E-USAGE]")
    electis("whoami")


def test_revoking_sessions(electis):
    login(electis)
    current, other = electis("auth", "sessions", "-o", "json").json
    assert electis("auth", "revoke", check=2).out == ""
    assert electis("auth", "revoke", "no-such", "-o", "json", check=6).error["code"] == "E-NOT-FOUND"
    assert electis("auth", "revoke", other["id"], "-o", "json").json == {"revoked": 1}
    assert electis("auth", "sessions", "-o", "name").out.split() == [current["id"]]

    assert electis("auth", "revoke", "--all", "-o", "json").json == {"revoked": 1}

    electis("whoami", check=4)


def test_on_a_terminal_the_new_password_is_asked_twice(electis):
    """Flow 5.2 for a person: old, new, new again, and nothing of it is shown."""
    output, code = at_a_terminal(electis, [PASSWORD, "better battery 10", "better battery 11"])
    assert code == 8
    assert "differ" in output
    output, code = at_a_terminal(electis, [PASSWORD, "better battery 10", "better battery 10"])
    assert code == 0, output
    assert "battery" not in output
    login(electis, password="better battery 10")


def at_a_terminal(electis, answers):
    """Run `password change` with a terminal of its own, answer every question, and return what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "electis_cli", "password", "change"],
        env=electis.environment,
        cwd=electis.home,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  one system call, no locks
    )
    os.close(theirs)
    shown, waiting = "", list(answers)
    while True:
        try:
            piece = os.read(ours, 1000).decode()
        except OSError:  # the terminal closes with its last user
            break
        shown += piece
        if waiting and shown.count(": ") > len(answers) - len(waiting):
            os.write(ours, waiting.pop(0).encode() + b"\n")
    os.close(ours)
    return shown, process.wait(timeout=60)
