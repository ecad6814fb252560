"""Every case of a small world, planned by the code and read off the design's table (design 5.3).

The table below is written down once more, in the words of the cases and without a helper of the code: both must say the
same of each case. A case is told in words (`stayed`, `settling`), and only `subject_of` turns it into a ledger row.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from electis_cli.domain.articles import ABSENT, content_hash
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import LedgerRow, State
from electis_cli.domain.reconcile import Step, Subject, Terms, make_plan

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
W = timedelta(seconds=120)
SECOND = timedelta(seconds=1)

# What the sides may show: agreed on, edited here, edited there (the same field, another one, both), emptied, and what
# AIMS itself makes of the agreed one.
AGREED = {"TITLE": "two  words", "PHONE": "1"}
OURS = {"TITLE": "ours", "PHONE": "1"}
THEIRS = {"TITLE": "theirs", "PHONE": "1"}
BESIDE = {"TITLE": "two  words", "PHONE": "2"}
BOTH = {"TITLE": "theirs", "PHONE": "2"}
EMPTY: dict[str, str] = {}
FORM = {"TITLE": "two words", "PHONE": "1"}
NEVER = {"TITLE": "never shown"}

Content = Mapping[str, str] | None


class Case(NamedTuple):
    """One article in words; everything that is not said is the quiet default."""

    base: Content = None  # None: nothing was agreed on
    local: Content = None
    remote: Content = None
    met: bool = True  # the ledger has a row
    deleted: bool = False
    dirty: bool = False
    state: State = State.ACTIVE
    known: bool = False  # what is listed is in the known set
    absence_known: bool = False  # a DELETE of ours is younger than seven days
    odd: str = "no"  # what was noted: no, stayed, young, other
    settling: bool = False  # acknowledged less than W ago
    fresh: bool = False  # AIMS's own "last updated" moved
    missing: str = "no"  # no, stayed, young
    seen: str = "after"  # a complete listing saw it: no, before, after our last acknowledgement
    read_equal: bool = True  # since our acknowledgement
    rounds: int = 0
    room: bool = False
    base_is_absence: bool = False  # with no base: absence was agreed on
    moves: str = ""  # "moving" or "in flight"
    linked: bool = False


class Circumstances(NamedTuple):
    """The terms of a plan in words."""

    strategy: Strategy
    first: bool = False
    hurry: bool = False  # --no-window
    take_in: bool = False


def subject_of(case: Case) -> Subject:
    """Turn the words of a case into what the planner is given."""
    acked_at = NOW - (W / 2 if case.settling else 3 * W)
    noted = {
        "no": (None, None),
        "stayed": (content_hash(case.remote), NOW - W),
        "young": (content_hash(case.remote), NOW - W + SECOND),
        "other": (content_hash(NEVER), NOW - 3 * W),
    }[case.odd]
    row = LedgerRow(
        article_id="4-1",
        desired_version=5,
        desired_seq=1,
        desired_deleted=case.deleted,
        synced_version=4 if case.dirty else 5,
        base=case.base,
        base_hash=content_hash(case.base)
        if case.base is not None
        else ABSENT
        if case.base_is_absence
        else None,
        state=case.state,
        inflight_version=5 if case.moves == "in flight" else None,
        acked_at=acked_at,
        last_seen_remote_at={"no": None, "before": acked_at - SECOND, "after": acked_at}[case.seen],
        missing_since={"no": None, "stayed": NOW - W, "young": NOW - W + SECOND}[case.missing],
        odd_hash=noted[0],
        odd_since=noted[1],
        read_equal_at=NOW - 2 * W if case.read_equal else None,
        echo_rounds=case.rounds,
    )
    known = {content_hash(NEVER)}
    if case.known and case.remote is not None:
        known.add(content_hash(case.remote))
    if case.absence_known:
        known.add(ABSENT)
    return Subject(
        article_id="4-1",
        row=row if case.met else None,
        local=case.local,
        remote=case.remote,
        known=frozenset(known),
        is_room=case.room,
        was_moving=case.moves == "moving",
        is_fresh=case.fresh,
        is_linked=case.linked,
    )


# --- the table ------------------------------------------------------------------------------------------------------


class Expected(NamedTuple):
    """What a plan must do with a case."""

    step: Step
    adopt: Mapping[str, str] = {}
    push: bool = False


Condition = Callable[[Case, Circumstances], bool]
Outcome = Expected | Callable[[Case, Circumstances], Expected]


def waits(case: Case) -> bool:
    return case.dirty or case.state is not State.ACTIVE


def asked(case: Case) -> bool:
    return case.state in {State.CONFLICT, State.HELD}


def believed(case: Case, terms: Circumstances) -> bool:
    """Persisted, or one of the four shortcuts; AIMS's own clock is none while a key is settling."""
    return case.odd == "stayed" or terms.first or terms.hurry or (case.fresh and not case.settling)


