"""`kill -9` at every named point of the work, and at random moments: a fresh process goes on, and nothing is lost.

The points are where the program says `runtime.reached("...")`: around each commit and each write to AIMS. A process
dies at the one that `ELECTIS_TEST_DIE_AT` names. After each death a fresh process works the queue; AIMS then shows what
the database says, no key was sent more than once too often, nothing is stuck, and no lease outlives its length.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from electis_cli.simulator import display
from tests.flows.sites import Site
from tests.world.command_line import ROOT, Background, Finished, until
from tests.world.orders import led_calls

LEASE = 1.5
SETTINGS = {
    "ELECTIS_LEASE_SECONDS": str(LEASE),
    "ELECTIS_CALL_SECONDS": "10",
    "ELECTIS_SETTLE_SECONDS": "0",  # what was sent is verified by the same process
    "ELECTIS_BATCH_SIZE": "3",
}
SPACES = tuple(f"S{number}" for number in range(9))
BAD = "BAD"
DIED = -signal.SIGKILL
FILE = "tests/flows/test_kill_points.py"

pytestmark = pytest.mark.slow


@dataclass
class Victim:
    """A site whose processes die, what its labels must show in the end, and how to have something to do."""

    site: Site
    wanted: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    round: int = 0
    edits: Counter[str] = field(default_factory=Counter)
    began: int = 0

    def __post_init__(self) -> None:
        self.labels = self.site.label_codes()[:4]

    @property
    def journal(self) -> Any:
        return self.site.server.simulator.journal

    @property
    def faults(self) -> Any:
        return self.site.server.simulator.faults

    # --- something to do --------------------------------------------------------------------------------------------

    def edit(self) -> None:
        """Change, make and delete spaces, and link labels: all that a push has to bring to AIMS."""
        self.round += 1
        self.began = self.journal.last
        changed = {SPACES[(self.round + step) % len(SPACES)]: f"Name {self.round}" for step in range(4)}
        if self.round == 1:
            changed = dict.fromkeys(SPACES, "Name 1")
        made, gone = f"N{self.round}", f"N{self.round - 1}"
        self.edits = Counter([*changed, made])
        self.site.import_spaces({**changed, made: f"New {self.round}"})
        self.wanted |= {**changed, made: f"New {self.round}"}
        if gone in self.wanted:
            self.site.electis("space", "delete", gone, "--yes")
            del self.wanted[gone]
            self.edits[gone] += 1
        code, freed = (self.labels[(self.round - step) % len(self.labels)] for step in range(2))
        if freed in self.links:
            self.site.electis("label", "unlink", freed)
            del self.links[freed]
        self.links[code] = SPACES[self.round % len(SPACES)]
        self.site.electis("label", "link", code, self.links[code])

    def edit_again(self) -> None:
        """Change what was changed before: a value of ours that is at AIMS by now is nobody else's edit."""
        key = SPACES[(self.round + 1) % len(SPACES)]
        self.site.electis("space", "update", key, "--set", f"ITEM_NAME=Again {self.round}")
        self.wanted[key] = f"Again {self.round}"
        self.edits[key] += 1

    # --- dying ------------------------------------------------------------------------------------------------------

    def die(self, place: str, *command: str) -> None:
        """Start a command that dies at a place, and see that it did."""
        process = self.site.electis.start(*command, log="victim.log", ELECTIS_TEST_DIE_AT=place)
        self.site.daemons.append(process)
        code = process.wait()
        assert code == DIED, f"{place} was not reached: exit {code}\n{process.log}"
        self.watch_leases()
        self.edit_again()

    def watch_leases(self) -> None:
        """Nothing that a dead process holds outlives the length of a lease."""
        latest = datetime.now(UTC) + timedelta(seconds=LEASE)
        for row in self.site.rows("SELECT resource, expires_at FROM leases WHERE holder IS NOT NULL"):
            assert moment(row["expires_at"]) <= latest, row

    # --- a fresh process --------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Let a fresh process work the queue."""
        process = self.site.electis.start("queue", "drain", log="fresh.log")
        self.site.daemons.append(process)
        assert process.wait() == 0, process.log

    def judge(self, *, deaths: int = 1) -> None:
        """Compare both sides: nothing lost, nothing sent more often than the deaths explain, nothing stuck."""
        assert self.site.names() == self.wanted
        assert {space["external_id"] for space in self.site.rows("SELECT external_id FROM spaces")} == set(
            self.wanted
        )
        simulator = self.site.server.simulator
        with simulator.lock:
            labels = simulator.store("ACME", "001").labels
            shown = {code: list(labels[code].articles) for code in self.labels}
        assert shown == {code: [self.links[code]] if code in self.links else [] for code in self.labels}
        sent = self.sent()
        assert set(sent) == set(self.edits), "what nobody changed is not sent, and what was changed is"
        assert all(sent[key] <= self.edits[key] + deaths for key in sent), (sent, self.edits)
        assert self.site.count("sync_conflicts") == 0, "nobody else wrote anything"
        for path in ("/labels/link", "/labels/unlink"):
            assert self.label_writes(path) <= 1 + deaths, path
        assert self.site.count("articles", "inflight_version IS NOT NULL OR attempts > 0") == 0
        assert self.site.count("articles", "synced_version <> desired_version") == 0
        assert self.site.count("label_links", "inflight_version IS NOT NULL") == 0
        assert self.site.count("label_links", "synced_version <> version") == 0
        assert self.site.count("commands", "state IN ('pending', 'syncing')") == 0
        before = self.journal.last
        done = until(self._full_sync, "a full sync that is not refused")
        assert done.code == 0, done.err
        assert done.json["writes"] == 0, done.out
        assert self.site.article_writes(before) == []
        until(lambda: self.leases() == [], "no lease", seconds=LEASE + 5)

    def _full_sync(self) -> Finished | None:
        # A full sync that died holds its lease until that runs out.
        done = self.site.electis("sync", "full", "--no-push", "-o", "json", check=None)
        return None if done.code == 11 else done

    def sent(self) -> Counter[str]:
        """Return how often AIMS took a write of each article since the edits."""
        writes = self.site.article_writes(self.began)
        return Counter(article for entry in writes if entry.taken for article in entry.articles)

    def label_writes(self, path: str) -> int:
        """Return how many calls of a kind AIMS took since the edits."""
        entries = self.journal.after(self.began)
        return sum(1 for one in entries if one.method == "POST" and one.path.endswith(path) and one.taken)

    def leases(self) -> list[str]:
        """Return what somebody holds right now."""
        now = datetime.now(UTC)
        rows = self.site.rows("SELECT resource, expires_at FROM leases WHERE holder IS NOT NULL")
        return [row["resource"] for row in rows if moment(row["expires_at"]) > now]


