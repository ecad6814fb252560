"""`electis sync` against the simulator: exit codes, JSON, the ways through a conflict and over a brake."""

from __future__ import annotations

import pytest

from tests.world.command_line import CommandLine
from tests.world.ledger import edit, put, remove

pytestmark = pytest.mark.slow

AT_ONCE = "--no-window"
MANY = [f"S{number:02}" for number in range(12)]


@pytest.fixture
def electis(desk):
    """The desk's command line."""
    return desk.electis


@pytest.fixture
def processes(desk):
    """The same as processes of their own: nothing that one of them knows is there for the next."""
    return CommandLine(desk.electis.home, dict(desk.electis.extra))


@pytest.fixture
def torn(desk, electis):
    """Space 4-2 says "ours" here, "theirs" at AIMS, and the strategy of the run was to ask."""
    electis("sync", "full")
    edit(desk.cloud, "4-2", TITLE="theirs")
    electis("space", "update", "4-2", "--set", "TITLE=ours")
    electis("sync", "full", "--strategy", "manual", AT_ONCE, check=7)
    return electis


@pytest.fixture
def over_the_brake(desk, electis):
    """Twelve spaces that somebody changed at AIMS, all at once."""
    electis("space", "import", "-", stdin="external_id,TITLE\n" + "".join(f"{name},here\n" for name in MANY))
    electis("sync", "full")
    for name in MANY:
        edit(desk.cloud, name, TITLE="there")
    return electis


def json_of(electis, *arguments, check=0):
    return electis(*arguments, "-o", "json", check=check).json


# --- diff -----------------------------------------------------------------------------------------------------------


def test_a_diff_of_nothing_is_quiet_and_zero(electis):
    electis("sync", "full")
    assert json_of(electis, "sync", "diff") == []
    done = electis("sync", "diff")
    assert "AIMS shows what the database says." in done.out + done.err


def test_a_diff_ends_with_10_when_a_full_sync_would_write(desk, electis):
    electis("sync", "full")
    edit(desk.cloud, "4-2", TITLE="theirs", PHONE="7")
    put(desk.cloud, "FOREIGN", TITLE="12.90")
    # Seen for the first time: not believed yet, so nothing would be written.
    observed = json_of(electis, "sync", "diff")
    assert {row["article_id"]: row["step"] for row in observed} == {"4-2": "observe", "FOREIGN": "report"}
    rows = json_of(electis, "sync", "diff", AT_ONCE, check=10)
    assert rows[0] == {
        "store": "001",
        "article_id": "4-2",
        "step": "adopt",
        "reason": "It was changed at AIMS; the database takes it over.",
        "fields": [
            {"column": "PHONE", "base": "", "ours": "", "aims": "7"},
            {"column": "TITLE", "base": "", "ours": "", "aims": "theirs"},
        ],
    }
    limited = electis("sync", "diff", AT_ONCE, "--limit", "1", "-o", "name", check=10)
    assert limited.out == "4-2\n"
    table = electis("sync", "diff", AT_ONCE, check=10)
    assert "theirs" in table.out
    assert "adopt: It was changed at AIMS; the database takes it over.\n" in table.err
    assert json_of(electis, "space", "show", "4-2")["data"] == {}, "a diff takes nothing over"


def test_a_diff_without_aims_is_12(desk, processes):
    desk.cloud.faults.add("status", code=503)
    failed = processes("sync", "diff", "-o", "json", check=12)
    assert (failed.out, failed.error["exit_code"]) == ("", 12)


def test_store_and_all_stores_contradict_each_other(electis):
    for verb in ("diff", "full"):
        electis("sync", verb, "--store", "001", "--all-stores", check=2)


# --- conflicts and resolve ------------------------------------------------------------------------------------------


def test_a_conflict_is_listed_and_decided_for_the_database(desk, torn):
    (row,) = json_of(torn, "sync", "conflicts")
    assert {**row, "id": "", "at": ""} == {
        "id": "", "store": "001", "article_id": "4-2", "at": "", "open": True,
        "why": "AIMS and the database both changed this article.", "choice": "undecided", "decided_at": None,
        "decided_by": None, "deleted_here": False, "deleted_at_aims": False,
        "fields": [{"column": "TITLE", "base": "", "ours": "ours", "aims": "theirs"}],
    }  # fmt: skip
    dry = json_of(torn, "sync", "resolve", "4-2", "--ours", "-n")
    assert dry["choice"] == "database"
    assert len(json_of(torn, "sync", "conflicts")) == 1, "only looked at"
    decided = json_of(torn, "sync", "resolve", "4-2", "--ours")
    assert (decided["open"], decided["choice"], decided["decided_by"]) == (
        False, "database", "admin@acme.example",
    )  # fmt: skip
    torn("queue", "drain")
    assert desk.store.articles["4-2"].data["TITLE"] == "ours"
    assert json_of(torn, "sync", "conflicts") == []
    (kept,) = json_of(torn, "sync", "conflicts", "--decided")
    assert (kept["open"], kept["fields"][0]["aims"]) == (False, "theirs")
    assert [row["after"] for row in desk.audit("sync:resolved")] == [{"choice": "database"}]


