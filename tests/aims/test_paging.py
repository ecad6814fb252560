"""A server that does not turn the pages of its lists: it is told so after two of them, and nothing is believed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from electis_cli.aims.address import normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials
from electis_cli.aims.inspection import AimsInspector
from electis_cli.domain.articles import Article
from electis_cli.domain.errors import UnreliableListing
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.databases import FakeClock
from tests.world.ledger import calls, label_codes, link

STORE = "001"
STORES = (STORE, "002", "003")
IDS = ("A", "B", "C", "D", "E")

LISTS: dict[str, Callable[[AimsClient, AimsInspector], object]] = {
    "/config/article/info": lambda client, _: list(client.articles(STORE)),
    "/store": lambda client, _: client.stores(),
    "/labels": lambda client, _: client.labels(STORE),
    "/articles/linked": lambda _, ask: list(ask.linked_articles(STORE)),
    "/articles/update/history": lambda _, ask: list(ask.article_history(STORE, "A")),
    "/articles/history": lambda _, ask: list(ask.batches()),
    "/gateway": lambda _, ask: ask.gateways(STORE),
    "/whitelist": lambda _, ask: list(ask.whitelist(STORE)),
}


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    """Three stores; one of them has three gateways, three whitelisted labels, and five articles written three times."""
    settings = Settings(stores=STORES, labels_per_store=8, gateways_per_store=3)
    with SimulatorServer(Simulator(settings)) as running:
        place = running.simulator.store("ACME", STORE)
        place.whitelist |= dict.fromkeys(sorted(place.labels)[:3], 0.0)
        with contextlib.closing(make_client(running)) as client:
            for turn in range(3):
                client.push_articles(STORE, [make_article(one, turn) for one in IDS], merge=False)
        for code, article_id in zip(label_codes(running.simulator, 5), IDS, strict=True):
            link(running.simulator, code, article_id)
        yield running


def make_article(article_id: str, turn: int) -> Article:
    data = {"ARTICLE_ID": article_id, "ITEM_NAME": f"{article_id} {turn}", "TITLE": "", "NFC_URL": ""}
    return Article(article_id=article_id, name=f"{article_id} {turn}", nfc_url="", data=data)


def make_client(server: SimulatorServer) -> AimsClient:
    return AimsClient(
        normalize_address(server.base_url),
        Credentials(company="ACME", username="tester", password="secret"),
        clock=FakeClock(),
        page_size=2,
        pause=lambda _: None,
    )


@pytest.fixture
def client(server) -> Iterator[AimsClient]:
    """Pages of two, so that every list has at least two."""
    server.simulator.faults.clear()
    server.simulator.dialects.clear()
    with contextlib.closing(make_client(server)) as made:
        yield made


@pytest.mark.parametrize("path", LISTS)
def test_a_list_whose_pages_do_not_turn_is_given_up_after_two(server, client, path):
    cloud, ask = server.simulator, AimsInspector(client)
    LISTS[path](client, ask)
    for form in ("no-totals", "totals"):
        cloud.faults.add("page-ignored", form=form)
        before = len(calls(cloud, "GET", path))

        with pytest.raises(UnreliableListing) as caught:
            LISTS[path](client, ask)

        cloud.faults.clear()
        assert "Page 2 has the same 2 rows as the page before" in caught.value.why
        assert caught.value.fix == f"electis aims api GET {path} --query page=1"
        assert len(calls(cloud, "GET", path)) - before == 2


def test_articles_are_not_counted_by_pages_that_do_not_turn(server, client):
    server.simulator.dialects.set("wrap=bare,paging=off")
    assert client.count_articles(STORE) == len(IDS)
    server.simulator.faults.add("page-ignored", path="/articles")
    with pytest.raises(UnreliableListing):
        client.count_articles(STORE)


def test_pages_that_share_a_row_are_not_the_same_page(server, client):
    server.simulator.faults.add("page-dup", path="/config/article/info")
    assert [one.article_id for one in client.articles(STORE)] == list(IDS)
