"""The client against the simulator, over real HTTP: every trouble ends in the right class, in bounded time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import httpx
import pytest

from electis_cli.aims import connection
from electis_cli.aims.address import normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials, Timeouts
from electis_cli.domain import errors
from electis_cli.domain.articles import Article
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.ledger import calls, label_codes
from tests.world.organizations import FORMAT

PASSWORD = "a-password-nobody-may-see"
STORE = "001"
TOKEN_PATHS = ("/api/v2/token", "/api/v2/token/refresh")


def make_client(base_url, clock, *, company="ACME", username="tester", **options):
    defaults = {"timeouts": Timeouts(connect=1.0, call=4.0), "pause": lambda _: None}
    return AimsClient(
        normalize_address(base_url, options.pop("cluster", None)),
        Credentials(company=company, username=username, password=options.pop("password", PASSWORD)),
        clock=clock,
        **{**defaults, **options},
    )


@pytest.fixture
def connect(simulator_server, clock):
    """Return how to make a client of the simulator."""
    with contextlib.ExitStack() as stack:

        def make(**options):
            client = make_client(options.pop("base_url", simulator_server.base_url), clock, **options)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def serve(connect):
    """Return how to start a simulator with settings of its own, and a client of it."""
    with contextlib.ExitStack() as stack:

        def start(**settings):
            server = stack.enter_context(SimulatorServer(Simulator(Settings(**settings))))
            return server.simulator, connect(base_url=server.base_url)

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
    client.push_articles(
        STORE, [make_article(article_id, f"name of {article_id}") for article_id in ids], merge=False
    )


def listed(client):
    return {article.article_id: article for article in list(client.articles(STORE))}


def scripted(clock, answer, **options):
    """Return a client whose AIMS is a function: for dialects that the simulator does not speak."""

    def handle(request):
        if request.url.path.endswith("/token"):
            login = {"access_token": "t", "expires_in": 3600}
            return httpx.Response(200, json={"responseCode": "200", "responseMessage": login})
        return answer(request)

    return make_client("https://aims.example", clock, transport=httpx.MockTransport(handle), **options)


# --- logging in -----------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_a_refused_login(serve):
    _, client = serve(username="tester", password="another")
    with pytest.raises(errors.AimsLoginRefused) as caught:
        client.check_login()
    assert type(caught.value) is errors.AimsLoginRefused
    assert PASSWORD not in f"{caught.value!r} {caught.value.why} {caught.value.fix} {caught.value.details}"


def test_one_login_serves_many_calls(client, cloud):
    for _ in range(5):
        list(client.articles(STORE))
    assert cloud.world.counters.logins == 1


def test_a_token_that_expires_in_the_middle_of_a_run_is_replaced_once(client, cloud):
    fill(client, "A")
    cloud.faults.add("token-invalid", path="/articles", count=1)
    fill(client, "B")
    assert sorted(listed(client)) == ["A", "B"]
    counters = cloud.world.counters
    assert (counters.logins, counters.refreshes) == (1, 1)
    assert len(calls(cloud, "POST", "/common/articles")) == 3, "the refused chunk alone was sent again, once"


def test_a_token_whose_time_is_over_at_aims_is_replaced(client, cloud):
    list(client.articles(STORE))
    cloud.clock.advance(3601)
    assert list(client.articles(STORE)) == []
    assert cloud.world.counters.refreshes == 1


def test_a_token_is_renewed_before_it_ends(client, cloud, clock):
    list(client.articles(STORE))
    clock.advance(3541)
    list(client.articles(STORE))
    assert cloud.world.counters.refreshes == 1
    assert not [entry for entry in cloud.journal.after() if entry.status == 401]


def test_a_token_that_is_refused_again_and_again_ends_as_a_refused_login(client, cloud):
    cloud.faults.add("token-invalid", path="/config/article/info")
    with pytest.raises(errors.AimsLoginRefused):
        list(client.articles(STORE))
    assert len(calls(cloud, "GET", "/config/article/info")) == 2, "one replay and no more"


@pytest.mark.parametrize("code", [401, 403, 404, 405, 500])
def test_a_refresh_that_does_not_work_falls_back_to_the_login(client, cloud, code):
    list(client.articles(STORE))
    cloud.faults.add("status", code=code, path="/api/v2/token/refresh", message="TOKEN_EXPIRED")
    cloud.faults.add("token-invalid", path="/config/article/info", count=1)
    assert list(client.articles(STORE)) == []
    assert cloud.world.counters.logins == 2


def test_a_403_with_a_word_about_the_token_is_a_token_to_replace(client, cloud):
    cloud.faults.add("status", code=403, message="TOKEN_IS_INVALID", path="/config/article/info", count=1)
    assert list(client.articles(STORE)) == []


def test_a_soft_401_is_a_token_to_replace_too(client, cloud):
    cloud.faults.add("soft-error", code=401, message="TOKEN_EXPIRED", path="/config/article/info", count=1)
    assert list(client.articles(STORE)) == []


def test_a_license_that_ended_is_final_and_costs_no_second_login(client, cloud):
    cloud.faults.add("status", code=403, message="LICENSE_EXPIRED", path="/config/article/info")
    with pytest.raises(errors.AimsCompanyRefused, match="company"):
        list(client.articles(STORE))
    assert cloud.world.counters.logins == 1
    assert len(calls(cloud, "GET", "/config/article/info")) == 1


def test_an_unknown_company_is_refused_as_one(connect):
    with pytest.raises(errors.AimsCompanyRefused) as caught:
        list(connect(company="NOBODY").articles(STORE))
    assert "COMPANY_NOT_FOUND" in caught.value.why


@pytest.mark.parametrize("body", ["Unauthorized", "Your password has expired", ["x"]], ids=repr)
def test_a_login_answered_with_a_text_where_the_token_belongs_is_refused(clock, body):
    def handle(_):
        return httpx.Response(200, json={"responseCode": "200", "responseMessage": body})

    client = make_client("https://aims.example", clock, transport=httpx.MockTransport(handle))
    with pytest.raises(errors.AimsLoginRefused):
        client.check_login()


def test_many_threads_log_in_once(client, cloud):
    threads = [threading.Thread(target=lambda: list(client.articles(STORE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert cloud.world.counters.logins == 1


# --- trouble on the way ---------------------------------------------------------------------------------------------


def test_a_refused_connection_is_unreachable_because_nothing_was_sent(connect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(errors.AimsUnreachable) as caught:
            connect(base_url=f"http://127.0.0.1:{port}").check_login()
    assert str(port) in caught.value.message


def test_html_instead_of_json_is_a_broken_answer_and_no_empty_store(client, cloud):
    cloud.faults.add("html", path="/config/article/info")
    with pytest.raises(errors.AimsAnswerBroken, match="not the interface") as caught:
        list(client.articles(STORE))
    assert "text/html" in caught.value.why


def test_the_wrong_cluster_prefix_is_a_broken_answer(clock):
    def html(_):
        return httpx.Response(200, html="<html>AIMS</html>")

    client = make_client("https://aims.example", clock, transport=httpx.MockTransport(html))
    with pytest.raises(errors.AimsAnswerBroken):
        client.check_login()


def test_html_called_json_is_a_broken_answer(clock):
    def html(_):
        return httpx.Response(200, content=b"<html>", headers={"content-type": "application/json"})

    with pytest.raises(errors.AimsAnswerBroken):
        list(scripted(clock, html).articles(STORE))


def test_a_body_cut_in_the_middle_is_ambiguous(client, cloud):
    fill(client, "A")
    cloud.faults.add("cut", path="/articles", method="PUT")
    with pytest.raises(errors.AimsAmbiguous):
        client.push_articles(STORE, [make_article("A", "changed")], merge=True)


def test_a_read_is_tried_again_and_gets_through(client, cloud):
    fill(client, "A")
    cloud.faults.add("cut", path="/config/article/info", count=2)
    assert list(listed(client)) == ["A"]
    assert len(calls(cloud, "GET", "/config/article/info")) == 3


def test_a_write_is_never_sent_twice_by_itself(client, cloud):
    cloud.faults.add("reset", path="/articles", method="POST", applied=True)
    with pytest.raises(errors.AimsAmbiguous):
        fill(client, "A")
    assert len(calls(cloud, "POST", "/common/articles")) == 1


@pytest.mark.parametrize("code", [500, 502, 503, 504])
@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_a_server_error_on_a_write_is_ambiguous_in_any_dress(client, cloud, code, body):
    cloud.faults.add("status", code=code, body=body, path="/articles", method="POST")
    with pytest.raises(errors.AimsAmbiguous):
        fill(client, "A")


def test_an_empty_200_is_no_empty_store(client, cloud):
    fill(client, "A")
    cloud.faults.add("empty-200", path="/config/article/info")
    with pytest.raises(errors.AimsAnswerBroken):
        list(client.articles(STORE))


def test_an_empty_200_to_a_write_is_ambiguous(client, cloud):
    cloud.faults.add("empty-200", path="/articles", method="POST")
    with pytest.raises(errors.AimsAmbiguous):
        fill(client, "A")


def test_429_says_how_long_to_wait(client, cloud):
    cloud.faults.add("status", code=429, headers={"Retry-After": "17"}, path="/articles", method="POST")
    with pytest.raises(errors.AimsThrottled) as caught:
        fill(client, "A")
    assert caught.value.details["retry_after"] == 17


def test_405_is_a_rejection_with_aims_own_reason(client, cloud):
    cloud.faults.add("reject-article", articles=("A",), message="FIELD_IS_MISSING")
    with pytest.raises(errors.AimsRejected) as caught:
        fill(client, "A")
    assert "FIELD_IS_MISSING" in caught.value.why
    assert caught.value.details["word"] == "FIELD_IS_MISSING"


def test_200_with_a_bad_code_inside_is_a_rejection(client, cloud):
    cloud.faults.add("soft-error", code=405, message="STORE_CODE_NOT_FOUND", path="/articles", method="POST")
    with pytest.raises(errors.AimsRejected, match="rejected"):
        fill(client, "A")


@pytest.mark.parametrize("code", [302, 404])
def test_a_page_of_html_is_no_rejection_of_what_was_sent_whatever_its_status(client, cloud, code):
    cloud.faults.add("status", code=code, body="html", path="/articles", method="POST")
    with pytest.raises(errors.AimsAmbiguous):
        fill(client, "A")


@pytest.mark.parametrize(
    "content",
    [
        b'{"timestamp": 1, "status": 405, "error": "Method Not Allowed", "message": "", "path": "/"}',
        b"plain text",
        b"",
        b"<html>",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
    ],
    ids=repr,
)
def test_no_error_body_is_required_to_be_an_envelope(clock, content):
    def refuse(_):
        return httpx.Response(405, content=content)

    with pytest.raises(errors.ElectisError) as caught:
        scripted(clock, refuse).push_articles(STORE, [make_article("A")], merge=False)
    assert "405" in caught.value.why


def test_a_byte_order_mark_before_the_json_is_accepted(clock):
    def answer(_):
        content = b'\xef\xbb\xbf{"totalArticleCnt": 3, "articleList": []}'
        return httpx.Response(200, content=content, headers={"content-type": "application/json"})

    assert scripted(clock, answer).count_articles(STORE) == 3


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_a_body_without_end_is_given_up_where_the_cap_is(clock, monkeypatch, kind):
    monkeypatch.setattr(connection, "_LARGEST_BODY", 1000)
    poured: list[int] = []

    def pour():
        for _ in range(100):
            poured.append(1)
            yield b'{"articleList": ["' + b"x" * 490

    def answer(_):
        return httpx.Response(200, stream=Pouring(pour), headers={"content-type": kind})

    with pytest.raises(errors.AimsAnswerBroken):
        scripted(clock, answer).count_articles(STORE)
    assert len(poured) <= 6, "read to the cap at each of its two tries, not to the end"


class Pouring(httpx.SyncByteStream):
    """A body that comes piece by piece."""

    def __init__(self, pour):
        self.pour = pour

    def __iter__(self):
        return iter(self.pour())


# --- deadlines ------------------------------------------------------------------------------------------------------


def test_a_call_that_hangs_ends_ambiguous_within_the_deadline(connect, cloud):
    client = connect(timeouts=Timeouts(connect=0.5, call=0.6))
    client.check_login()
    cloud.faults.add("hang", path="/articles", method="POST")
    began = time.monotonic()
    with pytest.raises(errors.AimsAmbiguous) as caught:
        fill(client, "A")
    assert time.monotonic() - began < 1.5
    assert "in time" in caught.value.message


class Dripping:
    """A server that drips its answer byte by byte, each one soon enough to keep a per-read timeout quiet."""

    def __init__(self, at_once, dripped):
        self._at_once, self._dripped = at_once, dripped
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)
        self._listener.close()

    def _serve(self):
        self._listener.settimeout(0.05)
        while not self._stop.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(self._at_once)
                    for place in range(len(self._dripped)):
                        if self._stop.wait(0.02):
                            return
                        connection.sendall(self._dripped[place : place + 1])


@pytest.mark.parametrize(
    ("at_once", "dripped"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 150\r\n\r\n", b" " * 150),
        (b"HTTP/1.1 200 OK\r\n", b"x-filler: " + b"x" * 100 + b"\r\ncontent-length: 0\r\n\r\n"),
    ],
    ids=["body", "headers"],
)
def test_an_answer_that_drips_ends_ambiguous_within_the_deadline(connect, at_once, dripped):
    with Dripping(at_once, dripped) as server:
        client = connect(base_url=server.base_url, timeouts=Timeouts(connect=0.5, call=0.4))
        began = time.monotonic()
        with pytest.raises(errors.AimsAmbiguous):
            client.check_login()
        elapsed = time.monotonic() - began
    assert elapsed < 1.4


# --- lists ----------------------------------------------------------------------------------------------------------


def test_204_is_an_empty_list_everywhere(client):
    assert list(client.articles(STORE)) == []
    assert client.count_articles(STORE) == 0
    assert client.articles_by_id(STORE, ["A"]) == {}
    assert client.label_page(STORE, "0123456789AB") is None


@pytest.mark.parametrize("headers", [True, False])
def test_a_list_is_read_to_its_end_although_the_server_caps_its_pages(serve, headers):
    cloud, client = serve(page_cap=7, paging_headers=headers)
    ids = [f"{number:03}" for number in range(40)]
    fill(client, *ids)
    assert sorted(listed(client)) == ids
    assert client.count_articles(STORE) == 40
    assert len(calls(cloud, "GET", "/config/article/info")) in {6, 7}


def test_articles_asked_by_id_are_all_found_although_the_server_caps_its_pages(serve):
    _, client = serve(page_cap=10)
    ids = [f"{number:03}" for number in range(30)]
    fill(client, *ids)
    assert sorted(client.articles_by_id(STORE, ids)) == ids


def test_many_articles_are_asked_for_fifty_at_a_time(client, cloud):
    ids = [f"{number:03}" for number in range(120)]
    fill(client, *ids)
    assert sorted(client.articles_by_id(STORE, [*ids, "not-there"])) == ids
    assert len(calls(cloud, "GET", "/config/article/info")) == 3


def test_a_list_that_ends_before_aims_own_total_is_unreliable(clock):
    def answer(request):
        if request.url.params["page"] == "0":
            body = {"articleList": [{"articleId": "A", "data": {}}]}
            return httpx.Response(200, json=body, headers={"x-totalelements": "3"})
        return httpx.Response(204)

    with pytest.raises(errors.UnreliableListing) as caught:
        list(scripted(clock, answer).articles(STORE))
    assert "3" in caught.value.why


def test_a_row_that_slips_to_the_next_page_is_listed_once(clock):
    def answer(request):
        page = int(request.url.params["page"])
        ids = [["A", "B"], ["B", "C"]][page] if page < 2 else []
        body = {"articleList": [{"articleId": one, "data": {}} for one in ids]}
        return httpx.Response(200, json=body) if ids else httpx.Response(204)

    assert sorted(listed(scripted(clock, answer))) == ["A", "B", "C"]


def test_a_list_that_never_ends_is_given_up(clock, monkeypatch):
    monkeypatch.setattr("electis_cli.aims.connection._MOST_PAGES", 20)

    def answer(request):
        row = {"articleId": request.url.params["page"], "data": {}}
        return httpx.Response(200, json={"articleList": [row]})

    with pytest.raises(errors.UnreliableListing) as caught:
        list(scripted(clock, answer).articles(STORE))
    assert "did not end after 20 pages" in caught.value.why


def test_q29_stores_listed_as_bare_codes_are_stores(clock):
    def answer(request):
        first = request.url.params["page"] == "0"
        return httpx.Response(200, json={"stores": ["001", "002"]}) if first else httpx.Response(204)

    assert [store.code for store in scripted(clock, answer).stores()] == ["001", "002"]


@pytest.mark.parametrize(
    "dress",
    [
        lambda rows: {"responseCode": "200", "responseMessage": "SUCCESS", "articleList": rows},
        lambda rows: {"responseCode": "0000", "responseMessage": {"articleList": rows}},
        lambda rows: {"responseCode": "SUCCESS", "data": {"articleList": rows}},
        lambda rows: {"content": rows},
        lambda rows: rows,
    ],
    ids=["envelope", "wrapped", "data", "content", "bare"],
)
def test_every_dialect_of_a_list_is_understood(clock, dress):
    def answer(request):
        first = request.url.params["page"] == "0"
        return (
            httpx.Response(200, json=dress([{"articleId": 7, "data": {}}])) if first else httpx.Response(204)
        )

    assert list(listed(scripted(clock, answer))) == ["7"]


# --- ids, links and pages -------------------------------------------------------------------------------------------

ODD_IDS = (
    "007",
    "7",
    "07",
    "A",
    "a",
    "ד-1",
    'it\'s "it"',
    "a b",
    "a&b=c",
    "x" * 50,
    "100%",
    "a/b",
    "a+b",
    "#1",
    "?",
)


def test_odd_ids_come_back_as_they_went(client):
    fill(client, *ODD_IDS)
    assert set(listed(client)) == set(ODD_IDS)
    found = client.articles_by_id(STORE, ODD_IDS)
    assert {article_id: article.name for article_id, article in found.items()} == {
        article_id: f"name of {article_id}" for article_id in ODD_IDS
    }
    client.delete_articles(STORE, ["A", "07"])
    assert set(listed(client)) == set(ODD_IDS) - {"A", "07"}


def test_an_update_keeps_columns_that_are_not_ours_and_a_creation_does_not(client, cloud):
    fill(client, "A", "B")
    with cloud.lock:
        for article_id in ("A", "B"):
            held = cloud.store("ACME", STORE).articles[article_id]
            held.data = {**held.data, "THEIRS": "kept"}
    client.push_articles(STORE, [make_article("A", "new")], merge=True)
    client.push_articles(STORE, [make_article("B", "new")], merge=False)
    found = listed(client)
    assert (found["A"].name, found["A"].data.get("THEIRS")) == ("new", "kept")
    assert (found["B"].name, found["B"].data.get("THEIRS")) == ("new", None)


def test_a_partly_taken_write_names_what_was_refused(client, cloud):
    cloud.faults.add("partial", articles=("B",), message="too long")
    answer = client.push_articles(STORE, [make_article("A"), make_article("B")], merge=False)
    assert (answer.valid, answer.invalid) == (1, 1)
    (refused,) = client.refused_records(answer.batch_id)
    assert refused.article_id == "B"
    assert "too long" in refused.reason


def test_an_installation_without_validation_logs_has_nothing_to_name(client, cloud):
    cloud.faults.add("status", code=404, path="/articles/validationerror/logs")
    assert client.refused_records("some-batch") == []


def test_a_label_is_linked_flipped_and_unlinked(client, cloud):
    fill(client, "A")
    (code,) = label_codes(cloud, 1)
    client.link_labels(STORE, [(code, ["A"])])
    client.flip_pages(STORE, [(code, 2)])
    cloud.clock.advance(10)
    assert client.label_page(STORE, code) == 2
    assert listed(client)["A"].labels == (code,)
    assert {label.label_code: label.article_ids for label in client.labels(STORE)}[code] == ("A",)
    client.unlink_labels(STORE, [code])
    assert listed(client)["A"].labels == ()


def test_a_page_the_label_does_not_have_is_rejected_with_the_number(client, cloud):
    fill(client, "A")
    (code,) = label_codes(cloud, 1)
    client.link_labels(STORE, [(code, ["A"])])
    with pytest.raises(errors.AimsRejected) as caught:
        client.flip_pages(STORE, [(code, 99)])
    assert caught.value.details["word"]


def test_all_labels_of_a_store_are_listed_assigned_or_not(client, cloud):
    fill(client, "A")
    codes = label_codes(cloud, 300)
    client.link_labels(STORE, [(codes[0], ["A"])])
    found = {label.label_code: label for label in client.labels(STORE)}
    assert set(found) == set(codes)
    assert found[codes[0]].article_ids == ("A",)
    assert found[codes[1]].article_ids == ()


def test_the_format_is_read_and_its_absence_is_none(client, cloud):
    assert client.article_format() == FORMAT
    with cloud.lock:
        cloud.company("ACME").format = None
    assert client.article_format() is None


def test_a_broken_format_is_a_broken_answer(clock):
    def answer(_):
        return httpx.Response(200, json={"mappingInfo": {}, "articleData": []})

    with pytest.raises(errors.AimsAnswerBroken):
        scripted(clock, answer).article_format()


def test_a_ping_measures_and_never_answers_from_a_cache(client, cloud):
    assert client.ping() >= 0
    assert client.ping(STORE) >= 0
    cloud.faults.add("status", code=503, path="/store*")
    with pytest.raises(errors.AimsAmbiguous):
        client.ping()
    with pytest.raises(errors.AimsAmbiguous):
        client.ping(STORE)


# --- secrets --------------------------------------------------------------------------------------------------------


def test_no_error_and_no_representation_shows_a_password_or_a_token(client, connect, cloud, clock):
    client.check_login()
    shown = [repr(client), repr(client._connection), repr(client._connection._credentials)]
    shown.append(repr(vars(client._connection)))
    for fault in ({"kind": "reset"}, {"kind": "cut"}, {"kind": "html"}, {"kind": "token-invalid"},
                  {"kind": "status", "code": 405}, {"kind": "status", "code": 403}, {"kind": "status", "code": 500},
                  {"kind": "soft-error"}, {"kind": "empty-200"}, {"kind": "status", "code": 429}):  # fmt: skip
        fault_id = cloud.faults.add(fault.pop("kind"), path="/articles", method="POST", **fault)
        with pytest.raises(errors.ElectisError) as caught:
            fill(client, "A")
        cloud.faults.remove(fault_id)
        error = caught.value
        shown += [
            repr(error),
            error.message,
            error.why,
            error.fix,
            repr(error.details),
            repr(error.__cause__),
        ]
    secrets = {PASSWORD, *cloud.world.tokens, *cloud.world.refresh_tokens}
    assert len(secrets) > 2
    assert [secret for secret in secrets for text in shown if secret in text] == []
