"""Listed rows as values; a row that breaks the interface is a broken answer, never an empty one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from electis_cli.aims import wire
from electis_cli.aims.failures import broken_answer


def listed_article(row: Mapping[str, Any]) -> wire.RemoteArticle | None:
    """Return a listed article, None for a row without an id. Raises AimsAnswerBroken for unreadable columns."""
    try:
        return wire.decode_article(row)
    except wire.UnreadableError as error:
        raise broken_answer("An article's columns are not an object.") from error
