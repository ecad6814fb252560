"""How a command gets at its services: the runtime, and who is logged in. Everything heavy is imported here, late."""

from __future__ import annotations

import contextlib
import functools
import getpass
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from electis_cli.domain.errors import NotAuthenticated, UsageProblem

if TYPE_CHECKING:
    from electis_cli.adapters.session_store import SessionStore
    from electis_cli.aims.recorder import Recorder
    from electis_cli.domain.access import Actor
    from electis_cli.services.change import Scope
    from electis_cli.services.runtime import Runtime
    from electis_cli.settings import Settings


@functools.cache
def settings_in_force() -> Settings:
    """Return the settings in force."""
    from electis_cli.settings import load_settings

    return load_settings()


@contextlib.contextmanager
def open_runtime(tap: Recorder | None = None) -> Iterator[Runtime]:
    """Open the database and everything services need; for the operator's commands, which need no login.

    `tap` is told of every call to AIMS.
    """
    from electis_cli.settings import state_folder
    from electis_cli.wiring import make_runtime

    runtime = make_runtime(settings_in_force(), tap=tap, state_folder=state_folder())
    try:
        yield runtime
    finally:
        runtime.database.close()


def session_store(settings: Settings) -> SessionStore:
    """Return where this machine's login is kept."""
    from electis_cli.adapters.session_store import SessionStore
    from electis_cli.settings import config_folder, state_folder

    return SessionStore(state_folder(), account=str(config_folder()), use_keyring=settings.keyring)


@contextlib.contextmanager
def open_scope(
    *, org: str | None = None, temporary_password: bool = False, debug_http: bool = False
) -> Iterator[Scope]:
    """Open the database as the user who is logged in; an expired access token is refreshed silently.

    `temporary_password` lets a user in who still has to change theirs. `debug_http` shows the calls to AIMS to a user
    who may read the rows they are about. Raises NotAuthenticated, PasswordMustChange, OrganizationNotFound.
    """
    from electis_cli.services.auth import scope_of_session

    watcher = None
    if debug_http:
        from electis_cli.commands.debug_http import Watcher

        watcher = Watcher()
    with open_runtime(watcher) as runtime:
        settings = settings_in_force()
        store = session_store(settings)
        scope = scope_of_session(
            runtime, store, org=org or settings.org or None, temporary_password=temporary_password
        )
        if watcher is not None:
            watcher.admit(scope)
        yield scope


@contextlib.contextmanager
def open_scopes() -> Iterator[Callable[[], Scope]]:
    """Open the database for a command that goes on for long: each call of what it yields asks anew who is logged in.

    The calls raise NotAuthenticated once the login was revoked, PasswordMustChange, OrganizationNotFound.
    """
    from electis_cli.services.auth import scope_of_session

    with open_runtime() as runtime:
        settings = settings_in_force()
        store = session_store(settings)
        yield lambda: scope_of_session(runtime, store, org=settings.org or None)


@contextlib.contextmanager
def open_platform() -> Iterator[tuple[Runtime, Actor]]:
    """Open the database as whoever is logged in, without choosing an organization."""
    with open_runtime() as runtime:
        from electis_cli.services.auth import actor_of_session

        yield runtime, actor_of_session(runtime, session_store(settings_in_force()))


def default_store(given: str | None) -> str | None:
    """Return the store that was named, else the profile's."""
    return given or settings_in_force().store or None


def read_password(prompt: str, *, from_stdin: bool) -> str:
    """Return a password from standard input or the terminal; never from an argument. Raises UsageProblem."""
    if from_stdin:
        text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            raise UsageProblem("Standard input holds no password.")
        return text
    if not sys.stdin.isatty():
        raise UsageProblem(
            "There is no terminal to ask for a password.",
            fix="add the option that reads it from standard input",
        )
    try:
        return getpass.getpass(f"{prompt}: ")
    except EOFError as error:
        raise NotAuthenticated("No password was given.") from error


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that can not be taken back; without a terminal `--yes` is needed. Raises UsageProblem."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageProblem(f"{question} There is no terminal to ask.", fix="add --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
        raise UsageProblem("Nothing was changed.")
