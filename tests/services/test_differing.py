"""`sync diff`: every difference between the database and AIMS, field by field and with its reason."""

from __future__ import annotations

import pytest

from electis_cli.domain.access import Role
from electis_cli.domain.errors import StoreNotFound, Unreachable
from electis_cli.domain.reconcile import REASONS, Step
from electis_cli.services import spaces, stores
from electis_cli.services.conflicts import Field
from electis_cli.services.differing import diff_stores
from electis_cli.services.full_sync import Choice
from tests.world.ledger import (
    SETTLED,
    article_writes,
    edit,
    events_of,
    push,
    put,
    remove,
    rows_of,
    runs_of,
    sync,
    sync_twice,
)

AT_ONCE = Choice(believe_at_once=True)


@pytest.fixture
def agreed(connected, clock):
    """A store whose spaces A, B and D are at AIMS, synced and settled."""
    for name in ("A", "B", "D"):
        spaces.create_space(connected, name, data={"TITLE": "both", "PHONE": "1"})
    push(connected)
    sync(connected)
    clock.advance(SETTLED)
    sync(connected)
    return connected


def found(scope, **options):
    return {difference.article_id: difference for difference in diff_stores(scope, **options)}


def test_where_both_sides_agree_there_is_no_difference(agreed):
    assert diff_stores(agreed) == []


def test_a_difference_names_its_fields_on_all_three_sides_and_its_reason(agreed, cloud):
    edit(cloud, "B", TITLE="theirs", PHONE="")
    (difference,) = diff_stores(agreed)
    assert (difference.store, difference.article_id, difference.step) == ("001", "B", "observe")
    assert difference.reason == REASONS[Step.OBSERVE]
    assert difference.fields == [
        Field(column="PHONE", base="1", ours="1", aims=""),
        Field(column="TITLE", base="both", ours="both", aims="theirs"),
    ]


def test_every_kind_of_difference_is_told_apart(agreed, cloud):
    edit(cloud, "A", TITLE="theirs")
    remove(cloud, "B")
    put(cloud, "FOREIGN", TITLE="12.90")
    spaces.update_space(agreed, "D", data={"TITLE": "waits to be pushed"})
    spaces.create_space(agreed, "NEW", data={})
    told = {name: difference.step for name, difference in found(agreed, choice=AT_ONCE).items()}
    assert told == {"A": "adopt", "B": "push_again", "FOREIGN": "report", "D": "pending", "NEW": "pending"}


def test_looking_changes_nothing_at_all(agreed, cloud, clock):
    edit(cloud, "A", TITLE="theirs")
    remove(cloud, "B")
    before = rows_of(agreed), runs_of(agreed), len(events_of(agreed, "sync:started")), article_writes(cloud)
    for _ in range(3):
        clock.advance(SETTLED)
        assert found(agreed)["A"].step == "observe", "what was only looked at is not noted"
    after = rows_of(agreed), runs_of(agreed), len(events_of(agreed, "sync:started")), article_writes(cloud)
    assert after == before


def test_what_a_diff_tells_is_what_a_full_sync_does(agreed, cloud, clock):
    edit(cloud, "A", TITLE="theirs")
    remove(cloud, "B")
    sync(agreed)
    clock.advance(SETTLED)
    told = {name: difference.step for name, difference in found(agreed).items()}
    done = {action["article_id"]: action["step"] for action in sync(agreed).actions}
    assert told == done == {"A": "adopt", "B": "push_again"}
    push(agreed)
    sync_twice(agreed, clock)
    assert diff_stores(agreed) == []


def test_a_disabled_store_is_looked_at_only_when_it_is_named(bench, simulator_server):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    for code in ("001", "002"):
        spaces.create_space(scope, "A", data={}, store=code)
    stores.update_store(scope, "002", sync_enabled=False)
    assert [difference.store for difference in diff_stores(scope)] == ["001"]
    assert [difference.store for difference in diff_stores(scope, store="002")] == ["002"]
    with pytest.raises(StoreNotFound):
        diff_stores(scope, store="003")


def test_without_aims_there_is_nothing_to_compare(agreed, cloud):
    cloud.faults.add("status", code=503)
    with pytest.raises(Unreachable):
        diff_stores(agreed)
    assert runs_of(agreed)[0]["state"] == "completed", "a look is no run"


def test_whoever_reads_may_look(agreed, bench, cloud):
    edit(cloud, "A", TITLE="theirs")
    (difference,) = diff_stores(bench.as_role(agreed, Role.VIEWER))
    assert difference.article_id == "A"
