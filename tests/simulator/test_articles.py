from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.cloud import Cloud, ids_of, record


def test_post_replaces_and_put_merges(cloud: Cloud) -> None:
    cloud.push({**record("1", "a", TITLE="t", PHONE="p"), "nfcUrl": "https://x", "eans": ["1"]})
    cloud.call("PUT", "/articles", [record("1", "b", TITLE="u")])
    merged = cloud.info("1")
    assert merged["articleName"] == "b"
    assert (merged["data"]["TITLE"], merged["data"]["PHONE"]) == ("u", "p")
    assert (merged["nfcUrl"], merged["eans"]) == ("https://x", ["1"])
    cloud.push(record("1", "c", TITLE="v"))
    replaced = cloud.info("1")
    assert replaced["data"] == {"STORE_ID": "001", "ARTICLE_ID": "1", "ITEM_NAME": "c", "TITLE": "v"}
    assert (replaced["nfcUrl"], replaced["eans"]) == ("", [])


def test_put_creates_what_is_absent_and_keys_outside_the_format_stay(cloud: Cloud) -> None:
    answer = cloud.call("PUT", "/articles", [record("9", "", ODD="kept")]).json()
    assert (answer["validCount"], answer["invalidCount"]) == (1, 0)
    assert cloud.info("9")["data"]["ODD"] == "kept"


def test_the_date_moves_only_when_something_changes(cloud: Cloud) -> None:
    cloud.push(record("1", "a"))
    before = cloud.info("1")
    cloud.advance(60)
    cloud.push(record("1", "a"))
    assert cloud.info("1") == before
    cloud.push(record("1", "b"))
    after = cloud.info("1")
    assert after["lastUpdated"] > before["lastUpdated"]
    assert after["generateDate"] == before["generateDate"]


@pytest.mark.parametrize("id_", ["007", "C3", "c3", "ключ", "a/b c%", "שלום", "x" * 300, '"q"', "🙂"])
def test_any_id_survives(cloud: Cloud, id_: str) -> None:
    cloud.push(record(id_, "n"), record("other"))
    assert cloud.info(id_)["articleId"] == id_
    assert cloud.call("GET", "/config/articleField", article=id_).json()["articleId"] == id_
    cloud.call("DELETE", "/articles", {"articleDeleteList": [id_]})
    assert cloud.call("GET", "/config/articleField", article=id_).status_code == 204
    assert cloud.info("other")["articleId"] == "other"


def test_ids_are_case_sensitive(cloud: Cloud) -> None:
    cloud.push(record("C3", "big"), record("c3", "small"))
    assert (cloud.info("C3")["articleName"], cloud.info("c3")["articleName"]) == ("big", "small")


def test_bad_records_are_dropped_and_logged(cloud: Cloud) -> None:
    bad: list[Any] = [
        record("ok", "first"),
        {**record("2"), "articleName": None},
        {**record("3"), "data": None},
        {**record("4"), "nfcUrl": "u" * 255},
        record("5", STORE_ID="777"),
        {**record("6"), "articleId": 6},
        record("ok", "last"),
        "text",
        record("", "no id"),
        {**record("eans"), "eans": [1]},
    ]
    answer = cloud.push(*bad)
    assert (answer["validCount"], answer["invalidCount"]) == (1, 9)
    assert cloud.info("ok")["articleName"] == "last"
    batch = answer["customBatchId"]
    logs = cloud.call("GET", "/articles/validationerror/logs", inputBatchId=batch, store=None).json()["data"]
    assert [row["errorIndex"] for row in logs] == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    assert logs[4]["articleId"] == "5"
    assert logs[4]["errorText"] == "store not valid, index 4"
    assert logs[5]["articleId"] is None
    row = cloud.call("GET", "/articles/history", name=batch).json()["articleFileHistoryList"][0]
    assert (row["result"], row["total"], row["success"], row["fail"]) == ("PARTIAL_SUCCESS", 10, 1, 9)
    counts = cloud.call("GET", "/articles/batch/detail", inputBatchId=batch).json()["articleCountStoreWise"]
    assert counts == [{"store": "001", "count": 1}]


