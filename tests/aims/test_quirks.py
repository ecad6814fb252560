"""Every quirk of contract 7, one test each: the client, or a service, meets it over real HTTP."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from electis_cli.aims.address import Address, normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials, Timeouts
from electis_cli.aims.inspection import AimsInspector
from electis_cli.aims.tokens import TokenShelf
from electis_cli.domain import errors
from electis_cli.domain.articles import Article, content_of, content_of_article
from electis_cli.services import labels as label_service
from electis_cli.services import ping, queue, spaces
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.ledger import (
    SETTLED,
    article_writes,
    articles_at,
    calls,
    edit,
    label_codes,
    link,
    open_alerts,
    push,
    put,
    rows_of,
    spaces_deleted,
    sync,
)
from tests.world.organizations import FORMAT, make_connector

STORE = "001"
INFO = "/config/article/info"
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


@pytest.fixture(params=["sqlite"])
def engine_kind(request):
    """The quirks are AIMS's; the services' own tests try both databases."""
    return request.param


@pytest.fixture
def connect(simulator_server, clock):
    """Return how to make clients that are closed in the end."""
    with contextlib.ExitStack() as stack:

        def make(base_url=simulator_server.base_url, **options):
            address = options.pop("address", None) or normalize_address(base_url)
            client = AimsClient(
                address,
                Credentials(company="ACME", username="tester", password="secret"),
                clock=clock,
                **{"timeouts": Timeouts(connect=1.0, call=4.0), "pause": lambda _: None, **options},
            )
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def ask(client):
    return AimsInspector(client)


@pytest.fixture
def serve(connect):
    """Return how to start a simulator with settings of its own, and its clients."""
    with contextlib.ExitStack() as stack:

        def start(**settings):
            server = stack.enter_context(SimulatorServer(Simulator(Settings(**settings))))
            client = connect(server.base_url)
            return SimpleNamespace(cloud=server.simulator, client=client, ask=AimsInspector(client))

        yield start


@pytest.fixture
def scripted(connect):
    """Return how to serve one fixed answer over HTTP, and an inspector of it; the login is AIMS's usual one."""
    with contextlib.ExitStack() as stack:

        def start(body, *, status=200, content_type="application/json"):
            class Handler(BaseHTTPRequestHandler):
                def answer(self):
                    self.rfile.read(int(self.headers.get("content-length") or 0))
                    content, kind, code = body, content_type, status
                    if self.path.split("?")[0].endswith("/token"):
                        token = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
                        content = {"responseCode": "200", "responseMessage": token}
                        kind, code = "application/json", 200
                    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                    self.send_response(code)
                    self.send_header("content-type", kind)
                    self.send_header("content-length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)

                do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 - http.server's names

                def log_message(self, *_):
                    pass

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(server.shutdown)
            client = connect(f"http://127.0.0.1:{server.server_address[1]}")
            return SimpleNamespace(client=client, ask=AimsInspector(client))

        yield start


def make_article(article_id, name="", **data):
    columns = dict.fromkeys(FORMAT.content_columns, "")
    return Article(
        article_id=article_id,
        name=name,
        nfc_url="",
        data={**columns, "ARTICLE_ID": article_id, "ITEM_NAME": name, **data},
    )


def fill(client, *ids):
    articles = [make_article(one, f"name of {one}", TITLE=f"title of {one}") for one in ids]
    return client.push_articles(STORE, articles, merge=False).batch_id


def contents(client):
    """Return what the store holds as it is compared, by id."""
    return {
        one.article_id: content_of(one.name, one.nfc_url, one.data, FORMAT) for one in client.articles(STORE)
    }


def expected(*ids):
    articles = [make_article(one, f"name of {one}", TITLE=f"title of {one}") for one in ids]
    return {one.article_id: {**content_of_article(one)} for one in articles}


# --- answers --------------------------------------------------------------------------------------------------------


def test_q01_the_payload_beside_the_codes_in_the_message_under_data_or_bare(client, ask, cloud):
    fill(client, "A", "B")
    for wrap in ("envelope", "wrapped", "wrapped-rows", "data", "bare"):
        cloud.dialects.set(f"wrap={wrap}")
        assert contents(client) == expected("A", "B"), wrap
        assert ask.article(STORE, "A").name == "name of A", wrap
        assert ask.store_summary(STORE), wrap
        assert client.article_format() == FORMAT, wrap


WRAPS = ("envelope", "wrapped", "wrapped-rows", "data", "bare")


@pytest.mark.parametrize("wrap", WRAPS)
def test_q01_what_a_write_was_worth_is_found_wherever_it_is(client, cloud, wrap):
    cloud.dialects.set(f"wrap={wrap}")
    cloud.faults.add("partial-push", articles=("B",))
    answer = client.push_articles(STORE, [make_article("A"), make_article("B")], merge=False)
    assert (answer.valid, answer.invalid) == (1, 1)
    assert answer.batch_id
    assert [one.article_id for one in client.refused_records(answer.batch_id)] == ["B"]


@pytest.mark.parametrize("wrap", WRAPS)
def test_q01_single_values_are_found_wherever_they_are(client, ask, cloud, wrap):
    batch, code = fill(client, "A", "B"), label_codes(cloud, 1)[0]
    client.link_labels(STORE, [(code, ["A"])])
    cloud.clock.advance(10)

    def answers():
        found = client.label(STORE, code)
        image = ask.push_image(STORE, code, image=PIXEL, page=1, front_page=1, dithering=True)
        return {
            "page": client.label_page(STORE, code),
            "pages": [page.page for page in ask.label_detail(STORE, code).pages],
            "articles": found.article_ids if found else None,
            "labels": list(AimsInspector(client).labels_of_article(STORE, "A")),
            "history": [event.kind for event in ask.label_history(STORE, code)][-1:],
            "device": ask.device(code),
            "gateways": [(one.mac, one.status) for one in ask.gateways(STORE)],
            "gateway": ask.gateway(STORE, min(cloud.store("ACME", STORE).gateways)).version,
            "batch": client.batch_result(batch),
            "image": bool(image),
            "linked": [(one.article_id, one.labels) for one in ask.linked_articles(STORE)],
            "refused": [item.id for item in ask.blink(STORE, [code, "0A1B2C"], color="RED", duration="30s")],
        }

    plain = answers()
    cloud.dialects.set(f"wrap={wrap}")
    assert answers() == plain


@pytest.mark.parametrize("paging", ["on", "off"])
@pytest.mark.parametrize("wrap", WRAPS)
def test_q01_articles_are_counted_wherever_the_total_is(client, cloud, wrap, paging):
    fill(client, "A", "B")
    cloud.dialects.set(f"wrap={wrap},paging={paging}")
    # Where nothing tells, the short list is read to its end; it is another one than the list that is checked by it.
    assert client.count_articles(STORE) == 2


def test_q02_success_is_200_or_0000_or_a_word_or_nothing(client, cloud):
    for place, code in enumerate(("200", "0000", "SUCCESS", "absent")):
        for message in ("SUCCESS", "OK"):
            cloud.dialects.set(f"code={code},message={message}")
            fill(client, "A")
            client.link_labels(STORE, [(label_codes(cloud, 4)[place], ["A"])])
            assert contents(client) == expected("A"), (code, message)


def test_q03_http_200_with_another_code_inside_is_no_success(client, cloud):
    cloud.faults.add("soft-error", path="/labels/link", message="label is not in the whiteList")
    with pytest.raises(errors.AimsRejected) as caught:
        client.link_labels(STORE, [(label_codes(cloud, 1)[0], ["A"])])
    assert "whiteList" in caught.value.why


@pytest.mark.parametrize("nothing", ["204", "200"])
def test_q04_none_is_204_or_an_empty_body(client, ask, cloud, nothing):
    cloud.dialects.set(f"nothing={nothing}")
    with cloud.lock:
        cloud.company("ACME").format = None
    assert client.article_format() is None
    assert ask.label_detail(STORE, "0A1B2C3DB290") is None
    assert ask.label_history(STORE, "0A1B2C3DB290") is None
    assert ask.article(STORE, "unknown") is None
    assert list(client.articles(STORE)) == []
    assert client.count_articles(STORE) == 0
    assert ask.gateways(STORE, online=False) == []
    assert ask.resend(STORE, label_codes(cloud, 1)) is False


def test_q04_an_empty_body_is_doubted_where_aims_says_204_for_none(client, ask, cloud):
    asking = {
        INFO: lambda: list(client.articles(STORE)),
        "/articles": lambda: client.count_articles(STORE),
        "/gateway": lambda: ask.gateways(STORE),
        "/labels/resend/timeout": lambda: ask.resend(STORE, label_codes(cloud, 1)),
    }
    for path, ask_for in asking.items():
        cloud.faults.add("empty-200", path=path)
        with pytest.raises(errors.AimsAnswerBroken):
            ask_for()
    cloud.faults.add("status", code=404, path="/store")  # nor where it can not be found out
    with pytest.raises(errors.AimsAnswerBroken):
        client.count_articles(STORE)
    cloud.faults.clear()
    client.check_login()
    cloud.faults.add("empty-200")  # whatever is asked, also for the stores that every company has
    for ask_for in asking.values():
        with pytest.raises(errors.AimsAnswerBroken):
            ask_for()


def test_q04_a_store_that_is_empty_in_so_many_words_is_filled(connected, cloud):
    cloud.dialects.set("nothing=200,paging=off")
    spaces.create_space(connected, "A", data={})
    assert push(connected).created == 1
    assert articles_at(cloud) == ["A"]
    assert sync(connected).writes == 0


def test_q04_an_empty_listing_is_never_believed_against_the_count(connected, cloud):
    spaces.create_space(connected, "A", data={})
    push(connected)
    cloud.dialects.set("nothing=200")
    cloud.faults.add("empty-200", path=INFO)
    with pytest.raises(errors.UnreliableListing) as caught:
        sync(connected)
    assert "AIMS counts 1 articles and lists 0" in caught.value.why


# --- the token ------------------------------------------------------------------------------------------------------


def test_q05_an_expired_token_is_401_or_403_and_a_license_is_not_one(client, cloud):
    for form in ("401", "403"):
        cloud.faults.add("auth-expiry", form=form, path=INFO)
        assert list(client.articles(STORE)) == []
        cloud.faults.clear()
    before = len(cloud.journal.after())
    cloud.faults.add("license", path=INFO)
    with pytest.raises(errors.AimsCompanyRefused):
        list(client.articles(STORE))
    assert len(cloud.journal.after()) == before + 1, "no login and no second try"


def test_q06_a_401_is_the_frameworks_or_empty_or_plain_text(client, cloud):
    for form in ("framework", "empty", "text"):
        cloud.faults.add("auth-expiry", form=form, path=INFO)
        assert list(client.articles(STORE)) == [], form
        cloud.faults.clear()
    for form in ("framework", "empty", "text"):
        cloud.faults.add("auth-expiry", form=form, path=INFO, count=100)
        with pytest.raises(errors.AimsLoginRefused):
            list(client.articles(STORE))
        cloud.faults.clear()


def test_q07_a_token_that_ends_in_the_middle_of_a_run_costs_one_chunk_again(client, cloud):
    cloud.faults.add("auth-expiry", path="/articles", method="POST", after=2)
    for one in ("A", "B", "C", "D"):
        fill(client, one)
    made = calls(cloud, "POST", "/common/articles")
    assert [entry.articles for entry in made if entry.taken] == [["A"], ["B"], ["C"], ["D"]]
    assert [entry.status for entry in made] == [200, 200, 401, 200, 200]
    assert sorted(contents(client)) == ["A", "B", "C", "D"]


def test_q08_405_is_a_refusal_with_its_reason_and_is_not_tried_again(client, cloud):
    with pytest.raises(errors.AimsRejected) as caught:
        list(client.articles("no-such-store"))
    assert "STORE_CODE_NOT_FOUND" in caught.value.why
    assert caught.value.retryable is False
    assert len(calls(cloud, "GET", INFO)) == 1


# --- reading articles -----------------------------------------------------------------------------------------------


def test_q09_articles_are_compared_by_the_full_list_and_not_pushed_for_ever(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "window"})
    push(connected)
    for _ in range(3):
        clock.advance(SETTLED)
        sync(connected)
        push(connected)
    assert article_writes(cloud) == 1
    assert len(calls(cloud, "GET", INFO)) >= 3
    # the short list is read for its count alone
    assert {entry.query["size"][0] for entry in calls(cloud, "GET", "/common/articles")} <= {"1"}


