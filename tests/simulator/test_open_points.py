"""What no source decides (contract 9.8): each choice as a setting, by its number."""

from collections.abc import Callable
from typing import Any

import pytest

from electis_cli.simulator import Settings
from electis_cli.simulator.options import names, with_words
from tests.simulator.cloud import Cloud, ids_of, record

Clouds = Callable[..., Cloud]
INFO = "/config/article/info"


def ids(cloud: Cloud, **query: Any) -> list[str]:
    answer = cloud.call("GET", INFO, **query)
    return ids_of(answer.json()["articleList"]) if answer.status_code == 200 else []


@pytest.mark.parametrize(("over", "kept"), [("truncate", 2), ("accept", 3)])
def test_1_records_above_the_limit(clouds: Clouds, over: str, kept: int) -> None:
    cloud = clouds(record_limit=2, over_limit=over)
    answer = cloud.push(*(record(f"{n}") for n in range(3)))
    assert answer["validCount"] == kept
    assert len(ids(cloud)) == kept
    cloud.call("DELETE", "/articles", {"articleDeleteList": ["0", "1", "2"]})
    assert ids(cloud) == []


def test_2_a_size_above_the_cap(clouds: Clouds) -> None:
    cloud = clouds(page_cap=2, over_page="refuse")
    cloud.push(record("1"))
    assert cloud.call("GET", INFO, size=3).json()["responseMessage"] == "SIZE_IS_INVALID"
    assert ids(cloud, size=2) == ["1"]


def test_3_paging_headers(clouds: Clouds) -> None:
    cloud = clouds(paging_headers=False)
    cloud.push(record("1"))
    assert "x-totalpages" not in cloud.call("GET", INFO).headers


def test_4_writes_show_after_a_while(clouds: Clouds) -> None:
    cloud = clouds(visibility_seconds=5)
    cloud.push(record("1"))
    assert ids(cloud) == []
    cloud.advance(5)
    assert ids(cloud) == ["1"]


@pytest.mark.parametrize(("mode", "status"), [("whole", 405), ("parts-405", 405), ("parts-200", 200)])
def test_6_lists_with_a_bad_entry(clouds: Clouds, mode: str, status: int) -> None:
    cloud = clouds(list_mode=mode)
    cloud.push(record("1"))
    label = cloud.labels()[0]
    links = {"assignList": [{"labelCode": code, "articleIdList": ["1"]} for code in ("ABC", label)]}
    linked = cloud.call("POST", "/labels/link", links)
    assert linked.status_code == status
    assert bool(cloud.info("1")["assignedLabel"]) is (mode != "whole")
    cloud.link(label, "1")
    cloud.advance(2)
    pages = {"pageChangeList": [{"labelCode": code, "page": 2} for code in (label, "ABC")]}
    assert cloud.call("POST", "/labels/page", pages).status_code == status
    assert cloud.store.labels[label].page == (1 if mode == "whole" else 2)
    assert cloud.call("POST", "/labels/unlink", {"unAssignList": [label, "ABC"]}).status_code == status
    assert bool(cloud.store.labels[label].articles) is (mode == "whole")
    assert cloud.call("POST", "/labels/unlink", {"unAssignList": ["ABC"]}).status_code == 405


@pytest.mark.parametrize(
    ("mode", "valid", "kept"), [("keep", 1, True), ("drop", 1, False), ("reject", 0, None)]
)
def test_7_keys_outside_the_format(clouds: Clouds, mode: str, valid: int, kept: bool | None) -> None:
    cloud = clouds(unknown_keys=mode)
    assert cloud.push(record("1", ODD="x", TITLE="t"))["validCount"] == valid
    if kept is not None:
        assert ("ODD" in cloud.info("1")["data"]) is kept
        assert cloud.info("1")["data"]["TITLE"] == "t"


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        ("as-sent", {"PHONE": "17", "TITLE": "a  b", "EMAIL": "x" * 50}),
        ("numbers", {"PHONE": "17.00", "TITLE": "a  b", "EMAIL": "x" * 50}),
        ("blanks", {"PHONE": "17", "TITLE": "a b", "EMAIL": "x" * 50}),
        ("cut", {"PHONE": "17", "TITLE": "a  b", "EMAIL": "x" * 40}),
    ],
)
def test_values_may_be_stored_in_a_form_of_its_own(clouds: Clouds, form: str, kept: dict[str, str]) -> None:
    cloud = clouds(stored_form=form)
    for method in ("POST", "PUT"):
        cloud.call(method, "/articles", [record("1", "12", PHONE="17", TITLE="a  b", EMAIL="x" * 50)])
        data = cloud.info("1")["data"]
        assert {name: data[name] for name in kept} == kept
        assert (data["ARTICLE_ID"], data["STORE_ID"]) == ("1", "001"), (
            "what names the article is never altered"
        )
        assert cloud.info("1")["articleName"] == "12", "the name itself is no number"