def test_the_store_column_may_be_sent_when_it_is_right(cloud: Cloud) -> None:
    assert cloud.push(record("1", STORE_ID="001"))["validCount"] == 1
    assert cloud.push(record("2", STORE_ID=""))["validCount"] == 1
    assert cloud.info("2")["data"]["STORE_ID"] == "001"


def test_too_many_records_are_refused_whole(clouds: Callable[..., Cloud]) -> None:
    cloud = clouds(record_limit=3)
    answer = cloud.call("POST", "/articles", [record(str(n)) for n in range(4)])
    assert answer.status_code == 405
    assert answer.json()["responseMessage"].endswith("(3)")
    assert cloud.call("GET", "/articles").status_code == 204
    assert cloud.push(*(record(str(n)) for n in range(3)))["validCount"] == 3
    ids = {"articleDeleteList": ["1", "2", "3", "4"]}
    assert cloud.call("DELETE", "/articles", ids).status_code == 405


@pytest.mark.parametrize("body", [None, {}, [], "text"])
def test_a_push_needs_an_array(cloud: Cloud, body: Any) -> None:
    answer = cloud.call("POST", "/articles", body)
    assert answer.status_code == 405
    assert answer.json()["responseMessage"] == "POST_BODY_MISSING_OR_INVALID_DATA_IN_REQUEST"


def test_unknown_ids_are_deleted_without_complaint_unless_set(clouds: Callable[..., Cloud]) -> None:
    body = {"articleDeleteList": ["none"]}
    assert clouds().call("DELETE", "/articles", body).status_code == 200
    refused = clouds(unknown_delete="refuse").call("DELETE", "/articles", body)
    assert (refused.status_code, refused.json()["responseMessage"]) == (405, "ARTICLE_ID_NOT_FOUND")
    assert clouds().call("DELETE", "/articles", {}).json()["responseMessage"] == "FIELD_IS_MISSING"


def test_pages_start_at_zero_and_end_in_204(clouds: Callable[..., Cloud]) -> None:
    cloud = clouds(page_cap=20)
    cloud.push(*(record(f"{n:03}") for n in range(45)))
    first = cloud.call("GET", "/config/article/info")
    assert ids_of(first.json()["articleList"]) == [f"{n:03}" for n in range(10)]
    capped = cloud.call("GET", "/config/article/info", page=2, size=500)
    assert ids_of(capped.json()["articleList"]) == ["040", "041", "042", "043", "044"]
    names = ("x-totalpages", "x-totalelements", "x-number", "x-size", "x-total-count")
    assert [capped.headers[name] for name in names] == ["3", "45", "2", "20", "5"]
    past = cloud.call("GET", "/config/article/info", page=3, size=20)
    assert (past.status_code, past.content) == (204, b"")
    assert "content-length" not in past.headers
    assert cloud.call("GET", "/articles").json()["totalArticleCnt"] == 45


@pytest.mark.parametrize(
    "query", [{"page": "-1"}, {"size": "0"}, {"size": "x"}, {"sort": "nope"}, {"sort": "nfcUrl,up"}]
)
def test_bad_paging_is_405(cloud: Cloud, query: dict[str, str]) -> None:
    cloud.push(record("1"))
    assert cloud.call("GET", "/articles", **query).status_code == 405


def test_sorting_and_searching(cloud: Cloud) -> None:
    cloud.push(record("1", "Beta"), record("2", "alpha"), record("3", "Gamma"))

    def ids(**query: Any) -> list[str]:
        return ids_of(cloud.call("GET", "/config/article/info", **query).json()["articleList"])

    assert ids(sort="articleId,desc") == ["3", "2", "1"]
    assert ids(sort="articleName,asc") == ["1", "3", "2"]
    assert ids(articleName="LPHA") == ["2"]
    assert ids(articleIdsList="3,1,none") == ["1", "3"]
    assert ids(articleIdsList=["3", "2"]) == ["2", "3"]
    many = ",".join(str(n) for n in range(51))
    assert cloud.call("GET", "/config/article/info", articleIdsList=many).status_code == 405


