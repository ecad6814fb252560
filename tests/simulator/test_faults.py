import socket
import threading
from contextlib import suppress
from typing import Any

import httpx
import pytest

from electis_cli.simulator.faults import Asked, Fault, Faults, fault_from_text, fault_from_values
from tests.simulator.cloud import Cloud, record


def asked(**values: Any) -> Asked:
    given: dict[str, Any] = {
        "method": "POST",
        "path": "/common/api/v2/common/articles",
        "relative": "/articles",
        "cluster": "common",
        "company": "ACME",
        "store": "001",
        "articles": frozenset({"1"}),
    }
    return Asked(**given | values)


def status(cloud: Cloud) -> int:
    return cloud.call("GET", "/articles").status_code


def test_a_status_comes_so_often_after_so_many(cloud: Cloud) -> None:
    cloud.simulator.faults.add("status", code=503, path="/articles", after=1, count=2)
    assert [status(cloud) for _ in range(4)] == [204, 503, 503, 204]
    assert cloud.control("GET", "faults")["faults"][0]["fired"] == 2


@pytest.mark.parametrize(
    ("body", "start"), [("json", b'{"responseCode":"429"'), ("html", b"<html>"), ("empty", b"")]
)
def test_a_status_has_a_body_and_headers(cloud: Cloud, body: str, start: bytes) -> None:
    cloud.control(
        "POST", "faults", {"kind": "status", "code": 429, "body": body, "headers": {"Retry-After": 7}}
    )
    answer = cloud.call("GET", "/articles")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"
    assert answer.content.startswith(start)
    assert bool(answer.content) is bool(start)


def test_a_lost_answer_can_have_been_applied(cloud: Cloud) -> None:
    cloud.simulator.faults.add("status", code=500, method="POST", applied=True, count=1)
    assert cloud.call("POST", "/articles", [record("1")]).status_code == 500
    assert cloud.info("1")["articleId"] == "1"


@pytest.mark.parametrize("applied", [True, False])
def test_a_reset_before_or_after_the_write(cloud: Cloud, applied: bool) -> None:
    cloud.simulator.faults.add("reset", method="POST", path="/articles", count=1, applied=applied)
    with pytest.raises(httpx.ReadError):
        cloud.call("POST", "/articles", [record("1")])
    assert status(cloud) == (200 if applied else 204)
    entry = next(one for one in cloud.control("GET", "journal")["entries"] if one["fault"])
    assert (entry["fault"], entry["status"], entry["articles"]) == ("reset", 0, ["1"])


