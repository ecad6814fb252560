"""`electis aims api`: any call, kept within the organization, without a secret in what is shown."""

from __future__ import annotations

import json
import shlex

import pytest

from electis_cli.services.aims_raw import REDACTED, parse_call, redact
from tests.world.ledger import calls

JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"


def test_a_read_is_what_aims_answers(desk):
    view = desk.json("aims", "api", "GET", "/store/summary", "--query", "store=001")
    assert (view["status"], view["body"]["store"], view["path"]) == (200, "001", "/common/store/summary")
    told = desk("aims", "api", "get", "/store/summary?store=001")
    assert json.loads(told.out) == view["body"]
    assert told.err.startswith("200 in ")
    assert desk.json("aims", "api", "GET", "/labels", "--query", "store=001")["body"] is None, "204"


@pytest.mark.parametrize(
    "path",
    [
        "/articles",
        "articles",
        "/common/articles",
        "/api/v2/common/articles",
        "/c1/common/api/v2/common/articles",
    ],
)
def test_a_path_is_given_in_any_of_its_forms(path):
    assert parse_call("get", path).path == "/common/articles"


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.example/x", "//elsewhere.example/x", "/../token", "/api/v3/ACME/auth/token/refresh",
        "/token", "/api/v2/token", "/token/refresh", "/login", "/a b", "/articles#x", "/%2e%2e/token",
    ],
)  # fmt: skip
def test_no_path_leads_elsewhere_or_to_a_token(desk, path):
    refused = desk("aims", "api", "GET", path, "-o", "json", check=2).error
    assert refused["code"] == "E-USAGE"
    assert not [entry for entry in desk.cloud.journal.after() if "/token" not in entry.path]


def test_all_pages_are_one_list(desk):
    view = desk.json(
        "aims", "api", "GET", "/articles", "--query", "store=001", "--query", "size=10", "--all-pages"
    )
    assert [row["articleId"] for row in view["body"]] == ["4-1", "4-2", "C3"]
    rows = desk("aims", "api", "GET", "/labels/unassigned", "--query", "store=001", "--all-pages").out
    assert len(json.loads(rows)) == 8


def test_all_pages_are_written_row_by_row(desk):
    line = (
        "aims",
        "api",
        "GET",
        "/articles",
        "--query",
        "store=001",
        "--query",
        "size=2",
        "--all-pages",
        "-o",
    )
    head, *rows = desk(*line, "csv").out.splitlines()
    assert "articleId" in head.split(",")
    assert len(rows) == 3
    listed = [json.loads(row)["articleId"] for row in desk(*line, "jsonl").out.splitlines()]
    assert listed == ["4-1", "4-2", "C3"]
    assert len(desk(*line, "name").out.splitlines()) == 3
    assert desk(*line, "csv", "--fields", "articleId").out == "articleId\n4-1\n4-2\nC3\n"
    stores = ("aims", "api", "GET", "/store/summary?store=001", "--all-pages", "-o", "jsonl")
    assert json.loads(desk(*stores).out)["body"]["store"] == "001", "an object stays one"


def test_a_path_that_aims_does_not_have_is_what_is_blamed(desk):
    failed = desk("aims", "api", "GET", "/nothing", "-o", "json", check=None).error
    assert failed["message"] == "AIMS has nothing at /common/nothing, or not on this installation."
    assert "check the path" in failed["fix"]


def test_a_store_that_electis_does_not_have_is_told_apart_from_one_of_aims(desk):
    refused = desk("aims", "api", "GET", "/articles?store=002", "-o", "json", check=6).error
    assert refused["message"] == "There is no store 002 here."
    assert refused["fix"] == "electis store list"


def test_a_write_needs_yes_and_is_written_down(desk):
    line = (
        "aims",
        "api",
        "POST",
        "/whitelist",
        "--query",
        "store=001",
        "--body",
        json.dumps({"labelList": desk.labels[:1]}),
    )
    assert desk(*line, "-o", "json", check=2).error["fix"] == "add --yes"
    assert desk.store.whitelist == {}
    done = desk(*line, "--yes", "-o", "json")
    assert done.json["status"] == 200
    assert "full sync" in done.err
    assert list(desk.store.whitelist) == desk.labels[:1]
    rows = desk.audit("aims:called")
    assert [(row["entity_id"], row["after"]["outcome"]) for row in rows] == [
        ("POST /common/whitelist", "asked"), ("POST /common/whitelist", "done"),
    ]  # fmt: skip


def test_the_body_comes_from_a_file_or_standard_input(desk, tmp_path):
    body = json.dumps({"labelList": desk.labels[:1]})
    file = tmp_path / "body.json"
    file.write_text(body)
    line = ("aims", "api", "POST", "/whitelist", "--query", "store=001", "--yes", "--body")
    desk(*line, f"@{file}")
    desk("aims", "api", "DELETE", "/whitelist", "--query", "store=001", "--yes", "--body", "-", stdin=body)
    assert desk.store.whitelist == {}
    assert desk(*line, "@/nowhere", "-o", "json", check=2).error["code"] == "E-USAGE"
    assert desk(*line, "{not json", "-o", "json", check=8).error["code"] == "E-INPUT"


