"""The queue as people see and steer it: counts, items, drains, pauses, retries and discards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from electis_cli.commands.exit_codes import EXIT_TIME_UP
from electis_cli.commands.queue import drain_exit_code
from electis_cli.db import labels as label_rows
from electis_cli.db import stores
from electis_cli.domain.access import Role
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsNotConfigured,
    NotFound,
    PermissionRefused,
    StoreNotFound,
    UsageProblem,
)
from electis_cli.domain.queue import State, Status
from electis_cli.services import dead_letters, draining, labels, queue, queue_items, spaces, working
from electis_cli.services.dead_letters import Choice
from electis_cli.services.push.report import Ending
from tests.world.ledger import (
    SETTLED,
    account_of,
    article,
    article_writes,
    articles_at,
    edit,
    events_of,
    label_codes,
    letters_of,
    push,
    rows_of,
    statuses,
    store_of,
)


def fill(scope, *names, **more):
    for name in names:
        spaces.create_space(scope, name, data={"TITLE": name}, **more)


def status_of(scope):
    (status,) = queue.queue_status(scope)
    return status


def refuse(cloud, *names):
    return cloud.faults.add("reject-article", articles=names, message="FIELD_IS_MISSING")


# --- what there is --------------------------------------------------------------------------------------------------


def test_an_empty_queue_is_empty(connected):
    status = status_of(connected)
    assert status.is_empty
    assert (status.store, status.enabled, status.paused, status.breaker, status.worker) == (
        "001", True, False, "closed", None,
    )  # fmt: skip


def test_every_article_and_label_is_counted_where_it_stands(connected, cloud, clock):
    fill(connected, "SYNCED", "EDITED")
    push(connected)
    clock.advance(SETTLED)
    fill(connected, "BAD", "NEW")
    refuse(cloud, "BAD")
    edit(cloud, "EDITED", DEPARTMENT="theirs")
    spaces.update_space(connected, "EDITED", data={"TITLE": "ours"})
    labels.link_label(connected, label_codes(cloud, 1)[0], "NEW")
    assert (status_of(connected).pending, status_of(connected).labels_pending) == (3, 1)
    push(connected)
    status = status_of(connected)
    assert (status.synced, status.failed, status.pending, status.dead_letters) == (2, 1, 1, 1)
    assert (status.labels_pending, status.labels_failed) == (0, 0)
    assert not status.is_empty


def test_items_are_what_is_not_synced_in_the_order_it_is_pushed(connected, cloud, clock):
    fill(connected, "A", "B", "C")
    (code,) = label_codes(cloud, 1)
    labels.link_label(connected, code, "C")
    spaces.update_space(connected, "A", data={"TITLE": "later"})
    items = queue_items.queue_items(connected)
    assert [(item.kind, item.id, item.status) for item in items] == [
        ("article", "B", Status.PENDING), ("article", "C", Status.PENDING), ("article", "A", Status.PENDING),
        ("label", code, Status.PENDING),
    ]  # fmt: skip
    assert (items[2].desired_version, items[2].synced_version) == (2, 0)
    assert [item.id for item in queue_items.queue_items(connected, limit=2)] == ["B", "C"]
    push(connected)
    assert queue_items.queue_items(connected) == []


def test_a_failed_item_says_why(connected, cloud):
    fill(connected, "A")
    refuse(cloud, "A")
    push(connected)
    (item,) = queue_items.queue_items(connected)
    assert (item.status, item.attempts) == (Status.FAILED, 1)
    assert "FIELD_IS_MISSING" in item.error
    (letter,) = dead_letters.dead_letters(connected)
    assert (letter.kind, letter.subject, letter.store, letter.error_class) == (
        "article", "A", "001", "E-AIMS-REJECTED",
    )  # fmt: skip
    assert "FIELD_IS_MISSING" in letter.error


def test_stores_are_counted_one_by_one(bench, simulator_server):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    fill(scope, "A", "B", store="001")
    fill(scope, "A", store="002")
    assert [(one.store, one.pending) for one in queue.queue_status(scope)] == [("001", 2), ("002", 1)]
    assert [one.store for one in queue.queue_status(scope, store="002")] == ["002"]
    with pytest.raises(StoreNotFound):
        queue.queue_status(scope, store="003")


def test_nobody_sees_another_organizations_queue(bench, simulator_server):
    ours = bench.organization("ACME", base_url=simulator_server.base_url)
    theirs = bench.organization("OTHER", base_url=simulator_server.base_url)
    fill(theirs, "A")
    assert status_of(ours).pending == 0
    assert queue_items.queue_items(ours) == []
    assert draining.drain(ours).pushed["created"] == 0
    assert status_of(theirs).pending == 1


# --- retry and discard ----------------------------------------------------------------------------------------------


def test_a_retry_pushes_todays_content_and_not_what_failed(connected, cloud):
    fill(connected, "A")
    fault = refuse(cloud, "A")
    push(connected)
    # What changed meanwhile without a bump of its own: the organization's defaults, a person's data.
    with connected.runtime.database.write(connected.org_id) as uow:
        from electis_cli.db import spaces as rows

        space = rows.find_space(uow, store_of(connected).id, "A")
        fields = {name: getattr(space, name) for name in type(space).__dataclass_fields__}
        rows.save_space(uow, type(space)(**{**fields, "data": {"TITLE": "today"}}), connected.runtime.clock())
        uow.commit()
    cloud.faults.remove(fault)
    assert queue.retry(connected, ["A"]) == 1
    assert (letters_of(connected), statuses(connected)["A"]) == ([], Status.PENDING)
    push(connected)
    assert article(cloud, "A").data["TITLE"] == "today"


def test_a_retry_of_everything_takes_all_that_failed_and_nothing_else(connected, cloud):
    fill(connected, "A", "B", "C")
    fault = refuse(cloud, "A", "B")
    push(connected)
    before = rows_of(connected)["C"]
    cloud.faults.remove(fault)
    assert queue.retry(connected, None) == 2
    assert rows_of(connected)["C"] == before
    assert push(connected).created == 2
    assert queue.retry(connected, None) == 0


def test_a_retry_of_what_has_not_failed_is_not_found(connected):
    fill(connected, "A")
    for name in ("A", "nothing"):
        with pytest.raises(NotFound):
            queue.retry(connected, [name])


def test_a_retry_of_some_that_failed_and_one_that_did_not_is_all_or_nothing(connected, cloud):
    fill(connected, "A", "B", "FINE")
    (code,) = label_codes(cloud, 1)
    refuse(cloud, "A", "B")
    push(connected)
    labels.link_label(connected, code, "FINE")
    before = rows_of(connected), letters_of(connected)
    with pytest.raises(NotFound) as caught:
        queue.retry(connected, ["A", "FINE", code, "nothing"])
    told = ", ".join(sorted(["FINE", code, "nothing"]))
    assert caught.value.message == f"Nothing of that name has failed: {told}."
    assert (rows_of(connected), letters_of(connected)) == before
    assert queue.retry(connected, ["A", "B", "A"]) == 2


def test_a_dry_retry_and_a_dry_discard_change_nothing(connected, cloud):
    fill(connected, "A")
    refuse(cloud, "A")
    push(connected)
    before = rows_of(connected)
    assert queue.retry(connected, ["A"], dry_run=True) == 1
    assert dead_letters.discard_dead_letters(connected, Choice(subjects=["A"]), dry_run=True) == 1
    assert (rows_of(connected), len(letters_of(connected))) == (before, 1)


def test_a_retried_deletion_is_still_a_deletion(connected, cloud):
    fill(connected, "A")
    push(connected)
    spaces.delete_space(connected, "A")
    fault = cloud.faults.add("status", code=405, message="SOMETHING", path="/articles", method="DELETE")
    push(connected)
    assert statuses(connected) == {"A": Status.FAILED}
    cloud.faults.remove(fault)
    queue.retry(connected, ["A"])
    push(connected)
    assert articles_at(cloud) == []


def test_a_discarded_dead_letter_is_silent_and_its_row_stays_failed(connected, cloud):
    fill(connected, "A", "B")
    refuse(cloud, "A", "B")
    push(connected)
    assert dead_letters.discard_dead_letters(connected, Choice(subjects=["A"])) == 1
    assert [letter.subject for letter in dead_letters.dead_letters(connected)] == ["B"]
    status = status_of(connected)
    assert (status.failed, status.dead_letters) == (2, 1)
    writes = article_writes(cloud)
    push(connected)
    assert article_writes(cloud) == writes
    with pytest.raises(NotFound):
        dead_letters.discard_dead_letters(connected, Choice(subjects=["A"]))


def test_a_discarded_row_goes_on_when_somebody_edits_it(connected, cloud):
    fill(connected, "A")
    fault = refuse(cloud, "A")
    push(connected)
    dead_letters.discard_dead_letters(connected, Choice(subjects=["A"]))
    cloud.faults.remove(fault)
    spaces.update_space(connected, "A", data={"TITLE": "good"})
    push(connected)
    assert statuses(connected) == {"A": Status.SYNCED}


# --- pause ----------------------------------------------------------------------------------------------------------


def test_a_paused_queue_writes_nothing_until_a_person_lifts_the_pause(connected, cloud, clock):
    fill(connected, "A")
    (status,) = queue.pause(connected, why="moving day")
    assert status.paused
    assert push(connected).ending is Ending.PAUSED
    assert working.due_pushes(connected.runtime) == []
    clock.advance(86400)
    view = draining.drain(connected)
    assert (view.empty, view.stores[0]["ending"]) == (False, Ending.PAUSED)
    assert article_writes(cloud) == 0
    assert store_of(connected).paused_why == "moving day"
    (status,) = queue.pause(connected, resume=True)
    assert not status.paused
    assert push(connected).created == 1
    assert (len(events_of(connected, "queue:paused")), len(events_of(connected, "queue:resumed"))) == (1, 1)


def test_of_several_stores_the_one_to_pause_must_be_named(bench, simulator_server):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    with pytest.raises(UsageProblem):
        queue.pause(scope)
    assert [one.paused for one in queue.pause(scope, store="002")] == [True]
    assert [one.paused for one in queue.queue_status(scope)] == [False, True]


@pytest.mark.parametrize("work", [
    queue.pause,
    lambda scope: queue.retry(scope, None),
    lambda scope: dead_letters.discard_dead_letters(scope, Choice(subjects=["A"])),
    draining.drain,
], ids=["pause", "retry", "discard", "drain"])  # fmt: skip
def test_somebody_who_may_only_look_steers_nothing(bench, connected, work):
    with pytest.raises(PermissionRefused):
        work(bench.as_role(connected, Role.VIEWER))


# --- drain ----------------------------------------------------------------------------------------------------------


def test_a_drain_brings_everything_to_aims_and_says_so(connected, cloud):
    fill(connected, "A", "B")
    labels.link_label(connected, label_codes(cloud, 1)[0], "A")
    view = draining.drain(connected)
    assert view.empty
    assert (view.pushed["created"], view.pushed["linked"]) == (2, 1)
    assert (view.pushed["article_calls"], view.pushed["label_calls"]) == (1, 1)
    assert set(view.left.values()) == {0}
    assert view.stores[0]["ending"] is Ending.DONE
    assert articles_at(cloud) == ["A", "B"]


def test_a_drain_does_not_wait_for_a_store_that_backs_off_from_an_outage_that_is_over(
    connected, cloud, clock
):
    fill(connected, "A")
    fault = cloud.faults.add("status", code=500, path="/articles", method="POST")
    for _ in range(6):
        push(connected)
        clock.advance((store_of(connected).backoff_until - clock()).total_seconds())
    push(connected)
    assert store_of(connected).backoff_until - clock() > timedelta(minutes=5)
    cloud.faults.remove(fault)
    began = clock()
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.pushed["created"], clock()) == (True, 1, began)
    assert (store_of(connected).backoff_until, store_of(connected).backoff_count) == (None, 0)


def test_a_drain_that_meets_the_same_trouble_lets_the_store_wait_longer(connected, cloud, clock):
    fill(connected, "A")
    cloud.faults.add("status", code=500, path="/articles", method="POST")
    for _ in range(5):
        push(connected)
        clock.advance((store_of(connected).backoff_until - clock()).total_seconds())
    push(connected)
    count = store_of(connected).backoff_count
    view = draining.drain(connected, wait=clock.advance)
    assert not view.empty
    assert store_of(connected).backoff_count == count + 1, "one try, and not a fresh start"
    assert store_of(connected).backoff_until > clock()


def test_a_drain_without_an_answer_ends_no_back_off(connected, cloud, clock):
    fill(connected, "A")
    fault = cloud.faults.add("status", code=500, path="/articles", method="POST")
    push(connected)
    waits = store_of(connected).backoff_until
    assert waits > clock()
    cloud.faults.remove(fault)
    cloud.faults.add("status", code=503)
    draining.drain(connected, wait=clock.advance)
    assert store_of(connected).backoff_until == waits


def test_a_drain_waits_as_long_as_aims_itself_said(connected, cloud, clock):
    fill(connected, "A")
    cloud.faults.add("429", seconds=3600, path="/articles", count=1)
    push(connected)
    began = clock()
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.pushed["article_calls"], clock()) == (False, 0, began)


def test_a_drain_that_ends_in_a_back_off_says_what_it_met(connected, cloud, clock):
    fill(connected, "A")
    cloud.faults.add("status", code=503, path="/articles")
    waits = iter([0.01, 100.0])  # too early for a second try, then too late
    view = draining.drain(connected, wait=lambda _: clock.advance(next(waits)))
    (ended,) = [store for store in view.stores if store["store"] == "001"]
    assert (ended["ending"], ended["error_code"]) == (Ending.BACKOFF.value, AimsAmbiguous.code)


def test_a_drain_of_nothing_is_done_at_once(connected, cloud):
    view = draining.drain(connected)
    assert (view.empty, article_writes(cloud)) == (True, 0)


def test_a_drain_goes_round_until_nothing_more_is_due(connected, cloud, clock):
    fill(connected, "A")
    cloud.faults.add("status", code=500, path="/articles", method="POST", count=2)
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.pushed["created"]) == (True, 1)


def test_a_drain_waits_for_a_label_that_backs_off(connected, cloud, clock):
    (code,) = label_codes(cloud, 1)
    fill(connected, "A")
    draining.drain(connected)
    labels.link_label(connected, code, "A")
    cloud.faults.add("reset", path="/labels/link", count=1)
    push(connected)
    store = store_of(connected)
    with connected.runtime.database.write(connected.org_id) as uow:
        label_rows.update_wish(uow, code, {"next_attempt_at": clock() + timedelta(seconds=30)})
        stores.update_store(uow, store.id, {"backoff_until": None})
        uow.commit()
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.pushed["linked"]) == (True, 1)


def test_a_drain_says_what_failed(connected, cloud):
    fill(connected, "A", "B")
    refuse(cloud, "A")
    view = draining.drain(connected)
    assert (view.empty, view.left["failed"], view.pushed["failed"], view.pushed["created"]) == (
        False,
        1,
        1,
        1,
    )


def test_a_drain_without_aims_pushes_nothing_and_says_why(connected, simulator_server, clock):
    fill(connected, "A")
    simulator_server.stop()
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.left["pending"]) == (False, 1)
    assert (view.stores[0]["breaker"], view.stores[0]["breaker_reason"]) == ("open", "health")
    assert rows_of(connected)["A"].attempts == 0


def test_a_drain_after_an_outage_goes_on_by_itself(connected, simulator_server, clock):
    fill(connected, "A", "B", "C")
    simulator_server.stop()
    draining.drain(connected, wait=clock.advance)
    simulator_server.start()
    view = draining.drain(connected, wait=clock.advance)
    assert (view.empty, view.pushed["created"]) == (True, 3)
    assert account_of(connected).breaker == "closed"


def test_a_drain_leaves_disabled_stores_alone_and_does_not_count_them(bench, simulator_server, cloud):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    fill(scope, "A", store="001")
    fill(scope, "A", store="002")
    with scope.runtime.database.write(scope.org_id) as uow:
        stores.update_store(uow, store_of(scope, "002").id, {"sync_enabled": False})
        uow.commit()
    view = draining.drain(scope)
    assert (view.empty, [one["store"] for one in view.stores]) == (True, ["001"])
    assert cloud.store("ACME", "002").articles == {}


def test_a_drain_of_an_organization_without_aims_says_what_to_do(scope):
    with pytest.raises(AimsNotConfigured) as caught:
        draining.drain(scope)
    assert "electis aims configure" in caught.value.fix


def test_a_drain_whose_time_is_up_sends_no_further_batch_and_writes_down_what_was_sent(connected, clock):
    fill(connected, "A", "B", "C", "D", "E")

    def reached(point):
        if point == "push:sent":
            clock.advance(31)

    tuning = replace(connected.runtime.tuning, batch_size=2)
    scope = replace(connected, runtime=replace(connected.runtime, tuning=tuning, reached=reached))
    view = draining.drain(scope, timeout=timedelta(seconds=30), wait=clock.advance)
    assert (view.empty, view.pushed["created"], view.left["pending"], view.left["syncing"]) == (
        False,
        2,
        3,
        0,
    )
    assert [one["ending"] for one in view.stores] == ["stopped"]
    assert drain_exit_code(view) == EXIT_TIME_UP


def test_a_drain_ends_in_time_when_a_store_backs_off_for_longer(connected, cloud, clock):
    fill(connected, "A")
    cloud.faults.add("status", code=500, path="/articles", method="POST")
    began = clock()
    view = draining.drain(connected, timeout=timedelta(seconds=30), wait=clock.advance)
    assert not view.empty
    assert clock() - began <= timedelta(seconds=31)
    assert rows_of(connected)["A"].state is State.ACTIVE