def test_q10_an_empty_full_list_beside_articles_is_unreliable(connected, cloud, clock):
    for one in ("A", "B", "C"):
        spaces.create_space(connected, one, data={"TITLE": one})
    push(connected)
    clock.advance(SETTLED)
    sync(connected)
    before, writes = rows_of(connected), article_writes(cloud)
    cloud.faults.add("empty-info")
    for _ in range(3):
        clock.advance(SETTLED)
        with pytest.raises(errors.UnreliableListing):
            sync(connected)
    push(connected)
    assert (rows_of(connected), article_writes(cloud)) == (before, writes)


@pytest.mark.parametrize("spelling", ["F", "A", "seen", "other"])
def test_q11_one_thing_has_many_names(client, ask, cloud, spelling):
    batch = fill(client, "A")
    code = label_codes(cloud, 1)[0]
    link(cloud, code, "A")
    plain = SimpleNamespace(
        gateways=[(one.mac, one.store, one.online, one.version) for one in ask.gateways(STORE)],
        label=next(one for one in ask.labels(STORE) if one.label_code == code),
        stores=[(one.code, one.name) for one in client.stores()],
        batch=[(one.batch, one.result, one.modified) for one in ask.batches(batch=batch)],
        updated=ask.article(STORE, "A").last_updated,
    )
    assert None not in plain.gateways[0]
    cloud.dialects.set(f"spelling={spelling}")
    assert contents(client) == expected("A")
    assert ask.article(STORE, "A").last_updated == plain.updated
    assert [(one.mac, one.store, one.online, one.version) for one in ask.gateways(STORE)] == plain.gateways
    assert [(one.code, one.name) for one in client.stores()] == plain.stores
    assert [(one.batch, one.result, one.modified) for one in ask.batches(batch=batch)] == plain.batch
    found = next(one for one in ask.labels(STORE) if one.label_code == code)
    for name in ("articles", "battery", "signal", "gateway", "model", "update_status", "online"):
        assert getattr(found, name) == getattr(plain.label, name), name


