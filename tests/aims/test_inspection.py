"""What support asks, against the simulator over real HTTP, and in dialects that only a script speaks."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from electis_cli.aims.address import normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials, Timeouts
from electis_cli.aims.inspection import RESULTS, AimsInspector, list_in, object_of
from electis_cli.domain import errors
from electis_cli.domain.articles import Article
from tests.world.ledger import calls, label_codes, link
from tests.world.organizations import FORMAT

STORE = "001"


@pytest.fixture
def connect(simulator_server, clock):
    """Return how to make clients that are closed in the end."""
    with contextlib.ExitStack() as stack:

        def make(**options):
            client = make_client(options.pop("base_url", simulator_server.base_url), clock, **options)
            stack.callback(client.close)
            return client

        yield make


def make_client(base_url, clock, **options):
    return AimsClient(
        normalize_address(base_url, None),
        Credentials(company="ACME", username="tester", password="secret"),
        clock=clock,
        **{"timeouts": Timeouts(connect=1.0, call=4.0), "pause": lambda _: None, **options},
    )


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def ask(client):
    return AimsInspector(client)


@pytest.fixture
def scripted(connect):
    """Return how to make an inspector whose AIMS is a function of the request."""
    return lambda answer: AimsInspector(connect(base_url="https://aims.example", transport=script(answer)))


def script(answer):

    def handle(request):
        if request.url.path.endswith("/token"):
            login = {"access_token": "t", "expires_in": 3600}
            return httpx.Response(200, json={"responseCode": "200", "responseMessage": login})
        return answer(request)

    return httpx.MockTransport(handle)


def fill(client, *ids):
    columns = dict.fromkeys(FORMAT.content_columns, "")
    articles = [
        Article(
            article_id=one,
            name=f"name {one}",
            nfc_url="",
            data={**columns, "ARTICLE_ID": one, "ITEM_NAME": one},
        )
        for one in ids
    ]
    return client.push_articles(STORE, articles, merge=False).batch_id


def gateway_macs(cloud):
    return sorted(cloud.store("ACME", STORE).gateways)


# --- articles and batches -------------------------------------------------------------------------------------------


def test_articles_come_page_by_page_each_once(connect, cloud):
    client = connect(page_size=2)
    fill(client, "A", "B", "C")
    ask = AimsInspector(client)
    pages = ask.articles(STORE)
    assert next(pages).article_id == "A"
    assert len(calls(cloud, "GET", "/config/article/info")) == 1, (
        "the second page is not read before it is wanted"
    )
    assert [article.article_id for article in pages] == ["B", "C"]
    assert [article.article_id for article in ask.articles(STORE, name="name B")] == ["B"]


def test_one_article_linked_ones_and_their_history(client, ask, cloud):
    first, second = fill(client, "A", "B"), fill(client, "A")
    link(cloud, label_codes(cloud, 1)[0], "A")
    assert ask.article(STORE, "A").labels == (label_codes(cloud, 1)[0],)
    assert ask.article(STORE, "a") is None
    assert [(row.article_id, row.labels) for row in ask.linked_articles(STORE)] == [("A", 1)]
    uploads = [version.upload for version in ask.article_history(STORE, "A")]
    assert uploads[0] == first
    assert set(uploads) <= {first, second}
    assert ask.article_version(STORE, "A", first).data["ITEM_NAME"] == "A"
    assert ask.article_version(STORE, "A", "no-such-upload") is None
    assert list(ask.article_history(STORE, "unknown")) == []


def test_every_result_of_a_batch_is_asked_for(client, ask, cloud):
    good, late = label_codes(cloud, 2)
    cloud.store("ACME", STORE).labels[late].outcome = "TIMEOUT"
    fill(client, "A")
    for code in (good, late):
        client.link_labels(STORE, [(code, ["A"])])
    batch = client.push_articles(
        STORE,
        [Article(article_id="A", name="new", nfc_url="", data={"ARTICLE_ID": "A", "ITEM_NAME": "new"})],
        merge=True,
    ).batch_id
    cloud.clock.advance(60)

    rows = ask.batch_rows(batch)

    assert {row.label_code: row.result for row in rows} == {good: "SUCCESS", late: "TIMEOUT"}
    asked = [entry.query["result"][0] for entry in calls(cloud, "GET", "/articles/history/detail")]
    assert asked == list(RESULTS)
    assert [row.batch for row in ask.batches(batch=batch)] == [batch]


def test_batches_of_a_time_range(client, ask, cloud):
    batch = fill(client, "A")
    now = datetime.fromtimestamp(cloud.clock.now(), UTC)
    listed = ask.batches(start=now - timedelta(hours=1), end=now + timedelta(hours=1), kind="ARTICLE")
    assert [row.batch for row in listed] == [batch]
    assert list(ask.batches(start=now - timedelta(hours=3), end=now - timedelta(hours=2))) == []


def test_a_state_an_installation_does_not_know_is_left_out(scripted):
    def answer(request):
        result = request.url.params["result"]
        if result == "NO WIFICONFIG FOUND":
            return httpx.Response(405, json={"responseCode": "405", "responseMessage": "RESULT_IS_INVALID"})
        if result != "TIMEOUT" or request.url.params["page"] != "0":
            return httpx.Response(204)
        row = {"articleId": "A", "labelCode": "0A", "result": "TIMEOUT"}
        return httpx.Response(200, json={"responseCode": "200", "updateHistoryList": [row]})

    assert [row.result for row in scripted(answer).batch_rows("b")] == ["TIMEOUT"]


def test_a_batch_whose_states_can_not_be_asked_is_no_empty_batch(scripted):
    def answer(_):
        return httpx.Response(405, json={"responseCode": "405", "responseMessage": "NAME_IS_INVALID"})

    with pytest.raises(errors.AimsRejected):
        scripted(answer).batch_rows("b")


def test_refused_records_say_where_they_were(client, ask, cloud):
    cloud.faults.add("partial", articles=("B",), message="made up")
    batch = fill(client, "A", "B")
    (row,) = ask.refused_records(batch)
    assert (row.article_id, row.index, row.batch) == ("B", 1, batch)
    assert "made up" in row.reason


# --- gateways, stores, whitelist ------------------------------------------------------------------------------------


def test_gateways_are_listed_by_state_and_shown_also_when_silent(ask, cloud):
    up, down = gateway_macs(cloud)
    ask.reboot_gateway(STORE, down)
    assert [gateway.mac for gateway in ask.gateways(STORE, online=True)] == [up]
    assert [gateway.mac for gateway in ask.gateways(STORE, online=False)] == [down]
    assert ask.gateway(STORE, up).extra, "the settings of the detail"
    silent = ask.gateway(STORE, down)
    assert (silent.online, silent.status) == (False, "DISCONNECTED")
    assert ask.gateway(STORE, "D02544FFFE000000") is None


@pytest.mark.parametrize(
    "fault",
    [{"kind": "reset"}, {"kind": "status", "code": 503}, {"kind": "cut"}, {"kind": "empty-200"}],
    ids=str,
)
def test_a_reboot_is_never_repeated(ask, cloud, fault):
    cloud.faults.add(method="PATCH", path="/gateway", **{"fault": fault.pop("kind"), **fault})
    with pytest.raises(errors.AimsAmbiguous):
        ask.reboot_gateway(STORE, gateway_macs(cloud)[0])
    assert len(calls(cloud, "PATCH", "/gateway")) == 1


def test_the_summary_of_a_store_has_no_envelope(ask):
    summary = ask.store_summary(STORE)
    assert summary["store"] == STORE
    assert "responseCode" not in summary
    assert next(ask.store_rows())["store"] == STORE


def test_the_whitelist_is_changed_and_listed(ask, cloud):
    code = label_codes(cloud, 1)[0]
    ask.change_whitelist(STORE, [code], add=True)
    assert [row.label_code for row in ask.whitelist(STORE)] == [code]
    assert [row.label_code for row in ask.whitelist(STORE, unassigned=True)] == [code]
    ask.change_whitelist(STORE, [code], add=False)
    assert list(ask.whitelist(STORE)) == []


# --- labels ---------------------------------------------------------------------------------------------------------


def test_labels_are_listed_assigned_and_unassigned(client, ask, cloud):
    fill(client, "A")
    code = label_codes(cloud, 1)[0]
    link(cloud, code, "A")
    everything = {label.label_code: label for label in ask.labels(STORE)}
    assert sorted(everything) == sorted(cloud.store("ACME", STORE).labels)
    assert (everything[code].articles, everything[label_codes(cloud, 2)[1]].articles) == (("A",), ())
    assert code not in {label.label_code for label in ask.labels(STORE, unassigned_only=True)}
    low = {label.label_code for label in ask.labels(STORE, battery="BAD")}
    assert low == {one.code for one in cloud.store("ACME", STORE).labels.values() if one.battery == "BAD"}


def test_a_label_has_pages_a_history_and_a_device(client, ask, cloud):
    fill(client, "A")
    code, other = label_codes(cloud, 2)
    client.link_labels(STORE, [(code, ["A"])])
    assert ask.label_detail(STORE, code).active_page == 1
    assert ask.label_detail(STORE, other) is not None, "also one that shows nothing"
    assert ask.label_detail(STORE, "0A1B2C3DB290") is None
    assert [event.kind for event in ask.label_history(STORE, code)] == ["ASSIGN"]
    assert ask.label_history(STORE, "0A1B2C3DB290") is None
    device = ask.device(code)
    assert (device.width, device.model) == (
        cloud.store("ACME", STORE).labels[code].width,
        cloud.store("ACME", STORE).labels[code].model,
    )
    assert ask.device("nonsense") is None


def test_one_label_is_found_linked_or_not(client, ask, cloud):
    code, other = label_codes(cloud, 2)
    fill(client, "B", "A")
    with cloud.lock:
        cloud.store("ACME", STORE).labels[code].articles = ["B", "A"]

    assert (ask.label(STORE, code).articles, ask.label(STORE, code).update_status) == (("B", "A"), "SUCCESS")
    assert ask.label(STORE, other).articles == ()
    assert ask.label(STORE, code[:6]) is None
    assert ask.label("002", code) is None
    assert (ask.store_of_label(code), ask.store_of_label("0A1B2C3DB290")) == (STORE, None)


def test_one_label_is_found_where_the_filter_is_ignored_and_its_store_is_not_told(scripted):
    codes = [f"0A1B2C3D{place:04X}" for place in range(1200)]

    def answer(request):
        if request.url.path.endswith("/labels"):
            start = int(request.url.params["page"]) * 500
            rows = [{"labelCode": code, "articleList": []} for code in codes[start : start + 500]]
            return httpx.Response(200, json={"labelList": rows}) if rows else httpx.Response(204)
        return httpx.Response(204 if request.url.path.endswith("/unassigned") else 404)

    ask = scripted(answer)
    assert ask.label(STORE, codes[1100]).label_code == codes[1100]
    assert ask.label(STORE, "FFFFFFFFFFFF") is None
    assert ask.store_of_label(codes[0]) is None


def test_a_blink_tells_which_labels_it_did_not_reach(ask, cloud):
    code = label_codes(cloud, 1)[0]
    failed = ask.blink(STORE, [code, "0A1B2C"], color="RED", duration="30s")
    assert [(item.id, item.code, item.message) for item in failed] == [
        ("0A1B2C", "422", "LABEL_CODE_LENGTH_IS_NOT_VALID")
    ]
    assert cloud.store("ACME", STORE).leds[code].color == "RED"
    assert ask.blink(STORE, [code], color="RED", duration="0s") == []


def test_a_resend_says_whether_anything_had_timed_out(client, ask, cloud):
    code = label_codes(cloud, 1)[0]
    assert ask.resend(STORE, [code]) is False
    fill(client, "A")
    cloud.store("ACME", STORE).labels[code].outcome = "TIMEOUT"
    client.link_labels(STORE, [(code, ["A"])])
    cloud.clock.advance(60)
    assert ask.resend(STORE, None) is True


def test_an_empty_resend_is_not_sent(ask, cloud):
    """AIMS takes an empty list for every label of the store."""
    assert ask.resend(STORE, []) is False
    assert calls(cloud, "PUT", "/labels/resend/timeout") == []


# --- anything else --------------------------------------------------------------------------------------------------


def test_a_raw_call_is_what_came(ask):
    answer = ask.raw("GET", "/common/store", {"page": 0, "size": 1})
    assert (answer.status, answer.body["responseCode"], len(answer.body["stores"])) == (200, "200", 1)
    assert ask.raw("GET", "/common/articles", {"store": STORE}).status == 204


def test_raw_pages_are_one_list(client, ask):
    fill(client, "A", "B", "C")
    answer = ask.raw_pages("/common/articles", {"store": STORE}, size=2)
    assert ([row["articleId"] for row in answer.body], answer.pages) == (["A", "B", "C"], 2)
    unpaged = ask.raw_pages("/common/labels/unassigned", {"store": STORE})
    assert len(unpaged.body) == len({row["labelCode"] for row in unpaged.body}), "read once"
    assert ask.raw_pages("/common/store/summary", {"store": STORE}).body["store"] == STORE


def test_the_format_keeps_what_we_do_not_know(ask, cloud):
    cloud.company("ACME").format = {**cloud.company("ACME").format, "articleColors": ["RED"]}
    body = ask.raw_format()
    assert (body["delimeter"], body["articleColors"]) == (";", ["RED"])
    ask.replace_format({**body, "delimeter": "|"})
    assert cloud.company("ACME").format["delimeter"] == "|"
    cloud.company("ACME").format = None
    assert ask.raw_format() is None


ROW = {"labelCode": "0A", "activePage": 1}
CODES = {"responseCode": "200", "responseMessage": "OK"}


@pytest.mark.parametrize(
    "body",
    [
        ROW,
        {**CODES, **ROW},
        {"responseCode": "200", "responseMessage": ROW},
        {**CODES, "data": ROW},
        [ROW],
        {**CODES, "data": [ROW]},
    ],
    ids=["bare", "beside", "wrapped", "data", "list", "data list"],
)
def test_one_object_wherever_it_is_put(body):
    found = object_of(body)
    assert {name: found[name] for name in ROW} == ROW


@pytest.mark.parametrize("body", [None, CODES, [], {}, "text", {**CODES, "data": []}], ids=repr)
def test_no_object_is_an_empty_one(body):
    assert object_of(body) == {}


def test_an_article_keeps_its_own_data():
    article = {**CODES, "articleId": "1", "data": {"A": "x"}}
    assert object_of(article)["data"] == {"A": "x"}


def test_a_list_of_any_name_is_found():
    assert list_in({**CODES, "oddList": [1]}) == [1]
    assert list_in({"responseMessage": [2]}) == [2]
    assert list_in({**CODES, "data": {"inner": [3]}}) == [3]
    assert list_in([4]) == [4]
    assert list_in({**CODES, "one": {}}) is None
    assert list_in("x") is None
