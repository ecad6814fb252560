"""What `docs/sync.md` says of the full sync's steps, brakes and strategies is what the planner knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import Status
from electis_cli.domain.reconcile import CHANGES, REASONS, Step

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "sync.md").read_text(encoding="utf-8")


def table(head: str) -> list[list[str]]:
    """Return the rows of the table with this head, cell by cell."""
    lines = PAGE.splitlines()
    first = lines.index(head) + 2
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append(re.split(r"\s*\|\s*", line.strip("| ")))
    return rows


def words(cells: list[str]) -> set[str]:
    return {word for cell in cells for word in re.findall(r"`([a-z_]+)`", cell)}


def test_every_step_is_documented_with_its_reason_and_whether_it_writes():
    documented = {row[0].strip("`"): (row[1], row[2]) for row in table(STEPS)}
    assert documented == {step.value: ("yes" if step in CHANGES else "no", REASONS[step]) for step in Step}


def test_the_decision_table_leads_to_every_step_and_to_no_other():
    assert words([row[3] for row in table("| AIMS shows | here | when | step |")]) == {
        step.value for step in Step
    }


STEPS = "| step | writes | why, as people are told |"


def test_every_strategy_is_in_the_table_of_strategies():
    rows = table("| strategy | both changed it | deleted at AIMS | deleted here, made anew at AIMS |")
    assert [re.findall(r"`([a-z-]+)`", row[0])[0] for row in rows] == [
        strategy.value for strategy in Strategy
    ]


def test_every_brake_that_the_planner_knows_is_documented():
    source = (ROOT / "electis_cli" / "domain" / "reconcile.py").read_text(encoding="utf-8")
    known = set(re.findall(r'Brake\(name="(\w+)"|measure\("(\w+)"', source))
    names = {one or other for one, other in known}
    assert names
    assert words([row[0] for row in table("| brake | held when |")]) == names


@pytest.mark.parametrize("status", list(Status))
def test_the_state_diagram_has_every_status_with_a_way_in_and_out(status):
    diagram = PAGE.partition("```mermaid")[2].partition("```")[0]
    assert re.search(rf"^ +\S+ --> {status.value}:", diagram, re.MULTILINE)
    assert re.search(rf"^ +{status.value} --> \S+:", diagram, re.MULTILINE)


def test_every_proof_that_is_named_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).is_file()] == []