@pytest.mark.parametrize("place", ["message", "object", "missing"])
def test_q12_a_preview_is_in_the_message_in_an_object_or_missing(serve, place):
    """electis shows no preview of its own: `aims api` hands the answer on, whatever its form, and calls it success."""
    world = serve(dither_answer=place)
    code = label_codes(world.cloud, 1)[0]
    query, body = {"store": STORE, "labelCode": code}, {"labelCode": code, "image": PIXEL}
    answer = world.ask.raw("PUT", "/common/labels/image/dither/preview", query, body)
    found = answer.body.get("image", answer.body["responseMessage"])
    assert (answer.status, found) == (200, PIXEL if place != "missing" else "SUCCESS")


def test_q13_columns_may_lie_beside_the_article(client, ask, cloud):
    fill(client, "A")
    cloud.dialects.set("data=flat")
    assert contents(client) == expected("A")
    assert ask.article(STORE, "A").data["TITLE"] == "title of A"


def test_q14_an_id_may_be_a_number(connected, client, cloud, clock):
    for one in ("7", "007", "10"):
        spaces.create_space(connected, one, data={"TITLE": one})
    cloud.dialects.set("ids=numeric")
    push(connected)
    for _ in range(3):
        clock.advance(SETTLED)
        sync(connected)
        push(connected)
    assert article_writes(cloud) == 1
    assert spaces_deleted(cloud) == []
    assert sorted(contents(client)) == ["007", "10", "7"]


