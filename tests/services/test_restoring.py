"""A database that was restored from a backup: nothing is pushed from it until a person has looked and approved."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from electis_cli.adapters.watermarks import WatermarkFile
from electis_cli.db import ledger
from electis_cli.domain.errors import BrakeTripped
from electis_cli.services import queue, spaces
from electis_cli.services.full_sync import approve_run
from electis_cli.services.push.report import Ending
from electis_cli.services.restoring import PAUSED_WHY
from tests.world.ledger import Through, article, open_alerts, push, runs_of, store_of, sync, through


@pytest.fixture
def make_machine(connected, tmp_path):
    """Return how to work on the organization from a machine of some name, which remembers what it pushed."""

    def make(name):
        marks = WatermarkFile(tmp_path / name / "state")
        return replace(connected, runtime=replace(connected.runtime, watermarks=marks))

    return make


@pytest.fixture
def site(make_machine):
    """An organization of two spaces, pushed from this machine."""
    scope = make_machine("here")
    for name in ("A", "B"):
        spaces.create_space(scope, name, data={"TITLE": "new"})
    push(scope)
    sync(scope)
    return scope


def last_number(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return ledger.last_number(uow)


def set_back(scope, number=1):
    """Let the ledger be as a backup has it: its numbers are lower, and a space has its old value."""
    with scope.runtime.database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(
                sa.text("UPDATE counters SET value = :n WHERE name = 'desired_seq'"), {"n": number}
            )
        else:
            connection.execute(sa.text("SELECT setval('desired_seq', :n)"), {"n": number})
    assert last_number(scope) == number
    spaces.update_space(scope, "A", data={"TITLE": "as in the backup"})


def brakes(scope):
    with pytest.raises(BrakeTripped) as caught:
        sync(scope)
    run = next(run for run in runs_of(scope) if run["id"] == caught.value.details["run"])
    return run["id"], [brake["name"] for brake in run["brakes"]]


def test_what_a_restored_database_says_is_not_pushed_until_a_person_approved_it(site, cloud):
    before = last_number(site)
    set_back(site)

    report = push(site)
    assert (report.ending, report.error) == (Ending.PAUSED, PAUSED_WHY)

    assert article(cloud, "A").data["TITLE"] == "new"
    assert [alert["cause"] for alert in open_alerts(site)] == ["database-restored"]
    assert last_number(site) >= before
    assert push(site).ending is Ending.PAUSED, "it stays so"
    run, names = brakes(site)
    assert "restored_database" in names
    assert article(cloud, "A").data["TITLE"] == "new"

    approve_run(site, run)

    assert push(site).ending is Ending.DONE
    assert article(cloud, "A").data["TITLE"] == "as in the backup"
    sync(site)


def test_a_full_sync_is_the_first_to_notice_when_nothing_was_pushed(site):
    set_back(site)
    assert "restored_database" in brakes(site)[1]
    assert store_of(site).paused_why == PAUSED_WHY


def test_a_dry_run_tells_of_the_restore_and_changes_nothing(site):
    set_back(site)
    view = sync(site, dry_run=True)
    assert "restored_database" in [brake["name"] for brake in view.brakes]
    assert (store_of(site).restored_at, store_of(site).paused_at, open_alerts(site)) == (None, None, [])


def test_an_approval_counts_for_every_machine(site, make_machine):
    other = make_machine("there")
    spaces.create_space(other, "C", data={})
    push(other)
    set_back(site)
    push(site)
    approve_run(site, brakes(site)[0])
    assert push(site).ending is Ending.DONE
    assert push(other).ending is Ending.DONE


def test_a_pause_that_a_person_made_outlives_the_approval(site):
    queue.pause(site, store="001", why="moving")
    set_back(site)
    approve_run(site, brakes(site)[0])
    assert store_of(site).paused_why == "moving"


def test_a_machine_without_a_mark_or_with_a_damaged_one_goes_on(site, make_machine, tmp_path):
    set_back(site)
    (tmp_path / "there" / "state").mkdir(parents=True)
    (tmp_path / "there" / "state" / "watermarks.json").write_text("[1, 2")
    assert push(make_machine("there")).ending is Ending.DONE


def test_a_pause_during_a_push_is_the_end_of_it(connected, cloud):
    for number in range(6):
        spaces.create_space(connected, f"S{number}", data={})
    calls = []

    class Pausing(Through):
        def push_articles(self, *arguments, **options):
            calls.append(arguments)
            queue.pause(connected, store="001", why="enough")
            return self.client.push_articles(*arguments, **options)

    small = replace(connected.runtime, tuning=replace(connected.runtime.tuning, batch_size=2))
    report = push(through(replace(connected, runtime=small), Pausing))

    assert (report.ending, report.created, len(calls)) == (Ending.PAUSED, 2, 1)
