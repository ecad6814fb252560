"""`electis aims mapping` and `electis aims format diff|push` against the simulator."""

from __future__ import annotations

import pytest

from tests.world.ledger import calls

VIEW = ["meeting_name", "meeting_time", "participants", "friendly_names", "defaults"]


def test_the_mapping_is_shown_set_and_validated(desk):
    assert list(desk.json("aims", "mapping", "show")) == VIEW
    line = (
        "aims",
        "mapping",
        "set",
        "--friendly",
        "ITEM_NAME:he=שם",
        "--friendly",
        "ITEM_NAME:en=Name",
        "--default",
        "PHONE=100",
    )
    assert desk.json(*line, "-n")["rerendered"] == 1
    done = desk.json(*line)
    assert (done["rerendered"], done["defaults"]) == (1, {"PHONE": "100"})
    assert done["friendly_names"] == {"ITEM_NAME": {"he": "שם", "en": "Name"}}
    desk("queue", "drain")
    assert desk.store.articles["4-1"].data["PHONE"] == "100"
    assert desk.json("aims", "mapping", "validate") == []
    assert "fits" in desk("aims", "mapping", "validate").err
    desk("aims", "mapping", "set", "--no-default", "PHONE", "--meeting-name", "")
    assert desk.json("aims", "mapping", "show")["meeting_name"] is None
    (odd,) = desk.json("aims", "mapping", "validate")
    assert odd["severity"] == "warning"


def test_a_mapping_that_does_not_fit_says_what_is_wrong(desk):
    refused = desk(
        "aims", "mapping", "set", "--meeting-name", "NOWHERE", "--default", "NONE=x", "-o", "json", check=8
    ).error
    assert [problem["field"] for problem in refused["problems"]] == ["meeting name", "default NONE"]
    assert (
        desk("aims", "mapping", "set", "-o", "json", check=2)
        .error["fix"]
        .startswith("electis aims mapping set --")
    )
    # A format that lost a column that the mapping still names.
    desk.cloud.company("ACME").format = {
        **desk.cloud.company("ACME").format,
        "articleData": [
            one for one in desk.cloud.company("ACME").format["articleData"] if one != "MEETING_NAME"
        ],
    }
    desk("aims", "format", "fetch")
    problems = desk.json("aims", "mapping", "validate", check=8)
    assert [(item["severity"], item["field"]) for item in problems] == [("error", "meeting name")]


def test_formats_are_compared(desk):
    assert desk.json("aims", "format", "diff") == []
    company = desk.cloud.company("ACME")
    columns = [one for one in company.format["articleData"] if one != "PHONE"]
    company.format = {
        **company.format,
        "articleData": [*columns, "COLOR"],
        "mappingInfo": {**company.format["mappingInfo"], "articleName": "TITLE"},
    }
    found = desk.json("aims", "format", "diff", check=10)
    assert [(row["change"], row["subject"], row["ours"], row["aims"]) for row in found] == [
        ("added", "COLOR", None, "COLOR"),
        ("missing", "PHONE", "PHONE", None),
        ("mapped", "articleName", "ITEM_NAME", "TITLE"),
    ]
    company.format = None
    assert desk.json("aims", "format", "diff", check=10)[0]["change"] == "absent"


def test_only_the_order_differs(desk):
    company = desk.cloud.company("ACME")
    company.format = {**company.format, "articleData": company.format["articleData"][::-1]}
    (row,) = desk.json("aims", "format", "diff", check=10)
    assert row["change"] == "order"


def test_our_format_is_put_in_place_of_theirs(desk):
    company = desk.cloud.company("ACME")
    ours = list(company.format["articleData"])
    company.format = {**company.format, "articleData": [*ours, "COLOR"], "delimeter": "|", "kept": 1}
    desk("sync", "full", check=16)  # the difference stops the queue
    assert desk("aims", "format", "push", "-o", "json", check=2).error["fix"] == "add --yes"
    assert desk.json("aims", "format", "push", "-n")["pushed"] is False
    assert calls(desk.cloud, "POST", "/articles/upload/format") == []

    pushed = desk("aims", "format", "push", "--yes", "-o", "json")
    assert pushed.json["pushed"] is True
    assert "all its stores" in pushed.err
    assert (company.format["articleData"], company.format["delimeter"], company.format["kept"]) == (
        ours,
        "|",
        1,
    )
    assert desk.json("queue", "status")[0]["breaker"] == "closed", "the reason is gone, so the queue goes on"
    desk("sync", "full")
    again = desk("aims", "format", "push", "--yes")
    assert "nothing was sent" in again.err
    assert len(calls(desk.cloud, "POST", "/articles/upload/format")) == 1
    assert [row["after"]["outcome"] for row in desk.audit("aims:format_pushed")] == ["asked", "done"]


def test_a_company_without_a_format_gets_ours(desk):
    company = desk.cloud.company("ACME")
    ours, company.format = company.format, None
    desk("aims", "format", "push", "--yes")
    assert company.format == ours


@pytest.mark.slow
def test_who_may_change_what(desk):
    manager, viewer = desk.log_in_as("manager"), desk.log_in_as("viewer")
    for who in (manager, viewer):
        assert list(who("aims", "mapping", "show", "-o", "json").json) == VIEW
        for line in (("mapping", "set", "--default", "TITLE=x"), ("format", "push", "--yes")):
            assert who("aims", *line, "-o", "json", check=5).error["code"] == "E-PERMISSION"
    assert manager("aims", "format", "diff", "-o", "json").json == []
    assert viewer("aims", "format", "diff", "-o", "json", check=5).error["code"] == "E-PERMISSION"
    assert calls(desk.cloud, "POST", "/articles/upload/format") == []


# --- what people call the columns -----------------------------------------------------------------------------------

CALLED = "TITLE (Role, תפקיד)"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("space show 4-1", f"data         {CALLED}=Corner"),
        ("people show P-1", "data         ITEM_NAME (Name)=Dana Levi"),
        ("explain space 4-1", f"    {CALLED} Corner"),
        ("explain space 4-1", f"  data             {CALLED}=Corner"),
        ("explain person P-1", "    ITEM_NAME (Name)    Dana Levi"),
    ],
)
def test_a_column_is_shown_with_what_people_call_it(desk, line, shown):
    plain = desk(*line.split())
    record = desk.json(*line.split())
    desk(
        "aims", "mapping", "set", "--friendly", "TITLE:en=Role", "--friendly", "TITLE:he=תפקיד",
        "--friendly", "ITEM_NAME:en=Name",
    )  # fmt: skip

    assert shown not in plain.out
    called = [text.rstrip() for text in desk(*line.split()).out.splitlines()]
    assert any(text.startswith(shown) for text in called), called
    # Programs and --fields know the columns by the names that AIMS knows.
    again = desk.json(*line.split())
    assert again.keys() == record.keys()
    assert (again.get("data"), again.get("article")) == (record.get("data"), record.get("article"))
    part = "data" if line.split()[1] == "show" else "row"
    assert "(" not in desk(*line.split(), "--fields", part).out
