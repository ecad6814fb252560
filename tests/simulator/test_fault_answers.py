"""Faults that answer in place of AIMS or spoil its answer (contract 9.5), one test per id."""

from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson
import pytest

from tests.simulator.cloud import START, Cloud, record

TOKEN = "/common/api/v2/token"


def get(cloud: Cloud) -> httpx.Response:
    return cloud.call("GET", "/config/article/info")


def log_in(cloud: Cloud) -> httpx.Response:
    return cloud.http.post(TOKEN, json={"username": "u", "password": "p"})


def seconds_of(answer: httpx.Response) -> float:
    return parsedate_to_datetime(answer.headers["date"]).timestamp()


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("", "7"),
        ("seconds", "7"),
        ("date", "Tue, 03 Feb 2026 18:20:51 GMT"),
        ("none", None),
        ("garbage", "soon; perhaps"),
    ],
)
def test_429_says_when_to_come_back_or_not(cloud: Cloud, form: str, value: str | None) -> None:
    cloud.simulator.faults.add("429", form=form, seconds=7, path="/config/*", count=1)
    answer = get(cloud)
    assert answer.status_code == 429
    assert answer.headers.get("retry-after") == value
    if form == "date":
        assert parsedate_to_datetime(answer.headers["retry-after"]).timestamp() == START + 7
    assert get(cloud).status_code == 204


def test_429_by_a_bucket_lets_some_through(cloud: Cloud) -> None:
    cloud.simulator.faults.add("429", rate=0.5, burst=2)
    assert [get(cloud).status_code for _ in range(4)] == [204, 204, 429, 429]
    cloud.advance(2)
    assert [get(cloud).status_code for _ in range(2)] == [204, 429]
    cloud.advance(60)
    assert [get(cloud).status_code for _ in range(3)] == [204, 204, 429]


@pytest.mark.parametrize(
    ("values", "status", "start"),
    [
        ({}, 500, b'{"responseCode":"500"'),
        ({"form": "empty"}, 500, b""),
        ({"form": "html"}, 502, b"<html>"),
        ({"form": "html", "code": 504}, 504, b"<html>"),
        ({"form": "retry-after", "seconds": 9}, 503, b'{"responseCode":"503"'),
    ],
)
def test_5xx_has_several_bodies(cloud: Cloud, values: dict[str, Any], status: int, start: bytes) -> None:
    cloud.simulator.faults.add("5xx", count=1, **values)
    answer = get(cloud)
    assert answer.status_code == status
    assert answer.content.startswith(start)
    assert bool(answer.content) is bool(start)
    assert answer.headers.get("retry-after") == ("9" if status == 503 else None)


def test_5xx_may_come_after_the_write(cloud: Cloud) -> None:
    cloud.simulator.faults.add("5xx", form="html", method="POST", applied=True, count=1)
    assert cloud.call("POST", "/articles", [record("1")]).status_code == 502
    assert cloud.info("1")["articleId"] == "1"


def test_maintenance_lasts_for_a_window(cloud: Cloud) -> None:
    cloud.simulator.faults.add("maintenance", seconds=60, after=1)
    assert get(cloud).status_code == 204
    answer = get(cloud)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert log_in(cloud).status_code == 503
    assert cloud.http.get("/elsewhere").status_code == 503
    cloud.advance(59)
    assert get(cloud).status_code == 503
    cloud.advance(1)
    assert get(cloud).status_code == 204


@pytest.mark.parametrize(("kind", "word"), [("license", "LICENSE_EXPIRED"), ("company", "COMPANY_NOT_FOUND")])
def test_license_and_company_fail_in_mid_run(cloud: Cloud, kind: str, word: str) -> None:
    cloud.simulator.faults.add(kind, after=1)
    assert get(cloud).status_code == 204
    answer = get(cloud)
    assert (answer.status_code, answer.json()["responseMessage"]) == (403, word)
    assert log_in(cloud).status_code == 200


def test_html_may_claim_to_be_json(cloud: Cloud) -> None:
    cloud.simulator.faults.add("html", form="json", count=1)
    answer = get(cloud)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.content.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("form", "status", "start"),
    [
        ("", 401, b'{"responseCode":"401","responseMessage":"Unauthorized: TOKEN_EXPIRED"}'),
        ("403", 403, b'{"responseCode":"403","responseMessage":"Unauthorized: TOKEN_EXPIRED"}'),
        ("framework", 401, b'{"timestamp":"2026-02-03T18:20:44.000Z","status":401,'),
        ("empty", 401, b""),
        ("text", 401, b"Unauthorized"),
    ],
)
def test_auth_expiry_ends_the_token_of_the_nth_call(
    cloud: Cloud, form: str, status: int, start: bytes
) -> None:
    cloud.simulator.faults.add("auth-expiry", form=form, after=1)
    assert get(cloud).status_code == 204
    for _ in range(2):
        answer = get(cloud)
        assert answer.status_code == status
        assert answer.content.startswith(start)
        assert bool(answer.content) is bool(start)
    cloud.login()
    assert [get(cloud).status_code for _ in range(3)] == [204, 204, 204]


