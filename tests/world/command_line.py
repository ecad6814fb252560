"""The command line as a process of its own, in a home of its own; processes that run beside the test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.servers.leash import leashed
from tests.world.leaks import WATCH
from tests.world.planted import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 100.0
"""Seconds that a condition may take on a busy machine; what is well comes in a fraction of it."""

Found = TypeVar("Found")


def until(condition: Callable[[], Found], what: str, *, seconds: float = PATIENCE) -> Found:
    """Look again and again until `condition` returns something true, and return that; fails after `seconds`."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        pause.wait(0.05)
    return found


class Background:
    """A process that runs beside the test and dies with it; its standard error and output go to one log."""

    def __init__(self, command: Sequence[str], *, environment: dict[str, str], cwd: Path, log: Path) -> None:
        self.log_file = log
        with log.open("ab") as file:
            self._began_at = file.tell()
            self._process = subprocess.Popen(
                leashed(command, at_death=signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=environment,
                cwd=cwd,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        """What this process has written so far."""
        return self.log_file.read_bytes()[self._began_at :].decode(errors="replace")

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def wait_for(self, text: str, *, seconds: float = PATIENCE) -> str:
        """Wait for a line of the log that holds `text`, and return it; fails when the process ends without it."""

        def found() -> str | None:
            ended = self.exit_code is not None
            line = next((line for line in self.log.splitlines() if text in line), None)
            assert line or not ended, f"ended with {self.exit_code} without {text!r}:\n{self.log}"
            return line

        return until(found, f"{text!r} in {self.log_file}", seconds=seconds)

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for the process to end by itself and return its exit code."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {seconds:.0f} s:\n{self.log}")

    def stop(self) -> int:
        """End it with SIGTERM and return its exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """End it whatever it does; for the end of a test."""
        with contextlib.suppress(ProcessLookupError):
            self.kill()


@dataclass
class Finished:
    """What a finished command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error object of a machine format."""
        return json.loads(self.err.strip().splitlines()[-1])["error"]


@dataclass
class CommandLine:
    """Runs `electis` with one home; nothing of the tester's own environment gets in."""

    home: Path
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        WATCH.live_in(self.home)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home / "nowhere"),
            "ELECTIS_HOME": str(self.home),
            "ELECTIS_KEYRING": "false",
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "LANG": "C.UTF-8",
            **self.extra,
        }

    def __call__(self, *arguments: str, stdin: str = "", check: int | None = 0) -> Finished:
        """Run a command and return what it left; fails unless its exit code is `check` (None: any)."""
        done = subprocess.run(
            [sys.executable, "-m", "electis_cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.environment,
            cwd=self.home,
            check=False,
            timeout=100,
        )
        finished = Finished(done.returncode, done.stdout, done.stderr)
        if check is not None:
            assert finished.code == check, (
                f"{arguments}: exit {finished.code}\n{finished.out}\n{finished.err}"
            )
        return finished

    def start(self, *arguments: str, log: str = "background.log", **extra: str) -> Background:
        """Start `electis ARGUMENTS` beside the test, with settings of its own on top."""
        return self._background([sys.executable, "-m", "electis_cli", *arguments], log, extra)

    def start_daemon(self, **extra: str) -> Background:
        """Start the daemon beside the test, quick to look for work, and wait until it is up."""
        quick = {
            "ELECTIS_POLL_SECONDS": "0.1",
            "ELECTIS_PING_SECONDS": "1",
            "ELECTIS_HOUSEKEEPING_SECONDS": "1",
        }
        daemon = self._background([sys.executable, "-m", "daemon.main"], "daemon.log", {**quick, **extra})
        daemon.wait_for("daemon:started")
        return daemon

    def _background(self, command: Sequence[str], log: str, extra: dict[str, str]) -> Background:
        return Background(
            command, environment={**self.environment, **extra}, cwd=self.home, log=self.home / log
        )

    def initialize(self, code: str = "ACME") -> None:
        """Make an organization and log its admin in."""
        email = f"admin@{code.lower()}.example"
        self(
            "init", "--org-code", code, "--org-name", code.title(), "--admin-email", email,
            "--admin-password-stdin", stdin=PASSWORD + "\n",
        )  # fmt: skip
        self("login", email, "--password-stdin", stdin=PASSWORD + "\n")


@pytest.fixture
def make_electis(tmp_path: Path) -> Callable[..., CommandLine]:
    """Return how to make a command line with a home of its own."""

    def make(name: str = "home", **extra: str) -> CommandLine:
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        return CommandLine(home, dict(extra))

    return make


@pytest.fixture
def electis(make_electis: Callable[..., CommandLine]) -> CommandLine:
    """A command line on a fresh SQLite database: organization ACME, its admin logged in, store 001."""
    command_line = make_electis()
    command_line.initialize()
    return command_line
