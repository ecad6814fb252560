"""What support is told means the same in whatever dialects AIMS answers: commands, not decoders, walked through all.

Every two words of the simulator's dialects meet (contract 9.4, and the quirks Q1 to Q20 and Q29 of contract 7).
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from electis_cli.aims import deadline
from electis_cli.simulator import Dialect, Settings, Simulator, SimulatorServer
from electis_cli.simulator.dialects.choice import CHOICES
from electis_cli.simulator.dialects.quirks import BATTERIES, SIGNALS
from tests.flows.in_process import InProcess
from tests.world.dialects import pairwise, unmet

STORES = ("001", "002", "003")
COMBINATIONS = pairwise(CHOICES)
TRIED = [
    pytest.param(words, id="-".join(words.values()), marks=[] if place == 1 else [pytest.mark.slow])
    for place, words in enumerate(COMBINATIONS)
]
UNSETTLED = {"ELECTIS_SETTLE_SECONDS": "86400"}
"""What AIMS took lately may always be on its way to its lists: no verdict turns with the time a test takes."""

LOOKING = """
aims ping
aims doctor
aims doctor --store 001
aims format fetch --dry-run
aims format diff
aims article list
aims article list --name dana
aims article list --name nobody
aims article show 117
aims article show 007
aims article show 5-1
aims article history 117
aims article history 117 --upload {upload}
aims article linked
aims batch list
aims batch list --kind assign
aims batch list --kind imagepush
aims batch show {lossy}
aims batch show {linked}
aims batch errors {lossy}
aims batch errors {linked}
aims gateway list
aims gateway list --online
aims gateway list --offline
aims gateway show {gateway}
aims gateway show {silent}
aims store list
aims store list --ours
aims store summary
aims whitelist list
aims whitelist list --unassigned
aims api GET /store/summary --query store=001
aims api GET /articles --query store=001 --all-pages
label list
label list --unassigned
label list --offline
label list --low-battery
label show {desk}
label history {desk}
label history {room}
explain space 117
explain space 007
explain space 5-1
explain space 4-2
explain person P-1
explain conference 3
explain label {desk}
explain label {late}
explain label {far}
find dana
sync full --store 001
sync full --store 002 --dry-run --no-window
sync full --store 003 --dry-run
sync status
""".strip().splitlines()

ORDERS = """
space update 117 --store 001 --set PHONE=6
space create T-1 --store 003
label link {free} 4-2 --store 001
conference toggle 3 --store 001
queue drain
space update 117 --store 001 --set PHONE=5
label unlink {free} --store 001
conference toggle 3 --store 001
space delete T-1 --store 003 --yes
sync full --store 001
sync full --store 003
aims whitelist add {free} --store 001 --yes
aims whitelist list --store 001
aims whitelist remove {free} --store 001 --yes
aims whitelist list --store 001
label blink {desk} 0A1B2C3DB290 --store 001
label resend {desk} --store 001
label resend --timeouts --store 001
aims gateway reboot {gateway} --store 001 --yes
aims gateway list --offline --store 001
aims format push --dry-run
aims mapping set --default DEPARTMENT=Sales
queue drain
aims mapping set --no-default DEPARTMENT
queue drain
""".strip().splitlines()

MOVING = {
    "ms", "milliseconds", "run", "last_run", "digest", "fetched_at", "last_sync_at", "next_sync_at", "last_solum_ping",
    "last_connection", "last_response"
}  # fmt: skip
"""What is another value whenever one asks: that it is told is compared, not what it is."""
GROWING = {"version", "batch", "at", "created", "updated", "last_reboot"}
"""What every turn of the orders makes anew."""
BESIDE = {"extra", "settings", "curl"}
"""AIMS's own words, passed on as they are."""
UNTOLD = [
    ("labels", "omitted", "aims article", {"labels"}),
    ("labels", "some", "aims article", {"labels"}),
    ("detail", "odd", "explain", {"page"}),
    ("detail", "odd", "label show", {"page", "page_word", "updated_at"}),
    ("detail", "none", "label show", {"pages", "updated_at"}),
    (
        "stores",
        "codes",
        "aims store list",
        {"name", "labels", "gateways", "articles", "timezone", "country", "city", "updated"},
    ),
]
"""What AIMS does not tell in a dialect, by command: then nothing is said of it, and never anything else."""
OTHERWISE = [("detail", "odd", "label show", {"pages"})]
"""What AIMS tells otherwise: a page that timed out stands beside the one that it shows (Q20)."""
LEVELS = {str(number): word for numbers in (BATTERIES, SIGNALS) for word, number in numbers.items()}


