"""Every entity that support asks for, in every dialect a source or a client has seen."""

from __future__ import annotations

import pytest

from electis_cli.aims import entities, histories

MAC = "D02544FFFE0A0B01"


@pytest.mark.parametrize(
    "row",
    [
        {"macAddress": MAC, "networkStatus": "CONNECTED", "version": "N10", "dataChannel": 11},
        {"mac": MAC.lower(), "status": "online", "firmwareVersion": "N10", "dataChennal": "11"},
        {"gatewayMac": MAC, "networkStatus": True, "version": "N10", "dataChannel": 11.0},
        {"GatewayMac": f" {MAC} ", "networkStatus": "Connected", "version": "N10", "dataChannel": "11"},
    ],
    ids=["F", "Q11", "flag", "blanks"],
)
def test_a_gateway_in_every_spelling(row):
    gateway = entities.decode_gateway(row)
    assert gateway is not None
    assert (gateway.mac, gateway.online, gateway.version, gateway.channel) == (MAC, True, "N10", 11)


@pytest.mark.parametrize(
    ("word", "online"),
    [("DISCONNECTED", False), ("NOT_READY", False), ("OFFLINE", False), ("ODD", None), (None, None)],
)
def test_a_gateway_that_is_not_there(word, online):
    assert entities.decode_gateway({"macAddress": MAC, "networkStatus": word}).online is online


def test_unknown_fields_are_kept_and_the_envelope_is_not_one():
    row = {"macAddress": MAC, "slotTotal": 7, "responseCode": "200", "responseMessage": "OK"}
    assert entities.decode_gateway(row).extra == {"slotTotal": 7}
    assert entities.decode_label_row({"labelCode": "A", "isRailTag": False}).extra == {"isRailTag": False}
    assert histories.decode_batch({"name": "b", "isImpact": "YES"}).extra == {"isImpact": "YES"}


@pytest.mark.parametrize(
    "row",
    [
        {
            "labelCode": "0A1B2C3DB290", "updateStatus": "SUCCESS", "battery": "BAD", "signal": "GOOD",
            "articleList": [{"articleId": "4-1", "articleName": "x"}], "gateway": {"name": MAC}, "type": "N29",
            "networkStatus": False, "lastResponsetime": "2026-02-03 18:14:05",
        },
        {
            "label_code": "0a1b2c3db290", "status": "success", "batteryStatus": 19, "signalStrength": "good",
            "articleList": ["4-1"], "gatewayMac": MAC, "labelModel": "N29", "networkStatus": "OFFLINE",
            "lastResponseTime": "2026-02-03 18:14:05",
        },
        {
            "labelCode": "0A1B2C3DB290", "updateStatus": "Success", "battery": "29%", "signal": "GOOD",
            "articleId": ["4-1"], "gateway": MAC, "labelType": "N29", "networkStatus": "false",
            "lastResponseTime": "2026-02-03 18:14:05",
        },
    ],
    ids=["labels", "other names", "numbers"],
)  # fmt: skip
def test_a_label_in_every_spelling(row):
    label = entities.decode_label_row(row)
    assert label is not None
    assert (label.label_code, label.update_status, label.signal) == ("0A1B2C3DB290", "SUCCESS", "GOOD")
    assert (label.online, label.low_battery, label.gateway, label.model) == (False, True, MAC, "N29")
    assert (label.articles, label.last_response) == (("4-1",), "2026-02-03 18:14:05")


def test_what_a_label_row_does_not_tell_is_unknown():
    label = entities.decode_label_row({"labelCode": "0A1B2C3DB290", "battery": "GOOD", "signal": -71})
    assert (label.articles, label.online, label.low_battery, label.signal) == (None, None, False, "-71")
    assert entities.decode_label_row({"battery": "GOOD"}) is None


@pytest.mark.parametrize(
    ("active", "states", "state"),
    [
        (None, {1: "TIMEOUT", 2: "SUCCESS"}, "TIMEOUT"),
        (2, {1: "TIMEOUT", 2: "SUCCESS"}, "SUCCESS"),
        ("1", {1: "PROCESSING", 2: "TIMEOUT"}, "PROCESSING"),
        (7, {1: "SUCCESS", 2: "PROCESSING"}, "PROCESSING"),
        (None, {}, None),
        (None, {1: "ODD"}, "ODD"),
    ],
    ids=["worst of all", "the page shown", "as text", "a page that is not there", "no image", "unknown word"],
)
def test_the_state_of_a_label_is_that_of_its_page_or_the_worst(active, states, state):
    images = [{"index": page, "state": word} for page, word in states.items()]
    row = {"activePage": active, "currentImage": images, "width": 0, "height": 128}
    detail = entities.decode_label_detail(row if images else {"activePage": active}, "0A")
    assert detail.state == state
    assert detail.label_code == "0A"
    if images:
        assert (detail.width, detail.height) == (None, 128)


