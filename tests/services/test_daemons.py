"""The daemons that share a database: who is heard of, what each is pushing, and who is told which stores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from electis_cli.db import leases
from electis_cli.domain.access import Actor, Role
from electis_cli.services import daemons, spaces, working
from electis_cli.services.runtime import Tuning
from tests.world.ledger import store_of

LEASE = 60
ALIVE_FOR = LEASE + 5


def start(runtime, number=1):
    return daemons.announce(runtime, machine="label-host", process_id=4000 + number, version="1.2.3")


def seen(scope):
    return daemons.list_daemons(scope.runtime, scope.actor)


def take(runtime, resource):
    with runtime.database.write() as uow:
        lease = leases.take_lease(uow, resource, runtime.holder, seconds=LEASE)
        uow.commit()
    return lease


@pytest.fixture
def second(make_runtime, open_database):
    """A second daemon's means, on its own connections."""
    return make_runtime(open_database())


def test_a_daemon_that_started_is_seen_with_who_and_where_it_is(scope, runtime, clock):
    daemon = start(runtime)

    (view,) = seen(scope)

    assert (view.id, view.holder, view.state) == (daemon.id, runtime.holder, "alive")
    assert (view.machine, view.process_id, view.version) == ("label-host", 4001, "1.2.3")
    assert (view.started_at, view.heard_at, view.pushing) == (clock.now, clock.now, ())


def test_a_heartbeat_keeps_it_alive_and_silence_for_lease_and_grace_does_not(scope, runtime, clock):
    daemon = start(runtime)
    started = clock.now
    clock.advance(ALIVE_FOR - 1)
    assert seen(scope)[0].state == "alive"
    daemons.beat(runtime, daemon)
    clock.advance(ALIVE_FOR - 1)
    assert seen(scope)[0].state == "alive"
    clock.advance(1)
    (view,) = seen(scope)
    assert (view.state, view.started_at) == ("silent", started)
    daemons.beat(runtime, daemon)
    assert seen(scope)[0].state == "alive", "it was frozen, not gone"


def test_each_daemon_is_measured_by_its_own_lease(scope, runtime, make_runtime, open_database, clock):
    start(runtime, 1)
    hasty = make_runtime(open_database(), tuning=Tuning(lease_seconds=2))
    start(hasty, 2)
    clock.advance(7)
    assert [(view.process_id, view.state) for view in seen(scope)] == [(4001, "alive"), (4002, "silent")]


def test_several_fit_into_one_lease(runtime, make_runtime):
    assert daemons.pause_between_heartbeats(runtime) == 5
    hasty = make_runtime(runtime.database, tuning=Tuning(lease_seconds=1.5))
    assert daemons.pause_between_heartbeats(hasty) == 0.5


def test_one_that_stops_as_told_leaves_nothing_behind(scope, runtime, second):
    first, other = start(runtime), start(second, 2)
    daemons.leave(runtime, first)
    assert [view.id for view in seen(scope)] == [other.id]
    daemons.leave(runtime, first)


def test_silent_for_a_day_is_forgotten_by_the_next_heartbeat_of_another(scope, runtime, second, clock):
    gone = start(runtime)
    clock.advance(86_400)
    other = start(second, 2)
    assert [view.id for view in seen(scope)] == [gone.id, other.id]
    clock.advance(1)
    daemons.beat(second, other)
    assert [view.id for view in seen(scope)] == [other.id]
    daemons.beat(runtime, gone)
    assert len(seen(scope)) == 2, "it woke up after all"


def test_what_a_daemon_pushes_is_read_from_its_leases(bench, runtime, second, clock):
    scope = bench.organization(store_codes=("001", "002", "003"))
    for number, worker in enumerate((runtime, second), 1):
        start(worker, number)
    for worker, code in ((runtime, "001"), (second, "003"), (runtime, "002")):
        take(worker, leases.push_resource(store_of(scope, code).id))
    take(second, leases.sync_resource(store_of(scope, "001").id))

    assert [view.pushing for view in seen(scope)] == [("ACME/001", "ACME/002"), ("ACME/003",)]
    clock.advance(LEASE)
    assert [view.pushing for view in seen(scope)] == [(), ()], "a lease that ran out is nobody's"


