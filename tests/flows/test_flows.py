"""Every flow of `flows.md`, end to end through the command line; beside each, the tests that go into its corners.

| flow | its corners are in |
| --- | --- |
| 1.1 | services/test_auth.py, services/test_login_limit.py, commands/test_login.py |
| 1.2 | services/test_auth.py, commands/test_login.py |
| 2.1 | services/test_spaces.py, flows/test_bad_input.py |
| 2.2 | services/test_assigning.py, services/test_people.py |
| 3.1 | domain/test_reconcile.py, flows/test_killed_daemon.py |
| 3.2 | services/test_pushing.py, domain/test_queue.py, flows/test_killed_daemon.py |
| 4.1 | services/test_health.py, commands/test_health.py |
| 4.2 | flows/test_outage.py |
| 5.1 | services/test_users.py, services/test_mail.py, commands/test_identity.py |
| 5.2 | services/test_auth.py, commands/test_login.py |
| 6.1 | services/test_conferences.py, domain/test_conference.py |
| 7 | flows/test_tenants.py |
| 8 | flows/test_bad_input.py |
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.sites import Site
from tests.world.command_line import CommandLine, until
from tests.world.planted import PASSWORD

ADMIN = "admin@acme.example"
NEW_PASSWORD = "another horse 11"


def log_in(electis: CommandLine, email: str = ADMIN, password: str = PASSWORD, check: int = 0):
    return electis("login", email, "--password-stdin", "-o", "json", stdin=password + "\n", check=check)


def actions(site: Site) -> list[str]:
    return [row["action"] for row in site.rows("SELECT action FROM audit_log ORDER BY at, id")]


def events(site: Site) -> list[str]:
    return [row["name"] for row in site.rows("SELECT name FROM events ORDER BY at, id")]


def session_file(site: Site) -> Path:
    return site.electis.home / "state" / "session.json"


def test_flow_1_1_log_in(site):
    """[1.1] The same answer for an unknown user and a wrong password; the right one leaves a trail."""
    unknown = log_in(site.electis, "nobody@acme.example", check=4)
    wrong = log_in(site.electis, password="wrong horse 9", check=4)
    assert unknown.error == wrong.error
    before = actions(site).count("user:logged_in")
    assert log_in(site.electis).json["last_login_at"]
    assert actions(site).count("user:logged_in") == before + 1
    kept = json.loads(session_file(site).read_text())
    stored = repr(site.rows("SELECT * FROM refresh_tokens") + site.rows("SELECT * FROM sessions"))
    assert kept["refresh_token"] not in stored
    assert kept["access_token"] not in stored
    for _ in range(20):
        blocked = site.electis("login", ADMIN, "--password-stdin", "-o", "json", stdin="no\n", check=None)
        if blocked.code != 4:
            break
    assert blocked.code == 14
    assert re.search(r"\d", blocked.error["message"] + blocked.error["why"] + blocked.error["fix"])
    assert log_in(site.electis, check=14).error["code"] == "E-LOGIN-THROTTLED"


def test_flow_1_2_refresh(site):
    """[1.2] An expired access token is exchanged silently; unknown, expired and revoked are told apart."""
    electis = site.electis

    def whoami(check: int) -> str:
        done = electis("whoami", "-o", "json", check=check)
        return done.error["code"] if check else done.json["email"]

    electis.extra["ELECTIS_ACCESS_TOKEN_SECONDS"] = "0.001"
    log_in(electis)
    first = session_file(site).read_text()
    assert whoami(0) == ADMIN
    second = session_file(site).read_text()
    assert json.loads(first)["refresh_token"] != json.loads(second)["refresh_token"]
    # A copy of the first pair is used again: the whole family ends, with an alert.
    session_file(site).write_text(first)
    assert whoami(4) == "E-SESSION-REVOKED"
    session_file(site).write_text(second)
    assert whoami(4) == "E-SESSION-REVOKED"
    assert site.count("alerts", "cause LIKE 'session:reuse:%'") == 1
    assert "session:reuse_detected" in actions(site)
    session_file(site).write_text(
        json.dumps({"access_token": "x", "refresh_token": "elr_made_up", "email": ADMIN})
    )
    assert whoami(4) == "E-SESSION-UNKNOWN"
    electis.extra["ELECTIS_REFRESH_TOKEN_SECONDS"] = "0.001"
    log_in(electis)
    assert whoami(4) == "E-SESSION-EXPIRED"


def test_flow_2_1_create_a_space(site):
    """[2.1] Pending at once, with its audit row and event; later the queue pushes it and it is synced."""
    made = site.electis("space", "create", "4-117", "--set", "ITEM_NAME=Free desk", "-o", "json").json
    assert made["status"] == "pending"
    assert actions(site)[-1] == events(site)[-1] == "space:created"
    assert site.names() == {}
    site.electis("queue", "drain")
    assert site.electis("space", "show", "4-117", "-o", "json").json["status"] == "synced"
    assert site.names() == {"4-117": "Free desk"}


def test_flow_2_2_assign_a_person_to_a_space(site):
    """[2.2] A missing space is 6, a taken one 7 and nothing changes; a free one clears the old and fills the new."""
    site.import_spaces({"old": "Free", "new": "Free", "taken": "Free"})
    site.electis("people", "create", "dana", "--set", "ITEM_NAME=Dana Levi", "--space", "old")
    site.electis("people", "create", "noa", "--set", "ITEM_NAME=Noa Yosef", "--space", "taken")
    site.electis("queue", "drain")
    assert site.names() == {"old": "Dana Levi", "new": "Free", "taken": "Noa Yosef"}
    site.electis("people", "assign", "dana", "nowhere", check=6)
    site.electis("people", "assign", "dana", "taken", check=7)
    assert site.queue()["pending"] == 0
    before = site.server.simulator.journal.last
    seated = site.electis("people", "assign", "dana", "new", "-o", "json").json
    assert (seated["space"], seated["status"]) == ("new", "pending")
    assert events(site)[-1] == "person:assigned"
    assert site.queue()["pending"] == 2
    site.electis("queue", "drain")
    assert site.names() == {"old": "Free", "new": "Dana Levi", "taken": "Noa Yosef"}
    assert [article for entry in site.article_writes(before) for article in entry.articles] == ["old", "new"]


def test_flow_3_1_full_sync(site):
    """[3.1] Without a session 4; AIMS away 12 and queued for retry; else compared, settled, pushed and told."""
    site.import_spaces({"1": "One", "2": "Two"})
    kept = session_file(site).read_text()
    session_file(site).unlink()
    site.electis("sync", "full", check=4)
    session_file(site).write_text(kept)
    site.server.stop()
    site.electis("sync", "full", check=12)
    assert site.rows("SELECT next_sync_at FROM stores")[0]["next_sync_at"] is not None
    assert site.electis("sync", "status", "-o", "json").json[0]["state"] == "error"
    site.server.start()
    full = site.electis("sync", "full", "-o", "json").json
    assert full["push"]["pushed"]["created"] == 2
    assert "sync:started" in events(site)
    assert events(site).index("sync:error") < events(site).index("sync:completed")
    assert site.electis("sync", "status", "-o", "json").json[0]["state"] == "synced"
    # Somebody else changed one column, we another: the strategy (merge) keeps both.
    article = site.server.simulator.store("ACME", "001").articles["1"]
    article.data = {**article.data, "TITLE": "from elsewhere"}
    site.electis("space", "update", "1", "--set", "DEPARTMENT=ours")
    site.electis("sync", "full", "--no-window", "-o", "json", check=None)
    site.electis("queue", "drain")
    assert site.electis("sync", "full", "-o", "json").json["writes"] == 0
    shown = site.server.simulator.store("ACME", "001").articles["1"].data
    assert (shown["TITLE"], shown["DEPARTMENT"]) == ("from elsewhere", "ours")
    assert site.electis("space", "show", "1", "-o", "json").json["data"]["TITLE"] == "from elsewhere"


def test_flow_3_2_work_the_queue(site):
    """[3.2] Success leaves the queue; a refusal is a dead letter with an alert; what passes comes back."""
    faults = site.server.simulator.faults
    faults.add("reject-article", articles=["bad"], message="DOES_NOT_FIT")
    site.import_spaces({"good": "Good", "bad": "Bad"})
    site.electis("queue", "drain", check=3)
    assert site.names() == {"good": "Good"}
    (letter,) = site.electis("queue", "dead", "list", "-o", "json").json
    assert (letter["subject"], letter["kind"]) == ("bad", "article")
    assert site.count("alerts", "closed_at IS NULL") == 1
    assert site.electis("space", "show", "bad", "-o", "json").json["status"] == "failed"
    # Today's truth is pushed when it is tried again.
    faults.clear()
    site.electis("queue", "dead", "retry", "bad")
    site.electis("queue", "drain")
    assert site.names() == {"good": "Good", "bad": "Bad"}
    assert site.electis("queue", "dead", "list", "-o", "json").json == []
    # Not the row's fault: it waits for its time, is counted by nobody, and goes out.
    faults.add("status", code=503, method="PUT", path="/articles", count=1)
    site.electis("space", "update", "good", "--set", "ITEM_NAME=Better")
    until(lambda: site.electis("queue", "drain", check=None).code == 0, "an empty queue")
    assert site.names()["good"] == "Better"
    assert site.count("articles", "attempts > 0") == 0
    assert site.count("dead_letters", "ended_at IS NULL") == 0


def test_flow_4_1_ready(site, tmp_path):
    """[4.1] All ok is 0; AIMS or the database in error is 12 or 17, and the answer names which."""
    well = site.electis("health", "-o", "json").json
    assert (well["status"], well["components"]) == ("ok", {"database": "ok", "solum": "ok"})
    site.server.stop()
    ill = site.electis("health", "--live", "-o", "json", check=12).json
    assert (ill["status"], ill["components"]) == ("degraded", {"database": "ok", "solum": "error"})
    site.electis.extra["ELECTIS_DATABASE_URL"] = f"sqlite:///{tmp_path}/gone/electis.db"
    worse = site.electis("health", "-o", "json", check=17).json
    assert worse["components"]["database"] == "error"


def test_flow_4_2_alive_signal(site):
    """[4.2] An answer stores `last_solum_ping`; no answer stops the queue; the next answer lets it go on."""
    site.electis("aims", "ping")
    seen = site.electis("sync", "status", "-o", "json").json[0]["last_solum_ping"]
    assert seen is not None
    site.server.stop()
    site.electis("aims", "ping", check=12)
    assert site.queue()["breaker"] == "open"
    site.server.start()
    site.electis("aims", "ping")
    assert site.queue()["breaker"] == "half-open"
    pings = [name for name in events(site) if name.startswith("health:")]
    assert pings == ["health:solum:ok", "health:solum:error", "health:solum:ok"]


def test_flow_5_1_create_a_user(site):
    """[5.1] Admins only; a taken email is 7; a temporary password that must be changed, audit and welcome mail."""
    made = site.electis("user", "create", "Vera@Acme.example", "--role", "viewer", "-o", "json").json
    assert (made["email"], made["must_change_password"]) == ("vera@acme.example", True)
    assert "user:created" in actions(site)
    (mail,) = site.electis("mail", "list", "-o", "json").json
    assert (mail["kind"], mail["recipient"], mail["state"]) == ("welcome", "vera@acme.example", "waiting")
    site.electis("user", "create", "vera@acme.example", "--role", "viewer", check=7)
    # She must change it before anything else, and is no admin afterwards.
    vera, temporary = site.electis, made["temporary_password"]
    log_in(vera, "vera@acme.example", temporary)
    vera("space", "list", check=5)
    vera("password", "change", "--password-stdin", stdin=f"{temporary}\n{NEW_PASSWORD}\n")
    log_in(vera, "vera@acme.example", NEW_PASSWORD)
    vera("space", "list")
    vera("user", "create", "eve@acme.example", "--role", "admin", check=5)
    assert site.count("users") == 2


def test_flow_5_2_change_the_password(site):
    """[5.2] A wrong old password is 4, a weak new one 8 with the reason; then all sessions end."""
    electis = site.electis
    electis("password", "change", "--password-stdin", stdin=f"wrong horse 9\n{NEW_PASSWORD}\n", check=4)
    weak = electis(
        "password", "change", "--password-stdin", "-o", "json", stdin=f"{PASSWORD}\nabc\n", check=8
    )
    assert weak.error["code"] == "E-PASSWORD-WEAK"
    assert weak.error["why"]
    kept = session_file(site).read_text()
    electis("password", "change", "--password-stdin", stdin=f"{PASSWORD}\n{NEW_PASSWORD}\n")
    session_file(site).write_text(kept)
    electis("whoami", check=4)
    assert site.count("sessions", "revoked_at IS NULL") == 0
    assert "user:password_changed" in actions(site)
    log_in(electis, check=4)
    log_in(electis, password=NEW_PASSWORD)


def test_flow_6_1_toggle_a_meeting(site):
    """[6.1] The article first, then the labels' page; turning off clears the meeting."""
    code = site.label_codes()[0]
    site.electis("conference", "create", "1", "--name", "Board room")
    site.electis("label", "link", code, "C1")
    site.electis("queue", "drain")
    assert site.label(code)["page"] == 1
    before = site.server.simulator.journal.last
    on = site.electis(
        "conference", "toggle", "1", "--meeting-name", "Review", "--start", "14:00", "--end", "15:00",
        "--participants", "Dana; Noa", "-o", "json",
    ).json  # fmt: skip
    assert (on["has_meeting"], on["participants"], on["status"]) == (True, ["Dana", "Noa"], "pending")
    site.electis("queue", "drain")
    shown = site.label(code)
    assert shown["page"] == 2
    assert ["MEETING_NAME", "Review"] in shown["lines"]
    assert ["MEETING_TIME", "14:00 - 15:00"] in shown["lines"]
    assert ["PARTICIPANTS", "Dana, Noa"] in shown["lines"]
    writes = [
        entry.path.rsplit("/common/", 1)[-1]
        for entry in site.server.simulator.journal.after(before)
        if entry.method != "GET" and "token" not in entry.path
    ]
    assert writes.index("articles") < next(place for place, path in enumerate(writes) if "page" in path), (
        writes
    )
    off = site.electis("conference", "toggle", "1", "-o", "json").json
    assert (off["has_meeting"], off["meeting_name"], off["start_time"], off["participants"]) == (
        False,
        None,
        None,
        [],
    )
    site.electis("queue", "drain")
    assert site.label(code)["page"] == 1
    assert not [line for line in site.label(code)["lines"] if "MEETING" in line[0]]
    assert site.electis("conference", "show", "1", "-o", "json").json["status"] == "synced"