@dataclass
class Scene:
    """Stores in every state that the commands tell apart; 001 is quiet, 002 was edited at AIMS, 003 is empty."""

    electis: InProcess
    cloud: Simulator
    names: Mapping[str, str]

    def ask(self, line: str) -> dict[str, Any]:
        """Run a command with JSON for its output; returns its exit code and what it said."""
        words = line.format(**self.names).split()
        done = self.electis(*words, "-o", "json", check=None)
        return {"code": done.code, "said": done.json if done.out else done.error}

    def walk(self, lines: Sequence[str], passing: AbstractSet[str]) -> dict[str, Any]:
        """Run commands one after the other; returns what each of them means."""
        told = {}
        for place, line in enumerate(lines):
            told[f"{place} {line}"] = meaning(self.ask(line), passing=passing)
            if "reboot" in line:
                self.cloud.clock.advance(61)  # until the gateway is back
        return told


def make_scene(server: SimulatorServer, home: Path) -> Scene:
    electis, cloud = InProcess(home, {"ELECTIS_AIMS_HOSTS": server.base_url, **UNSETTLED}), server.simulator
    place = cloud.store("ACME", "001")
    desk, room, late, far, free, *_ = codes = sorted(place.labels)
    gateway, silent = sorted(place.gateways)
    electis.initialize()
    electis(
        "aims", "configure", "--base-url", server.base_url, "--company", "ACME", "--username", "tester",
        "--password-stdin", stdin="aims-secret\n",
    )  # fmt: skip
    with cloud.lock:
        place.labels[late].outcome, place.labels[late].battery = "TIMEOUT", "BAD"
        place.labels[far].online = False
        place.labels[codes[6]].online, place.labels[codes[7]].battery = False, "BAD"
        place.gateways[silent].silent_since = cloud.clock.now() - 1000
        place.whitelist |= dict.fromkeys((desk, codes[7]), cloud.clock.now())
    for line in (
        *(f"store create {code} --name Main-{code}" for code in STORES),
        "space create 117 --store 001 --set TITLE=Corner",
        "space create 007 --store 001",
        "space create 4-2 --store 001",
        "people create P-1 --store 001 --set ITEM_NAME=Dana --space 117",
        "conference create 3 --store 001 --name Board",
        "space create 5-1 --store 002 --set TITLE=Door",
        f"label link {desk} 117 --store 001",
        f"label link {room} C3 --store 001",
        f"label link {late} 4-2 --store 001",
        f"label link {far} 007 --store 001",
        "queue drain",
        "sync full",
        "sync full",
    ):
        electis(*line.split(), check=None)
    cloud.faults.add("partial", articles=("007",), message="too long")
    for line in (
        "space update 117 --store 001 --set PHONE=5",
        "space update 007 --store 001 --set PHONE=5",
        "queue drain",
    ):
        electis(*line.split(), check=None)
    cloud.faults.clear()
    with cloud.lock:
        cloud.store("ACME", "002").articles["5-1"].data |= {"TITLE": "Window"}
    batches = electis("aims", "batch", "list", "-o", "json").json
    names = {
        "desk": desk, "room": room, "late": late, "far": far, "free": free, "gateway": gateway, "silent": silent,
        "lossy": next(row["batch"] for row in batches if row["failed"]),
        "linked": electis("aims", "batch", "list", "--kind", "assign", "-o", "json").json[0]["batch"],
        "upload": electis("aims", "article", "history", "117", "-o", "json").json[-1]["upload"],
    }  # fmt: skip
    return Scene(electis, cloud, names)


