from tests.simulator.cloud import START, Cloud, record


def test_health_and_clock(cloud: Cloud) -> None:
    assert cloud.control("GET", "health") == {"status": "ok", "now": START}
    assert cloud.control("POST", "clock", {"advance_seconds": 5}) == {"now": START + 5}
    assert cloud.http.post("/_simulator/clock", json={"advance_seconds": -1}).status_code == 400
    assert cloud.http.post("/_simulator/clock", content=b"{").status_code == 400
    assert cloud.http.get("/_simulator/nothing").status_code == 404


def test_the_journal_tells_who_wrote_what_and_no_secret(cloud: Cloud) -> None:
    before = cloud.control("GET", "journal")["last"]
    cloud.push(record("1", "Ann"), record("2"))
    cloud.call("DELETE", "/articles", {"articleDeleteList": ["1"]})
    first, second = cloud.control("GET", "journal", after=before)["entries"]
    assert (first["method"], first["path"]) == ("POST", "/common/api/v2/common/articles")
    assert (first["status"], first["records"], first["articles"]) == (200, 2, ["1", "2"])
    assert first["query"] == {"company": ["ACME"], "store": ["001"]}
    assert (second["method"], second["articles"]) == ("DELETE", ["1"])
    assert first["token"] == second["token"] != ""
    whole = cloud.http.get("/_simulator/journal").text
    assert "Ann" not in whole
    assert cloud.token not in whole


def test_counters(cloud: Cloud) -> None:
    cloud.push(record("1"), record("2"))
    cloud.call("PUT", "/articles", [record("1")])
    counters = cloud.control("GET", "counters")
    assert (counters["logins"], counters["refreshes"]) == (1, 0)
    assert (counters["article_writes"], counters["records"], counters["records_max"]) == (2, 3, 2)
    assert counters["pushes_by_size"] == {"2": 1, "1": 1}
    assert counters["calls"]["POST /articles"] == 1
    assert counters["parallel_peak"] == 1


def test_a_foreign_writer_changes_things_behind_the_client(cloud: Cloud) -> None:
    cloud.push(record("1", "ours", TITLE="t"), record("2"))
    before = cloud.control("GET", "journal")["last"]
    scope = {"company": "ACME", "store": "001"}
    body = {**scope, "upsert": [record("1", "theirs")], "delete": ["2", "none"]}
    assert cloud.control("POST", "articles", body) == {"upserted": 1, "deleted": 1}
    assert cloud.info("1")["articleName"] == "theirs"
    assert cloud.info("1")["data"]["TITLE"] == "t"
    assert cloud.call("GET", "/articles").json()["totalArticleCnt"] == 1
    written = [
        row for row in cloud.control("GET", "journal", after=before)["entries"] if row["method"] != "GET"
    ]
    assert written == []
    assert cloud.control("GET", "counters")["article_writes"] == 1
    assert cloud.http.post("/_simulator/articles", json={**scope, "upsert": [{}]}).status_code == 400
    assert cloud.http.post("/_simulator/articles", json={"company": "NO"}).status_code == 400


def test_reset_begins_again(cloud: Cloud) -> None:
    labels = cloud.labels()
    cloud.push(record("1"))
    cloud.simulator.faults.add("html", path="/labels")
    cloud.control("POST", "reset")
    assert cloud.call("GET", "/articles").status_code == 401
    cloud.login()
    assert cloud.call("GET", "/articles").status_code == 204
    assert cloud.labels() == labels
    assert cloud.control("GET", "faults") == {"faults": []}
    assert cloud.control("GET", "counters")["logins"] == 1


def test_the_dump_holds_the_world_without_passwords(cloud: Cloud) -> None:
    cloud.push(record("1"))
    dump = cloud.control("GET", "state")
    assert dump["users"] == {}
    assert list(dump["clusters"]["common"]["companies"]["ACME"]["stores"]["001"]["articles"]) == ["1"]
