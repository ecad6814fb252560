"""Each answer dialect of contract 9.4, alone, together, and for some operations only."""

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from electis_cli.simulator import Dialect
from electis_cli.simulator.dialects import Dialects, dialect_from_text
from tests.simulator.cloud import Cloud, record

INFO = "/config/article/info"


@pytest.fixture
def label(cloud: Cloud) -> str:
    """A label that shows article 1, of three."""
    cloud.push(record("1", "Ann", TITLE="Lead", PHONE=""), record("007"), record("2", "Two"))
    code = cloud.labels()[0]
    cloud.link(code, "1")
    cloud.advance(2)
    return code


def said(cloud: Cloud, text: str, path: str = INFO, **query: Any) -> httpx.Response:
    cloud.control("POST", "dialect", {"text": text})
    return cloud.call("GET", path, **query)


@pytest.mark.parametrize(
    ("wrap", "where"),
    [
        ("envelope", lambda content: content["articleList"]),
        ("wrapped", lambda content: content["responseMessage"]["articleList"]),
        ("wrapped-rows", lambda content: content["responseMessage"]),
        ("data", lambda content: content["data"]),
        ("bare", lambda content: content),
    ],
)
def test_the_payload_has_several_places(
    cloud: Cloud, label: str, wrap: str, where: Callable[[Any], Any]
) -> None:
    answer = said(cloud, f"wrap={wrap}")
    assert [row["articleId"] for row in where(answer.json())] == ["007", "1", "2"]
    assert answer.headers["x-totalelements"] == "3"
    short = cloud.call("GET", "/articles").json()
    assert [row["articleId"] for row in where(short)] == ["007", "1", "2"]


def test_single_things_and_writes_are_wrapped_too(cloud: Cloud, label: str) -> None:
    one = said(cloud, "wrap=wrapped", "/config/articleField", article="1").json()
    assert one["responseMessage"]["articleName"] == "Ann"
    pushed = cloud.call("POST", "/articles", [record("9")]).json()
    assert pushed["responseMessage"]["validCount"] == 1
    linked = cloud.link(label, "2").json()
    assert linked == {"responseCode": "200", "responseMessage": "SUCCESS"}
    assert said(cloud, "wrap=data", "/config/articleField", article="1").json()["data"]["articleId"] == "1"
    assert said(cloud, "wrap=bare", "/config/articleField", article="1").json()["articleId"] == "1"
    assert cloud.link(label, "1").json() == {}


@pytest.mark.parametrize("code", ["200", "0000", "SUCCESS", "absent"])
def test_success_has_several_codes(cloud: Cloud, label: str, code: str) -> None:
    content = said(cloud, f"code={code},message=OK").json()
    assert content.get("responseCode") == (None if code == "absent" else code)
    assert content["responseMessage"] == "OK"
    refused = cloud.call("GET", INFO, store="no")
    assert (refused.status_code, refused.json()["responseCode"]) == (405, "405")
    login = cloud.login()
    assert login["expires_in"] == 3600


def test_spelling_a_has_other_names(cloud: Cloud, label: str) -> None:
    cloud.simulator.faults.add("partial", count=1)
    batch = cloud.push(record("1", "Bob"))["customBatchId"]
    row = said(cloud, "spelling=A", "/articles/history", name=batch).json()["articleFileHistoryList"][0]
    assert row["result"] == "FAIL"
    assert "last_modified" in row
    assert "lastModified" not in row
    batch = cloud.push(record("1", "Cy"))["customBatchId"]
    cloud.advance(2)
    assert cloud.call("GET", "/articles/history/detail", name=batch).json()["updateHistoryList"]
    assert cloud.call("GET", "/labels/link", labelCode=label, store=None).json()["timelineInfo"]
    assert cloud.call("GET", "/articles/assign/search", articleId="1").json()["articleList"]
    image = said(cloud, "spelling=F", "/labels/detail", label=label).json()["currentImage"][0]
    assert "statusUpdatetime" in image
    assert said(cloud, "spelling=F", "/articles/assign/search", articleId="1").json()["articleInfo"]


def test_spelling_seen_has_the_names_clients_met(cloud: Cloud, label: str) -> None:
    row = said(cloud, "spelling=seen").json()["articleList"][1]
    assert (row["article_id"], row["article_name"]) == ("1", "Ann")
    assert row["data"]["ARTICLE_ID"] == "1"
    assert cloud.call("GET", "/labels").json()["labelList"][0]["label_code"] == label


