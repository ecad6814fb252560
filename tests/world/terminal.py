"""A command on a pseudo-terminal: it believes that somebody looks at it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios

from tests.servers.leash import leashed
from tests.world.command_line import PATIENCE, CommandLine, until

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A process on a terminal of its own; what it draws is kept, and it dies with the test."""

    def __init__(self, electis: CommandLine, *arguments: str, rows: int = 30, columns: int = 140) -> None:
        self._reader, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._raw = b""
        self._process = subprocess.Popen(
            leashed([sys.executable, "-m", "electis_cli", *arguments], at_death=signal.SIGKILL),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**electis.environment, "TERM": "xterm"},
            cwd=electis.home,
        )
        os.close(terminal)

    @property
    def raw(self) -> str:
        """Everything that was written to the terminal so far, with its control sequences."""
        while select.select([self._reader], [], [], 0)[0]:
            try:
                piece = os.read(self._reader, 65536)
            except OSError:  # what Linux says when the process has gone
                break
            if not piece:
                break
            self._raw += piece
        return self._raw.decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without control sequences."""
        return _ESCAPES.sub("", self.raw)

    def wait_for(self, text: str, *, after: int = 0) -> int:
        """Wait until a text is written behind a place, and return the place behind it."""

        def found() -> int:
            shown = self.text
            assert shown.find(text, after) >= 0 or self._process.poll() is None, shown
            return shown.find(text, after) + 1

        return until(found, f"{text!r} on the terminal") - 1 + len(text)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end, reading on: a terminal that nobody reads holds its writer up."""
        return (
            until(
                lambda: (
                    self.raw is not None
                    and self._process.poll() is not None
                    and (self._process.returncode + 1)
                ),
                "the end of the command",
                seconds=PATIENCE,
            )
            - 1
        )

    def close(self) -> None:
        """End it whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE)
        os.close(self._reader)
