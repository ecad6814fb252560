"""`--debug-http`: every call to AIMS as it happens, on standard error, for whoever may read the rows it is about."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from electis_cli.aims.recorder import Exchange
    from electis_cli.services.change import Scope

_LONGEST_BODY = 4000


class Watcher:
    """Shows exchanges; the bodies of logins never, and those about other stores not to who may see one store only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: frozenset[str] | None = frozenset()

    def admit(self, scope: Scope) -> None:
        """Say for whom the calls are shown. Raises PermissionRefused."""
        from electis_cli.services.change import reading

        with reading(scope) as read:
            one_store = scope.actor.store_id is not None
            self._codes = frozenset(place.code for place in read.stores(None)) if one_store else None

    def __call__(self, exchange: Exchange) -> None:
        """Show one exchange, as one piece: stores are pushed side by side."""
        text = self._text(exchange)
        with self._lock:
            print(text, file=sys.stderr, flush=True)

    def _text(self, exchange: Exchange) -> str:
        query = f"?{urlencode(exchange.query)}" if exchange.query else ""
        lines = [f"> {exchange.method} {exchange.prefix}{exchange.path}{query}"]
        answer = f"< {exchange.status if exchange.status is not None else 'no answer'} in {exchange.milliseconds} ms"
        answer += f" {exchange.error}" if exchange.error else ""
        if exchange.is_login:
            return "\n".join([*lines, answer])
        if self._codes is not None and exchange.store not in self._codes:
            return "\n".join([*lines, answer, "  (not about your store: contents not shown)"])
        lines += _shown(exchange.request_body)
        lines.append(answer)
        lines += _shown(exchange.answer_body)
        return "\n".join(lines)


def _shown(body: bytes | None) -> list[str]:
    """Return a body's lines: JSON indented, without secrets, cut at a few kilobytes, harmless to a terminal."""
    from electis_cli.aims.recorder import without_secrets, without_tokens

    if not body:
        return []
    try:
        text = json.dumps(without_secrets(json.loads(body)), ensure_ascii=False, indent=2)
    except ValueError:
        text = without_tokens(body[: 4 * _LONGEST_BODY].decode("utf-8", "replace"))
    left = len(text) - _LONGEST_BODY
    lines = printable(text[:_LONGEST_BODY]).splitlines()
    if left > 0:
        lines.append(f"... and {left} characters more")
    return [f"  {line}" for line in lines]


def printable(text: str) -> str:
    """Return a text with its control characters spelled out: what AIMS sends must not steer the terminal."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else f"\\u{ord(character):04x}"
        for character in text
    )
