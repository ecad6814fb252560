"""What tests can see and set (contract 9.6): journal filters, assertions, counters, dump and load, signs of life."""

from typing import Any

import httpx
import pytest

from electis_cli.simulator import Wanted
from tests.simulator.cloud import START, Cloud, record

SCOPE = {"company": "ACME", "store": "001"}


def entries(cloud: Cloud, **words: Any) -> list[Any]:
    return list(cloud.control("GET", "journal", **words)["entries"])


def test_the_journal_is_narrowed(cloud: Cloud) -> None:
    cloud.simulator.faults.add("license", path="/store", count=1)
    cloud.push(record("1"), record("2"))
    cloud.call("GET", "/store", store=None)
    cloud.call("GET", "/articles", store="no")
    found = entries(cloud, method="POST", path="/articles")
    assert [(one["relative"], one["cluster"], one["taken"]) for one in found] == [
        ("/articles", "common", True)
    ]
    assert [one["message"] for one in entries(cloud, status="4xx")] == [
        "LICENSE_EXPIRED",
        "STORE_CODE_NOT_FOUND",
    ]
    assert [one["fault"] for one in entries(cloud, fault="license")] == ["license"]
    assert len(entries(cloud, article="2")) == 1
    assert len(entries(cloud, store="no")) == len(entries(cloud, status="405", taken="no")) == 1
    assert [one["seq"] for one in entries(cloud, limit=1)] == [cloud.control("GET", "journal")["last"]]
    assert entries(cloud, path="/common/api/v2/*token")[0]["method"] == "POST"
    assert cloud.http.get("/_simulator/journal", params={"odd": "1"}).status_code == 400


def test_the_journal_answers_for_tests(cloud: Cloud) -> None:
    journal = cloud.simulator.journal
    cloud.push(record("1"), record("2"))
    cloud.push(record("2"), record("3"))
    assert journal.article_ids("POST") == ["1", "2", "3"]
    assert journal.count(Wanted(method="POST", path="/articles")) == 2
    cloud.simulator.faults.add("status", method="DELETE", count=1)
    cloud.call("DELETE", "/articles", {"articleDeleteList": ["1"]})
    journal.assert_no_article_deleted()
    assert journal.article_ids("DELETE") == []
    assert journal.article_ids("DELETE", taken=None) == ["1"]
    before = journal.last
    cloud.simulator.faults.add("reset", method="DELETE", count=1, applied=True)
    with pytest.raises(httpx.ReadError):
        cloud.call("DELETE", "/articles", {"articleDeleteList": ["2"]})
    assert journal.article_ids("DELETE") == ["2"]
    with pytest.raises(AssertionError, match=r"1 calls fit .*'DELETE'"):
        journal.assert_no_article_deleted()
    journal.assert_no_article_deleted(after=before + 1)


def test_counters_tell_answers_and_faults(cloud: Cloud) -> None:
    cloud.simulator.faults.add("5xx", count=2)
    cloud.simulator.faults.add("latency")
    for _ in range(3):
        cloud.call("GET", "/articles")
    counters = cloud.control("GET", "counters")
    assert counters["statuses"] == {"200": 1, "500": 2, "204": 1}
    assert counters["faults"] == {"5xx": 2, "latency": 3}


def test_a_dump_is_loaded_again(cloud: Cloud) -> None:
    cloud.push(record("1", "kept"))
    dump, whole = cloud.control("GET", "state"), cloud.simulator.dump()
    for content in (dump, None):
        cloud.call("DELETE", "/articles", {"articleDeleteList": ["1"]})
        if content is None:
            assert cloud.http.post("/_simulator/state", content=whole).status_code == 200
        else:
            cloud.control("POST", "state", content)
        # The token is part of the state.
        assert cloud.info("1")["articleName"] == "kept"
    assert cloud.http.post("/_simulator/state", json={"format": 9, "world": {}}).status_code == 400


def test_the_kinds_of_faults_are_told(cloud: Cloud) -> None:
    kinds = cloud.control("GET", "fault-kinds")["kinds"]
    assert kinds["429"] == ["seconds", "date", "none", "garbage"]
    assert kinds["empty-info"] == []
    made = cloud.control("POST", "faults", {"text": "429,form=none,count=1"})["id"]
    assert cloud.control("GET", "faults")["faults"][0]["form"] == "none"
    assert cloud.control("DELETE", "faults", id=made) == {"ended": True}


def test_labels_are_set_from_outside(cloud: Cloud) -> None:
    cloud.push(record("1"))
    one, two = cloud.labels()[:2]
    for code in (one, two):
        cloud.link(code, "1")
    cloud.advance(2)
    cloud.control("POST", "label", {**SCOPE, "labels": [one], "battery": "BAD", "rssi": -99, "silent": True})
    rows = {row["labelCode"]: row for row in cloud.call("GET", "/labels", battery="BAD").json()["labelList"]}
    assert rows[one]["dataChannelRssi"] == -99
    cloud.control("POST", "label", {**SCOPE, "labels": [two], "outcome": "LATE", "late_seconds": 600})
    cloud.push(record("1", "new"))
    states = []
    for seconds in (0, 2, 600):
        cloud.advance(seconds)
        states.append(cloud.shows(two)["status"])
    assert states == ["PROCESSING", "TIMEOUT", "SUCCESS"]
    cloud.advance(25 * 3600)
    cloud.login()
    assert [
        row["labelCode"] for row in cloud.call("GET", "/labels", network="false").json()["labelList"]
    ] == [one]
    cloud.control("POST", "label", {**SCOPE, "labels": [one], "silent": False})
    assert cloud.call("GET", "/labels", network="false").status_code == 204
    assert cloud.http.post("/_simulator/label", json={**SCOPE, "odd": 1}).status_code == 400
    assert cloud.http.post("/_simulator/label", json={**SCOPE, "outcome": "ODD"}).status_code == 400


def test_gateways_fall_silent_and_are_heard_again(cloud: Cloud) -> None:
    mac = min(cloud.store.gateways)
    cloud.control("POST", "gateway", {**SCOPE, "gateways": [mac], "silent": True})
    assert cloud.store.gateways[mac].silent_since == START
    assert len(cloud.call("GET", "/gateway", network="online").json()["gatewayList"]) == 2
    cloud.advance(300)
    rows = cloud.call("GET", "/gateway", network="offline").json()["gatewayList"]
    assert [(row["macAddress"], row["lastConnectionDate"]) for row in rows] == [(mac, "2026-02-03 18:20:44")]
    cloud.control("POST", "gateway", {**SCOPE, "silent": False})
    assert len(cloud.call("GET", "/gateway", network="online").json()["gatewayList"]) == 2
