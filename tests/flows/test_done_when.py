"""The commands of the issue's "Done when", as typed in a shell, from an empty folder to labels that show the truth."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import socket
import subprocess
from typing import Any

import pytest

from tests.flows.shell import ask
from tests.world.command_line import ROOT

EXAMPLES = ROOT / "examples"
ROOM, SPACE = "1", "1-001"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def rows_of(name: str) -> dict[str, dict[str, str]]:
    with (EXAMPLES / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["external_id"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_commands_of_done_when_work_as_typed(make_shell, engine, request):
    """Done when: these work as typed with `.venv/bin` on the PATH and `ELECTIS_HOME` set to an empty folder."""
    port = free_port()
    variables = {}
    if engine == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = server.create_database()
        request.addfinalizer(lambda: server.drop_database(url))
        variables = {"ELECTIS_DATABASE_URL": url, "ELECTIS_AIMS_HOSTS": f"http://127.0.0.1:{port}"}
    shell = make_shell(**variables)
    assert list((shell.folder / "electis-home").iterdir()) == []
    (shell.folder / "pw").write_text("correct horse 9\n")

    shell.type(
        "electis init --org-code ACME --org-name Acme --admin-email a@acme.example --admin-password-stdin < pw"
    )
    shell.type("electis login a@acme.example --password-stdin < pw")
    shell.start(f"electis aims simulate --port {port}").wait_for("ready at")
    shell.type(
        f"echo secret | electis aims configure --base-url http://127.0.0.1:{port} --company ACME --username U"
        " --password-stdin"
    )
    shell.type('electis store create 001 --name "Main" --timezone Asia/Jerusalem')
    spaces, people, rooms = rows_of("spaces"), rows_of("people"), rows_of("conference-rooms")
    for noun, file in (("space", "spaces"), ("people", "people"), ("conference", "conference-rooms")):
        shell.type(f"electis {noun} import {shlex.quote(str(EXAMPLES / file))}.csv --store 001")
    assert len(spaces) == 220
    assert len(people) >= 200
    assert len(rooms) == 6

    # Three labels, so that there is something to look at.
    newcomer = next(person for person, row in people.items() if not row["space"])
    free = next(space for space in spaces if space not in {row["space"] for row in people.values()})
    every = ask(port, "labels?company=ACME&store=001&cluster=common")["labels"]
    codes = dict(zip((SPACE, free, f"C{ROOM}"), sorted(row["label"] for row in every), strict=False))
    for article, code in codes.items():
        shell.type(f"electis label link {code} {article}")
    shell.type(f"electis people assign {newcomer} {free}")
    shell.type(f"electis conference toggle {ROOM} --meeting-name X --start 14:00 --end 15:00")
    shell.type("electis queue drain")

    full = json.loads(shell.type("electis sync full -o json"))
    assert full["writes"] == 0
    assert full["push"] is None or not any(full["push"]["pushed"].values()), full["push"]
    (status,) = json.loads(shell.type("electis queue status -o json"))
    assert status["store"] == "001"
    assert status["synced"] == len(spaces) + len(rooms)
    waiting = (
        "pending",
        "syncing",
        "failed",
        "held",
        "conflict",
        "dead_letters",
        "labels_pending",
        "labels_failed",
    )
    assert {name: status[name] for name in waiting} == dict.fromkeys(waiting, 0)
    listed = json.loads(shell.type("electis space list -o json"))
    assert {row["external_id"] for row in listed} == set(spaces)
    seated = {row["space"]: person for person, row in people.items() if row["space"]} | {free: newcomer}
    assert {row["external_id"]: row["person"] for row in listed if row["person"]} == seated
    assert {row["status"] for row in listed} == {"synced"}

    assert_aims_shows(ask(port, "state"), spaces, people, seated)
    names = {SPACE: people[seated[SPACE]]["ITEM_NAME"], free: people[newcomer]["ITEM_NAME"]}
    assert_labels_show(port, codes, names, rooms[ROOM]["room_name"])


def assert_aims_shows(state: Any, spaces: Any, people: Any, seated: dict[str, str]) -> None:
    """Check every article against the files, with a rendering of the test's own."""
    company = state["clusters"]["common"]["companies"]["ACME"]
    articles = company["stores"]["001"]["articles"]
    assert len(articles) == 226
    wrong = {}
    for space, row in spaces.items():
        person = people[seated[space]] if space in seated else {}
        for column in ("ITEM_NAME", "TITLE", "DEPARTMENT", "PHONE", "EMAIL", "NFC_URL"):
            wanted = person.get(column) or row.get(column) or ""
            if articles[space]["data"].get(column, "") != wanted:
                wrong[space, column] = (wanted, articles[space]["data"].get(column))
        if articles[space]["name"] != articles[space]["data"]["ITEM_NAME"]:
            wrong[space, "articleName"] = articles[space]["name"]
    assert wrong == {}


def assert_labels_show(port: int, codes: dict[str, str], names: dict[str, str], room_name: str) -> None:
    """Check what the labels display: the people who sit there, and the meeting's page."""
    ask(port, "clock", {"advance_seconds": 60})  # radio takes its time
    shown = {row["label"]: row for row in ask(port, "labels?company=ACME&store=001&cluster=common")["labels"]}
    assert {article: shown[codes[article]]["name"] for article in names} == names
    room = shown[codes[f"C{ROOM}"]]
    assert (room["page"], room["status"], room["name"]) == (2, "SUCCESS", room_name)
    assert ["MEETING_NAME", "X"] in room["lines"]
    assert ["MEETING_TIME", "14:00 - 15:00"] in room["lines"]


def test_the_console_script_is_the_same_program(programs):
    """`electis` on the PATH is the entry point of pyproject.toml."""
    program = shutil.which("electis", path=str(programs))
    assert program is not None
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.startswith("electis ")