def was_deleted(case: Case) -> bool:
    """A listing saw it after our last acknowledgement, no DELETE of ours explains it, and nothing was edited here."""
    return case.seen == "after" and not case.absence_known and case.local == case.base


def differing(left: Mapping[str, str], right: Mapping[str, str]) -> set[str]:
    return {column for column in {*left, *right} if left.get(column, "") != right.get(column, "")}


def taken(case: Case, columns: Iterable[str]) -> dict[str, str]:
    return {column: (case.remote or {}).get(column, "") for column in columns}


def adopted(case: Case, _: Circumstances) -> Expected:
    return Expected(Step.ADOPT, taken(case, differing(case.local or {}, case.remote or {})))


def by_strategy(case: Case, terms: Circumstances) -> Expected:
    """Both sides changed it, or it is a room."""
    strategy = terms.strategy
    if case.room and strategy is Strategy.MERGE:
        strategy = Strategy.DATABASE_WINS
    if strategy is Strategy.MANUAL:
        return Expected(Step.CONFLICT)
    if strategy is Strategy.DATABASE_WINS:
        return Expected(Step.PUSH_AGAIN)
    base, local, remote = case.base or {}, case.local or {}, case.remote or {}
    if strategy is Strategy.AIMS_WINS:
        return Expected(Step.ADOPT, taken(case, differing(local, remote)))
    theirs = {column for column in differing(local, remote) if column not in differing(local, base)}
    if not theirs:
        return Expected(Step.PUSH_AGAIN)
    return Expected(Step.ADOPT, taken(case, theirs), push=theirs != differing(local, remote))


def foreign(_: Case, terms: Circumstances) -> Expected:
    return Expected(Step.IMPORT if terms.take_in else Step.REPORT)


def by_strategy_of_a_tombstone(case: Case, terms: Circumstances) -> Expected:
    if terms.strategy is Strategy.DATABASE_WINS:
        return Expected(Step.DELETE_AGAIN)
    return Expected(Step.CONFLICT) if terms.strategy is Strategy.MANUAL else foreign(case, terms)


def by_strategy_of_a_deletion(_: Case, terms: Circumstances) -> Expected:
    return Expected(
        {Strategy.MANUAL: Step.CONFLICT, Strategy.AIMS_WINS: Step.REMOVE}.get(terms.strategy, Step.PUSH_AGAIN)
    )


TABLE: list[tuple[str, Condition, Outcome]] = [
    ("moved or in flight since the listing began", lambda c, t: bool(c.moves), Expected(Step.PENDING)),
    (
        "wanted, and the ledger never heard of it",
        lambda c, t: c.local is not None and (not c.met or c.deleted),
        Expected(Step.BUMP),
    ),
    ("never seen", lambda c, t: not c.met and c.remote is not None, foreign),
    ("nothing on either side", lambda c, t: c.local is None and c.remote is None, Expected(Step.IN_SYNC)),
    # Deleted here, and AIMS shows something.
    ("tombstone, the deletion is on its way", lambda c, t: c.deleted and waits(c), Expected(Step.PENDING)),
    (
        "tombstone, a stale read while settling",
        lambda c, t: c.deleted and c.known and c.settling and not t.hurry,
        Expected(Step.SETTLING),
    ),
    ("tombstone, known", lambda c, t: c.deleted and c.known, Expected(Step.DELETE_AGAIN)),
    ("tombstone, unknown, too fresh", lambda c, t: c.deleted and not believed(c, t), Expected(Step.OBSERVE)),
    ("tombstone, unknown", lambda c, t: c.deleted, by_strategy_of_a_tombstone),
    ("nobody wants it, nobody deleted it", lambda c, t: c.local is None, Expected(Step.REPORT)),
    # The rows of the design's table.
    ("remote = base, local = base", lambda c, t: c.remote == c.base == c.local, Expected(Step.IN_SYNC)),
    ("remote = base, it waits", lambda c, t: c.remote == c.base and waits(c), Expected(Step.PENDING)),
    ("remote = base, local != base, clean row", lambda c, t: c.remote == c.base, Expected(Step.BUMP)),
    ("remote = local != base", lambda c, t: c.remote == c.local, Expected(Step.AGREE)),
    ("a person has been asked", lambda c, t: asked(c), Expected(Step.PENDING)),
    (
        "remote known, persisted: drift",
        lambda c, t: c.remote is not None and c.known and c.odd == "stayed",
        Expected(Step.PUSH_AGAIN),
    ),
    ("remote known", lambda c, t: c.remote is not None and c.known, Expected(Step.SETTLING)),
    (
        "remote unknown, first seen",
        lambda c, t: c.remote is not None and not believed(c, t),
        Expected(Step.OBSERVE),
    ),
    (
        "AIMS's form of the base counts as base: it waits",
        lambda c, t: is_form(c) and c.local != c.base and waits(c),
        Expected(Step.PENDING),
    ),
    (
        "AIMS's form of the base counts as base: clean row",
        lambda c, t: is_form(c) and c.local != c.base,
        Expected(Step.BUMP),
    ),
    (
        "AIMS's form of the base, after two rounds",
        lambda c, t: is_form(c) and c.rounds >= 2,
        Expected(Step.HOLD),
    ),
    ("AIMS's form of the base", lambda c, t: is_form(c), Expected(Step.ECHO)),
    (
        "remote unknown, local = base",
        lambda c, t: c.remote is not None and c.local == c.base and not c.room,
        adopted,
    ),
    ("remote unknown, local != base, or a room", lambda c, t: c.remote is not None, by_strategy),
    ("remote absent, an edit beats a deletion", lambda c, t: c.dirty, Expected(Step.PENDING)),
    (
        "remote absent, without a window, and it is no deletion",
        lambda c, t: t.hurry and not may_be_removed(c, t),
        Expected(Step.PUSH_AGAIN),
    ),
    ("remote absent, not missed twice", lambda c, t: c.missing != "stayed", Expected(Step.MISSING)),
    ("remote absent, it is no deletion", lambda c, t: not was_deleted(c), Expected(Step.PUSH_AGAIN)),
    ("remote absent, deleted at AIMS", lambda c, t: True, by_strategy_of_a_deletion),
]
"""From the top, the first that fits."""