@pytest.mark.parametrize("form", ["seconds", "none"])
def test_9_rate_limits_stay_when_faults_are_cleared(clouds: Clouds, form: str) -> None:
    cloud = clouds(rate_per_second=1.0, rate_burst=3, retry_after=form)
    cloud.control("DELETE", "faults")
    answers = [cloud.call("GET", INFO) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 429]
    assert ("retry-after" in answers[2].headers) is (form == "seconds")
    assert cloud.control("GET", "faults") == {"faults": []}


def test_10_the_refusal_of_a_label_that_is_not_whitelisted(clouds: Clouds) -> None:
    cloud = clouds(whitelist_status=403, whitelist_text="Label is not in WHITELIST")
    cloud.push(record("1"))
    cloud.control("POST", "store", {"company": "ACME", "store": "001", "whitelist": True})
    answer = cloud.link(cloud.labels()[0], "1")
    assert (answer.status_code, answer.json()["responseMessage"]) == (403, "Label is not in WHITELIST")


def test_11_refresh_tokens_may_last_and_end(clouds: Clouds) -> None:
    cloud = clouds(refresh_rotates=False, refresh_seconds=60)
    token, path = cloud.login()["refresh_token"], "/common/api/v2/token/refresh"
    codes = [cloud.http.post(path, json={"refreshToken": token}).status_code for _ in range(2)]
    cloud.advance(60)
    assert [*codes, cloud.http.post(path, json={"refreshToken": token}).status_code] == [200, 200, 401]


def test_13_ids_may_ignore_case(clouds: Clouds) -> None:
    cloud = clouds(ids_ignore_case=True)
    cloud.push(record("C3", "big"))
    cloud.push(record("c3", "small"))
    assert ids(cloud) == ["C3"]
    assert cloud.info("c3")["articleName"] == "small"
    assert cloud.call("GET", "/config/articleField", article="c3").json()["articleId"] == "C3"
    assert ids(cloud, articleIdsList="c3,x") == ["C3"]
    label = cloud.labels()[0]
    assert cloud.link(label, "c3").status_code == 200
    assert cloud.info("C3")["assignedLabel"] == [label]
    cloud.call("DELETE", "/articles", {"articleDeleteList": ["c3"]})
    assert ids(cloud) == []


def test_14_a_post_may_take_the_labels_away(clouds: Clouds) -> None:
    cloud = clouds(post_unlinks=True)
    cloud.push(record("1", "a"))
    cloud.link(cloud.labels()[0], "1")
    cloud.call("PUT", "/articles", [record("1", "b")])
    assert len(cloud.info("1")["assignedLabel"]) == 1
    cloud.push(record("1", "c"))
    assert cloud.info("1")["assignedLabel"] == []


def test_lists_may_come_in_another_order_each_time(clouds: Clouds) -> None:
    cloud = clouds(unstable_sort=True)
    cloud.push(*(record(f"{n:02}") for n in range(40)))
    first, second = (ids(cloud, size=40) for _ in range(2))
    assert first != second
    assert sorted(first) == ids(cloud, size=40, sort="articleId,asc")


def test_any_setting_is_read_from_a_word() -> None:
    words = ["record_limit=500", "paging_headers=no", "visibility_seconds=2.5", "list_mode=parts-200"]
    found = with_words(Settings(), words)
    assert (found.record_limit, found.paging_headers) == (500, False)
    assert (found.visibility_seconds, found.list_mode) == (2.5, "parts-200")
    assert "password" not in names()
    for word in (
        "record_limit",
        "odd=1",
        "record_limit=x",
        "list_mode=odd",
        "stored_form=odd",
        "paging_headers=perhaps",
    ):
        with pytest.raises(ValueError, match=r"name=value|value for|one of|yes or no"):
            with_words(Settings(), [word])
