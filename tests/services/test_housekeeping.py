"""One housekeeping step: what was accepted is read again, what is too old is forgotten (design 5.1, 5.2)."""

from __future__ import annotations

import pytest

from electis_cli.db import leases
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import Status, known_hashes
from electis_cli.services import draining, ping, queue, spaces
from electis_cli.services.conflicts import resolve_conflict
from electis_cli.services.housekeeping import Housekeeping, keep_house
from tests.world.ledger import (
    SETTLED,
    article,
    article_writes,
    articles_at,
    edit,
    events_of,
    push,
    remove,
    rows_of,
    statuses,
    steps,
    sync,
)

DAY = 86400


def keep(scope):
    return keep_house(scope.runtime, scope.org_id)


def known(scope):
    return {
        article_id: known_hashes(row, scope.runtime.clock()) for article_id, row in rows_of(scope).items()
    }


@pytest.fixture
def pushed(connected):
    """A store whose space A was just pushed."""
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    push(connected)
    return connected


# --- verification ---------------------------------------------------------------------------------------------------


def test_what_aims_accepted_is_read_again_after_the_window_once(pushed, clock):
    assert keep(pushed).verified == 0
    clock.advance(119)
    assert keep(pushed).verified == 0
    clock.advance(1)
    assert keep(pushed).verified == 1
    row = rows_of(pushed)["A"]
    assert (row.verify_after, row.last_seen_remote_at) == (None, clock())
    clock.advance(DAY)
    assert keep(pushed).verified == 0


