"""A terminal: lines typed into a real shell that has `electis` on its PATH, and a look at the simulator beside it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.world.command_line import ROOT, Background


def folder_of_programs(spare: Path) -> Path:
    """Return the folder to put on the PATH: `.venv/bin`, or `spare` with the same script where nothing is installed."""
    beside_python = Path(sys.executable).parent
    if (beside_python / "electis").exists():
        return beside_python
    script = spare / "electis"
    python = shlex.quote(sys.executable)
    script.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python} -m electis_cli "$@"\n')
    script.chmod(0o755)
    return spare


class Shell:
    """A terminal: a shell in an empty folder that has `electis` on its PATH and an empty HOME."""

    def __init__(self, folder: Path, programs: Path, **variables: str) -> None:
        self.folder = folder
        self.background: list[Background] = []
        (folder / "home").mkdir()
        (folder / "electis-home").mkdir()
        self.environment = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "ELECTIS_HOME": str(folder / "electis-home"),
            "LANG": "C.UTF-8",
            **variables,
        }

    def type(self, line: str) -> str:
        """Type a line, expect that it works, and return what it printed."""
        done = subprocess.run(
            ["sh", "-c", line],
            capture_output=True,
            encoding="utf-8",
            env=self.environment,
            cwd=self.folder,
            check=False,
            timeout=100,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{line}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, line: str, *, before: str = ":") -> Background:
        """Type a line with `&` at its end, after another one that sets the scene."""
        log = self.folder / f"background-{len(self.background)}.log"
        process = Background(
            ["sh", "-c", f"{before}; exec {line}"], environment=self.environment, cwd=self.folder, log=log
        )
        self.background.append(process)
        return process


def ask(port: int, path: str, body: Any = None) -> Any:
    """Ask the simulator's control interface."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/_simulator/{path}", data=data)
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)
