"""The command line of the simulator; `electis aims simulate` passes its options through to here."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from electis_cli.simulator import options, state_file
from electis_cli.simulator.autosave import Autosave
from electis_cli.simulator.dialects import dialect_from_text
from electis_cli.simulator.faults import fault_from_text
from electis_cli.simulator.load import load_from_text
from electis_cli.simulator.server import SimulatorServer
from electis_cli.simulator.settings import Settings
from electis_cli.simulator.simulator import Simulator

EXIT_USAGE, EXIT_BAD_STATE, EXIT_NO_PORT = 2, 8, 16
"""As the commands have it: usage, input that is not valid, a configuration that can not work."""

T = TypeVar("T")


class _Parser(argparse.ArgumentParser):
    """Complains as the commands do that pass their options through to here."""

    def error(self, message: str) -> NoReturn:
        _tell("E-USAGE", f"{message[:1].upper()}{message[1:]}", fix="electis aims simulate --help")
        raise SystemExit(EXIT_USAGE)


def make_parser() -> argparse.ArgumentParser:
    """The options with their defaults."""
    usual = Settings()
    parser = _Parser(
        prog="electis aims simulate",
        usage="electis aims simulate [OPTION ...]",
        description="Run a simulated SoluM AIMS cloud on this machine until SIGTERM or SIGINT.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port, 0 for a free one")
    parser.add_argument("--state", type=Path, help="file that keeps the state over restarts")
    parser.add_argument("--seed", type=int, default=usual.seed, help="seed of the population")
    parser.add_argument("--company", action="append", help="company code; may be repeated")
    parser.add_argument("--store", action="append", help="store code; may be repeated")
    parser.add_argument("--labels-per-store", type=int, default=usual.labels_per_store)
    parser.add_argument("--username", help="the only user; without it any is accepted")
    parser.add_argument("--password-file", type=Path, help="file with that user's password")
    parser.add_argument("--token-seconds", type=int, default=usual.token_seconds)
    parser.add_argument("--record-limit", type=int, default=usual.record_limit, help="0 for none")
    parser.add_argument("--page-cap", type=int, default=usual.page_cap)
    parser.add_argument("--update-seconds", type=float, default=usual.update_seconds)
    parser.add_argument(
        "--fault",
        action="append",
        type=_checked(fault_from_text),
        default=[],
        metavar="NAME=VALUE,...",
        help="e.g. kind=status,code=503,path=/articles,count=3; may be repeated",
    )
    parser.add_argument(
        "--dialect",
        action="append",
        type=_checked(dialect_from_text),
        default=[],
        metavar="NAME=VALUE,...",
        help="how answers are written, e.g. wrap=wrapped,code=0000,path=/labels*; may be repeated",
    )
    parser.add_argument(
        "--load",
        type=_checked(load_from_text),
        metavar="NAME=VALUE,...",
        help="what a fresh world holds, e.g. stores=20,articles=5000,labels=2,odd=yes",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"any of: {', '.join(options.names())}; may be repeated",
    )
    return parser


def run(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal; 0 then, 8 when a file and 16 when the port can not be used."""
    parser = make_parser()
    given = parser.parse_args(argv)
    if (given.username is None) != (given.password_file is None):
        parser.error("--username and --password-file go together")
    try:
        settings = options.with_words(_settings(given), given.set)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        return _no_file("password file", given.password_file, error)
    try:
        world = state_file.read(given.state) if given.state is not None else None
    except (OSError, state_file.StateUnreadable) as error:
        return _no_file("state file", given.state, error)
    try:
        simulator = Simulator(settings, world=world)
        for fault in given.fault:
            simulator.faults.add(fault)
        return _serve(simulator, given)
    except OSError as error:
        where = f"port {given.port} of {given.host}" if given.port else given.host
        _tell(
            "E-SIMULATOR-ADDRESS",
            f"The simulator can not listen on {where}.",
            why=f"{error.strerror or error}.",
            fix="electis aims simulate --port 0",
        )
        return EXIT_NO_PORT


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


def _serve(simulator: Simulator, given: argparse.Namespace) -> int:
    ended = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        with contextlib.ExitStack() as stack:
            server = SimulatorServer(simulator, host=given.host, port=given.port)
            if given.state is not None:
                autosave = Autosave(simulator, given.state)
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


def _no_file(what: str, file: Path, error: Exception) -> int:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    fix = "name another file, or remove this one to begin anew"
    _tell("E-SIMULATOR-FILE", f"The {what} {file} can not be read.", why=f"{why.rstrip('.')}.", fix=fix)
    return EXIT_BAD_STATE


def _tell(code: str, message: str, *, why: str = "", fix: str = "") -> None:
    """Write an error in the form in which all commands write theirs."""
    lines = [f"error[{code}] {message}", why, f"fix: {fix}" if fix else ""]
    print("\n".join(line for line in lines if line), file=sys.stderr)


def _settings(given: argparse.Namespace) -> Settings:
    usual = Settings()
    password = ""
    if given.password_file is not None:
        password = given.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    return Settings(
        seed=given.seed,
        companies=tuple(given.company or usual.companies),
        stores=tuple(given.store or usual.stores),
        labels_per_store=given.labels_per_store,
        username=given.username,
        password=password,
        token_seconds=given.token_seconds,
        record_limit=given.record_limit,
        page_cap=given.page_cap,
        update_seconds=given.update_seconds,
        dialects=tuple(given.dialect),
        load=given.load,
    )


def _checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """A reader of option texts whose complaint argparse passes on."""

    def convert(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert
