"""`electis queue` and the commands that use it, as people and scripts call them, against the simulator."""

from __future__ import annotations

import csv
import io
import json
import signal
from datetime import UTC, datetime

import pytest

from electis_cli.commands.options import OutputFormat
from electis_cli.commands.queue_watch import show_changes
from electis_cli.services.watching import Look, QueueChange
from tests.world.command_line import until
from tests.world.orders import LED, led_calls
from tests.world.terminal import Terminal

BAD = "FIELD_IS_MISSING"


@pytest.fixture
def code(desk):
    return desk.labels[0]


@pytest.fixture
def paused(desk):
    """The desk with its store paused."""
    desk("queue", "pause", "--reason", "moving day")
    return desk


def command_ids(desk):
    return desk("queue", "list", "--kind", "command", "-o", "name").out.split()


def test_the_names_of_a_drain_are_its_stores(desk):
    desk("store", "create", "002")
    assert desk("queue", "drain", "-o", "name").out.split() == ["001", "002"]


def test_a_dry_run_pauses_and_resumes_nothing(desk):
    assert desk.json("queue", "pause", "--reason", "moving day", "-n")[0]["paused"] is True
    assert desk.json("queue", "status")[0]["paused"] is False
    desk("queue", "pause")
    assert desk.json("queue", "resume", "-n")[0]["paused"] is False
    assert desk.json("queue", "status")[0]["paused"] is True


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [("429", {"seconds": 40}, 14), ("status", {"code": 503}, 12), ("license", {}, 13)],
)
def test_a_ping_and_a_drain_tell_throttling_from_an_outage(desk, kind, options, code):
    desk("space", "create", "4-9")
    desk.cloud.faults.add(kind, path="/store", **options)
    assert desk("aims", "ping", "-o", "json", check=code).json["ok"] is False
    desk("queue", "drain", check=14 if code == 13 else code)


def bury(desk, *names, message=BAD):
    for name in names:
        desk("space", "create", name)
    fault = desk.cloud.faults.add("reject-article", articles=names, message=message)
    desk("queue", "drain", check=3)
    desk.cloud.faults.remove(fault)


# --- commands through the queue -------------------------------------------------------------------------------------


def test_a_queued_blink_is_done_at_once_when_nothing_is_in_its_way(desk, code):
    done = desk("label", "blink", code, "--queue", "--color", "red", "--duration", "1m", "-o", "json")
    assert {**done.json, "id": "", "expires_at": ""} == {
        "id": "", "command": "blink", "store": "001", "status": "done", "labels": [code], "color": "red",
        "duration": "1m", "refused": {}, "sent": None, "attempts": 1, "expires_at": "", "waits_for": None,
        "error_class": None, "error": None,
    }  # fmt: skip
    assert (desk.store.leds[code].color, done.err) == ("RED", "")
    assert command_ids(desk) == []


def test_in_a_paused_store_a_blink_waits_and_says_how_to_take_it_back(paused, code):
    waits = paused("label", "blink", code, "--queue", "-o", "json", check=14)
    assert (waits.json["status"], waits.json["waits_for"]) == ("pending", "paused")
    assert waits.err == (
        f"it waits until {waits.json['expires_at']}: the store is paused\n"
        f"take it back: electis queue cancel {waits.json['id']}\n"
    )
    assert command_ids(paused) == [waits.json["id"]]
    (status,) = paused.json("queue", "status")
    assert status["commands"] == 1
    assert paused("queue", "drain", check=14).out
    assert paused("wait", "--timeout", "0", "-o", "json", check=18).json["waiting"] == 1
    paused("queue", "resume")
    drained = paused.json("queue", "drain")
    assert (drained["empty"], drained["pushed"]["commands_sent"], list(paused.store.leds)) == (
        True,
        1,
        [code],
    )
    paused("wait", "--timeout", "0")


def test_while_aims_is_away_a_resend_waits(desk, code):
    desk.cloud.faults.add("status", code=503)
    waits = desk("label", "resend", "--timeouts", "--queue", "-o", "json", check=12)
    assert (waits.json["labels"], waits.json["waits_for"], waits.json["attempts"]) == ([], "unreachable", 0)
    assert "AIMS does not answer" in waits.err
    desk.cloud.faults.clear()
    desk("queue", "drain")
    shown = desk.json("queue", "show", waits.json["id"])
    assert (shown["status"], shown["facts"]["answer"]) == ("done", {"sent": False})