def test_spelling_seen_and_other_turn_gateways_and_states(cloud: Cloud, label: str) -> None:
    row = said(cloud, "spelling=seen", "/labels").json()["labelList"][0]
    assert row["gateway"] == cloud.store.labels[label].gateway
    assert (row["version"], row["batteryStatus"], row["signalStrength"]) == (
        "20",
        "GOOD",
        row["signalStrength"],
    )
    row = cloud.call("GET", "/labels/unassigned").json()["labelList"][0]
    assert row["gateway"]["name"].startswith("D02544FFFE")
    assert said(cloud, "spelling=seen", "/store", store=None).json()["stores"][0]["storeCode"] == "001"
    row = said(cloud, "spelling=other", "/gateway").json()["gatewayList"][0]
    assert (row["status"], row["gatewayMac"][:6]) == ("CONNECTED", "D02544")
    assert said(cloud, "spelling=other", "/store", store=None).json()["stores"][0]["code"] == "001"


def test_a_field_that_is_spelled_another_way_covers_no_other_one(cloud: Cloud, label: str) -> None:
    mac = min(cloud.store.gateways)
    detail = said(cloud, "spelling=other", "/gateway/detail", gateway=mac).json()
    assert (detail["status"], detail["result"]) == ("CONNECTED", True)
    row = said(cloud, "spelling=other,levels=numbers", "/labels").json()["labelList"][0]
    assert (row["status"], row["networkStatus"]) == ("SUCCESS", True)


def test_columns_may_come_quoted(cloud: Cloud, label: str) -> None:
    cloud.push(record("q", 'The "Blue" room', TITLE="t"))
    rows = said(cloud, "quoting=csv").json()["articleList"]
    assert rows[-1]["data"]["ITEM_NAME"] == '"The ""Blue"" room"'
    assert rows[-1]["articleName"] == 'The "Blue" room'
    one = cloud.call("GET", "/config/articleField", article="q").json()
    assert one["data"]["TITLE"] == '"t"'


def test_levels_may_be_numbers(cloud: Cloud, label: str) -> None:
    row = said(cloud, "levels=numbers", "/labels").json()["labelList"][0]
    assert (row["battery"], row["status"]) == (92, "SUCCESS")
    assert row["signal"] < 0


def test_devices_and_details_may_be_odd(cloud: Cloud, label: str) -> None:
    kind = said(cloud, "devices=odd", "/labels/type/info", labelCode=label).json()
    assert (kind["displayWidth"], kind["nfc"], kind["color"]) == (0, "true", "bwr")
    odd = said(cloud, "detail=odd", "/labels/detail", label=label).json()
    assert odd["activePage"] is None
    assert [one["state"] for one in odd["currentImage"]][:2] == ["TIMEOUT", "SUCCESS"]
    free = cloud.call("GET", "/labels/unassigned/detail", label=cloud.labels()[1]).json()
    assert free["activePage"] == -1
    assert "currentImage" not in said(cloud, "detail=none", "/labels/detail", label=label).json()


def test_stores_may_be_codes(cloud: Cloud, label: str) -> None:
    assert said(cloud, "stores=codes", "/store", store=None).json()["stores"] == ["001", "002", "003"]
    assert said(cloud, "stores=codes", "/store/labels/count", store=None).status_code == 200


def test_ids_that_are_canonical_numbers_come_as_numbers(cloud: Cloud, label: str) -> None:
    rows = said(cloud, "ids=numeric").json()["articleList"]
    assert [row["articleId"] for row in rows] == ["007", 1, 2]
    assert rows[1]["data"]["ARTICLE_ID"] == "1"
    store = cloud.call("GET", "/labels/store", labelCode=label, store=None).json()
    assert store["articleId"] == [1]


def test_data_flat_lies_beside_the_article(cloud: Cloud, label: str) -> None:
    row = said(cloud, "data=flat").json()["articleList"][1]
    assert "data" not in row
    assert (row["articleId"], row["TITLE"], row["ITEM_NAME"]) == ("1", "Lead", "Ann")
    assert row["assignedLabel"] == [label]


