"""Bad input gets the error of design section 6 and changes nothing; and how commands end when they are cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from electis_cli.db.engine import Database
from electis_cli.db.tables import metadata
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.flows.in_process import InProcess
from tests.flows.tree import commands, options
from tests.world.command_line import Background, Finished, until

KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))

SPACES = {
    "a missing column": (b"ITEM_NAME,TITLE\nOne,Two\n", "E-COLUMN-MISSING", (1, 1)),
    "a duplicate id": (b"external_id,TITLE\n2-1,a\n2-2,b\n2-1,c\n", "E-KEY-TWICE", (4, 1)),
    "an unknown column": (b"external_id,COLOR\n2-1,red\n", "E-COLUMN-UNKNOWN", (1, 2)),
    "a repeated column": (b"external_id,TITLE,TITLE\n2-1,a,b\n", "E-COLUMN-TWICE", (1, 3)),
    "a bad encoding": (b"\xef\xbb\xbfexternal_id,TITLE\n2-1,Soup\xe9\n", "E-ENCODING", (2, 2)),
    "half of UTF-16": ("external_id,TITLE\n2-1,a\n".encode("utf-16")[:-1], "E-ENCODING", (2, 2)),
    "an empty file": (b"", "E-FILE-EMPTY", (None, None)),
    "an empty file with a byte order mark": (b"\xef\xbb\xbf\r\n", "E-FILE-EMPTY", (None, None)),
    "too few cells": (b"external_id,TITLE\n2-1\n", "E-CELLS", (2, 2)),
    "an open quote": (b'external_id,TITLE\n2-1,"a\n', "E-NOT-CSV", (2, None)),
    "half a spreadsheet": (b"PK\x03\x04rest", "E-NOT-TABLE", (None, None)),
    "no id": (b"external_id,TITLE\n,a\n", None, (2, 1)),
    "an id that is too long": (f"external_id\n{'x' * 51}\n".encode(), None, (2, 1)),
}
PEOPLE = {
    "a missing column": (b"space,ITEM_NAME\nS-1,One\n", "E-COLUMN-MISSING", (1, 1)),
    "a duplicate id": (b"external_id,TITLE\nq,a\nq,b\n", "E-KEY-TWICE", (3, 1)),
    "an unknown column": (b"external_id,WEIGHT\nq,70\n", "E-COLUMN-UNKNOWN", (1, 2)),
    "a bad encoding": ("external_id,ITEM_NAME\nq,דנה\nr,דנה\n".encode() + b"s,\xe3\n", "E-ENCODING", (4, 2)),
    "an empty file": (b"", "E-FILE-EMPTY", (None, None)),
    "an unknown space": (b"external_id,space\nq,NOWHERE\n", "E-SPACE-NOT-FOUND", (2, 2)),
    "a taken space": (b"external_id,space\nq,S-1\n", "E-SPACE-TAKEN", (2, 2)),
    "two people in one space": (b"external_id,space\nq,S-2\nr,S-2\n", None, (3, 2)),
}
ROOMS = {
    "a missing column": (b"room_name\nBoard\n", "E-COLUMN-MISSING", (1, 1)),
    "a duplicate id": (b"external_id,room_name\n7,a\nC7,b\n", "E-KEY-TWICE", (3, 1)),
    "an unknown column": (b"external_id,TITLE\n7,a\n", "E-COLUMN-UNKNOWN", (1, 2)),
    "a bad encoding": (b"\xef\xbb\xbfexternal_id,room_name\n7,\xff\n", "E-ENCODING", (2, 2)),
    "an empty file": (b"\n\n", "E-FILE-EMPTY", (None, None)),
    "25:99": (
        b"external_id,has_meeting,meeting_name,start_time,end_time\n7,yes,Lunch,25:99,26:00\n",
        "E-TIME",
        (2, 4),
    ),
    "a meeting that is neither yes nor no": (b"external_id,has_meeting\n7,perhaps\n", None, (2, 2)),
}
FILES = [
    pytest.param(noun, *case, id=f"{noun}: {name}")
    for noun, cases in (("space", SPACES), ("people", PEOPLE), ("conference", ROOMS))
    for name, case in cases.items()
]

LINES = [
    ("user create not-an-email --role viewer", 8, None),
    ("user create two@at@signs.example --role viewer", 8, None),
    ("user create good@acme.example --role viewer --store 999", 6, "E-STORE-NOT-FOUND"),
    ("conference toggle 1 --meeting-name Lunch --start 25:99 --end 26:00", 8, "E-TIME"),
    ("conference toggle 1 --meeting-name Lunch --start 9 --end 10", 8, "E-TIME"),
    ("conference toggle 404 --on", 6, "E-ROOM-NOT-FOUND"),
    ("people assign P-1 NOWHERE", 6, "E-SPACE-NOT-FOUND"),
    ("people assign NOBODY S-2", 6, "E-PERSON-NOT-FOUND"),
    ("people assign P-2 S-1", 7, "E-SPACE-TAKEN"),
    ("people move P-2 S-2", 7, "E-PERSON-UNASSIGNED"),
    ("people create P-9 --space NOWHERE", 6, "E-SPACE-NOT-FOUND"),
    ("people create P-9 --space S-1", 7, "E-SPACE-TAKEN"),
    ("people create P-1", 7, "E-EXISTS"),
    ("people update P-1 --set WEIGHT=70", 8, "E-COLUMN-UNKNOWN"),
    ("space create S-1", 7, "E-EXISTS"),
    ("space create S-9 --set COLOR=red", 8, "E-COLUMN-UNKNOWN"),
    ("space create C1", 7, "E-ARTICLE-ID-TAKEN"),
    ("space create S-9 --store 999", 6, "E-STORE-NOT-FOUND"),
    ("space delete S-1 --yes", 7, "E-SPACE-OCCUPIED"),
    ("space show NOWHERE", 6, "E-SPACE-NOT-FOUND"),
    ("store create 002 --timezone Mars/Olympus", 8, None),
    ("store create 001", 7, "E-EXISTS"),
    ("label link XYZ S-1", 8, None),
    ("label show XYZ", 8, None),
    ("label show 0A1B2C3D4E5F --svg - -o csv", 2, "E-USAGE"),
    ("label blink 0A1B2C3D4E5F --queue --duration 1h", 8, "E-INPUT"),
    ("label blink XYZ --queue", 8, "E-INPUT"),
    ("queue show NOTHING", 6, "E-NOT-FOUND"),
    ("queue list --status nonsense", 2, "E-USAGE"),
    ("queue cancel", 2, "E-USAGE"),
    ("queue cancel NOTHING", 6, "E-NOT-FOUND"),
    ("queue cancel S-1", 7, "E-CONFLICT"),
    ("queue dead retry", 2, "E-USAGE"),
    ("queue dead retry S-1", 6, "E-NOT-FOUND"),
    ("queue dead discard --cause NOTHING", 6, "E-NOT-FOUND"),
    ("label link 0A1B2C3D4E5F NOWHERE", 6, "E-ARTICLE-NOT-FOUND"),
    ("aims fault add --kind earthquake", 8, None),
    ("aims fault add --kind status --set color=red", 8, None),
    ("aims fault add --kind status --set color", 2, "E-USAGE"),
    ("aims fault add", 2, "E-USAGE"),
    ("aims fault clear 404", 6, None),
    ("space import /nowhere/at-all.csv", 2, "E-USAGE"),
    ("space create S-9 --set nonsense", 2, "E-USAGE"),
    ("space create", 2, "E-USAGE"),
    ("space list --limit 0", 2, "E-USAGE"),
    ("nonsense", 2, "E-USAGE"),
    ("aims batch list --hours nan", 2, "E-USAGE"),
    *(
        (f"{command} --timeout {seconds}", 2, "E-USAGE")
        for command in ("queue drain", "wait", "sync full", "sync approve NOTHING")
        for seconds in ("nan", "inf", "1e18", "-1", "soon")
    ),
]


class Shop:
    """An organization that is never changed: a store, two spaces, two people and a room, connected to an AIMS."""

    def __init__(self, electis: InProcess, url: str, base_url: str) -> None:
        self.electis = electis
        self._database = Database(url)
        electis.initialize()
        electis(
            "aims", "configure", "--base-url", base_url, "--company", "ACME", "--username", "tester",
            "--password-stdin", stdin="aims-secret\n",
        )  # fmt: skip
        electis("store", "create", "001")
        for line in (
            "space create S-1",
            "space create S-2",
            "people create P-1 --space S-1",
            "people create P-2",
            "conference create 1",
        ):
            electis(*line.split())

    def content(self) -> dict[str, Any]:
        """Return every row of every table."""
        with self._database.read() as uow:
            return {
                table.name: sorted(map(repr, uow.execute(sa.select(table))))
                for table in metadata.sorted_tables
            }

    def close(self) -> None:
        self._database.close()


@pytest.fixture(scope="module", params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home = tmp_path_factory.mktemp("bad") / "home"
    home.mkdir()
    with SimulatorServer(Simulator(Settings(labels_per_store=2))) as server:
        extra = {"ELECTIS_AIMS_HOSTS": server.base_url}
        url = f"sqlite:///{home}/data/electis.db"
        if request.param == "postgresql":
            postgres = request.getfixturevalue("postgres_server")
            url = extra["ELECTIS_DATABASE_URL"] = postgres.create_database()
        shop = Shop(InProcess(home, extra), url, server.base_url)
        yield shop
        shop.close()
        if request.param == "postgresql":
            postgres.drop_database(url)


def assert_told(done: Finished, code: str | None) -> str:
    """Check the error's form for people: what, then why, all on standard error; returns the code."""
    lines = done.err.splitlines()
    assert done.out == ""
    assert lines[0].startswith("error[E-"), done.err
    shown = lines[0].removeprefix("error[").partition("]")[0]
    assert code in {None, shown}, done.err
    assert lines[0].removeprefix(f"error[{shown}] ")
    if lines[-1].startswith("fix: "):
        lines.pop()
    assert all(line.startswith("  ") for line in lines[1:]), done.err
    assert "Traceback" not in done.err
    return shown


