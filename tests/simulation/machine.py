"""A day of a store as a state machine: the real engine, the simulator's core, and everybody who interferes.

After every step all that design 5.4 promises is asked of the database and of AIMS; when a day ends well, everything
calms down and both sides must agree. A machine belongs to a stage (`machine_for`), whose database it starts over with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx
import sqlalchemy as sa
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from electis_cli.db import accounts, conferences, labels, ledger, people, runs, spaces, stores, tables
from electis_cli.db.accounts import Account
from electis_cli.db.stores import Store
from electis_cli.domain.conference import Meeting, Room, desired_page
from electis_cli.domain.errors import AimsUnreachable, BrakeTripped, ElectisError
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import MOST_OWN_FAILURES, LabelWish, LedgerRow, State
from electis_cli.services import (
    conferences as room_service,
)
from electis_cli.services import (
    conflicts,
    dead_letters,
    housekeeping,
    ping,
    queue,
)
from electis_cli.services import labels as label_service
from electis_cli.services import people as people_service
from electis_cli.services import spaces as space_service
from electis_cli.services.change import Change, Scope
from electis_cli.services.full_sync import Choice, approve_run, full_sync
from electis_cli.services.push.report import Ending, PushReport
from electis_cli.services.push.store import push_store
from electis_cli.simulator import Settings, Simulator
from electis_cli.simulator.clock import Clock
from electis_cli.simulator.messages import Request, Response
from electis_cli.simulator.model import Article
from tests.simulation.life import COLUMNS, KEYS, LEASE, REST, SETTLED, Died, RemoteEdit
from tests.simulation.stage import Contents, Process, Stage
from tests.world.ledger import remove
from tests.world.planted import AIMS_PASSWORD

ROOMS = {"C1": "1", "C2": "2"}
"""Conference rooms: their article ids, and the ids they have here."""

TROUBLES = (
    "die before", "die after", "lost", "unanswered", "edit here", "edit there", "delete here", "freeze",
    "freeze for long", "push", "sync", "late", "breaker",
)  # fmt: skip
"""What may happen around a call of a worker."""

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "500": {"kind": "status", "code": 500},
    "503 after the write": {"kind": "5xx", "form": "html", "applied": True, "method": "PUT"},
    "429": {"kind": "429"},
    "401": {"kind": "status", "code": 401},
    "html": {"kind": "html"},
    "cut": {"kind": "cut"},
    "empty": {"kind": "empty-200"},
    "reset": {"kind": "reset", "applied": True},
    "refuse": {"kind": "refuse"},
    "license": {"kind": "license"},
    "lost push": {"kind": "lost-push"},
    "stale read": {"kind": "stale-read", "seconds": 300.0},
}

troubles = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(TROUBLES)) | st.tuples(st.integers(1, 25), st.just("point")),
    max_size=2,
)
"""What happens at which call of a step; a `point` is a place in the engine's code where the process dies."""
Troubles = Sequence[tuple[int, str]]
workers = st.sampled_from(("A", "B"))
places = st.integers(0, 7)


def happening(function: Callable[..., None]) -> Callable[..., None]:
    """A step: what breaks in it has broken, and nobody asks afterwards whether the day ended well."""

    @functools.wraps(function)
    def happen(machine: Machine, *arguments: Any, **options: Any) -> None:
        try:
            function(machine, *arguments, **options)
        except BaseException:
            machine.is_red = True
            raise

    return happen


