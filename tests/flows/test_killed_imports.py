"""Imports that are cut short, by `kill -9` or Ctrl-C: all of it is there, or nothing; running it again resumes."""

from __future__ import annotations

import random
import re
import signal
import threading

import pytest

from tests.flows.sites import Site
from tests.world.command_line import until
from tests.world.terminal import Terminal

pytestmark = pytest.mark.slow
DIED = -signal.SIGKILL
MANY = 100_000
SECONDS_OF_AN_IMPORT = (0.6, 6.0)
"""Between these a process is killed, from its start: loading Python, reading, comparing, writing, committing."""


class Store:
    """An organization with a store on one database, without an AIMS: an import needs none."""

    def __init__(self, make_home, kind):
        self.electis = make_home(kind)
        self.electis.initialize()
        self.electis("store", "create", "001")
        url = (
            self.electis.extra.get("ELECTIS_DATABASE_URL") or f"sqlite:///{self.electis.home}/data/electis.db"
        )
        self._site = Site(self.electis, None, url)

    def wait_for_the_place(self):
        """Wait until the server has noticed that the process which held the place of bulk changes died."""

        def is_free():
            done = self.electis("people", "unassign", "--all", "--dry-run", check=None)
            assert done.code in {0, 11}, done.err
            return done.code == 0

        until(is_free, "the place of the dead")

    def write(self, name, lines):
        return self._site.write_csv(name, lines)

    def count(self, table, condition="1 = 1"):
        return self._site.count(table, condition)

    def sizes(self):
        """Return how much there is of all that an import writes."""
        return {
            table: self.count(table)
            for table in ("spaces", "articles", "changesets", "changeset_rows", "audit_log", "events")
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def store(make_home, request):
    return Store(make_home, request.param)


def spaces_file(store, rows, title, name="spaces.csv"):
    return store.write(
        name, ["external_id,TITLE", *(f"S{number:06},{title} {number}" for number in range(rows))]
    )


def is_whole(store, before, rows):
    """Tell whether an import is there as a whole; fails when it is there in part."""
    now = store.sizes()
    if now == before:
        return False
    grown = {table: now[table] - before[table] for table in now}
    assert grown == {
        "spaces": rows, "articles": rows, "changesets": 1, "changeset_rows": rows, "audit_log": 1, "events": 1,
    }  # fmt: skip
    return True


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_killed_import_of_100_000_rows_is_all_there_or_not_at_all(store):
    """Killed at random moments of its life, the last time at the one that matters most: while it writes."""
    chance = random.Random(3)
    file, before = spaces_file(store, MANY, "first"), store.sizes()
    for after in (*(chance.uniform(*SECONDS_OF_AN_IMPORT) for _ in range(3)), "writing"):
        store.wait_for_the_place()
        process = store.electis.start("space", "import", file, "--progress", "json", log="victim.log")
        try:
            if after == "writing":
                process.wait_for('"writing"')
                threading.Event().wait(chance.uniform(0.0, 1.0))
            else:
                threading.Event().wait(after)  # the kill falls anywhere
            process.kill()
        finally:
            process.close()
        if process.exit_code == DIED and not is_whole(store, before, MANY):
            continue
        assert is_whole(store, before, MANY), "done before the kill"
        break
    store.wait_for_the_place()
    done = store.electis("space", "import", file, "-o", "json").json
    assert done["created"] in {0, MANY}
    assert done["created"] + done["unchanged"] == MANY
    assert is_whole(store, before, MANY)


def test_imports_killed_again_and_again_leave_whole_ones_only(store):
    """Smaller files, so that the kill often falls between the first write and the answer."""
    chance, rows = random.Random(5), 3000
    spaces_file(store, rows, "zero")
    store.electis("space", "import", str(store.electis.home / "spaces.csv"))
    for number in range(4):
        store.wait_for_the_place()
        file, before = spaces_file(store, rows, f"title{number}"), store.sizes()
        process = store.electis.start("space", "import", file, "--progress", "json", log="victim.log")
        try:
            process.wait_for(chance.choice(('"comparing"', '"writing"', '"reading"')))
            threading.Event().wait(chance.uniform(0.0, 0.3))
            process.kill()
        finally:
            process.close()
        changed = store.count("spaces", f"CAST(data AS text) LIKE '%title{number} %'")
        assert changed in {0, rows}
        assert store.count("changeset_rows") == before["changeset_rows"] + changed
        assert store.count("changesets") == before["changesets"] + bool(changed)
    store.wait_for_the_place()
    done = store.electis("space", "import", file, "-o", "json").json
    assert done["updated"] in {0, rows}


def test_a_killed_import_in_batches_leaves_whole_batches_and_running_it_again_is_the_resume(store):
    rows, size = 60, 10
    file = spaces_file(store, rows, "first")
    process = store.electis.start(
        "space",
        "import",
        file,
        "--batch",
        str(size),
        log="victim.log",
        ELECTIS_TEST_DIE_AT="bulk:committed:3",
    )
    try:
        assert process.wait() == DIED
    finally:
        process.close()
    assert store.count("spaces") == store.count("changeset_rows") == 3 * size
    (told,) = store.electis("history", "list", "-o", "json").json
    assert told["counts"] == {"created": 3 * size, "updated": 0, "unchanged": 0, "deleted": 0}

    resumed = store.electis("space", "import", file, "--batch", str(size), "-o", "json").json

    assert (resumed["created"], resumed["unchanged"]) == (rows - 3 * size, 3 * size)
    assert store.count("spaces") == rows
    history = store.electis("history", "list", "-o", "json").json
    for one in history:  # what the dead one wrote can be taken back as well
        store.electis("undo", one["id"], "--yes")
    assert store.count("spaces") == 0


# --- Ctrl-C ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal(store):
    opened = []

    def start(*arguments):
        opened.append(Terminal(store.electis, *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_ctrl_c_while_a_file_is_read_writes_nothing_and_says_so(store, terminal):
    file = spaces_file(store, MANY, "first")
    shown = terminal("space", "import", file)
    shown.wait_for("reading")
    shown.send(signal.SIGINT)

    assert shown.wait() == 130
    assert "Interrupted: nothing was written. Run the same command again." in shown.text
    assert "Traceback" not in shown.text
    assert store.count("spaces") == 0
    spaces_file(store, 20, "first")
    assert store.electis("space", "import", file, "-o", "json").json["created"] == 20, (
        "the place is free again"
    )


def test_ctrl_c_between_batches_says_how_many_are_written_and_running_it_again_goes_on(store, terminal):
    rows, size = 20_000, 50
    file = spaces_file(store, rows, "first")
    shown = terminal("space", "import", file, "--batch", str(size), "--progress", "json")
    until(lambda: store.count("spaces"), "the first batch")
    shown.send(signal.SIGINT)

    assert shown.wait() == 130
    said = re.search(r"Interrupted: ([\d,]+) changes in (\d+) batches are written\.", shown.text)
    assert said, shown.text
    written = store.count("spaces")
    assert "Run the same command again: what is written is skipped." in shown.text
    assert 0 < written < rows
    # A batch may have been committed in the moment of the signal.
    assert written - int(said[1].replace(",", "")) in {0, size}
    assert (written % size, store.count("changeset_rows")) == (0, written)
    resumed = store.electis("space", "import", file, "-o", "json").json
    assert (resumed["created"], resumed["unchanged"]) == (rows - written, written)


# --- what is told meanwhile -----------------------------------------------------------------------------------------


def test_a_bar_is_drawn_on_a_terminal_and_what_it_took_is_said_at_the_end(store, terminal):
    file = spaces_file(store, 5000, "first")
    shown = terminal("space", "import", file)

    assert shown.wait() == 0
    assert "━" in shown.text
    assert re.search(r"5,000 rows in \d+\.\d s \([\d,]+ a second\)", shown.text)
    assert re.search(r"created +5000", shown.text)


# --- two at once ----------------------------------------------------------------------------------------------------


def test_two_imports_at_once_wait_or_are_refused_and_never_mix(store):
    rows = 30_000
    mine, theirs = (
        spaces_file(store, rows, "mine", "mine.csv"),
        spaces_file(store, rows, "theirs", "theirs.csv"),
    )
    first = store.electis.start("space", "import", mine, "--progress", "json", log="first.log")
    first.wait_for("progress")

    second = store.electis("space", "import", theirs, check=None)

    assert first.wait() == 0, first.log
    assert second.code in {0, 11}, second.err
    titles = {row["data"]["TITLE"].split()[0] for row in store.electis("space", "list", "-o", "json").json}
    assert titles == ({"theirs"} if second.code == 0 else {"mine"})
    assert store.count("spaces") == rows
