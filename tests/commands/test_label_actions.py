"""`electis label blink|image|history|resend|replace|flip` and the labels AIMS knows, against the simulator."""

from __future__ import annotations

import struct

import pytest

from tests.world.ledger import calls


def png(width, height):
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"rest"


def link(desk, code, article="4-1"):
    desk("label", "link", code, article)
    desk("queue", "drain", check=None)


# --- what AIMS knows ------------------------------------------------------------------------------------------------


def test_labels_are_listed_as_aims_knows_them(desk):
    link(desk, desk.labels[0])
    free = desk.json("label", "list", "--unassigned")
    assert [row["label_code"] for row in free] == desk.labels[1:]
    assert {row["store"] for row in free} == {"001"}

    silent, weak = desk.labels[2:4]
    for code, label in desk.store.labels.items():
        label.battery = "BAD" if code == weak else "GOOD"
    desk.store.labels[silent].online = False
    assert [row["label_code"] for row in desk.json("label", "list", "--low-battery")] == [weak]
    assert [row["label_code"] for row in desk.json("label", "list", "--offline")] == [silent]
    assert desk.json("label", "list", "--offline", "--low-battery") == []
    assert desk("label", "list", "--offline", "--low-battery").err == (
        "No label is out of reach and has a low battery, AIMS says.\n"
    )
    assert len(desk.json("label", "list", "--unassigned", "--limit", "2")) == 2


def test_the_history_of_a_label(desk):
    code = desk.labels[0]
    link(desk, code)
    history = desk.json("label", "history", code)
    assert [row["kind"] for row in history] == ["ASSIGN"]
    assert history[0]["pages"][0]["state"] == "SUCCESS"
    assert history[0]["batch"]
    assert code not in desk("label", "history", code, "--fields", "at,kind").out
    refused = desk("label", "history", "0A1B2C3DB290", "-o", "json", check=6).error
    assert (refused["code"], "unassigned" in refused["fix"]) == ("E-LABEL-NOT-FOUND", True)


# --- blinking -------------------------------------------------------------------------------------------------------


def test_a_label_blinks_at_once(desk):
    code = desk.labels[0]
    assert desk.json("label", "blink", code.lower(), "-n") == [
        {"label_code": code, "store": "001", "outcome": "planned", "code": None, "error": None}
    ]
    assert desk.store.leds == {}
    desk("label", "blink", code, "--color", "RED", "--duration", "1m")
    led = desk.store.leds[code]
    assert (led.color, led.duration) == ("RED", 60.0)
    rows = desk.audit("label:blinked")
    assert rows[-1]["after"] == {"labels": [code], "color": "red", "duration": "1m", "outcome": "done"}
    desk("label", "blink", code, "--color", "magenta")
    assert desk.store.leds[code].color == "MEGENTA", "the wire's own spelling"


def test_of_several_labels_one_does_not_blink(desk):
    good, unknown = desk.labels[0], "0A1B2C3DB290"
    done = desk.json("label", "blink", good, unknown, check=3)
    assert [(item["label_code"], item["outcome"]) for item in done] == [(good, "done"), (unknown, "failed")]
    assert done[1]["error"] == "LABEL_CODE_NOT_FOUND"
    assert good in desk.store.leds
    assert desk("label", "blink", unknown, "-o", "json", check=6).error["code"] == "E-LABEL-NOT-FOUND"


def test_a_blink_that_makes_no_sense(desk):
    assert (
        desk("label", "blink", desk.labels[0], "--duration", "1h", "-o", "json", check=8).error["code"]
        == "E-INPUT"
    )
    assert desk("label", "blink", "xyz", "-o", "json", check=8).error["code"] == "E-INPUT"
    desk("label", "blink", desk.labels[0], "--color", "pink", check=2)


def test_an_installation_that_knows_only_the_word(desk):
    """Contract 4: MEGENTA is the wire's name; where it is refused the real word is tried."""
    code = desk.labels[0]
    desk.cloud.faults.add(
        "status", code=405, message="COLOR_IS_INVALID", method="PUT", path="/labels/led", count=1
    )
    desk("label", "blink", code, "--color", "magenta")
    assert desk.store.leds[code].color == "MAGENTA"


# --- images ---------------------------------------------------------------------------------------------------------


def test_an_image_is_checked_confirmed_and_pushed(desk, tmp_path):
    code = desk.labels[0]
    link(desk, code)
    label = desk.store.labels[code]
    file = tmp_path / "picture.png"
    file.write_bytes(png(label.width, label.height))
    assert desk("label", "image", code, str(file), "-o", "json", check=2).error["fix"] == "add --yes"
    planned = desk.json("label", "image", code, str(file), "--dry-run")
    assert (planned["kind"], planned["batch"], planned["dry_run"]) == ("png", None, True)
    assert calls(desk.cloud, "POST", "/labels/image") == []

    pushed = desk("label", "image", code, str(file), "--page", "2", "--yes", "-o", "json")
    assert pushed.json["batch"]
    assert "regenerate" in pushed.err
    assert list(label.images) == ["2"]
    assert desk.json("aims", "batch", "list", "--kind", "imagepush")[0]["batch"] == pushed.json["batch"]
    assert desk.audit("label:image_pushed")[-1]["after"]["outcome"] == "done"


