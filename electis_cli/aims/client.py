"""What electis asks of AIMS: one method per operation (contract 5), values in and values out."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime

import httpx

from electis_cli.aims import wire
from electis_cli.aims.address import Address
from electis_cli.aims.connection import Connection, Credentials, Timeouts
from electis_cli.aims.failures import broken_answer
from electis_cli.aims.listed import listed_article
from electis_cli.aims.reading_ahead import read_ahead
from electis_cli.aims.recorder import Recorder
from electis_cli.aims.tokens import TokenShelf
from electis_cli.domain.articles import Article, clean_text
from electis_cli.domain.errors import AimsAmbiguous, AimsRejected
from electis_cli.domain.organizations import ArticleFormat

IDS_PER_CALL = 50  # contract 5.1, `articleIdsList`


class AimsClient:
    """Speaks to one company's AIMS; safe to share between threads."""

    def __init__(  # noqa: PLR0913 - one argument per thing that tests and wiring replace
        self,
        address: Address,
        credentials: Credentials,
        *,
        clock: Callable[[], datetime],
        timeouts: Timeouts | None = None,
        page_size: int = 500,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        ca_file: str | None = None,
        proxy: str | None = None,
        shelf: TokenShelf | None = None,
        record: Recorder | None = None,
        tap: Recorder | None = None,
    ) -> None:
        """Prepare access to an account; nothing is sent yet. `shelf` shares the token with other clients."""
        self.when_closed: Callable[[AimsClient], None] = AimsClient.hang_up
        self.company = credentials.company
        self._connection = Connection(
            address,
            credentials,
            clock=clock,
            timeouts=timeouts or Timeouts(),
            page_size=page_size,
            transport=transport,
            pause=pause,
            ca_file=ca_file,
            proxy=proxy,
            shelf=shelf,
            record=record,
            tap=tap,
        )

    @property
    def connection(self) -> Connection:
        """The connection itself, for calls beyond the sync (`AimsInspector`)."""
        return self._connection

    def close(self) -> None:
        """Be done with it: hang up, or wait for whoever uses it next (`when_closed`)."""
        self._connection.rest()
        self.when_closed(self)

    def hang_up(self) -> None:
        """Close all connections."""
        self._connection.close()

    # --- reading ----------------------------------------------------------------------------------------------------

    def check_login(self) -> None:
        """Log in; raises AimsLoginRefused, AimsUnreachable or AimsAnswerBroken."""
        self._connection.log_in()

    def ping(self, store: str | None = None) -> float:
        """Ask AIMS for one store's summary, or the stores, once and uncached; returns the seconds it took."""
        began = time.monotonic()
        if store is None:
            self._connection.call("GET", "/common/store", {"page": 0, "size": 1})
        else:
            self._connection.call("GET", "/common/store/summary", {"store": store})
        return time.monotonic() - began

    def article_format(self) -> ArticleFormat | None:
        """Return the company's article format, or None when none is configured."""
        answer = self._connection.read("/common/articles/upload/format", {})
        if answer.body is None:
            return None
        decoded = wire.decode_format(answer.body)
        if decoded is None:
            raise broken_answer("The article format has no columns or does not say which one is the id.")
        return decoded

    def stores(self) -> list[wire.RemoteStore]:
        """Return the company's stores."""
        rows = self._connection.pages("/common/store", {}, "stores")
        return [store for row in rows if (store := wire.decode_store(row))]

    def articles(self, store: str) -> Generator[wire.RemoteArticle]:
        """Yield all articles of a store with their data and labels, page by page; no more than two pages are kept.

        While one page is read the next one is fetched, if AIMS takes its time. Close the generator to stop early.
        Raises UnreliableListing at the end when the pages contradict AIMS's own total: never a reason to believe in
        deletions. Who stops before the end knows nothing of the rest.
        """
        query = {"store": store, "sort": "articleId,asc"}
        earlier: set[str] = set()
        recent: set[str] = set()
        size = self._connection.page_size
        pages = self._connection.whole_pages("/common/config/article/info", query, "articleList")
        with contextlib.closing(read_ahead(pages, has_more=lambda rows: len(rows) >= size)) as ahead:
            for row in itertools.chain.from_iterable(ahead):
                article = listed_article(row)
                # Rows shift between pages (contract 4): what moved to the next page while we read comes once more.
                if article is None or article.article_id in recent or article.article_id in earlier:
                    continue
                recent.add(article.article_id)
                yield article
                if len(recent) >= size:
                    earlier, recent = recent, set()

    def articles_by_id(self, store: str, article_ids: Sequence[str]) -> dict[str, wire.RemoteArticle]:
        """Return those of the given articles that AIMS has, by id."""
        found: dict[str, wire.RemoteArticle] = {}
        for start in range(0, len(article_ids), IDS_PER_CALL):
            piece = article_ids[start : start + IDS_PER_CALL]
            query = {"store": store, "articleIdsList": ",".join(piece)}
            rows = self._connection.pages("/common/config/article/info", query, "articleList")
            wanted = set(piece)
            for row in rows:
                article = listed_article(row)
                if article is not None and article.article_id in wanted:
                    found[article.article_id] = article
        return found

    def count_articles(self, store: str) -> int:
        """Return how many articles AIMS counts in a store."""
        answer = self._connection.read("/common/articles", {"store": store, "page": 0, "size": 1})
        if self._connection.is_nothing(answer):
            return 0
        payload = wire.payload_of(answer.body)
        inside = wire.number_of(payload.get("totalArticleCnt")) if isinstance(payload, Mapping) else None
        total = inside if inside is not None else wire.number_of(answer.headers.get("x-totalelements"))
        if total is None:
            # Neither a field nor a header says it: the short list is read to its end, beside the full one.
            query = {"store": store, "sort": "articleId,asc"}
            listed = self._connection.pages("/common/articles", query, "articleList")
            total = len({clean_text(wire.first_of(row, "articleId", "article_id")) for row in listed} - {""})
        return total

    def labels(self, store: str) -> list[wire.RemoteLabel]:
        """Return the labels of a store, assigned ones and unassigned ones, by code."""
        found: dict[str, wire.RemoteLabel] = {}
        unassigned = self._connection.rows(
            self._connection.read("/common/labels/unassigned", {"store": store}), "labelList"
        )
        listed = self._connection.pages(
            "/common/labels", {"store": store, "sort": "labelCode,asc"}, "labelList"
        )
        for row in (*unassigned, *listed):
            label = wire.decode_label(row)
            if label is not None:
                found[label.label_code] = label
        return [found[code] for code in sorted(found)]

    def label(self, store: str, label_code: str) -> wire.RemoteLabel | None:
        """Return one assigned label, or None when the store has no such one."""
        query = {"store": store, "label": label_code, "page": 0, "size": 10}
        rows = self._connection.rows(self._connection.read("/common/labels", query), "labelList")
        found = [label for row in rows if (label := wire.decode_label(row))]
        return next((label for label in found if label.label_code == label_code), None)

    def batch_result(self, batch_id: str) -> str | None:
        """Return what became of a batch (SUCCESS, PARTIAL_SUCCESS, FAILED), or None while AIMS does not know it."""
        answer = self._connection.read("/common/articles/history", {"name": batch_id, "page": 0, "size": 10})
        for row in self._connection.rows(answer, "articleFileHistoryList"):
            return clean_text(wire.first_of(row, "result", "status")) or None
        return None

    def label_page(self, store: str, label_code: str) -> int | None:
        """Return the page a label shows, or None when AIMS does not know."""
        answer = self._connection.read("/common/labels/detail", {"store": store, "label": label_code})
        payload = wire.payload_of(answer.body)
        return wire.number_of(payload.get("activePage")) if isinstance(payload, Mapping) else None

    def refused_records(self, batch_id: str) -> list[wire.RefusedRecord]:
        """Return why records of a batch were not taken; an installation without the log answers nothing (Q30)."""
        try:
            rows = list(
                self._connection.pages(
                    "/common/articles/validationerror/logs", {"inputBatchId": batch_id}, "data"
                )
            )
        except (AimsRejected, AimsAmbiguous):
            return []
        return [wire.decode_refused(row) for row in rows]

    # --- writing ----------------------------------------------------------------------------------------------------

    def push_articles(self, store: str, articles: Sequence[Article], *, merge: bool) -> wire.WriteAnswer:
        """Write articles: `merge` (PUT) keeps columns that are not ours, else (POST) the article is replaced."""
        body = [wire.encode_article(article) for article in articles]
        answer = self._connection.call(
            "PUT" if merge else "POST",
            "/common/articles",
            {"store": store},
            body,
            is_write=True,
            subjects=[article.article_id for article in articles],
        )
        return wire.decode_write(answer.body)

    def delete_articles(self, store: str, article_ids: Sequence[str]) -> wire.WriteAnswer:
        """Delete articles; AIMS may accept ids that are gone already or refuse them (contract 5.2)."""
        body = {"articleDeleteList": list(article_ids)}
        answer = self._connection.call(
            "DELETE", "/common/articles", {"store": store}, body, is_write=True, subjects=article_ids
        )
        return wire.decode_write(answer.body)

    def link_labels(self, store: str, links: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Link labels to articles."""
        body, codes = wire.encode_links(links), [code for code, _ in links]
        self._connection.call(
            "POST", "/common/labels/link", {"store": store}, body, is_write=True, subjects=codes
        )

    def unlink_labels(self, store: str, label_codes: Sequence[str]) -> None:
        """Unlink labels."""
        body = {"unAssignList": list(label_codes)}
        self._connection.call(
            "POST", "/common/labels/unlink", {"store": store}, body, is_write=True, subjects=label_codes
        )

    def flip_pages(self, store: str, pages: Sequence[tuple[str, int]]) -> None:
        """Let labels show a page; absolute, therefore repeatable."""
        body, codes = wire.encode_pages(pages), [code for code, _ in pages]
        self._connection.call(
            "POST", "/common/labels/page", {"store": store}, body, is_write=True, subjects=codes
        )

    def resend_to_labels(self, store: str, label_codes: Sequence[str]) -> None:
        """Let AIMS send its last image again to labels that timed out."""
        body = {"labelList": list(label_codes)}
        self._connection.call(
            "PUT",
            "/common/labels/resend/timeout",
            {"store": store},
            body,
            is_write=True,
            subjects=label_codes,
        )
