"""Signs of life of labels and gateways, worked out from the clock when somebody asks (contract 5.5, 9.3)."""

from electis_cli.simulator.devices import Gateway, Label
from electis_cli.simulator.model import Store

BEAT = 900.0
"""Seconds between two signs of life of a label."""
ALIVE_HOURS = 24
"""A store's aliveInterval unless it says otherwise: a label silent for longer is offline (contract 5.5)."""
GATEWAY_SECONDS = 300.0
"""A gateway silent for so long is disconnected."""


def last_seen(label: Label, now: float) -> float:
    """A label that lives answers every quarter of an hour."""
    end = now if label.silent_since is None else min(now, label.silent_since)
    if not label.online or end < label.last_seen:
        return label.last_seen
    return end - (end - label.last_seen) % BEAT


def is_online(store: Store, label: Label, now: float) -> bool:
    """Whether a label gave a sign of life within the store's aliveInterval."""
    return label.online and now - last_seen(label, now) <= 3600.0 * alive_hours(store)


def alive_hours(store: Store) -> float:
    """The store's aliveInterval; what is no positive number counts as the default."""
    config = store.settings.get("storeConfig")
    found = config.get("aliveInterval") if isinstance(config, dict) else None
    return float(found) if isinstance(found, int) and found > 0 else float(ALIVE_HOURS)


def beats(label: Label, now: float, count: int) -> list[float]:
    """The times of the last signs of life, newest first."""
    newest = last_seen(label, now)
    return [newest - BEAT * place for place in range(count)]


def is_ready(gateway: Gateway, now: float) -> bool:
    """Whether a gateway has come up after its registration."""
    return now >= gateway.ready_at


def is_connected(gateway: Gateway, now: float) -> bool:
    """Whether a gateway is registered, up and heard of lately."""
    silent = gateway.silent_since is not None and now - gateway.silent_since >= GATEWAY_SECONDS
    return is_ready(gateway, now) and now >= gateway.down_until and not silent


def status(gateway: Gateway, now: float) -> str:
    """The networkStatus of a gateway (contract 5.8)."""
    if not is_ready(gateway, now):
        return "NOT_READY"
    return "CONNECTED" if is_connected(gateway, now) else "DISCONNECTED"
