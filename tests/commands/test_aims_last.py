"""`electis aims last`: what was said to AIMS, for the one who looks, and as a file for others."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest

from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.flows.in_process import InProcess
from tests.world.command_line import until
from tests.world.planted import AIMS_PASSWORD, PERSON

NAME = PERSON


def configure(electis, server):
    electis(
        "aims", "configure", "--base-url", server.base_url, "--company", "ACME", "--username", "tester",
        "--password-stdin", stdin=AIMS_PASSWORD + "\n",
    )  # fmt: skip


@pytest.fixture
def office(shop, simulator_server):
    """The shop with an account at the simulator, and a refused push of a space with a name."""
    office = InProcess(shop.home)
    configure(office, simulator_server)
    office("space", "create", "4-117", "--set", f"ITEM_NAME={NAME}")
    simulator_server.simulator.faults.add(
        "status", code=405, path="/articles", method="POST", message=f"{NAME} is too long"
    )
    office("queue", "drain", check=None)
    return office


def test_the_last_calls_newest_first(office):
    calls = office("aims", "last", "-o", "json").json
    assert list(calls[0]) == [
        "id", "at", "store", "method", "path", "query", "subjects", "status", "answer", "batch_id", "milliseconds",
        "error_class", "request_digest", "answer_digest", "answer_body",
    ]  # fmt: skip
    assert [call["at"] for call in calls] == sorted((call["at"] for call in calls), reverse=True)
    assert len(office("aims", "last", "--limit", "2", "-o", "json").json) == 2


def test_failed_ones_writes_and_one_store(office):
    (failed,) = {call["path"] for call in office("aims", "last", "--failed", "-o", "json").json}
    assert failed.endswith("/common/articles")
    writes = office("aims", "last", "--writes", "-o", "json").json
    assert {call["method"] for call in writes} == {"POST"}
    assert any(call["path"].endswith("/token") for call in writes)
    in_store = office("aims", "last", "--store", "001", "-o", "json").json
    assert {call["store"] for call in in_store} == {"001"}
    office("aims", "last", "--store", "909", check=6)


def test_one_call_with_its_error_answer(office):
    failed = office("aims", "last", "--failed", "-o", "name").out.split()[0]
    shown = office("aims", "last", "--show", failed, "-o", "json").json
    assert (shown["status"], shown["subjects"], shown["answer"]) == (405, ["4-117"], "405")
    assert f"{NAME} is too long" in shown["answer_body"]
    assert "answer_body" in office("aims", "last", "--show", failed).out
    assert (
        office("aims", "last", "--show", "nothing", "-o", "json", check=6).error["fix"] == "electis aims last"
    )
    office("aims", "last", "--show", failed, "--failed", check=2)


def test_a_table_shows_all_unless_a_limit_is_given(office):
    for _ in range(16):
        office("aims", "ping")
    calls = office("aims", "last", "-o", "json").json
    assert len(calls) > 20
    whole = office("aims", "last")
    assert (len(whole.out.splitlines()), whole.err) == (len(calls) + 1, "")
    assert len(office("aims", "last", "--limit", "5").out.splitlines()) == 6
    assert NAME not in whole.out


def test_an_archive_to_pass_on(office, tmp_path):
    file = tmp_path / "calls.har"
    written = office("aims", "last", "--har", str(file), "-o", "json").json
    archive = json.loads(file.read_text())
    assert written == {"file": str(file), "entries": len(archive["log"]["entries"])}
    assert NAME not in file.read_text()
    assert AIMS_PASSWORD not in file.read_text()
    assert "tester" not in file.read_text()
    (only,) = json.loads(_har(office, tmp_path, "--failed"))["log"]["entries"]
    assert only["response"]["status"] == 405


def _har(office, folder, *options):
    office("aims", "last", "--har", str(folder / "some.har"), *options)
    return (folder / "some.har").read_text()


def test_nothing_was_asked_yet(shop):
    shown = InProcess(shop.home)("aims", "last")
    assert (shown.out, shown.err.strip()) == ("", "Nothing was asked of AIMS yet.")


def test_no_call_that_failed_does_not_mean_that_there_was_none(shop, simulator_server):
    quiet = InProcess(shop.home)
    configure(quiet, simulator_server)
    assert quiet("aims", "last").out
    shown = quiet("aims", "last", "--failed")
    assert (shown.out, shown.err.strip()) == ("", "No call to AIMS was like that.")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["soft-error", "status", "reject-article"])
def test_a_daemon_that_is_refused_with_a_name_tells_nobody(shop, smtp_server, kind):
    """The answer quotes the name that was pushed; it must not be read in a log, an alert, a mail or a table."""
    with SimulatorServer(Simulator(Settings(stores=("001",)))) as server:
        configure(shop, server)
        cloud = server.simulator
        # One of the row's own values, wherever the simulator knows the row.
        quoted = "{ITEM_NAME}" if kind == "reject-article" else NAME
        message = f"value '{quoted}' is not allowed, not even {quoted}"
        cloud.faults.add(kind, code=405, path="/articles", method="POST", message=message)
        cloud.faults.add("status", code=500, path="/store", count=1, message=f"{NAME} broke it")
        shop("space", "create", "4-117")
        shop("people", "create", "P1", "--set", f"ITEM_NAME={NAME}", "--space", "4-117")
        daemon = shop.start_daemon(ELECTIS_SMTP_URL=smtp_server.url)
        try:
            (letter,) = until(lambda: shop("queue", "dead", "list", "-o", "json").json, "a dead letter")
            until(lambda: "full-sync" in daemon.log, "a full sync")
            mails = until(
                lambda: [mail.text for mail in list(smtp_server.mails) if "AIMS refused" in mail.text],
                "an alert's mail",
            )
        finally:
            code = daemon.stop()
        assert code == 0
        secrets = [NAME, "Planted", AIMS_PASSWORD, *cloud.world.tokens, *cloud.world.refresh_tokens]
        recorded = _tables(shop, "aims_exchanges")
    kept = "value '<ITEM_NAME>' is not allowed, not even <ITEM_NAME>"
    assert kept in letter["error"]
    assert kept in mails[0]
    assert "/api/v2/common/articles" in recorded
    assert "queue:turn" in daemon.log
    told = _tables(shop, "alerts", "dead_letters", "sync_runs", "aims_accounts", "events", "outgoing_mail")
    assert kept in told
    for secret in secrets:
        for text in (daemon.log, recorded, told, *mails):
            assert secret not in text
    (failed, *_) = [call for call in shop("aims", "last", "--failed", "-o", "json").json if call["subjects"]]
    assert NAME in failed["answer_body"]


def _tables(electis, *names):
    with contextlib.closing(sqlite3.connect(electis.home / "data" / "electis.db")) as connection:
        rows = [row for name in names for row in connection.execute(f"SELECT * FROM {name}")]  # noqa: S608 - our own words
    return "\n".join(str(value) for row in rows for value in row)
