"""The command line within the test's own process: the same entry point, without the time a new Python takes."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass
from unittest import mock

from electis_cli.commands.access import settings_in_force
from electis_cli.commands.main import run
from tests.world.command_line import CommandLine, Finished
from tests.world.leaks import WATCH


@dataclass
class InProcess(CommandLine):
    """Runs `electis` with one home by calling its entry point; nothing of the tester's own environment gets in."""

    def __call__(self, *arguments: str, stdin: str = "", check: int | None = 0) -> Finished:
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n"), io.StringIO()
        settings_in_force.cache_clear()  # a process reads its settings once
        with (
            mock.patch.dict(os.environ, self.environment, clear=True),
            mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run(list(arguments))
        settings_in_force.cache_clear()
        WATCH.hear_command(["electis", *arguments], err.getvalue())
        out.flush()
        finished = Finished(code, out.buffer.getvalue().decode(), err.getvalue())
        if check is not None:
            assert code == check, f"{arguments}: exit {code}\n{finished.out}\n{finished.err}"
        return finished