@pytest.mark.parametrize("empty", ["null", "missing", "text", "blank"])
def test_q15_null_missing_empty_and_blanks_are_the_same(connected, client, cloud, clock, empty):
    spaces.create_space(connected, "A", data={"TITLE": "window"})
    cloud.dialects.set(f"empty={empty}")
    push(connected)
    for _ in range(3):
        clock.advance(SETTLED)
        view = sync(connected)
        push(connected)
    assert (article_writes(cloud), view.writes) == (1, 0)
    assert spaces.show_space(connected, "A").data == {"TITLE": "window"}


def test_q16_quotes_from_files_do_not_get_into_the_database(connected, cloud, clock):
    """Without unquoting, every sync would take the quotes for an edit of others and keep them."""
    spaces.create_space(connected, "A", data={"TITLE": 'the "blue" room'})
    push(connected)
    cloud.dialects.set("quoting=csv")
    for _ in range(3):
        clock.advance(SETTLED)
        sync(connected)
        push(connected)
    assert spaces.show_space(connected, "A").data == {"TITLE": 'the "blue" room'}
    assert article_writes(cloud) == 1


@pytest.mark.parametrize("rows", ["omitted", "some"])
def test_q17_missing_links_are_unknown_and_not_none(client, connected, cloud, clock, rows):
    for one in ("A", "B", "C"):
        spaces.create_space(connected, one, data={})
    push(connected)
    codes = label_codes(cloud, 3)
    for code, one in zip(codes, "ABC", strict=True):
        label_service.link_label(connected, code, one)
    push(connected)
    cloud.dialects.set(f"labels={rows}")
    told = {one.article_id: one.labels for one in client.articles(STORE)}
    assert None in told.values()
    for _ in range(2):
        clock.advance(SETTLED)
        sync(connected)
        push(connected)
    held = [cloud.store("ACME", STORE).labels[code].articles for code in codes]
    assert held == [["A"], ["B"], ["C"]]
    assert calls(cloud, "POST", "/labels/unlink") == []