@pytest.mark.parametrize(
    ("fault", "exit_code", "word"),
    [
        (("reset", {}), 12, "E-AIMS-AMBIGUOUS"),
        (("status", {"code": 405, "message": "COLOR_IS_INVALID"}), 13, "E-AIMS-REJECTED"),
        (("429", {"seconds": 3600}), 14, None),
    ],
    ids=["no answer", "refused", "throttled"],
)
def test_what_went_wrong_is_in_the_exit_code(desk, code, fault, exit_code, word):
    kind, more = fault
    desk.cloud.faults.add(kind, path=LED, **more)
    done = desk("label", "blink", code, "--queue", "-o", "json", check=exit_code)
    if word is None:
        assert (done.json["status"], done.json["waits_for"]) == ("pending", "backoff")
    else:
        command_id = done.error["fix"].split()[-1]
        assert (done.out, done.error["code"]) == ("", word)
        assert desk.json("queue", "show", command_id)["error_class"] == word
        assert ("not asked twice" in done.error["message"]) == (exit_code == 12)
    desk.cloud.faults.clear()
    desk("queue", "drain", check=None)
    assert len(led_calls(desk.cloud)) == 1


def test_labels_that_are_not_there(desk, code):
    unknown = "0A1B2C3DB290"
    some = desk("label", "blink", code, unknown, "--queue", "-o", "json", check=3).json
    assert (some["status"], some["refused"]) == ("done", {unknown: "LABEL_CODE_NOT_FOUND"})
    missing = desk("label", "blink", unknown, "--queue", "-o", "json", check=6)
    assert (missing.out, missing.error["code"]) == ("", "E-LABEL-NOT-FOUND")
    assert "nothing was sent" in desk("label", "resend", code, "--queue").err


def test_a_dry_run_queues_nothing(desk, code):
    planned = desk.json("label", "blink", code, "--queue", "-n")
    assert (planned["id"], planned["status"]) == (None, "planned")
    assert (command_ids(desk), desk.audit("command:queued")) == ([], [])


def test_commands_are_canceled_and_nothing_else_is(paused, code):
    ids = [paused("label", "blink", code, "--queue", "-o", "name", check=14).out.strip() for _ in range(3)]
    paused("space", "update", "4-1", "--set", "TITLE=New")
    paused("label", "link", code, "4-1")
    assert paused.json("queue", "cancel", ids[0]) == {"canceled": 1, "dry_run": False}
    for name, words in (("4-1", "is an article"), (code, "wish of a label"), (ids[0], "has ended already")):
        refused = paused("queue", "cancel", name, "-o", "json", check=7).error
        assert (words in refused["message"], bool(refused["fix"])) == (True, True)
    assert paused("queue", "cancel", "nothing", "-o", "json", check=6).error["code"] == "E-NOT-FOUND"
    for arguments in ((), (ids[1], "--all")):
        paused("queue", "cancel", *arguments, check=2)
    assert paused.json("queue", "cancel", "--all", "-n") == {"canceled": 2, "dry_run": True}
    assert paused.json("queue", "cancel", "--all")["canceled"] == 2
    assert len(paused.audit("command:canceled")) == 3
    paused("queue", "resume")
    paused("queue", "drain")
    assert led_calls(paused.cloud) == []


def test_a_queue_that_is_switched_off_takes_no_command(desk, code):
    desk("store", "update", "001", "--no-sync-enabled")
    refused = desk("label", "blink", code, "--queue", "-o", "json", check=7).error
    assert refused["fix"] == "electis store update 001 --sync-enabled"


def test_a_drain_that_aims_throttles_waits_as_long_as_it_may_and_says_so(desk):
    desk("space", "update", "4-1", "--set", "TITLE=New")
    desk.cloud.faults.add("429", path="/articles", method="PUT", seconds=3600)
    assert desk("queue", "drain", "-o", "json", check=14).json["left"]["pending"] == 1


# --- looking --------------------------------------------------------------------------------------------------------


def test_the_list_is_narrowed_down_by_kind_status_and_error(desk, code):
    bury(desk, "9-1", "9-2")
    desk("queue", "pause")
    desk("space", "update", "4-1", "--set", "TITLE=New")
    desk("label", "link", code, "4-1")
    desk("label", "blink", code, "--queue", check=14)

    def ids(*arguments):
        return desk("queue", "list", *arguments, "-o", "name").out.split()

    assert len(ids()) == 5
    assert ids("--status", "failed") == ["9-1", "9-2"]
    assert ids("--status", "pending", "--kind", "article") == ["4-1"]
    assert ids("--kind", "label", "--kind", "article", "--status", "pending") == ["4-1", code]
    assert ids("--error", "field_is_missing", "--limit", "1") == ["9-1"]
    assert desk("queue", "list", "--status", "held").err == "Nothing in the queue is like that.\n"
    assert f"blink {code}" in desk("queue", "list", "--kind", "command").out
    desk("queue", "list", "--status", "nonsense", check=2)
    desk("queue", "list", "--kind", "nonsense", check=2)


