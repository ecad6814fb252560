"""Faults in what is stored, listed and displayed (contract 9.5), one test per id."""

from typing import Any

import pytest

from tests.simulator.cloud import Cloud, ids_of, record

INFO = "/config/article/info"
LOGS = "/articles/validationerror/logs"


def ids(cloud: Cloud, **query: Any) -> list[str]:
    answer = cloud.call("GET", INFO, **query)
    return ids_of(answer.json()["articleList"]) if answer.status_code == 200 else []


def logs(cloud: Cloud, batch: str) -> int:
    answer = cloud.call("GET", LOGS, inputBatchId=batch, store=None)
    return len(answer.json()["data"]) if answer.status_code == 200 else 0


def fill(cloud: Cloud, count: int = 10) -> list[str]:
    rows = [record(f"a{number:02}", f"n{number}") for number in range(count)]
    cloud.push(*rows)
    return [row["articleId"] for row in rows]


def shown(cloud: Cloud, code: str) -> tuple[str, str]:
    found = cloud.shows(code)
    return found["status"], found["name"]


def test_partial_push_drops_records_and_says_so(cloud: Cloud) -> None:
    cloud.simulator.faults.add("partial-push", limit=2)
    answer = cloud.push(*(record(f"{n}") for n in range(5)))
    assert (answer["validCount"], answer["invalidCount"]) == (3, 2)
    assert ids(cloud) == ["2", "3", "4"]
    assert logs(cloud, answer["customBatchId"]) == 2


def test_partial_push_with_wrong_counts_and_no_log(cloud: Cloud) -> None:
    cloud.simulator.faults.add("partial-push", form="wrong+no-log", every=2)
    answer = cloud.push(*(record(f"{n}") for n in range(4)))
    assert (answer["validCount"], answer["invalidCount"]) == (4, 0)
    assert ids(cloud) == ["0", "2"]
    assert logs(cloud, answer["customBatchId"]) == 0


def test_partial_push_with_a_late_log(cloud: Cloud) -> None:
    cloud.simulator.faults.add("partial-push", articles=("1",), seconds=30)
    batch = cloud.push(record("1"), record("2"))["customBatchId"]
    assert logs(cloud, batch) == 0
    cloud.advance(30)
    assert logs(cloud, batch) == 1


def test_lost_push_stores_nothing_and_answers_200(cloud: Cloud) -> None:
    cloud.simulator.faults.add("lost-push", count=1)
    assert cloud.push(record("1"), record("2"))["validCount"] == 2
    assert ids(cloud) == []


def test_delayed_visibility_hides_writes_for_a_while(cloud: Cloud) -> None:
    cloud.push(record("1", "old"), record("2"))
    cloud.simulator.faults.add("delayed-visibility", seconds=30)
    cloud.push(record("1", "new"), record("3"))
    cloud.call("DELETE", "/articles", {"articleDeleteList": ["2"]})
    assert ids(cloud) == ["1", "2"]
    assert cloud.info("1")["articleName"] == "old"
    assert cloud.call("GET", "/config/articleField", article="3").status_code == 204
    cloud.advance(29)
    assert ids(cloud) == ["1", "2"]
    cloud.advance(1)
    assert ids(cloud) == ["1", "3"]
    assert cloud.info("1")["articleName"] == "new"


def test_delayed_visibility_on_some_pages_only(cloud: Cloud) -> None:
    known = fill(cloud, 4)
    cloud.simulator.faults.add("delayed-visibility", form="pages", every=2)
    cloud.push(record("a025", "between"), record("a99", "last"))
    assert ids(cloud, size=2, page=0) == known[:2]
    assert ids(cloud, size=2, page=1) == known[2:]
    assert ids(cloud, size=2, page=2) == ["a03", "a99"]