def test_the_time_a_label_answered_has_two_spellings():
    pages = [{"index": 1, "statusUpdatetime": "then"}, {"pageNumber": "2", "statusUpdateTime": "later"}]
    detail = entities.decode_label_detail({"currentImage": pages}, "0A")
    assert [(page.page, page.answered_at) for page in detail.pages] == [(1, "then"), (2, "later")]


@pytest.mark.parametrize(
    "color", [{"color": "bwr"}, {"colorType": "BWR"}, {"color": "BWR", "colorType": "TERNARY"}]
)
@pytest.mark.parametrize("nfc", [True, "YES", "true"])
def test_a_device_in_every_spelling(color, nfc):
    row = {"labelCode": "0A", "name": "N29", "displayWidth": "296", "displayHeight": 0, "nfc": nfc, **color}
    device = entities.decode_device(row)
    assert (device.model, device.width, device.height, device.color, device.nfc) == (
        "N29",
        296,
        None,
        "BWR",
        True,
    )


@pytest.mark.parametrize(
    "row",
    [
        {"id": "65f0", "name": "b-1", "result": "FAILED", "lastModified": "t", "fail": 1},
        {"id": "65f0", "name": "b-1", "result": "FAIL", "last_modified": "t", "fail": "1"},
    ],
    ids=["F", "A"],
)
def test_a_batch_in_both_descriptions(row):
    batch = histories.decode_batch(
        {**row, "storeWiseData": [{"store": "001", "articleCount": 1}, {"store": 7}, None]}
    )
    assert (batch.batch, batch.result, batch.modified, batch.failed) == ("b-1", "FAILED", "t", 1)
    assert batch.stores == ("001", "7")
    assert histories.decode_batch({"result": "FAIL"}) is None


def test_a_label_of_a_batch_tells_why_it_failed():
    row = {
        "articleId": 17,
        "labelCode": "0a1b",
        "result": "TIMEOUT",
        "errorCode": 1,
        "addlErrorMessage": "no answer",
    }
    found = histories.decode_batch_row({**row, "addlErrorPages": [1]})
    assert (found.article_id, found.label_code, found.error_code, found.error) == (
        "17",
        "0A1B",
        "1",
        "no answer",
    )
    assert found.extra == {"addlErrorPages": [1]}


def test_a_refused_record_may_name_no_article_and_no_reason():
    row = histories.decode_validation({"articleId": None, "errorIndex": "1", "inputBatchId": "b"})
    assert (row.article_id, row.index, row.reason, row.batch) == (None, 1, "refused without a reason", "b")


def test_an_article_version_needs_its_upload():
    found = histories.decode_version({"uploadId": "u", "uploadDate": "t", "regenerateInputBatchId": "r"})
    assert (found.upload, found.at, found.extra) == ("u", "t", {"regenerateInputBatchId": "r"})
    assert histories.decode_version({"articleId": "1"}) is None


@pytest.mark.parametrize("moment", ["lastUpdated", "lastModified", "last_modified", "statusUpdatetime"])
def test_the_history_of_a_label(moment):
    row = {
        "inputBatchId": "b",
        "created": "t",
        "pageInfo": [{"pageNumber": 1, "status": "SUCCESS", moment: "u"}],
    }
    event = entities.decode_label_event({**row, "txSequence": "x"})
    assert (event.at, event.kind, event.batch, event.extra) == ("t", None, "b", {"txSequence": "x"})
    assert [(page.page, page.state, page.answered_at) for page in event.pages] == [(1, "SUCCESS", "u")]


def test_small_rows():
    assert histories.decode_linked({"article_id": 5, "labelCount": "2"}).labels == 2
    assert histories.decode_linked({}) is None
    listed = entities.decode_whitelisted({"labelCode": "0a1b", "labelMac": "0a", "labelType": "N29"})
    assert (listed.label_code, listed.mac, listed.model) == ("0A1B", "0A", "N29")
    assert entities.decode_whitelisted({"labelMac": "0A"}) is None


@pytest.mark.parametrize(
    "row",
    [
        {"labelCode": "0A", "responseCode": "422", "message": "NOT_LINKED"},
        {"labelCode": "0A", "code": 422, "responseMessage": "NOT_LINKED"},
    ],
)
def test_an_item_of_a_partial_success(row):
    item = entities.decode_item(row)
    assert (item.id, item.code, item.message) == ("0A", "422", "NOT_LINKED")


@pytest.mark.parametrize(
    ("battery", "low"),
    [
        ("BAD", True),
        ("low", True),
        ("GOOD", False),
        ("29", True),
        ("30%", False),
        ("92", False),
        (None, None),
    ],
)
def test_a_low_battery_is_a_word_or_a_percentage(battery, low):
    assert entities.is_low(battery) is low