def test_everything_about_one_item(desk):
    bury(desk, "9-1")
    shown = desk.json("queue", "show", "9-1")
    assert list(shown) == [
        "kind", "id", "store", "status", "detail", "desired_version", "synced_version", "in_flight", "attempts",
        "doubts", "last_tried_at", "next_attempt_at", "error_class", "error", "known_contents", "dead_letter",
        "last_exchange", "facts",
    ]  # fmt: skip
    assert (shown["status"], shown["dead_letter"]["error_class"]) == ("failed", "E-AIMS-REJECTED")
    assert BAD in desk("aims", "last", "--show", shown["last_exchange"]).out
    table = desk("queue", "show", "9-1").out
    assert "dead_letter" in table
    assert desk("queue", "show", "nothing", "-o", "json", check=6).error["fix"] == "electis queue list"
    assert desk("queue", "show", "4-1", "--fields", "id,status").out.split() == [
        "id",
        "4-1",
        "status",
        "synced",
    ]


# --- dead letters ---------------------------------------------------------------------------------------------------


def test_dead_letters_are_grouped_and_dealt_with_by_cause(desk):
    bury(desk, "9-1", "9-2", message="NAME_IS_TOO_LONG")
    bury(desk, "9-3")
    groups = desk.json("queue", "dead", "group")
    assert [(one["cause"], one["count"], one["examples"]) for one in groups] == [
        ("NAME_IS_TOO_LONG", 2, ["9-1", "9-2"]), (BAD, 1, ["9-3"]),
    ]  # fmt: skip
    assert desk("queue", "dead", "list", "--cause", BAD, "-o", "name").out.split() == ["9-3"]
    assert desk("queue", "dead", "list", "--article", "9-1", "-o", "name").out.split() == ["9-1"]
    assert desk.json("queue", "dead", "retry", "--cause", "NAME_IS_TOO_LONG", "--article", "9-2") == {
        "retried": 1, "dry_run": False,
    }  # fmt: skip
    assert desk.json("queue", "dead", "discard", "--cause", BAD, "-n") == {"discarded": 1, "dry_run": True}
    assert desk.json("queue", "dead", "discard", "--cause", BAD)["discarded"] == 1
    assert (
        desk("queue", "dead", "discard", "--cause", BAD, "-o", "json", check=6).error["code"] == "E-NOT-FOUND"
    )
    assert desk("queue", "dead", "list", "-o", "name").out.split() == ["9-1"]


@pytest.mark.parametrize("verb", ["retry", "discard"])
def test_all_dead_letters_at_once_are_asked_about(desk, verb):
    bury(desk, "9-1", "9-2")
    for arguments in ((), ("--all", "--cause", BAD), ("9-1", "--all")):
        assert desk("queue", "dead", verb, *arguments, "-o", "json", check=2).error["code"] == "E-USAGE"
    assert "--yes" in desk("queue", "dead", verb, "--all", "-o", "json", check=2).error["fix"]
    assert desk("queue", "dead", verb, "--all", "-n").out.split()[1] == "2"
    desk("queue", "dead", verb, "--all", "--yes")
    assert desk("queue", "dead", "list").err == "There are no dead letters.\n"
    assert desk("queue", "dead", "group").err == "There are no dead letters.\n"
    desk("queue", "dead", verb, "--all", "--yes")


# --- watching -------------------------------------------------------------------------------------------------------


@pytest.fixture
def start(desk):
    """Return how to start a command beside the test."""
    started = []

    def run(*arguments):
        started.append(desk.electis.start(*arguments, log=f"watch-{len(started)}.log"))
        return started[-1]

    yield run
    for process in started:
        process.close()


