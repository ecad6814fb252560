"""Several workers: one pushes a store at a time, and one that froze acknowledges nothing afterwards (design 5.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from electis_cli.db import leases, tables
from electis_cli.domain.queue import Status
from electis_cli.services import draining, housekeeping, labels, people, queue, spaces
from electis_cli.services.push.report import Ending
from electis_cli.services.push.store import lease_name, push_store
from tests.world.ledger import (
    SETTLED,
    Through,
    article,
    articles_at,
    calls,
    label,
    label_codes,
    letters_of,
    push,
    rows_of,
    statuses,
    store_of,
    sync,
    through,
    wish_of,
)


@pytest.fixture
def second(connected, make_runtime, open_database):
    """The same admin on another machine: a runtime with connections and a name of its own."""
    return replace(connected, runtime=make_runtime(open_database()))


def freezing(scope, during, *, method="push_articles"):
    """Return a scope whose first call of a kind does something else in between; the call itself comes late."""
    happened = []

    class Frozen(Through):
        def __getattr__(self, name):
            real = getattr(self.client, name)
            if name != method or happened:
                return real

            def late(*arguments, **options):
                happened.append(name)
                during()
                return real(*arguments, **options)

            return late

    return through(scope, Frozen)


def test_a_store_that_somebody_pushes_is_left_to_them(connected, second, cloud):
    spaces.create_space(connected, "A", data={})
    reports = []
    push(freezing(connected, lambda: reports.append(push(second))))
    assert reports[0].ending is Ending.BUSY
    assert len(calls(cloud, "POST", "/common/articles")) == 1


def test_a_push_gives_its_lease_back(connected, second):
    spaces.create_space(connected, "A", data={})
    push(connected)
    spaces.update_space(connected, "A", data={"TITLE": "x"})
    assert push(second).updated == 1


def test_a_push_in_trouble_gives_its_lease_back_too(connected, second, cloud):
    spaces.create_space(connected, "A", data={})
    cloud.faults.add("status", code=503, path="/articles", method="POST", count=1)
    assert push(connected).ending is Ending.TROUBLE
    assert push(second).ending is not Ending.BUSY


def test_a_worker_that_died_is_replaced_when_its_lease_ran_out(connected, second, clock):
    spaces.create_space(connected, "A", data={})
    name = lease_name(store_of(connected).id)
    with connected.runtime.database.write(connected.org_id) as uow:
        leases.take_lease(uow, name, "dead", seconds=60)
        uow.commit()
    assert push(second).ending is Ending.BUSY
    clock.advance(59)
    assert push(second).ending is Ending.BUSY
    clock.advance(1)
    assert push(second).created == 1


def test_an_epoch_that_was_given_once_more_after_a_crash_of_the_server_is_not_mistaken_for_ones_own(
    connected, cloud
):
    """The lease of a push is not durable by itself: a crash may take it back, and the next one gets its epoch."""
    spaces.create_space(connected, "A", data={})
    name = lease_name(store_of(connected).id)
    epochs = []

    def crash(point):
        if point == "push:took-lease":
            with connected.runtime.database.write(connected.org_id) as uow:
                epochs.append(leases.current_holder(uow, name).epoch)
                uow.execute(tables.leases.delete().where(tables.leases.c.resource == name))
                epochs.append(leases.take_lease(uow, name, "another", seconds=60).epoch)
                uow.commit()

    report = push(replace(connected, runtime=replace(connected.runtime, reached=crash)))
    assert epochs == [1, 1]
    assert (report.ending, report.was_overtaken) == (Ending.BUSY, True)
    assert not calls(cloud, "POST", "/common/articles")
    assert rows_of(connected)["A"].inflight_version is None
    with connected.runtime.database.read(connected.org_id) as uow:
        assert leases.current_holder(uow, name).holder == "another", "and it gave nobody else's lease back"


def test_a_frozen_worker_acknowledges_nothing_after_it_was_replaced(connected, second, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "1"})
    taken = []

    def meanwhile():
        clock.advance(61)
        taken.append(push(second))

    report = push(freezing(connected, meanwhile))
    assert (report.ending, report.created) == (Ending.BUSY, 0)
    assert (taken[0].ending, taken[0].created + taken[0].agreed) == (Ending.DONE, 1)
    row = rows_of(connected)["A"]
    assert (row.synced_version, row.inflight_version) == (1, None)
    assert statuses(connected) == {"A": Status.SYNCED}


def test_a_late_request_of_a_frozen_worker_is_recognized_and_mended(connected, second, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "old"})

    def meanwhile():
        clock.advance(61)
        spaces.update_space(connected, "A", data={"TITLE": "new"})
        push(second)

    push(freezing(connected, meanwhile))
    assert article(cloud, "A").data["TITLE"] == "old", "AIMS took the late request: it has no compare-and-set"
    assert statuses(connected) == {"A": Status.SYNCED}
    clock.advance(SETTLED)
    assert housekeeping.keep_house(second.runtime, second.org_id).drifted == 1
    push(second)
    assert article(cloud, "A").data["TITLE"] == "new"
    assert spaces.show_space(connected, "A").data == {"TITLE": "new"}


def test_a_late_request_after_a_delete_raises_no_ghost(connected, second, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "old"})

    def meanwhile():
        clock.advance(61)
        spaces.delete_space(connected, "A")
        push(second)

    push(freezing(connected, meanwhile))
    assert articles_at(cloud) == ["A"], "the late request brought it back"
    clock.advance(SETTLED)
    for _ in range(2):
        housekeeping.keep_house(second.runtime, second.org_id)
        sync(second)
        push(second)
        clock.advance(SETTLED)
    assert articles_at(cloud) == []


def test_a_frozen_worker_makes_no_dead_letter_of_what_the_other_delivered(connected, second, cloud, clock):
    spaces.create_space(connected, "A", data={})

    def meanwhile():
        clock.advance(61)
        push(second)
        cloud.faults.add("reject-article", articles=("A",), count=1)

    report = push(freezing(connected, meanwhile))
    assert (report.ending, report.failed) == (Ending.BUSY, 0)
    assert (statuses(connected), letters_of(connected)) == ({"A": Status.SYNCED}, [])


def test_a_frozen_worker_whose_call_fails_counts_nothing_against_anybody(connected, second, cloud, clock):
    spaces.create_space(connected, "A", data={})

    def meanwhile():
        clock.advance(61)
        push(second)
        cloud.faults.add("reset", path="/articles", count=1)

    assert push(freezing(connected, meanwhile)).ending is Ending.BUSY
    row = rows_of(connected)["A"]
    assert (row.attempts, row.doubts, row.is_dirty) == (0, 0, False)
    assert store_of(connected).backoff_until is None


def test_a_frozen_worker_acknowledges_no_label_either(connected, second, cloud, clock):
    (code,) = label_codes(cloud, 1)
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={})
    labels.link_label(connected, code, "A")

    def meanwhile():
        clock.advance(61)
        labels.link_label(connected, code, "B")
        push(second)

    assert push(freezing(connected, meanwhile, method="link_labels")).ending is Ending.BUSY
    wish = wish_of(connected, code)
    assert (wish.desired_article, wish.acked_article) == ("B", "B")
    assert label(cloud, code).articles == ["A"], "the late link; a full sync sees it"


def test_a_lease_is_checked_before_every_call(connected, second, cloud, clock):
    connected = replace(
        connected, runtime=replace(connected.runtime, tuning=replace(connected.runtime.tuning, batch_size=1))
    )
    for name in ("A", "B", "C"):
        spaces.create_space(connected, name, data={})

    def meanwhile():
        clock.advance(61)
        with second.runtime.database.write(second.org_id) as uow:
            leases.take_lease(uow, lease_name(store_of(second).id), "another", seconds=60)
            uow.commit()

    report = push(freezing(connected, meanwhile))
    assert report.ending is Ending.BUSY
    assert len(calls(cloud, "POST", "/common/articles")) == 1, "not one call after the lease was lost"


def test_an_edit_between_two_workers_is_pushed_by_the_next_one(connected, second, cloud):
    spaces.create_space(connected, "A", data={})
    people.create_person(connected, "P1", data={"ITEM_NAME": "Dana"})
    push(freezing(connected, lambda: people.assign_person(connected, "P1", "A")))
    push(second)
    assert article(cloud, "A").name == "Dana"
    assert rows_of(connected)["A"].is_dirty is False


def test_a_drain_waits_for_the_worker_that_holds_the_store(connected, second, clock):
    spaces.create_space(connected, "A", data={})
    name = lease_name(store_of(connected).id)
    with second.runtime.database.write(second.org_id) as uow:
        leases.take_lease(uow, name, "daemon", seconds=10)
        uow.commit()
    waited = []

    def wait(seconds):
        waited.append(seconds)
        clock.advance(seconds)

    view = draining.drain(connected, wait=wait)
    assert view.empty
    assert sum(waited) == pytest.approx(10, abs=0.5)


def test_a_drain_gives_up_when_its_time_is_over(connected, second, clock):
    spaces.create_space(connected, "A", data={})
    with second.runtime.database.write(second.org_id) as uow:
        leases.take_lease(uow, lease_name(store_of(connected).id), "daemon", seconds=3600)
        uow.commit()
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.left["pending"]) == (False, 1)
    assert view.stores[0]["ending"] is Ending.BUSY
    assert queue.queue_status(connected)[0].worker == "daemon"


def test_two_stores_are_pushed_side_by_side_and_one_in_trouble_delays_no_other(
    bench, simulator_server, cloud
):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    for store in ("001", "002"):
        spaces.create_space(scope, "A", data={}, store=store)
    cloud.faults.add("hang", path="/articles", method="POST", store="001")
    places = [store_of(scope, "001"), store_of(scope, "002")]
    first, other = draining.push_all(scope, places, until=scope.runtime.clock() + timedelta(minutes=1))
    assert first.ending is Ending.TROUBLE
    assert (other.ending, other.created) == (Ending.DONE, 1)


def test_the_same_worker_may_push_the_same_store_only_once_at_a_time(connected):
    spaces.create_space(connected, "A", data={})
    store_id, reports = store_of(connected).id, []
    push(
        freezing(connected, lambda: reports.append(push_store(connected.runtime, connected.org_id, store_id)))
    )
    assert reports[0].ending is Ending.BUSY