def test_stale_read_answers_an_older_snapshot(cloud: Cloud) -> None:
    cloud.push(record("1", "old"))
    label = cloud.labels()[0]
    cloud.link(label, "1")
    cloud.advance(60)
    cloud.push(record("1", "new"), record("2"))
    cloud.call("POST", "/labels/unlink", {"unAssignList": [label]})
    cloud.advance(10)
    id_ = cloud.simulator.faults.add("stale-read", seconds=30)
    assert (ids(cloud), cloud.info("1")["articleName"]) == (["1"], "old")
    assert cloud.info("1")["assignedLabel"] == [label]
    assert cloud.call("GET", "/labels").json()["labelList"][0]["updateStatus"] == "SUCCESS"
    cloud.simulator.faults.remove(id_)
    assert (ids(cloud), cloud.info("1")["assignedLabel"]) == (["1", "2"], [])


def test_stale_read_without_seconds_is_as_old_as_the_fault(cloud: Cloud) -> None:
    cloud.push(record("1"))
    cloud.simulator.faults.add("stale-read", count=2)
    cloud.push(record("2"))
    assert [ids(cloud), ids(cloud), ids(cloud)] == [["1"], ["1"], ["1", "2"]]


def test_empty_info_though_there_are_articles(cloud: Cloud) -> None:
    fill(cloud, 3)
    cloud.simulator.faults.add("empty-info")
    assert cloud.call("GET", INFO).status_code == 204
    assert cloud.call("GET", "/articles").json()["totalArticleCnt"] == 3


def test_page_shift_by_an_insertion_shows_a_row_twice(cloud: Cloud) -> None:
    known = fill(cloud, 4)
    cloud.simulator.faults.add("page-shift", path=INFO, count=1)
    assert ids(cloud, size=2, page=0) == known[:2]
    assert ids(cloud, size=2, page=1) == known[1:3]


def test_page_shift_by_a_deletion_hides_a_row(cloud: Cloud) -> None:
    known = fill(cloud, 4)
    cloud.simulator.faults.add("page-shift", form="delete", path=INFO, count=1)
    assert ids(cloud, size=2, page=0) == known[:2]
    assert ids(cloud, size=2, page=1) == known[3:]


@pytest.mark.parametrize(
    ("form", "pages"),
    [
        ("dup", [["a00", "a01"], ["a01", "a02", "a03"], ["a03", "a04"], []]),
        ("skip", [["a00", "a01"], ["a03"], []]),
        ("short", [["a00", "a01"], ["a02"], ["a03", "a04"], []]),
    ],
)
def test_page_dup_moves_the_ends_of_pages(cloud: Cloud, form: str, pages: list[list[str]]) -> None:
    fill(cloud, 5)
    cloud.simulator.faults.add("page-dup", form=form)
    assert [ids(cloud, size=2, page=number) for number in range(len(pages))] == pages
    headers = cloud.call("GET", INFO, size=2).headers
    assert (headers["x-totalpages"], headers["x-totalelements"]) == ("3", "5")


@pytest.mark.parametrize(("form", "total", "pages"), [("total-low", "3", "2"), ("total-high", "7", "4")])
def test_page_dup_with_wrong_totals(cloud: Cloud, form: str, total: str, pages: str) -> None:
    fill(cloud, 5)
    cloud.simulator.faults.add("page-dup", form=form)
    headers = cloud.call("GET", INFO, size=2).headers
    assert (headers["x-totalelements"], headers["x-totalpages"]) == (total, pages)


@pytest.mark.parametrize(("form", "totals"), [("no-totals", None), ("totals", "3")])
def test_page_ignored_answers_the_first_page_for_every_number(
    cloud: Cloud, form: str, totals: str | None
) -> None:
    known = fill(cloud, 5)
    cloud.simulator.faults.add("page-ignored", form=form)
    for number in (0, 1, 2, 99):
        answer = cloud.call("GET", INFO, size=2, page=number)
        assert ids_of(answer.json()["articleList"]) == known[:2]
        assert answer.headers.get("x-totalpages") == totals


