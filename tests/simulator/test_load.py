"""Worlds that hold something from the start (contract 9.7)."""

from collections.abc import Callable

import pytest

from electis_cli.simulator.load import load_from_text, odd_article
from electis_cli.simulator.settings import Load
from tests.simulator.cloud import Cloud, still_simulator


def test_a_load_fills_stores_and_links_labels(clouds: Callable[..., Cloud]) -> None:
    cloud = clouds(load=Load(stores=5, articles=20, labels=2))
    stores = cloud.call("GET", "/store", store=None).json()["stores"]
    assert [(row["store"], row["articleCount"]) for row in stores] == [
        ("001", 20),
        ("002", 20),
        ("003", 20),
        ("004", 20),
        ("005", 20),
    ]
    rows = cloud.call("GET", "/config/article/info", size=50).json()["articleList"]
    assert all(len(row["assignedLabel"]) == 2 for row in rows)
    shown = cloud.shows(rows[0]["assignedLabel"][0])
    assert (shown["article_id"], shown["name"]) == (rows[0]["articleId"], rows[0]["articleName"])
    cloud.control("POST", "reset")
    cloud.login()
    assert cloud.call("GET", "/config/article/info", size=50).json()["articleList"] == rows


def test_odd_articles_survive_the_wire_and_the_state_file(cloud: Cloud) -> None:
    assert cloud.control("POST", "load", {"articles": 100, "odd": True}) == {"articles": 300}
    answer = cloud.call("GET", "/config/article/info", size=500)
    found = {row["articleId"]: row for row in answer.json()["articleList"]}
    odd = [odd_article(number) for number in range(20)]
    assert set(found) >= {id_ for id_, _, _ in odd}
    assert len({id_.casefold() for id_ in found}) < len(found) == 100
    for id_, name, data in odd:
        assert found[id_]["articleName"] == name
        assert found[id_]["data"].items() >= data.items()
        one = cloud.call("GET", "/config/articleField", article=id_)
        assert one.json()["data"] == found[id_]["data"]


def test_only_some_stores_of_one_cluster() -> None:
    simulator = still_simulator(labels_per_store=0, load=Load(stores=1, articles=3, cluster="c1"))
    assert len(simulator.store("ACME", "001", "c1").articles) == 3
    assert not simulator.store("ACME", "002", "c1").articles
    assert not simulator.store("ACME", "001").articles


def test_a_load_is_read_from_text() -> None:
    text = "stores=20,articles=5000,labels=2,odd=yes"
    assert load_from_text(text) == Load(stores=20, articles=5000, labels=2, odd=True)
    for bad in ("stores", "odd_one=3", "stores=x"):
        with pytest.raises(ValueError, match=r"name=value|invalid literal"):
            load_from_text(bad)
