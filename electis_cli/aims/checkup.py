"""What `aims doctor` asks of AIMS: each question once, with a login of its own, and nothing that changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from electis_cli.aims import wire
from electis_cli.aims.client import AimsClient
from electis_cli.aims.failures import broken_answer
from electis_cli.aims.listed import listed_article
from electis_cli.aims.probe import Probe
from electis_cli.aims.tokens import TokenShelf
from electis_cli.domain.errors import AimsRejected
from electis_cli.domain.organizations import ArticleFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCounters:
    """How a store's gateways and linked labels are; None where the answer does not say."""

    gateways_online: int | None
    gateways: int | None
    labels_online: int | None
    labels: int | None


class Checkup(AimsClient):
    """A client that asks once and does not try again, so that what is seen is what happened; it keeps no token."""

    def __init__(self, *arguments: Any, probe: Probe, **options: Any) -> None:
        """`probe` looks at the way to the same account."""
        self.probe = probe
        self._own_shelf = TokenShelf()
        super().__init__(*arguments, **{**options, "shelf": self._own_shelf})

    @property
    def token_seconds(self) -> int | None:
        """How long AIMS said the token is good for; None when it did not say."""
        token = self._own_shelf.token
        return token.seconds if token is not None else None

    def format_now(self) -> ArticleFormat | None:
        """Return the company's article format, or None when none is configured."""
        answer = self._connection.call("GET", "/common/articles/upload/format", {})
        if answer.body is None:
            return None
        decoded = wire.decode_format(answer.body)
        if decoded is None:
            raise broken_answer("The article format has no columns or does not say which one is the id.")
        return decoded

    def article(self, store: str, article_id: str) -> wire.RemoteArticle | None:
        """Return one article as AIMS lists it, or None."""
        query = {"store": store, "articleIdsList": article_id, "page": 0, "size": 10}
        answer = self._connection.call("GET", "/common/config/article/info", query)
        rows = (listed_article(row) for row in self._connection.rows(answer, "articleList"))
        return next((row for row in rows if row is not None and row.article_id == article_id), None)

    def counters(self, store: str) -> StoreCounters:
        """Return a store's counters. Raises AimsRejected when AIMS does not know the store."""
        answer = self._connection.call("GET", "/common/store/summary", {"store": store})
        payload = wire.payload_of(answer.body)
        if isinstance(payload, Mapping) and isinstance(payload.get("data"), Mapping):
            payload = payload["data"]
        if not isinstance(payload, Mapping):
            raise AimsRejected(why="AIMS has no summary of the store.")
        return StoreCounters(
            gateways_online=wire.number_of(payload.get("onlineGwCount")),
            gateways=_sum(payload, "onlineGwCount", "offlineGwCount", "notReadyGwCount"),
            labels_online=wire.number_of(payload.get("onlineLabelCount")),
            labels=_sum(payload, "onlineLabelCount", "offlineLabelCount"),
        )


def _sum(payload: Mapping[str, Any], *names: str) -> int | None:
    found = [number for name in names if (number := wire.number_of(payload.get(name))) is not None]
    return sum(found) if found else None