def is_form(case: Case) -> bool:
    """Never read equal, and what AIMS makes of the agreed content itself."""
    return case.remote == FORM and case.base == AGREED and not case.read_equal


def may_be_removed(case: Case, terms: Circumstances) -> bool:
    return was_deleted(case) and terms.strategy in {Strategy.AIMS_WINS, Strategy.MANUAL}


def read_off(case: Case, terms: Circumstances) -> tuple[str, Expected]:
    """Return the first row of the table that fits, and what it says."""
    for name, fits, outcome in TABLE:
        if fits(case, terms):
            return name, outcome if isinstance(outcome, Expected) else outcome(case, terms)
    raise AssertionError(case)


# --- the small world ------------------------------------------------------------------------------------------------

Words = dict[str, Any]

BASES: tuple[Words, ...] = ({"base": AGREED}, {"base": None}, {"base": None, "base_is_absence": True})
# An acknowledgement wipes what was noted before it: nothing can have stayed for W while a key is settling.
TIMES: list[Words] = [
    {"odd": odd, "settling": settling, "fresh": fresh}
    for odd, settling, fresh in (
        ("no", False, False), ("no", False, True), ("no", True, False), ("no", True, True),
        ("young", False, False), ("young", False, True), ("young", True, False), ("young", True, True),
        ("stayed", False, False), ("other", False, False),
    )
]  # fmt: skip
ECHOES: tuple[Words, ...] = (
    {"read_equal": True, "rounds": 2},
    {"read_equal": False, "rounds": 0},
    {"read_equal": False, "rounds": 1},
    {"read_equal": False, "rounds": 2},
)


def product(*choices: Iterable[Words]) -> Iterator[Words]:
    for picked in itertools.product(*(list(choice) for choice in choices)):
        yield {name: value for part in picked for name, value in part.items()}


def flags(name: str, values: Iterable[Any] = (False, True)) -> list[Words]:
    return [{name: value} for value in values]


def turn(number: int) -> int:
    """Return a number that goes round and round, out of step with every loop."""
    return number * 2_654_435_761 % 2**32 >> 7


