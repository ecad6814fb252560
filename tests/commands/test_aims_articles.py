"""`electis aims article` and `electis aims batch` against the simulator."""

from __future__ import annotations

import pytest

from tests.flows.in_process import InProcess
from tests.world.ledger import calls, edit, link, put, remove


def pairs(view):
    return {pair["field"]: (pair["ours"], pair["aims"]) for pair in view["fields"] if not pair["equal"]}


def test_articles_are_listed_as_aims_holds_them(desk):
    link(desk.cloud, desk.labels[0], "4-1")
    listed = desk.json("aims", "article", "list")
    assert [row["article_id"] for row in listed] == ["4-1", "4-2", "C3"]
    dana = listed[0]
    assert (dana["name"], dana["store"], dana["labels"]) == ("Dana Levi", "001", [desk.labels[0]])
    assert dana["data"]["TITLE"] == "Corner"
    assert [row["article_id"] for row in desk.json("aims", "article", "list", "--limit", "1")] == ["4-1"]
    assert desk("aims", "article", "list", "--name", "board", "-o", "name").out == "C3\n"
    assert desk.json("aims", "article", "list", "--name", "nobody") == []


@pytest.mark.parametrize(
    ("kind", "form", "listed", "counted"),
    [
        ("page-shift", "delete", ["4-1", "4-2", "D", "E"], 3),
        ("page-dup", "total-low", ["4-1", "4-2", "C3", "D"], 5),
    ],
)
def test_a_list_that_is_not_what_aims_counts_is_shown_with_a_warning(desk, kind, form, listed, counted):
    put(desk.cloud, "D")
    put(desk.cloud, "E")
    desk.cloud.faults.add("size-cap", limit=2)
    desk.cloud.faults.add(kind, form=form, path="/config/article/info")

    shown = desk("aims", "article", "list", "-o", "json")

    assert [row["article_id"] for row in shown.json] == listed
    assert shown.err == (
        f"warning: AIMS counts {counted} articles in store 001 and lists 4; run the command again\n"
    )


def test_a_list_that_aims_counts_alike_or_that_is_cut_needs_no_warning(desk):
    for options in ((), ("--limit", "1"), ("--name", "board")):
        assert desk("aims", "article", "list", *options).err == ""
    desk.cloud.faults.add("status", code=404, path="/articles")
    odd = desk("aims", "article", "list", "-o", "name")
    assert odd.out.split() == ["4-1", "4-2", "C3"]
    assert odd.err.startswith("warning: AIMS does not say how many articles store 001 has: AIMS answered 404")


def test_pages_that_do_not_turn_are_no_list(desk):
    desk.cloud.faults.add("size-cap", limit=2)
    desk.cloud.faults.add("page-ignored", path="/config/article/info")
    failed = desk("aims", "article", "list", "-o", "json", check=13)
    assert (failed.out, failed.error["code"]) == ("", "E-AIMS-LISTING")


def test_an_article_is_shown_field_by_field(desk):
    same = desk.json("aims", "article", "show", "4-1")
    assert (same["equal"], same["wanted"], same["at_aims"], same["status"]) == (True, True, True, "synced")
    assert pairs(same) == {}

    edit(desk.cloud, "4-1", TITLE="Elsewhere", PHONE="12")
    differs = desk.json("aims", "article", "show", "4-1")
    assert differs["equal"] is False
    assert pairs(differs) == {"TITLE": ("Corner", "Elsewhere"), "PHONE": (None, "12")}
    shown = desk("aims", "article", "show", "4-1").out
    assert "Elsewhere" in shown
    assert "Corner" in shown


def test_an_article_that_one_side_lacks(desk):
    remove(desk.cloud, "4-2")
    put(desk.cloud, "X-9", name="a stranger")
    put(desk.cloud, "A,B", name="an id that takes a comma")
    gone = desk.json("aims", "article", "show", "4-2")
    assert (gone["wanted"], gone["at_aims"], gone["equal"]) == (True, False, False)
    stranger = desk.json("aims", "article", "show", "X-9")
    assert (stranger["wanted"], stranger["at_aims"], stranger["status"]) == (False, True, None)
    assert desk.json("aims", "article", "show", "A,B")["at_aims"] is True
    refused = desk("aims", "article", "show", "nothing", "-o", "json", check=6).error
    assert (refused["code"], refused["fix"]) == ("E-ARTICLE-NOT-FOUND", "electis find nothing")


def test_when_an_article_was_written(desk):
    desk("space", "update", "4-1", "--set", "PHONE=5")
    desk("queue", "drain")
    history = desk.json("aims", "article", "history", "4-1")
    assert len(history) == 2
    first = desk.json("aims", "article", "history", "4-1", "--upload", history[0]["upload"])
    assert (first[0]["data"]["TITLE"], first[0]["data"]["PHONE"]) == ("Corner", "")
    for arguments in (("nothing",), ("4-1", "--upload", "no-such-upload")):
        assert (
            desk("aims", "article", "history", *arguments, "-o", "json", check=6).error["code"]
            == "E-ARTICLE-NOT-FOUND"
        )