# --- labels ---------------------------------------------------------------------------------------------------------


def test_q18_battery_signal_and_state_are_words_or_numbers(client, ask, cloud):
    fill(client, "A")
    code = label_codes(cloud, 1)[0]
    client.link_labels(STORE, [(code, ["A"])])
    cloud.clock.advance(10)
    plain = {one.label_code: one.low_battery for one in ask.labels(STORE)}
    assert set(plain.values()) >= {True, False}
    cloud.dialects.set("levels=numbers")
    listed = {one.label_code: one for one in ask.labels(STORE)}
    assert {one.label_code: one.low_battery for one in listed.values()} == plain
    assert listed[code].update_status == "SUCCESS"
    assert int(listed[code].signal) < 0
    assert int(listed[code].battery.rstrip("%")) in {92, 11}


def test_q19_a_device_may_have_no_measures_and_words_for_flags(ask, cloud):
    code = label_codes(cloud, 1)[0]
    usual = ask.device(code)
    assert usual.width
    cloud.dialects.set("devices=odd")
    odd = ask.device(code)
    assert (odd.width, odd.height) == (None, None), "0 is unknown"
    assert (odd.nfc, odd.color) == (usual.nfc, usual.color)


def test_q20_a_label_shows_the_worst_of_its_pages_unless_one_is_active(client, ask, cloud):
    fill(client, "A")
    code = label_codes(cloud, 1)[0]
    client.link_labels(STORE, [(code, ["A"])])
    cloud.clock.advance(10)
    assert (ask.label_detail(STORE, code).active_page, ask.label_detail(STORE, code).state) == (1, "SUCCESS")
    cloud.dialects.set("detail=odd")
    odd = ask.label_detail(STORE, code)
    assert (odd.active_page, odd.state) == (None, "TIMEOUT")
    assert client.label_page(STORE, code) is None
    cloud.dialects.set("detail=none")
    bare = ask.label_detail(STORE, code)
    assert (bare.pages, bare.state) == ((), None)


# --- the way there --------------------------------------------------------------------------------------------------


