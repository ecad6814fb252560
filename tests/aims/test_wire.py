"""AIMS's JSON in all the forms clients have seen it (contract 7)."""

from __future__ import annotations

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.aims import wire
from electis_cli.domain.articles import Article, content_of
from electis_cli.domain.organizations import ArticleFormat

FORMAT = ArticleFormat(
    columns=("STORE_ID", "ARTICLE_ID", "ITEM_NAME", "TITLE"),
    store_column="STORE_ID",
    id_column="ARTICLE_ID",
    name_column="ITEM_NAME",
)
ROW = {"articleId": "4-1", "articleName": "Dana", "nfcUrl": "", "data": {"TITLE": "x"}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["data", "content", "responseCode", "responseMessage", "articleList", "articleId", "labelCode",
             "assignedLabel", "articleData", "mappingInfo", "validCount", "invalidCount", "expires_in", "tokens"]
        ) | st.text(max_size=5),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"responseCode": "200", "responseMessage": "SUCCESS", "articleList": [ROW]},
        {"responseCode": "200", "responseMessage": {"articleList": [ROW]}},
        {"responseCode": "200", "responseMessage": [ROW]},
        {"responseCode": "200", "responseMessage": "SUCCESS", "data": [ROW]},
        {"responseCode": "200", "responseMessage": "SUCCESS", "data": {"articleList": [ROW]}},
        {"content": [ROW], "totalElements": 1},
        [ROW],
    ],
)
def test_q1_a_list_is_found_wherever_it_is_put(body):
    assert wire.rows_of(body, "articleList") == [ROW]


@pytest.mark.parametrize(
    "body", [None, "SUCCESS", {}, {"responseCode": "200", "responseMessage": "SUCCESS"}, 7]
)
def test_q1_no_list_is_not_an_empty_list(body):
    assert wire.rows_of(body, "articleList") is None


def test_q1_an_empty_list_is_one():
    assert wire.rows_of({"articleList": []}, "articleList") == []


@pytest.mark.parametrize(
    "code", ["200", 200, "202", "206", "0000", "SUCCESS", "success", "OK", "ok", "", None], ids=repr
)
def test_q2_every_success_code_is_success(code):
    assert wire.is_success({"responseCode": code, "responseMessage": "SUCCESS"})


@pytest.mark.parametrize("body", [{}, [], [ROW], {"articleList": []}])
def test_q2_an_answer_without_a_code_is_success(body):
    assert wire.is_success(body)


@pytest.mark.parametrize("code", ["405", 405, "401", "500", "FAIL", "0001", "ERROR"], ids=repr)
def test_q3_a_good_status_with_a_bad_code_is_no_success(code):
    assert not wire.is_success({"responseCode": code, "responseMessage": "STORE_CODE_NOT_FOUND"})


@pytest.mark.parametrize(
    "row",
    [
        {"articleId": "4-1", "articleName": "Dana", "nfcUrl": "u", "data": {}, "lastUpdated": "t"},
        {"article_id": "4-1", "article_name": "Dana", "nfc": "u", "data": {}, "lastModified": "t"},
        {"articleId": "4-1", "article_name": "Dana", "nfcUrl": "u", "last_modified": "t"},
    ],
)
def test_q11_alternate_names_of_an_article_are_understood(row):
    found = wire.decode_article(row)
    assert (found.article_id, found.name, found.nfc_url, found.last_updated) == ("4-1", "Dana", "u", "t")


