"""The commands that README and docs show work as they are typed."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PORT_IN_README = "18099"


def blocks(page: str) -> list[str]:
    """Every block of shell commands of a page."""
    return re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.slow
def test_the_commands_of_readme_and_importing_work_as_typed(tmp_path):
    (readme,) = blocks("README.md")
    (importing,) = blocks("docs/importing.md")
    programs = tmp_path / "bin"
    programs.mkdir()
    shim = programs / "electis"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m electis_cli "$@"\n')
    shim.chmod(0o755)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    # A person types the next line when the simulator has said that it is ready.
    ready = "\nuntil grep -q 'ready at' simulator.log; do read -r -t 0.1 _ <> <(:) || true; done\n"
    typed = re.sub(r"(simulator\.log &[^\n]*\n)", lambda found: found[1] + ready, readme)
    script = tmp_path / "typed.sh"
    script.write_text(
        "set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n"
        + typed.replace(PORT_IN_README, str(free_port()))
        + importing
    )
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "nowhere"),
        "ELECTIS_HOME": str(tmp_path / "home"),
        "ELECTIS_KEYRING": "false",
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
    }

    done = subprocess.run(
        ["bash", str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert '"writes": 0' in done.stdout
    assert '"external_id": "4-117"' in done.stdout
