"""`electis aims gateway`, `store` and `whitelist` against the simulator."""

from __future__ import annotations

import pytest

from tests.world.ledger import calls


def macs(desk):
    return sorted(desk.store.gateways)


# --- gateways -------------------------------------------------------------------------------------------------------


def test_gateways_are_listed_and_shown(desk):
    listed = desk.json("aims", "gateway", "list")
    assert [row["mac"] for row in listed] == macs(desk)
    assert {row["online"] for row in listed} == {True}
    assert desk.json("aims", "gateway", "list", "--offline") == []
    shown = desk.json(
        "aims", "gateway", "show", ":".join(macs(desk)[0][i : i + 2].lower() for i in range(0, 16, 2))
    )
    assert (shown["mac"], shown["store"], shown["status"]) == (macs(desk)[0], "001", "CONNECTED")
    assert shown["extra"]
    assert (
        desk("aims", "gateway", "show", "D02544FFFE000000", "-o", "json", check=6).error["code"]
        == "E-NOT-FOUND"
    )
    assert desk("aims", "gateway", "show", "router", check=8).err.startswith("error[E-INPUT]")


def test_a_reboot_is_asked_for_confirmed_and_written_down(desk):
    mac = macs(desk)[0]
    refused = desk("aims", "gateway", "reboot", mac, "-o", "json", check=2).error
    assert refused["fix"] == "add --yes"
    assert desk.json("aims", "gateway", "reboot", mac, "--dry-run")[0]["outcome"] == "planned"
    assert calls(desk.cloud, "PATCH", "/gateway") == []

    assert desk.json("aims", "gateway", "reboot", mac, "--yes") == [
        {"gateway": mac, "store": "001", "outcome": "done", "error": None}
    ]
    assert desk.json("aims", "gateway", "list", "--offline")[0]["mac"] == mac
    rows = desk.audit("aims:gateway_rebooted")
    assert [(row["entity_id"], row["after"]["outcome"]) for row in rows] == [(mac, "asked"), (mac, "done")]
    assert {row["actor_email"] for row in rows} == {"admin@acme.example"}


@pytest.mark.parametrize(
    "fault",
    [{"kind": "reset"}, {"kind": "status", "code": 502}, {"kind": "cut"}],
    ids=["reset", "502", "cut"],
)
def test_a_reboot_without_an_answer_is_unknown_and_never_repeated(desk, fault):
    mac = macs(desk)[0]
    desk.cloud.faults.add(fault["kind"], method="PATCH", path="/gateway", code=fault.get("code", 0))
    failed = desk("aims", "gateway", "reboot", mac, "--yes", "-o", "json", check=12).error
    assert "not asked twice" in failed["message"]
    assert f"electis aims gateway show {mac}" in failed["fix"]
    assert len(calls(desk.cloud, "PATCH", "/gateway")) == 1
    assert [row["after"]["outcome"] for row in desk.audit("aims:gateway_rebooted")] == ["asked", "unknown"]


def test_of_several_reboots_one_fails(desk):
    desk.cloud.faults.add("status", code=405, message="NOT_NOW", method="PATCH", path="/gateway", count=1)
    done = desk.json("aims", "gateway", "reboot", *macs(desk), "--yes", check=3)
    assert [item["outcome"] for item in done] == ["refused", "done"]
    assert "NOT_NOW" in done[0]["error"]


def test_an_unknown_gateway_stops_everything_before_anything_is_sent(desk):
    desk("aims", "gateway", "reboot", macs(desk)[0], "D02544FFFE000000", "--yes", check=6)
    assert calls(desk.cloud, "PATCH", "/gateway") == []


# --- stores ---------------------------------------------------------------------------------------------------------