@pytest.mark.parametrize(
    "row",
    [
        {
            "labelCode": "0123456789ab", "articleList": [{"articleId": "4-1"}], "updateStatus": "SUCCESS",
            "battery": "GOOD", "signal": "BAD", "gateway": {"name": "GW1"}, "type": "M", "networkStatus": True,
        },
        {
            "label_code": "0123456789AB", "articleId": ["4-1"], "status": "SUCCESS", "batteryStatus": "GOOD",
            "signalStrength": "BAD", "gatewayMac": "GW1", "labelModel": "M", "network": True,
        },
        {
            "labelCode": " 0123456789AB ", "articleList": [{"article_id": "4-1"}], "updateStatus": "SUCCESS",
            "battery": "GOOD", "signal": "BAD", "gateway": "GW1", "labelType": "M", "networkStatus": True,
        },
    ],
)  # fmt: skip
def test_q11_alternate_names_of_a_label_are_understood(row):
    found = wire.decode_label(row)
    assert (found.label_code, found.article_ids, found.update_status) == ("0123456789AB", ("4-1",), "SUCCESS")
    assert (found.battery, found.signal, found.gateway, found.model) == ("GOOD", "BAD", "GW1", "M")
    assert found.is_online is True
    assert found.raw == row


def test_q13_columns_beside_data_are_columns():
    beside = wire.decode_article(
        {"articleId": "4-1", "articleName": "Dana", "TITLE": "x", "ITEM_NAME": "Dana"}
    )
    inside = wire.decode_article(
        {"articleId": "4-1", "articleName": "Dana", "data": {"TITLE": "x", "ITEM_NAME": "Dana"}}
    )
    contents = [content_of(one.name, one.nfc_url, one.data, FORMAT) for one in (beside, inside)]
    assert contents[0] == contents[1]


def test_q13_data_wins_over_a_column_beside_it():
    assert (
        wire.decode_article({"articleId": "4-1", "TITLE": "old", "data": {"TITLE": "new"}}).data["TITLE"]
        == "new"
    )


def test_q14_an_id_may_come_as_a_number():
    assert wire.decode_article({"articleId": 17, "data": {}}).article_id == "17"
    assert wire.decode_article({"articleId": 0, "data": {}}).article_id == "0"


@pytest.mark.parametrize("row", [{}, {"articleId": None}, {"articleId": " "}, {"articleName": "Dana"}])
def test_q14_a_row_without_an_id_can_not_be_compared(row):
    assert wire.decode_article(row) is None


@pytest.mark.parametrize("nothing", [{}, {"TITLE": None}, {"TITLE": ""}, {"TITLE": "  "}])
def test_q15_null_missing_empty_and_blank_are_the_same(nothing):
    row = {"articleId": "4-1", "articleName": None, "nfcUrl": None, "data": {"ITEM_NAME": None, **nothing}}
    found = wire.decode_article(row)
    assert content_of(found.name, found.nfc_url, found.data, FORMAT) == {}


def test_q15_outer_blanks_and_the_way_letters_are_composed_do_not_count():
    found = wire.decode_article(
        {"articleId": " 4-1 ", "articleName": " Zoe\u0308 ", "data": {"ITEM_NAME": "Zo\u00eb"}}
    )
    assert found.article_id == "4-1"
    assert content_of(found.name, found.nfc_url, found.data, FORMAT) == {"ITEM_NAME": "Zo\u00eb"}


def test_numbers_and_booleans_are_compared_as_text():
    found = wire.decode_article(
        {"articleId": "4-1", "articleName": "7", "data": {"ITEM_NAME": 7, "TITLE": False}}
    )
    assert content_of(found.name, "", found.data, FORMAT) == {"ITEM_NAME": "7", "TITLE": "false"}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (None, None),
        ([], ()),
        (["0123456789ab"], ("0123456789AB",)),
        ([{"labelCode": "0123456789AB"}], ("0123456789AB",)),
    ],
)
def test_q17_missing_labels_are_unknown_and_not_none(labels, expected):
    row = {**ROW, "assignedLabel": labels} if labels is not None else ROW
    assert wire.decode_article(row).labels == expected
    assert wire.decode_article({**ROW, "assignedLabel": None}).labels is None


def test_q29_a_store_may_be_a_bare_code():
    assert wire.decode_store("001") == wire.RemoteStore(code="001", name="001")
    assert wire.decode_store({"store": "001", "storeName": "Main", "labelCount": "12"}).labels == 12
    assert wire.decode_store({"code": 1, "name": "Main"}).code == "1"
    assert wire.decode_store("") is None
    assert wire.decode_store({}) is None


