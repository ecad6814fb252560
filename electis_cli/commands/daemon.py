"""`electis daemon`: the companion that pushes, syncs and pings without anybody watching."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import electis_cli
from electis_cli.commands.access import open_platform, settings_in_force
from electis_cli.commands.exit_codes import EXIT_FAILED
from electis_cli.commands.launch import become_daemon
from electis_cli.commands.options import Fields, Output, OutputFormat
from electis_cli.commands.output import show_many, talk
from electis_cli.commands.tree import Command, new_app

if TYPE_CHECKING:
    from electis_cli.adapters.systemd_units import Installation

app = new_app()
_TABLE = ("machine", "process_id", "state", "version", "started_at", "heard_at", "pushing")

# What a service does not need, or what is told to it in another way.
_NOT_FOR_SERVICES = {"ELECTIS_HOME", "ELECTIS_PROFILE", "ELECTIS_DEBUG", "ELECTIS_SECRET_KEY_FILE"}
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_STOPPING = 30


class Part(StrEnum):
    """One of the two units that `daemon timer` prints."""

    SERVICE = "service"
    TIMER = "timer"


ForUser = Annotated[
    bool, typer.Option("--user", help="For the user's own manager (systemctl --user), without root.")
]


@app.callback()
def daemon() -> None:
    """The companion daemon."""


@app.command("run", cls=Command)
def run(
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Log warnings and errors only."),
) -> None:
    """Run in the foreground until SIGTERM: queue, full syncs, pings, housekeeping and alerts of all organizations.

    On SQLite a second daemon is refused with exit 11; on PostgreSQL several share the stores among them.
    """
    become_daemon(["--quiet"] if quiet else [])


@app.command("status", cls=Command)
def status(output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show the daemons that share the database, and which stores each is pushing; exit 3 when none is alive.

    `silent` is one that was not heard of for its lease and five seconds: frozen, cut off from the database, or gone.
    Its stores are taken over by the others. After a day it is forgotten.
    """
    with open_platform() as (runtime, actor):
        from electis_cli.services import daemons

        views = daemons.list_daemons(runtime, actor)
        show_many(views, output, fields=fields, table=_TABLE, empty="No daemon was heard of.")
        if not any(view.state == daemons.ALIVE for view in views):
            talk("No daemon is alive. Start one with: electis daemon run")
            raise typer.Exit(EXIT_FAILED)


@app.command("unit", cls=Command)
def unit(user: ForUser = False) -> None:
    """Print a systemd service for the daemon of this installation; no secret is in it.

    Save it as its first line says, then: systemctl daemon-reload; systemctl enable --now electis
    """
    from electis_cli.adapters.systemd_units import daemon_service

    print(daemon_service(_installation(is_user=user)), end="")


@app.command("timer", cls=Command)
def timer(
    user: ForUser = False,
    only: Annotated[Part | None, typer.Option("--only", help="Print one of the two units.")] = None,
) -> None:
    """Print a systemd timer and its service for a site without a daemon: a full sync every 15 minutes.

    The service acts as who is logged in: log in once as its user, with ELECTIS_KEYRING=false. No secret is in it.
    Save each as its first line says, then: systemctl daemon-reload; systemctl enable --now electis-sync.timer
    """
    from electis_cli.adapters.systemd_units import sync_service, sync_timer

    installation = _installation(is_user=user, variables=[("ELECTIS_KEYRING", "false")])
    units = {Part.SERVICE: sync_service, Part.TIMER: sync_timer}
    print("\n".join(make(installation) for part, make in units.items() if only in {None, part}), end="")


def _installation(*, is_user: bool, variables: Sequence[tuple[str, str]] = ()) -> Installation:
    """Return what units must know of this installation: where it is and who owns it, but none of its secrets."""
    from electis_cli.adapters.systemd_units import Installation
    from electis_cli.settings import KEY_CREDENTIAL, config_folder, home_from_environment, state_folder

    settings, home = settings_in_force(), home_from_environment()
    program = Path(sys.executable).with_name("electis")
    folders = [("ELECTIS_HOME", str(home))] if home else _xdg_folders()
    if profile := os.environ.get("ELECTIS_PROFILE"):
        folders.append(("ELECTIS_PROFILE", profile))
    key_file = None if settings.secret_key else settings.key_file.absolute()
    writable = [state_folder()]
    if settings.effective_database_url.startswith("sqlite:///"):
        writable.append(Path(settings.effective_database_url.removeprefix("sqlite:///")).absolute().parent)
    return Installation(
        program=[str(program)] if program.exists() else [sys.executable, "-m", "electis_cli"],
        user=_owner(key_file or config_folder()),
        variables=[*folders, *variables],
        environment_file=config_folder() / "electis.env",
        expected=sorted(
            name for name in os.environ if name.startswith("ELECTIS_") and name not in _NOT_FOR_SERVICES
        ),
        key_file=key_file,
        key_credential=KEY_CREDENTIAL,
        writable=sorted({_that_exists(folder) for folder in writable}),
        read=[program, Path(sys.base_prefix), Path(electis_cli.__file__), config_folder()],
        homes=_HOMES,
        longest_stop=round(settings.lease_seconds) + _STOPPING,
        is_user=is_user,
    )


def _xdg_folders() -> list[tuple[str, str]]:
    """Return the variables that lead a service to the same folders, whatever its own home is."""
    from electis_cli.settings import config_folder, data_folder, state_folder

    return [
        ("XDG_CONFIG_HOME", str(config_folder().parent)),
        ("XDG_DATA_HOME", str(data_folder().parent)),
        ("XDG_STATE_HOME", str(state_folder().parent)),
    ]


def _owner(path: Path) -> str:
    """Return who owns a path, or who asks when it is not there yet."""
    try:
        return path.owner()
    except (OSError, KeyError):
        return pwd.getpwuid(os.getuid()).pw_name


def _that_exists(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that is there: systemd opens only what exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())
