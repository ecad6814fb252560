"""Wake-ups on PostgreSQL: who listens hears of committed work, once and only then; and nothing depends on it."""

from __future__ import annotations

import psycopg
import pytest

from electis_cli.db import commands, labels, ledger
from electis_cli.db.wake_ups import CHANNEL, wake
from electis_cli.domain.commands import Command, CommandKind, CommandState
from electis_cli.domain.errors import DatabaseUnavailable
from electis_cli.services.working import Place, can_be_woken, listen_for_work
from tests.world.ledger import store_of

STORE = "a store"
PATIENCE = 20.0

pytestmark = pytest.mark.slow


@pytest.fixture(params=["postgresql"])
def engine_kind(request):
    """The embedded database wakes nobody."""
    return request.param


@pytest.fixture
def store_id(scope):
    return store_of(scope).id


def connect(database):
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True)


@pytest.fixture
def heard(database):
    """Return what was notified so far: how many wake-ups."""
    with connect(database) as listener, connect(database) as marker:
        listener.execute(f"LISTEN {CHANNEL}")

        def count():
            marker.execute(f"NOTIFY {CHANNEL}, 'so far'")
            payloads = []
            while "so far" not in payloads:
                payloads += [notice.payload for notice in listener.notifies(timeout=PATIENCE, stop_after=1)]
            return payloads.index("so far")

        yield count


def cut(database, process):
    """Cut a connection as the server's administrator would."""
    with connect(database) as admin:
        assert admin.execute("SELECT pg_terminate_backend(%s, 10000)", [process]).fetchone() == (True,)


def bump(uow, store_id, clock):
    ledger.bump(uow, store_id, {"A1": False}, clock())


def wish(uow, store_id, clock):
    labels.save_wish(uow, label_code="0A" * 6, store_id=store_id, article_id="A1", page=None, now=clock())


def wish_page(uow, store_id, clock):
    labels.wish_page(uow, store_id, "A1", 2, clock())


def command(uow, store_id, clock):
    commands.insert_command(
        uow,
        Command(
            id="one",
            store_id=store_id,
            kind=CommandKind.BLINK,
            state=CommandState.PENDING,
            created_by="test",
            payload={},
            created_at=clock(),
            expires_at=clock(),
        ),
    )


@pytest.mark.parametrize("change", [bump, wish, wish_page, command])
def test_work_is_heard_of_when_it_is_committed(database, scope, store_id, clock, heard, change):
    with database.write(scope.org_id) as uow:
        change(uow, store_id, clock)
        uow.commit()
        assert heard() == 0, "nobody could find it yet"
    assert heard() == 1


def test_one_commit_wakes_once_however_much_it_changed(database, scope, store_id, clock, heard):
    with database.write(scope.org_id) as uow:
        for change in (bump, wish, bump, wish_page):
            change(uow, store_id, clock)
        uow.commit()
    assert heard() == 1


def test_what_is_rolled_back_or_makes_no_work_wakes_nobody(database, scope, store_id, clock, heard):
    with database.write(scope.org_id) as uow:
        bump(uow, store_id, clock)
    with database.write(scope.org_id) as uow:
        ledger.bump(uow, store_id, {}, clock())
        labels.wish_pages(uow, store_id, {}, clock())
        uow.commit()
    assert heard() == 0


def test_the_connection_that_woke_somebody_still_rolls_back(database, scope, store_id, clock):
    for commits in (True, False):
        with database.write(scope.org_id) as uow:
            bump(uow, store_id, clock)
            if commits:
                uow.commit()
    with database.read(scope.org_id) as uow:
        assert ledger.rows_by_id(uow, store_id, ["A1"])["A1"].desired_version == 1


def test_a_wake_up_that_can_not_be_sent_fails_nobody_and_its_connection_is_not_used_again(database):
    with database.engine.connect() as connection:
        process = connection.connection.driver_connection.info.backend_pid
        cut(database, process)
        wake(connection, "one", ["two"])
        assert connection.invalidated


def test_whoever_listens_begins_by_looking_and_looks_again_at_each_change(
    database, runtime, scope, store_id, clock
):
    assert can_be_woken(runtime)
    looks = []

    def look(place):
        looks.append(place)
        with database.write(scope.org_id) as uow:
            bump(uow, store_id, clock)
            uow.commit()

    listen_for_work(runtime, look, lambda: len(looks) == 3)
    named = Place(org_id=scope.org_id, store_id=store_id, code=store_id)
    assert looks == [None, named, named], "at first it may be anywhere, then it is said where"


def test_very_many_stores_are_not_named(database, scope, store_id, clock):
    with database.wake_ups() as wake_ups:
        with database.write(scope.org_id) as uow:
            bump(uow, store_id, clock)
            for number in range(100):
                uow.announce_work(str(number))
            uow.commit()
        assert wake_ups.wait(PATIENCE) == [None]


def test_a_listener_that_was_cut_off_says_so(database):
    with database.wake_ups() as wake_ups:
        assert not wake_ups.wait(0)
        cut(database, wake_ups._connection.info.backend_pid)
        with pytest.raises(DatabaseUnavailable):
            wake_ups.wait(PATIENCE)


def test_a_listener_that_can_not_connect_says_so(database, postgres_server):
    postgres_server.drop_database(database.url.database)
    with pytest.raises(DatabaseUnavailable), database.wake_ups():
        pass
