"""The program `electis`, and ``python -m electis_cli``: imports nothing before it is ready for a Ctrl-C."""

import signal
import sys

from electis_cli.adapters.garbage import collect_seldom

EXIT_INTERRUPTED = 130
"""What a shell shows of a process that SIGINT ended; the same as `commands.exit_codes`, which is not loaded yet."""


def main() -> None:
    """Run the command line and exit."""
    collect_seldom()
    try:
        from electis_cli.commands.main import run  # noqa: PLC0415 - see above

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        code = EXIT_INTERRUPTED
    finally:
        _leave_interrupts_behind()
    sys.exit(code)


def _leave_interrupts_behind() -> None:
    """See to it that the exit code is the command's own from here on.

    A Ctrl-C while Python takes itself down would change the answer of a command that is done. And CPython (3.11, run
    with `-m`) remembers an interrupt inside any `exec`, of which imports have many, as if nobody had handled it, and
    ends by SIGINT whatever the exit code is; the next `exec` makes it forget.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exec("")  # noqa: S102


if __name__ == "__main__":
    main()
