"""The guard itself: it hears every place, knows every kind of secret in every spelling, and fails the right test."""

from __future__ import annotations

import contextlib
import html
import json
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from electis_cli.adapters import identifiers
from electis_cli.adapters.sealing import Sealer, create_key_file
from electis_cli.aims.recorder import Exchange
from electis_cli.db import alerts
from electis_cli.services.recording import make_recorder
from electis_cli.simulator.model import World
from electis_cli.simulator.operations import authentication
from electis_cli.simulator.settings import Settings
from tests.flows.in_process import InProcess
from tests.world.command_line import ROOT, CommandLine
from tests.world.leaks import NAME, SHOWN, WATCH, Watch
from tests.world.planted import AIMS_PASSWORD, HEBREW_PERSON, PASSWORD, PERSON, PROXY_PASSWORD

log = logging.getLogger("electis.daemon")


def master_key(_folder):
    Sealer(bytes(range(100, 132)))
    return bytes(range(100, 132)).hex()


def key_of_a_home(folder):
    WATCH.live_in(folder)
    create_key_file(folder / "secret.key")
    return (folder / "secret.key").read_text().strip()


def login_of_a_home(folder):
    WATCH.live_in(folder)
    token = "a" * 50
    (folder / "state").mkdir()
    (folder / "state" / "session.json").write_text(
        json.dumps({"access_token": token, "refresh_token": "b" * 50})
    )
    return token


def sealed(_folder):
    Sealer(bytes(range(32))).seal("what nobody may read", purpose="mail/1")
    return "what nobody may read"


MADE = {
    "user's password": lambda _: PASSWORD,
    "AIMS password": lambda _: AIMS_PASSWORD,
    "proxy password": lambda _: PROXY_PASSWORD,
    NAME: lambda _: PERSON,
    "session token": lambda _: identifiers.new_token("els"),
    "temporary password": lambda _: identifiers.new_password(),
    "AIMS token": lambda _: authentication.issue(World({}), Settings(), "tester", 0.0)[1],
    "master key": master_key,
    "master key of a home": key_of_a_home,
    "session token of a home": login_of_a_home,
    "sealed mail": sealed,
}
"""For every kind, how one of it comes into being."""


# --- what it knows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MADE)
def test_every_kind_of_secret_is_known_and_not_told(kind, tmp_path):
    secret = MADE[kind](tmp_path)
    log.warning("something went wrong with %s at last", secret)
    (leak,) = [leak for leak in WATCH.leaks() if leak.endswith(f": {kind.removesuffix(' of a home')}")]
    assert leak.startswith("logger electis.daemon: ")
    assert secret not in leak


@pytest.mark.parametrize("secret", ["a long one", "a<\"b'&\\c", HEBREW_PERSON])
@pytest.mark.parametrize("write", [str, json.dumps, repr, ascii, quote, quote_plus, html.escape])
def test_a_secret_is_known_however_it_is_written(secret, write):
    watch = Watch()
    watch.plant("secret", secret)
    assert "secret" in watch.kinds_in(f"x{write(secret)}x")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Authorization: Bearer abcdef.ghijkl", "bearer token"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "signed token"),
        ("elr_" + "x" * 43, "refresh token"),
        ("use abcde-fghjk-mnpqr-stuvw now", "temporary password"),
        ("who is Noa?", NAME),
    ],
)
def test_secrets_of_other_processes_are_known_by_their_shape(text, kind):
    assert Watch().kinds_in(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23 06:00:00,000 INFO electis.daemon queue:turn subject=001 outcome=done created=1",
        "error[E-AIMS-REJECTED] AIMS answered 405: ARTICLE_DATA_IS_INVALID(4-117).",
        "0193a5f4-1c2b-7def-8a90-123456789abc",
        "daemon:started holder=levitate:123 bandana",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sealed v1.QmFzZTY0-ela_" + "x" * 60 + "-elr_" + "y" * 43 + "==",
    ],
)
def test_usual_lines_hold_nothing(text):
    assert Watch().kinds_in(text) == []


# --- what it hears --------------------------------------------------------------------------------------------------


def test_our_loggers_are_heard_in_full_and_the_others_as_the_daemon_sets_them():
    log.debug(PERSON)
    others = ("httpx", "httpcore.connection", "sqlalchemy.engine.Engine", "somebody.else")
    for name in others:
        logging.getLogger(name).warning(PERSON)
        logging.getLogger(name).debug(PERSON)
    assert WATCH.leaks() == [f"logger {name}: {NAME}" for name in ("electis.daemon", *others)]
    logging.getLogger("httpx").info(PERSON)
    assert WATCH.leaks() == []


def test_tracebacks_and_what_is_attached_to_a_record_are_heard():
    try:
        int(PERSON)
    except ValueError:
        log.exception("failed")
    assert WATCH.leaks() == [f"logger electis.daemon: {NAME}"]
    log.info("done", extra={"row": {"name": PERSON}})
    assert WATCH.leaks() == [f"logger electis.daemon: {NAME}"]


def test_what_was_logged_before_the_secret_was_known_is_found_all_the_same():
    log.info("made ab12-secret-cd34")
    WATCH.plant("late secret", "ab12-secret-cd34")
    assert WATCH.leaks() == ["logger electis.daemon: late secret"]