def test_stores_are_listed_and_counted(desk):
    listed = desk.json("aims", "store", "list")
    assert [(row["store"], row["ours"]) for row in listed] == [("001", True), ("002", False)]
    assert (listed[0]["labels"], listed[0]["gateways"], listed[0]["articles"]) == (8, 2, 3)
    assert [row["store"] for row in desk.json("aims", "store", "list", "--ours")] == ["001"]
    desk("label", "link", desk.labels[0], "4-1")
    desk("queue", "drain")
    (summary,) = desk.json("aims", "store", "summary")
    assert (summary["store"], summary["labels"], summary["updated"], summary["articles"]) == ("001", 1, 1, 3)
    assert summary["whitelist"] is False
    assert summary["settings"]["storeConfig"]
    assert (
        desk("aims", "store", "summary", "--store", "002", "-o", "json", check=6).error["code"]
        == "E-STORE-NOT-FOUND"
    )


# --- the whitelist --------------------------------------------------------------------------------------------------


def test_the_whitelist_is_changed_listed_and_written_down(desk):
    code, other = desk.labels[:2]
    assert desk.json("aims", "whitelist", "list") == []
    assert desk("aims", "whitelist", "add", code, check=2).err.startswith("error[E-USAGE]")
    assert desk.json("aims", "whitelist", "add", code, "-n")[0]["dry_run"] is True
    assert desk.store.whitelist == {}

    added = desk("aims", "whitelist", "add", code, other.lower(), "--yes", "-o", "json")
    assert [row["label_code"] for row in added.json] == [code, other]
    assert [row["retried"] for row in added.json] == [False, False]
    assert [row["label_code"] for row in desk.json("aims", "whitelist", "list", "--unassigned")] == [
        code,
        other,
    ]
    desk("aims", "whitelist", "remove", other, "-y")
    assert desk("aims", "whitelist", "list", "-o", "name").out == f"{code}\n"
    rows = desk.audit("aims:whitelist_added")
    assert [row["after"] for row in rows] == [
        {"labels": [code, other], "outcome": "asked"},
        {"labels": [code, other], "outcome": "done"},
    ]


def test_a_code_that_aims_refuses_is_told_with_its_word(desk):
    odd = desk.labels[0][:-1] + ("0" if desk.labels[0][-1] != "0" else "1")
    refused = desk("aims", "whitelist", "add", odd, "--yes", "-o", "json", check=13).error
    assert "LABEL_CODE_CHECKSUM_IS_NOT_VALID" in refused["why"]
    assert desk.audit("aims:whitelist_added")[-1]["after"]["outcome"] == "refused"
    assert desk("aims", "whitelist", "add", "xyz", "--yes", "-o", "json", check=8).error["code"] == "E-INPUT"


def test_what_a_viewer_may_not_do(desk):
    viewer = desk.log_in_as("viewer")
    assert len(viewer("aims", "gateway", "list", "-o", "json").json) == 2
    for arguments in (("gateway", "reboot", macs(desk)[0]), ("whitelist", "add", desk.labels[0])):
        assert viewer("aims", *arguments, "--yes", "-o", "json", check=5).error["code"] == "E-PERMISSION"
    assert calls(desk.cloud, "PATCH", "/gateway") == []
    manager = desk.log_in_as("manager", store="001")
    manager("aims", "whitelist", "add", desk.labels[0], "--yes")
    assert manager("aims", "gateway", "reboot", macs(desk)[0], "--yes", check=5)
    assert [row["store"] for row in manager("aims", "store", "list", "-o", "json").json] == ["001"]


# --- a store that AIMS does not have --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [("aims", "gateway", "list"), ("aims", "store", "summary"), ("label", "list", "--unassigned")],
    ids=["gateways", "summary", "labels"],
)
def test_a_store_that_aims_does_not_have_hides_none_of_the_others(desk, command):
    desk("store", "create", "777", "--name", "Typo")

    shown = desk(*command, "-o", "json", check=3)

    assert {row["store"] for row in shown.json} <= {"001", None}
    assert shown.json
    assert "warning: AIMS has no store 777" in shown.err
    alone = desk(*command, "--store", "777", "-o", "json", check=13).error
    assert (alone["message"], alone["fix"]) == ("AIMS has no store 777.", "electis aims store list")


def test_a_list_of_labels_of_a_kind_says_which_kind_there_is_none_of(desk):
    assert desk("label", "list", "--offline").err == "No label is out of reach, AIMS says.\n"
