"""Ctrl-C stays Ctrl-C, also where it broke something and that is what is met last."""

from __future__ import annotations


def let_interruptions_through(error: BaseException) -> None:
    """Raise KeyboardInterrupt when that is what led to an error.

    At Ctrl-C the driver cancels the statement, and closes the connection when that takes too long: then the COPY can
    not be ended, or the transaction not rolled back.
    """
    behind = [error]
    for one in behind:  # grows while it is walked
        if isinstance(one, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        # What is raised from another error names it twice.
        behind += {
            each for each in (one.__cause__, one.__context__) if each is not None and each not in behind
        }