def moment(value: Any) -> datetime:
    """Return a time of the database as one, whichever way its driver gives it."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@pytest.fixture
def make_victim(make_site: Callable[..., Site]) -> Callable[..., Victim]:
    return lambda kind, **extra: Victim(make_site(kind, **{**SETTINGS, **extra}))


# --- what has to happen for a point to be reached -------------------------------------------------------------------


def first_contact(victim: Victim, place: str) -> None:
    """A store nobody has listed yet."""
    victim.edit()
    victim.die(place, "queue", "drain")
    victim.recover()


def everyday(victim: Victim, place: str) -> None:
    """A full sync, its push and one housekeeping step."""
    victim.edit()
    victim.die(place, "sync", "full")
    victim.recover()


def slow_aims(victim: Victim, place: str) -> None:
    """A call takes so long that the lease is prolonged meanwhile."""
    victim.edit()
    fault = victim.faults.add("latency", path="/articles", seconds=LEASE, count=3)
    victim.die(place, "queue", "drain")
    victim.faults.remove(fault)
    victim.recover()


def lost_answer(victim: Victim, place: str) -> None:
    """AIMS takes a batch and answers that something went wrong."""
    victim.edit()
    fault = victim.faults.add("status", code=500, path="/articles", method="PUT", applied=True)
    victim.die(place, "queue", "drain")
    victim.faults.remove(fault)
    victim.recover()


def lost_answer_of_many(victim: Victim, place: str) -> None:
    """The same while the next batch was claimed, as no label waits for its turn."""
    victim.edit()
    victim.recover()
    victim.began = victim.journal.last
    names = dict.fromkeys(SPACES, f"Many {victim.round}")
    victim.edits = Counter(names.keys())
    victim.site.import_spaces(names)
    victim.wanted |= names
    fault = victim.faults.add("status", code=500, path="/articles", method="PUT", applied=True)
    victim.die(place, "queue", "drain")
    victim.faults.remove(fault)
    victim.recover()


def outage(victim: Victim, place: str) -> None:
    """AIMS was away, and is back: the first write closes the breaker."""
    fault = victim.faults.add("status", code=503)
    victim.site.electis("aims", "ping", check=None)
    victim.edit()
    victim.site.electis("queue", "drain", "--timeout", "1", check=None)
    assert victim.site.queue()["breaker"] == "open"
    victim.faults.remove(fault)
    victim.die(place, "queue", "drain")
    victim.recover()


def no_listing(victim: Victim, place: str) -> None:
    """A full sync that can not read AIMS."""
    victim.edit()
    fault = victim.faults.add("status", code=503, path="/config/article/info")
    victim.die(place, "sync", "full", "--no-push")
    victim.faults.remove(fault)
    victim.recover()


def refusal(victim: Victim, place: str) -> None:
    """AIMS refuses one article for good: a dead letter, its alert and a mail about it."""
    victim.edit()
    bad = f"{BAD}{victim.round}"
    victim.site.electis("space", "create", bad)
    word = f"REFUSED_{victim.round}"  # an alert of its own, as each is mailed once an hour
    fault = victim.faults.add("reject-article", articles=(bad,), message=word)
    victim.die(place, "queue", "drain")
    victim.site.electis("queue", "drain", check=3)
    assert victim.site.count("dead_letters", f"subject = '{bad}'") == 1
    victim.faults.remove(fault)
    victim.site.electis("space", "delete", bad, "--yes")
    victim.recover()
    assert bad not in victim.sent()


def silent_label(victim: Victim, place: str) -> None:
    """A label does not draw what AIMS sent, so it is sent once more."""
    victim.edit()
    simulator = victim.site.server.simulator
    with simulator.lock:
        for code in victim.labels:
            simulator.store("ACME", "001").labels[code].outcome = "TIMEOUT"
    victim.die(place, "queue", "drain")
    with simulator.lock:
        for code in victim.labels:
            simulator.store("ACME", "001").labels[code].outcome = "SUCCESS"
    victim.recover()


def flipped_back(victim: Victim, place: str) -> None:
    """A label does not keep the page that AIMS was told to show, so it is flipped again."""
    victim.edit()
    victim.recover()
    code = next(iter(victim.links))
    simulator = victim.site.server.simulator
    page = 1 if place.endswith("noted") else 2
    victim.site.electis("label", "flip", code, str(page))
    with simulator.lock:
        label = simulator.store("ACME", "001").labels[code]
    fault = victim.faults.add("status", code=503, path="/labels/detail")
    victim.site.electis("queue", "drain")
    victim.faults.remove(fault)
    with simulator.lock:
        display.flip(label, 3 - page, simulator.clock.now(), 0.0)
    victim.die(place, "queue", "drain")
    # Whoever verifies holds a lease, and the dead one's runs out first; until then a fresh process leaves it alone.
    until(lambda: victim.leases() == [], "no lease", seconds=LEASE + 5)
    victim.recover()
    with simulator.lock:
        assert label.page == page


def mail(victim: Victim, place: str) -> None:
    """A welcome mail is in the outbox."""
    victim.edit()
    address = f"user{victim.round}@acme.example"
    victim.site.electis("user", "create", address, "--role", "viewer")
    victim.die(place, "queue", "drain")
    victim.recover()
    (row,) = victim.site.rows("SELECT id, state FROM outgoing_mail WHERE recipient = :to", to=address)
    if row["state"] == "waiting":  # it belongs to the dead for some minutes; a person need not wait
        victim.site.electis("mail", "retry", row["id"])
        victim.site.electis("mail", "send")
    assert victim.site.count("outgoing_mail", "state <> 'sent'") == 0


def blink(victim: Victim, place: str) -> None:
    """A one-shot command: never sent twice, whoever died."""
    victim.edit()
    before = len(led_calls(victim.site.server.simulator))
    victim.die(place, "label", "blink", victim.labels[0], "--queue")
    victim.recover()
    (row,) = victim.site.rows("SELECT state FROM commands ORDER BY created_at DESC, id DESC LIMIT 1")
    sent = len(led_calls(victim.site.server.simulator)) - before
    expected = {
        "commands:claiming": ("done", 1),
        "commands:claimed": ("unknown", 0),
        "commands:sending": ("unknown", 0),
        "commands:acknowledged": ("done", 1),
    }
    assert (row["state"], sent) == expected.get(place, ("unknown", 1))


def importing(victim: Victim, place: str) -> None:
    """An import is all there or not at all."""
    victim.edit()
    imported = {f"I{victim.round}-{number}": f"Imported {number}" for number in range(5)}
    victim.die(place, "space", "import", more_spaces(victim, imported), "--store", "001")
    if place == "bulk:committed":
        victim.wanted |= imported
        victim.edits.update(list(imported))
    victim.recover()


def importing_in_batches(victim: Victim, place: str) -> None:
    """Whole batches are there, and running the same file again is the resume."""
    victim.edit()
    imported = {f"B{victim.round}-{number}": f"Imported {number}" for number in range(5)}
    command = ("space", "import", more_spaces(victim, imported), "--store", "001", "--batch", "2")
    victim.die(place, *command)
    done = {"bulk:committing": 0, "bulk:written:2": 2, "bulk:recorded:3": 4, "bulk:committed:2": 4}[place]
    assert victim.site.count("spaces", f"external_id LIKE 'B{victim.round}-%'") == done
    resumed = victim.site.electis(*command, "-o", "json").json
    assert (resumed["created"], resumed["unchanged"]) == (5 - done, done)
    victim.wanted |= imported
    victim.edits.update(list(imported))
    victim.recover()


def applying_a_plan(victim: Victim, place: str) -> None:
    """The same with a plan that was written before; one that died can be applied again, one that was done can not."""
    victim.edit()
    imported = {f"A{victim.round}-{number}": f"Planned {number}" for number in range(3)}
    plan = str(victim.site.electis.home / "the.plan")
    victim.site.electis("space", "import", more_spaces(victim, imported), "--store", "001", "--plan", plan)
    victim.die(place, "apply", plan)
    victim.site.electis("apply", plan, check=7 if place == "bulk:committed" else 0)
    victim.wanted |= imported
    victim.edits.update(list(imported))
    victim.recover()


def undoing(victim: Victim, place: str) -> None:
    """A change is taken back as a whole or not at all, and only once."""
    victim.edit()
    imported = {f"U{victim.round}-{number}": f"Imported {number}" for number in range(3)}
    command = ("space", "import", more_spaces(victim, imported), "--store", "001", "-o", "json")
    change = victim.site.electis(*command).json["changeset"]
    victim.recover()
    victim.began = victim.journal.last
    victim.edits = Counter(imported.keys())
    victim.die(place, "undo", change, "--yes")
    left = victim.site.count("spaces", f"external_id LIKE 'U{victim.round}-%'")
    assert left == (0 if place == "bulk:committed" else 3)
    victim.site.electis("undo", change, "--yes", check=7 if place == "bulk:committed" else 0)
    victim.recover()


def more_spaces(victim: Victim, names: Mapping[str, str]) -> str:
    """Write a file of spaces with their names and return its path."""
    rows = [f"{key},{name}" for key, name in names.items()]
    return victim.site.write_csv("more.csv", ["external_id,ITEM_NAME", *rows])


PLACES: dict[Callable[[Victim, str], None], tuple[str, ...]] = {
    first_contact: ("push:meeting", "push:met"),
    everyday: (
        *(
            "sync:taking-lease",
            "sync:took-lease",
            "sync:opening",
            "sync:opened",
            "sync:listed",
            "sync:planned",
        ),
        *("sync:committing", "sync:committed", "sync:releasing-lease", "sync:released-lease"),
        *("push:taking-lease", "push:took-lease"),
        *("push:claiming", "push:claimed", "push:claiming:2", "push:claimed:2"),
        *("push:sending", "push:sent", "push:acknowledging", "push:acknowledged"),
        *("push:sending:2", "push:sent:2", "push:acknowledging:2", "push:acknowledged:2"),
        *("labels:claiming", "labels:claimed", "labels:sending", "labels:sent"),
        *("labels:acknowledging", "labels:acknowledged", "labels:sent:2", "labels:acknowledging:2"),
        *("push:releasing-lease", "push:released-lease", "house:taking-lease", "house:took-lease"),
        *("house:verifying", "house:verified", "displays:noting", "displays:noted"),
        *("house:forgetting", "house:forgot", "house:releasing-lease", "house:released-lease"),
    ),
    slow_aims: ("lease:renewing", "lease:renewed", "push:renewing-lease", "push:renewed-lease"),
    lost_answer: ("push:judging", "push:judged"),
    lost_answer_of_many: ("push:withdrawing", "push:withdrew"),
    outage: ("push:recovering", "push:recovered"),
    no_listing: ("sync:failing", "sync:failed"),
    refusal: ("push:giving-up", "push:gave-up", "mail:queueing", "mail:queued"),
    silent_label: ("displays:resending", "displays:resent"),
    flipped_back: ("pages:noting", "pages:noted"),
    mail: ("mail:claiming", "mail:claimed", "mail:sending", "mail:sent", "mail:noting", "mail:noted"),
    blink: (
        *("commands:claiming", "commands:claimed", "commands:sending", "commands:sent"),
        *("commands:acknowledging", "commands:acknowledged"),
    ),
    importing: ("bulk:written", "bulk:recorded", "bulk:committing", "bulk:committed"),
    importing_in_batches: ("bulk:committing", "bulk:written:2", "bulk:recorded:3", "bulk:committed:2"),
    applying_a_plan: ("bulk:written", "bulk:recorded", "bulk:committing", "bulk:committed"),
    undoing: ("bulk:written", "bulk:recorded", "bulk:committing", "bulk:committed"),
}

AT_ONCE = 4
"""So many deaths are died on one site: a test of its own stays below its time limit."""


def in_groups() -> Iterator[Any]:
    """Yield which deaths are died on which site, all of them on SQLite; a store is met for the first time once."""
    for kind, every in (("sqlite", 1), ("postgresql", 3)):
        for work, places in PLACES.items():
            chosen, size = places[-1::-every][::-1], 1 if work is first_contact else AT_ONCE
            for start in range(0, len(chosen), size):
                identifier = f"{kind}-{work.__name__}-{start}"
                yield pytest.param(kind, work, chosen[start : start + size], id=identifier)


def test_every_named_point_is_one_that_tests_die_at():
    """A point that is added to the program without a death here, or is no longer there, fails this."""
    named = {
        found
        for file in (ROOT / "electis_cli").rglob("*.py")
        for found in re.findall(r"reached\(\s*\"([^\"]+)\"", file.read_text(encoding="utf-8"))
    }
    tried = {re.sub(r":\d+$", "", place) for places in PLACES.values() for place in places}
    assert tried == named


@pytest.mark.parametrize(("kind", "work", "places"), list(in_groups()))
def test_a_process_killed_at_a_point_loses_nothing(make_victim, smtp_server, kind, work, places):
    """One death after another on the same site, each followed by a fresh process."""
    victim = make_victim(kind, ELECTIS_SMTP_URL=smtp_server.url)
    if work is not first_contact:
        victim.edit()
        victim.recover()
    for place in places:
        with telling(f"{place} on {kind}", f"-k {kind}-{work.__name__}"):
            work(victim, place)
            victim.judge()


# --- at random moments ----------------------------------------------------------------------------------------------

KILLS = int(os.environ.get("ELECTIS_TEST_KILLS", "20"))
SEED = int(os.environ.get("ELECTIS_TEST_KILL_SEED", "1"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.timeout(120 + 20 * KILLS)
def test_processes_killed_at_random_moments_lose_nothing(make_victim, kind):
    """A daemon, a drain or a full sync dies anywhere; `make soak` does it a thousand times."""
    chance = random.Random(SEED)
    victim = make_victim(kind)
    victim.edit()
    victim.recover()
    deaths = 0
    while deaths < KILLS // 2:
        with telling(f"seed {SEED}, death {deaths + 1} on {kind}", f"-k 'random and {kind}'"):
            victim.edit()
            process = start_worker(victim, chance)
            until(lambda seen=victim.began: victim.journal.last > seen, "a first call to AIMS")
            threading.Event().wait(chance.random() * 0.4)  # the kill falls anywhere between two calls
            process.kill()
            deaths += process.exit_code == DIED  # else it was done before
            victim.watch_leases()
            victim.edit_again()
            victim.recover()
            victim.judge()


def start_worker(victim: Victim, chance: random.Random) -> Background:
    """Start one of the processes that push."""
    kind = chance.choice(("daemon", "drain", "sync"))
    if kind == "daemon":
        return victim.site.start_daemon()
    command = ("queue", "drain") if kind == "drain" else ("sync", "full")
    process = victim.site.electis.start(*command, log="victim.log")
    victim.site.daemons.append(process)
    return process


@contextlib.contextmanager
def telling(what: str, which: str) -> Iterator[None]:
    """Say in one line what went red, and how to run it again."""
    try:
        yield
    except BaseException:
        print(f"RED {what}: ELECTIS_TEST_KILL_SEED={SEED} .venv/bin/pytest -n0 {FILE} {which}")  # noqa: T201
        raise