def test_q21_a_wrong_prefix_answers_html_with_200(connect, simulator_server):
    class Elsewhere(Address):
        @property
        def prefix(self):
            return f"{self.origin}/wrong"

    address = normalize_address(simulator_server.base_url)
    client = connect(address=Elsewhere(origin=address.origin, cluster=address.cluster))
    with pytest.raises(errors.AimsAnswerBroken) as caught:
        list(client.articles(STORE))
    assert "text/html" in caught.value.why


def test_q22_the_documented_forms_are_spoken_and_not_one_clients_own(client, ask, cloud):
    batch = fill(client, "A")
    code, mac = label_codes(cloud, 1)[0], min(cloud.store("ACME", STORE).gateways)
    list(ask.refused_records(batch))
    client.refused_records(batch)
    ask.blink(STORE, [code], color="RED", duration="30s")
    ask.reboot_gateway(STORE, mac)
    asked = calls(cloud, "GET", "/articles/validationerror/logs")
    assert [sorted(entry.query.keys() & {"batchId", "inputBatchId"}) for entry in asked] == [
        ["inputBatchId"]
    ] * 2
    (blink,) = calls(cloud, "PUT", "/labels/led")
    assert "labelCode" not in blink.query, "the labels are in the body"
    (reboot,) = calls(cloud, "PATCH", "/gateway")
    assert reboot.query == {"company": ["ACME"], "store": [STORE], "gateway": [mac]}


def test_q23_a_partly_taken_write_is_counted_and_its_log_is_read(client, ask, cloud):
    cloud.faults.add("partial-push", articles=("B",), message="value is too long")
    answer = client.push_articles(STORE, [make_article("A"), make_article("B")], merge=False)
    assert (answer.valid, answer.invalid) == (1, 1)
    (refused,) = client.refused_records(answer.batch_id)
    assert refused.article_id == "B"
    assert "too long" in refused.reason
    assert [row.article_id for row in ask.refused_records(answer.batch_id)] == ["B"]


# --- other writers, deletions, logins -------------------------------------------------------------------------------


@pytest.mark.slow
def test_q24_somebody_who_undoes_our_changes_is_noticed(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "old"})
    push(connected)
    spaces.update_space(connected, "A", data={"TITLE": "ours"})
    for _ in range(5):
        clock.advance(900)
        push(connected)
        edit(cloud, "A", TITLE="old")  # the other server puts back what it knows
        for _ in range(2):
            clock.advance(SETTLED)
            sync(connected)
    assert article_writes(cloud) <= 6, "one for each time it was undone"
    assert open_alerts(connected), "an article that differs again after each of our pushes is an alert"


def test_q25_nothing_is_deleted_because_it_is_missing_or_strange_here(connected, cloud, clock):
    for number in range(8):
        spaces.create_space(connected, f"S{number}", data={})
    push(connected)
    put(cloud, "THEIRS", name="t")
    for code, one in zip(label_codes(cloud, 2), ("THEIRS", "S1"), strict=True):
        link(cloud, code, one)
    for _ in range(3):
        clock.advance(SETTLED)
        sync(connected)
        push(connected)
    assert spaces_deleted(cloud) == []
    assert articles_at(cloud) == [*(f"S{number}" for number in range(8)), "THEIRS"]
    assert [cloud.store("ACME", STORE).labels[code].articles for code in label_codes(cloud, 2)] == [
        ["THEIRS"],
        ["S1"],
    ]


@pytest.mark.parametrize("kept", [True, False], ids=["one-is-left", "none-is-left"])
def test_q25_a_sync_that_would_delete_too_much_is_held(connected, cloud, clock, kept):
    names = [f"S{number:02}" for number in range(12)]
    for name in names:
        spaces.create_space(connected, name, data={"TITLE": name})
    push(connected)
    sync(connected)
    ghosts = dict(cloud.store("ACME", STORE).articles)
    if kept:
        spaces.create_space(connected, "KEPT", data={})
    for name in names:
        spaces.delete_space(connected, name)
    push(connected)
    asked = len(spaces_deleted(cloud))
    clock.advance(SETTLED)
    with cloud.lock:  # somebody puts them all back
        cloud.store("ACME", STORE).articles.update(ghosts)
        cloud.store("ACME", STORE).articles_changed()
    with pytest.raises(errors.BrakeTripped):
        sync(connected)
    push(connected)
    assert len(spaces_deleted(cloud)) == asked
    assert set(articles_at(cloud)) >= set(names)


