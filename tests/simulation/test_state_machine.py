"""All that design 5.4 promises, asked after every step of thousands of random days (`machine.py`).

A red run says in one line which seed it was and how to see that one alone, shrunk to what it takes and told in full.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import machine_for
from tests.simulation.stage import Stage

ALONE = "ELECTIS_TEST_SEED"
"""Names one seed: only its days are lived, and what goes wrong is shrunk and told in full."""
SOAK = "ELECTIS_TEST_SOAK"
"""The first seed of a long run (`make soak`): a hundred pieces on each database, other ones each time."""

PIECES = {"sqlite": (6, 50, 50), "postgresql": (3, 20, 30)}
"""By database: so many seeds, each with so many days of so many steps."""
SOAKED = {"sqlite": (100, 100, 100), "postgresql": (20, 50, 60)}

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


def pieces() -> list[Any]:
    """Return the seeds to try, on each database."""
    alone, soak = os.environ.get(ALONE), os.environ.get(SOAK)
    found = []
    for kind, (count, days, steps) in (SOAKED if soak else PIECES).items():
        seeds = [int(alone)] if alone else range(int(soak or 0), int(soak or 0) + count)
        found += [pytest.param(kind, number, days, steps, id=f"{kind}-{number}") for number in seeds]
    return found


@pytest.fixture(scope="module")
def open_stage(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Stage]]:
    """Return the stage on a kind of database; each is made once."""
    stages: dict[str, Stage] = {}
    folder = Path(tempfile.mkdtemp(prefix="electis-days-", dir=MEMORY if MEMORY.is_dir() else None))

    def open_one(kind: str) -> Stage:
        if kind not in stages:
            if kind == "sqlite":
                path = folder / "electis.db"
                shutil.copy(request.getfixturevalue("sqlite_template"), path)
                url = f"sqlite:///{path}"
            else:
                server = request.getfixturevalue("postgres_server")
                url = server.create_database(template=request.getfixturevalue("postgres_template"))
            stages[kind] = Stage(url)
        return stages[kind]

    yield open_one
    for stage in stages.values():
        stage.close()
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(0 if ALONE in os.environ or SOAK in os.environ else 300)
@pytest.mark.parametrize(("kind", "number", "days", "steps"), pieces())
def test_what_always_holds(kind, number, days, steps, open_stage):
    is_alone = ALONE in os.environ
    machine = seed(number)(machine_for(open_stage(kind)))
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=days,
                stateful_step_count=steps,
                phases=[Phase.generate, Phase.shrink] if is_alone else [Phase.generate],
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                report_multiple_bugs=False,
                print_blob=False,
            ),
        )
    except Exception as error:
        if is_alone:
            raise
        problem = str(error).partition("\n")[0] or type(error).__name__
        soaked = f"{SOAK}=1 " if SOAK in os.environ else ""
        again = f"{soaked}{ALONE}={number} .venv/bin/pytest -n0 -q {__name__.replace('.', '/')}.py -k {kind}"
        pytest.fail(f"seed {number}: {problem}; again: {again}", pytrace=False)