def test_flow_7_tenants(site):
    """[7] Whoever is logged in to one organization reads and changes rows of it only."""
    site.electis("space", "create", "1", "--set", "ITEM_NAME=ACME's")
    electis = site.electis
    electis(
        "init", "--org-code", "OTHER", "--org-name", "Other", "--admin-email", "admin@other.example",
        "--admin-password-stdin", stdin=PASSWORD + "\n",
    )  # fmt: skip
    log_in(electis, "admin@other.example")
    assert electis("space", "list", "-o", "json").json == []
    electis("store", "create", "001")
    electis("space", "update", "1", "--set", "ITEM_NAME=ours", check=6)
    electis("org", "show", "ACME", check=6)
    log_in(electis)
    assert electis("space", "show", "1", "-o", "json").json["data"] == {"ITEM_NAME": "ACME's"}


def test_flow_8_errors(site):
    """[8] Every error has one shape, and an exit code that tells its class."""
    electis = site.electis
    electis("space", "create", "1")
    electis("user", "create", "vera@acme.example", "--role", "viewer")
    cases: list[tuple[str, int]] = [
        ("space list --limit none", 2),
        ("user create vera@acme.example --role viewer", 7),
        ("space show nowhere", 6),
        ("space create 1", 7),
        ("space update 1 --set NOTHING=x", 8),
        ("mail send", 16),
    ]
    for line, code in cases:
        assert_one_shape(electis(*line.split(), "-o", "json", check=code).err, code)
    site.server.stop()
    assert_one_shape(electis("sync", "full", "-o", "json", check=12).err, 12, retryable=True)
    electis("logout")
    assert_one_shape(electis("space", "list", "-o", "json", check=4).err, 4)


