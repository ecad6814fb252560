"""Batches are followed: what AIMS accepted and refused later is a dead letter, and is not sent for ever."""

from __future__ import annotations

import pytest

from electis_cli.domain.queue import Status
from electis_cli.services import queue, spaces
from electis_cli.services.housekeeping import keep_house
from tests.world.ledger import SETTLED, article_writes, articles_at, letters_of, open_alerts, push, statuses


def keep(scope):
    return keep_house(scope.runtime, scope.org_id)


@pytest.fixture
def misled(connected, cloud):
    """A store of three spaces whose push AIMS accepted as a whole, and took without B."""
    for name in ("A", "B", "C"):
        spaces.create_space(connected, name, data={"TITLE": f"desk {name}"})
    fault = cloud.faults.add("partial-push", form="wrong", articles=("B",), message="value is too long")
    report = push(connected)
    assert (report.created, report.failed) == (3, 0), "the answer said that all is well"
    assert articles_at(cloud) == ["A", "C"]
    cloud.faults.remove(fault)
    return connected


def test_a_batch_is_left_alone_until_its_settle_window_is_over(misled):
    assert keep(misled).refused == 0
    assert set(statuses(misled).values()) == {Status.SYNCED}


def test_an_article_that_its_batch_refused_is_a_dead_letter_with_an_alert(misled, cloud, clock):
    clock.advance(SETTLED)
    done = keep(misled)
    assert (done.refused, done.drifted) == (1, 0)
    assert statuses(misled) == {"A": Status.SYNCED, "B": Status.FAILED, "C": Status.SYNCED}
    assert [letter["subject"] for letter in letters_of(misled)] == ["B"]
    assert len(open_alerts(misled)) == 1
    before = article_writes(cloud)
    clock.advance(SETTLED)
    assert keep(misled).refused == 0, "a batch is asked about once"
    push(misled)
    assert article_writes(cloud) == before, "sending it again would not help"


def test_a_person_can_have_it_sent_again(misled, cloud, clock):
    clock.advance(SETTLED)
    keep(misled)
    queue.retry(misled, ["B"])
    push(misled)
    assert articles_at(cloud) == ["A", "B", "C"]
    assert set(statuses(misled).values()) == {Status.SYNCED}


def test_an_edit_sends_it_again_and_ends_the_dead_letter(misled, cloud, clock):
    clock.advance(SETTLED)
    keep(misled)
    spaces.update_space(misled, "B", data={"TITLE": "short"})
    push(misled)
    assert articles_at(cloud) == ["A", "B", "C"]
    assert letters_of(misled) == []


def test_an_article_that_a_later_batch_brought_is_left_alone(misled, cloud, clock):
    spaces.update_space(misled, "B", data={"TITLE": "short"})
    push(misled)
    clock.advance(SETTLED)
    assert keep(misled).refused == 0
    assert set(statuses(misled).values()) == {Status.SYNCED}
    assert letters_of(misled) == []
