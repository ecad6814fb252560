"""Flow 4.1: is everything there that electis needs?"""

from __future__ import annotations

import pytest

from electis_cli.adapters.redis import ping_redis
from electis_cli.db import accounts
from electis_cli.domain.errors import DatabaseUnavailable
from electis_cli.services.health import check_health, database_down


def note_ping(scope, state, *, error=None):
    with scope.runtime.database.write(scope.org_id) as uow:
        now = scope.runtime.clock()
        values = {"ping_state": state, "pinged_at": now, "ping_error": error}
        accounts.save_account(uow, {**values, "last_solum_ping": now} if state == "ok" else values)
        uow.commit()


def test_a_database_alone_is_well(scope, runtime):
    view = check_health(runtime)

    assert (view.status, dict(view.components), dict(view.problems)) == ("ok", {"database": "ok"}, {})


def test_aims_is_asked_when_nobody_asked_it_lately(connected, runtime, clock):
    view = check_health(runtime)

    assert view.components == {"database": "ok", "solum": "ok"}
    assert view.solum[0].last_solum_ping == clock.now


def test_the_daemons_last_ping_counts_while_it_is_fresh(connected, runtime, clock, simulator_server):
    note_ping(connected, "error", error="AIMS does not answer.")

    told = check_health(runtime)
    assert (told.status, told.components["solum"]) == ("degraded", "error")
    assert told.problems["solum"] == "ACME: AIMS does not answer."
    assert check_health(runtime, live=True).status == "ok"

    clock.advance(301)
    assert check_health(runtime).status == "ok", "an old answer is no answer"


def test_live_asks_although_the_last_ping_was_well(bench, runtime):
    gone = bench.organization(base_url="http://127.0.0.1:9")
    note_ping(gone, "ok")

    assert check_health(runtime).status == "ok"
    view = check_health(runtime, live=True)

    assert (view.status, view.components["solum"], view.solum[0].status) == ("degraded", "error", "error")


def test_one_organization_in_trouble_is_named(bench, runtime, simulator_server):
    well = bench.organization(base_url=simulator_server.base_url)
    ill = bench.organization("OTHER", base_url="http://127.0.0.1:9")
    note_ping(well, "ok")
    note_ping(ill, "error")

    view = check_health(runtime)

    assert [(one.organization, one.status) for one in view.solum] == [("ACME", "ok"), ("OTHER", "error")]
    assert view.components["solum"] == "error"
    assert "OTHER" in view.problems["solum"]
    assert "ACME" not in view.problems["solum"]


def test_redis_counts_when_it_is_configured(scope, runtime, make_runtime, valkey_server):
    with_redis = make_runtime(runtime.database, redis_ping=lambda: ping_redis(valkey_server.url))
    assert check_health(with_redis).components == {"database": "ok", "redis": "ok"}
    valkey_server.stop()

    view = check_health(with_redis)

    assert (view.status, view.components["redis"]) == ("degraded", "error")
    assert "Redis" in view.problems["redis"]


@pytest.mark.parametrize("redis_ping", [None, lambda: None])
def test_without_a_database_nothing_is_known_of_aims(redis_ping):
    view = database_down(DatabaseUnavailable(why="connection refused"), redis_ping)

    assert view.status == "degraded"
    assert view.components["database"] == "error"
    assert "solum" not in view.components
    assert "connection refused" in view.problems["database"]
