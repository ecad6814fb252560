"""The command line of the simulator; `electis aims simulate` passes its options through to here."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from electis_cli.simulator import state_file
from electis_cli.simulator.autosave import Autosave
from electis_cli.simulator.faults import Fault, fault_from_text
from electis_cli.simulator.server import SimulatorServer
from electis_cli.simulator.settings import Settings
from electis_cli.simulator.simulator import Simulator

EXIT_FAILED = 1


def make_parser() -> argparse.ArgumentParser:
    """The options with their defaults."""
    given = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m electis_cli.simulator",
        description="Run a simulated SoluM AIMS cloud on this machine until SIGTERM or SIGINT.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port, 0 for a free one")
    parser.add_argument("--state", type=Path, help="file that keeps the state over restarts")
    parser.add_argument("--seed", type=int, default=given.seed, help="seed of the population")
    parser.add_argument("--company", action="append", help="company code; may be repeated")
    parser.add_argument("--store", action="append", help="store code; may be repeated")
    parser.add_argument("--labels-per-store", type=int, default=given.labels_per_store)
    parser.add_argument("--username", help="the only user; without it any is accepted")
    parser.add_argument("--password-file", type=Path, help="file with that user's password")
    parser.add_argument("--token-seconds", type=int, default=given.token_seconds)
    parser.add_argument("--record-limit", type=int, default=given.record_limit, help="0 for none")
    parser.add_argument("--page-cap", type=int, default=given.page_cap)
    parser.add_argument("--update-seconds", type=float, default=given.update_seconds)
    parser.add_argument(
        "--fault",
        action="append",
        type=_fault,
        default=[],
        metavar="NAME=VALUE,...",
        help="e.g. kind=status,code=503,path=/articles,count=3; may be repeated",
    )
    return parser


def run(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal; 0 then, 1 when the port or the state file cannot be used."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if (options.username is None) != (options.password_file is None):
        parser.error("--username and --password-file go together")
    try:
        settings = _settings(options)
        world = state_file.read(options.state) if options.state is not None else None
        simulator = Simulator(settings, world=world)
        for fault in options.fault:
            simulator.faults.add(fault)
        return _serve(simulator, options)
    except (OSError, state_file.StateUnreadable) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return EXIT_FAILED


def ready_line(server: SimulatorServer) -> str:
    """What is printed once the port is open."""
    world, settings = server.simulator.world, server.simulator.settings
    companies = world.clusters["common"].companies
    stores = sorted({code for company in companies.values() for code in company.stores})
    user = "any user name and password"
    if settings.username is not None:
        user = f"user {settings.username}"
    return (
        f"AIMS simulator ready at {server.base_url} "
        f"(company {', '.join(companies)}; stores {', '.join(stores)}; {user})"
    )


def _serve(simulator: Simulator, options: argparse.Namespace) -> int:
    ended = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        with contextlib.ExitStack() as stack:
            server = SimulatorServer(simulator, host=options.host, port=options.port)
            if options.state is not None:
                autosave = Autosave(simulator, options.state)
                autosave.start()
                # Registered first, so that the last save comes after the last connection has ended.
                stack.callback(autosave.stop)
            stack.enter_context(server)
            print(ready_line(server), flush=True)
            ended.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    given = Settings()
    password = ""
    if options.password_file is not None:
        password = options.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    return Settings(
        seed=options.seed,
        companies=tuple(options.company or given.companies),
        stores=tuple(options.store or given.stores),
        labels_per_store=options.labels_per_store,
        username=options.username,
        password=password,
        token_seconds=options.token_seconds,
        record_limit=options.record_limit,
        page_cap=options.page_cap,
        update_seconds=options.update_seconds,
    )


def _fault(text: str) -> Fault:
    try:
        return fault_from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
