"""Labels and gateways of the simulated world, what labels show and what they were told (contract 9.3)."""

from dataclasses import dataclass, field
from typing import Any

Json = Any
"""A decoded JSON value; the simulator stores what clients send and must not narrow it."""


def progress(outcome: str, due: float, late: float, now: float) -> str:
    """PROCESSING until due, then how the label answered; LATE is a TIMEOUT that ends well (contract 5.4, 9.5)."""
    if outcome == "STUCK" or now < due:
        return "PROCESSING"
    if outcome == "LATE":
        return "TIMEOUT" if now < due + late else "SUCCESS"
    return outcome


@dataclass(slots=True)
class Order:
    """One thing a label was told to do, for its history (contract 5.5)."""

    kind: str
    """ARTICLE, ASSIGN, UNASSIGN, PAGE, IMAGEPUSH, NFC or RESEND."""
    batch: str
    tx: str
    page: int
    at: float
    due: float
    outcome: str
    late: float = 0.0
    result: str = ""

    def state(self, now: float) -> str:
        """How far the label has come with it."""
        return self.result or progress(self.outcome, self.due, self.late, now)


@dataclass(slots=True)
class Shown:
    """What a label's display holds: the products' columns as they were when the update was made."""

    page: int = 1
    articles: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    columns: list[list[str]] = field(default_factory=list)
    """Column and value, in the order of the article format, product after product."""
    images: dict[str, str] = field(default_factory=dict)
    """Pushed images (base64) by page; they cover what the columns would show."""


@dataclass(slots=True)
class Label:
    """One shelf label; `shown` lags behind `coming` until `due`."""

    code: str
    model: str
    width: int
    height: int
    color: str
    nfc: bool
    gateway: str
    battery: str
    battery_level: str
    signal: str
    rssi: int
    online: bool
    last_seen: float
    unassigned_on: float
    max_pages: int = 7
    pages: int = 2
    """Pages loaded on the label: the bound of a page flip (contract 5.6)."""
    page: int = 1
    articles: list[str] = field(default_factory=list)
    template: str = ""
    outcome: str = "SUCCESS"
    """How its updates end: SUCCESS, TIMEOUT, LATE (TIMEOUT, then SUCCESS), or STUCK: it never answers."""
    order_outcome: str = ""
    """The same for its present order alone."""
    late: float = 0.0
    """Seconds from the TIMEOUT to the late SUCCESS."""
    started: float = 0.0
    due: float = 0.0
    coming: Shown | None = None
    shown: Shown = field(default_factory=Shown)
    batch: str = ""
    result: str = "SUCCESS"
    nfc_url: str = ""
    images: dict[str, str] = field(default_factory=dict)
    """Pushed images by page; while there are any, article updates are skipped (contract 5.6)."""
    silent_since: float | None = None
    """Since when it gives no sign of life."""
    serial: int = 0
    orders: list[Order] = field(default_factory=list)
    """The last orders, oldest first."""


@dataclass(slots=True)
class Gateway:
    """A radio gateway; it is disconnected until `down_until` after a reboot."""

    mac: str
    name: str
    ip: str
    version: str
    model: str
    channel: int
    last_reboot: float
    down_until: float = 0.0
    ready_at: float = 0.0
    """NOT_READY until then, after a registration (contract 5.8)."""
    silent_since: float | None = None
    settings: dict[str, Json] = field(default_factory=dict)
    """What was written to it and only comes back in its detail."""


@dataclass(slots=True)
class Led:
    """The last LED command of a label."""

    label: str
    color: str
    duration: float
    pattern: int
    at: float