def test_auth_expiry_as_often_as_wanted(cloud: Cloud) -> None:
    cloud.simulator.faults.add("auth-expiry", count=2)
    for status in (401, 401, 204):
        assert get(cloud).status_code == status
        cloud.login()


def test_refresh_refused_while_login_works(cloud: Cloud) -> None:
    cloud.simulator.faults.add("refresh-refused")
    token = cloud.login()["refresh_token"]
    assert cloud.http.post(f"{TOKEN}/refresh", json={"refreshToken": token}).status_code == 401
    v3 = "/common/api/v3/ACME/auth/token/refresh"
    assert cloud.http.post(v3, json={"refresh_token": token}).status_code == 401
    assert get(cloud).status_code == 204


def test_login_refused_while_tokens_work(cloud: Cloud) -> None:
    token = cloud.login()["refresh_token"]
    cloud.simulator.faults.add("login-refused")
    assert (log_in(cloud).status_code, log_in(cloud).json()["responseMessage"]) == (401, "Unauthorized")
    assert cloud.http.post(f"{TOKEN}/refresh", json={"refreshToken": token}).status_code == 200


def test_auth_odd_logins_are_200(cloud: Cloud) -> None:
    faults = cloud.simulator.faults
    faults.add("auth-odd", count=1)
    assert log_in(cloud).json() == {"responseCode": "200", "responseMessage": "Password has expired"}
    faults.add("auth-odd", form="no-expires", count=1)
    assert "expires_in" not in log_in(cloud).json()["responseMessage"]
    faults.add("auth-odd", form="text-expires", count=1)
    assert log_in(cloud).json()["responseMessage"]["expires_in"] == "3600"
    assert log_in(cloud).json()["responseMessage"]["expires_in"] == 3600


def body(cloud: Cloud, form: str) -> httpx.Response:
    """A list of one article, malformed."""
    cloud.push(record("1", "אנה", TITLE="t"))
    cloud.simulator.faults.add("malformed", form=form, method="GET", count=1)
    return get(cloud)


@pytest.mark.parametrize("form", ["truncated", "trailing", "bom", "charset-body"])
def test_malformed_bodies_are_no_json(cloud: Cloud, form: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body(cloud, form).content)
    assert get(cloud).json()["articleList"][0]["articleName"] == "אנה"


def test_malformed_charset_is_named_wrong(cloud: Cloud) -> None:
    answer = body(cloud, "charset")
    assert answer.headers["content-type"].endswith("charset=iso-8859-1")
    assert orjson.loads(answer.content)["articleList"][0]["articleName"] == "אנה"


def test_malformed_types(cloud: Cloud) -> None:
    numbers = body(cloud, "number").json()
    assert (numbers["responseCode"], numbers["articleList"][0]["articleName"]) == (4711, 4711)
    assert body(cloud, "array").json()["articleList"][0]["data"] == ["001", "1", "אנה", "t"]
    assert body(cloud, "object").json()["articleList"]["0"]["articleId"] == "1"


def test_malformed_keys_come_twice(cloud: Cloud) -> None:
    content = body(cloud, "duplicate").content
    assert content.count(b'"articleList"') == 2
    assert orjson.loads(content)["articleList"][0]["articleId"] == "1"


def test_malformed_leaves_empty_answers_alone(cloud: Cloud) -> None:
    cloud.simulator.faults.add("malformed", form="number")
    assert get(cloud).status_code == 204


def test_clock_skew_moves_the_date_and_the_timestamps(cloud: Cloud) -> None:
    cloud.push(record("1", TITLE="2026-02-03 18:00:00"))
    before = get(cloud)
    assert seconds_of(before) == START
    assert before.json()["articleList"][0]["lastUpdated"] == "2026-02-03 18:20:44.000000"
    id_ = cloud.simulator.faults.add("clock-skew", seconds=-3600)
    row = get(cloud).json()["articleList"][0]
    assert seconds_of(get(cloud)) == START - 3600
    assert row["lastUpdated"] == "2026-02-03 17:20:44.000000"
    assert row["data"]["TITLE"] == "2026-02-03 18:00:00"
    cloud.simulator.faults.remove(id_)
    for form, value in (
        ("seconds", "2026-02-03 18:20:44"),
        ("millis", "2026-02-03 18:20:44.000"),
        ("zulu", "2026-02-03T18:20:44.000Z"),
    ):
        id_ = cloud.simulator.faults.add("clock-skew", form=form)
        assert get(cloud).json()["articleList"][0]["lastUpdated"] == value
        cloud.simulator.faults.remove(id_)


def test_latency_ramps_and_varies(cloud: Cloud) -> None:
    cloud.simulator.faults.add("latency", ramp=0.02, spread=0.001)
    times = [get(cloud).elapsed.total_seconds() for _ in range(3)]
    assert times[2] >= 0.04
    entries = cloud.control("GET", "journal")["entries"]
    assert [one["fault"] for one in entries][-3:] == ["latency"] * 3


def test_latency_between_the_parts_of_a_body(cloud: Cloud) -> None:
    cloud.push(record("1"))
    cloud.simulator.faults.add("latency", form="body", seconds=0.04, method="GET")
    answer = get(cloud)
    assert answer.json()["articleList"][0]["articleId"] == "1"
    assert answer.elapsed.total_seconds() >= 0.04