def test_what_aims_accepted_and_lost_is_pushed_again(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    cloud.faults.add("lost-push", articles=("A",), count=1)
    push(connected)
    assert (articles_at(cloud), statuses(connected)) == ([], {"A": Status.SYNCED})
    clock.advance(SETTLED)
    assert keep(connected).drifted == 1
    assert statuses(connected) == {"A": Status.PENDING}
    assert events_of(connected, "sync:drift")[0]["payload"] == {"articles": 1}
    push(connected)
    assert article(cloud, "A").data["TITLE"] == "x"


def test_an_update_that_aims_lost_is_pushed_again(pushed, cloud, clock):
    spaces.update_space(pushed, "A", data={"TITLE": "y"})
    cloud.faults.add("lost-push", articles=("A",), count=1)
    push(pushed)
    clock.advance(SETTLED)
    assert keep(pushed).drifted == 1
    push(pushed)
    assert article(cloud, "A").data["TITLE"] == "y"


def test_an_update_that_aims_lost_is_pushed_again_also_over_a_value_we_adopted(pushed, cloud, clock):
    edit(cloud, "A", DEPARTMENT="theirs")
    for _ in range(2):
        clock.advance(SETTLED)
        sync(pushed)
    spaces.update_space(pushed, "A", data={"TITLE": "y"})
    cloud.faults.add("lost-push", articles=("A",), count=1)
    push(pushed)
    clock.advance(SETTLED)
    assert keep(pushed).drifted == 1, "both sides agreed on it: it is ours, not somebody's new edit"


def test_somebody_elses_edit_is_left_to_the_full_sync(pushed, cloud, clock):
    edit(cloud, "A", TITLE="theirs")
    clock.advance(SETTLED)
    done = keep(pushed)
    assert (done.verified, done.drifted) == (0, 0)
    assert (statuses(pushed), article_writes(cloud)) == ({"A": Status.SYNCED}, 1)
    clock.advance(SETTLED)
    sync(pushed)
    assert spaces.show_space(pushed, "A").data == {"TITLE": "theirs"}


def test_a_deletion_that_aims_lost_is_sent_again(pushed, cloud, clock):
    ghost = article(cloud, "A")
    spaces.delete_space(pushed, "A")
    push(pushed)
    with cloud.lock:
        cloud.store("ACME", "001").articles["A"] = ghost
        cloud.store("ACME", "001").articles_changed()
    clock.advance(SETTLED)
    assert keep(pushed).drifted == 1
    push(pushed)
    assert articles_at(cloud) == []


@pytest.fixture
def aged(pushed, clock):
    """A store whose space A was pushed and agreed on more than a week ago, so that no content of it is known."""
    sync(pushed)
    clock.advance(8 * DAY)
    sync(pushed)
    keep(pushed)
    assert known(pushed) == {"A": frozenset()}
    return pushed


def live_on(scope, clock, **choice):
    """Let a daemon work for an hour."""
    for _ in range(4):
        clock.advance(900)
        sync(scope, **choice)
        push(scope)
        keep(scope)


def test_an_update_that_aims_lost_is_pushed_again_however_old_what_it_replaced(aged, cloud, clock):
    spaces.update_space(aged, "A", data={"TITLE": "y"})
    cloud.faults.add("lost-push", method="PUT", count=1)
    push(aged)
    clock.advance(SETTLED)
    assert keep(aged).drifted == 1, "what was agreed on for a week is ours, and not somebody's new edit"
    live_on(aged, clock)
    assert spaces.show_space(aged, "A").data == {"TITLE": "y"}
    assert article(cloud, "A").data["TITLE"] == "y"


@pytest.mark.parametrize("take_in", [False, True])
def test_a_deletion_that_aims_lost_brings_no_old_space_back(aged, cloud, clock, take_in):
    ghost = article(cloud, "A")
    spaces.delete_space(aged, "A")
    push(aged)
    with cloud.lock:
        cloud.store("ACME", "001").articles["A"] = ghost
        cloud.store("ACME", "001").articles_changed()
    clock.advance(SETTLED)
    assert keep(aged).drifted == 1
    live_on(aged, clock, take_in=take_in)
    assert articles_at(cloud) == []
    assert spaces.list_spaces(aged) == []


def test_an_old_article_that_stale_listings_missed_is_no_edit_of_somebody_else(aged, cloud, clock):
    spaces.create_space(aged, "B", data={})
    push(aged)
    ghost = article(cloud, "A")
    remove(cloud, "A")
    sync(aged)
    clock.advance(SETTLED)
    assert steps(sync(aged)) == {"A": "push_again"}
    # Nobody deleted it after all: the listings were stale. Here it changes before AIMS shows it again.
    spaces.update_space(aged, "A", data={"TITLE": "y"})
    with cloud.lock:
        cloud.store("ACME", "001").articles["A"] = ghost
        cloud.store("ACME", "001").articles_changed()
    push(aged)
    assert article(cloud, "A").data["TITLE"] == "y", "an old value of ours is no edit that is waited for"


def test_what_a_person_decided_on_does_not_make_an_older_value_somebody_elses(aged, cloud, clock):
    ghost = article(cloud, "A")
    old = dict(ghost.data)
    spaces.update_space(aged, "A", data={"TITLE": "ours"})
    edit(cloud, "A", TITLE="theirs")
    sync(aged, strategy=Strategy.MANUAL)
    clock.advance(SETTLED)
    sync(aged, strategy=Strategy.MANUAL)
    assert statuses(aged) == {"A": Status.CONFLICT}
    resolve_conflict(aged, "A", take_ours=True)
    ghost.data = old
    push(aged)
    assert article(cloud, "A").data["TITLE"] == "ours"


def test_an_article_others_deleted_meanwhile_is_pushed_again(pushed, cloud, clock):
    remove(cloud, "A")
    clock.advance(SETTLED)
    keep(pushed)
    push(pushed)
    assert articles_at(cloud) == ["A"]


@pytest.mark.parametrize(
    ("strategy", "ends_with"), [(Strategy.AIMS_WINS, []), (Strategy.MERGE, ["A"]), (Strategy.MANUAL, [])]
)
def test_a_deletion_at_aims_of_what_a_listing_showed_is_left_to_the_full_sync(
    bench, simulator_server, cloud, clock, strategy, ends_with
):
    scope = bench.organization(base_url=simulator_server.base_url, strategy=strategy)
    for name in ("A", "B"):
        spaces.create_space(scope, name, data={"TITLE": "x"})
    push(scope)
    clock.advance(30)
    sync(scope)
    clock.advance(20)
    remove(cloud, "A")
    clock.advance(SETTLED - 50)
    assert keep(scope).drifted == 0
    assert rows_of(scope)["A"].missing_since == clock()
    push(scope)
    assert articles_at(cloud) == ["B"], "the deletion is not undone before the strategy was asked"
    clock.advance(SETTLED)
    sync(scope)
    push(scope)
    assert articles_at(cloud) == [*ends_with, "B"]
    left = [space.external_id for space in spaces.list_spaces(scope)]
    assert left == (["B"] if strategy is Strategy.AIMS_WINS else ["A", "B"])


def test_what_changed_meanwhile_needs_no_verification(pushed, cloud, clock):
    clock.advance(SETTLED)
    spaces.update_space(pushed, "A", data={"TITLE": "newer"})
    done = keep(pushed)
    assert (done.verified, done.drifted) == (0, 0)
    push(pushed)
    clock.advance(SETTLED)
    assert keep(pushed).verified == 1


def test_aims_that_does_not_answer_is_asked_again_later(pushed, cloud, clock):
    clock.advance(SETTLED)
    fault = cloud.faults.add("status", code=503, path="/config/article/info")
    assert keep(pushed).verified == 0
    cloud.faults.remove(fault)
    assert keep(pushed).verified == 1


def test_a_paused_store_and_a_stopped_account_are_not_asked(pushed, cloud, clock):
    clock.advance(SETTLED)
    queue.pause(pushed)
    cloud.journal.clear()
    assert keep(pushed).verified == 0
    queue.pause(pushed, resume=True)
    fault = cloud.faults.add("status", code=503)
    ping.ping(pushed)
    cloud.faults.remove(fault)
    cloud.journal.clear()
    assert (keep(pushed).verified, cloud.journal.after()) == (0, [])


def test_verification_goes_on_after_an_outage_although_nothing_is_left_to_push(pushed, cloud, clock):
    fault = cloud.faults.add("status", code=503)
    ping.ping(pushed)
    cloud.faults.remove(fault)
    ping.ping(pushed)
    clock.advance(SETTLED)
    draining.drain(pushed)
    keep(pushed)
    assert rows_of(pushed)["A"].verify_after is None


def test_many_articles_are_verified_in_one_step(connected, cloud, clock):
    for number in range(60):
        spaces.create_space(connected, f"S{number:03}", data={})
    push(connected)
    clock.advance(SETTLED)
    cloud.journal.clear()
    assert keep(connected).verified == 60
    assert len(cloud.journal.after()) <= 7, "a login, the batch and its log, two pages of ids, the labels"


# --- forgetting -----------------------------------------------------------------------------------------------------


def test_a_tombstone_and_what_was_known_of_it_are_forgotten_after_a_week(pushed, clock):
    spaces.delete_space(pushed, "A")
    push(pushed)
    assert ABSENT in known(pushed)["A"]
    clock.advance(7 * DAY)
    keep(pushed)
    assert "A" in rows_of(pushed)
    assert ABSENT in known(pushed)["A"]
    clock.advance(1)
    assert ABSENT not in known(pushed)["A"]
    assert keep(pushed).forgotten >= 1
    assert rows_of(pushed) == {}


def test_a_tombstone_that_aims_never_confirmed_is_kept(pushed, cloud, clock):
    spaces.delete_space(pushed, "A")
    clock.advance(30 * DAY)
    keep(pushed)
    assert rows_of(pushed)["A"].is_dirty
    push(pushed)
    assert articles_at(cloud) == []


def test_an_article_that_is_there_is_never_forgotten(pushed, clock):
    clock.advance(30 * DAY)
    keep(pushed)
    assert statuses(pushed) == {"A": Status.SYNCED}
    assert known(pushed) == {"A": frozenset()}
    assert sync(pushed).writes == 0


def test_signs_of_life_do_not_bury_everything_else(pushed, clock):
    ping.ping(pushed)
    clock.advance(DAY + 1)
    ping.ping(pushed)
    keep(pushed)
    assert len(events_of(pushed, "health:solum:ok")) == 1
    assert events_of(pushed, "space:created")


def test_an_alert_whose_dead_letters_are_dealt_with_is_closed(connected, cloud):
    from tests.world.ledger import open_alerts

    spaces.create_space(connected, "A", data={})
    fault = cloud.faults.add("reject-article", articles=("A",))
    push(connected)
    keep(connected)
    assert len(open_alerts(connected)) == 1
    cloud.faults.remove(fault)
    queue.retry(connected, ["A"])
    keep(connected)
    assert open_alerts(connected) == []


# --- several at once ------------------------------------------------------------------------------------------------


def test_of_several_workers_one_keeps_the_house(pushed, clock):
    clock.advance(SETTLED)
    with pushed.runtime.database.write(pushed.org_id) as uow:
        leases.take_lease(uow, f"housekeeping:{pushed.org_id}", "another", seconds=60)
        uow.commit()
    assert keep(pushed) == Housekeeping()
    clock.advance(60)
    assert keep(pushed).verified == 1


def test_an_organization_without_aims_is_kept_too(scope):
    assert keep(scope) == Housekeeping()