def assert_told_to_programs(done: Finished, code: str) -> dict[str, Any]:
    """Check the error object of machine formats: one line on standard error, nothing on standard output."""
    assert done.out == ""
    (_,) = done.err.splitlines()
    error = done.error
    assert {"code", "message", "why", "fix", "exit_code", "retryable"} <= set(error)
    assert (error["code"], error["exit_code"]) == (code, done.code)
    return error


@pytest.mark.parametrize(("noun", "content", "code", "place"), FILES)
@pytest.mark.parametrize("dry", [False, True], ids=["real", "dry"])
def test_a_bad_file_is_refused_with_line_and_column_and_changes_nothing(
    shop, tmp_path, noun, content, code, place, dry
):
    """Bad input (missing column, duplicate id, unknown column, bad encoding, empty file, `25:99`, unknown space).

    All or nothing, errors with file line and column; exit 8.
    """
    file = tmp_path / "people & places.csv"
    file.write_bytes(content)
    before = shop.content()
    arguments = [noun, "import", str(file), "--store", "001", *(["--dry-run"] if dry else [])]
    told = shop.electis(*arguments, check=8)
    assert_told(told, "E-IMPORT")
    assert told.err.splitlines()[-1].startswith("fix: ")
    line, column = place
    spot = ":".join(str(part) for part in (file.name, line, column) if part)
    assert f"\n  {spot}: " in told.err, told.err
    error = assert_told_to_programs(shop.electis(*arguments, "-o", "json", check=8), "E-IMPORT")
    problem = error["problems"][0]
    assert (problem["line"], problem["column"]) == place, problem
    assert code in {None, problem["code"]}, problem
    assert problem["message"]
    assert shop.content() == before