def test_a_cut_body_was_applied(cloud: Cloud) -> None:
    cloud.simulator.faults.add("cut", method="POST", path="/articles", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        cloud.call("POST", "/articles", [record("1")])
    assert status(cloud) == 200


def test_a_hang_ends_with_its_fault(cloud: Cloud) -> None:
    id_ = cloud.control("POST", "faults", {"kind": "hang", "path": "/articles"})["id"]
    with pytest.raises(httpx.ReadTimeout):
        cloud.http.get(
            "/common/api/v2/common/articles", params={"company": "ACME"}, timeout=httpx.Timeout(5, read=0.05)
        )
    ended: list[Exception] = []

    def ask() -> None:
        try:
            cloud.call("GET", "/articles")
        except httpx.TransportError as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert cloud.control("DELETE", "faults", id=id_) == {"ended": True}
    thread.join(10)
    assert not thread.is_alive()
    assert status(cloud) == 204


def test_a_stop_ends_a_hang(cloud: Cloud) -> None:
    cloud.simulator.faults.add("hang")
    with socket.create_connection(("127.0.0.1", cloud.server.port), timeout=10) as plain:
        plain.sendall(b"GET /common/api/v2/token HTTP/1.1\r\nHost: x\r\n\r\n")
        cloud.server.stop()
        # A reset when the request had not even been read yet.
        with suppress(ConnectionResetError):
            assert plain.recv(100) == b""


def test_latency_is_added_up(cloud: Cloud) -> None:
    cloud.simulator.faults.add("latency", seconds=0.02)
    cloud.simulator.faults.add("latency", seconds=0.03)
    answer = cloud.call("GET", "/articles")
    assert answer.status_code == 204
    assert answer.elapsed.total_seconds() >= 0.05


def test_odd_answers(cloud: Cloud) -> None:
    faults = cloud.simulator.faults
    cloud.push(record("1"))
    faults.add("html", count=1)
    assert cloud.call("GET", "/articles").headers["content-type"].startswith("text/html")
    faults.clear()
    faults.add("empty-200", count=1)
    answer = cloud.call("GET", "/articles")
    assert (answer.status_code, answer.content) == (200, b"")
    faults.clear()
    faults.add("soft-error", code=405, message="ODD", count=1)
    answer = cloud.call("POST", "/articles", [record("2")])
    assert (answer.status_code, answer.json()) == (200, {"responseCode": "405", "responseMessage": "ODD"})
    assert cloud.call("GET", "/articles").json()["totalArticleCnt"] == 1


def test_a_token_ends_in_the_middle_and_a_new_login_helps(cloud: Cloud) -> None:
    cloud.simulator.faults.add("token-invalid", path="/articles", after=1, count=1)
    assert status(cloud) == 204
    answer = cloud.call("GET", "/articles")
    assert (answer.status_code, "TOKEN_IS_INVALID" in answer.text) == (401, True)
    assert cloud.call("GET", "/store/summary").status_code == 401
    cloud.login()
    assert status(cloud) == 204


def test_a_poison_article_spoils_its_whole_push(cloud: Cloud) -> None:
    cloud.simulator.faults.add("reject-article", articles=("bad",), message="NO")
    answer = cloud.call("POST", "/articles", [record("1"), record("bad")])
    assert (answer.status_code, answer.json()["responseMessage"]) == (405, "NO")
    assert cloud.push(record("1"))["validCount"] == 1
    assert cloud.call("PUT", "/articles", [record("bad")]).status_code == 405


def test_named_records_count_as_invalid(cloud: Cloud) -> None:
    cloud.simulator.faults.add("partial", articles=("2",), message="made up")
    answer = cloud.push(record("1"), record("2"))
    assert (answer["validCount"], answer["invalidCount"]) == (1, 1)
    logs = cloud.call(
        "GET", "/articles/validationerror/logs", inputBatchId=answer["customBatchId"], store=None
    )
    assert [(row["articleId"], row["errorText"]) for row in logs.json()["data"]] == [
        ("2", "made up, index 1")
    ]


def test_a_refusal_may_quote_the_record_it_refuses(cloud: Cloud) -> None:
    message = "value '{ITEM_NAME}' of {ARTICLE_ID} too long, {OTHER}"
    cloud.simulator.faults.add("reject-article", articles=("bad",), message=message, count=1)
    answer = cloud.call("POST", "/articles", [record("1"), record("bad", "Noa")])
    assert answer.json()["responseMessage"] == "value 'Noa' of bad too long, {OTHER}"
    cloud.simulator.faults.add("partial", articles=("2",), message="not {ITEM_NAME}")
    batch = cloud.push(record("1", "Dana"), record("2", "Noa"))["customBatchId"]
    logs = cloud.call("GET", "/articles/validationerror/logs", inputBatchId=batch, store=None)
    assert [row["errorText"] for row in logs.json()["data"]] == ["not Noa, index 1"]


def test_lost_pushes_are_taken_but_not_stored(cloud: Cloud) -> None:
    faults = cloud.simulator.faults
    faults.add("lost-push", articles=("1",), count=1)
    assert status(cloud) == 204
    assert cloud.push(record("1"), record("2"))["validCount"] == 2
    assert cloud.call("GET", "/config/articleField", article="1").status_code == 204
    assert cloud.push(record("1"))["validCount"] == 1
    assert cloud.info("1")["articleId"] == "1"
    faults.clear()
    faults.add("lost-push", every=2)
    assert cloud.push(*(record(f"x{n}") for n in range(4)))["validCount"] == 4
    assert cloud.call("GET", "/articles").json()["totalArticleCnt"] == 4


def test_answers_in_place_of_aims_follow_each_other(cloud: Cloud) -> None:
    faults = cloud.simulator.faults
    faults.add("status", code=503, count=1)
    faults.add("status", code=429, count=1)
    faults.add("lost-push", articles=("1",), count=1)
    codes = [cloud.call("POST", "/articles", [record("1")]).status_code for _ in range(3)]
    assert codes == [503, 429, 200]
    assert status(cloud) == 204
    assert [one["fired"] for one in faults.listing()] == [1, 1, 1]


def test_faults_meet_only_their_calls() -> None:
    assert Fault("status", method="POST", path="/articles").meets(asked())
    assert Fault("status", path="/common/*/articles").meets(asked())
    assert Fault("status", path="/art*", company="ACME", store="001", cluster="common").meets(asked())
    for values in (
        {"method": "GET"},
        {"path": "/labels"},
        {"company": "B"},
        {"store": "2"},
        {"cluster": "c1"},
    ):
        assert not fault_from_values({"kind": "status", **values}).meets(asked())
    assert not Fault("partial", articles=("2",)).meets(asked())
    assert not Fault("partial").meets(asked(articles=frozenset()))
    assert not Fault("lost-push").meets(asked(method="DELETE"))
    assert Fault("reject-article").meets(asked(method="DELETE"))


def test_chance_is_the_same_with_the_same_seed() -> None:
    def run(seed: int) -> list[bool]:
        faults = Faults()
        faults.add("status", probability=0.5, seed=seed)
        return [bool(faults.fire(asked())) for _ in range(40)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 0 < sum(run(1)) < 40


def test_a_fault_is_read_from_text_and_values() -> None:
    text = "kind=status,code=503,path=/articles,count=3,applied=true,header=Retry-After:7,probability=0.5"
    assert fault_from_text(text) == Fault(
        "status",
        code=503,
        path="/articles",
        count=3,
        applied=True,
        headers={"Retry-After": "7"},
        probability=0.5,
    )
    assert fault_from_text("kind=partial,articles=1|2").articles == ("1", "2")
    bad: list[dict[str, Any]] = [{}, {"kind": "odd"}, {"kind": "hang", "x": 1}, {"kind": "cut", "count": "z"}]
    for values in bad:
        with pytest.raises(ValueError, match=r"kind|field|value"):
            fault_from_values(values)
    with pytest.raises(ValueError, match="name=value"):
        fault_from_text("status,odd")
    assert fault_from_text("maintenance,seconds=60") == Fault("maintenance", seconds=60.0)
    with pytest.raises(ValueError, match="unknown form 'odd' of cut; known: short, chunked, close"):
        fault_from_text("cut,form=odd")
