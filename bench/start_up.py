"""How long commands take to start, against a bare interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from bench.ratio import compare


def run() -> Iterator[str]:
    """Yield one line per command."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "ELECTIS_HOME": home, "ELECTIS_KEYRING": "false"}

        def bare() -> None:
            subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)

        def electis(*arguments: str) -> None:
            command = [sys.executable, "-m", "electis_cli", *arguments]
            subprocess.run(command, check=False, env=environment, capture_output=True)

        yield compare("electis --version / bare interpreter", bare, lambda: electis("--version"), limit=None)
        yield compare("electis --help / bare interpreter", bare, lambda: electis("--help"), limit=None)
        yield compare(
            "electis space list (refused) / bare interpreter",
            bare,
            lambda: electis("space", "list"),
            limit=None,
        )
