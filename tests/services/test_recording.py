"""The flight recorder: what is kept of calls to AIMS, for how long, and that nobody's name or password is in it."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from electis_cli.aims.recorder import Exchange, without_secrets
from electis_cli.db import exchanges, organizations
from electis_cli.domain.access import Role
from electis_cli.domain.errors import InvalidInput, NotFound, StoreNotFound
from electis_cli.services import people, spaces
from electis_cli.services.change import reading
from electis_cli.services.har import make_har, write_har
from electis_cli.services.recording import last_exchanges, last_write_of, make_recorder, show_exchange
from tests.world import ledger as world
from tests.world.planted import AIMS_PASSWORD, HEBREW_PERSON, PERSON


@pytest.fixture
def record(runtime, scope):
    """Return how to record a call of store 001."""
    keep = make_recorder(runtime.database, runtime.sealer, scope.org_id, runtime.new_id)

    def one(method="GET", *subjects, store="001", **values):
        keep(
            Exchange(
                at=runtime.clock(),
                method=method,
                path=values.pop("path", "/api/v2/common/articles"),
                query={"company": "ACME", **({"store": store} if store else {}), **values.pop("query", {})},
                milliseconds=3,
                subjects=tuple(subjects),
                **{"status": 200, **values},
            )
        )

    return one


def kept(scope, **filters):
    with reading(scope) as read:
        return exchanges.list_exchanges(read.uow, None, **filters)


def last_write(scope, subject, store="001"):
    with reading(scope) as read:
        return last_write_of(read, store, subject)


def test_a_later_page_of_a_listing_does_not_wait_for_those_who_write(scope, record, monkeypatch):
    record("GET", query={"page": 0})
    with monkeypatch.context() as patch:
        patch.setattr(type(scope.runtime.database), "write", None)
        record("GET", query={"page": 1})
    record("GET", query={"page": 2}, status=500, error="E-AIMS-AMBIGUOUS")
    assert [row["query"]["page"] for row in kept(scope)] == [2, 0]


def test_reads_do_not_push_out_writes(scope, record, monkeypatch):
    monkeypatch.setattr(exchanges, "RING", 3)
    record("PUT", "4-117")
    for _ in range(5):
        record("GET")
    assert [row["method"] for row in kept(scope)] == ["GET", "GET", "GET", "PUT"]


def test_each_store_has_a_ring_of_its_own(scope, record, monkeypatch):
    monkeypatch.setattr(exchanges, "RING", 2)
    record("PUT", "A", store="002")
    record("POST", store=None, path="/api/v2/token")
    for number in range(3):
        record("PUT", f"B{number}")
    assert [row["subjects"] for row in kept(scope, writes=True)] == [["B2"], ["B1"], [], ["A"]]


def test_the_last_write_of_an_article_is_found(scope, record):
    record("POST", "4-117", "4-118", batch_id="first")
    record("PUT", "4-117", batch_id="second")
    record("GET", "4-117")
    record("PUT", "4-117", store="002", batch_id="elsewhere")
    assert last_write(scope, "4-117").batch_id == "second"
    assert last_write(scope, "4-118").batch_id == "first"
    assert last_write(scope, "4-119") is None


# --- nothing that is nobody's business ------------------------------------------------------------------------------

NAME, HEBREW, UPPER = PERSON, HEBREW_PERSON, "PLANTED"


def dump(scope):
    """Return the whole table as text, also as JSON writes what is not ASCII."""
    with scope.runtime.database.read(scope.org_id) as uow:
        rows = [dict(row) for row in uow.execute(sa.text("SELECT * FROM aims_exchanges")).mappings()]
    return "\n".join(str(value) for row in rows for value in row.values())


def assert_clean(text, *secrets):
    for secret in secrets:
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "soft-error", "code": 405, "message": f"{NAME} is too long"},
        {"kind": "status", "code": 405, "message": f"bad value {HEBREW}"},
        {"kind": "status", "code": 500, "message": UPPER},
        {"kind": "status", "code": 401, "message": f"Unauthorized: {NAME}"},
    ],
)
def test_names_passwords_and_tokens_are_not_in_the_table(connected, cloud, fault):
    cloud.faults.add(
        fault["kind"], path="/articles", method="POST", **{k: v for k, v in fault.items() if k != "kind"}
    )
    people.create_person(connected, "P-1", data={"ITEM_NAME": f"{NAME} {HEBREW} {UPPER}"})
    spaces.create_space(connected, "4-117", data={"TITLE": NAME})
    people.assign_person(connected, "P-1", "4-117")
    world.push(connected)

    kept = last_exchanges(connected, failed=True)
    assert any(fault["message"] in (view.answer_body or "") for view in kept)  # it is there, but sealed
    assert not any(fault["message"] in view.answer for view in kept)
    tokens = [*cloud.world.tokens, *cloud.world.refresh_tokens]
    assert tokens
    assert_clean(dump(connected), NAME, HEBREW, UPPER, "Planted", AIMS_PASSWORD, "tester", *tokens)


def test_a_token_that_an_answer_quotes_is_not_even_sealed(record, scope):
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkYW5hIn0.c2lnbmF0dXJl"
    record(
        "PUT",
        "4-117",
        status=500,
        error="E-AIMS-AMBIGUOUS",
        answer_body=f"Bearer {token} for {token}".encode(),
    )
    (view,) = last_exchanges(scope)
    assert view.answer_body == "[hidden] for [hidden]"


def test_what_people_wrote_into_a_search_is_not_kept(record, scope):
    record(query={"articleName": NAME, "id": "4-117"})
    record(path="/api/v2/common/articles/history", query={"name": "batch-1"})
    batch, search = last_exchanges(scope)
    assert search.query["articleName"] == f"[{len(NAME)} characters]"
    assert search.query["id"] == "4-117"
    assert batch.query["name"] == "batch-1"


def test_the_word_of_an_answer_is_kept_when_it_is_aims_own(record, scope):
    for word in (
        "STORE_CODE_NOT_FOUND",
        "PAGE_CAN_NOT_BE_GREATER_THAN_MAX_PAGES(3)",
        "Unauthorized: TOKEN_EXPIRED",
    ):
        record(answer_code="405", answer_word=word)
    record(answer_code="405", answer_word="ARTICLE_DATA_IS_INVALID(Dana)")
    record(answer_code=NAME, answer_word="DANA")
    answers = [view.answer for view in last_exchanges(scope)]
    assert answers[:2] == ["", "405"]
    assert answers[4] == "405 STORE_CODE_NOT_FOUND"
    assert all(answer.startswith("405 ") for answer in answers[2:])


def test_secrets_are_taken_out_of_what_is_shown():
    shown = without_secrets(
        {
            "password": "x",
            "accessToken": {"a": 1},
            "rows": [{"refresh_token": "x", "note": "Bearer abc.def"}],
            "n": 1,
        }
    )
    assert shown == {
        "password": "[hidden]",
        "accessToken": "[hidden]",
        "rows": [{"refresh_token": "[hidden]", "note": "[hidden]"}],
        "n": 1,
    }


# --- who sees what --------------------------------------------------------------------------------------------------


def test_who_sees_one_store_sees_its_calls_only(bench, runtime):
    wide = bench.organization(store_codes=("001", "002"))
    keep = make_recorder(runtime.database, runtime.sealer, wide.org_id, runtime.new_id)
    for store in ("001", "002", None):
        query = {"store": store} if store else {}
        keep(Exchange(at=runtime.clock(), method="GET", path="/x", query=query, milliseconds=1, status=200))
    company, other, mine = last_exchanges(wide)
    narrow = bench.as_role(wide, Role.MANAGER, store="001")
    assert last_exchanges(narrow) == [mine]
    assert show_exchange(narrow, mine.id) == mine
    for foreign in (other, company):
        with pytest.raises(NotFound):
            show_exchange(narrow, foreign.id)
    with pytest.raises(StoreNotFound):
        last_exchanges(narrow, store="002")
    assert last_exchanges(wide, store="002") == [other]


# --- the archive ----------------------------------------------------------------------------------------------------


def test_an_archive_holds_no_contents(connected):
    change = {"aims_base_url": "https://eu.common.solumesl.com", "aims_cluster": "c1"}
    with connected.runtime.database.write() as uow:
        organizations.update_organization(uow, connected.org_id, change)
        uow.commit()
    body = {
        "responseCode": "405",
        "responseMessage": f"{NAME} is bad",
        "data": [{NAME: 1, "errorText": HEBREW}],
    }
    keep = make_recorder(
        connected.runtime.database, connected.runtime.sealer, connected.org_id, connected.runtime.new_id
    )
    keep(
        Exchange(
            at=connected.runtime.clock(),
            method="PUT",
            path="/api/v2/common/articles",
            query={"company": "ACME", "store": "001", "articleName": NAME},
            milliseconds=7,
            subjects=("4-117",),
            status=405,
            request_body=NAME.encode(),
            answer_body=json.dumps(body).encode(),
            error="E-AIMS-REJECTED",
        )
    )
    keep(
        Exchange(at=connected.runtime.clock(), method="GET", path="/x", query={}, milliseconds=1, error="E-A")
    )
    archive = make_har(connected, last_exchanges(connected))
    text = json.dumps(archive, ensure_ascii=False)
    assert_clean(text, NAME, HEBREW, "Planted", AIMS_PASSWORD, "tester")

    assert archive["log"]["version"] == "1.2"
    put, get = archive["log"]["entries"]
    assert put["request"]["url"].startswith(
        "https://eu.common.solumesl.com/c1/common/api/v2/common/articles?"
    )
    assert "store=001" in put["request"]["url"]
    assert (put["response"]["status"], put["time"], put["_subjects"]) == (405, 7, ["4-117"])
    assert json.loads(put["response"]["content"]["text"])["responseCode"] == "405"
    assert put["request"]["postData"]["comment"].startswith("sha256 ")
    assert (get["response"]["status"], get["_error"]) == (0, "E-A")
    for entry in (put, get):
        for part, names in HAR_REQUIRED.items():
            assert names <= set(entry if part == "entry" else entry[part]), part


HAR_REQUIRED = {
    "entry": {"startedDateTime", "time", "request", "response", "cache", "timings"},
    "request": {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"},
    "response": {
        "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize",
        "bodySize",
    },
    "timings": {"send", "wait", "receive"},
}  # fmt: skip
"""What HAR 1.2 asks of every entry."""


def test_an_archive_replaces_the_one_before_as_a_whole(tmp_path):
    file = tmp_path / "calls.har"
    write_har(file, {"log": 1})
    write_har(file, {"log": 2})
    assert json.loads(file.read_text()) == {"log": 2}
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(TypeError):
        write_har(file, {"log": object()})
    assert json.loads(file.read_text()) == {"log": 2}
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(InvalidInput):
        write_har(tmp_path / "no" / "such.har", {})


def test_a_forbidden_with_a_token_word_is_recorded_as_the_login_it_is(connected, cloud):
    """Q5: some installations answer 403 where others answer 401."""
    cloud.faults.add("status", code=403, message="TOKEN_EXPIRED", path="/articles")
    spaces.create_space(connected, "4-117", data={})
    world.push(connected)

    assert {call.error_class for call in last_exchanges(connected, failed=True)} == {"E-AIMS-LOGIN"}
    assert world.account_of(connected).breaker_reason == "login"