@pytest.mark.slow
def test_in_a_pipe_a_watch_writes_an_object_per_change(desk, start):
    desk("space", "update", "4-1", "--set", "TITLE=New")
    watch = start("queue", "watch", "-o", "jsonl")
    until(lambda: watch.log.count("\n") == 2, "the first look")
    assert [json.loads(line)["status"] for line in watch.log.splitlines()] == ["working", "pending"]
    desk("queue", "drain")
    until(lambda: watch.log.count("\n") == 3, "a change")
    change = json.loads(watch.log.splitlines()[2])
    assert {**change, "at": ""} == {
        "at": "", "store": "001", "kind": "article", "id": "4-1", "detail": None, "before": "pending",
        "status": "synced", "error": None,
    }  # fmt: skip
    watch.send(signal.SIGINT)
    assert watch.wait() == 130
    assert "Traceback" not in watch.log


def test_what_a_watch_saw_is_one_list_in_json_also_when_it_is_interrupted(capsys):
    at = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    change = QueueChange(
        at=at, store="001", kind="article", id="A", detail=None, before=None, status="pending", error=None
    )

    def looks():
        yield Look(at=at, stores=[], items=[], changes=[change, change])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show_changes(looks(), OutputFormat.JSON, "id,status")
    assert json.loads(capsys.readouterr().out) == [{"id": "A", "status": "pending"}] * 2


@pytest.mark.slow
def test_a_watch_ends_when_the_login_does(desk, start):
    watch = start("queue", "watch", "-o", "jsonl")
    watch.wait_for("working")
    desk("logout")
    assert watch.wait() == 4
    assert '"code": "E-LOGIN' in watch.log or '"code": "E-SESSION' in watch.log


@pytest.mark.slow
def test_a_watch_until_the_queue_is_empty_ends_by_itself(desk, start):
    desk("space", "update", "4-1", "--set", "TITLE=New")
    lines = start("queue", "watch", "--until-empty")
    lines.wait_for("article  4-1  pending")
    desk("queue", "drain")
    assert lines.wait() == 0
    assert lines.log.splitlines()[-1].endswith("001  article  4-1  pending -> synced")


def test_what_a_watch_of_an_empty_queue_says_in_every_format(desk, start):
    def once(*arguments, **options):
        return desk("queue", "watch", "--until-empty", *arguments, **options).out

    assert once().endswith("  001  store  001  working\n")
    (change,) = json.loads(once("-o", "json"))
    assert (change["kind"], change["status"]) == ("store", "working")
    assert json.loads(once("-o", "jsonl")) | {"at": ""} == change | {"at": ""}
    header, row = csv.reader(io.StringIO(once("-o", "csv", "--fields", "kind,id,status")))
    assert (header, row) == (["kind", "id", "status"], ["store", "001", "working"])
    assert once("-o", "name") == "001\n"
    assert once("--fields", "id,status") == "001  working\n"
    bury(desk, "9-1")
    assert BAD in once(check=3)
    assert once("-o", "csv", "--fields", "kind,id", check=3) == "kind,id\nstore,001\narticle,9-1\n"
    desk("queue", "watch", "--until-empty", "--fields", "nonsense", check=2)
    for form in ("json", "jsonl", "csv"):
        assert desk("queue", "watch", "--store", "999", "-o", form, check=6).out == ""


@pytest.mark.slow
def test_on_a_terminal_a_watch_is_a_live_view(desk, code):
    desk("space", "update", "4-1", "--set", "TITLE=New")
    terminal = Terminal(desk.electis, "queue", "watch")
    try:
        place = terminal.wait_for("electis queue at ")
        assert "Ctrl-C ends" in terminal.text[place:]
        terminal.wait_for("4-1", after=place)
        desk("queue", "pause")
        place = terminal.wait_for("paused")
        desk("label", "blink", code, "--queue", check=14)
        place = terminal.wait_for(f"blink {code}", after=place)
        desk("queue", "cancel", "--all")
        desk("queue", "resume")
        desk("queue", "drain")
        terminal.wait_for("The queue is empty.", after=place)
        assert "\x1b[?25l" in terminal.raw, "the cursor is hidden while the view lives"
        terminal.send(signal.SIGINT)
        assert terminal.wait() == 130
        assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l"), (
            "and is there again afterwards"
        )
        assert "Traceback" not in terminal.text
    finally:
        terminal.close()


@pytest.mark.slow
def test_a_live_view_fits_a_small_terminal_and_ends_when_the_queue_is_empty(desk):
    desk("queue", "pause")
    for number in range(12):
        desk("space", "create", f"7-{number:02}")
    terminal = Terminal(desk.electis, "queue", "watch", "--until-empty", rows=16, columns=80)
    try:
        terminal.wait_for("and 4 more")
        assert "7-11" not in terminal.text
        desk("queue", "resume")
        desk("queue", "drain")
        assert terminal.wait() == 0
    finally:
        terminal.close()
