"""The command line as a process of its own, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.world.organizations import PASSWORD

ROOT = Path(__file__).resolve().parents[2]


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
            assert finished.code == check, f"{arguments}: exit {finished.code}\n{finished.out}\n{finished.err}"
        return finished

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
