"""Orders to labels besides links, what is kept of them, and labels that fall silent (contract 5.5, 5.6)."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.cloud import Cloud, record

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()
HOUR = 3600.0


@pytest.fixture
def label(cloud: Cloud) -> str:
    """A label that shows article 1."""
    cloud.push(record("1", "Ann"), record("2", "Two"))
    code = cloud.labels()[0]
    assert cloud.link(code, "1").status_code == 200
    cloud.advance(2)
    return code


def wait(cloud: Cloud, seconds: float) -> None:
    """Let so much time pass that the token ends too."""
    cloud.advance(seconds)
    cloud.login()


def answers(cloud: Cloud, outcome: str) -> None:
    cloud.control("POST", "store", {"company": "ACME", "store": "001", "outcome": outcome})


def image(cloud: Cloud, code: str, **values: Any) -> tuple[int, str]:
    body = {"labelCode": code, "page": 1, "frontPage": 1, "image": PNG} | values
    answer = cloud.call("POST", "/labels/image", body, cbId="yes")
    return answer.status_code, answer.json()["responseMessage"]


def results(cloud: Cloud, batch: str) -> list[str]:
    answer = cloud.call("GET", "/articles/history/detail", name=batch, result="SKIP CASE DUE TO IMAGE PUSH")
    return [row["result"] for row in answer.json()["updateDetailList"]] if answer.content else []


def test_a_pushed_image_stays_until_the_pictures_are_made_anew(cloud: Cloud, label: str) -> None:
    assert image(cloud, label, page=3, frontPage=3) == (200, "SUCCESS")
    cloud.advance(2)
    shown = cloud.shows(label)
    assert (shown["page"], shown["image"]) == (3, True)
    batch = cloud.push(record("1", "Bob"))["customBatchId"]
    assert results(cloud, batch) == ["SKIP CASE DUE TO IMAGE PUSH"]
    assert cloud.shows(label)["status"] == "SUCCESS"
    body = ["1"]
    assert cloud.call("POST", "/labels/regenerate/images", body, regenerateType="ARTICLE").status_code == 200
    cloud.advance(2)
    assert (cloud.shows(label)["name"], cloud.shows(label)["image"]) == ("Bob", False)
    assert results(cloud, cloud.push(record("1", "Cy"))["customBatchId"]) == []
    kinds = {"name": "", "requestDataType": "IMAGEPUSH", "store": None}
    assert len(cloud.call("GET", "/articles/history", **kinds).json()["articleFileHistoryList"]) == 1


def test_images_are_checked(cloud: Cloud, label: str) -> None:
    assert image(cloud, label, image="no image") == (405, "IMAGE_IS_INVALID")
    assert image(cloud, label, image=None)[0] == 405
    assert image(cloud, label, page=8) == (405, "PAGE_CAN_NOT_BE_GREATER_THAN_MAX_PAGES(7)")
    assert image(cloud, "ABC") == (405, "LABEL_CODE_LENGTH_IS_NOT_VALID")


@pytest.mark.parametrize(
    ("setting", "answer"),
    [
        ("message", {"responseCode": "200", "responseMessage": PNG}),
        ("object", {"responseCode": "200", "responseMessage": "SUCCESS", "image": PNG}),
        ("missing", {"responseCode": "200", "responseMessage": "SUCCESS"}),
    ],
)
def test_a_dither_preview_is_where_the_settings_say(
    clouds: Callable[..., Cloud], setting: str, answer: dict[str, str]
) -> None:
    cloud = clouds(dither_answer=setting)
    query = {"labelCode": cloud.labels()[0], "store": None}
    assert cloud.call("PUT", "/labels/image/dither/preview", {"image": PNG}, **query).json() == answer
    assert cloud.call("PUT", "/labels/image/dither/preview", {"image": "?"}, **query).status_code == 405


def test_nfc_is_an_order_too(cloud: Cloud, label: str) -> None:
    body = {"labels": [{"labelCode": label, "nfcUrl": "https://x.example"}]}
    assert cloud.call("POST", "/labels/nfc", body).status_code == 200
    assert cloud.shows(label)["status"] == "PROCESSING"
    assert cloud.store.labels[label].nfc_url == "https://x.example"
    body["labels"][0].pop("nfcUrl")
    assert cloud.call("POST", "/labels/nfc", body).status_code == 405


def test_what_timed_out_is_sent_again(cloud: Cloud, label: str) -> None:
    resend = "/labels/resend/timeout"
    assert cloud.call("PUT", resend, {"labelList": [label]}).status_code == 204
    answers(cloud, "TIMEOUT")
    cloud.push(record("1", "Bob"))
    cloud.advance(2)
    assert cloud.shows(label)["status"] == "TIMEOUT"
    answers(cloud, "SUCCESS")
    assert cloud.call("PUT", resend, {"labelList": [label]}).status_code == 200
    cloud.advance(2)
    assert (cloud.shows(label)["status"], cloud.shows(label)["name"]) == ("SUCCESS", "Bob")
    assert cloud.call("PUT", resend + "/all").status_code == 204
    assert cloud.call("PUT", resend + "/all", labelType="ALL").status_code == 200
    assert cloud.shows(label)["status"] == "PROCESSING"


def test_pictures_are_made_anew_by_label_by_article_or_all(cloud: Cloud, label: str) -> None:
    path = "/labels/regenerate/images"
    for scope, ids, status in (
        ("LABEL", [label], 200),
        ("LABEL", [], 405),
        ("LABEL", ["ABC"], 405),
        ("ARTICLE", ["none"], 405),
        ("ALL", None, 200),
    ):
        assert cloud.call("POST", path, ids, regenerateType=scope).status_code == status
    history = cloud.call("GET", "/labels/history", label=label).json()["timelineInfo"]
    assert [row["requestType"] for row in history] == ["REGENERATE", "REGENERATE", "ASSIGN"]


def test_the_history_of_a_label_tells_how_each_order_ended(cloud: Cloud, label: str) -> None:
    batch = cloud.push(record("1", "Bob"))["customBatchId"]
    cloud.push(record("1", "Cy"))
    rows = cloud.call("GET", "/labels/history", label=label).json()["timelineInfo"]
    states = [(row["requestType"], row["pageInfo"][0]["status"]) for row in rows]
    assert states == [("ARTICLE", "PROCESSING"), ("ARTICLE", "OLD TX SEQUENCE"), ("ASSIGN", "SUCCESS")]
    assert rows[1]["inputBatchId"] == batch
    assert len({row["txSequence"] for row in rows}) == 3
    assert cloud.call("GET", "/labels/history", label=cloud.labels()[5]).status_code == 204


def test_signs_of_life_and_states(cloud: Cloud, label: str) -> None:
    alive = cloud.call("GET", "/labels/alive/history", label=label, store=None, size=50).json()[
        "aliveHistory"
    ]
    times = [row["lastUpdatedOn"] for row in alive]
    assert times == sorted(times, reverse=True)
    assert len(times) == 50
    rows = cloud.call("GET", "/labels/status/history", label=label, size=200).json()["aliveHistory"]
    assert len(rows) == 97
    only = cloud.call("GET", "/labels/status/history", label=label, aliveReport="true", size=200).json()
    assert len(only["aliveHistory"]) == 96
    one = cloud.call("GET", "/labels/status/history", label=label, statusPage="1").json()["aliveHistory"]
    assert [row["updateStatus"] for row in one] == [1]
    status = cloud.call("GET", "/labels/status", labelCode=label).json()["labelStatus"]
    assert (status["status"], status["unassign"]) == (1, 0)
    where = cloud.call("GET", "/labels/store", labelCode=label, store=None).json()
    assert (where["store"], where["articleId"]) == ("001", ["1"])
    for path in ("/labels/alive/history", "/labels/status/history"):
        assert cloud.call("GET", path, label="0").status_code == 204
    assert cloud.call("GET", "/labels/store", labelCode="0").status_code == 204
    assert cloud.call("GET", "/labels/status", labelCode="0").status_code == 204


def test_a_silent_label_goes_offline_and_can_be_called(cloud: Cloud, label: str) -> None:
    found = cloud.store.labels[label]
    found.silent_since = cloud.simulator.clock.now()
    wait(cloud, 23 * HOUR)
    assert cloud.call("GET", "/labels", network="true").status_code == 200
    wait(cloud, 2 * HOUR)
    assert cloud.call("GET", "/labels", network="true").status_code == 204
    assert cloud.call("GET", "/store/summary").json()["offlineLabelCount"] == 1
    assert cloud.call("PUT", "/labels/force/alive/signal", store=None).status_code == 200
    assert cloud.call("GET", "/labels", network="true").status_code == 204
    found.silent_since = None
    assert cloud.call("PUT", "/labels/force/alive/signal", store=None).status_code == 200
    assert cloud.call("GET", "/labels", network="true").status_code == 200
    found.silent_since = cloud.simulator.clock.now()
    cloud.call("PUT", "/store", {"storeConfig": {"aliveInterval": 1}})
    wait(cloud, 1.5 * HOUR)
    assert cloud.call("GET", "/labels", network="false").status_code == 200


@pytest.mark.parametrize(("outcome", "kept"), [("STUCK", False), ("TIMEOUT", False), ("SUCCESS", True)])
def test_an_unlinked_label_that_never_clears_is_dropped_after_two_hours(
    cloud: Cloud, label: str, outcome: str, kept: bool
) -> None:
    cloud.store.labels[label].outcome = outcome
    cloud.call("POST", "/labels/unlink", {"unAssignList": [label]})
    wait(cloud, 2 * HOUR - 60)
    assert label in cloud.call("GET", "/labels/unassigned").text
    wait(cloud, 60)
    assert (label in cloud.call("GET", "/labels/unassigned").text) is kept


def test_a_label_linked_again_is_not_dropped(cloud: Cloud, label: str) -> None:
    cloud.store.labels[label].outcome = "STUCK"
    cloud.call("POST", "/labels/unlink", {"unAssignList": [label]})
    cloud.link(label, "2")
    wait(cloud, 3 * HOUR)
    assert label in cloud.call("GET", "/labels").text


def test_deleted_labels_are_gone_from_the_database(cloud: Cloud, label: str) -> None:
    answer = cloud.call("DELETE", "/labels", {"labelList": [label]}, cbId="yes")
    assert answer.json()["customBatchId"]
    assert cloud.call("GET", "/labels").status_code == 204
    assert cloud.info("1")["assignedLabel"] == []
    assert cloud.call("DELETE", "/labels", {"labelList": [label]}).status_code == 405


def test_labels_of_a_gateway_and_unassigned_states(cloud: Cloud, label: str) -> None:
    gateway = cloud.store.labels[label].gateway
    mine = [code for code in cloud.labels() if cloud.store.labels[code].gateway == gateway]
    rows = cloud.call("GET", "/labels/gateway", gateway=gateway).json()["labelList"]
    assert [row["labelCode"] for row in rows] == mine
    used = cloud.call("GET", "/labels/gateway", gateway=gateway, isAssigned="true").json()["labelList"]
    assert [row["labelCode"] for row in used] == [label]
    free = cloud.call("GET", "/labels/unassigned/status", size=50).json()["labelList"]
    assert [row["labelCode"] for row in free] == cloud.labels()[1:]
    assert free[0]["articleList"] == []
    assert cloud.call("GET", "/labels/unassigned/detail", label=label).status_code == 204


def test_a_box_is_whitelisted_whole(cloud: Cloud, label: str) -> None:
    codes = cloud.call("POST", "/whitelist/box", boxid="B7").json()["macList"]
    assert codes == cloud.call("POST", "/whitelist/box", boxid="B7").json()["macList"]
    assert len(codes) == 20
    cloud.call("POST", "/whitelist", {"labelList": [label]})
    free = cloud.call("GET", "/whitelist/unassigned", size=50).json()["unassignedWhiteList"]
    assert sorted(row["labelCode"] for row in free) == sorted(codes)
    assert cloud.call("POST", "/whitelist/box", boxid="?").status_code == 405
