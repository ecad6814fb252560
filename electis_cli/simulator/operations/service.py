"""About and version (contract 5.10)."""

from electis_cli.simulator.call import Call, Reply
from electis_cli.simulator.clock import stamp

VERSION = "2.0.0-simulated"


def get_about(call: Call) -> Reply:
    """What this installation is."""
    return Reply(
        {
            "type": "DASHBOARD",
            "instanceId": "simulator",
            "version": VERSION,
            "hostname": "localhost",
            "timeInfo": {
                "uptime": "0d",
                "systemTime": stamp(call.now, 0),
                "timezone": "UTC",
                "timezoneName": "Coordinated Universal Time",
            },
        }
    )


def get_version(_call: Call) -> Reply:
    """Versions of the services behind the API."""
    names = ("dashboard", "apiService", "inbound", "outbound")
    services = {name: {"name": name, "version": VERSION} for name in names}
    return Reply({"baseVersion": VERSION, **services})


HANDLERS = {"getAbout": get_about, "getVersion": get_version}