def test_the_short_list_has_no_data(cloud: Cloud) -> None:
    cloud.push(record("1", "a"))
    row = cloud.call("GET", "/articles").json()["articleList"][0]
    assert "data" not in row
    assert "assignedLabel" not in row
    assert row["labelCount"] == 0


def test_the_format_is_bare_and_replaced_whole(cloud: Cloud) -> None:
    found = cloud.call("GET", "/articles/upload/format", store=None).json()
    assert "responseCode" not in found
    assert found["mappingInfo"]["articleId"] == "ARTICLE_ID"
    found["articleData"].append("EXTRA")
    assert cloud.call("POST", "/articles/upload/format", found, store=None).status_code == 200
    assert cloud.call("GET", "/articles/upload/format", store=None).json() == found
    bad = cloud.call("POST", "/articles/upload/format", {"articleData": []}, store=None)
    assert bad.status_code == 405
    cloud.simulator.company("ACME").format = None
    assert cloud.call("GET", "/articles/upload/format", store=None).status_code == 204


def test_the_update_history_keeps_versions(cloud: Cloud) -> None:
    first = cloud.push(record("1", "a"))["customBatchId"]
    cloud.push(record("1", "b"))
    rows = cloud.call("GET", "/articles/update/history", article="1").json()["articleHistoryList"]
    assert [row["articleName"] for row in rows] == ["a", "b"]
    old = cloud.call("GET", "/articles/update/history/detail", articleId="1", uploadId=first).json()
    assert old["data"]["ITEM_NAME"] == "a"


def test_clusters_and_stores_are_apart(cloud: Cloud) -> None:
    other = Cloud(cloud.server, "c1")
    with other.http:
        other.login()
        cloud.push(record("1", "common"))
        assert other.call("GET", "/articles").status_code == 204
        assert cloud.call("GET", "/articles", store="002").status_code == 204
        other.push(record("1", "c1"))
        assert (cloud.info("1")["articleName"], other.info("1")["articleName"]) == ("common", "c1")
        assert not set(cloud.labels()) & set(other.labels())


def test_company_license_and_store_are_checked_in_this_order(cloud: Cloud) -> None:
    unknown = cloud.call("GET", "/articles", company="NOPE", store="no")
    assert (unknown.status_code, unknown.json()["responseMessage"]) == (403, "COMPANY_NOT_FOUND")
    store = cloud.call("GET", "/articles", store="999")
    assert (store.status_code, store.json()["responseMessage"]) == (405, "STORE_CODE_NOT_FOUND")
    missing = cloud.call("GET", "/articles", store=None)
    assert (missing.status_code, missing.json()["responseMessage"]) == (405, "FIELD_IS_MISSING(store)")
    cloud.control("POST", "company", {"company": "ACME", "licensed": False})
    expired = cloud.call("GET", "/articles", store="999")
    assert (expired.status_code, expired.json()["responseMessage"]) == (403, "LICENSE_EXPIRED")


def test_searching_by_id_name_code_and_field(cloud: Cloud) -> None:
    cloud.push({**record("1", "Beta", TITLE="Lead"), "eans": ["4006381333931"]}, record("2", "alpha"))

    def ids(path: str, key: str = "articleList", **query: Any) -> list[str]:
        answer = cloud.call("GET", path, **query)
        return ids_of(answer.json()[key]) if answer.status_code == 200 else []

    assert ids("/articles/id", id="1") == ["1"]
    assert ids("/articles/id", id="9") == []
    assert ids("/articles/name", name="PHA") == ["2"]
    assert "EANs" not in cloud.call("GET", "/articles/name", name="a").json()["articleList"][0]
    assert ids("/config/articleFieldNSecondly", article="Lead") == ["1"]
    assert ids("/config/articleFieldNSecondly") == ["1", "2"]
    assert ids("/articles/assign/search", "articleInfo", articleId="2") == ["2"]
    assert ids("/articles/assign/search", "articleInfo", searchType="EAN", ean="4006381333931") == ["1"]
    assert cloud.call("GET", "/articles/assign/search", searchType="EAN").status_code == 405
    assert "TITLE" in cloud.call("GET", "/articles/data", store=None).json()["articleDataKeyList"]
