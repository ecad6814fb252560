"""Start a program so that it cannot outlive the test process that wanted it.

A test run that is killed runs no cleanup. On Linux the kernel does it: a process may ask for a signal at
the death of its parent. The wish survives `exec`, so this file, run as a script, makes it and then becomes the
program. It must import next to nothing: it is started once for every server.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def leashed(
    command: Sequence[str], *, at_death: signal.Signals = signal.SIGTERM, user_id: int | None = None
) -> list[str]:
    """Return the command line that runs `command` and ends it with `at_death` when this process dies.

    With `user_id` the program runs as that user; only root can ask for it.
    """
    return [
        sys.executable,
        "-I",
        "-S",
        __file__,
        str(os.getpid()),
        str(int(at_death)),
        str(-1 if user_id is None else user_id),
        *command,
    ]


def main(parent: int, death_signal: int, user_id: int, *command: str) -> None:
    """Become `command`."""
    if user_id >= 0:
        os.setgroups([])
        os.setgid(user_id)
        os.setuid(user_id)  # before the wish: changing user makes the kernel forget it
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    # A shell has what it starts in the background ignore Ctrl-C, and that survives `exec` too: a suite started so would
    # find that nothing can be interrupted.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if os.getppid() != parent:  # it died while we were starting
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
