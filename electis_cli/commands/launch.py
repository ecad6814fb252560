"""Starting the daemon, the simulator and, later, the API: each as a process of its own, in the place of this one."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from electis_cli.domain.errors import ExtraMissing


def become_daemon(arguments: Sequence[str]) -> NoReturn:
    """Run the daemon in the place of this process, so that signals reach it directly."""
    _become("daemon.main", arguments)


def become_simulator(arguments: Sequence[str]) -> NoReturn:
    """Run the AIMS simulator in the place of this process. Raises ExtraMissing without its packages."""
    _become("electis_cli.simulator", simulator_command(arguments)[3:])


def simulator_command(arguments: Sequence[str]) -> list[str]:
    """Return the command that runs the simulator. Raises ExtraMissing without its packages."""
    if importlib.util.find_spec("jsonschema") is None:
        raise ExtraMissing(
            "The simulator is not installed.",
            why="It is an optional part: real systems do not need it.",
            fix="pip install 'electis[simulator]'",
        )
    return [sys.executable, "-m", "electis_cli.simulator", *arguments]


def daemon_command(arguments: Sequence[str] = ()) -> list[str]:
    """Return the command that runs the daemon."""
    return [sys.executable, "-m", "daemon.main", *arguments]


def _become(module: str, arguments: Sequence[str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