@pytest.mark.parametrize("noun", ["space", "people", "conference"])
def test_one_bad_row_among_good_ones_keeps_all_of_them_out(shop, tmp_path, noun):
    """The whole file is validated first, all or nothing; every problem is named, in the order of the file."""
    rows = [f"{number:03}" for number in range(30)]
    rows[10] = rows[20] = "x" * 60
    file = tmp_path / "mixed.csv"
    file.write_text("external_id\n" + "\n".join(rows) + "\n", encoding="utf-8")
    before = shop.content()
    done = shop.electis(noun, "import", str(file), "-o", "json", check=8)
    assert [problem["line"] for problem in done.error["problems"]] == [12, 22]
    assert shop.content() == before


@pytest.mark.parametrize(("line", "exit_code", "code"), LINES, ids=[line for line, *_ in LINES])
def test_a_bad_argument_is_refused_and_changes_nothing(shop, line, exit_code, code):
    """Bad input (wrong email, `25:99`, unknown space) gets the error of design section 6 and changes nothing."""
    before = shop.content()
    arguments = line.split()
    shown = assert_told(shop.electis(*arguments, check=exit_code), code)
    assert_told_to_programs(shop.electis(*arguments, "-o", "json", check=exit_code), shown)
    assert shop.content() == before


@pytest.mark.parametrize("line", [line for line, *_ in LINES])
def test_every_refusal_says_what_to_do(shop, line):
    """Errors: what, then why, then `fix: ...` (design section 6), for people and in the error object."""
    done = shop.electis(*line.split(), check=None)
    assert done.err.splitlines()[-1].startswith("fix: "), done.err
    assert shop.electis(*line.split(), "-o", "json", check=None).error["fix"]


def test_a_wrong_email_at_init_leaves_nothing_behind(make_home):
    """A wrong email before there is a database: no database and no key either."""
    electis = make_home()
    arguments = ("init", "--org-code", "ACME", "--admin-email", "nobody", "--admin-password-stdin")
    assert_told(electis(*arguments, stdin="correct horse 9\n", check=8), None)
    assert list(electis.home.iterdir()) == []


# --- destructive commands -------------------------------------------------------------------------------------------