@pytest.mark.parametrize(
    ("way", "nfc", "phone", "department"),
    [("null", None, None, None), ("text", "", "", ""), ("missing", 0, 0, 0), ("blank", "", " ", 0)],
)
def test_nothing_is_written_in_several_ways(
    cloud: Cloud, label: str, way: str, nfc: Any, phone: Any, department: Any
) -> None:
    row = said(cloud, f"empty={way}").json()["articleList"][1]
    found = (row.get("nfcUrl", 0), row["data"].get("PHONE", 0), row["data"].get("DEPARTMENT", 0))
    assert found == (nfc, phone, department)
    assert row["data"]["TITLE"].strip() == "Lead"


def test_assigned_labels_may_be_left_out(cloud: Cloud, label: str) -> None:
    rows = said(cloud, "labels=omitted").json()["articleList"]
    assert not any("assignedLabel" in row for row in rows)
    one = cloud.call("GET", "/config/articleField", article="1").json()
    assert "assignedLabel" not in one
    rows = said(cloud, "labels=some").json()["articleList"]
    assert ["assignedLabel" in row for row in rows] == [False, True, False]


def test_paging_headers_may_be_off_or_in_mixed_case(cloud: Cloud, label: str) -> None:
    assert not [name for name in said(cloud, "paging=off").headers if name.startswith("x-")]
    names = [name.decode() for name, _ in said(cloud, "paging=mixed").headers.raw]
    assert "x-totalPages" in names


def test_nothing_there_may_be_an_empty_200(cloud: Cloud) -> None:
    assert said(cloud, "nothing=204").status_code == 204
    answer = said(cloud, "nothing=200")
    assert (answer.status_code, answer.content) == (200, b"")


def test_all_at_once_and_for_some_operations_only(cloud: Cloud, label: str) -> None:
    text = "wrap=wrapped,code=0000,message=OK,spelling=A,ids=numeric,data=flat,empty=null,labels=omitted,paging=off"
    answer = said(cloud, text)
    content = answer.json()
    assert content["responseCode"] == "0000"
    row = content["responseMessage"]["articleList"][1]
    assert (row["articleId"], row["PHONE"], row["nfcUrl"]) == (1, None, None)
    cloud.control("DELETE", "dialect")
    cloud.control("POST", "dialect", {"wrap": "bare", "path": "/labels*"})
    cloud.control("POST", "dialect", {"code": "0000", "path": "/art*", "method": "GET"})
    assert cloud.call("GET", "/labels").json()[0]["labelCode"] == label
    assert cloud.call("GET", "/articles").json()["responseCode"] == "0000"
    assert cloud.call("POST", "/articles", [record("5")]).json()["responseCode"] == "200"
    assert cloud.control("GET", "dialect")["dialects"] == [
        {"wrap": "bare", "path": "/labels*", "method": "*"},
        {"code": "0000", "path": "/art*", "method": "GET"},
    ]
    assert cloud.http.post("/_simulator/dialect", json={"wrap": "odd"}).status_code == 400


def test_writes_may_be_202(clouds: Callable[..., Cloud]) -> None:
    cloud = clouds(write_status=202, dialects=(Dialect(code="SUCCESS", path="/labels/*"),))
    answer = cloud.call("POST", "/articles", [record("1")])
    assert (answer.status_code, answer.json()["responseCode"]) == (202, "202")
    linked = cloud.link(cloud.labels()[0], "1")
    assert (linked.status_code, linked.json()["responseCode"]) == (202, "SUCCESS")
    assert cloud.call("GET", "/articles").status_code == 200


def test_a_dialect_is_read_from_text() -> None:
    assert dialect_from_text("wrap=data, ids=numeric") == Dialect(wrap="data", ids="numeric")
    for text in ("wrap", "wrap=odd", "odd=wrap"):
        with pytest.raises(ValueError, match=r"name=value|no dialect|no word"):
            dialect_from_text(text)
    dialects = Dialects()
    dialects.set("wrap=data")
    dialects.set("wrap=bare")
    assert dialects.listing() == [{"wrap": "bare", "method": "*", "path": "*"}]
    dialects.set("code=0000,path=/labels")
    assert dialects.of("GET", "/labels") == Dialect(wrap="bare", code="0000")
    assert dialects.of("GET", "/articles") == Dialect(wrap="bare")


def test_the_format_stays_bare(cloud: Cloud) -> None:
    plain = cloud.call("GET", "/articles/upload/format", store=None).content
    answer = said(cloud, "wrap=wrapped,empty=null,code=0000", "/articles/upload/format", store=None)
    assert orjson.loads(answer.content) == orjson.loads(plain)