def test_other_threads_are_heard():
    thread = threading.Thread(target=log.info, args=(PERSON,))
    thread.start()
    thread.join()
    assert WATCH.leaks() == [f"logger electis.daemon: {NAME}"]


def test_commands_are_heard_in_this_process_and_in_their_own(tmp_path):
    InProcess(tmp_path)("Dana", check=2)
    CommandLine(tmp_path)("Dana", check=2)
    assert WATCH.leaks() == [
        f"standard error of electis Dana: {NAME}",
        f"standard error of electis_cli Dana: {NAME}",
    ]


def test_who_asks_to_be_shown_every_call_is_shown_names_and_no_secrets():
    WATCH.hear_command(["electis", "queue", "drain", "--debug-http"], f"{PERSON} {AIMS_PASSWORD}")
    assert WATCH.leaks() == [f"standard error of electis queue{SHOWN}: AIMS password"]


def test_the_log_of_a_process_beside_the_test_is_heard_once(tmp_path):
    daemon = CommandLine(tmp_path).start("daemon", "Dana", log="daemon.log")
    assert daemon.wait() == 2
    assert WATCH.leaks() == [f"log file daemon.log: {NAME}"]
    assert WATCH.leaks() == []


def test_a_log_with_the_output_of_a_command_may_name_people_and_hold_no_secrets(tmp_path):
    for word in ("Dana", AIMS_PASSWORD):
        process = CommandLine(tmp_path).start(word, log="aside.log")
        assert process.wait() == 2
    assert WATCH.leaks() == [f"log file aside.log{SHOWN}: AIMS password"]


def test_servers_of_the_tests_are_not_ours(tmp_path):
    subprocess.run([sys.executable, "-c", "import sys; sys.exit('Dana')"], capture_output=True, check=False)
    logging.getLogger("mail.log").info(PERSON)
    assert WATCH.leaks() == []


def test_the_recorders_table_and_alerts_are_heard(scope, runtime, clock):
    keep = make_recorder(runtime.database, runtime.sealer, scope.org_id, runtime.new_id)
    body = b'{"responseMessage": "Dana"}'
    values = {"method": "PUT", "path": "/x", "milliseconds": 1, "error": "E-X"}
    keep(Exchange(at=clock(), query={"articleName": PERSON}, answer_body=body, **values))
    assert WATCH.leaks() == []
    keep(Exchange(at=clock(), query={"unheard-of": PERSON}, **values))
    assert WATCH.leaks() == [f"table aims_exchanges: {NAME}"]
    with runtime.database.write(scope.org_id) as uow:
        alerts.raise_alert(uow, alert_id="1", cause="x", text=PERSON, store_id=None, now=clock())
    assert WATCH.leaks() == [f"table alerts: {NAME}"]


def test_the_database_of_a_home_is_heard_at_the_end(tmp_path):
    """A daemon that writes to it is not in this process."""
    electis = InProcess(tmp_path)
    electis.initialize()
    assert WATCH.leaks(at_end=True) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "electis.db")) as connection, connection:
        (org_id,) = connection.execute("SELECT id FROM organizations").fetchone()
        connection.execute(
            "INSERT INTO alerts (org_id, id, cause, text, first_at, last_at, count) VALUES (?, '1', 'x', ?, 0, 0, 1)",
            (org_id, PERSON),
        )
    assert WATCH.leaks() == []
    assert WATCH.leaks(at_end=True) == [f"table alerts: {NAME}"]
    assert WATCH.leaks(at_end=True) == []


# --- which test it fails --------------------------------------------------------------------------------------------

SUITE = f"""
import logging
import pytest

log = logging.getLogger("electis.daemon")

@pytest.fixture
def leaving():
    yield
    log.info("{PERSON}")

@pytest.fixture
def coming():
    log.info("{PERSON}")

def test_clean(): log.info("queue:turn")
def test_call(): log.info("the password is {AIMS_PASSWORD}")
def test_setup(coming): pass
def test_teardown(leaving): pass
def test_clean_again(): pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_leak_fails_the_test_that_caused_it(tmp_path, workers):
    (tmp_path / "test_leaking.py").write_text(SUITE)
    options = [
        "-p",
        "tests.world.leaks",
        "-n",
        str(workers),
        "--show-capture=no",
        "-rA",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), "."],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    ends = {
        (word, line.split("::")[1].split(" ")[0])
        for line in done.stdout.splitlines()
        if (word := line.split(" ")[0]) in {"PASSED", "FAILED", "ERROR"} and "::" in line
    }
    assert ends == {
        ("PASSED", "test_clean"),
        ("FAILED", "test_call"),
        ("FAILED", "test_setup"),
        ("PASSED", "test_teardown"),
        ("ERROR", "test_teardown"),
        ("PASSED", "test_clean_again"),
    }, done.stdout
    assert "leaked in the clear: logger electis.daemon: AIMS password" in done.stdout
    assert AIMS_PASSWORD not in done.stdout
    assert PERSON not in done.stdout


def test_no_test_starts_pythons_logging_anew():
    """`basicConfig(force=True)` and `disable` would leave the guard deaf."""
    for path in Path(ROOT, "tests").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path != Path(__file__):
            assert "logging.disable(" not in text, path
            assert "basicConfig(" not in text, path