def test_an_image_that_does_not_fit_is_not_sent(desk, tmp_path):
    code = desk.labels[0]
    file = tmp_path / "picture"
    file.write_bytes(png(3, 5))
    refused = desk("label", "image", code, str(file), "--yes", "-o", "json", check=8).error
    assert ("3 x 5" in refused["message"], "--dither" in refused["fix"]) == (True, True)
    desk("label", "image", code, str(file), "--yes", "--page", "9", check=8)
    file.write_bytes(b"<svg/>")
    desk("label", "image", code, str(file), "--yes", "--dither", check=8)
    desk("label", "image", code, str(tmp_path / "nowhere"), "--yes", check=2)
    assert calls(desk.cloud, "POST", "/labels/image") == []
    file.write_bytes(png(3, 5))
    desk("label", "image", code, str(file), "--yes", "--dither")
    assert desk("label", "image", "0A1B2C3DB290", str(file), "--yes", "-o", "json", check=6).error[
        "code"
    ] == ("E-LABEL-NOT-FOUND")


def test_an_image_without_an_answer_is_sent_once(desk, tmp_path):
    code, file = desk.labels[0], tmp_path / "picture.png"
    file.write_bytes(png(3, 5))
    desk.cloud.faults.add("reset", method="POST", path="/labels/image")
    failed = desk("label", "image", code, str(file), "--dither", "--yes", "-o", "json", check=12).error
    assert (failed["fix"], "not asked twice" in failed["message"]) == (f"electis label history {code}", True)
    assert len(calls(desk.cloud, "POST", "/labels/image")) == 1


# --- resending ------------------------------------------------------------------------------------------------------


def test_a_label_that_did_not_answer_is_sent_to_again(desk):
    code = desk.labels[0]
    assert "nothing was sent" in desk("label", "resend", code).err
    desk.store.labels[code].outcome = "TIMEOUT"
    link(desk, code)
    assert desk.json("label", "resend", code, "-n")["sent"] is False
    assert desk.json("label", "resend", code) == {
        "store": "001",
        "labels": [code],
        "sent": True,
        "dry_run": False,
    }
    everything = desk.json("label", "resend", "--timeouts")
    assert (everything["labels"], everything["sent"]) == ([], True)
    for arguments in ((), (code, "--timeouts")):
        assert desk("label", "resend", *arguments, "-o", "json", check=2).error["code"] == "E-USAGE"
    assert desk("label", "resend", "0A1B2C3DB290", "-o", "json", check=6).error["code"] == "E-LABEL-NOT-FOUND"


# --- who and when ---------------------------------------------------------------------------------------------------


def test_nothing_goes_to_labels_while_the_queue_is_stopped(desk, tmp_path):
    file = tmp_path / "picture.png"
    file.write_bytes(png(3, 5))
    code = desk.labels[0]
    orders = (("blink", code), ("image", code, str(file), "--dither", "--yes"), ("resend", "--timeouts"))
    desk("queue", "pause", "--reason", "repairs")
    for order in orders:
        refused = desk("label", *order, "-o", "json", check=14).error
        assert (refused["code"], refused["why"]) == ("E-QUEUE-PAUSED", "repairs")
    desk("queue", "resume")
    desk.cloud.faults.add("status", code=503)
    desk("aims", "ping", check=None)
    desk.cloud.faults.clear()
    for order in orders:
        assert desk("label", *order, "-o", "json", check=14).error["fix"] == "electis aims ping"
    desk("aims", "ping")
    desk("label", "blink", code)


def test_who_may_order_labels(desk):
    viewer = desk.log_in_as("viewer")
    assert len(viewer("label", "list", "--unassigned", "-o", "json").json) == 8
    for order in (("blink", desk.labels[0]), ("resend", "--timeouts"), ("flip", desk.labels[0], "2")):
        assert viewer("label", *order, "-o", "json", check=5).error["code"] == "E-PERMISSION"


def test_with_several_stores_the_links_tell_which(desk):
    desk("store", "create", "002")
    code = desk.labels[0]
    desk("label", "link", code, "4-1", "--store", "001")
    assert desk.json("label", "blink", code)[0]["store"] == "001"
    assert desk("label", "blink", desk.labels[1], "-o", "json", check=2).error["fix"] == "add --store CODE"
    assert (
        desk("label", "blink", code, "--store", "002", "-o", "json", check=6).error["code"]
        == "E-LABEL-NOT-FOUND"
    )
    assert desk("label", "resend", "--timeouts", "-o", "json", check=2).error["code"] == "E-USAGE"


@pytest.mark.slow
def test_a_label_is_replaced_and_flipped_through_the_queue(desk):
    old, new = desk.labels[:2]
    link(desk, old)
    replaced = desk.json("label", "replace", old, new)
    assert [(row["label_code"], row["article"]) for row in replaced] == [(new, "4-1"), (old, None)]
    desk("queue", "drain")
    assert (desk.store.labels[new].articles, desk.store.labels[old].articles) == (["4-1"], [])
    desk("label", "flip", new, "2")
    desk("queue", "drain")
    assert desk.store.labels[new].page == 2
    assert "does not fit" in desk("label", "replace", new, "0848A6EBE2B0", "-n").err
