"""One transaction, bound to one organization, rolled back unless it is committed."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from electis_cli.db import ledger, organizations, spaces, stores
from electis_cli.db.engine import Database
from electis_cli.db.rows import among
from electis_cli.domain.errors import ChangedMeanwhile, DatabaseUnavailable
from electis_cli.domain.spaces import Space
from tests.world.ledger import store_of


def names(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [space.external_id for space in spaces.list_spaces(uow, [store_of(scope).id])]


def add(uow, store, external_id, now):
    spaces.insert_spaces(uow, [Space(id=external_id, store_id=store.id, external_id=external_id)], now)


def write(scope, *external_ids, commit=True, fail=False):
    store, now = store_of(scope), scope.runtime.clock()
    with scope.runtime.database.write(scope.org_id) as uow:
        for external_id in external_ids:
            add(uow, store, external_id, now)
        if commit:
            uow.commit()
        if fail:
            raise RuntimeError


def test_what_is_not_committed_never_happened(scope):
    write(scope, "4-1", commit=False)
    assert names(scope) == []


def test_what_is_committed_stays(scope):
    write(scope, "4-1")
    assert names(scope) == ["4-1"]


def test_an_error_after_the_commit_was_asked_for_rolls_everything_back(scope):
    with pytest.raises(RuntimeError):
        write(scope, "4-1", fail=True)
    assert names(scope) == []


def test_what_is_for_reading_changes_nothing(scope):
    store, now = store_of(scope), scope.runtime.clock()
    # A server refuses; the embedded database takes it back.
    with contextlib.suppress(sa.exc.InternalError), scope.runtime.database.read(scope.org_id) as uow:
        add(uow, store, "4-1", now)
        assert uow.is_sqlite
    assert names(scope) == []


def test_a_server_plans_what_is_read_again_and_again_only_once(scope):
    if scope.runtime.database.is_sqlite:
        pytest.skip("the embedded database keeps nothing for a connection")
    for _ in range(8):
        names(scope)
    with scope.runtime.database.read(scope.org_id) as uow:
        kept = uow.execute(sa.text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert any("FROM spaces" in statement for statement in kept)


def test_a_savepoint_takes_back_its_own_part_and_nothing_else(scope):
    store, now = store_of(scope), scope.runtime.clock()

    def fail(uow):
        with uow.savepoint():
            add(uow, store, "4-2", now)
            raise RuntimeError

    with scope.runtime.database.write(scope.org_id) as uow:
        add(uow, store, "4-1", now)
        with pytest.raises(RuntimeError):
            fail(uow)
        add(uow, store, "4-3", now)
        uow.commit()
    assert names(scope) == ["4-1", "4-3"]


def test_an_unbound_unit_of_work_has_no_tenant(database):
    with database.read() as uow, pytest.raises(LookupError):
        _ = uow.tenant


def test_a_query_on_a_tenant_table_without_a_tenant_is_a_bug_and_not_everything(scope):
    with scope.runtime.database.read() as uow, pytest.raises(LookupError):
        stores.list_stores(uow)


def test_a_unit_of_work_is_bound_once(scope):
    with scope.runtime.database.read() as uow:
        uow.rebind(scope.org_id)
        assert [store.code for store in stores.list_stores(uow)] == ["001"]
        with pytest.raises(LookupError):
            uow.rebind("another")


def test_a_broken_rule_of_the_database_is_told_without_what_was_in_the_row(scope):
    write(scope, "Dana Levi")
    with pytest.raises(ChangedMeanwhile) as caught:
        write(scope, "4-1", "Dana Levi")
    assert "Dana Levi" not in f"{caught.value} {caught.value.why}"
    assert names(scope) == ["Dana Levi"], "all or nothing"


def test_an_unreachable_server_is_unavailable_and_shows_no_password(make_runtime):
    database = Database("postgresql://role:top-secret@127.0.0.1:1/nothing")
    try:
        with pytest.raises(DatabaseUnavailable) as caught, database.read():
            pass
    finally:
        database.close()
    assert "top-secret" not in f"{caught.value} {caught.value.why} {caught.value.fix}"


def test_a_writer_on_sqlite_takes_the_lock_at_once(database, open_database):
    if not database.is_sqlite:
        pytest.skip("PostgreSQL locks rows, not files")
    other = open_database()
    order = []

    def second():
        with other.write() as uow:
            order.append("second in")
            uow.commit()

    thread = threading.Thread(target=second)
    with database.write() as uow:
        thread.start()
        thread.join(0.2)
        order.append("first out")
        uow.commit()
    thread.join(10)
    assert order == ["first out", "second in"]


# --- time and numbers -----------------------------------------------------------------------------------------------


def test_time_comes_back_in_utc_as_it_went_in(scope, clock):
    clock.now = datetime(2026, 3, 1, 2, 3, 4, 567891, tzinfo=UTC)
    with scope.runtime.database.write(scope.org_id) as uow:
        stores.update_store(uow, store_of(scope).id, {"last_sync_at": clock.now})
        uow.commit()
    found = store_of(scope).last_sync_at
    assert found == clock.now
    assert found.utcoffset().total_seconds() == 0


def test_a_moment_without_a_zone_never_reaches_the_database(scope):
    naive = scope.runtime.clock().replace(tzinfo=None)
    store = store_of(scope)
    with (
        pytest.raises(sa.exc.StatementError, match="naive"),
        scope.runtime.database.write(scope.org_id) as uow,
    ):
        stores.update_store(uow, store.id, {"last_sync_at": naive})


def test_without_a_clock_of_its_own_a_unit_of_work_asks_the_database(database_url):
    database = Database(database_url)
    try:
        with database.read() as uow:
            moment = uow.now()
    finally:
        database.close()
    assert moment.utcoffset().total_seconds() == 0


def test_numbers_ascend_within_a_transaction_and_never_repeat(scope, open_database):
    taken = []
    with scope.runtime.database.write(scope.org_id) as uow:
        for count in (1, 3, 1, 500, 0, 2):
            first = uow.take_numbers(ledger.SEQUENCE, count)
            taken.extend(range(first, first + count))
        uow.commit()
    with open_database().write(scope.org_id) as uow:
        taken.append(uow.take_numbers(ledger.SEQUENCE, 1))
        uow.commit()
    assert taken == sorted(set(taken))


def test_numbers_of_a_rolled_back_transaction_may_be_lost_but_order_holds(scope):
    with scope.runtime.database.write(scope.org_id) as uow:
        uow.take_numbers(ledger.SEQUENCE, 10)
    with scope.runtime.database.write(scope.org_id) as uow:
        first = uow.take_numbers(ledger.SEQUENCE, 1)
        uow.commit()
    with scope.runtime.database.write(scope.org_id) as uow:
        assert uow.take_numbers(ledger.SEQUENCE, 1) > first


def test_the_fingerprint_of_the_key_is_written_once(scope, clock):
    with scope.runtime.database.write() as uow:
        organizations.set_key_fingerprint(uow, "another", clock())
        uow.commit()
    with scope.runtime.database.read() as uow:
        assert organizations.key_fingerprint(uow) == scope.runtime.sealer.fingerprint


@pytest.mark.slow
@pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)
def test_connections_that_the_server_ended_are_replaced_without_a_word(scope, open_database):
    """As after a restart of the server: nobody is told, and what they meant to write is written once."""
    database = scope.runtime.database
    with database.read(), database.read(), database.read():
        pass  # three connections are open now, and wait for use
    with open_database().write() as other:
        ended = other.execute(
            sa.text(
                "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).scalar_one()
    assert ended >= 3
    write(scope, "4-1")
    with database.read(scope.org_id), database.read(scope.org_id), database.read(scope.org_id):
        assert names(scope) == ["4-1"]


@pytest.mark.parametrize(
    "value",
    ["", "plain", 'quo"ted', "back\\slash", '\\"', "{a,b}", "NULL", " blank ", "a,b", "שלום", "'", "\n"],
)
def test_a_value_is_found_among_many_whatever_is_in_it(database, value):
    with database.read() as uow:
        both = (sa.select(sa.literal(one, sa.Text()).label("name")) for one in (value, "other"))
        held = sa.union_all(*both).subquery()
        statement = sa.select(held.c.name).where(among(uow, held.c.name, ["x", value, "y"]))
        assert uow.execute(statement).scalars().all() == [value]
        assert uow.execute(sa.select(held.c.name).where(among(uow, held.c.name, []))).scalars().all() == []
        nul = sa.select(held.c.name).where(among(uow, held.c.name, [f"{value}\0other"]))
        assert uow.execute(nul).scalars().all() == []
