"""Stores of ours that AIMS does not have: the others are shown, and the exit code says that some are missing."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from electis_cli.commands.exit_codes import EXIT_FAILED
from electis_cli.commands.output import talk


def end_without(unknown: Sequence[str]) -> None:
    """Name the stores that AIMS does not have, and end with 3 when there are any."""
    for code in unknown:
        talk(f"warning: AIMS has no store {code}; it is left out: electis aims store list")
    if unknown:
        raise typer.Exit(EXIT_FAILED)
