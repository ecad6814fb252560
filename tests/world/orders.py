"""What tests of one-shot commands ask: the table here, the LEDs and the calls at AIMS."""

from __future__ import annotations

from typing import Any

from electis_cli.db import commands
from electis_cli.domain.commands import Command
from electis_cli.services.change import Scope
from electis_cli.simulator import Simulator
from tests.world.ledger import calls

LED = "/labels/led"


def command_of(scope: Scope, command_id: str) -> Command:
    """Return a command as the database has it."""
    with scope.runtime.database.read(scope.org_id) as uow:
        found = commands.find_command(uow, command_id)
    assert found is not None
    return found


def led_calls(cloud: Simulator) -> list[Any]:
    """Return the blink orders in the journal, also those that got no answer, oldest first."""
    return calls(cloud, "PUT", LED)


def leds(cloud: Simulator, store: str = "001") -> dict[str, str]:
    """Return the color every blinking label of a store blinks in."""
    return {code: led.color for code, led in cloud.store("ACME", store).leds.items()}
