from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest

from tests.simulator.cloud import Cloud, record


def linked(cloud: Cloud) -> str:
    """A label that shows article 1."""
    cloud.push(record("1", "Ann", TITLE="Lead", MEETING_NAME="Standup", MEETING_TIME="09:00"))
    label = cloud.labels()[0]
    assert cloud.link(label, "1").status_code == 200
    cloud.advance(2)
    return label


def batch_rows(cloud: Cloud, batch: str, result: str) -> list[dict[str, Any]]:
    answer = cloud.call("GET", "/articles/history/detail", name=batch, result=result)
    return answer.json()["updateDetailList"] if answer.status_code == 200 else []


def test_labels_are_sound_unique_and_repeatable(clouds: Callable[..., Cloud]) -> None:
    cloud, again, other = clouds(), clouds(), clouds(seed=2)
    codes = [
        code
        for cluster in cloud.simulator.world.clusters.values()
        for company in cluster.companies.values()
        for store in company.stores.values()
        for code in store.labels
    ]
    assert len(codes) == len(set(codes)) == 2 * 3 * 12
    for code in codes:
        assert len(code) == 12
        assert code == code.upper()
        assert reduce(lambda x, y: x ^ y, (int(digit, 16) for digit in code)) == 0
    assert cloud.labels() == again.labels()
    assert not set(cloud.labels()) & set(other.labels())
    assert all(2 <= label.pages <= 7 for label in cloud.store.labels.values())


def test_a_linked_label_shows_its_article_after_a_while(cloud: Cloud) -> None:
    cloud.push(record("1", "Ann", TITLE="Lead", ODD="outside the format"))
    label = cloud.labels()[0]
    cloud.link(label, "1")
    row = cloud.call("GET", "/labels").json()["labelList"][0]
    assert (row["labelCode"], row["updateStatus"]) == (label, "PROCESSING")
    assert (cloud.shows(label)["status"], cloud.shows(label)["lines"]) == ("PROCESSING", [])
    cloud.advance(2)
    shown = cloud.shows(label)
    assert (shown["status"], shown["article_id"], shown["name"], shown["page"]) == ("SUCCESS", "1", "Ann", 1)
    assert shown["lines"] == [["ARTICLE_ID", "1"], ["ITEM_NAME", "Ann"], ["TITLE", "Lead"]]
    assert cloud.info("1")["assignedLabel"] == [label]
    assert label not in cloud.call("GET", "/labels/unassigned").text
    assert cloud.call("GET", "/labels/link", labelCode=label, store=None).json()["assignList"] == [
        {"store": "001", "articleId": "1", "labelCode": label, "articleName": "Ann", "articleIndex": "0"}
    ]


def test_a_push_reaches_the_label_and_the_old_picture_stays_until_then(cloud: Cloud) -> None:
    label = linked(cloud)
    batch = cloud.push(record("1", "Bob"))["customBatchId"]
    assert cloud.shows(label)["name"] == "Ann"
    assert [row["labelCode"] for row in batch_rows(cloud, batch, "PROCESSING")] == [label]
    assert batch_rows(cloud, batch, "SUCCESS") == []
    cloud.advance(2)
    assert cloud.shows(label)["name"] == "Bob"
    assert [row["articleId"] for row in batch_rows(cloud, batch, "SUCCESS")] == ["1"]
    default = cloud.call("GET", "/articles/history/detail", name=batch).json()["updateDetailList"]
    assert default[0]["result"] == "SUCCESS"
    row = cloud.call("GET", "/articles/history", name=batch).json()["articleFileHistoryList"][0]
    assert (row["totalImpacted"], row["successImpacted"], row["failImpacted"]) == (1, 1, 0)


def test_unchanged_and_overtaken_updates_say_so(cloud: Cloud) -> None:
    linked(cloud)
    first = cloud.push(record("1", "Bob"))["customBatchId"]
    same = cloud.push(record("1", "Bob"))["customBatchId"]
    cloud.push(record("1", "Cy"))
    assert len(batch_rows(cloud, same, "NO CHANGES IN PRODUCT DATA")) == 1
    assert len(batch_rows(cloud, first, "OLD TX SEQUENCE")) == 1


