"""Commands one after another, and beside the daemon, share one login at AIMS (Q26)."""

from __future__ import annotations

import pytest

from electis_cli.settings import load_settings
from electis_cli.wiring import make_runtime
from tests.world.command_line import CommandLine, until


def logins(desk) -> int:
    """Return how often somebody logged in or refreshed since the desk was set up."""
    return sum(entry.path.endswith(("/token", "/token/refresh")) for entry in desk.cloud.journal.after())


def forget(desk) -> None:
    """Take the desk's own token away, and the calls made so far."""
    for path in (desk.electis.home / "state").glob("aims-token.*"):
        path.unlink()
    desk.cloud.journal.clear()


def test_two_commands_log_in_once(desk):
    forget(desk)
    desk("aims", "article", "list")
    desk("aims", "gateway", "list")
    assert logins(desk) == 1


@pytest.mark.slow
def test_two_processes_log_in_once_also_at_the_same_time(desk):
    forget(desk)
    electis = CommandLine(desk.electis.home, desk.electis.extra)
    # The first hangs in its login for a moment, so that the other surely wants one too.
    desk.cloud.faults.add("latency", path="*/token", seconds=1.0)
    running = [electis.start("aims", "article", "list", log=f"{number}.log") for number in range(2)]
    try:
        assert [process.wait() for process in running] == [0, 0]
    finally:
        for process in running:
            process.close()
    assert logins(desk) == 1


def test_a_token_that_aims_ended_is_replaced_once_and_for_all(desk):
    forget(desk)
    desk("aims", "article", "list")
    desk.cloud.world.tokens.clear()
    desk("aims", "article", "list")
    assert logins(desk) == 2
    desk("aims", "article", "list")
    assert logins(desk) == 2


def test_configure_and_doctor_prove_the_password_and_not_the_token(desk):
    forget(desk)
    desk("aims", "article", "list")
    assert logins(desk) == 1
    desk("aims", "doctor")
    after_doctor = logins(desk)
    assert after_doctor > 1
    line = (
        "aims",
        "configure",
        "--base-url",
        desk.server.base_url,
        "--company",
        "ACME",
        "--username",
        "tester",
    )
    desk(*line, "--password-stdin", "--replace", "--dry-run", stdin="aims-secret\n")
    assert logins(desk) == after_doctor + 1
    desk("aims", "article", "list")
    assert logins(desk) == after_doctor + 1, "nothing was configured: the token is still that of the account"
    desk(*line, "--password-stdin", "--replace", stdin="aims-secret\n")
    desk("aims", "article", "list")
    assert logins(desk) == after_doctor + 3, "a password that was typed anew has no token yet"


def test_the_state_folder_holds_no_token_in_the_clear(desk):
    forget(desk)
    desk("aims", "article", "list")
    tokens = [token.encode() for token in desk.cloud.world.tokens]
    assert tokens
    kept = list((desk.electis.home / "state").glob("aims-token.*"))
    assert kept
    for path in kept:
        content = path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
        assert not [token for token in tokens if token in content]
        assert b"aims-secret" not in content


@pytest.mark.slow
def test_the_daemon_uses_the_login_of_the_command_line(desk):
    forget(desk)
    desk("aims", "article", "list")
    daemon = CommandLine(desk.electis.home, desk.electis.extra).start_daemon()
    try:
        desk("space", "update", "4-2", "--set", "TITLE=New")
        until(lambda: desk.store.articles["4-2"].data.get("TITLE") == "New", "the push")
        assert daemon.stop() == 0
    finally:
        daemon.close()
    assert logins(desk) == 1


def test_a_runtime_without_a_folder_shares_nothing(desk, monkeypatch):
    """Tests and tools that make their own runtime leave no file behind."""
    forget(desk)
    for name, value in desk.electis.environment.items():
        monkeypatch.setenv(name, value)
    make_runtime(load_settings()).database.close()
    assert not list((desk.electis.home / "state").glob("aims-token.*"))