def present() -> Iterator[Case]:
    """Yield what both sides have; what must not matter here turns with the number of the case."""
    remotes = flags("remote", (AGREED, OURS, THEIRS, BESIDE, BOTH, EMPTY, FORM))
    for number, words in enumerate(
        product(
            BASES, flags("local", (AGREED, OURS, EMPTY)), remotes, flags("dirty"), flags("state", State),
            flags("known"), TIMES, flags("room"),
        )
    ):  # fmt: skip
        turned = turn(number)
        turning: Words = {
            "missing": ("no", "young", "stayed")[turned % 3],
            "seen": ("no", "before", "after")[turned // 3 % 3],
            "absence_known": bool(turned // 9 % 2),
            "linked": bool(turned // 18 % 2),
        }
        is_about_echoes = words["remote"] is FORM and words["base"] is AGREED
        for echo in ECHOES if is_about_echoes else [ECHOES[turned // 36 % 4]]:
            yield Case(**{**turning, **words, **echo})


def absent() -> Iterator[Case]:
    """Yield what AIMS does not list."""
    for number, words in enumerate(
        product(
            BASES, flags("local", (AGREED, OURS, EMPTY)), flags("dirty"), flags("state", State),
            flags("missing", ("no", "young", "stayed")), flags("seen", ("no", "before", "after")),
            flags("absence_known"), flags("settling"), flags("room"),
        )
    ):  # fmt: skip
        if words["settling"] and words["missing"] == "stayed":
            continue  # an acknowledgement wipes this, too
        turned = turn(number)
        turning: Words = {
            "odd": ("no", "other")[turned % 2],
            "known": bool(turned // 2 % 2),
            "linked": bool(turned // 4 % 2),
            **ECHOES[turned // 8 % 4],
        }
        yield Case(**turning, **words)


def tombstones() -> Iterator[Case]:
    """Yield what was deleted here; a clean row has agreed on absence."""
    remotes = flags("remote", (None, AGREED, FORM, THEIRS, EMPTY))
    for number, words in enumerate(
        product(BASES, remotes, flags("dirty"), flags("state", State), flags("known"), TIMES)
    ):
        if words["base"] is not None and not words["dirty"]:
            continue
        turned = turn(number)
        turning: Words = {
            "missing": ("no", "young", "stayed")[turned % 3],
            "seen": ("no", "before", "after")[turned // 3 % 3],
            "absence_known": bool(turned // 9 % 2),
            "room": bool(turned // 18 % 2),
            "linked": bool(turned // 36 % 2),
            **ECHOES[turned // 72 % 4],
        }
        yield Case(deleted=True, **turning, **words)


def strays() -> Iterator[Case]:
    """Yield what the ledger never met, or met as deleted, and what nobody wants although nobody deleted it."""
    sides = (None, AGREED, THEIRS, EMPTY)
    for words in product(flags("local", sides), flags("remote", sides), flags("room"), flags("linked")):
        yield Case(met=False, **words)
        for dirty, known in itertools.product((False, True), (False, True)):
            if words["local"] is not None:
                yield Case(deleted=True, dirty=dirty, known=known, base_is_absence=True, **words)
    for words in product(
        BASES, flags("remote", sides), flags("dirty"), flags("state", State), flags("known"), TIMES,
        flags("missing", ("no", "stayed")),
    ):  # fmt: skip
        yield Case(**words)


def movers() -> Iterator[Case]:
    """Yield every eleventh of the others once more, on the move."""
    met = (case for case in itertools.chain(present(), absent(), tombstones(), strays()) if case.met)
    for number, case in enumerate(itertools.islice(met, 0, None, 11)):
        yield case._replace(moves=("moving", "in flight")[number % 2])


def terms_of(circumstances: Circumstances) -> Terms:
    strategy, first, hurry, take_in = circumstances
    return Terms(
        now=NOW, settle=W, strategy=strategy, first_contact=first, believe_at_once=hurry, take_in=take_in
    )


BELIEFS = ((False, False), (True, False), (False, True))


@functools.cache
def world_of(cases: Callable[[], Iterator[Case]]) -> tuple[list[Case], list[Subject]]:
    words = list(cases())
    return words, [subject_of(case) for case in words]


GROUPS = ((present, False), (absent, False), (tombstones, True), (strays, True), (movers, False))
"""The cases by what the sides have, and whether it matters that others' articles are taken in."""


def every_circumstance(strategy: Strategy, *, is_taking_in: bool) -> Iterator[Circumstances]:
    for (first, hurry), take_in in itertools.product(BELIEFS, (False, True) if is_taking_in else (False,)):
        yield Circumstances(strategy, first, hurry, take_in)


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize(("cases", "is_taking_in"), GROUPS, ids=[cases.__name__ for cases, _ in GROUPS])
def test_every_case_is_planned_as_the_table_says(cases, is_taking_in, strategy):
    words, subjects = world_of(cases)
    for circumstances in every_circumstance(strategy, is_taking_in=is_taking_in):
        plan = make_plan(subjects, terms_of(circumstances))
        for case, action in zip(words, plan.actions, strict=True):
            name, expected = read_off(case, circumstances)
            # What is pushed again is pushed; only an adoption says whether something is left to push.
            push = action.push if action.step is Step.ADOPT else expected.push
            if (action.step, action.adopt, push) != expected:
                pytest.fail(f"{name}: {expected}\nplanned: {action}\n{case}\n{circumstances}")


def test_every_row_of_the_table_is_used_and_every_step_is_taken():
    used, taken_steps = set(), set()
    for (cases, is_taking_in), strategy in itertools.product(GROUPS, Strategy):
        words, _ = world_of(cases)
        for circumstances in every_circumstance(strategy, is_taking_in=is_taking_in):
            for case in words[:: 7 if cases is present else 1]:
                name, expected = read_off(case, circumstances)
                used.add(name)
                taken_steps.add(expected.step)
    assert [name for name, _, _ in TABLE if name not in used] == []
    assert taken_steps == set(Step)