def test_a_dry_run_is_a_curl_command_without_the_token(desk):
    body = json.dumps({"labelList": ["0A'B"], "password": "hush-hush"})
    line = ("aims", "api", "POST", "/whitelist", "--query", "store=001", "--body", body, "--dry-run")
    told = desk(*line).out
    words = shlex.split(told)
    assert words[:3] == ["curl", "--request", "POST"]
    assert f"{desk.server.base_url}/common/api/v2/common/whitelist?company=ACME&store=001" in words
    assert f"Authorization: Bearer {REDACTED}" in words
    assert json.loads(words[-1]) == {"labelList": ["0A'B"], "password": REDACTED}
    assert "hush-hush" not in told
    assert calls(desk.cloud, "POST", "/whitelist") == []
    assert desk.json(*line)["curl"] == told.strip()
    assert "--head" in desk("aims", "api", "HEAD", "/store", "-n").out


def test_company_and_stores_are_the_organizations_own(desk):
    for query, code in (
        ("company=OTHER", "E-ORG-NOT-FOUND"),
        ("Company=OTHER", "E-ORG-NOT-FOUND"),
        ("store=002", "E-STORE-NOT-FOUND"),
        ("storeCode=002", "E-STORE-NOT-FOUND"),
        ("toStore=002", "E-STORE-NOT-FOUND"),
    ):
        assert (
            desk("aims", "api", "GET", "/articles", "--query", query, "-o", "json", check=6).error["code"]
            == code
        )
    both = ("--query", "store=001", "--query", "store=002")
    desk("aims", "api", "GET", "/articles", *both, check=6)
    assert (
        desk("aims", "api", "GET", "/store", "--query", "export=true", "-o", "json", check=2).error["code"]
        == "E-USAGE"
    )
    assert calls(desk.cloud, "GET", "/articles") == []
    assert desk.json("aims", "api", "GET", "/store", "--query", "company=ACME")["status"] == 200


@pytest.mark.parametrize(
    "arguments",
    [
        ("FETCH", "/store"),
        ("POST", "/store", "--all-pages"),
        ("GET", "/store", "--body", "{}"),
        ("GET", "/store", "--query", "x"),
    ],
    ids=["method", "pages", "body", "query"],
)
def test_a_call_that_makes_no_sense(desk, arguments):
    assert desk("aims", "api", *arguments, "-o", "json", check=2).error["code"] == "E-USAGE"


def test_a_write_without_an_answer_is_sent_once(desk):
    desk.cloud.faults.add("reset", method="POST", path="/whitelist")
    failed = desk(
        "aims",
        "api",
        "POST",
        "/whitelist",
        "--query",
        "store=001",
        "--body",
        "{}",
        "--yes",
        "-o",
        "json",
        check=12,
    ).error
    assert "not asked twice" in failed["message"]
    assert len(calls(desk.cloud, "POST", "/whitelist")) == 1
    assert desk.audit("aims:called")[-1]["after"]["outcome"] == "unknown"


def test_who_may_call(desk):
    viewer, manager = desk.log_in_as("viewer"), desk.log_in_as("manager")
    assert viewer("aims", "api", "GET", "/store", "-o", "json", check=5).error["code"] == "E-PERMISSION"
    assert manager("aims", "api", "GET", "/store", "-o", "json").json["status"] == 200
    line = (
        "aims",
        "api",
        "DELETE",
        "/labels",
        "--query",
        "store=001",
        "--body",
        '{"labelList": []}',
        "--yes",
    )
    assert manager(*line, "-o", "json", check=5).error["code"] == "E-PERMISSION"
    assert manager(*line, "--dry-run", check=5)
    assert calls(desk.cloud, "DELETE", "/labels") == []


def test_no_token_and_no_password_is_ever_shown(desk):
    shown = (
        desk("aims", "api", "GET", "/store", "-o", "json").out
        + desk("aims", "api", "GET", "/store", "-n").out
    )
    tokens = [*desk.cloud.world.tokens, *desk.cloud.world.refresh_tokens]
    assert tokens
    assert not [token for token in tokens if token in shown]
    assert "aims-secret" not in shown


def test_secrets_are_known_by_name_and_by_look():
    body = {
        "access_token": "abc", "wifiPassword": "x", "apiKey": "k",
        "rows": [{"Secret": "s", "note": f"see Bearer {JWT}"}],
        "text": JWT, "token": None, "passwordSet": True, "plain": "eyes",
    }  # fmt: skip
    assert redact(body) == {
        "access_token": REDACTED, "wifiPassword": REDACTED, "apiKey": REDACTED,
        "rows": [{"Secret": REDACTED, "note": f"see {REDACTED}"}],
        "text": REDACTED, "token": None, "passwordSet": True, "plain": "eyes",
    }  # fmt: skip