@dataclass
class Work:
    """What a process is at."""

    process: Process
    company: str
    troubles: Troubles
    is_push: bool = False
    calls: int = 0
    points: int = 0
    seen: set[str] = field(default_factory=set)  # what others wrote and this process has read since it began
    written: set[str] = field(default_factory=set)  # the articles it wrote in this work


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the database says at one moment."""

    facts: Mapping[str, Mapping[str, str]]  # by space: what its label shows in our columns
    rooms: Mapping[str, Room]  # by article id
    rows: Mapping[str, LedgerRow]
    wishes: Sequence[LabelWish]
    store: Store
    account: Account
    letters: Sequence[Mapping[str, Any]]  # every dead letter, with `closed_at` of its alert

    @property
    def wanted(self) -> set[str]:
        """The articles the database wants."""
        return {*self.facts, *self.rooms}

    def promised(self, key: str) -> bool:
        """Tell whether something is promised of an article: nothing is of one that waits for a person."""
        return key not in self.rows or self.rows[key].state is State.ACTIVE


class Machine(RuleBasedStateMachine):
    """One day; the stage it plays on is set by `machine_for`."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.is_red = False
        self.log: list[str] = []
        self.is_open = False

    @initialize(
        strategy=st.sampled_from((Strategy.MERGE,) * 3 + tuple(Strategy)),
        lag=st.sampled_from((0.0, 0.0, 20.0, 90.0)),
        filled=st.integers(0, len(KEYS)),
        is_running=st.booleans(),
    )
    @happening
    def begin(self, strategy: Strategy, lag: float, filled: int, is_running: bool) -> None:
        """A store with spaces and two rooms, new or in use, at an AIMS that shows what it took at once, or later."""
        stage = self.stage
        stage.begin()
        self.looked: tuple[bytes | None, Look] | None = None
        self.clock, self.strategy, self.is_open = stage.clock, strategy, True
        self.org_id = stage.offices["ACME"].org_id
        self.store_id = stage.store_ids["ACME"]
        self.cloud = Simulator(
            Settings(
                companies=("ACME", "OTHER"), stores=("001",), labels_per_store=3, gateways_per_store=1,
                floating_gateways=0, visibility_seconds=lag,
            ),
            clock=Clock(self._now),
        )  # fmt: skip
        self.frames: list[Work] = []
        self.processes = {name: self._start(name) for name in stage.databases}
        self.desk = self.processes["desk"].scopes["ACME"]
        self.late: list[Request] = []
        self.saved: tuple[Contents, Mapping[str, Any]] | None = None
        self.has_lied = False  # AIMS said yes to a push and dropped it
        self.is_troubled = False  # AIMS may meet the next call with a fault
        # What is known of every value: where it may be, and whom it replaced.
        self.values: dict[str, set[str]] = {key: {""} for key in (*KEYS, *ROOMS)}
        self.edits: dict[str, RemoteEdit] = {}  # what others wrote at AIMS, by value
        self.open_edits: dict[str, RemoteEdit] = {}  # those that must not vanish without a trace
        self.excused: set[str] = set()  # overwritten by a call whose process had read before they were made
        self.facts: dict[str, dict[str, str]] = {}  # the facts as they were last followed
        self.deleted: set[str] = set()
        self.foreign: set[str] = set()  # made by others: reported, never touched
        self.remade: set[str] = set()  # deleted at AIMS once, or made anew there
        self.versions: dict[str, tuple[int, int]] = {}
        # Labels that show something else than the database noted, after a restore or a late call. No listing tells of a
        # label that shows nothing, so a wish that equals the wrong note is not carried out.
        self.unsure: set[str] = set()
        with stage.database.engine.begin() as connection:
            connection.execute(
                tables.organizations.update()
                .where(tables.organizations.c.id == self.org_id)
                .values(strategy=strategy.value)
            )
        for key in KEYS[:filled]:
            self._make(key)
        for number in ROOMS.values():
            room_service.create_room(self.desk, number)
        self.codes = sorted(self.cloud.store("ACME", "001").labels)
        if is_running:
            for code, key in zip(self.codes, sorted(self.look().wanted), strict=False):
                label_service.link_label(self.desk, code, key)
            self._push("A", ())
            self.clock.advance(SETTLED)
            self._sync("A", (), Choice())

    def _start(self, name: str) -> Process:
        return self.stage.start_process(name, self._answer, self._reached)

    def _now(self) -> float:
        return self.clock.now.timestamp()

    def write_down(self, text: str) -> None:
        """Write into the day's log, which is printed when the day goes wrong."""
        self.log.append(f"{self.clock.now:%d %H:%M:%S} {'  ' * len(self.frames)}{text}")

    # --- people here ------------------------------------------------------------------------------------------------

    def _value(self, side: str, key: str) -> str:
        value = f"{side}{self.stage.number()}"
        self.values[key].add(value)
        return value

    def _existing(self, place: int) -> str | None:
        existing = sorted(self.look().facts)
        return existing[place % len(existing)] if existing else None

    def _said(self, *keys: str) -> None:
        """Somebody here changed these keys: from now on that is what may only be replaced by who saw it."""
        now = self.look().facts
        for key in keys:
            self.facts.pop(key, None)
            if key in now:
                self.facts[key] = dict(now[key])

    def _make(self, key: str) -> None:
        value = self._value("L", key)
        space_service.create_space(self.desk, key, data={"TITLE": value})
        self.deleted.discard(key)
        self._said(key)
        self.write_down(f"here: made {key} with {value}")

    def _edit_here(self, place: int, column: str) -> None:
        self.follow()
        key = self._existing(place)
        if key is None:
            return
        value = self._value("L", key)
        with self.stage.database.read(self.org_id) as uow:
            seated = people.occupants(uow, self.store_id, [key]).get(key)
        if seated is not None:
            people_service.update_person(self.desk, seated.external_id, data={column: value})
        else:
            space_service.update_space(self.desk, key, data={column: value})
        self._said(key)
        self.write_down(f"here: {key} {column} = {value}")

    def _delete_here(self, place: int) -> None:
        self.follow()
        key = self._existing(place)
        if key is not None:
            space_service.delete_space(self.desk, key, unassign_person=True)
            self.deleted.add(key)
            self.foreign.discard(key)
            self._said(key)
            self.write_down(f"here: deleted {key}")

    @rule(place=places, column=st.sampled_from(COLUMNS))
    @happening
    def edit_here(self, place: int, column: str) -> None:
        """Somebody changes a space, or who sits there."""
        self._edit_here(place, column)

    @rule(place=places, column=st.sampled_from(COLUMNS), name=workers, troubles=troubles)
    @happening
    def edit_and_push(self, place: int, column: str, name: str, troubles: Troubles) -> None:
        """Somebody changes a space, and a worker is at it at once."""
        self._edit_here(place, column)
        self._push(name, troubles)

    @rule(key=st.sampled_from(KEYS))
    @happening
    def make_here(self, key: str) -> None:
        """Somebody makes a space."""
        if key not in self.look().facts:
            self._make(key)

    @rule(place=places)
    @happening
    def delete_here(self, place: int) -> None:
        """Somebody deletes a space."""
        self._delete_here(place)

    @rule(place=places)
    @happening
    def seat(self, place: int) -> None:
        """Somebody gets a seat, or leaves it: what the label shows changes with them."""
        key = self._existing(place)
        if key is None:
            return
        with self.stage.database.read(self.org_id) as uow:
            seated = people.occupants(uow, self.store_id, [key]).get(key)
        if seated is not None:
            people_service.unassign_person(self.desk, seated.external_id)
            self.write_down(f"here: nobody on {key}")
        else:
            value = self._value("L", key)
            people_service.create_person(
                self.desk, f"P{self.stage.number()}", data={"TITLE": value}, space=key
            )
            self.write_down(f"here: somebody on {key} with {value}")
        self._said(key)

    @rule(key=st.sampled_from(tuple(ROOMS)), turn_on=st.booleans(), twice=st.booleans())
    @happening
    def meet(self, key: str, turn_on: bool, twice: bool) -> None:
        """A meeting begins or ends: the room's labels flip their page."""
        meeting = Meeting(name=self._value("L", key)) if turn_on else None

        def act() -> None:
            room_service.toggle_meeting(self.desk, ROOMS[key], turn_on=turn_on, meeting=meeting)

        self._act(act, twice=twice)
        self.write_down(f"here: meeting in {key} {'on' if turn_on else 'off'}")

    @rule(label=st.integers(0, 2), place=places, twice=st.booleans())
    @happening
    def link(self, label: int, place: int, twice: bool) -> None:
        """Somebody wishes that a label shows an article."""
        wanted = sorted(self.look().wanted)
        key = wanted[place % len(wanted)]
        self._act(lambda: label_service.link_label(self.desk, self.codes[label], key), twice=twice)
        self.write_down(f"here: label {label} shows {key}")

    @rule(label=st.integers(0, 2), twice=st.booleans())
    @happening
    def unlink(self, label: int, twice: bool) -> None:
        """Somebody wishes that a label shows nothing."""
        if any(wish.label_code == self.codes[label] for wish in self.look().wishes):
            self._act(lambda: label_service.unlink_label(self.desk, self.codes[label]), twice=twice)
            self.write_down(f"here: label {label} shows nothing")

    def _act(self, act: Callable[[], object], *, twice: bool) -> None:
        """Do something once, or twice: the second time must change nothing."""
        act()
        if twice:
            before = self._standing()
            act()
            assert self._standing() == before, "IDEMPOTENT: the second time changed something"

    @rule(paused=st.booleans(), name=workers)
    @happening
    def pause(self, paused: bool, name: str) -> None:
        """Somebody pauses the store's queue, or lets it go on; something is due, and a worker comes by."""
        queue.pause(self.desk, resume=not paused)
        self.write_down("here: paused" if paused else "here: resumed")
        self._edit_here(0, "TITLE")
        self._push(name, ())

    @rule()
    @happening
    def retry_dead_letters(self) -> None:
        """Somebody mends what AIMS refused, and has all that was given up pushed once more."""
        self.cloud.faults.clear()
        self.is_troubled = False
        count = dead_letters.retry_dead_letters(self.desk, dead_letters.Choice())
        self.write_down(f"here: {count} dead letters again, AIMS is well")

    @rule(place=places, take_ours=st.booleans(), twice=st.booleans())
    @happening
    def resolve(self, place: int, take_ours: bool, twice: bool) -> None:
        """Somebody decides on a conflict."""
        waiting = [one.article_id for one in conflicts.list_conflicts(self.desk) if one.open]
        if not waiting:
            return
        key = waiting[place % len(waiting)]
        self.follow()
        for _ in range(1 + twice):
            before = self._standing()
            try:
                conflicts.resolve_conflict(self.desk, key, take_ours=take_ours)
                assert _ == 0, "IDEMPOTENT: a decided conflict was decided again"
                self.write_down(f"here: {key} is {'ours' if take_ours else 'theirs'}")
            except ElectisError as error:
                assert self._standing() == before, "a refused decision changed something"
                self.write_down(f"here: {key} can not be resolved: {error.code}")
        self._said(key)
        if key not in self.facts:
            self.deleted.add(key)
        else:
            self.deleted.discard(key)

    @rule()
    @happening
    def save_aside(self) -> None:
        """Somebody makes a backup."""
        self.follow()
        model = {name: dict(getattr(self, name)) for name in ("facts", "versions")}
        self.saved = (self.stage.save(), model)
        self.write_down("here: a backup")

    @rule()
    @happening
    def restore(self) -> None:
        """Somebody puts the backup back: what AIMS shows now is newer than what the database knows."""
        if self.saved is None:
            return
        contents, model = self.saved
        self.stage.put_back(contents)
        self.looked = None
        self.facts = {key: dict(data) for key, data in model["facts"].items()}
        self.versions = dict(model["versions"])
        self.late.clear()
        self.deleted.clear()
        self.open_edits.clear()
        self.saved = None
        self.write_down("here: the backup is back")
        for wish in self.look().wishes:
            if not self._is_as_noted(wish):
                self.unsure.add(wish.label_code)
        # What AIMS shows is somebody's value now, who saw what the backup says.
        for key, article in self.shelf.items():
            if key not in self.facts:
                self.foreign.add(key)
                continue
            self.remade.add(key)
            for column in COLUMNS:
                value, ours = str(article.data.get(column) or ""), self.facts[key].get(column, "")
                if value != ours:
                    self.edits[value] = RemoteEdit(key, column, value, ours)

    # --- people at AIMS ---------------------------------------------------------------------------------------------

    @property
    def shelf(self) -> dict[str, Article]:
        """The articles of the store at AIMS."""
        return self.cloud.store("ACME", "001").articles

    def _write_there(self, key: str, column: str, value: str) -> None:
        article = self.shelf[key]
        seen = str(article.data.get(column) or "")
        self.open_edits.pop(seen, None)  # replaced by somebody who saw it
        edit = RemoteEdit(key, column, value, seen)
        self.edits[value] = self.open_edits[value] = edit
        self.cloud.store("ACME", "001").note_article(key, self._now())
        article.data = {**article.data, column: value}
        article.updated = self._now()
        self.write_down(f"there: {key} {column} = {value} over {seen}")

    def _edit_there(self, place: int, column: str) -> None:
        existing = sorted(self.shelf)
        if existing:
            key = existing[place % len(existing)]
            self._write_there(key, column, self._value("R", key))

    @rule(place=places, column=st.sampled_from(COLUMNS))
    @happening
    def edit_there(self, place: int, column: str) -> None:
        """Somebody changes an article with AIMS's own tools."""
        self._edit_there(place, column)

    @rule(place=places)
    @happening
    def delete_there(self, place: int) -> None:
        """Somebody deletes an article with AIMS's own tools."""
        existing = sorted(self.shelf)
        if not existing:
            return
        key = existing[place % len(existing)]
        self.cloud.store("ACME", "001").note_article(key, self._now())
        remove(self.cloud, key)
        self.open_edits = {value: edit for value, edit in self.open_edits.items() if edit.key != key}
        self.foreign.discard(key)
        self.remade.add(key)
        self.write_down(f"there: deleted {key}")

    @rule(key=st.sampled_from(KEYS))
    @happening
    def make_there(self, key: str) -> None:
        """Somebody makes an article with AIMS's own tools."""
        if key in self.shelf:
            return
        store, now = self.cloud.store("ACME", "001"), self._now()
        store.note_article(key, now)
        data = {"STORE_ID": "001", "ARTICLE_ID": key}
        store.articles[key] = Article(key, "", "", [], data, now, now)
        store.articles_changed()
        if key not in self.look().facts:
            self.foreign.add(key)
        self.remade.add(key)
        # Deleted and made anew between two looks of ours: AIMS broke the links, and nobody sees that.
        self.unsure.update(wish.label_code for wish in self.look().wishes if wish.acked_article == key)
        self._write_there(key, "TITLE", self._value("R", key))

    @rule(name=st.sampled_from(sorted(FAULTS)), count=st.sampled_from((1, 2, 4)))
    @happening
    def break_something(self, name: str, count: int) -> None:
        """AIMS meets the next calls with trouble."""
        fault = dict(FAULTS[name])
        self.has_lied |= name == "lost push"
        self.cloud.faults.add(fault.pop("kind"), count=count, **fault)
        self.is_troubled = True
        self.write_down(f"trouble: {name} {count} times")

    @rule(key=st.sampled_from((*KEYS, *ROOMS)))
    @happening
    def poison(self, key: str) -> None:
        """AIMS refuses an article from now on."""
        self.cloud.faults.add("reject-article", articles=(key,))
        self.is_troubled = True
        self.write_down(f"trouble: AIMS refuses {key}")

    # --- time -------------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from((1, 10, LEASE + 5, SETTLED, SETTLED, 900, 3700)))
    @happening
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)
        self.write_down(f"{seconds:g} s pass")

    @rule(name=workers)
    @happening
    def rest(self, name: str) -> None:
        """Nothing happens for longer than anything is remembered, and what is too old is forgotten."""
        self._keep_house(name)
        self.clock.advance(REST)
        self.late.clear()  # no network brings a request after so long
        self.write_down("8 days pass")
        self._keep_house(name)

    @rule(seconds=st.sampled_from((0.5, 3, 30)))
    @happening
    def set_clock_back(self, seconds: float) -> None:
        """A clock is set right."""
        self.clock.advance(-seconds)
        self.write_down(f"the clock goes back by {seconds:g} s")

    @rule(place=places)
    @happening
    def arrive_late(self, place: int) -> None:
        """A request that was given up long ago arrives."""
        self._deliver_late(place)

    def _deliver_late(self, place: int) -> None:
        if self.late:
            request = self.late.pop(place % len(self.late))
            self._excuse(request, seen=set())
            self.cloud.handle(request)
            self.unsure.update(code for code in self.codes if code.encode() in request.body)
            self.write_down(f"late: {request.method} {_short_path(request)}")

    # --- workers ----------------------------------------------------------------------------------------------------

    @rule(name=workers, troubles=troubles, twice=st.booleans())
    @happening
    def push(self, name: str, troubles: Troubles, twice: bool) -> None:
        """A worker pushes the store."""
        report = self._push(name, troubles)
        if twice and not self.is_troubled and report and report.ending is Ending.DONE and not report.waiting:
            before, written = self._standing(), self._writes()
            self._push(name, ())
            assert self._standing() == before, "IDEMPOTENT: a second push changed something"
            assert self._writes() == written, "IDEMPOTENT: a second push wrote again"

    @rule(name=workers, troubles=troubles)
    @happening
    def push_again(self, name: str, troubles: Troubles) -> None:
        """A worker pushes the store: as likely as three other steps together."""
        self._push(name, troubles)

    @rule(name=workers)
    @happening
    def push_undisturbed(self, name: str) -> None:
        """A worker pushes the store, and nothing happens meanwhile."""
        self._push(name, ())

    def _push(self, name: str, troubles: Troubles) -> PushReport | None:
        report: PushReport | None = self._work(
            name,
            "push",
            lambda scope: push_store(scope.runtime, scope.org_id, self.store_id),
            troubles,
            is_push=True,
        )
        return report

    @rule(name=workers, troubles=troubles, at_once=st.sampled_from((False, False, False, True)))
    @happening
    def sync(self, name: str, troubles: Troubles, at_once: bool) -> None:
        """A worker runs a full sync; what a brake holds waits for a person."""
        self._sync(name, troubles, Choice(believe_at_once=at_once))

    @rule(name=workers, twice=st.booleans())
    @happening
    def sync_undisturbed(self, name: str, twice: bool) -> None:
        """A worker runs a full sync, and nothing happens meanwhile."""
        is_done = self._sync(name, (), Choice())
        if twice and is_done and not self.is_troubled:
            before, written = self._standing(), self._writes()
            self._sync(name, (), Choice())
            assert self._standing() == before, "IDEMPOTENT: a second full sync changed something"
            assert self._writes() == written

    def _sync(self, name: str, troubles: Troubles, choice: Choice) -> bool:
        view = self._work(
            name, "sync", lambda scope: full_sync(scope, self.store_id, choice=choice), troubles
        )
        return view is not None

    @rule(name=workers, troubles=troubles)
    @happening
    def approve(self, name: str, troubles: Troubles) -> None:
        """Somebody approves what a brake held."""
        self._approve(name, troubles)

    def _approve(self, name: str, troubles: Troubles = ()) -> None:
        with self.stage.database.read(self.org_id) as uow:
            held = [run["id"] for run in runs.list_runs(uow, [self.store_id]) if run["state"] == "held"]
        if held:
            self._work(name, "approve", lambda scope: approve_run(scope, held[0]), troubles)

    @rule(name=workers, troubles=troubles)
    @happening
    def keep_house(self, name: str, troubles: Troubles) -> None:
        """A worker keeps house."""
        self._keep_house(name, troubles)

    def _keep_house(self, name: str, troubles: Troubles = ()) -> None:
        self._work(
            name, "house", lambda scope: housekeeping.keep_house(scope.runtime, scope.org_id), troubles
        )

    @rule(name=workers)
    @happening
    def ping(self, name: str) -> None:
        """A worker pings AIMS, as the daemon does every minute."""
        self._ping(name)

    def _ping(self, name: str) -> None:
        self._work(name, "ping", lambda scope: ping.ping(scope).ok)

    @rule(name=workers, key=st.sampled_from(KEYS))
    @happening
    def neighbor(self, name: str, key: str) -> None:
        """Another organization says something of a space of the same id, and a worker pushes that."""
        office = self.processes["desk"].scopes["OTHER"]
        value = f"N{self.stage.number()}"
        try:
            space_service.create_space(office, key, data={"TITLE": value})
        except ElectisError:
            space_service.update_space(office, key, data={"TITLE": value})
        self._work(
            name,
            "push of the neighbor",
            lambda scope: push_store(scope.runtime, scope.org_id, self.stage.store_ids["OTHER"]),
            company="OTHER",
        )

    def _work(
        self,
        name: str,
        what: str,
        work: Callable[[Scope], Any],
        troubles: Troubles = (),
        *,
        company: str = "ACME",
        is_push: bool = False,
    ) -> Any:
        """Let a worker do something; when it dies of it, another process takes its place. None when it failed."""
        process = self.processes[name]
        if any(frame.process is process for frame in self.frames):
            return None
        self.write_down(f"{name} {what} {list(troubles) or ''}")
        self.frames.append(Work(process, company, troubles, is_push))
        try:
            result = work(process.scopes[company])
        except BrakeTripped as brake:
            self.write_down(f"{name} {what}: {brake.why}")
        except ElectisError as error:
            self.write_down(f"{name} {what}: {error.code}")
        except Died:
            self.write_down(f"{name} {what}: died")
        else:
            self.write_down(f"{name} {what}: {_short(result)}")
            return result
        finally:
            self.frames.pop()
            if not process.is_alive:
                self.processes[name] = self._start(name)
        return None

    # --- inside of work ---------------------------------------------------------------------------------------------

    def _reached(self, process: Process) -> None:
        frame = self.frames[-1] if self.frames else None
        if frame is not None and frame.process is process:
            frame.points += 1
            if (frame.points, "point") in frame.troubles:
                process.is_alive = False
                raise Died

    def _answer(self, process: Process, request: Request) -> Response:
        """Bring a request of a process to AIMS, with all that happens around it."""
        frame = self.frames[-1]
        place, is_write = frame.calls, request.method != "GET" and "/token" not in request.path
        frame.calls += 1
        self._check_call(frame, request, is_write=is_write)
        troubles = [what for at, what in frame.troubles if at == place and what != "point"]
        for what in troubles:
            self._meddle(process, place, what)
        if is_write and "lost" in troubles:
            self.late.append(request)
            self.write_down(f"{request.method} {_short_path(request)} gets lost")
            raise httpx.ReadTimeout("no answer came")
        if is_write:
            self._excuse(request, frame.seen)
        response = self.cloud.handle(request)
        self.write_down(f"{process.name} {request.method} {_short_path(request)}: {response.status}")
        if not is_write:
            frame.seen.update(value for value in self.open_edits if f'"{value}"'.encode() in response.body)
        if "die after" in troubles:
            process.is_alive = False
            raise Died
        if "unanswered" in troubles:
            raise httpx.ReadTimeout("no answer came")
        return response

    def _meddle(self, process: Process, place: int, what: str) -> None:
        other = "B" if process.name == "A" else "A"
        if what == "die before":
            process.is_alive = False
            raise Died
        if what == "edit here":
            self._edit_here(place, "TITLE")
        elif what == "delete here":
            self._delete_here(place)
        elif what == "edit there":
            self._edit_there(place, "TITLE")
        elif what == "freeze":
            self.clock.advance(5)
        elif what == "freeze for long":
            self.clock.advance(LEASE * 1.5)
        elif what == "push":
            self._push(other, ())
        elif what == "sync":
            self._sync(other, (), Choice())
        elif what == "late":
            self._deliver_late(place)
        elif what == "breaker":
            self._open_breaker()

    def _open_breaker(self) -> None:
        """Somebody else finds AIMS out of reach: the push of another store, or the daemon's ping."""
        with self.stage.database.write(self.org_id) as uow:
            change = Change(uow=uow, scope=self.desk, now=self.clock())
            ping.open_breaker(change, reason="health", error=AimsUnreachable())
            uow.commit()
        self.write_down("the breaker opens")

    def _excuse(self, request: Request, seen: set[str]) -> None:
        """Note what a write is about to overwrite that came after its process looked: nobody promises to keep that."""
        if "articles" not in request.path:
            return
        if request.method != "DELETE":
            # Deleted at AIMS after the look, or while it hides that: made anew without the links, which nobody sees.
            self.unsure.update(
                wish.label_code
                for wish in self.look().wishes
                if wish.acked_article is not None
                and wish.acked_article not in self.shelf
                and f'"{wish.acked_article}"'.encode() in request.body
            )
        for value, edit in self.open_edits.items():
            if value not in seen and f'"{edit.key}"'.encode() in request.body:
                self.excused.add(value)

    def _check_call(self, frame: Work, request: Request, *, is_write: bool) -> None:
        """TENANT, and OPEN or PAUSED = 0 writes."""
        company = request.query.get("company", [frame.company])
        assert company == [frame.company], f"TENANT: a call for {company} on behalf of {frame.company}"
        assert request.query.get("store", ["001"]) == ["001"], "TENANT: a call for another store"
        if frame.is_push and is_write:
            look = self.gate()
            assert look[0].paused_at is None, "PAUSED: a paused store is written to"
            assert look[1].breaker != "open", "OPEN: AIMS is written to while the breaker is open"

    # --- what the database says -------------------------------------------------------------------------------------

    def gate(self) -> tuple[Store, Account]:
        """Return what lets writes through, or stops them."""
        with self.stage.database.read(self.org_id) as uow:
            store = stores.find_store(uow, store_id=self.store_id)
            assert store is not None
            return store, accounts.find_account(uow)

    def look(self) -> Look:
        """Return what the database says now; nothing is read twice of a database that stands still."""
        version = self.stage.version()
        if self.looked is None or version is None or self.looked[0] != version:
            self.looked = (version, self._read())
        return self.looked[1]

    def _read(self) -> Look:
        with self.stage.database.read(self.org_id) as uow:
            found = spaces.list_spaces(uow, [self.store_id])
            seated = people.occupants(uow, self.store_id, [space.external_id for space in found])
            store = stores.find_store(uow, store_id=self.store_id)
            assert store is not None
            letters, alerts = tables.dead_letters.c, tables.alerts.c
            statement = (
                sa.select(letters.kind, letters.subject, letters.ended_at, letters.ended_by, alerts.closed_at)
                .outerjoin(tables.alerts, letters.alert_id == alerts.id)
                .where(letters.org_id == self.org_id)
            )
            return Look(
                facts={
                    space.external_id: {
                        **space.data,
                        **(seated[space.external_id].data if space.external_id in seated else {}),
                    }
                    for space in found
                },
                rooms={f"C{room.external_id}": room for room in conferences.list_rooms(uow, [self.store_id])},
                rows=ledger.all_rows(uow, self.store_id),
                wishes=labels.list_wishes(uow, [self.store_id]),
                store=store,
                account=accounts.find_account(uow),
                letters=[dict(row) for row in uow.execute(statement).mappings()],
            )

    def _standing(self) -> object:
        """Return all that a step that is done again must leave alone."""
        look = self.look()
        return (
            look.facts,
            look.rooms,
            {
                key: (row.desired_version, row.synced_version, row.state, row.base_hash, row.attempts)
                for key, row in look.rows.items()
            },
            [
                (wish.label_code, wish.version, wish.desired_article, wish.acked_article, wish.state)
                for wish in look.wishes
            ],
            look.store.paused_at is None,
        )

    def _writes(self) -> list[str]:
        return [
            f"{entry.method} {entry.path} {entry.articles}"
            for entry in self.cloud.journal.after()
            if entry.method != "GET" and "token" not in entry.path
        ]

    # --- what must always hold --------------------------------------------------------------------------------------

    @invariant()
    @happening
    def check(self) -> None:
        """All that can be asked after every step."""
        if not self.is_open:
            return
        look = self.look()
        self.follow(look)
        self._check_order(look)
        self._check_states(look)
        self._check_dead_letters(look)
        self._check_edits(look)
        self._follow_labels(look)
        self._check_ghosts()
        self._check_secrets()

    def follow(self, look: Look | None = None) -> None:
        """NO LOST WRITE and NO RESURRECTION here: what changed since was changed by somebody who had seen it."""
        now = (look or self.look()).facts
        for key in sorted({*now, *self.facts}):
            before, after = self.facts.get(key), now.get(key)
            if before is None:
                raise AssertionError(f"NO RESURRECTION: {key} is here, and nobody made it")
            if after is None:
                is_taken = self.strategy is Strategy.AIMS_WINS and key in self.remade
                assert is_taken, f"NO LOST WRITE: {key} is gone, and nobody here deleted it"
                self.deleted.add(key)
                continue
            for column in COLUMNS:
                old, new = before.get(column, ""), after.get(column, "")
                if old != new:
                    self._check_replaced(key, column, old, new)
        self.facts = {key: dict(data) for key, data in now.items()}
        for data in now.values():
            for value in data.values():
                self.open_edits.pop(value, None)

    def _check_replaced(self, key: str, column: str, old: str, new: str) -> None:
        value = new
        while value in self.edits:
            value = self.edits[value].seen
            if value == old:
                return
        if key in self.remade and (new == "" or value == ""):
            return  # made anew at AIMS, where everything else is empty
        if self.has_lied and new in self.edits:
            return  # AIMS took the old value and dropped it: who wrote there since could not see it
        # The strategy takes AIMS's side of the whole article; what was said here is kept.
        is_theirs = self.strategy is Strategy.AIMS_WINS and any(
            old in (kept["local"] or {}).values() for kept in self._kept()
        )
        assert is_theirs, f"NO LOST WRITE: {key} {column} was {old!r} and is {new!r}, made over {value!r}"

    def _kept(self) -> list[dict[str, Any]]:
        with self.stage.database.read(self.org_id) as uow:
            return runs.list_conflicts(uow, [self.store_id])

    def _check_order(self, look: Look) -> None:
        for key, row in look.rows.items():
            between = row.synced_version if row.inflight_version is None else row.inflight_version
            assert row.synced_version <= between <= row.desired_version, f"ORDER: {key} {row}"
            desired, synced = self.versions.get(key, (0, 0))
            assert row.desired_version >= desired, f"ORDER: {key} is desired in an older version"
            assert row.synced_version >= synced, f"ORDER: {key} is acknowledged in an older version"
            self.versions[key] = (row.desired_version, row.synced_version)
            assert row.attempts <= MOST_OWN_FAILURES, f"AT MOST 8 own failures: {key}"
        for key in set(self.versions) - set(look.rows):
            del self.versions[key]  # a tombstone whose time is over
        for wish in look.wishes:
            assert wish.synced_version <= wish.version, f"ORDER: {wish}"
            assert wish.attempts <= MOST_OWN_FAILURES, f"AT MOST 8 own failures: {wish.label_code}"

    def _check_states(self, look: Look) -> None:
        """Every accepted change is synced, on its way, or with a person; none is forgotten."""
        for key in look.wanted:
            row = look.rows.get(key)
            assert row is not None, f"FORGOTTEN: {key} is not in the ledger"
            assert not row.desired_deleted, f"FORGOTTEN: {key} is wanted, and the ledger wants it deleted"
            if row.state is State.ACTIVE and not row.is_dirty and key in look.facts:
                base = row.base or {}
                for column in COLUMNS:
                    here, agreed = look.facts[key].get(column, ""), base.get(column, "")
                    assert here == agreed, f"FORGOTTEN: {key} {column} is {here!r}, agreed is {agreed!r}"
        for key, row in look.rows.items():
            assert key in look.wanted or row.desired_deleted, f"FORGOTTEN: nobody wants {key}, yet it stays"

    def _check_dead_letters(self, look: Look) -> None:
        told = {(letter["kind"], letter["subject"]) for letter in look.letters}
        open_ones = {(one["kind"], one["subject"]) for one in look.letters if one["ended_at"] is None}
        for letter in look.letters:
            assert letter["ended_at"] is not None or letter["closed_at"] is None, (
                f"DEAD LETTER without an open alert: {letter}"
            )
        failed = {("article", key) for key, row in look.rows.items() if row.state is State.FAILED}
        failed |= {("label", wish.label_code) for wish in look.wishes if wish.state is State.FAILED}
        assert failed <= told, f"FAILED without a dead letter: {failed - told}"
        assert open_ones <= failed, f"DEAD LETTERS of what has not failed: {open_ones - failed}"

    def _check_edits(self, look: Look) -> None:
        """NO LOST WRITE of others: what AIMS does not show any more is here, kept, or was never promised."""
        gone = []
        for value, edit in self.open_edits.items():
            article = self.shelf.get(edit.key)
            if article is None or str(article.data.get(edit.column) or "") != value:
                gone.append(value)
        if not gone:
            return
        kept = {str(value) for one in self._kept() for value in (one["remote"] or {}).values()}
        for value in gone:
            edit = self.open_edits.pop(value)
            assert value in kept | self.excused, f"NO LOST WRITE: {edit} is gone without a trace"

    def _follow_labels(self, look: Look) -> None:
        for wish in look.wishes:
            if self._is_as_noted(wish):
                self.unsure.discard(wish.label_code)

    def _is_as_noted(self, wish: LabelWish) -> bool:
        label = self.cloud.store("ACME", "001").labels[wish.label_code]
        noted = [] if wish.acked_article is None else [wish.acked_article]
        return label.articles == noted and wish.acked_page in {None, label.page}

    def _check_ghosts(self) -> None:
        for key, article in self.shelf.items():
            assert key in self.values, f"NO GHOST: nobody created {key}"
            for column in COLUMNS:
                value = str(article.data.get(column) or "")
                assert value in self.values[key], f"NO GHOST: nobody ever said {value!r} of {key}"

    def _check_secrets(self) -> None:
        path = self.stage.database.path
        if path is not None:
            self._refuse_secrets(path.read_bytes())

    def _refuse_secrets(self, text: bytes) -> None:
        world = self.cloud.world
        for secret in (AIMS_PASSWORD, *world.tokens, *world.refresh_tokens):
            assert secret.encode() not in text, "NO SECRET in any row: one is there in the clear"

    # --- the end of the day -----------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """CONVERGENCE, when the day went well; then the processes end."""
        if self.is_open and not self.is_red:
            try:
                self._calm_down()
                self._check_agreement()
                if self.stage.database.path is None:
                    self._refuse_secrets(repr(self.stage.save()).encode())
            except BaseException:
                self.is_red = True
                raise
            finally:
                self._tell()
        else:
            self._tell()

    def _tell(self) -> None:
        if self.is_red:
            note("\n".join(["The day:", *self.log]))

    def _calm_down(self) -> None:
        """No more faults, edits or deaths: three full syncs more than a settle window apart, each with its push."""
        self.cloud.faults.clear()
        while self.late:
            self._deliver_late(0)
        queue.pause(self.desk, resume=True)
        self.write_down("calm")
        for _ in range(3):
            self.clock.advance(901)
            self._round()
            self.check()

    def _round(self) -> None:
        self._ping("A")
        if not self._sync("A", (), Choice()):
            self._approve("A")
        for _ in range(6):
            report = self._push("A", ())
            self.clock.advance(5)
            if report is not None and report.ending is Ending.DONE and not report.moved + report.waiting:
                break
        self._keep_house("A")

    def _check_agreement(self) -> None:
        look = self.look()
        for key in sorted({*look.wanted, *self.shelf}):
            if not look.promised(key):
                continue
            article = self.shelf.get(key)
            if key not in look.wanted:
                # Changed by others while AIMS still hid it from our deletion: made anew, as far as anybody can tell.
                is_theirs = any(value in self.edits for value in article.data.values()) if article else True
                assert key in self.foreign or is_theirs, (
                    f"NO RESURRECTION: {key} was deleted here, and AIMS has it"
                )
                continue
            assert not look.rows[key].is_dirty, f"CONVERGENCE: {key} is pending when everything is calm"
            assert article is not None, f"CONVERGENCE: AIMS does not have {key}"
            there = {column: str(article.data.get(column) or "") for column in COLUMNS}
            if key in look.facts:
                here = {column: look.facts[key].get(column, "") for column in COLUMNS}
            else:
                room = look.rooms[key]
                there |= {"MEETING_NAME": str(article.data.get("MEETING_NAME") or "")}
                here = {**dict.fromkeys(COLUMNS, ""), "MEETING_NAME": room.meeting_name or ""}
            assert here == there, f"CONVERGENCE: {key} is {here} here and {there} there"
        self._check_labels(look)
        written = self._writes()
        self.clock.advance(SETTLED)
        self._round()
        more = self._writes()[len(written) :]
        assert not more, f"CONVERGENCE: still written when everything was calm: {more}"

    def _check_labels(self, look: Look) -> None:
        shown = self.cloud.store("ACME", "001").labels
        for wish in look.wishes:
            key = wish.desired_article
            if wish.label_code in self.unsure:
                continue
            if wish.state is not State.ACTIVE or (key is not None and key not in look.wanted):
                continue
            if key is not None and not look.promised(key):
                continue
            label = shown[wish.label_code]
            expected = [] if key is None else [key]
            assert label.articles == expected, (
                f"CONVERGENCE: label {wish.label_code} shows {label.articles}, wished is {expected}"
            )
            if key is not None and key in look.rooms:
                page = desired_page(look.rooms[key])
                assert label.page == page, f"CONVERGENCE: {wish.label_code} on page {label.page}, not {page}"


def machine_for(stage: Stage) -> type[Machine]:
    """Return the machine whose days play on a stage."""

    class Staged(Machine):
        """A day on this stage."""

    Staged.stage = stage
    return Staged


def _short_path(request: Request) -> str:
    return request.path.rpartition("/")[2]


def _short(result: object) -> str:
    if isinstance(result, PushReport):
        names = (
            "created",
            "updated",
            "deleted",
            "agreed",
            "linked",
            "unlinked",
            "flipped",
            "failed",
            "waiting",
        )
        counts = {name: getattr(result, name) for name in names if getattr(result, name)}
        return f"{result.ending.value} {counts}"
    return str(getattr(result, "counts", result))