def test_q26_polls_and_parallel_calls_log_in_once(connect, connected, cloud):
    shelf = TokenShelf()
    clients = [connect(shelf=shelf) for _ in range(3)]
    threads = [threading.Thread(target=one.ping) for one in clients for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert cloud.world.counters.logins == 1
    # The services of one process share a shelf too (wiring); tests/aims/test_shared_tokens.py has the processes.
    account = make_connector(connected.runtime.sealer, connected.runtime.clock, shelf=TokenShelf())
    scope = replace(connected, runtime=replace(connected.runtime, connect=account))
    for _ in range(3):
        ping.ping(scope)
    assert cloud.world.counters.logins == 2, "one more, for the other shelf"


def test_q27_a_call_is_bounded_as_a_whole(connect, cloud):
    assert (Timeouts().connect, Timeouts().call <= 30) == (10.0, True)
    client = connect(timeouts=Timeouts(connect=0.5, call=0.5))
    client.check_login()
    for values in ({"kind": "hang"}, {"kind": "hang", "form": "stall"}, {"kind": "latency", "seconds": 5.0}):
        cloud.faults.add(values.pop("kind"), path="/articles", **values)
        began = time.monotonic()
        with pytest.raises(errors.AimsAmbiguous):
            fill(client, "A")
        assert time.monotonic() - began < 2.5
        cloud.faults.clear()


def test_q28_odd_codes_and_blank_pages_are_listed_and_break_nothing(serve):
    world = serve(stores=("'001", STORE, "station code"))
    codes = [one.code for one in world.client.stores()]
    assert sorted(codes) == sorted(("'001", STORE, "station code"))
    for code in codes:
        assert list(world.client.articles(code)) == []
        assert world.ask.store_summary(code)["store"] == code
    world.cloud.dialects.set("detail=odd")
    label = label_codes(world.cloud, 1)[0]
    assert world.ask.label_detail(STORE, label).active_page in {-1, None}


def test_q29_stores_may_be_bare_codes(client, ask, cloud):
    cloud.dialects.set("stores=codes")
    assert [one.code for one in client.stores()] == ["001", "002", "003"]
    assert len(list(ask.store_rows())) == 3


@pytest.mark.parametrize("code", [404, 500])
@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_q30_what_an_installation_does_not_have_is_absent(client, ask, cloud, code, body):
    batch, label = fill(client, "A"), label_codes(cloud, 1)[0]
    for path in ("/articles/validationerror/logs", "/labels/type/info"):
        cloud.faults.add("status", code=code, body=body, path=path)
    assert ask.device(label) is None
    assert client.refused_records(batch) == []


def test_q30_a_push_goes_on_where_there_is_no_validation_log(connected, cloud, clock):
    for one in ("A", "B"):
        spaces.create_space(connected, one, data={})
    cloud.faults.add("partial-push", articles=("B",))
    cloud.faults.add("status", code=500, path="/articles/validationerror/logs")
    push(connected)
    assert articles_at(cloud) == ["A"]
    clock.advance(900)
    cloud.faults.clear()
    queue.retry(connected, ["B"])  # counted as invalid and not there: refused, so a person looks at it first
    push(connected)
    assert articles_at(cloud) == ["A", "B"]


def test_q12_and_q20_answers_that_no_simulator_gives_are_no_crash(scripted):
    odd = {"responseCode": "200", "responseMessage": "SUCCESS"}
    world = scripted(odd)
    assert world.ask.label_detail(STORE, "0A") is None
    assert world.ask.device("0A") is None
    assert world.ask.push_image(STORE, "0A", image=PIXEL, page=1, front_page=1, dithering=True) is None
    with pytest.raises(errors.AimsAnswerBroken):
        list(world.client.articles(STORE))


def test_every_quirk_of_the_contract_has_a_test():
    named = {
        int(found[1]) for name in dir(sys.modules[__name__]) if (found := re.match(r"test_q(\d\d)_", name))
    }
    assert named == set(range(1, 31))