def test_a_conflict_is_decided_for_aims(desk, torn):
    assert torn("sync", "resolve", "4-2", "--theirs", "-o", "name").out == "4-2\n"
    assert json_of(torn, "space", "show", "4-2")["data"] == {"TITLE": "theirs"}
    torn("sync", "full")
    assert desk.store.articles["4-2"].data["TITLE"] == "theirs"


def test_what_can_not_be_decided_says_why(torn):
    for sides in ((), ("--ours", "--theirs")):
        torn("sync", "resolve", "4-2", *sides, check=2)
    missing = torn("sync", "resolve", "4-1", "--ours", "-o", "json", check=6)
    assert (missing.out, missing.error["fix"]) == ("", "electis sync conflicts")
    torn("sync", "conflicts", "--store", "007", check=6)


# --- full -----------------------------------------------------------------------------------------------------------


def test_a_dry_run_gives_the_plan_and_the_same_plan_is_then_carried_out(desk, processes):
    electis = processes
    electis("sync", "full")
    edit(desk.cloud, "4-2", TITLE="theirs")
    put(desk.cloud, "4-9", TITLE="made there")
    runs = json_of(electis, "sync", "history")
    planned = json_of(electis, "sync", "full", AT_ONCE, "--import", "-n")
    assert (planned["state"], planned["dry_run"], planned["push"], planned["writes"]) == (
        "planned",
        True,
        None,
        2,
    )
    (plan,) = planned["stores"]
    assert plan["counts"] == planned["counts"] == {"in_sync": 2, "adopt": 1, "import": 1}
    assert plan["actions"] == [
        {"article_id": "4-2", "step": "adopt", "columns": ["TITLE"]},
        {"article_id": "4-9", "step": "import", "columns": ["ARTICLE_ID", "TITLE"]},
    ]
    assert (plan["brakes"], plan["run"]) == ([], None)
    assert json_of(electis, "sync", "history") == runs
    done = json_of(electis, "sync", "full", AT_ONCE, "--import")
    assert (done["state"], done["stores"][0]["digest"]) == ("completed", plan["digest"])
    assert json_of(electis, "space", "show", "4-9")["data"] == {"TITLE": "made there"}
    assert json_of(electis, "sync", "full")["writes"] == 0


@pytest.mark.parametrize(
    ("strategy", "here", "there", "code"),
    [
        ("merge", "ours", "ours", 0),
        ("database-wins", "ours", "ours", 0),
        ("aims-wins", "theirs", "theirs", 0),
        ("manual", "ours", "theirs", 7),
    ],
)
def test_each_strategy_brings_both_sides_to_where_it_says(desk, electis, strategy, here, there, code):
    electis("sync", "full")
    edit(desk.cloud, "4-2", TITLE="theirs")
    electis("space", "update", "4-2", "--set", "TITLE=ours")
    electis("sync", "full", "--strategy", strategy, AT_ONCE, check=code)
    assert json_of(electis, "space", "show", "4-2")["data"] == {"TITLE": here}
    assert desk.store.articles["4-2"].data["TITLE"] == there


def test_a_plan_over_the_brake_ends_with_15_and_an_approval_releases_exactly_that_plan(
    desk, over_the_brake, processes
):
    electis = processes
    planned = json_of(electis, "sync", "full", AT_ONCE, "-n")["stores"][0]
    assert planned["brakes"] == [{"name": "overwritten", "count": 12, "limit": 10}]
    held = electis("sync", "full", AT_ONCE, "-o", "json", check=15)
    run = held.error["fix"].rpartition(" ")[2]
    assert (held.out, held.error["fix"]) == ("", f"electis sync approve {run}")
    shown = json_of(electis, "sync", "show", run)
    assert (shown["state"], shown["digest"], len(shown["actions"])) == ("held", planned["digest"], 12)
    assert json_of(electis, "space", "show", "S00")["data"] == {"TITLE": "here"}

    edit(desk.cloud, "S00", TITLE="something else by now")
    other = electis("sync", "approve", run, "-o", "json", check=15)
    newer = other.error["fix"].rpartition(" ")[2]
    assert newer != run
    assert json_of(electis, "space", "show", "S01")["data"] == {"TITLE": "here"}, "nothing of the old plan"

    done = json_of(electis, "sync", "approve", newer)
    assert (done["state"], done["counts"]["adopt"]) == ("completed", 12)
    assert json_of(electis, "space", "show", "S00")["data"] == {"TITLE": "something else by now"}
    states = {row["id"]: row["state"] for row in json_of(electis, "sync", "history")}
    assert (states[newer], states[run]) == ("approved", "superseded")
    electis("sync", "approve", newer, check=6)


