"""The AIMS client against a bare loop that does the same calls: listing 50,000 articles, pushing 10,000."""

from __future__ import annotations

import tracemalloc
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import httpx
import orjson

from bench.cloud import bare_client, fetch_pages
from bench.ratio import amount, compare
from electis_cli.aims.address import normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials, Timeouts
from electis_cli.aims.wire import encode_article
from electis_cli.domain.articles import Article
from electis_cli.simulator import Settings, Simulator, SimulatorServer

LISTED, PUSHED, BATCH = 50_000, 10_000, 500


def _article(number: int) -> Article:
    identifier = f"{number:06}"
    data = {
        "ARTICLE_ID": identifier,
        "ITEM_NAME": f"Person {number}",
        "TITLE": "Engineer",
        "PHONE": f"0{number}",
    }
    return Article(article_id=identifier, name=data["ITEM_NAME"], nfc_url="", data=data)


def run() -> Iterator[str]:
    """Yield the two ratios of issue 3."""
    with SimulatorServer(Simulator(Settings(labels_per_store=0))) as server:
        client = AimsClient(
            normalize_address(server.base_url),
            Credentials(company="ACME", username="bench", password="bench"),
            clock=lambda: datetime.now(UTC),
            timeouts=Timeouts(call=60),
        )
        articles = [_article(number) for number in range(LISTED)]
        batches = [articles[start : start + BATCH] for start in range(0, LISTED, BATCH)]
        for batch in batches:
            client.push_articles("001", batch, merge=False)
        with bare_client(server.base_url) as http:
            few = batches[: PUSHED // BATCH]
            bodies = [orjson.dumps([encode_article(article) for article in batch]) for batch in few]
            yield compare(
                f"listing {LISTED:,} articles / pages decoded only",
                lambda: fetch_pages(http),
                lambda: deque(client.articles("001"), maxlen=0),
                limit=2.5,
                runs=3,
            )
            yield _peak_line(client)
            yield compare(
                f"pushing {PUSHED:,} articles / the same bodies",
                lambda: _push(http, bodies),
                lambda: [client.push_articles("001", batch, merge=False) for batch in few],
                limit=1.3,
            )
        client.close()


def _peak_line(client: AimsClient) -> str:
    """Return the memory that a listing needs at its peak, against one of a tenth of the articles: streamed is 1."""
    peaks = []
    for count in (LISTED // 10, LISTED):
        tracemalloc.start()
        deque(islice(client.articles("001"), count), maxlen=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return amount(f"peak memory: {LISTED:,} articles / {LISTED // 10:,}", peaks[1] / peaks[0], limit=1.2)


def _push(http: httpx.Client, bodies: list[bytes]) -> None:
    for body in bodies:
        answer = http.post("/common/articles", content=body, headers={"Content-Type": "application/json"})
        orjson.loads(answer.content)
