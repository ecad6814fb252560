"""The daemon's entry: settings, the embedded database's lock, signals; everything else is the supervisor's."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence

from daemon.supervisor import Supervisor
from electis_cli.adapters.embedded_lock import lock_embedded_database
from electis_cli.adapters.garbage import collect_seldom
from electis_cli.adapters.on_alert import check_receiver
from electis_cli.commands.failure import show_failure
from electis_cli.domain.errors import ElectisError
from electis_cli.services.daemons import announce, take_over
from electis_cli.settings import load_settings, state_folder
from electis_cli.version import VERSION
from electis_cli.wiring import make_runtime

CHATTY = ("httpx", "httpcore", "alembic")
"""Loggers that would log every URL, and with it store codes and ids, at our own level."""

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT, then finish the batch in flight and exit."""
    parser = argparse.ArgumentParser(
        prog="electis-daemon", description="Keeps AIMS showing what the database says."
    )
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        format=_FORMAT, level=logging.WARNING if options.quiet else logging.INFO, stream=sys.stderr
    )
    collect_seldom()
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    sys.exit(_run())


def _run() -> int:
    try:
        settings = load_settings()
        runtime = make_runtime(settings, state_folder=state_folder(), keep_clients=True)
        path = runtime.database.path
        # Kept open as long as the process lives; the kernel frees it however the process ends.
        lock = lock_embedded_database(path) if path is not None else None
        if lock is not None:
            take_over(runtime)  # what a killed daemon held must not wait for its lease to run out
        if settings.on_alert:
            # Told now: when an alert comes, nobody is there to read that nobody can be told.
            check_receiver(settings.on_alert)
        daemon = announce(runtime, machine=socket.gethostname(), process_id=os.getpid(), version=VERSION)
    except ElectisError as error:
        return show_failure(error, output="table")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Supervisor(runtime, settings, daemon, stop).run()
    if lock is not None:
        lock.close()
    runtime.hang_up()
    runtime.database.close()
    return 0


if __name__ == "__main__":
    main()
