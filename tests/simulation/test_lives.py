"""Thousands of lives of a store: nothing diverges, comes back from the dead or gets lost (design 5.4).

A life that goes wrong is named by its seed, with the command that lives it again and prints what happened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulation.life import Life, Machines, Toll
from tests.world.databases import FakeClock

STEPS = 40
LIVES = int(os.environ.get("ELECTIS_TEST_LIVES", "2000"))
CHUNKS = {"sane": 6, "hostile": 2}
"""Few chunks for the hostile: what gets lost there is a share of all."""
ONE = os.environ.get("ELECTIS_TEST_LIFE", "")
"""`sane:17` or `hostile:17`: the only life to live, with its log."""

LiveOne = Callable[[int, bool], tuple[Toll, list[str]]]


@pytest.fixture
def live(tmp_path: Path, sqlite_template: Path) -> Iterator[LiveOne]:
    shared = Path("/dev/shm")  # noqa: S108 - memory instead of a disk, where there is one
    folder = shared / f"electis-{os.getpid()}-{tmp_path.name}" if os.access(shared, os.W_OK) else tmp_path
    folder.mkdir(exist_ok=True)
    path = folder / "electis.db"
    machines = Machines(f"sqlite:///{path}", FakeClock())

    def live_one(seed: int, hostile: bool) -> tuple[Toll, list[str]]:
        shutil.copy(sqlite_template, path)
        life = Life(seed, machines, hostile=hostile)
        try:
            return life.live(STEPS), life.log
        finally:
            machines.close()

    yield live_one
    machines.close()
    shutil.rmtree(folder, ignore_errors=True)


def told(seed: int, kind: str, what: object) -> str:
    """Return the one line of a life that went wrong."""
    file = __name__.replace(".", "/") + ".py"
    return f"{kind} life {seed}: {what}; again: ELECTIS_TEST_LIFE={kind}:{seed} pytest -n0 -s {file}"


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("kind", "chunk"), [(kind, chunk) for kind, count in CHUNKS.items() for chunk in range(count)]
)
@pytest.mark.skipif(bool(ONE), reason="one life only")
def test_nothing_gets_lost_in_any_life(live, kind, chunk):
    hostile = kind == "hostile"
    lost, edits = [], 0
    for seed in range(chunk, LIVES // 2, CHUNKS[kind]):
        try:
            toll, _ = live(seed, hostile)
        except AssertionError as broken:
            raise AssertionError(told(seed, kind, broken)) from broken
        wrong = toll.diverged + toll.resurrected + toll.lost_local + toll.restless
        assert not wrong, told(seed, kind, wrong)
        assert hostile or not toll.lost_remote, told(seed, kind, toll.lost_remote)
        lost.extend((seed, value) for value in toll.lost_remote)
        edits += toll.remote_edits
    # AIMS has no compare-and-set: what it hides from our read can be overwritten by our write.
    assert len(lost) * 100 <= max(edits, 100), told(lost[0][0], kind, f"{len(lost)} of {edits} lost: {lost}")


@pytest.mark.parametrize("hostile", [False, True], ids=["sane", "hostile"])
def test_the_same_seed_lives_the_same_life(live, hostile):
    for seed in (3, 17, 29):
        _, once = live(seed, hostile)
        _, again = live(seed, hostile)
        assert once == again
        assert len(once) > STEPS


@pytest.mark.skipif(not ONE, reason="set ELECTIS_TEST_LIFE=hostile:17 to live one life again")
def test_one_life(live):
    kind, _, seed = ONE.partition(":")
    toll, log = live(int(seed), kind == "hostile")
    print("\n".join(log))  # noqa: T201 - that is what it is for
    assert toll == Toll(remote_edits=toll.remote_edits)
