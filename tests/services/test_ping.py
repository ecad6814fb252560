"""Flow 4.2: is AIMS there? The ping, the breaker it opens and closes, and what waits for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from electis_cli.db import labels as wishes
from electis_cli.db import ledger, stores
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsNotConfigured,
    AimsThrottled,
    AimsUnreachable,
)
from electis_cli.domain.queue import Status
from electis_cli.services import draining, formats, labels, ping, queue, spaces, working
from electis_cli.services.push.report import Ending
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.ledger import (
    account_of,
    article_writes,
    calls,
    events_of,
    label,
    label_codes,
    letters_of,
    open_alerts,
    push,
    rows_of,
    statuses,
    store_of,
    sync,
)


def names_of(scope):
    return [
        event["name"]
        for event in events_of(scope, "health:solum:ok") + events_of(scope, "health:solum:error")
    ]


def test_an_answer_is_noted_with_its_time(connected, clock):
    view = ping.ping(connected)
    assert (view.ok, view.breaker, view.error_code) == (True, "closed", None)
    assert view.milliseconds >= 0
    account = account_of(connected)
    assert (account.ping_state, account.last_solum_ping, account.pinged_at) == ("ok", clock(), clock())
    assert names_of(connected) == ["health:solum:ok"]


def test_no_answer_stops_the_queue_and_is_an_event_and_one_alert(connected, simulator_server, clock):
    ping.ping(connected)
    answered = clock()
    simulator_server.stop()
    for _ in range(5):
        clock.advance(60)
        view = ping.ping(connected)
    assert (view.ok, view.until, view.breaker) == (False, None, "open")
    assert view.error_code == AimsUnreachable.code
    account = account_of(connected)
    assert (account.ping_state, account.last_solum_ping) == ("error", answered)
    assert account.breaker_reason == "health"
    assert account.breaker_since == answered + timedelta(seconds=60)
    assert len(events_of(connected, "health:solum:error")) == 5
    (alert,) = open_alerts(connected)
    assert alert["count"] == 5


def test_a_stopped_queue_writes_nothing_at_all(connected, cloud, clock):
    spaces.create_space(connected, "A", data={})
    cloud.faults.add("status", code=503, path="/store")
    ping.ping(connected)
    assert push(connected).ending is Ending.BREAKER
    assert working.due_pushes(connected.runtime) == []
    assert article_writes(cloud) == 0


def test_the_first_answer_after_an_outage_lets_one_article_try(connected, cloud, clock):
    for name in ("A", "B", "C"):
        spaces.create_space(connected, name, data={})
    fault = cloud.faults.add("status", code=503)
    push(connected)
    ping.ping(connected)
    cloud.faults.remove(fault)
    view = ping.ping(connected)
    assert (view.ok, view.breaker) == (True, "half-open")
    assert open_alerts(connected) == []
    report = push(connected)
    assert (report.ending, report.created) == (Ending.DONE, 3)
    assert cloud.world.counters.pushes_by_size == {"1": 1, "2": 1}
    assert account_of(connected).breaker == "closed"


def test_a_trial_that_fails_stops_the_queue_again(connected, simulator_server, cloud):
    spaces.create_space(connected, "A", data={})
    fault = cloud.faults.add("status", code=503)
    ping.ping(connected)
    cloud.faults.remove(fault)
    ping.ping(connected)
    cloud.faults.add("status", code=503)
    assert push(connected).ending is Ending.TROUBLE
    account = account_of(connected)
    assert (account.breaker, account.breaker_reason) == ("open", "health")
    assert rows_of(connected)["A"].attempts == 0


def outage(scope, cloud):
    """Let AIMS be away for one ping and answer the next."""
    fault = cloud.faults.add("status", code=503)
    ping.ping(scope)
    cloud.faults.remove(fault)
    return ping.ping(scope)


def test_a_queue_that_holds_label_wishes_only_tries_with_one_of_them(connected, cloud):
    codes = label_codes(cloud, 3)
    spaces.create_space(connected, "A", data={})
    push(connected)
    for code in codes:
        labels.link_label(connected, code, "A")
    assert outage(connected, cloud).breaker == "half-open"
    assert ping.ping(connected).breaker == "half-open", "nothing was written yet, so nothing is proven"
    cloud.journal.clear()
    report = push(connected)
    assert (report.linked, account_of(connected).breaker) == (3, "closed")
    assert len(calls(cloud, "POST", "/labels/link")) == 2, "one, then all the others at once"


def test_a_trial_with_a_label_that_fails_stops_the_queue_again(connected, cloud):
    (code,) = label_codes(cloud, 1)
    spaces.create_space(connected, "A", data={})
    push(connected)
    labels.link_label(connected, code, "A")
    outage(connected, cloud)
    ping.ping(connected)
    cloud.faults.add("status", code=503)
    assert push(connected).ending is Ending.TROUBLE
    assert account_of(connected).breaker == "open"


def wish_for_an_article_that_is_not_there(scope, cloud, code):
    spaces.create_space(scope, "A", data={})
    fault = cloud.faults.add("reject-article", articles=("A",))
    push(scope)
    cloud.faults.remove(fault)
    labels.link_label(scope, code, "A")


def wish_for_a_deleted_article(scope, cloud, code):
    spaces.create_space(scope, "A", data={})
    labels.link_label(scope, code, "A")
    push(scope)
    spaces.delete_space(scope, "A")
    push(scope)


def wish_that_is_fulfilled(scope, cloud, code):
    spaces.create_space(scope, "A", data={})
    labels.link_label(scope, code, "A")
    push(scope)
    push(scope)


def work_in_a_paused_store(scope, cloud, code):
    spaces.create_space(scope, "A", data={})
    queue.pause(scope)


@pytest.mark.parametrize(
    "prepare",
    [
        wish_for_an_article_that_is_not_there,
        wish_for_a_deleted_article,
        wish_that_is_fulfilled,
        work_in_a_paused_store,
    ],
)
def test_where_nothing_can_be_tried_two_answers_are_proof_enough(connected, cloud, prepare):
    prepare(connected, cloud, label_codes(cloud, 1)[0])
    assert outage(connected, cloud).breaker == "half-open"
    assert ping.ping(connected).breaker == "closed"


def test_everything_is_due_at_once_after_an_outage_and_nobody_is_to_blame(connected, cloud, clock):
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={})
    fault = cloud.faults.add("status", code=500, path="/articles", method="POST")
    for _ in range(3):
        push(connected)
        clock.advance(900)
    push(connected)
    assert store_of(connected).backoff_until > clock()
    later = [{"article_id": one, "next_attempt_at": clock() + timedelta(minutes=15)} for one in ("A", "B")]
    with connected.runtime.database.write(connected.org_id) as uow:
        ledger.update_rows(uow, store_of(connected).id, later)
        uow.commit()
    other = cloud.faults.add("status", code=503)
    ping.ping(connected)
    cloud.faults.remove(other)
    cloud.faults.remove(fault)
    ping.ping(connected)
    assert (store_of(connected).backoff_until, store_of(connected).backoff_count) == (None, 0)
    assert {row.attempts for row in rows_of(connected).values()} == {0}
    assert push(connected).created == 2
    assert letters_of(connected) == []


def test_labels_that_waited_are_due_at_once_after_an_outage(connected, cloud, clock):
    (code,) = label_codes(cloud, 1)
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, code, "A")
    with connected.runtime.database.write(connected.org_id) as uow:
        wishes.update_wish(uow, code, {"next_attempt_at": clock() + timedelta(minutes=15), "attempts": 3})
        uow.commit()
    fault = cloud.faults.add("status", code=503)
    ping.ping(connected)
    cloud.faults.remove(fault)
    ping.ping(connected)
    push(connected)
    assert label(cloud, code).articles == ["A"]


def test_a_transport_failure_asks_at_once_whether_aims_is_there(connected, cloud):
    spaces.create_space(connected, "A", data={})
    cloud.faults.add("reset", path="/articles", method="POST")
    push(connected)
    assert (account_of(connected).ping_state, account_of(connected).breaker) == ("ok", "closed")
    cloud.faults.add("reset", path="/store")
    store_id = store_of(connected).id
    with connected.runtime.database.write(connected.org_id) as uow:
        stores.update_store(uow, store_id, {"backoff_until": None})
        uow.commit()
    push(connected)
    assert (account_of(connected).ping_state, account_of(connected).breaker) == ("error", "open")


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_refused_license_stops_the_queue_with_one_alert_and_is_asked_about_once_an_hour(
    connected, cloud, clock
):
    with cloud.lock:
        cloud.company("ACME").licensed = False
    view = ping.ping(connected)
    assert (view.ok, view.until, view.breaker) == (False, None, "open")
    assert account_of(connected).breaker_reason == "license"
    assert len(open_alerts(connected)) == 1
    assert not ping.is_ping_due(connected.runtime, connected.org_id)
    clock.advance(3599)
    assert not ping.is_ping_due(connected.runtime, connected.org_id)
    clock.advance(1)
    assert ping.is_ping_due(connected.runtime, connected.org_id)
    with cloud.lock:
        cloud.company("ACME").licensed = True
    assert ping.ping(connected).breaker == "half-open"
    assert open_alerts(connected) == []


def test_an_aims_that_asks_for_fewer_requests_is_no_outage(connected, cloud, clock):
    spaces.create_space(connected, "A", data={})
    cloud.faults.add("429", seconds=40, path="/store")
    view = ping.ping(connected)
    assert (view.ok, view.error_code, view.breaker) == (False, AimsThrottled.code, "closed")
    assert view.until == account_of(connected).backoff_until == clock() + timedelta(seconds=40)
    assert open_alerts(connected) == []
    assert push(connected).ending is Ending.BACKOFF
    clock.advance(40)
    assert push(connected).created == 1


def test_a_drain_that_may_not_ask_tells_until_when(connected, cloud, clock):
    spaces.create_space(connected, "A", data={})
    cloud.faults.add("429", seconds=40, path="/store")
    view = draining.drain(connected)
    assert [(one["ending"], one["error_code"], one["until"]) for one in view.stores] == [
        ("backoff", AimsThrottled.code, clock() + timedelta(seconds=40))
    ]
    assert (view.left["pending"], article_writes(cloud)) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "options", "code", "reason"),
    [
        ("429", {"seconds": 40}, AimsThrottled.code, None),
        ("license", {}, AimsCompanyRefused.code, "license"),
        ("status", {"code": 503}, AimsAmbiguous.code, "health"),
    ],
)
def test_a_ping_after_a_call_without_an_answer_says_what_keeps_the_account_waiting(
    connected, cloud, clock, kind, options, code, reason
):
    spaces.create_space(connected, "A", data={})
    cloud.faults.add("reset", path="/articles", method="POST", count=1)
    cloud.faults.add(kind, path="/store", **options)
    report = push(connected)
    assert (report.ending, report.error_code) == (Ending.TROUBLE, code)
    account = account_of(connected)
    assert (account.breaker, account.breaker_reason) == ("open" if reason else "closed", reason)
    assert account.backoff_until == (None if reason else clock() + timedelta(seconds=40))
    assert len(open_alerts(connected)) == (1 if reason else 0)


def test_a_refused_login_stops_the_queue_and_costs_no_login_storm(bench, clock):
    with SimulatorServer(Simulator(Settings(username="tester", password="another"))) as server:
        scope = bench.organization(base_url=server.base_url)
        assert ping.ping(scope).error_code == AimsLoginRefused.code
        assert account_of(scope).breaker_reason == "login"
        for _ in range(59):
            clock.advance(60)
            working.ping_turn(scope.runtime, scope.org_id)
        assert server.simulator.world.counters.login_failures == 1


def test_an_ordinary_outage_is_asked_about_every_time(connected, simulator_server):
    simulator_server.stop()
    ping.ping(connected)
    assert ping.is_ping_due(connected.runtime, connected.org_id)


def test_a_changed_format_keeps_the_queue_stopped_through_an_outage(connected, cloud, clock):
    spaces.create_space(connected, "A", data={})
    with cloud.lock:
        company = cloud.company("ACME")
        company.format = {**company.format, "articleData": [*company.format["articleData"], "FLOOR"]}
    with pytest.raises(Exception, match="format"):
        sync(connected)
    assert ping.ping(connected).breaker == "open", "an answer does not change the format"
    fault = cloud.faults.add("status", code=503)
    ping.ping(connected)
    cloud.faults.remove(fault)
    ping.ping(connected)
    assert push(connected).ending is Ending.BREAKER, "labels would be drawn with the wrong columns"
    formats.fetch_format(connected)
    ping.ping(connected)
    push(connected)
    assert statuses(connected) == {"A": Status.SYNCED}


# --- who is asked ---------------------------------------------------------------------------------------------------


def test_an_organization_without_aims_is_not_asked(scope):
    assert not ping.is_ping_due(scope.runtime, scope.org_id)
    assert working.ping_turn(scope.runtime, scope.org_id) is None
    with pytest.raises(AimsNotConfigured):
        ping.ping(scope)


def test_one_accounts_outage_is_not_anothers(bench, simulator_server, cloud):
    ours = bench.organization("ACME", base_url=simulator_server.base_url)
    theirs = bench.organization("OTHER", base_url=simulator_server.base_url)
    cloud.faults.add("status", code=503, company="ACME")
    ping.ping(ours)
    ping.ping(theirs)
    assert (account_of(ours).breaker, account_of(theirs).breaker) == ("open", "closed")


def test_a_ping_is_never_answered_from_memory(connected, cloud):
    for _ in range(3):
        assert ping.ping(connected).ok
    assert len([entry for entry in cloud.journal.after() if entry.path.endswith("/common/store")]) == 3