@pytest.mark.parametrize(("outcome", "after"), [("TIMEOUT", "TIMEOUT"), ("STUCK", "PROCESSING")])
def test_a_label_may_not_answer(cloud: Cloud, outcome: str, after: str) -> None:
    label = linked(cloud)
    cloud.control("POST", "store", {"company": "ACME", "store": "001", "outcome": outcome})
    batch = cloud.push(record("1", "Bob"))["customBatchId"]
    cloud.advance(2)
    assert (cloud.shows(label)["status"], cloud.shows(label)["name"]) == (after, "Ann")
    assert len(batch_rows(cloud, batch, after)) == 1
    assert cloud.call("GET", "/labels/detail", label=label).json()["currentImage"][0]["state"] == after
    assert cloud.call("GET", "/labels", status=after).status_code == 200
    assert cloud.call("GET", "/labels", status="SUCCESS").status_code == 204
    cloud.push(record("1", "Cy"))
    cloud.control("POST", "store", {"company": "ACME", "store": "001", "outcome": "SUCCESS"})
    cloud.advance(2)
    assert (cloud.shows(label)["status"], cloud.shows(label)["name"]) == ("SUCCESS", "Cy")


def test_link_checks(cloud: Cloud) -> None:
    cloud.push(record("1"))
    label = cloud.labels()[0]
    wrong = label[:-1] + ("0" if label[-1] != "0" else "1")

    def message(code: str, *articles: str) -> tuple[int, str]:
        answer = cloud.link(code, *articles)
        return answer.status_code, answer.json()["responseMessage"]

    assert message("ABC", "1") == (405, "LABEL_CODE_LENGTH_IS_NOT_VALID")
    assert message(wrong, "1") == (405, "LABEL_CODE_CHECKSUM_IS_NOT_VALID")
    assert message(label.lower(), "1") == (405, "LABEL_CODE_CHECKSUM_IS_NOT_VALID")
    assert message(label, "none") == (405, "ARTICLE_ID_NOT_FOUND")
    assert message(label) == (405, "FIELD_IS_MISSING")
    cloud.control("POST", "store", {"company": "ACME", "store": "001", "whitelist": True})
    status, text = message(label, "1")
    assert status == 405
    assert "whiteList" in text
    assert cloud.call("POST", "/whitelist", {"labelList": [label]}).status_code == 200
    cloud.control("POST", "company", {"company": "ACME", "label_quota": 0})
    assert message(label, "1") == (403, "LABEL_QUOTA_REACHED")
    cloud.control("POST", "company", {"company": "ACME", "label_quota": 1})
    assert message(label, "1") == (200, "SUCCESS")


def test_a_link_list_is_taken_whole_or_not_at_all(cloud: Cloud) -> None:
    cloud.push(record("1"))
    good, bad = cloud.labels()[0], "ABC"
    body = {"assignList": [{"labelCode": code, "articleIdList": ["1"]} for code in (good, bad)]}
    assert cloud.call("POST", "/labels/link", body).status_code == 405
    assert cloud.call("GET", "/labels").status_code == 204
    body["assignList"].pop()
    assert cloud.call("POST", "/labels/link", body, cbId="yes").json()["customBatchId"]


def test_several_articles_keep_their_order_and_relinking_needs_no_unlink(cloud: Cloud) -> None:
    cloud.push(record("1", "one"), record("2", "two"))
    label = cloud.labels()[0]
    cloud.link(label, "2", "1")
    rows = cloud.call("GET", "/labels/link", labelCode=label, store=None).json()["assignList"]
    assert [(row["articleId"], row["articleIndex"]) for row in rows] == [("2", "0"), ("1", "1")]
    cloud.link(label, "1")
    cloud.advance(2)
    assert cloud.shows(label)["article_ids"] == ["1"]
    assert cloud.info("2")["assignedLabel"] == []


def test_unlinking_clears_the_label(cloud: Cloud) -> None:
    label = linked(cloud)
    assert cloud.call("POST", "/labels/unlink", {"unAssignList": [label]}).status_code == 200
    assert cloud.shows(label)["name"] == "Ann"
    assert label in cloud.call("GET", "/labels/unassigned").text
    assert cloud.call("GET", "/labels").status_code == 204
    cloud.advance(2)
    assert (cloud.shows(label)["article_id"], cloud.shows(label)["lines"]) == (None, [])
    assert cloud.call("POST", "/labels/unlink", {"unAssignList": [label]}).status_code == 200
    unknown = cloud.call("POST", "/labels/unlink", {"unAssignList": ["000000000000"]})
    assert unknown.json()["responseMessage"] == "LABEL_CODE_NOT_FOUND"


def test_deleting_an_article_unlinks_its_labels(cloud: Cloud) -> None:
    label = linked(cloud)
    cloud.push(record("2", "two"))
    both = cloud.labels()[1]
    cloud.link(both, "1", "2")
    cloud.call("DELETE", "/articles", {"articleDeleteList": ["1"]})
    assert label in cloud.call("GET", "/labels/unassigned").text
    cloud.advance(2)
    assert cloud.shows(label)["article_id"] is None
    assert cloud.shows(both)["article_ids"] == ["2"]
    assert cloud.control("GET", "counters")["articles_deleted"] == 1


