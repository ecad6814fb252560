"""Clients between two uses: a daemon pushes all the time, and a new client has to prepare and connect anew."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from electis_cli.aims.client import AimsClient  # brings httpx

_MOST = 16


class IdleClients:
    """Keeps clients that were closed until somebody wants one of the same kind; the oldest go when there are many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[Hashable, AimsClient]] = []
        self._is_over = False

    def take(self, kind: Hashable) -> AimsClient | None:
        """Return the client of this kind that was used last, for its taker alone, or None."""
        with self._lock:
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == kind:
                    return self._idle.pop(place)[1]
        return None

    def keep(self, kind: Hashable, client: AimsClient) -> None:
        """Take a client back that its user is done with."""
        with self._lock:
            self._idle.append((kind, client))
            surplus = self._idle if self._is_over else self._idle[:-_MOST]
            self._idle = [] if self._is_over else self._idle[-_MOST:]
        for _, old in surplus:
            old.hang_up()

    def close(self) -> None:
        """Hang up all of them, and from now on each that comes back."""
        with self._lock:
            self._is_over = True
            idle, self._idle = self._idle, []
        for _, client in idle:
            client.hang_up()