def test_size_cap_lowers_the_size_silently(cloud: Cloud) -> None:
    known = fill(cloud, 5)
    cloud.simulator.faults.add("size-cap", limit=2)
    answer = cloud.call("GET", INFO, size=500)
    assert ids_of(answer.json()["articleList"]) == known[:2]
    assert (answer.headers["x-size"], answer.headers["x-totalpages"]) == ("2", "3")


def linked(cloud: Cloud) -> str:
    cloud.push(record("1", "Ann"))
    label = cloud.labels()[0]
    cloud.link(label, "1")
    cloud.advance(2)
    return label


@pytest.mark.parametrize(
    ("form", "states"),
    [
        ("", ["PROCESSING", "PROCESSING", "PROCESSING"]),
        ("timeout", ["PROCESSING", "TIMEOUT", "TIMEOUT"]),
        ("late", ["PROCESSING", "TIMEOUT", "SUCCESS"]),
    ],
)
def test_stuck_label_for_one_order(cloud: Cloud, form: str, states: list[str]) -> None:
    label = linked(cloud)
    cloud.simulator.faults.add("stuck-label", form=form, labels=(label,), seconds=600, count=1)
    batch = cloud.push(record("1", "Bob"))["customBatchId"]
    seen = []
    for seconds in (0, 2, 600):
        cloud.advance(seconds)
        seen.append(cloud.shows(label)["status"])
        rows = cloud.call("GET", "/articles/history/detail", name=batch, result=seen[-1])
        assert [row["labelCode"] for row in rows.json()["updateDetailList"]] == [label]
    assert seen == states
    assert shown(cloud, label)[1] == ("Bob" if form == "late" else "Ann")
    cloud.push(record("1", "Cy"))
    cloud.advance(2)
    assert shown(cloud, label) == ("SUCCESS", "Cy")


def test_foreign_writer_edits_by_the_clock(cloud: Cloud) -> None:
    cloud.push(record("1", "ours"))
    cloud.simulator.faults.add("foreign-writer", seconds=60, articles=("1",))
    assert cloud.info("1")["articleName"] == "ours"
    cloud.advance(60)
    assert cloud.info("1")["articleName"] == "foreign 1"
    cloud.advance(120)
    assert cloud.info("1")["articleName"] == cloud.info("1")["data"]["ITEM_NAME"] == "foreign 3"
    assert cloud.control("GET", "counters")["article_writes"] == 1


def test_foreign_writer_puts_back_what_was_before(cloud: Cloud) -> None:
    cloud.push(record("1", "theirs"))
    cloud.push(record("1", "ours"))
    cloud.simulator.faults.add("foreign-writer", form="revert", method="GET", count=1)
    assert cloud.info("1")["articleName"] == "theirs"
    assert cloud.info("1")["articleName"] == "theirs"


def test_foreign_writer_deletes(cloud: Cloud) -> None:
    fill(cloud, 4)
    cloud.simulator.faults.add("foreign-writer", form="delete", seconds=60, every=2)
    cloud.advance(60)
    assert len(ids(cloud)) == 3
    cloud.advance(6000)
    cloud.login()
    assert len(ids(cloud)) == 1
    assert cloud.control("GET", "counters")["articles_deleted"] == 0


def test_label_flap_takes_a_link_and_gives_it_back(cloud: Cloud) -> None:
    label = linked(cloud)
    cloud.simulator.faults.add("label-flap", seconds=60)
    seen = []
    for _ in range(4):
        seen.append(cloud.info("1")["assignedLabel"])
        cloud.advance(60)
    assert seen == [[label], [], [label], []]


def test_faults_of_one_store_leave_the_others_alone(cloud: Cloud) -> None:
    cloud.push(record("1"))
    cloud.push(record("1"), store="002")
    cloud.simulator.faults.add("empty-info", store="002")
    cloud.simulator.faults.add("foreign-writer", form="delete", store="003")
    assert ids(cloud) == ["1"]
    assert ids(cloud, store="002") == []
    assert cloud.call("GET", "/articles", store="003").status_code == 204