def test_nobody_is_told_of_stores_that_they_may_not_see(bench, runtime):
    ours, theirs = bench.organization(store_codes=("001", "002")), bench.organization("OTHER")
    start(runtime)
    for scope, code in ((ours, "001"), (ours, "002"), (theirs, "001")):
        take(runtime, leases.push_resource(store_of(scope, code).id))

    def pushing(scope):
        return seen(scope)[0].pushing

    assert pushing(ours) == ("ACME/001", "ACME/002")
    assert pushing(theirs) == ("OTHER/001",)
    assert pushing(bench.as_role(ours, Role.VIEWER)) == ("ACME/001", "ACME/002")
    assert pushing(bench.as_role(ours, Role.VIEWER, store="002")) == ("ACME/002",)
    nobody = Actor(user_id="x", email="n@example", role=Role.VIEWER, org_id=None)
    assert pushing(replace(ours, actor=nobody)) == ()
    support = Actor(user_id="x", email="s@example", role=Role.SUPPORT, org_id=None)
    assert pushing(replace(ours, actor=support)) == ("ACME/001", "ACME/002", "OTHER/001")


# --- several daemons share the work -----------------------------------------------------------------------------------


def test_a_store_that_another_worker_pushes_is_no_work_for_this_one(connected, runtime, second):
    spaces.create_space(connected, "A", data={})
    place = store_of(connected)
    assert [due.store_id for due in working.due_pushes(second)] == [place.id]
    lease = take(runtime, leases.push_resource(place.id))
    assert working.due_pushes(second) == []
    assert [due.store_id for due in working.due_pushes(runtime)] == [place.id], (
        "its own lease is its own affair"
    )
    with runtime.database.write() as uow:
        leases.release_lease(uow, lease)
        uow.commit()
    assert len(working.due_pushes(second)) == 1


def test_a_lease_that_ran_out_hides_no_work(connected, runtime, second, clock):
    spaces.create_space(connected, "A", data={})
    take(runtime, leases.push_resource(store_of(connected).id))
    clock.advance(LEASE)
    assert len(working.due_pushes(second)) == 1


def test_a_store_that_another_worker_compares_is_no_work_for_this_one(connected, runtime, second):
    assert len(working.due_syncs(second)) == 1
    take(runtime, leases.sync_resource(store_of(connected).id))
    assert working.due_syncs(second) == []


def test_a_store_that_another_daemon_took_meanwhile_is_busy_and_nothing_is_wrong(connected, second):
    (place,) = working.due_syncs(connected.runtime)
    take(second, f"sync:{place.store_id}")
    assert working.sync_turn(connected.runtime, place).outcome == "busy"


def test_who_takes_over_an_embedded_database_frees_what_the_dead_held_and_nothing_else(
    scope, runtime, second, make_runtime, open_database
):
    start(second, 2)
    held = take(second, "push:x")
    drain = replace(make_runtime(open_database()), holder="somebody at a terminal")
    kept = take(drain, "push:y")
    assert daemons.take_over(runtime) == 1
    assert (seen(scope), take(runtime, "push:y")) == ([], None)
    assert take(runtime, "push:x").epoch == held.epoch + 1
    with runtime.database.write() as uow:
        assert leases.renew_lease(uow, held, seconds=LEASE) is None, "a frozen one that wakes up is told"
        assert leases.renew_lease(uow, kept, seconds=LEASE)


def test_one_that_certainly_is_gone_is_silent_at_once(scope, runtime):
    start(runtime)
    gone = replace(scope, runtime=replace(runtime, is_daemon_gone=lambda: True))
    assert (seen(scope)[0].state, seen(gone)[0].state) == ("alive", "silent")
