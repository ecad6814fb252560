"""What `label blink --queue` and `label resend --queue` say: how the command stands, and the exit code for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from electis_cli.commands import exit_codes
from electis_cli.commands.options import OutputFormat
from electis_cli.commands.output import show_one, talk
from electis_cli.domain.commands import Obstacle
from electis_cli.domain.timing import iso

if TYPE_CHECKING:
    from electis_cli.services.queued_commands import CommandView

_WAITING = {
    Obstacle.PAUSED: ("the store is paused", exit_codes.EXIT_STOPPED),
    Obstacle.UNREACHABLE: ("AIMS does not answer", exit_codes.EXIT_UNREACHABLE),
    Obstacle.STOPPED: ("the queue of the account is stopped", exit_codes.EXIT_STOPPED),
    Obstacle.FORMAT: ("there is no valid article format", exit_codes.EXIT_CONFIGURATION),
    Obstacle.BACKOFF: ("AIMS asked for a pause, or has to be given one", exit_codes.EXIT_STOPPED),
    Obstacle.WORKER: ("another worker has the store", exit_codes.EXIT_TIME_UP),
}


def show_order(view: CommandView, output: OutputFormat, *, fields: str | None) -> int:
    """Show a queued command, and what to do while it waits; returns the exit code.

    Raises what a command that ended badly met.
    """
    from electis_cli.services.queued_commands import require_success

    require_success(view)
    show_one(view, output, fields=fields, name="id")
    if view.waits_for is not None:
        why, code = _WAITING[view.waits_for]
        talk(f"it waits until {iso(view.expires_at)}: {why}")
        talk(f"take it back: electis queue cancel {view.id}")
        return code
    if view.sent is False:
        talk("nothing was sent: none of them had timed out")
    return exit_codes.EXIT_FAILED if view.refused else 0