def assert_one_shape(text: str, code: int, *, retryable: bool | None = None) -> None:
    """Check one error object of machine formats."""
    error = json.loads(text)["error"]
    assert {"code", "message", "why", "fix", "exit_code", "retryable"} <= set(error)
    assert error["exit_code"] == code
    assert error["code"].startswith("E-")
    assert error["message"]
    assert retryable in {None, error["retryable"]}


# --- the table above ------------------------------------------------------------------------------------------------


def table() -> dict[str, list[str]]:
    rows = re.findall(r"^\| (\d(?:\.\d)?) \| (.+) \|$", __doc__ or "", re.MULTILINE)
    return {flow: files.split(", ") for flow, files in rows}


@pytest.mark.parametrize(
    "flow", ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "4.1", "4.2", "5.1", "5.2", "6.1", "7", "8"]
)
def test_each_flow_has_a_named_test_and_its_corners_exist(flow):
    """Each flow has a named test (flows.md), and the table tells the truth."""
    name = f"test_flow_{flow.replace('.', '_')}_"
    named: list[Callable[..., None]] = [value for key, value in globals().items() if key.startswith(name)]
    assert len(named) == 1
    assert (named[0].__doc__ or "").startswith(f"[{flow}]")
    tests = Path(__file__).parents[1]
    for file in table()[flow]:
        assert "def test_" in (tests / file).read_text(encoding="utf-8"), file