def test_a_label_moves_to_the_store_that_links_it(cloud: Cloud) -> None:
    label = min(cloud.simulator.store("ACME", "002").labels)
    cloud.push(record("1"))
    assert cloud.link(label, "1").status_code == 200
    assert label not in cloud.call("GET", "/labels/unassigned", store="002").text
    # A code no gateway has reported yet may be linked too.
    assert cloud.link("0A1B2C3DB290", "1").status_code == 200


def test_pages_flip_within_what_is_loaded(cloud: Cloud) -> None:
    label = linked(cloud)
    pages = cloud.store.labels[label].pages = 3

    def flip(code: str, page: int) -> tuple[int, str]:
        answer = cloud.call("POST", "/labels/page", {"pageChangeList": [{"labelCode": code, "page": page}]})
        return answer.status_code, answer.json()["responseMessage"]

    assert flip(label, 2) == (200, "SUCCESS")
    assert cloud.shows(label)["page"] == 1
    cloud.advance(2)
    shown = cloud.shows(label)
    assert shown["page"] == 2
    assert shown["lines"][0] == ["MEETING_NAME", "Standup"]
    assert cloud.call("GET", "/labels/detail", label=label).json()["activePage"] == 2
    assert flip(label, 4) == (405, f"PAGE_CAN_NOT_BE_GREATER_THAN_MAX_PAGES({pages})")
    assert flip(label, 8)[0] == 405
    assert flip(cloud.labels()[5], 1) == (405, "ARTICLE_NOT_LINKED_TO_LABEL")
    cloud.push(record("1", "Bob"))
    cloud.advance(2)
    assert (cloud.shows(label)["page"], cloud.shows(label)["name"]) == (2, "Bob")


def test_leds_blink_whole_or_in_part(cloud: Cloud) -> None:
    label = linked(cloud)
    entry = {"labelCode": label, "color": "RED", "duration": "30s", "patternId": 0}
    body = {"ledBlinkList": [entry, {**entry, "labelCode": "ABC"}]}
    assert cloud.call("PUT", "/labels/led", body).status_code == 405
    assert cloud.call("GET", "/labels/led").json()["ledBlinkList"] == []
    part = cloud.call("PUT", "/labels/led", body, isPartial="true")
    assert (part.status_code, part.json()["responseCode"]) == (206, "206")
    assert part.json()["data"] == [
        {"labelCode": "ABC", "responseCode": "422", "message": "LABEL_CODE_LENGTH_IS_NOT_VALID"}
    ]
    row = cloud.call("GET", "/labels/led").json()["ledBlinkList"][0]
    assert (row["ledColor"], row["articles"][0]["labelCode"]) == ("RED", label)
    cloud.advance(30)
    assert cloud.call("GET", "/labels/led").json()["ledBlinkList"] == []
    by_article = {"ledBlinkList": [{"articleId": "1", "color": "BLUE", "duration": "1m"}]}
    assert cloud.call("PUT", "/articles/led", by_article).status_code == 200
    assert cloud.call("GET", "/labels/led").json()["ledBlinkList"][0]["ledColor"] == "BLUE"
    by_article["ledBlinkList"][0]["color"] = "PINK"
    assert cloud.call("PUT", "/articles/led", by_article).status_code == 405


def test_label_filters(cloud: Cloud) -> None:
    cloud.push(record("1"))
    codes = cloud.labels()
    for code in codes:
        cloud.link(code, "1")
    labels = cloud.store.labels
    for name, field in (
        ("battery", "battery"),
        ("signal", "signal"),
        ("gateway", "gateway"),
        ("type", "model"),
    ):
        value = getattr(labels[codes[0]], field)
        rows = cloud.call("GET", "/labels", size=50, **{name: value}).json()["labelList"]
        expected = [code for code in codes if getattr(labels[code], field) == value]
        assert [row["labelCode"] for row in rows] == expected
    assert cloud.call("GET", "/labels", network="false").status_code == 204
    assert cloud.call("GET", "/labels", battery="EMPTY").status_code == 405
    assert len(cloud.call("GET", "/labels", label=codes[3]).json()["labelList"]) == 1
    assert len(cloud.call("GET", "/labels/article", articleId="1", size=50).json()["labelsList"]) == 12


def test_whitelist(cloud: Cloud) -> None:
    assert cloud.call("GET", "/whitelist").status_code == 204
    code = cloud.labels()[0]
    assert cloud.call("POST", "/whitelist", {"labelList": ["ABC"]}).status_code == 405
    cloud.call("POST", "/whitelist", {"labelList": [code]})
    assert cloud.call("GET", "/whitelist").json()["whiteList"][0]["labelMac"] == code[:8]
    cloud.call("DELETE", "/whitelist", {"labelList": [code]})
    assert cloud.call("GET", "/whitelist").status_code == 204
