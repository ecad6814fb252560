"""Leases: one holder at a time by the database's clock, and an epoch that only grows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from electis_cli.db import leases
from electis_cli.db.engine import Database
from electis_cli.domain.errors import DatabaseUnavailable

RESOURCE = "push:S1"


def take(database, holder, *, seconds=60.0, resource=RESOURCE):
    with database.write() as uow:
        lease = leases.take_lease(uow, resource, holder, seconds=seconds)
        uow.commit()
    return lease


def renew(database, lease, *, seconds=60.0):
    with database.write() as uow:
        renewed = leases.renew_lease(uow, lease, seconds=seconds)
        uow.commit()
    return renewed


def release(database, lease):
    with database.write() as uow:
        leases.release_lease(uow, lease)
        uow.commit()


def holder(database, resource=RESOURCE):
    with database.read() as uow:
        found = leases.current_holder(uow, resource)
    return found.holder if found else None


def test_a_free_lease_is_taken_and_names_its_holder(database, clock):
    lease = take(database, "one")
    assert (lease.holder, lease.epoch) == ("one", 1)
    assert (lease.expires_at - clock()).total_seconds() == 60
    assert holder(database) == "one"


def test_of_two_one_gets_it_and_different_things_do_not_get_in_each_others_way(database):
    assert take(database, "one") is not None
    assert take(database, "two") is None
    assert holder(database) == "one"
    assert take(database, "two", resource="push:S2") is not None


def test_a_holder_that_asks_again_does_not_hold_it_twice(database):
    assert take(database, "one") is not None
    assert take(database, "one") is None, "another thread of the same process is another holder"


def test_a_lease_ends_by_itself_and_the_next_holder_has_a_higher_epoch(database, clock):
    first = take(database, "one")
    clock.advance(59)
    assert take(database, "two") is None
    clock.advance(1)
    assert holder(database) is None
    second = take(database, "two")
    assert second.epoch > first.epoch


def test_a_renewed_lease_lasts_from_now(database, clock):
    lease = take(database, "one")
    clock.advance(59)
    renewed = renew(database, lease)
    assert renewed.epoch == lease.epoch
    clock.advance(59)
    assert holder(database) == "one"


def test_a_lease_that_ran_out_is_not_renewed_although_nobody_took_it(database, clock):
    lease = take(database, "one")
    clock.advance(60)
    assert renew(database, lease) is None


def test_a_lease_somebody_took_over_is_neither_renewed_nor_released_by_the_old_holder(database, clock):
    lost = take(database, "one")
    clock.advance(61)
    kept = take(database, "two")
    assert renew(database, lost) is None
    release(database, lost)
    assert holder(database) == "two"
    assert renew(database, kept) is not None


def test_the_same_name_in_a_later_life_does_not_own_the_earlier_lease(database, clock):
    lost = take(database, "one")
    clock.advance(61)
    kept = take(database, "one")
    assert kept.epoch > lost.epoch
    assert renew(database, lost) is None
    release(database, lost)
    assert holder(database) == "one"


def test_a_released_lease_is_free_at_once_and_its_epoch_goes_on(database):
    first = take(database, "one")
    release(database, first)
    assert holder(database) is None
    assert take(database, "two").epoch == first.epoch + 1


def test_a_lease_that_was_never_taken_has_no_holder(database):
    assert holder(database) is None


def test_of_many_who_ask_at_the_same_moment_one_gets_it(open_database):
    databases = [open_database() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda pair: take(pair[1], f"worker-{pair[0]}"), enumerate(databases)))
    assert sum(lease is not None for lease in found) == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "renew", "release", "wait"]), st.integers(0, 2), st.integers(1, 90)),
    max_size=12,
)


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_there_is_never_more_than_one_holder_and_epochs_only_grow(
    engine_kind, database, clock, steps, request
):
    resource = f"push:{clock()}:{len(steps)}:{hash(tuple(steps))}"
    held, highest = {}, 0
    clock.advance(1000)
    for what, who, seconds in steps:
        name = f"w{who}"
        if what == "wait":
            clock.advance(seconds)
        elif what == "take":
            lease = take(database, name, seconds=60, resource=resource)
            if lease is not None:
                assert lease.epoch > highest
                highest = lease.epoch
                held[who] = lease
        elif who in held and what == "renew":
            held[who] = renew(database, held[who]) or held[who]
        elif who in held:
            release(database, held.pop(who))
        alive = [who for who, lease in held.items() if lease.expires_at > clock() and lease.epoch == highest]
        assert holder(database, resource) == (f"w{alive[0]}" if alive else None)


def test_what_a_frozen_process_holds_in_the_middle_of_a_transaction_is_free_after_a_while(
    engine_kind, database_url, open_database
):
    """A frozen process keeps its connection; the server ends the transaction, and whoever waits goes on."""
    if engine_kind == "sqlite":
        pytest.skip("SQLite's users are on one machine, and its only daemon is alone")
    frozen = Database(database_url, idle_seconds=0.3)

    def freeze():
        with frozen.write() as uow:
            assert leases.take_lease(uow, RESOURCE, "frozen", seconds=60) is not None
            # This waits for the row: the frozen one has neither committed nor gone away.
            assert take(open_database(), "other").holder == "other"
            uow.commit()

    try:
        with pytest.raises(DatabaseUnavailable):
            freeze()
        assert take(frozen, "frozen", resource="push:S2") is not None, "it goes on with a new connection"
    finally:
        frozen.close()


def test_who_holds_what(database, clock):
    take(database, "one")
    take(database, "two", resource="push:S2")
    take(database, "one", resource="sync:S1", seconds=30)
    release(database, take(database, "one", resource="push:S3"))

    def seen():
        with database.read() as uow:
            others = leases.held_by_others(uow, [RESOURCE, "push:S2", "push:S3", "sync:S1", "push:S9"], "two")
            return leases.held_by(uow, "one"), others

    assert seen() == ([RESOURCE, "sync:S1"], {RESOURCE, "sync:S1"})
    clock.advance(30)
    assert seen() == ([RESOURCE], {RESOURCE})