ASKING = {
    "space delete": "space delete S-2",
    "people delete": "people delete P-2",
    "conference delete": "conference delete 1",
    "people unassign": "people unassign --all",
    "space import": "space import no.csv --mode replace",
    "people import": "people import no.csv --mode replace",
    "conference import": "conference import no.csv --mode replace",
    "label import": "label import no.csv --mode replace",
    "user import": "user import no.csv --mode replace",
    "undo": "undo 123",
    "apply": None,
    "snapshot restore": "snapshot restore morning",
    "store delete": "store delete 001 --force",
    "label image": "label image 0A1B2C3D4E5F /dev/null",
    "aims api": "aims api POST /labels/unlink --body []",
    "aims format push": "aims format push",
    "aims gateway reboot": "aims gateway reboot AA:BB:CC:DD:EE:FF",
    "aims whitelist add": "aims whitelist add 0A1B2C3D4E5F",
    "aims whitelist remove": "aims whitelist remove 0A1B2C3D4E5F",
    "queue retry": "queue retry --all",
    "queue dead retry": "queue dead retry --all",
    "queue dead discard": "queue dead discard --all",
}


def test_every_command_that_asks_is_known_here():
    """A new destructive command must be added to the table of those that ask."""
    assert {path for path in commands() if "--yes" in options(path)} == set(ASKING)


@pytest.mark.parametrize("line", [line for line in ASKING.values() if line])
@pytest.mark.parametrize("answer", ["", "y\n", "yes\n"])
def test_without_a_terminal_a_destructive_command_names_the_flag(shop, line, answer):
    """No terminal and no `--yes` = exit 2 naming the flag, never a hang; whatever standard input holds."""
    before = shop.content()
    done = shop.electis(*line.split(), stdin=answer, check=2)
    assert_told(done, "E-USAGE")
    assert "--yes" in done.err.splitlines()[-1]
    assert shop.content() == before


# --- ends that are no errors of the input ---------------------------------------------------------------------------


def run_into_closed_pipe(electis: InProcess, *arguments: str) -> tuple[int, str]:
    """Run a command whose reader is gone before it writes."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "electis_cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=electis.environment,
            cwd=electis.home,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "space list -o json",
        "space list",
        "space show S-1",
        "version",
        "--version",
        "--help",
        "completion bash",
    ],
)
def test_a_broken_pipe_is_silent(shop, line):
    """Broken pipe = silent 141."""
    assert run_into_closed_pipe(shop.electis, *line.split()) == (141, "")


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_a_broken_pipe_in_the_middle_of_much_output_is_silent(site, form):
    """The same with more than a pipe or a buffer holds: as with `electis space list | head -1`."""
    site.import_spaces({f"{number:05}": "x" * 200 for number in range(1500)})
    assert run_into_closed_pipe(site.electis, "space", "list", "-o", form) == (141, "")
    piped = subprocess.run(
        [
            "bash",
            "-c",
            f'"$0" -m electis_cli space list -o {form} | head -1; exit "${{PIPESTATUS[0]}}"',
            sys.executable,
        ],
        capture_output=True,
        encoding="utf-8",
        env=site.electis.environment,
        cwd=site.electis.home,
        check=False,
        timeout=60,
    )
    assert (piped.returncode, piped.stderr) == (141, "")
    assert len(piped.stdout.splitlines()) == 1


@pytest.mark.slow
def test_ctrl_c_ends_a_command_with_130(site):
    """Ctrl-C = 130, soon, without a traceback; what was in flight is pushed later."""
    site.import_spaces({"S-1": "One"})
    hang = site.server.simulator.faults.add("hang", method="POST", path="/articles")
    drain = site.electis.start("queue", "drain", ELECTIS_CALL_SECONDS="5", ELECTIS_LEASE_SECONDS="2")
    try:
        until(site.article_writes, "the push")
        assert_interrupted(drain)
    finally:
        drain.close()
    site.server.simulator.faults.remove(hang)
    site.electis.extra["ELECTIS_LEASE_SECONDS"] = "2"
    site.electis("queue", "drain")
    assert site.names() == {"S-1": "One"}


@pytest.mark.slow
def test_ctrl_c_while_a_command_waits_for_aims_to_log_in(site):
    """The same while nothing but the main thread is at work."""
    hang = site.server.simulator.faults.add("hang", path="*")
    before = site.server.simulator.journal.last
    ping = site.electis.start("aims", "ping", ELECTIS_CALL_SECONDS="30")
    try:
        until(lambda: site.server.simulator.journal.after(before), "a call")
        assert_interrupted(ping)
    finally:
        ping.close()
        site.server.simulator.faults.remove(hang)


def assert_interrupted(process: Background) -> None:
    process.send(signal.SIGINT)
    assert process.wait(15) == 130, process.log
    assert "Traceback" not in process.log