def test_the_articles_that_labels_show(desk):
    assert desk.json("aims", "article", "linked") == []
    link(desk.cloud, desk.labels[0], "4-1")
    assert desk.json("aims", "article", "linked") == [
        {"article_id": "4-1", "store": "001", "name": "Dana Levi", "labels": 1}
    ]


def test_a_batch_shows_its_labels_in_every_state(desk):
    good, late = desk.labels[:2]
    desk.store.labels[late].outcome = "TIMEOUT"
    for code in (good, late):
        desk("label", "link", code, "4-1")
    desk("queue", "drain")
    desk("space", "update", "4-1", "--set", "PHONE=5")
    desk("queue", "drain")

    newest = desk.json("aims", "batch", "list")[0]
    assert (newest["result"], newest["total"], newest["stores"]) == ("SUCCESS", 1, ["001"])
    assert (newest["labels_done"], newest["labels_failed"]) == (1, 1)
    shown = desk.json("aims", "batch", "show", newest["batch"])
    assert shown["results"] == {"SUCCESS": 1, "TIMEOUT": 1}
    assert {row["label_code"]: row["result"] for row in shown["rows"]} == {good: "SUCCESS", late: "TIMEOUT"}
    assert "TIMEOUT" in desk("aims", "batch", "show", newest["batch"]).out
    assert desk.json("aims", "batch", "list", "--limit", "1") == [newest]
    assert desk.json("aims", "batch", "list", "--kind", "assign")[0]["labels"] == 2
    assert desk.json("aims", "batch", "list", "--kind", "imagepush") == []


def test_the_records_a_batch_lost_are_listed(desk):
    desk.cloud.faults.add("partial", articles=("4-2",), message="too long")
    desk("space", "update", "4-2", "--set", "PHONE=5")
    desk("space", "update", "4-1", "--set", "PHONE=5")
    desk("queue", "drain", check=None)
    batch = next(row for row in desk.json("aims", "batch", "list") if row["failed"])["batch"]
    (row,) = desk.json("aims", "batch", "errors", batch)
    assert row["article_id"] == "4-2"
    assert "too long" in row["reason"]
    assert desk.json("aims", "batch", "show", batch)["refused"] == [row]
    assert "too long" in desk("aims", "batch", "show", batch).out
    # An installation without the log (Q30) still has the batch's own words.
    desk.cloud.faults.add("status", code=404, path="/articles/validationerror/logs")
    (row,) = desk.json("aims", "batch", "errors", batch)
    assert "too long" in row["reason"]


def test_a_batch_nobody_knows(desk):
    for verb in ("show", "errors"):
        assert (
            desk("aims", "batch", verb, "no-such-batch", "-o", "json", check=6).error["code"] == "E-NOT-FOUND"
        )


@pytest.mark.slow
def test_somebody_of_one_store_sees_that_store_only(desk):
    desk("store", "create", "002")
    desk("space", "create", "5-1", "--store", "002")
    desk("queue", "drain")
    viewer = desk.log_in_as("viewer", store="002")
    batches = desk.json("aims", "batch", "list")
    assert {store for row in batches for store in row["stores"]} == {"001", "002"}
    theirs = viewer("aims", "batch", "list", "-o", "json").json
    assert [row["stores"] for row in theirs] == [["002"]]
    foreign = next(row["batch"] for row in batches if row["stores"] == ["001"])
    for arguments in (
        ("batch", "show", foreign),
        ("article", "show", "4-1"),
        ("article", "list", "--store", "001"),
    ):
        assert viewer("aims", *arguments, "-o", "json", check=6).error["exit_code"] == 6
    assert [row["article_id"] for row in viewer("aims", "article", "list", "-o", "json").json] == ["5-1"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "html"}, 12),
        ({"kind": "empty-200"}, 12),
        ({"kind": "status", "code": 503}, 12),
        ({"kind": "status", "code": 429}, 14),
        ({"kind": "status", "code": 403, "message": "LICENSE_EXPIRED"}, 13),
        ({"kind": "soft-error", "code": 405, "message": "STORE_CODE_NOT_FOUND"}, 13),
    ],
    ids=["html", "empty", "503", "429", "403", "soft"],
)
def test_trouble_is_never_an_empty_list(desk, fault, code):
    desk.cloud.faults.add(fault.pop("kind"), path="/config/article/info", **fault)
    failed = desk("aims", "article", "list", "-o", "json", check=code)
    assert failed.out == ""
    assert failed.error["why"]
    assert len(calls(desk.cloud, "GET", "/config/article/info")) <= 3


def test_without_an_account_the_error_says_what_to_do(tmp_path):
    electis = InProcess(tmp_path)
    electis.initialize()
    for arguments in (
        ("article", "list"),
        ("batch", "list"),
        ("gateway", "list"),
        ("store", "list"),
        ("whitelist", "list"),
    ):
        refused = electis("aims", *arguments, "-o", "json", check=16).error
        assert refused["fix"].startswith("electis aims configure")