def test_a_dry_run_of_one_store_is_its_plan_at_the_top_level(electis, over_the_brake):
    view = json_of(electis, "sync", "full", AT_ONCE, "-n")
    (store,) = view["stores"]
    assert (view["state"], view["counts"], view["digest"]) == ("planned", store["counts"], store["digest"])
    assert view["actions"] == [{"store": "001", **action} for action in store["actions"]]
    assert view["brakes"] == [{"store": "001", "name": "overwritten", "count": 12, "limit": 10}]
    table = electis("sync", "full", AT_ONCE, "-n").out
    held, digest = table.splitlines()[3:5]
    assert held.split("  ", 1) == ["would be held:", "store 001: overwritten 12 of at most 10"]
    assert digest.split() == ["digest", view["digest"]]
    assert electis("sync", "full", AT_ONCE, "-n", "-o", "name").out == "001\n"


def test_a_dry_run_of_several_stores_has_one_digest_over_all_plans(desk, electis, over_the_brake):
    electis("store", "create", "002")
    electis("space", "create", "X", "--store", "002")
    view = json_of(electis, "sync", "full", "--all-stores", AT_ONCE, "-n")
    assert {action["store"] for action in view["actions"]} == {"001"}
    assert [store["store"] for store in view["stores"]] == ["001", "002"]
    assert view["digest"] not in {None, *(store["digest"] for store in view["stores"])}
    assert json_of(electis, "sync", "full", "--all-stores", AT_ONCE, "-n")["digest"] == view["digest"]
    edit(desk.cloud, "S00", TITLE="yet another")
    assert json_of(electis, "sync", "full", "--all-stores", AT_ONCE, "-n")["digest"] != view["digest"]


def test_a_dry_run_of_an_approval_says_what_it_would_release_and_changes_nothing(
    desk, electis, over_the_brake
):
    run = electis("sync", "full", AT_ONCE, "-o", "json", check=15).error["fix"].rpartition(" ")[2]
    view = json_of(electis, "sync", "approve", run, "-n")
    assert (view["run"], view["state"], view["dry_run"], view["push"]) == (run, "planned", True, None)
    assert view["counts"]["adopt"] == 12
    assert json_of(electis, "space", "show", "S00")["data"] == {"TITLE": "here"}
    edit(desk.cloud, "S00", TITLE="something else by now")
    refused = electis("sync", "approve", run, "-n", "-o", "json", check=15)
    assert "overwritten 12 of at most 10" in refused.error["why"]
    states = [row["state"] for row in json_of(electis, "sync", "history")]
    assert states == ["held", "completed"], "nothing is held anew"


def test_a_diff_is_of_the_choices_it_is_asked_for(desk, electis):
    electis("sync", "full")
    edit(desk.cloud, "4-2", TITLE="theirs")
    electis("space", "update", "4-2", "--set", "TITLE=ours")
    put(desk.cloud, "9-9", TITLE="made there")

    def steps(*choice):
        rows = json_of(electis, "sync", "diff", AT_ONCE, *choice, check=None)
        return {row["article_id"]: row["step"] for row in rows}

    assert steps()["9-9"] == "report"
    assert steps("--import")["9-9"] == "import"
    assert steps("--strategy", "manual")["4-2"] == "conflict"
    assert steps("--strategy", "aims-wins")["4-2"] == "adopt"


def test_a_run_is_shown_with_its_actions_as_a_table(electis, over_the_brake):
    run = electis("sync", "full", AT_ONCE, "-o", "json", check=15).error["fix"].rpartition(" ")[2]
    lines = electis("sync", "show", run).out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("ARTICLE_ID"))
    assert [line.split() for line in lines[place:][:2]] == [
        ["ARTICLE_ID", "STEP", "COLUMNS"],
        ["S00", "adopt", "TITLE"],
    ]
    assert len(lines[place:]) == 13
    assert ["brakes", "overwritten 12 of at most 10"] in [line.split(None, 1) for line in lines]
    assert json_of(electis, "sync", "show", run)["actions"][0]["step"] == "adopt"
    assert json_of(electis, "sync", "status")[0]["state"] == "held"


def test_the_names_of_a_full_sync_are_its_stores(electis):
    assert electis("sync", "full", "-o", "name").out == "001\n"


def test_deletions_over_max_deletes_are_held(desk, electis):
    electis("sync", "full")
    remove(desk.cloud, "4-2")
    usual = json_of(electis, "sync", "full", AT_ONCE, "--max-deletes", "0", "--no-push")
    assert usual["counts"]["push_again"] == 1, "pushing again deletes nothing"
    electis("queue", "drain")
    ghost = desk.store.articles["4-2"]
    electis("space", "delete", "4-2", "--yes")
    electis("queue", "drain")
    with desk.cloud.lock:
        desk.store.articles["4-2"] = ghost
        desk.store.articles_changed()
    electis("sync", "full", AT_ONCE, "--max-deletes", "0", check=15)
    assert "4-2" in desk.store.articles
    electis("sync", "full", AT_ONCE, "--max-deletes", "1")
    assert "4-2" not in desk.store.articles


# --- status ---------------------------------------------------------------------------------------------------------


def test_the_table_of_the_status_counts_the_labels(electis):
    head = electis("sync", "status").out.splitlines()[0].split()
    assert [name for name in head if name.startswith("LABELS")] == [
        "LABELS_ACCEPTED",
        "LABELS_DISPLAYED",
        "LABELS_TIMED_OUT",
    ]
