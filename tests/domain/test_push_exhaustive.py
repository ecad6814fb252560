"""Every case of a due key, decided by the code and read off the design's rules for the pusher (design 5.2)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import LedgerRow, Push, State, decide_push

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
W = timedelta(seconds=120)

AGES = {"just now": timedelta(0), "nearly": W - timedelta(microseconds=1), "stayed": W, "long ago": 9 * W}


class Case(NamedTuple):
    """A due key: hashes by their letter, "-" for absence, None for nothing at all."""

    local: str
    remote: str
    base: str | None
    inflight: str | None
    known: tuple[str, ...]
    odd: str | None
    age: str
    first_contact: bool
    acked: str


ACKED = {"never": None, "just now": NOW, "long ago": NOW - 2 * W}
"""When AIMS acknowledged something of this key last."""


def every_case() -> Iterator[Case]:
    sides = (ABSENT, "a", "b")
    memories = (None, ABSENT, "a", "b")
    known_sets = ((), ("a",), ("b",), (ABSENT,), ("a", "b", ABSENT))
    for words in itertools.product(
        sides, sides, memories, memories, known_sets, (None, "a", "b"), AGES, (False, True), ACKED
    ):
        yield Case(*words)


def is_ours(case: Case) -> bool:
    """Agreed on, on its way, or pushed in the last days."""
    return case.remote in {case.base, case.inflight, *case.known}


def is_deletion(case: Case) -> bool:
    return case.local == ABSENT


def has_stayed(case: Case) -> bool:
    return case.odd == case.remote and case.age in {"stayed", "long ago"}


def may_be_hidden(case: Case) -> bool:
    """Something of ours may be there and not be shown yet."""
    return case.inflight in {"a", "b"} or (has_base(case) and case.acked == "just now")


TABLE: list[tuple[str, Callable[[Case], bool], Push]] = [
    (
        "to be deleted, not shown, but it may be there",
        lambda c: c.remote == c.local == ABSENT and may_be_hidden(c),
        Push.DELETE,
    ),
    ("AIMS shows what we want", lambda c: c.remote == c.local, Push.AGREE),
    (
        "absent, agreed on before: a stale read, or deleted",
        lambda c: c.remote == "-" and has_base(c),
        Push.UPDATE,
    ),
    ("absent, new to AIMS", lambda c: c.remote == "-", Push.CREATE),
    ("ours, and to be deleted", lambda c: is_ours(c) and is_deletion(c), Push.DELETE),
    ("ours", is_ours, Push.UPDATE),
    ("somebody else's, on first contact", lambda c: c.first_contact, Push.RESOLVE),
    ("somebody else's, and it stayed", has_stayed, Push.RESOLVE),
    ("somebody else's", lambda c: True, Push.WAIT),
]
"""From the top, the first that fits."""


def has_base(case: Case) -> bool:
    return case.base in {"a", "b"}


def read_off(case: Case) -> tuple[str, Push]:
    return next((name, push) for name, fits, push in TABLE if fits(case))


def decided(case: Case, number: int) -> Push:
    """Let the code decide; what must not matter turns with the number of the case."""
    row = LedgerRow(
        article_id="4-1",
        desired_version=number % 3 + 2,
        desired_seq=number,
        desired_deleted=is_deletion(case),
        synced_version=1,
        state=list(State)[number % 4],
        base_hash=case.base,
        inflight_version=2 if case.inflight else None,
        inflight_hash=case.inflight,
        odd_hash=case.odd,
        odd_since=NOW - AGES[case.age] if case.odd else None,
        acked_at=ACKED[case.acked],
        missing_since=(None, NOW - 2 * W)[number // 3 % 2],
        read_equal_at=(None, NOW)[number // 2 % 2],
        attempts=number % 9,
    )
    return decide_push(
        row,
        local_hash=case.local,
        remote_hash=case.remote,
        known=frozenset(case.known),
        now=NOW,
        settle=W,
        believe_at_once=case.first_contact,
    )


def test_every_due_key_is_decided_as_the_table_says():
    for number, case in enumerate(every_case()):
        name, expected = read_off(case)
        push = decided(case, number)
        assert push is expected, f"{name}: {expected}, not {push}: {case}"


def test_every_row_of_the_table_is_used():
    used = {read_off(case)[0] for case in every_case()}
    assert [name for name, _, _ in TABLE if name not in used] == []
