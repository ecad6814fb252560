"""The systemd units of this installation, as text: a service for the daemon, or a timer for sites without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SANDBOX = """\
# What neither Python nor this program needs is taken away; a command in ELECTIS_ON_ALERT lives with the same.
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome={protect_home}
{writable}ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""

_USER_SANDBOX = """\
# The rest of what a system service can give up needs privileges that a user's manager does not have.
UMask=0077
NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What a unit must know of an installation; it holds no secret.

    `variables` are settings that are no secrets, such as ELECTIS_HOME. `key_file` is None when the key comes from the
    environment. `writable` and `read` are the folders that the program needs, `homes` those that a service does not
    see unless it needs something in them; `longest_stop` is how many seconds it may take to finish what it is doing.
    """

    program: Sequence[str]
    user: str
    variables: Sequence[tuple[str, str]]
    environment_file: Path
    expected: Sequence[str]
    key_file: Path | None
    key_credential: str
    writable: Sequence[Path]
    read: Sequence[Path]
    homes: Sequence[Path]
    longest_stop: int
    is_user: bool


def daemon_service(installation: Installation) -> str:
    """Return the service that keeps the daemon running."""
    wanted_by = "default.target" if installation.is_user else "multi-user.target"
    return f"""\
# {_place(installation, "electis.service")}
[Unit]
Description=electis: keeps electronic labels equal to the database
{_network(installation)}# Without its database it ends; it is started again until there is one.
StartLimitIntervalSec=0

[Service]
Type=exec
{_identity(installation)}ExecStart={_command(installation, "daemon", "run")}
Restart=on-failure
RestartSec=5
# 16: the configuration or the key is not valid, and stays so until somebody mends it.
RestartPreventExitStatus=16
# It finishes the batch in flight; what it started meanwhile ends with it.
TimeoutStopSec={installation.longest_stop}
KillMode=mixed
{_sandbox(installation)}
[Install]
WantedBy={wanted_by}
"""


def sync_service(installation: Installation) -> str:
    """Return the service that compares and pushes once, for sites without a daemon; `sync_timer` starts it."""
    return f"""\
# {_place(installation, "electis-sync.service")}
[Unit]
Description=electis: compare all stores with AIMS, push what differs, send mails and alerts
{_network(installation)}
[Service]
Type=oneshot
{_identity(installation)}ExecStart={_command(installation, "sync", "full", "--all-stores")}
# 11: somebody else is doing it right now.
SuccessExitStatus=11
TimeoutStartSec=30min
{_sandbox(installation)}"""


def sync_timer(installation: Installation) -> str:
    """Return the timer that starts `sync_service` every 15 minutes, as the daemon does."""
    return f"""\
# {_place(installation, "electis-sync.timer")}
[Unit]
Description=electis: a full sync every 15 minutes

[Timer]
OnBootSec=2min
OnUnitActiveSec=15min
RandomizedDelaySec=30

[Install]
WantedBy=timers.target
"""


def _place(installation: Installation, name: str) -> str:
    return f"~/.config/systemd/user/{name}" if installation.is_user else f"/etc/systemd/system/{name}"


def _network(installation: Installation) -> str:
    # A user's manager does not know the system's targets.
    if installation.is_user:
        return ""
    return "Wants=network-online.target\nAfter=network-online.target postgresql.service\n"


def _identity(installation: Installation) -> str:
    """Return as whom it runs, with which settings, and where the secret ones come from."""
    lines = []
    if not installation.is_user:
        if installation.user == "root":
            lines.append("# Better: an account of its own that owns the folders. Then print this again.")
        lines.append(f"User={_literal(installation.user)}")
    lines += [f"Environment={_quoted(f'{name}={value}')}" for name, value in installation.variables]
    if installation.key_file is not None:
        if installation.is_user:
            lines.append(f"Environment={_quoted(f'ELECTIS_SECRET_KEY_FILE={installation.key_file}')}")
        else:
            lines.append(
                "# The manager reads the key and hands it over; the file may be readable by root alone."
            )
            key_file = _literal(str(installation.key_file))
            lines.append(f"LoadCredential={_literal(installation.key_credential)}:{key_file}")
    lines.append(
        "# Settings that are secret, one NAME=VALUE a line, in a file that nobody else can read (mode 0600)."
    )
    if installation.expected:
        lines.append(f"# Set where this was printed, and needed there: {' '.join(installation.expected)}")
    lines.append(f"EnvironmentFile=-{_literal(str(installation.environment_file))}")
    return "\n".join(lines) + "\n"


def _sandbox(installation: Installation) -> str:
    if installation.is_user:
        return _USER_SANDBOX
    paths = " ".join(_quoted(str(path)) for path in installation.writable)
    needed = [*installation.writable, *installation.read]
    below_home = any(path.is_relative_to(home) for path in needed for home in installation.homes)
    return _SANDBOX.format(
        protect_home="read-only" if below_home else "yes",
        writable=f"ReadWritePaths={paths}\n" if paths else "",
    )


def _command(installation: Installation, *words: str) -> str:
    # Of the words of a command line only these are not ours.
    return " ".join([*(_quoted(word).replace("$", "$$") for word in installation.program), *words])


def _quoted(text: str) -> str:
    """Return one word of a line that systemd splits into words."""
    escaped = _literal(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if any(character in text for character in " \t\"'\\;") else escaped


def _literal(text: str) -> str:
    """Return text in which systemd expands nothing."""
    return text.replace("%", "%%")
