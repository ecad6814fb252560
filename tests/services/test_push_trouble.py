"""Whose fault was it? What failed calls mean for rows, stores and accounts (design 5.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from electis_cli.domain.errors import AimsAmbiguous
from electis_cli.domain.queue import State, Status
from electis_cli.services import labels as label_service
from electis_cli.services import ping, spaces
from electis_cli.services.push.report import Ending
from electis_cli.services.push.store import push_store
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.ledger import (
    SETTLED,
    Through,
    account_of,
    article,
    article_writes,
    articles_at,
    calls,
    edit,
    events_of,
    label,
    label_codes,
    letters_of,
    open_alerts,
    push,
    rows_of,
    statuses,
    store_of,
    through,
    wish_of,
)


def fill(scope, count, first=0):
    names = [f"S{number:03}" for number in range(first, first + count)]
    for name in names:
        spaces.create_space(scope, name, data={"TITLE": name})
    return names


def tuned(scope, **changes):
    runtime = replace(scope.runtime, tuning=replace(scope.runtime.tuning, **changes))
    return replace(scope, runtime=runtime)


def poisoned(scope, clock, *bad):
    """Return a scope whose AIMS never answers to a batch with one of these articles, and takes all others."""

    class Poisoned(Through):
        def push_articles(self, store, articles, **options):
            clock.advance(1)
            if any(one.article_id in bad for one in articles):
                raise AimsAmbiguous
            return self.client.push_articles(store, articles, **options)

    return through(scope, Poisoned)


# --- lost answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset", "hang", "html", "cut", "empty-200"])
def test_what_aims_took_without_an_answer_is_not_sent_again(connected, cloud, clock, kind):
    fill(connected, 3)
    applied = {"applied": True} if kind in {"reset", "hang", "html"} else {}
    cloud.faults.add(kind, path="/articles", method="POST", count=1, **applied)
    first = push(connected)
    clock.advance(900)
    second = push(connected)
    assert first.ending is Ending.TROUBLE
    assert (second.agreed, second.article_calls) == (3, 0)
    assert set(statuses(connected).values()) == {Status.SYNCED}


@pytest.mark.parametrize("kind", ["reset", "html"])
def test_what_aims_did_not_take_is_sent_again(connected, cloud, clock, kind):
    fill(connected, 3)
    cloud.faults.add(kind, path="/articles", method="POST", count=1)
    push(connected)
    assert articles_at(cloud) == []
    clock.advance(900)
    assert push(connected).created == 3


def test_a_delete_without_an_answer_is_read_back_too(connected, cloud, clock):
    fill(connected, 1)
    push(connected)
    spaces.delete_space(connected, "S000")
    cloud.faults.add("reset", path="/articles", method="DELETE", applied=True, count=1)
    push(connected)
    clock.advance(900)
    assert push(connected).agreed == 1
    assert len(calls(cloud, "DELETE", "/common/articles")) == 1


def test_an_article_that_is_gone_already_counts_as_deleted(bench, clock):
    with SimulatorServer(Simulator(Settings(unknown_delete="refuse"))) as server:
        scope = bench.organization(base_url=server.base_url)
        fill(scope, 2)
        push(scope)
        for name in ("S000", "S001"):
            spaces.delete_space(scope, name)

        class Gone(Through):
            def delete_articles(self, store, article_ids):
                with server.simulator.lock:
                    server.simulator.store("ACME", "001").articles.pop("S000", None)
                    server.simulator.store("ACME", "001").articles_changed()
                return self.client.delete_articles(store, article_ids)

        report = push(through(scope, Gone))
        assert (report.deleted, report.failed) == (2, 0)
        assert letters_of(scope) == []


def test_a_foreign_edit_after_a_lost_answer_is_not_overwritten_at_once(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "1"})
    push(connected)
    spaces.update_space(connected, "A", data={"TITLE": "2"})
    cloud.faults.add("reset", path="/articles", method="PUT", count=1)
    push(connected)
    edit(cloud, "A", DEPARTMENT="theirs")
    clock.advance(900)
    assert push(connected).waiting == 1
    clock.advance(SETTLED)
    push(connected)
    assert article(cloud, "A").data["DEPARTMENT"] == "theirs"
    assert article(cloud, "A").data["TITLE"] == "2"


def test_a_doubt_while_aims_is_well_backs_off_the_store_and_not_the_account(connected, cloud, clock):
    fill(connected, 2)
    cloud.faults.add("status", code=500, path="/articles", method="POST", count=1)
    report = push(connected)
    assert (report.ending, report.error_code) == (Ending.TROUBLE, AimsAmbiguous.code)
    store = store_of(connected)
    assert clock() < store.backoff_until <= clock() + timedelta(seconds=2)
    assert (account_of(connected).breaker, account_of(connected).ping_state) == ("closed", "ok")
    assert push(connected).ending is Ending.BACKOFF
    rows = rows_of(connected).values()
    assert [(row.attempts, row.doubts) for row in rows] == [(0, 1), (0, 1)]


def test_a_store_in_trouble_waits_longer_each_time_and_a_success_ends_that(connected, cloud, clock):
    fill(connected, 2)
    fault = cloud.faults.add("status", code=500, path="/articles", method="POST")
    waits = []
    for _ in range(7):
        push(connected)
        waits.append((store_of(connected).backoff_until - clock()).total_seconds())
        clock.advance(waits[-1])
    assert waits[:4] == [1, 4, 16, 64]
    assert waits[-1] == 450, "half of a quarter of an hour, as the draw says"
    assert {row.attempts for row in rows_of(connected).values()} == {0}
    cloud.faults.remove(fault)
    assert push(connected).created == 2
    assert (store_of(connected).backoff_until, store_of(connected).backoff_count) == (None, 0)


# --- poison ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 5, 11], ids=["first", "middle", "last"])
def test_an_article_that_never_gets_an_answer_does_not_keep_the_others_back(connected, cloud, clock, place):
    names = fill(connected, 12)
    scope = poisoned(tuned(connected, batch_size=12), clock, names[place])
    for _ in range(14):
        push(scope)
        clock.advance(900)
    synced = {name for name, status in statuses(connected).items() if status is Status.SYNCED}
    assert synced == set(names) - {names[place]}


def test_a_poison_pill_among_others_that_keep_changing_becomes_a_dead_letter_with_an_alert(connected, clock):
    fill(connected, 4)
    scope = poisoned(tuned(connected, batch_size=4), clock, "S002")
    for number in range(18):
        spaces.update_space(connected, "S000", data={"TITLE": str(number)})
        push(scope)
        clock.advance(900)
    assert statuses(connected)["S002"] is Status.FAILED
    (letter,) = letters_of(connected)
    assert [alert["id"] for alert in open_alerts(connected)] == [letter["alert_id"]]


def test_the_only_article_of_a_store_is_never_given_up_because_nothing_else_succeeds(connected, clock):
    fill(connected, 1)
    scope = poisoned(connected, clock, "S000")
    for _ in range(12):
        push(scope)
        clock.advance(900)
    assert statuses(connected)["S000"] in {Status.PENDING, Status.SYNCING}
    assert rows_of(connected)["S000"].attempts == 0


@pytest.mark.slow
def test_one_refused_article_in_five_hundred_costs_nineteen_calls(connected, cloud):
    names = fill(connected, 500)
    cloud.faults.add("reject-article", articles=(names[123],))
    report = push(connected)
    assert (report.created, report.failed) == (499, 1)
    assert report.article_calls <= 19


def test_a_dead_letter_costs_no_more_calls(connected, cloud, clock):
    fill(connected, 2)
    cloud.faults.add("reject-article", articles=("S000",))
    push(connected)
    writes = article_writes(cloud)
    for _ in range(5):
        clock.advance(900)
        push(connected)
    assert article_writes(cloud) == writes


def test_a_new_edit_of_a_dead_article_is_pushed(connected, cloud):
    fill(connected, 1)
    fault = cloud.faults.add("reject-article", articles=("S000",))
    push(connected)
    cloud.faults.remove(fault)
    spaces.update_space(connected, "S000", data={"TITLE": "good"})
    assert push(connected).created == 1
    assert letters_of(connected) == []


def test_an_edit_during_a_call_that_is_refused_is_tried_on_its_own_merits(connected, cloud):
    fill(connected, 1)
    cloud.faults.add("reject-article", articles=("S000",), count=1)

    class Edited(Through):
        def push_articles(self, *arguments, **options):
            if rows_of(connected)["S000"].desired_version == 1:
                spaces.update_space(connected, "S000", data={"TITLE": "better"})
            return self.client.push_articles(*arguments, **options)

    push(through(connected, Edited))
    push(connected)
    assert statuses(connected) == {"S000": Status.SYNCED}
    assert article(cloud, "S000").data["TITLE"] == "better"


@pytest.mark.parametrize("is_deleted", [False, True], ids=["changed", "deleted"])
def test_an_edit_during_the_last_failure_of_eight_is_tried_on_its_own_merits(connected, clock, is_deleted):
    fill(connected, 2)
    push(connected)
    spaces.update_space(connected, "S000", data={"TITLE": "poison"})
    edits = []

    class Poisoned(Through):
        def push_articles(self, store, articles, **options):
            clock.advance(1)
            if "S000" not in [one.article_id for one in articles]:
                return self.client.push_articles(store, articles, **options)
            if rows_of(connected)["S000"].attempts == 7 and not edits:
                edits.append("the cure")
                if is_deleted:
                    spaces.delete_space(connected, "S000")
                else:
                    spaces.update_space(connected, "S000", data={"TITLE": "the cure"})
            raise AimsAmbiguous

    scope = through(connected, Poisoned)
    for number in range(20):
        spaces.update_space(connected, "S001", data={"TITLE": str(number)})
        push(scope)
        clock.advance(1000)
        if edits:
            break
    row = rows_of(connected)["S000"]
    assert (edits, row.state, row.attempts, letters_of(connected)) == (["the cure"], State.ACTIVE, 0, [])
    assert row.error_class == AimsAmbiguous.code
    push(connected)
    assert statuses(connected)["S000"] is Status.SYNCED


def test_a_label_wished_elsewhere_during_its_last_failure_is_tried_on_its_own_merits(connected, cloud, clock):
    fill(connected, 2)
    code = label_codes(cloud, 1)[0]
    label_service.link_label(connected, code, "S000")
    edits = []

    class Poisoned(Through):
        def link_labels(self, *arguments):
            clock.advance(1)
            if wish_of(connected, code).attempts == 7 and not edits:
                edits.append("S001")
                label_service.link_label(connected, code, "S001")
            raise AimsAmbiguous

    scope = through(connected, Poisoned)
    for number in range(20):
        spaces.update_space(connected, "S001", data={"TITLE": str(number)})
        push(scope)
        clock.advance(1000)
        if edits:
            break
    wish = wish_of(connected, code)
    assert (edits, wish.state, wish.attempts, letters_of(connected)) == (["S001"], State.ACTIVE, 0, [])
    push(connected)
    assert label(cloud, code).articles == ["S001"]


def test_many_articles_refused_for_one_reason_are_one_alert(connected, cloud):
    names = fill(connected, 5)
    cloud.faults.add("reject-article", articles=tuple(names), message="FIELD_IS_MISSING")
    push(connected)
    assert len(letters_of(connected)) == 5
    (alert,) = open_alerts(connected)
    assert (alert["count"], "FIELD_IS_MISSING" in alert["text"]) == (5, True)
    assert len(events_of(connected, "queue:dead_letter")) == 5


def test_records_that_aims_only_counts_as_invalid_are_found_by_reading(connected, cloud):
    names = fill(connected, 6)
    cloud.faults.add("partial", articles=(names[3],))
    cloud.faults.add("status", code=404, path="/articles/validationerror/logs")
    report = push(connected)
    assert (report.created, report.failed) == (5, 1)
    assert statuses(connected)[names[3]] is Status.FAILED


def test_a_store_that_aims_does_not_know_makes_no_dead_letters(connected, cloud, clock):
    fill(connected, 3)
    cloud.faults.add("status", code=405, message="STORE_CODE_NOT_FOUND", path="/articles", method="POST")
    for _ in range(10):
        push(connected)
        clock.advance(900)
    assert set(statuses(connected).values()) == {Status.PENDING}
    (alert,) = open_alerts(connected)
    assert "STORE_CODE_NOT_FOUND" in alert["text"]


@pytest.mark.parametrize(("code", "body"), [(302, "html"), (404, "html"), (408, "empty")])
def test_a_gateway_in_front_of_aims_that_answers_for_it_makes_no_dead_letters(
    connected, cloud, clock, code, body
):
    fill(connected, 3)
    fault = cloud.faults.add("status", code=code, body=body, path="/articles", method="POST")
    for _ in range(10):
        push(connected)
        clock.advance(900)
    assert letters_of(connected) == []
    cloud.faults.remove(fault)
    push(connected)
    assert set(statuses(connected).values()) == {Status.SYNCED}


# --- the account ----------------------------------------------------------------------------------------------------


def test_a_throttled_account_waits_as_long_as_aims_says_and_counts_nothing(connected, cloud, clock):
    fill(connected, 2)
    cloud.faults.add(
        "status", code=429, headers={"Retry-After": "17"}, path="/articles", method="POST", count=1
    )
    push(connected)
    assert account_of(connected).backoff_until == clock() + timedelta(seconds=17)
    rows = rows_of(connected).values()
    assert [(row.attempts, row.doubts, row.inflight_version) for row in rows] == [(0, 0, None)] * 2
    assert push(connected).ending is Ending.BACKOFF
    clock.advance(17)
    assert push(connected).created == 2


def test_a_throttled_account_keeps_all_its_stores_waiting(bench, simulator_server, cloud):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    spaces.create_space(scope, "A", data={}, store="001")
    spaces.create_space(scope, "A", data={}, store="002")
    cloud.faults.add("status", code=429, path="/articles", method="POST", count=1)
    push(scope)
    assert push_store(scope.runtime, scope.org_id, store_of(scope, "002").id).ending is Ending.BACKOFF


def test_an_ended_license_stops_everything_with_one_alert(connected, cloud, clock):
    fill(connected, 2)
    with cloud.lock:
        cloud.company("ACME").licensed = False
    push(connected)
    account = account_of(connected)
    assert (account.breaker, account.breaker_reason) == ("open", "license")
    for _ in range(10):
        clock.advance(900)
        assert push(connected).ending is Ending.BREAKER
    (alert,) = open_alerts(connected)
    assert "LICENSE_EXPIRED" in alert["text"]
    assert {row.attempts for row in rows_of(connected).values()} == {0}
    assert letters_of(connected) == []


def test_a_changed_password_stops_everything_until_somebody_tells_the_new_one(bench, clock):
    with SimulatorServer(Simulator(Settings(username="tester", password="new"))) as server:
        scope = bench.organization(base_url=server.base_url)
        spaces.create_space(scope, "A", data={})
        assert push(scope).ending is Ending.TROUBLE
        assert account_of(scope).breaker_reason == "login"
        assert push(scope).ending is Ending.BREAKER
        assert server.simulator.world.counters.login_failures <= 2, (
            "a wrong password is not tried again and again"
        )


def test_an_outage_of_three_days_costs_no_attempt_and_two_writes_afterwards(connected, cloud, clock):
    fill(connected, 20)
    push(connected)
    fault = cloud.faults.add("status", code=503)
    for hour in range(0, 72, 4):
        spaces.update_space(connected, f"S{hour % 20:03}", data={"TITLE": str(hour)})
        push(connected)
        ping.ping(connected)
        clock.advance(4 * 3600)
    assert letters_of(connected) == []
    assert {row.attempts for row in rows_of(connected).values()} == {0}
    cloud.faults.remove(fault)
    cloud.journal.clear()
    ping.ping(connected)
    push(connected)
    assert article_writes(cloud) == 2, "a trial batch of one, then the rest in one"
    assert set(statuses(connected).values()) == {Status.SYNCED}
    assert {row.state for row in rows_of(connected).values()} == {State.ACTIVE}


# --- gates ----------------------------------------------------------------------------------------------------------


def test_batches_are_as_big_as_the_setting_says(connected, cloud):
    fill(connected, 7)
    report = push(tuned(connected, batch_size=3))
    assert (report.created, report.article_calls) == (7, 3)
    assert cloud.world.counters.records_max == 3


def test_a_push_stops_between_batches_when_it_is_told_to(connected):
    fill(connected, 7)
    done = []
    report = push(tuned(connected, batch_size=3), should_stop=lambda: bool(done) or done.append(1))
    assert report.ending is Ending.STOPPED
    assert 0 <= report.created <= 3
    assert push(connected).ending is Ending.DONE
    assert set(statuses(connected).values()) == {Status.SYNCED}


def test_a_store_whose_pages_aims_caps_is_read_whole_before_anything_is_written(bench, clock):
    with SimulatorServer(Simulator(Settings(page_cap=10))) as server:
        scope = bench.organization(base_url=server.base_url)
        names = fill(scope, 30)
        push(scope)
        clock.advance(SETTLED)
        for name in names:
            spaces.delete_space(scope, name)
        push(scope)
        assert sorted(server.simulator.store("ACME", "001").articles) == []