@pytest.fixture(scope="module", autouse=True)
def certificates_are_loaded_once() -> Iterator[None]:
    """Loading the machine's certificates takes longer than most commands here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deadline, "authorities", functools.cache(deadline.authorities))
        yield


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Scene]]:
    """Return how to make a scene; pages of three, so that most lists need several."""
    with contextlib.ExitStack() as stack:

        def make() -> Scene:
            settings = Settings(stores=STORES, labels_per_store=8, update_seconds=0.0, page_cap=3)
            server = stack.enter_context(SimulatorServer(Simulator(settings)))
            return make_scene(server, tmp_path_factory.mktemp("scene"))

        yield make


# --- what two answers have in common --------------------------------------------------------------------------------


def meaning(value: Any, key: str = "", *, passing: AbstractSet[str]) -> Any:
    """Return what an answer says without the ways to say it that AIMS has (Q15, Q16, Q18)."""
    if key in passing:
        return value is not None
    if key == "body":  # of a raw call, in the dialect itself
        return len(value) if isinstance(value, list) else bool(value)
    if isinstance(value, dict):
        told = {
            name: meaning(one, name, passing=passing) for name, one in value.items() if name not in BESIDE
        }
        # What AIMS holds is shown as it holds it: null, blank or missing are the same nothing there.
        return {name: one for name, one in told.items() if one} if key == "data" else told
    if isinstance(value, list):
        rows = [meaning(one, key, passing=passing) for one in value]
        # A field that has a value on neither side is none.
        return [
            row
            for row in rows
            if not (isinstance(row, dict) and {"ours", "aims"} <= row.keys()) or row["ours"] or row["aims"]
        ]
    if isinstance(value, str):
        return _said(value, key)
    return value


def _said(text: str, key: str) -> str | None:
    text = LEVELS.get(text, text) if key in {"battery", "signal"} else text.strip()
    if re.fullmatch(r'".*"', text, re.DOTALL):
        return text[1:-1].replace('""', '"')
    return text


def differing(told: Any, found: Any, words: Mapping[str, str], line: str, where: str = "") -> list[str]:
    """Return where two meanings differ; what AIMS does not tell in a dialect may be missing."""
    if isinstance(told, dict) and isinstance(found, dict):
        untold, otherwise = named_in(UNTOLD, words, line), named_in(OTHERWISE, words, line)
        return [
            one
            for name in dict.fromkeys([*told, *found])
            if name not in otherwise and not (name in untold and found.get(name) in (None, "", []))
            for one in differing(told.get(name), found.get(name), words, line, f"{where}.{name}")
        ]
    if isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        return [
            one
            for place, pair in enumerate(zip(told, found, strict=True))
            for one in differing(*pair, words, line, f"{where}[{place}]")
        ]
    return [] if told == found else [f"{where}: {told!r}, now {found!r}"]


def named_in(
    table: Sequence[tuple[str, str, str, set[str]]], words: Mapping[str, str], line: str
) -> set[str]:
    """Return the fields that a table has for a command in a combination of dialects."""
    fields = [
        names for word, value, command, names in table if words[word] == value and f" {command}" in line
    ]
    return set().union(*fields)


# --- the walk -------------------------------------------------------------------------------------------------------


@dataclass
class Walk:
    """Commands that were walked in AIMS's usual way, to be walked again in others."""

    scene: Scene
    lines: Sequence[str]
    passing: AbstractSet[str]

    def __post_init__(self) -> None:
        self.scene.walk(self.lines, self.passing)  # the first turn of all is not like the others
        self.told = self.scene.walk(self.lines, self.passing)

    def differences(self, words: Mapping[str, str]) -> dict[str, list[str]]:
        """Return what the commands say otherwise in a dialect, by command."""
        self.scene.cloud.dialects.set(Dialect(**words))
        try:
            found = self.scene.walk(self.lines, self.passing)
        finally:
            self.scene.cloud.dialects.clear()
        return {
            line: differences
            for line in found
            if (differences := differing(self.told[line], found[line], words, line))
        }


@pytest.fixture(scope="module")
def looking(scenes: Callable[[], Scene]) -> Walk:
    return Walk(scenes(), LOOKING, MOVING)


@pytest.fixture(scope="module")
def orders(scenes: Callable[[], Scene]) -> Walk:
    return Walk(scenes(), ORDERS, MOVING | GROWING)


def test_every_two_words_of_the_dialects_meet_in_few_combinations():
    assert unmet(CHOICES, COMBINATIONS) == set()
    assert 20 <= len(COMBINATIONS) <= 28


@pytest.mark.parametrize("words", TRIED)
def test_what_support_looks_at_is_the_same_in_every_dialect(looking, words):
    assert looking.differences(words) == {}


@pytest.mark.parametrize("words", TRIED)
def test_what_is_ordered_ends_the_same_in_every_dialect(orders, words):
    assert orders.differences(words) == {}
