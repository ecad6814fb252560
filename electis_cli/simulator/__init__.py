"""A SoluM AIMS cloud that runs on this machine, for tests, demonstrations and dry rehearsals.

It follows section 9 of the wire contract and shares no code with the client, so that a misreading cannot stand
on both sides of the wire. `Simulator` is free of sockets; `SimulatorServer` puts it on loopback.
"""

from electis_cli.simulator.clock import Clock
from electis_cli.simulator.dialects import Dialect
from electis_cli.simulator.faults import Fault
from electis_cli.simulator.journal import Entry, Wanted
from electis_cli.simulator.messages import Delivery, Request, Response
from electis_cli.simulator.server import SimulatorServer
from electis_cli.simulator.settings import Load, Settings
from electis_cli.simulator.simulator import Simulator

__all__ = [
    "Clock",
    "Delivery",
    "Dialect",
    "Entry",
    "Fault",
    "Load",
    "Request",
    "Response",
    "Settings",
    "Simulator",
    "SimulatorServer",
    "Wanted",
]