@pytest.mark.parametrize(
    "body",
    [
        {"customBatchId": "b", "validCount": 2, "invalidCount": 1},
        {"customBatchId": "b", "validCount": "2", "invalidCount": "1"},
        {"responseMessage": {"inputBatchId": "b", "validCount": 2, "invalidCount": 1}},
    ],
)
def test_q23_a_write_says_how_many_records_it_took(body):
    assert wire.decode_write(body) == wire.WriteAnswer(batch_id="b", valid=2, invalid=1)


def test_a_write_that_says_nothing_took_everything():
    assert wire.decode_write({"responseCode": "200"}) == wire.WriteAnswer()


FORMAT_BODY = {
    "mappingInfo": {"store": "STORE_ID", "articleId": "ARTICLE_ID", "articleName": "ITEM_NAME"},
    "articleData": ["STORE_ID", "ARTICLE_ID", "ITEM_NAME", "TITLE"],
}


@pytest.mark.parametrize(
    "body", [FORMAT_BODY, {"responseMessage": FORMAT_BODY}, {"responseCode": "200", "data": FORMAT_BODY}]
)
def test_a_format_is_understood_bare_and_in_an_envelope(body):
    assert wire.decode_format(body) == FORMAT


def test_a_mapped_column_that_the_list_lacks_is_a_column_all_the_same():
    body = {**FORMAT_BODY, "articleData": ["STORE_ID", "ITEM_NAME", "TITLE", "TITLE"]}
    assert wire.decode_format(body).columns == ("STORE_ID", "ITEM_NAME", "TITLE", "ARTICLE_ID")


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        {"mappingInfo": {}, "articleData": []},
        {"mappingInfo": {"articleId": ""}, "articleData": ["A"]},
    ],
)
def test_a_format_without_an_id_column_is_none(body):
    assert wire.decode_format(body) is None


def test_a_refused_record_is_named_by_id_or_place_and_says_why():
    full = wire.decode_refused({"articleId": "4-1", "errorIndex": "3", "errorText": " too long "})
    assert full == wire.RefusedRecord(article_id="4-1", index=3, reason="too long")
    assert wire.decode_refused({"articleId": None}).article_id is None
    assert wire.decode_refused({}).reason


@given(JSON)
def test_no_json_makes_a_decoder_crash(body):
    wire.is_success(body)
    wire.response_message(body)
    wire.decode_format(body)
    wire.decode_write(body)
    wire.decode_store(body)
    for row in wire.rows_of(body, "articleList") or []:
        with contextlib.suppress(wire.UnreadableError):  # said as such, and nothing else
            wire.decode_article(row)
        wire.decode_label(row)
        wire.decode_refused(row)


@pytest.mark.parametrize(
    "value",
    [1e999, "1e999", "", "x", None, [], "\uff19", 10**400, True, "7.0"],
    ids=lambda value: repr(value)[:9],
)
def test_no_number_makes_the_reader_of_numbers_crash(value):
    assert wire.number_of(value) is None or isinstance(wire.number_of(value), int)


@given(
    article_id=st.text(min_size=1, max_size=10),
    name=st.text(max_size=10),
    title=st.text(max_size=10),
)
def test_what_is_sent_and_listed_again_is_equal(article_id, name, title):
    data = {"ARTICLE_ID": article_id, "ITEM_NAME": name, "TITLE": title}
    sent = Article(article_id=article_id, name=name, nfc_url="", data=data)
    listed = wire.decode_article(orjson.loads(orjson.dumps(wire.encode_article(sent))))
    if listed is not None:
        ours = content_of(sent.name, sent.nfc_url, sent.data, FORMAT)
        assert content_of(listed.name, listed.nfc_url, listed.data, FORMAT) == ours
