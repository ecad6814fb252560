"""Flow 3.1: the full sync of one store against AIMS over real HTTP (design 5.3)."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from electis_cli.db import leases, ledger, runs
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsUnreachable,
    BrakeTripped,
    FormatChanged,
    LockHeld,
    NotFound,
    Unreachable,
    UnreliableListing,
)
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import State, Status
from electis_cli.services import conferences, formats, labels, people, queue, spaces, syncing
from electis_cli.services.full_sync import approve_run, full_sync
from electis_cli.services.health import check_health
from electis_cli.services.push.report import Ending
from electis_cli.services.push.store import push_store
from tests.world.ledger import (
    SETTLED,
    Through,
    account_of,
    article,
    article_writes,
    articles_at,
    conflicts_of,
    edit,
    events_of,
    label_codes,
    letters_of,
    link,
    open_alerts,
    push,
    put,
    remove,
    rows_of,
    runs_of,
    statuses,
    store_of,
    sync,
    through,
    wish_of,
)
from tests.world.organizations import make_connector

MANY = [f"S{number:02}" for number in range(12)]


@pytest.fixture
def agreed(connected, clock):
    """A store whose spaces A and B and room C1 are at AIMS, synced and settled."""
    spaces.create_space(connected, "A", data={"TITLE": "window"})
    spaces.create_space(connected, "B", data={})
    people.create_person(connected, "P1", data={"ITEM_NAME": "Dana", "PHONE": "1"}, space="A")
    conferences.create_room(connected, "1")
    push(connected)
    sync(connected)
    clock.advance(SETTLED)
    sync(connected)
    return connected


def steps(view):
    """Return what a run did with which article, quiet ones left out."""
    return {action["article_id"]: action["step"] for action in view.actions}


def settle(scope, clock, **changes):
    """Run two full syncs that are a window apart and return the second."""
    sync(scope, **changes)
    clock.advance(SETTLED)
    return sync(scope, **changes)


# --- nothing to do --------------------------------------------------------------------------------------------------


def test_a_quiet_system_is_left_alone(agreed, cloud, clock):
    before, writes = rows_of(agreed), article_writes(cloud)
    view = settle(agreed, clock)
    assert (view.state, view.writes, dict(view.counts)) == ("completed", 0, {"in_sync": 3})
    assert push(agreed).article_calls == 0
    assert rows_of(agreed) == before
    assert article_writes(cloud) == writes


def test_a_full_sync_says_when_it_ran_and_what_it_counted(agreed, clock):
    view = sync(agreed)
    run = runs_of(agreed)[0]
    assert (run["id"], run["state"], run["source"]) == (view.run, "completed", "test")
    assert store_of(agreed).last_sync_at == clock()
    assert events_of(agreed, "sync:started")[-1]["payload"] == {"run": view.run}
    assert events_of(agreed, "sync:completed")[-1]["payload"] == {"run": view.run, "counts": {"in_sync": 3}}
    assert syncing.sync_status(agreed)[0].state == "synced"


def test_a_full_sync_never_writes_to_aims_by_itself(agreed, cloud, clock):
    edit(cloud, "B", TITLE="x")
    remove(cloud, "A")
    writes = article_writes(cloud)
    settle(agreed, clock)
    assert article_writes(cloud) == writes


def test_a_forgotten_bump_is_made_up_for_and_counted(agreed, cloud):
    with agreed.runtime.database.write(agreed.org_id) as uow:
        from electis_cli.db import spaces as rows

        space = rows.find_space(uow, store_of(agreed).id, "B")
        rows.save_space(
            uow, type(space)(**{**_fields(space), "data": {"TITLE": "silent"}}), agreed.runtime.clock()
        )
        uow.commit()
    view = sync(agreed)
    assert steps(view) == {"B": "bump"}
    push(agreed)
    assert article(cloud, "B").data["TITLE"] == "silent"


def _fields(row):
    return {name: getattr(row, name) for name in type(row).__dataclass_fields__}


# --- edits made at AIMS ---------------------------------------------------------------------------------------------


def test_a_remote_edit_is_believed_only_when_it_stays(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    first = sync(agreed)
    assert (first.writes, steps(first)) == (0, {"B": "observe"})
    clock.advance(60)
    assert steps(sync(agreed)) == {"B": "observe"}
    clock.advance(61)
    third = sync(agreed)
    assert (third.writes, steps(third)) == (1, {"B": "adopt"})
    assert spaces.show_space(agreed, "B").data == {"TITLE": "theirs"}


def test_a_remote_edit_that_is_taken_back_in_time_never_happened(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    sync(agreed)
    edit(cloud, "B", TITLE="")
    clock.advance(SETTLED)
    assert settle(agreed, clock).writes == 0
    assert spaces.show_space(agreed, "B").data == {}


def test_a_remote_edit_of_a_free_space_goes_into_the_space(agreed, cloud, clock):
    edit(cloud, "B", name="Storage", DEPARTMENT="IT")
    settle(agreed, clock)
    assert spaces.show_space(agreed, "B").data == {"ITEM_NAME": "Storage", "DEPARTMENT": "IT"}
    assert statuses(agreed)["B"] is Status.SYNCED
    assert settle(agreed, clock).writes == 0


def test_a_remote_edit_of_an_occupied_space_goes_to_the_person(agreed, cloud, clock):
    edit(cloud, "A", name="Dana Levi", PHONE="2")
    settle(agreed, clock)
    assert people.show_person(agreed, "P1").data == {"ITEM_NAME": "Dana Levi", "PHONE": "2"}
    assert spaces.show_space(agreed, "A").data == {"TITLE": "window"}
    assert article_writes(cloud) == 1, "AIMS shows it already: nothing to push"
    assert settle(agreed, clock).writes == 0


def test_a_column_that_aims_cleared_is_cleared_in_the_person(agreed, cloud, clock):
    edit(cloud, "A", PHONE="")
    settle(agreed, clock)
    assert people.show_person(agreed, "P1").data == {"ITEM_NAME": "Dana"}


def test_a_cleared_column_that_would_show_the_spaces_value_instead_waits_for_a_person(agreed, cloud, clock):
    edit(cloud, "A", TITLE="")
    settle(agreed, clock)
    assert statuses(agreed)["A"] is Status.CONFLICT
    assert spaces.show_space(agreed, "A").data == {"TITLE": "window"}


def test_without_a_window_a_remote_edit_is_believed_at_once(agreed, cloud):
    edit(cloud, "B", TITLE="theirs")
    assert steps(sync(agreed, believe_at_once=True)) == {"B": "adopt"}


def test_an_adopted_edit_leaves_its_trace(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    settle(agreed, clock)
    (kept,) = conflicts_of(agreed)
    assert (kept["article_id"], kept["choice"], kept["run_id"]) == ("B", "aims", runs_of(agreed)[0]["id"])
    assert (kept["base"].get("TITLE"), kept["remote"]["TITLE"]) == (None, "theirs")


def test_edits_of_different_columns_on_both_sides_both_survive(agreed, cloud, clock):
    edit(cloud, "B", DEPARTMENT="theirs")
    spaces.update_space(agreed, "B", data={"TITLE": "ours"})
    settle(agreed, clock)
    push(agreed)
    assert spaces.show_space(agreed, "B").data == {"TITLE": "ours", "DEPARTMENT": "theirs"}
    assert article(cloud, "B").data["TITLE"] == "ours"
    assert article(cloud, "B").data["DEPARTMENT"] == "theirs"
    assert settle(agreed, clock).writes == 0


def test_the_database_wins_a_column_that_both_changed_and_their_value_is_kept(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    spaces.update_space(agreed, "B", data={"TITLE": "ours"})
    settle(agreed, clock)
    push(agreed)
    assert article(cloud, "B").data["TITLE"] == "ours"
    (kept,) = conflicts_of(agreed)
    assert (kept["choice"], kept["local"]["TITLE"], kept["remote"]["TITLE"]) == ("database", "ours", "theirs")


def test_a_room_is_ours_to_say(agreed, cloud, clock):
    edit(cloud, "C1", name="Their room")
    settle(agreed, clock)
    push(agreed)
    assert article(cloud, "C1").name == "Conference 1"
    assert conferences.show_room(agreed, "1").room_name == "Conference 1"
    assert conflicts_of(agreed)[0]["remote"]["ITEM_NAME"] == "Their room"


def test_an_edit_seen_while_somebody_else_sat_there_is_not_given_to_the_next_one(agreed, cloud, clock):
    edit(cloud, "A", DEPARTMENT="meant for Dana")
    sync(agreed)
    clock.advance(SETTLED)
    people.unassign_person(agreed, "P1")
    people.create_person(agreed, "P2", data={"ITEM_NAME": "Noa"}, space="A")
    push(agreed)
    sync(agreed)
    assert people.show_person(agreed, "P2").data == {"ITEM_NAME": "Noa"}, "noted before Noa sat down"


def test_an_article_that_lost_an_accepted_push_is_pushed_again_and_the_edit_is_not_lost(agreed, cloud, clock):
    # What AIMS still shows was agreed on, but never pushed by us: it was adopted.
    edit(cloud, "B", DEPARTMENT="theirs")
    settle(agreed, clock)
    spaces.update_space(agreed, "B", data={"TITLE": "ours"})
    cloud.faults.add("lost-push", articles=("B",), count=1)
    push(agreed)
    clock.advance(SETTLED)
    settle(agreed, clock)
    push(agreed)
    assert spaces.show_space(agreed, "B").data == {"TITLE": "ours", "DEPARTMENT": "theirs"}
    assert article(cloud, "B").data["TITLE"] == "ours"


# --- strategies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "here", "there", "choice"),
    [
        (Strategy.MERGE, "ours", "ours", "database"),
        (Strategy.DATABASE_WINS, "ours", "ours", "database"),
        (Strategy.AIMS_WINS, "theirs", "theirs", "aims"),
        (Strategy.MANUAL, "ours", "theirs", "undecided"),
    ],
)
def test_who_wins_when_both_changed_is_the_organizations_choice(
    bench, simulator_server, cloud, clock, strategy, here, there, choice
):
    scope = bench.organization(base_url=simulator_server.base_url, strategy=strategy)
    spaces.create_space(scope, "B", data={"TITLE": "both"})
    push(scope)
    clock.advance(SETTLED)
    edit(cloud, "B", TITLE="theirs")
    spaces.update_space(scope, "B", data={"TITLE": "ours"})
    settle(scope, clock)
    push(scope)
    assert spaces.show_space(scope, "B").data == {"TITLE": here}
    assert article(cloud, "B").data["TITLE"] == there
    (kept,) = conflicts_of(scope)
    assert kept["choice"] == choice
    assert [kept[side]["TITLE"] for side in ("base", "local", "remote")] == ["both", "ours", "theirs"]
    expected = Status.CONFLICT if strategy is Strategy.MANUAL else Status.SYNCED
    assert statuses(scope) == {"B": expected}


def test_a_strategy_named_for_one_run_beats_the_organizations(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    spaces.update_space(agreed, "B", data={"TITLE": "ours"})
    settle(agreed, clock, strategy=Strategy.AIMS_WINS)
    assert spaces.show_space(agreed, "B").data == {"TITLE": "theirs"}


def test_a_conflict_is_kept_once_however_long_it_waits_for_a_person(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    spaces.update_space(agreed, "B", data={"TITLE": "ours"})
    settle(agreed, clock, strategy=Strategy.MANUAL)
    for _ in range(5):
        clock.advance(900)
        view = sync(agreed, strategy=Strategy.MANUAL)
    assert len(conflicts_of(agreed)) == 1
    assert view.writes == 0


def test_a_conflict_is_not_pushed_until_somebody_edits_it(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    spaces.update_space(agreed, "B", data={"TITLE": "ours"})
    settle(agreed, clock, strategy=Strategy.MANUAL)
    push(agreed)
    assert article(cloud, "B").data["TITLE"] == "theirs"
    spaces.update_space(agreed, "B", data={"TITLE": "decided"})
    clock.advance(61)
    push(agreed)
    clock.advance(SETTLED)
    push(agreed)
    assert article(cloud, "B").data["TITLE"] == "decided"
    assert statuses(agreed)["B"] is Status.SYNCED


# --- deletions ------------------------------------------------------------------------------------------------------


def test_an_article_deleted_at_aims_is_pushed_again_after_two_listings_a_window_apart(agreed, cloud, clock):
    remove(cloud, "B")
    assert steps(sync(agreed)) == {"B": "missing"}
    clock.advance(60)
    assert steps(sync(agreed)) == {"B": "missing"}
    assert push(agreed).article_calls == 0
    clock.advance(61)
    assert steps(sync(agreed)) == {"B": "push_again"}
    assert push(agreed).created == 1
    assert "B" in articles_at(cloud)
    assert spaces.show_space(agreed, "B")


def test_an_article_that_was_only_hidden_for_a_moment_is_not_touched(agreed, cloud, clock):
    held = article(cloud, "B")
    remove(cloud, "B")
    sync(agreed)
    with cloud.lock:
        cloud.store("ACME", "001").articles["B"] = held
        cloud.store("ACME", "001").articles_changed()
    clock.advance(SETTLED)
    sync(agreed)
    remove(cloud, "B")
    clock.advance(SETTLED)
    assert steps(sync(agreed)) == {"B": "missing"}, "the first miss does not count any more"


def test_an_edit_beats_a_delete_at_aims(agreed, cloud):
    remove(cloud, "B")
    spaces.update_space(agreed, "B", data={"TITLE": "still here"})
    push(agreed)
    assert article(cloud, "B").data["TITLE"] == "still here"


def test_a_deleted_space_that_comes_back_as_we_pushed_it_is_deleted_again(agreed, cloud, clock):
    ghost = article(cloud, "B")
    spaces.delete_space(agreed, "B")
    push(agreed)
    with cloud.lock:
        cloud.store("ACME", "001").articles["B"] = ghost
        cloud.store("ACME", "001").articles_changed()
    clock.advance(SETTLED)
    assert steps(sync(agreed)) == {"B": "delete_again"}
    push(agreed)
    assert "B" not in articles_at(cloud)
    with pytest.raises(NotFound):
        spaces.show_space(agreed, "B")


def test_a_deleted_id_that_others_use_anew_is_theirs(agreed, cloud, clock):
    spaces.delete_space(agreed, "B")
    push(agreed)
    put(cloud, "B", TITLE="somebody's new article")
    view = settle(agreed, clock)
    assert steps(view) == {"B": "report"}
    push(agreed)
    assert article(cloud, "B").data["TITLE"] == "somebody's new article"


def test_a_foreign_edit_of_a_space_deleted_here_follows_the_strategy(bench, simulator_server, cloud, clock):
    scope = bench.organization(base_url=simulator_server.base_url, strategy=Strategy.MANUAL)
    spaces.create_space(scope, "B", data={"TITLE": "both"})
    push(scope)
    clock.advance(SETTLED)
    edit(cloud, "B", TITLE="theirs")
    spaces.delete_space(scope, "B")
    for _ in range(3):
        push(scope)
        clock.advance(SETTLED)
    assert article(cloud, "B").data["TITLE"] == "theirs", "a person decides"
    assert statuses(scope)["B"] is Status.CONFLICT


def test_an_article_made_by_others_is_reported_and_never_touched(agreed, cloud, clock):
    put(cloud, "FOREIGN", name="Cheese", TITLE="12.90")
    view = settle(agreed, clock)
    assert (view.writes, view.counts["report"], steps(view)) == (0, 1, {"FOREIGN": "report"})
    push(agreed)
    assert article(cloud, "FOREIGN").name == "Cheese"
    assert "FOREIGN" not in rows_of(agreed)


# --- first contact --------------------------------------------------------------------------------------------------


def test_on_first_contact_what_aims_shows_is_met_and_not_replaced(connected, cloud):
    put(cloud, "A", name="", TITLE="window", THEIRS="kept")
    put(cloud, "Z", name="Cheese")
    spaces.create_space(connected, "A", data={"TITLE": "window"})
    view = sync(connected)
    assert steps(view) == {"A": "agree", "Z": "report"}
    assert push(connected).article_calls == 0
    assert article(cloud, "A").data["THEIRS"] == "kept"


def test_on_first_contact_with_nothing_there_everything_is_still_pending(connected, cloud):
    spaces.create_space(connected, "A", data={})
    view = sync(connected)
    assert (view.writes, dict(view.counts)) == (0, {"pending": 1})
    assert push(connected).created == 1


# --- brakes ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(connected, cloud, clock):
    """Twelve spaces, synced, settled, and all deleted here and then resurrected at AIMS: eleven too many."""
    for name in MANY:
        spaces.create_space(connected, name, data={"TITLE": name})
    push(connected)
    sync(connected)
    ghosts = dict(cloud.store("ACME", "001").articles)
    spaces.create_space(connected, "KEPT", data={})
    for name in MANY:
        spaces.delete_space(connected, name)
    push(connected)
    clock.advance(SETTLED)
    with cloud.lock:
        cloud.store("ACME", "001").articles.update(ghosts)
        cloud.store("ACME", "001").articles_changed()
    return connected


def test_a_plan_over_the_brake_is_held_and_says_so(many, cloud, clock):
    before = rows_of(many)
    with pytest.raises(BrakeTripped) as caught:
        sync(many)
    run = runs_of(many)[0]
    assert (run["state"], run["brakes"]) == ("held", [{"name": "deletions", "count": 12, "limit": 10}])
    assert caught.value.details["run"] == run["id"]
    assert caught.value.fix == f"electis sync approve {run['id']}"
    assert events_of(many, "sync:held")[-1]["payload"]["run"] == run["id"]
    push(many)
    after = rows_of(many)
    assert {name: after[name] for name in MANY} == {name: before[name] for name in MANY}
    assert after["KEPT"].desired_version == before["KEPT"].desired_version
    assert len(articles_at(cloud)) == 13
    assert syncing.sync_status(many)[0].state == "held"


def test_a_held_plan_raises_an_alert_with_the_command_that_lets_it_go_on(many, cloud):
    for _ in range(2):
        with pytest.raises(BrakeTripped) as caught:
            sync(many)
    (alert,) = open_alerts(many)
    assert (alert["cause"], alert["count"]) == ("sync-held:001", 2)
    assert "deletions 12 of at most 10" in alert["text"]
    assert check_health(many.runtime).alerts[0].fix == caught.value.fix
    approve_run(many, caught.value.details["run"])
    assert open_alerts(many) == []


def test_a_run_that_needs_no_approval_any_more_closes_the_alert_and_ends_what_was_held(many, cloud):
    with pytest.raises(BrakeTripped) as caught:
        sync(many)
    for name in MANY:
        remove(cloud, name)
    sync(many)
    assert open_alerts(many) == []
    assert {run["id"]: run["state"] for run in runs_of(many)}[caught.value.details["run"]] == "superseded"
    with pytest.raises(NotFound, match="not held"):
        approve_run(many, caught.value.details["run"])


def test_an_approval_ends_the_older_runs_that_were_held(many):
    held = []
    for _ in range(3):
        with pytest.raises(BrakeTripped) as caught:
            sync(many)
        held.append(caught.value.details["run"])
    approve_run(many, held[1])
    states = {run["id"]: run["state"] for run in runs_of(many)}
    assert [states[run] for run in held] == ["superseded", "approved", "superseded"]


def test_a_site_without_a_daemon_pushes_although_its_full_sync_is_held(many, cloud, clock):
    spaces.update_space(many, "KEPT", data={"TITLE": "edited"})
    with pytest.raises(BrakeTripped):
        syncing.sync_stores(many, wait=clock.advance)
    assert article(cloud, "KEPT").data["TITLE"] == "edited"
    assert len(articles_at(cloud)) == 13
    with many.runtime.database.read(many.org_id) as uow:
        due = ledger.rows_to_verify(uow, store_of(many).id, clock.now, 100)
    assert due == [], "housekeeping was done, too"
    assert events_of(many, "sync:drift") == [], "and left so many deletions to the plan that is held"


def test_a_site_without_a_daemon_pushes_although_its_listing_can_not_be_trusted(agreed, cloud, clock):
    spaces.update_space(agreed, "B", data={"TITLE": "edited"})

    class Counting(Through):
        def count_articles(self, store):
            return 50

    with pytest.raises(UnreliableListing):
        syncing.sync_stores(through(agreed, Counting), wait=clock.advance)
    assert article(cloud, "B").data["TITLE"] == "edited"


def test_an_approval_pushes_what_it_released_unless_told_otherwise(many, cloud, clock):
    with pytest.raises(BrakeTripped) as caught:
        sync(many)
    view = syncing.approve_and_push(many, caught.value.details["run"], push=False)
    assert (view.state, view.push, len(articles_at(cloud))) == ("completed", None, 13)
    clock.advance(SETTLED)
    with pytest.raises(NotFound):
        syncing.approve_and_push(many, caught.value.details["run"], wait=clock.advance)
    syncing.sync_stores(many, wait=clock.advance)
    assert articles_at(cloud) == ["KEPT"]


def test_an_approval_of_a_plan_that_is_another_by_now_pushes_what_waits_all_the_same(many, cloud, clock):
    with pytest.raises(BrakeTripped) as caught:
        sync(many)
    remove(cloud, MANY[0])
    spaces.update_space(many, "KEPT", data={"TITLE": "edited"})
    with pytest.raises(BrakeTripped):
        syncing.approve_and_push(many, caught.value.details["run"], wait=clock.advance)
    assert (article(cloud, "KEPT").data["TITLE"], len(articles_at(cloud))) == ("edited", 12)


def test_an_approval_pushes_at_once(many, cloud, clock):
    with pytest.raises(BrakeTripped) as caught:
        sync(many)
    view = syncing.approve_and_push(many, caught.value.details["run"], wait=clock.advance)
    assert (view.counts["delete_again"], view.push.pushed["deleted"], view.push.empty) == (12, 12, True)
    assert articles_at(cloud) == ["KEPT"]


def test_an_approval_releases_exactly_the_plan_that_was_held(many, cloud):
    with pytest.raises(BrakeTripped) as caught:
        sync(many)
    view = approve_run(many, caught.value.details["run"])
    assert view.counts["delete_again"] == 12
    push(many)
    assert articles_at(cloud) == ["KEPT"]
    assert {run["state"] for run in runs_of(many)[:2]} == {"approved", "completed"}


def test_an_approval_does_not_release_another_plan(many, cloud, clock):
    with pytest.raises(BrakeTripped) as caught:
        sync(many)
    spaces.create_space(many, "S00", data={"TITLE": "back on purpose"})
    push(many)
    clock.advance(SETTLED)
    with pytest.raises(BrakeTripped) as second:
        approve_run(many, caught.value.details["run"])
    assert second.value.details["run"] != caught.value.details["run"]
    push(many)
    assert len(articles_at(cloud)) == 13


def test_an_approval_is_for_a_run_that_is_held(agreed):
    with pytest.raises(NotFound):
        approve_run(agreed, "no-such-run")
    with pytest.raises(NotFound, match="not held"):
        approve_run(agreed, runs_of(agreed)[0]["id"])


def test_ordinary_pushes_go_on_while_a_plan_is_held(many, cloud):
    with pytest.raises(BrakeTripped):
        sync(many)
    spaces.update_space(many, "KEPT", data={"TITLE": "edited"})
    assert push(many).updated == 1


# --- trouble --------------------------------------------------------------------------------------------------------


def test_an_unreachable_aims_queues_the_run_for_retry(agreed, simulator_server, clock):
    before = rows_of(agreed)
    simulator_server.stop()
    with pytest.raises(Unreachable):
        sync(agreed)
    run = runs_of(agreed)[0]
    assert (run["state"], run["error_code"]) == ("queued", AimsUnreachable.code)
    assert run["ended_at"] == clock()
    store = store_of(agreed)
    assert timedelta(0) < store.next_sync_at - clock() <= timedelta(minutes=5)
    assert events_of(agreed, "sync:error")[-1]["payload"] == {"run": run["id"], "code": AimsUnreachable.code}
    assert rows_of(agreed) == before
    assert syncing.sync_status(agreed)[0].state == "error"


def test_a_run_that_was_queued_for_retry_is_done_when_aims_is_back(agreed, cloud, clock):
    fault = cloud.faults.add("status", code=503, path="/config/article/info")
    with pytest.raises(Unreachable):
        sync(agreed)
    cloud.faults.remove(fault)
    sync(agreed)
    assert store_of(agreed).next_sync_at is None
    assert runs_of(agreed)[0]["state"] == "completed"


@pytest.mark.parametrize("kind", ["html", "cut", "empty-200"])
def test_a_broken_listing_is_no_reason_to_believe_anything(agreed, cloud, kind):
    before = rows_of(agreed)
    cloud.faults.add(kind, path="/config/article/info")
    with pytest.raises(Unreachable):
        sync(agreed)
    assert rows_of(agreed) == before


@pytest.mark.parametrize("page", range(3))
def test_a_listing_that_fails_midway_has_no_effect(agreed, cloud, clock, page):
    # Pages of one, so that the next one is under way while a page is judged.
    for one in "AB":
        edit(cloud, one, TITLE="theirs")
    scope = replace(
        agreed,
        runtime=replace(agreed.runtime, connect=make_connector(agreed.runtime.sealer, clock, page_size=1)),
    )
    before = rows_of(scope)
    cloud.faults.add("status", code=500, path="/config/article/info", after=page)
    with pytest.raises(AimsAmbiguous):
        sync(scope)
    assert rows_of(scope) == before
    assert [thread for thread in threading.enumerate() if thread.name == "reading ahead"] == []


def test_q10_an_empty_listing_that_the_count_contradicts_changes_nothing(agreed, cloud, clock):
    before = rows_of(agreed)

    class Empty(Through):
        def articles(self, store):
            yield from ()

    for _ in range(3):
        with pytest.raises(UnreliableListing) as caught:
            sync(through(agreed, Empty))
        clock.advance(SETTLED)
    assert "3" in caught.value.why
    assert rows_of(agreed) == before
    assert runs_of(agreed)[0]["state"] == "error"


def test_a_listing_that_is_whole_the_second_time_is_fine(agreed):
    tries = []

    class Once(Through):
        def articles(self, store):
            tries.append(store)
            if len(tries) > 1:
                yield from self.client.articles(store)

    assert sync(through(agreed, Once)).writes == 0
    assert len(tries) == 2


def test_articles_that_our_own_queue_brings_meanwhile_are_no_contradiction(
    agreed, make_runtime, open_database
):
    pusher = make_runtime(open_database())
    made = []

    class Busy(Through):
        def count_articles(self, store):
            made.append(f"NEW{len(made)}")
            spaces.create_space(agreed, made[-1], data={})
            push_store(pusher, agreed.org_id, store_of(agreed).id)
            return self.client.count_articles(store)

    view = sync(through(agreed, Busy))
    assert view.writes == 0


def test_of_two_runs_at_once_the_second_is_told_and_changes_nothing(agreed):
    store_id = store_of(agreed).id
    with agreed.runtime.database.write(agreed.org_id) as uow:
        assert leases.take_lease(uow, f"sync:{store_id}", "somebody", seconds=60)
        uow.commit()
    before = len(runs_of(agreed))
    with pytest.raises(LockHeld):
        sync(agreed)
    assert len(runs_of(agreed)) == before
    assert syncing.sync_status(agreed)[0].state == "syncing"


def test_a_run_whose_process_died_is_ended_by_the_next_one(agreed):
    died = sync(agreed).run
    with agreed.runtime.database.write(agreed.org_id) as uow:
        runs.update_run(uow, died, {"state": "running", "ended_at": None})
        uow.commit()
    sync(agreed)
    states = {run["id"]: (run["state"], run["ended_at"] is not None) for run in runs_of(agreed)}
    assert states.pop(died) == ("interrupted", True)
    assert set(states.values()) == {("completed", True)}


def test_a_run_frees_its_lock_however_it_ends(agreed, cloud):
    fault = cloud.faults.add("status", code=503, path="/config/article/info")
    for _ in range(2):
        with pytest.raises(Unreachable):
            sync(agreed)
    cloud.faults.remove(fault)
    sync(agreed)


def test_a_key_that_is_edited_while_the_store_is_listed_is_left_for_the_next_run(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    sync(agreed)
    clock.advance(SETTLED)

    class Edited(Through):
        def articles(self, store):
            listed = list(self.client.articles(store))
            spaces.update_space(agreed, "B", data={"DEPARTMENT": "ours"})
            yield from listed

    view = sync(through(agreed, Edited))
    assert (view.writes, view.counts["pending"]) == (0, 1)
    assert spaces.show_space(agreed, "B").data == {"DEPARTMENT": "ours"}


def test_a_full_sync_blocks_no_push(agreed, make_runtime, open_database):
    pusher = make_runtime(open_database())
    reports = []

    class Pushed(Through):
        def articles(self, store):
            listed = list(self.client.articles(store))
            spaces.update_space(agreed, "B", data={"TITLE": "meanwhile"})
            reports.append(push_store(pusher, agreed.org_id, store_of(agreed).id))
            yield from listed

    view = sync(through(agreed, Pushed))
    assert (reports[0].ending, reports[0].updated) == (Ending.DONE, 1)
    assert view.writes == 0, "what the listing shows is older than the push"
    assert statuses(agreed)["B"] is Status.SYNCED


# --- dry runs -------------------------------------------------------------------------------------------------------


def test_a_dry_run_shows_the_plan_and_writes_nothing(agreed, cloud, clock):
    edit(cloud, "B", TITLE="theirs")
    sync(agreed)
    clock.advance(SETTLED)
    rows, runs, events = rows_of(agreed), runs_of(agreed), len(events_of(agreed, "sync:started"))
    view = sync(agreed, dry_run=True)
    assert (view.state, view.dry_run, view.writes, view.run) == ("planned", True, 1, None)
    assert steps(view) == {"B": "adopt"}
    assert (rows_of(agreed), runs_of(agreed)) == (rows, runs)
    assert len(events_of(agreed, "sync:started")) == events
    assert view.digest == sync(agreed).digest, "the same plan is then carried out"


# --- the format -----------------------------------------------------------------------------------------------------


def change_format(cloud, *columns):
    with cloud.lock:
        company = cloud.company("ACME")
        company.format = {**company.format, "articleData": [*company.format["articleData"], *columns]}


def test_a_changed_format_stops_the_pushes_until_somebody_takes_it_over(agreed, cloud):
    change_format(cloud, "FLOOR")
    with pytest.raises(FormatChanged) as caught:
        sync(agreed)
    assert "FLOOR" in caught.value.why
    assert account_of(agreed).breaker_reason == "format"
    assert len(open_alerts(agreed)) == 1
    spaces.update_space(agreed, "B", data={"TITLE": "waits"})
    assert push(agreed).ending is Ending.BREAKER

    formats.fetch_format(agreed)

    assert (account_of(agreed).breaker, open_alerts(agreed)) == ("closed", [])
    report = push(agreed)
    assert report.updated + report.agreed == 3
    assert article(cloud, "B").data["FLOOR"] == ""
    assert sync(agreed).writes == 0


def test_a_dry_run_against_a_changed_format_stops_nothing(agreed, cloud):
    change_format(cloud, "FLOOR")
    with pytest.raises(FormatChanged):
        sync(agreed, dry_run=True)
    assert account_of(agreed).breaker == "closed"
    assert open_alerts(agreed) == []


# --- labels ---------------------------------------------------------------------------------------------------------


def test_links_made_with_other_tools_are_observed_and_never_changed(agreed, cloud, clock):
    code, other = label_codes(cloud, 2)
    link(cloud, code, "A")
    link(cloud, other, "C1")
    settle(agreed, clock)
    wish = wish_of(agreed, code)
    assert (wish.origin, wish.acked_article, wish.is_dirty) == ("observed", "A", False)
    assert [view.label_code for view in labels.list_labels(agreed)] == sorted([code, other])
    link(cloud, code, "B")
    clock.advance(SETTLED)
    settle(agreed, clock)
    assert wish_of(agreed, code).acked_article == "B"


def test_a_link_made_with_other_tools_is_adopted_only_when_it_stays(agreed, cloud):
    (code,) = label_codes(cloud, 1)
    link(cloud, code, "A")
    sync(agreed)
    assert labels.list_labels(agreed) == [], "one listing is not two, and the window is not over"


def test_a_label_that_others_moved_after_it_was_linked_here_is_adopted_when_it_stays(agreed, cloud, clock):
    (code,) = label_codes(cloud, 1)
    labels.link_label(agreed, code, "A")
    push(agreed)
    link(cloud, code, "B")
    sync(agreed)
    assert wish_of(agreed, code).desired_article == "A", "one listing is not two"
    settle(agreed, clock)
    push(agreed)
    wish = wish_of(agreed, code)
    assert (wish.origin, wish.desired_article, wish.acked_article, wish.is_dirty) == (
        "observed",
        "B",
        "B",
        False,
    )


@pytest.mark.parametrize("wished", ["B", None])
def test_a_link_of_ours_that_arrived_late_is_made_good(agreed, cloud, clock, wished):
    (code,) = label_codes(cloud, 1)
    labels.link_label(agreed, code, "A")
    push(agreed)
    if wished is None:
        labels.unlink_label(agreed, code)
    else:
        labels.link_label(agreed, code, wished)
    push(agreed)
    link(cloud, code, "A")  # the first request again, by a slow road
    settle(agreed, clock)
    push(agreed)
    wish = wish_of(agreed, code)
    assert (wish.origin, wish.desired_article, wish.is_dirty) == ("wish", wished, False)
    assert cloud.store("ACME", "001").labels[code].articles == ([] if wished is None else [wished])


def test_a_wish_is_not_replaced_by_what_others_link(agreed, cloud, clock):
    (code,) = label_codes(cloud, 1)
    labels.link_label(agreed, code, "A")
    link(cloud, code, "B")
    settle(agreed, clock)
    assert wish_of(agreed, code).desired_article == "A"


# --- several stores -------------------------------------------------------------------------------------------------


def test_one_stores_trouble_does_not_stop_the_others(bench, simulator_server, cloud, clock):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    cloud.faults.add("status", code=503, path="/config/article/info", store="001")
    for store in ("001", "002"):
        spaces.create_space(scope, "A", data={}, store=store)
    with pytest.raises(Exception, match="1 of 2 stores"):
        syncing.sync_stores(scope, wait=clock.advance)
    assert {run.store: run.state for run in syncing.sync_history(scope)} == {
        "001": "queued",
        "002": "completed",
    }


def test_a_full_sync_of_all_stores_pushes_what_it_made_dirty(agreed, cloud, clock):
    remove(cloud, "B")
    syncing.sync_stores(agreed, wait=clock.advance)
    clock.advance(SETTLED)
    view = syncing.sync_stores(agreed, wait=clock.advance)
    assert (view.writes, view.push.pushed["created"], view.push.empty) == (1, 1, True)
    assert "B" in articles_at(cloud)


def test_a_run_of_another_organization_is_not_there(bench, connected, agreed):
    run = runs_of(agreed)[0]["id"]
    other = bench.organization("OTHER")
    with pytest.raises(NotFound):
        syncing.show_run(other, run)
    with pytest.raises(NotFound):
        approve_run(other, run)
    assert syncing.show_run(agreed, run).actions is not None


def test_a_dead_letter_ends_when_aims_shows_the_article_after_all(agreed, cloud, clock):
    cloud.faults.add("reject-article", articles=("B",))
    spaces.update_space(agreed, "B", data={"TITLE": "refused"})
    push(agreed)
    assert [letter["subject"] for letter in letters_of(agreed)] == ["B"]
    edit(cloud, "B", TITLE="refused")
    sync(agreed)
    assert statuses(agreed)["B"] is Status.SYNCED
    assert letters_of(agreed) == []
    assert queue.queue_status(agreed)[0].failed == 0
    assert rows_of(agreed)["B"].state is State.ACTIVE
    assert full_sync(agreed, store_of(agreed).id).writes == 0
