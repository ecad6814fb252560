"""Flow 3.2: the queue brings the database's articles to AIMS, over real HTTP."""

from __future__ import annotations

from electis_cli.db import alerts, ledger, stores
from electis_cli.domain.queue import Status, status_of_row
from electis_cli.services import people, spaces
from electis_cli.services.push.report import Ending
from electis_cli.services.push.store import push_store


def store_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return stores.list_stores(uow)[0]


def push(scope, **changes):
    return push_store(scope.runtime, scope.org_id, store_of(scope).id, **changes)


def rows_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return ledger.all_rows(uow, store_of(scope).id)


def statuses(scope):
    return {article_id: status_of_row(row) for article_id, row in rows_of(scope).items()}


def article(cloud, article_id):
    return cloud.store("ACME", "001").articles[article_id]


def test_what_the_database_says_is_what_aims_shows(connected, cloud):
    spaces.create_space(connected, "4-117", data={"TITLE": "Window"})
    people.create_person(connected, "P1", data={"ITEM_NAME": "Dana Levi", "PHONE": "0031"}, space="4-117")

    report = push(connected)

    assert (report.ending, report.created) == (Ending.DONE, 1)
    shown = article(cloud, "4-117")
    assert shown.name == "Dana Levi"
    assert shown.data["TITLE"] == "Window"
    assert shown.data["PHONE"] == "0031"
    assert shown.data["EMAIL"] == ""
    assert statuses(connected) == {"4-117": Status.SYNCED}


def test_a_quiet_store_costs_no_article_write(connected, cloud):
    spaces.create_space(connected, "4-1", data={})
    push(connected)

    report = push(connected)

    assert report.article_calls == 0


def test_a_move_updates_both_articles_in_one_call(connected, cloud):
    for space in ("4-1", "4-2"):
        spaces.create_space(connected, space, data={})
    people.create_person(connected, "P1", data={"ITEM_NAME": "Dana"}, space="4-1")
    push(connected)

    people.assign_person(connected, "P1", "4-2")
    report = push(connected)

    assert (report.updated, report.article_calls) == (2, 1)
    assert article(cloud, "4-1").name == ""
    assert article(cloud, "4-2").name == "Dana"


def test_a_deleted_space_is_deleted_at_aims(connected, cloud):
    spaces.create_space(connected, "4-1", data={})
    push(connected)

    spaces.delete_space(connected, "4-1")
    report = push(connected)

    assert report.deleted == 1
    assert cloud.store("ACME", "001").articles == {}


def test_one_poisoned_article_among_many_costs_few_calls_and_only_itself(connected, cloud):
    for number in range(64):
        spaces.create_space(connected, f"S{number:02}", data={})
    cloud.faults.add("reject-article", articles=("S13",), message="FIELD_IS_MISSING")

    report = push(connected)

    assert (report.created, report.failed) == (63, 1)
    assert report.article_calls <= 13
    assert statuses(connected)["S13"] is Status.FAILED
    with connected.runtime.database.read(connected.org_id) as uow:
        letters = alerts.list_dead_letters(uow, [store_of(connected).id])
        open_alerts = alerts.list_alerts(uow)
    assert [letter["subject"] for letter in letters] == ["S13"]
    assert [alert["id"] for alert in open_alerts] == [letters[0]["alert_id"]]


def test_a_record_counted_as_invalid_is_a_dead_letter_and_the_others_are_synced(connected, cloud):
    for space in ("A", "B", "C"):
        spaces.create_space(connected, space, data={})
    cloud.faults.add("partial", articles=("B",))

    report = push(connected)

    assert (report.created, report.failed) == (2, 1)
    assert statuses(connected) == {"A": Status.SYNCED, "B": Status.FAILED, "C": Status.SYNCED}


def test_a_lost_answer_is_read_back_before_anything_is_sent_again(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    push(connected)
    spaces.update_space(connected, "A", data={"TITLE": "y"})
    cloud.faults.add("reset", method="PUT", path="/articles", applied=True, count=1)

    first = push(connected)
    clock.advance(3600)
    second = push(connected)

    assert first.ending is Ending.TROUBLE
    assert (second.agreed, second.article_calls) == (1, 0)
    assert statuses(connected) == {"A": Status.SYNCED}


def test_an_outage_opens_the_breaker_and_makes_no_dead_letters(connected, simulator_server, clock):
    spaces.create_space(connected, "A", data={})
    simulator_server.stop()

    for _ in range(20):
        push(connected)
        clock.advance(900)

    row = rows_of(connected)["A"]
    assert (row.attempts, status_of_row(row)) == (0, Status.PENDING)
    assert push(connected).ending is Ending.BREAKER


def test_a_foreign_edit_is_not_overwritten_before_the_settle_window(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "ours"})
    push(connected)
    with cloud.lock:
        article(cloud, "A").data["DEPARTMENT"] = "theirs"
    spaces.update_space(connected, "A", data={"TITLE": "ours, again"})
    clock.advance(61)

    waiting = push(connected)
    clock.advance(121)
    settled = push(connected)

    assert waiting.waiting == 1
    assert settled.updated == 1
    assert article(cloud, "A").data["DEPARTMENT"] == "theirs"
    assert article(cloud, "A").data["TITLE"] == "ours, again"
    assert spaces.show_space(connected, "A").data == {"TITLE": "ours, again", "DEPARTMENT": "theirs"}


def test_an_edit_during_the_call_stays_dirty(connected, cloud):
    spaces.create_space(connected, "A", data={"TITLE": "1"})
    row = rows_of(connected)["A"]
    original = connected.runtime.connect

    class Slow:
        def __init__(self, client):
            self.client = client

        def __getattr__(self, name):
            return getattr(self.client, name)

        def push_articles(self, *args, **kwargs):
            spaces.update_space(connected, "A", data={"TITLE": "2"})
            return self.client.push_articles(*args, **kwargs)

    calls = []

    def connect(organization):
        client = original(organization)
        calls.append(client)
        return Slow(client) if len(calls) == 1 else client

    object.__setattr__(connected.runtime, "connect", connect)
    push_store(
        connected.runtime,
        connected.org_id,
        store_of(connected).id,
        should_stop=lambda: bool(calls) and rows_of(connected)["A"].synced_version > 0,
    )

    after = rows_of(connected)["A"]
    assert (row.desired_version, after.synced_version, after.desired_version) == (1, 1, 2)
    push(connected)
    assert article(cloud, "A").data["TITLE"] == "2"
